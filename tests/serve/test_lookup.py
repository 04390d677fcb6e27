"""Papers looked up by their arXiv identifier, from a stand-in for arXiv's interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.serve import create_app
from arxiv_core.serve.page.words import WORDS
from fastapi.testclient import TestClient
from serve.stand_in import Fake

# As https://export.arxiv.org/api/query answers, shortened.
FEED = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
<title>arXiv Query</title>{}</feed>"""
ENTRY = """<entry><id>http://arxiv.org/abs/2101.00001v1</id>
<title>Rings &lt;b&gt;and
  modules</title><summary>  Each ring is
a module.
</summary><arxiv:primary_category term="math.AG"/></entry>"""
ERROR = """<entry><title>Error</title><summary>incorrect id format</summary></entry>"""


class Arxiv(ThreadingHTTPServer):
    """Answers every query with `answer` and keeps what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.answer = 200, FEED.format(ENTRY).encode()
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Arxiv

    def do_GET(self) -> None:
        self.server.asked += parse_qs(urlsplit(self.path).query)["id_list"]
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def arxiv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arxiv]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Arxiv() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(port: int, fake: Fake, **fields: str) -> Any:
    app = create_app(fake, arxiv_lookup=f"http://127.0.0.1:{port}/api/query")
    return TestClient(app).post("/", data=fields)


@pytest.mark.parametrize(
    ("identifier", "asked"),
    [
        ("2101.00001", "2101.00001"),
        (" arXiv:2101.00001v2 ", "2101.00001v2"),
        ("https://arxiv.org/abs/2101.00001", "2101.00001"),
        ("http://arxiv.org/pdf/2101.00001v1.pdf", "2101.00001v1"),
        ("math.AG/0101001", "math.AG/0101001"),
        ("hep-th/9901001", "hep-th/9901001"),
    ],
)
def test_a_paper_is_looked_up_and_classified(arxiv: Arxiv, identifier: str, asked: str) -> None:
    fake = Fake()
    answer = ask(arxiv.server_port, fake, identifier=identifier)
    assert answer.status_code == 200
    assert arxiv.asked == [asked]
    assert fake.seen[0] == {
        "title": "Rings <b>and modules",
        "abstract": "Each ring is a module.",
        "primary": "math.AG",
    }
    assert "Rings &lt;b&gt;and modules" in answer.text


def test_who_declares_another_primary_keeps_it(arxiv: Arxiv) -> None:
    fake = Fake()
    ask(arxiv.server_port, fake, identifier="2101.00001", primary="math.AC")
    assert fake.seen[0]["primary"] == "math.AC"


@pytest.mark.parametrize("identifier", ["rings", "2101.1", "2101.00001&x=1", "../etc", "1" * 99])
def test_what_is_no_identifier_is_never_asked_for(arxiv: Arxiv, identifier: str) -> None:
    fake = Fake()
    answer = ask(arxiv.server_port, fake, identifier=identifier)
    assert answer.status_code == 422
    assert "is not an arXiv identifier" in answer.text
    assert not arxiv.asked
    assert not fake.seen


@pytest.mark.parametrize(
    ("status", "content", "expected", "said"),
    [
        (200, FEED.format(""), 404, "arXiv has no paper 2101.00001"),
        (200, FEED.format(ERROR), 404, "arXiv has no paper 2101.00001"),
        (400, FEED.format(ERROR), 404, "arXiv has no paper 2101.00001"),
        (503, "", 502, "arXiv answers with status 503"),
        (200, "no feed", 502, "arXiv cannot be asked"),
        (200, " " * 1_100_000, 502, "larger than 1048576 bytes"),
    ],
)
def test_what_arxiv_does_not_have_or_say_is_told(
    arxiv: Arxiv, status: int, content: str, expected: int, said: str
) -> None:
    arxiv.status, arxiv.answer = status, content.encode()
    answer = ask(arxiv.server_port, Fake(), identifier="2101.00001")
    assert answer.status_code == expected
    assert said in answer.text


def test_without_network_it_says_so() -> None:
    with socket.socket() as taken:
        # Bound and not listening: every connection is refused.
        taken.bind(("127.0.0.1", 0))
        answer = ask(taken.getsockname()[1], Fake(), identifier="2101.00001")
    assert answer.status_code == 502
    assert "arXiv cannot be asked" in answer.text


def test_it_is_off_unless_it_is_configured(client: TestClient, fake: Fake) -> None:
    page = client.get("/").text
    assert 'name="identifier"' not in page
    assert WORDS["no_lookup"] in page
    answer = client.post("/", data={"identifier": "2101.00001"})
    assert answer.status_code == 422
    assert WORDS["no_lookup"] in answer.text
    assert not fake.seen
