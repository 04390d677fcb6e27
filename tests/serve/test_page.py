"""The page without JavaScript: its form, its files, what it lets a browser do."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import DeadlineError, OverloadedError, StoppingError
from arxiv_core.live import Submission
from arxiv_core.serve import create_app
from arxiv_core.serve.explain import Explained, Explainer, Span
from arxiv_core.serve.keys import Keys
from arxiv_core.serve.page.view import Form, answer, percent
from arxiv_core.serve.page.words import PROBLEMS, WORDS
from arxiv_core.serve.v1 import Category, Decision
from fastapi.testclient import TestClient
from serve.stand_in import Fake, Scored

PAPER = {"title": "On rings", "abstract": "Each ring is a module. It is new.", "primary": ""}

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Tree(HTMLParser):
    """Fails where tags do not match; collects elements outside templates, with their texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not any(name == "template" for name, _ in self.open):
            self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not any(name in {"template", "script"} for name, _ in self.open):
            classes = [str(attributes.get("class", "")) for _, attributes in self.open]
            self.texts.append((" ".join(classes), data))

    def text(self, where: str = "") -> str:
        """What is read inside elements of the class `where`."""
        parts = [data for classes, data in self.texts if not where or where in classes.split()]
        return " ".join(" ".join(parts).split())


def send(client: TestClient, **fields: str) -> Any:
    return client.post("/", data=PAPER | fields)


def test_the_form_is_there_and_says_what_it_wants(client: TestClient, fake: Fake) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    tree = Tree(answer.text)
    [form] = [attributes for tag, attributes in tree.found if tag == "form"]
    assert (form["method"], form["action"]) == ("post", "./")
    names = {
        attributes.get("id"): attributes.get("name")
        for tag, attributes in tree.found
        if tag in {"input", "textarea"}
    }
    assert {"title", "abstract", "primary"} <= set(names.values())
    labelled = {attributes["for"] for tag, attributes in tree.found if tag == "label"}
    assert labelled == set(names)
    options = [attributes["value"] for tag, attributes in tree.found if tag == "option"]
    assert {"cs.LG", "hep-th"} <= set(options)
    assert "cmp-lg" not in options
    assert not fake.seen
    assert client.head("/").status_code == 200


def test_a_form_is_answered_with_the_whole_page(client: TestClient, fake: Fake) -> None:
    answer = send(client, primary="math.AG")
    assert answer.status_code == 200
    assert fake.seen[0] == {
        "title": "On rings",
        "abstract": "Each ring is a module. It is new.",
        "primary": "math.AG",
    }
    assert all(timeout is not None and 0 < timeout <= 3 for timeout in fake.timeouts)
    tree = Tree(answer.text)
    assert tree.text("sentence").startswith("Keep math.AG")
    assert tree.text("verdict") == "Accept"
    shares = re.findall(r"[\d.]+ %", tree.text("share"))
    assert shares == ["90.0 %", "80.0 %", "70.0 %", "60.0 %", "50.0 %"]
    assert tree.text("note").count("Not assigned: its threshold is 50.0 %.") == 5
    assert tree.text("for").count("Speaks strongly for math.AC") == 1
    assert "Speaks strongly against math.AC" in tree.text("against")
    assert tree.text("marked-abstract").startswith("Each ring is a module. −1.5 It is new. +1.0")
    assert "Best category: math.AC, 90.0 %" in tree.text()
    # What was sent stands in the form again.
    assert PAPER["abstract"] in tree.text()
    assert 'value="math.AG"' in answer.text


def test_whatever_is_sent_is_text(client: TestClient, fake: Fake) -> None:
    evil = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'"
    answer = send(client, title=evil, abstract=f"{evil}. {evil}", primary='"><script>x</script>')
    assert fake.seen[0]["title"] == evil
    tree = Tree(answer.text)
    assert evil in tree.text("marked-title")
    scripts = [attributes for tag, attributes in tree.found if tag == "script"]
    assert len(scripts) == 2
    assert {script.get("type") for script in scripts} == {None, "application/json"}
    assert not [tag for tag, _ in tree.found if tag == "img"]
    assert not [
        name for _, attributes in tree.found for name in attributes if name.startswith("on")
    ]
    for text in ("数学 🧮", "\u202e\u0000", "{{ 7 * 7 }}", "{title}"):
        assert send(client, title=text).status_code == 200


