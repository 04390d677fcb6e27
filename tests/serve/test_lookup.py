"""Papers looked up by their arXiv identifier, from a stand-in for arXiv's interface."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import OverloadedError
from arxiv_core.serve import create_app
from arxiv_core.serve.page import lookup
from arxiv_core.serve.page.lookup import AT_ONCE, Lookup
from arxiv_core.serve.page.words import PROBLEMS, WORDS
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
    """Answers every query with `answer`, once the gate is open, and keeps what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.answer = 200, FEED.format(ENTRY).encode()
        self.location = ""
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()


class Handler(BaseHTTPRequestHandler):
    server: Arxiv

    def do_GET(self) -> None:
        if self.server.location and self.path.startswith("/api/"):
            self.send_response(302)
            self.send_header("Location", self.server.location)
            self.end_headers()
            return
        self.server.asked += parse_qs(urlsplit(self.path).query)["id_list"]
        self.server.gate.wait(30)
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
        server.gate.set()
        server.shutdown()
        thread.join()


class Trickle:
    """Sends what an answer begins with, and then a byte at a time until the other side has gone."""

    def __init__(self, begun: bytes) -> None:
        self.begun = begun
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.gone = threading.Event()
        self.thread = threading.Thread(target=self.run)

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port

    def run(self) -> None:
        connection, _ = self.listening.accept()
        with connection:
            try:
                connection.sendall(self.begun)
                for _ in range(2000):
                    connection.sendall(b" ")
                    self.gone.wait(0.01)
            except OSError:
                self.gone.set()


@pytest.fixture
def trickle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], Trickle]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running: list[Trickle] = []

    def start(begun: bytes) -> Trickle:
        running.append(Trickle(begun))
        running[-1].thread.start()
        return running[-1]

    yield start
    for one in running:
        one.thread.join()
        one.listening.close()


def ask(port: int, fake: Fake, timeout: float | None = None, **fields: str) -> Any:
    app = create_app(fake, arxiv_lookup=f"http://127.0.0.1:{port}/api/query", timeout=timeout)
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
    # Sent again, the form says what stands in it now.
    assert 'name="identifier" value=""' in answer.text


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


def test_a_redirection_is_followed(arxiv: Arxiv) -> None:
    arxiv.location = f"http://127.0.0.1:{arxiv.server_port}/new?id_list=2101.00001"
    answer = ask(arxiv.server_port, Fake(), identifier="2101.00001")
    assert answer.status_code == 200
    assert arxiv.asked == ["2101.00001"]


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_a_redirection_leads_nowhere_but_to_the_web(arxiv: Arxiv, location: str) -> None:
    arxiv.location = location
    answer = ask(arxiv.server_port, Fake(), identifier="2101.00001")
    assert answer.status_code == 502


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow:",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    ],
    ids=["status", "head", "body", "redirection", "chunk"],
)
@pytest.mark.parametrize(("timeout", "patience"), [(0.2, 10), (None, 0.2)])
def test_one_that_answers_byte_by_byte_has_no_more_than_its_time(
    trickle: Callable[[bytes], Trickle],
    monkeypatch: pytest.MonkeyPatch,
    begun: bytes,
    timeout: float | None,
    patience: float,
) -> None:
    monkeypatch.setattr(lookup, "PATIENCE", patience)
    before = set(threading.enumerate())
    slow = trickle(begun)
    fake = Fake()
    answer = ask(slow.port, fake, timeout, identifier="2101.00001")
    assert answer.status_code == 504
    assert "arXiv did not answer in time" in answer.text
    assert PROBLEMS["504"][1] in answer.text
    assert 'value="2101.00001"' in answer.text
    assert not fake.seen
    # It is the thread that hangs up.
    assert slow.gone.wait(10)
    for thread in set(threading.enumerate()) - before - {slow.thread}:
        assert thread.daemon
        thread.join(10)
        assert not thread.is_alive()


def test_who_goes_away_is_not_waited_for(arxiv: Arxiv) -> None:
    arxiv.gate.clear()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
    }
    coming = [{"type": "http.request", "body": b"identifier=2101.00001", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop()
        while not arxiv.asked:
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    fake = Fake()
    address = f"http://127.0.0.1:{arxiv.server_port}/api/query"
    app = create_app(fake, arxiv_lookup=address)
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 20))
    assert not arxiv.gate.is_set()
    assert sent[0]["status"] == 499
    assert not fake.seen


def test_few_are_looked_up_at_once_and_who_goes_away_keeps_a_place(arxiv: Arxiv) -> None:
    async def run() -> None:
        look_up = Lookup(f"http://127.0.0.1:{arxiv.server_port}/api/query")
        arxiv.gate.clear()
        waiting = [asyncio.ensure_future(look_up("2101.00001")) for _ in range(AT_ONCE)]
        while len(arxiv.asked) < AT_ONCE:
            await asyncio.sleep(0)
        waiting.pop().cancel()
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match=f"{AT_ONCE} papers are being looked up"):
            await look_up("2101.00001")
        arxiv.gate.set()
        for found in await asyncio.gather(*waiting):
            assert found.primary == "math.AG"
        assert (await look_up("2101.00001")).primary == "math.AG"

    asyncio.run(run())


def test_one_more_is_told_to_come_back(arxiv: Arxiv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "AT_ONCE", 0)
    answer = ask(arxiv.server_port, Fake(), identifier="2101.00001")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "papers are being looked up at arXiv" in answer.text
    assert PROBLEMS["429"][0] in answer.text
    assert not arxiv.asked


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
