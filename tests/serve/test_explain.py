"""``/v1/explain``: which sentences mattered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import DeadlineError, OverloadedError, StoppingError
from arxiv_core.live import Submission
from arxiv_core.serve import create_app
from arxiv_core.serve.explain import AT_ONCE, MOST, TOGETHER, Explainer
from fastapi.testclient import TestClient
from serve.stand_in import Fake, Scored

PAPER = {"title": "Rings", "abstract": "Each 🧮 is a module. See Fig. 3 for it. It is new."}


def ask(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/explain", json=PAPER | body)


def test_every_sentence_has_its_contribution(client: TestClient, fake: Fake) -> None:
    answer = ask(client, categories=["math.AG", "math.AC"])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    texts = [PAPER[span["field"]][span["start"] : span["end"]] for span in told["spans"]]
    assert texts == ["Rings", "Each 🧮 is a module.", "See Fig. 3 for it.", "It is new."]
    assert [one["category"] for one in told["categories"]] == ["math.AG", "math.AC"]
    assert told["categories"][0]["contributions"] == [2, -1.5, 1, -0.5]
    assert told["model"] == "0123"
    titles = [paper["title"] for paper in fake.seen]
    assert titles == ["Rings", "", "Rings", "Rings", "Rings"]
    assert fake.seen[2]["abstract"] == " See Fig. 3 for it. It is new."
    assert fake.timeouts == {3}


def test_the_best_categories_are_explained_unless_some_are_named(client: TestClient) -> None:
    told = ask(client, top_k=2).json()
    assert [one["category"] for one in told["categories"]] == ["math.AC", "math.AG"]


def test_a_long_paper_costs_no_more_than_its_share(client: TestClient, fake: Fake) -> None:
    text = "We prove it. " * 120
    told = client.post("/v1/explain", json={"title": "T", "abstract": text}).json()
    assert 1 < len(told["spans"]) <= MOST
    assert len(fake.seen) == len(told["spans"]) + 1
    assert told["spans"][-1]["end"] == len(text.rstrip())


def test_a_paper_without_text_has_no_spans(client: TestClient) -> None:
    told = client.post("/v1/explain", json={"title": " ", "abstract": ""}).json()
    assert told["spans"] == []
    assert told["categories"][0]["contributions"] == []


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        (b"{", 400, "bad_request", "not JSON"),
        (b"{}", 422, "invalid", "title"),
        (b'{"title": "", "abstract": "", "topk": 1}', 422, "invalid", "topk"),
        (b'{"title": "", "abstract": "", "top_k": 0}', 422, "invalid", "top_k"),
        (b'{"title": "", "abstract": "", "categories": []}', 422, "invalid", "categories"),
        (
            b'{"title": "", "abstract": "", "categories": ["math.AC", "cs.XX"]}',
            400,
            "bad_request",
            "categories.1: 'cs.XX'",
        ),
        (b'{"title": "", "abstract": "' + b"x" * 2000, 413, "too_large", "2000"),
    ],
)
def test_a_body_that_does_not_fit_is_named(
    client: TestClient, fake: Fake, body: bytes, status: int, kind: str, said: str
) -> None:
    answer = client.post("/v1/explain", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind
    assert said in answer.json()["error"]["message"]
    # No variant was scored for it.
    assert len(fake.seen) <= 1


def test_another_content_type_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/explain", content=b"{}", headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (OverloadedError("512 requests are under way"), 429, "overloaded"),
        (StoppingError("the engine is stopping"), 503, "stopping"),
        (DeadlineError("not answered in time"), 504, "deadline"),
        (RuntimeError("the secret inside"), 500, "internal"),
    ],
)
def test_what_the_engine_refuses_has_a_status_of_its_own(
    client: TestClient, fake: Fake, error: Exception, status: int, kind: str
) -> None:
    fake.error = error
    answer = ask(client)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert "secret" not in answer.text


class Changing(Fake):
    """Another model takes over after `until` papers."""

    def __init__(self, until: int) -> None:
        super().__init__()
        self.until = until

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        scored = await super().submit(paper, timeout=timeout)
        scored.model = (
            "old" if len(self.seen) <= self.until else f"new{len(self.seen) % self.every}"
        )
        return scored

    every = 1


def test_an_explanation_begins_again_when_another_model_takes_over() -> None:
    changing = Changing(until=2)
    answer = ask(TestClient(create_app(changing)))
    assert answer.status_code == 200
    assert answer.json()["model"] == "new0"
    # Models that change all the time are not run after for ever.
    changing = Changing(until=0)
    changing.every = 2
    answer = ask(TestClient(create_app(changing)))
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "overloaded")


class Slow(Fake):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.under_way = self.most = self.cancelled = 0

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
            # Others come in between, as they would.
            await asyncio.sleep(0)
            return await super().submit(paper, timeout=timeout)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1


@pytest.mark.parametrize(("capacity", "most"), [(512, TOGETHER), (1, 1)])
def test_few_variants_are_under_way_at_once_and_no_more_than_may_be(
    capacity: int, most: int
) -> None:
    async def run() -> None:
        slow = Slow()
        slow.options["capacity"] = capacity
        slow.gate.set()
        found = await Explainer(slow, None)("T", "We prove it. " * 20)
        assert len(found.spans) == 21
        assert slow.most == most

    asyncio.run(run())


def test_more_explanations_than_may_be_are_refused_at_once() -> None:
    async def run() -> None:
        slow = Slow()
        explainer = Explainer(slow, None)
        waiting = [asyncio.ensure_future(explainer("T", "One.")) for _ in range(AT_ONCE)]
        while slow.under_way < AT_ONCE:
            await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match=f"{AT_ONCE} explanations"):
            await explainer("T", "One.")
        slow.gate.set()
        await asyncio.gather(*waiting)
        assert (await explainer("T", "One.")).spans

    asyncio.run(run())


def test_a_deadline_is_the_whole_explanations_and_drops_its_work() -> None:
    async def run() -> None:
        slow = Slow()
        with pytest.raises(DeadlineError, match=r"0\.01 s"):
            await Explainer(slow, 0.01)("T", "One.")
        assert (slow.under_way, slow.cancelled) == (0, 1)

    asyncio.run(run())


@pytest.mark.parametrize(("own", "left"), [(60, 0.01), (None, 0.01), (0.01, 60)])
def test_the_lesser_of_two_deadlines_holds(own: float | None, left: float) -> None:
    async def run() -> None:
        slow = Slow()
        with pytest.raises(DeadlineError, match=r"0\.01 s"):
            await Explainer(slow, own)("T", "One.", timeout=left)
        assert slow.under_way == 0

    asyncio.run(run())


def test_the_schema_describes_the_body(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["components"]["schemas"]["Questioned"]["properties"]) == {
        "title",
        "abstract",
        "categories",
        "top_k",
    }
    assert "/" not in document["paths"]