def test_nothing_from_elsewhere_and_nothing_inline_may_run(client: TestClient) -> None:
    for told in (client.get("/"), send(client), client.post("/", content=b"x")):
        policy = dict(
            part.split(" ", 1) for part in told.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert told.headers["x-content-type-options"] == "nosniff"
        tree = Tree(told.text)
        for tag, attributes in tree.found:
            assert "style" not in attributes
            assert tag != "style"
            if tag == "script" and attributes.get("type") is None:
                assert attributes.get("src")
            for name in ("src", "href", "action"):
                assert "//" not in (attributes.get(name) or "")


def test_answers_are_not_kept_by_anybody(client: TestClient) -> None:
    assert send(client).headers["cache-control"] == "no-store"


def test_files_are_kept_by_their_content(client: TestClient) -> None:
    page = client.get("/").text
    names = re.findall(r'(?:src|href)="(page/[^"]+)"', page)
    assert len(names) == 3
    for name in names:
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        tag = answer.headers["etag"]
        bare = client.get(f"/{name.split('?')[0]}", headers={"if-none-match": f'"x", W/{tag}'})
        assert (bare.status_code, bare.content, bare.headers["etag"]) == (304, b"", tag)
        assert bare.headers["cache-control"] == "no-cache"
        assert client.get(f"/{name}", headers={"if-none-match": '"x"'}).content == answer.content
    for name in ("page.html", "..%2Fapp.py", "words.py"):
        assert client.get(f"/page/{name}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"title": " ", "abstract": "\r\n"}, 422, WORDS["empty"]),
        ({"primary": "cs.XX"}, 400, "'cs.XX' is not a category of arXiv"),
        ({"abstract": "x" * 2000}, 413, "2000 bytes"),
    ],
)
def test_a_form_that_does_not_fit_is_told_so(
    client: TestClient, fields: dict[str, str], status: int, said: str
) -> None:
    answer = send(client, **fields)
    assert answer.status_code == status
    tree = Tree(answer.text)
    assert said.replace("\n", " ") in tree.text("message")
    assert tree.text("advice") == PROBLEMS[str(status)][1]


def test_a_body_that_is_no_form_is_told_so(client: TestClient) -> None:
    answer = client.post("/", content=b"{}", headers={"content-type": "application/json"})
    assert answer.status_code == 415
    many = "&".join(f"x{n}=1" for n in range(99))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/", content=many.encode(), headers=form).status_code == 422
    assert client.post("/", content=b"\xff%ff%", headers=form).status_code == 422


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OverloadedError("512 requests are under way"), 429, "Wait 1 s"),
        (StoppingError("the engine is stopping"), 503, "wait 5 s"),
        (DeadlineError("not answered in time"), 504, "later"),
        (RuntimeError("the secret inside"), 500, "not your text's fault"),
    ],
)
def test_overload_and_failure_are_told_with_what_to_do(
    client: TestClient, fake: Fake, error: Exception, status: int, said: str
) -> None:
    fake.error = error
    answer = send(client)
    assert answer.status_code == status
    tree = Tree(answer.text)
    assert tree.text("heading") == PROBLEMS[str(status)][0]
    assert said in tree.text("advice")
    assert "secret" not in answer.text
    assert PAPER["abstract"] in answer.text
    assert ("retry-after" in answer.headers) == (status in {429, 503})


def test_an_answer_stands_without_its_explanation(
    client: TestClient, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise OverloadedError("8 explanations are under way")

    monkeypatch.setattr(Explainer, "__call__", busy)
    answer = send(client)
    assert answer.status_code == 200
    tree = Tree(answer.text)
    assert "8 explanations are under way" in tree.text("unexplained")
    assert tree.text("share")
    assert not tree.text("marked-abstract")


class Exchanged(Fake):
    """Another model answers from its second paper on."""

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        scored = await super().submit(paper, timeout=timeout)
        if len(self.seen) > 1:
            scored.model = "4567"
        return scored


def test_what_another_model_says_does_not_explain_an_answer() -> None:
    answer = send(TestClient(create_app(Exchanged())))
    assert answer.status_code == 200
    assert WORDS["another_model"] in Tree(answer.text).text("unexplained")


def test_a_form_that_is_not_escaped_is_read_as_it_is(client: TestClient, fake: Fake) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    client.post("/", content="title=Schrödinger&abstract=".encode(), headers=kind)
    assert fake.seen[0]["title"] == "Schrödinger"


@pytest.mark.parametrize("keys", [None, Keys(["correct-horse-battery"])])
def test_a_form_that_does_not_come_in_time_is_told_so(fake: Fake, keys: Keys | None) -> None:
    app = create_app(fake, timeout=0.05, keys=keys)
    said: list[Any] = []
    pieces = [{"type": "http.request", "body": b"title=On", "more_body": True}]

    async def receive() -> Any:
        if not pieces:
            await asyncio.Event().wait()
        return pieces.pop()

    async def send(message: Any) -> None:
        said.append(message)

    kind = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [kind]}
    asyncio.run(app(scope, receive, send))
    assert said[0]["status"] == 408
    assert dict(said[0]["headers"])[b"connection"] == b"close"
    page = b"".join(message.get("body", b"") for message in said).decode()
    assert Tree(page).text("heading") == PROBLEMS["408"][0]
    assert not fake.seen


