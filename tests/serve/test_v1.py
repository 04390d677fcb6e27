"""``/v1/classify``: many papers, everything that is known about them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import DeadlineError, OverloadedError, StoppingError
from fastapi.testclient import TestClient
from serve.stand_in import Fake

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}


def ask(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/classify", json={"papers": [PAPER]} | body)


def test_every_paper_gets_its_answer_in_order(client: TestClient, fake: Fake) -> None:
    papers = [PAPER | {"title": f"Paper {number}"} for number in range(16)]
    answer = ask(client, papers=papers, top_k=2)
    assert answer.status_code == 200
    found = answer.json()["papers"]
    assert len(found) == 16
    assert [one["title"] for one in fake.seen] == [one["title"] for one in papers]
    assert [one["category"] for one in found[0]["categories"]] == fake.names[:2]
    assert set(found[0]["categories"][0]) == {
        "category",
        "name",
        "probability",
        "assigned",
        "threshold",
    }
    assert found[0]["decision"]["verdict"] == "accept"
    assert {one["model"] for one in found} == {"0123"}
    assert (found[0]["tokens"], found[0]["truncated"]) == (7, False)
    assert found[0]["timing"] == {
        "queue": 0.1,
        "tokenize": 0.2,
        "wait": 0.3,
        "run": 0.4,
        "batch": 5,
    }


def test_the_limits_of_the_decision_are_the_callers(client: TestClient) -> None:
    answer = ask(client, limits={"keep": 0.95})
    assert answer.json()["papers"][0]["decision"]["verdict"] == "abstain"


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        (b"{", 400, "bad_request", "not JSON"),
        (b"[]", 422, "invalid", "object"),
        (b'{"papers": []}', 422, "invalid", "papers"),
        (b'{"papers": [{"title": ""}]}', 422, "invalid", "papers.0.abstract"),
        (b'{"papers": [{"title": "", "abstract": "", "x": 1}]}', 422, "invalid", "papers.0.x"),
        (b'{"papers": [], "topk": 1}', 422, "invalid", "papers"),
        (b'{"papers": [{"title": "", "abstract": ""}], "topk": 1}', 422, "invalid", "topk"),
        (b'{"papers": [{"title": "", "abstract": ""}], "top_k": 0}', 422, "invalid", "top_k"),
        (
            b'{"papers": [{"title": "", "abstract": ""}], "limits": {"keep": 2}}',
            422,
            "invalid",
            "limits.keep",
        ),
        (
            b'{"papers": [{"title": "", "abstract": ""}], "min_precision": 2}',
            422,
            "invalid",
            "min_precision",
        ),
        (
            b'{"papers": [{"title": "", "abstract": ""}], "thresholds": {"cs.LG": -1}}',
            422,
            "invalid",
            "thresholds.cs.LG",
        ),
        (
            b'{"papers": [{"title": "", "abstract": "stuck"}], "thresholds": {"cs.XX": 0.1}}',
            422,
            "invalid",
            "thresholds.cs.XX",
        ),
        (
            b'{"papers": [{"title": "", "abstract": "stuck"}],'
            b' "thresholds": {"cs.IT": 0.1, "math.IT": 0.2}}',
            422,
            "invalid",
            "cs.IT is the same category",
        ),
        (
            b'{"papers": [{"title": "", "abstract": "", "primary": "cs.XX"}]}',
            400,
            "bad_request",
            "papers.0.primary: 'cs.XX'",
        ),
        (b'{"papers": [{"title": "", "abstract": "' + b"x" * 2000, 413, "too_large", "2000"),
    ],
)
def test_a_body_that_does_not_fit_is_named(
    client: TestClient, body: bytes, status: int, kind: str, said: str
) -> None:
    answer = client.post("/v1/classify", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind
    assert said in answer.json()["error"]["message"]


def test_another_content_type_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/classify", content=b"{}", headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (OverloadedError("512 requests are under way"), 429, "overloaded"),
        (StoppingError("the engine is stopping"), 503, "stopping"),
        (DeadlineError("not answered in time"), 504, "deadline"),
    ],
)
def test_what_the_engine_refuses_has_a_status_of_its_own(
    client: TestClient, fake: Fake, error: Exception, status: int, kind: str
) -> None:
    fake.error = error
    answer = ask(client)
    assert answer.status_code == status
    assert answer.json() == {"error": {"type": kind, "message": str(error)}}


def test_a_fault_is_told_without_what_is_inside(client: TestClient, fake: Fake) -> None:
    fake.error = RuntimeError("the secret inside")
    answer = ask(client)
    assert answer.status_code == 500
    assert answer.json() == {"error": {"type": "internal", "message": "internal error"}}


def test_other_paths_under_v1_have_the_same_errors(client: TestClient) -> None:
    answer = client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")
    answer = client.get("/v1/classify")
    assert (answer.status_code, answer.json()["error"]["type"]) == (405, "method_not_allowed")


def test_every_reference_in_the_document_leads_somewhere(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for inner in value.values() for one in references(inner)]
        if isinstance(value, list):
            return [one for inner in value for one in references(inner)]
        return []

    found = references(document)
    assert "#/components/schemas/Asked" in found
    for reference in found:
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