def test_a_form_and_its_explanation_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    took, given = 0.05, []

    class Slow(Fake):
        async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
            await asyncio.sleep(took)
            given.append(timeout)
            return await super().submit(paper)

    async def late(*_: object, timeout: float | None, **__: object) -> None:
        given.append(timeout)
        raise DeadlineError("not explained within 2 s")

    monkeypatch.setattr(Explainer, "__call__", late)
    answer = send(TestClient(create_app(Slow(), timeout=60)))
    assert answer.status_code == 200
    assert len(given) == 2
    # The loop's clock may say a little less than has passed.
    assert given[1] <= given[0] - took * 0.9
    assert "not known this time: not explained within 2 s" in Tree(answer.text).text("unexplained")


def test_what_is_not_explained_in_time_is_answered_without() -> None:
    class Stuck(Fake):
        async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
            if self.seen:
                await asyncio.Event().wait()
            return await super().submit(paper, timeout=timeout)

    answer = send(TestClient(create_app(Stuck(), timeout=0.5)))
    assert answer.status_code == 200
    tree = Tree(answer.text)
    assert "not known this time: not explained within" in tree.text("unexplained")
    assert tree.text("share")


def test_what_was_cut_and_what_nobody_knows_is_told_plainly() -> None:
    known = Category(
        category="cs.LG", name="Machine Learning", probability=0.3, assigned=False, threshold=0.41
    )
    foreign = known.model_copy(update={"category": "hep-lat", "probability": 0, "threshold": None})
    nothing = Decision(verdict="abstain", primary=None, cross_lists=[])
    form = Form(title="T", abstract="A", primary="hep-lat")
    shown = answer(form, [known, foreign], nothing, tokens=512, truncated=True)
    assert shown.sentence == (
        "The model does not know hep-lat, so it cannot judge whether the paper belongs there. "
        "A person should decide."
    )
    assert "first 512 tokens" in shown.truncated
    assert [one.note for one in shown.categories] == [
        "Not assigned: its threshold is 41.0\u00a0%.",
        "This model does not know the category.",
    ]
    shown = answer(form, [known], nothing, tokens=5, truncated=False)
    assert shown.sentence.startswith("The model abstains: it is not sure enough of hep-lat, nor of")
    shown = answer(Form("T", "A"), [known], nothing, tokens=5, truncated=False)
    assert shown.sentence.startswith("The model abstains: it is not sure enough of any")
    propose = Decision(verdict="propose", primary=known, cross_lists=[known, known])
    shown = answer(form, [known], propose, tokens=5, truncated=False)
    assert shown.sentence == (
        "Propose cs.LG (Machine Learning) in place of hep-lat: its probability is 30.0\u00a0%."
    )
    assert shown.cross_lists == (
        "Suggest a cross-list to cs.LG (30.0\u00a0%) and cs.LG (30.0\u00a0%)."
    )
    assert shown.truncated == ""
    shown = answer(Form("T", "A"), [known], propose, tokens=5, truncated=False)
    assert shown.sentence.startswith("Propose cs.LG (Machine Learning) as the primary")


def test_sentences_are_marked_where_they_stand() -> None:
    one = Explained(
        category="cs.LG",
        name="",
        probability=0.5,
        assigned=True,
        threshold=0.4,
        contributions=[0.05, 2.0, -0.6],
    )
    spans = [
        Span(field="title", start=0, end=1),
        Span(field="abstract", start=1, end=5),
        Span(field="abstract", start=6, end=8),
    ]
    form = Form(title="🧮", abstract=" Aaa. B. ")
    accept = Decision(verdict="accept", primary=one, cross_lists=[])
    shown = answer(form, [one], accept, tokens=1, truncated=False, spans=spans, explained=[one])
    why = shown.categories[0].why
    assert why is not None
    assert [piece[:3] for piece in why.title] == [("🧮", "", "")]
    assert [tuple(piece) for piece in why.abstract] == [
        (" ", "", "", ""),
        ("Aaa.", "for", "strongly", "+2.0"),
        (" ", "", "", ""),
        ("B.", "against", "clearly", "−0.6"),
        (" ", "", "", ""),
    ]
    assert [tuple(reason) for reason in why.reasons] == [
        ("for", "+2.0", "Speaks strongly for cs.LG", "Aaa."),
        ("against", "−0.6", "Speaks clearly against cs.LG", "B."),
    ]


@pytest.mark.parametrize(
    ("probability", "written"),
    [(0, "< 0.1 %"), (0.0005, "0.1 %"), (0.1234, "12.3 %"), (0.5, "50.0 %"), (1, "> 99.9 %")],
)
def test_a_probability_is_never_a_certainty(probability: float, written: str) -> None:
    assert percent(probability).replace("\u00a0", " ") == written
