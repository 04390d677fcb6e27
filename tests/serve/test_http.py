"""The service as it is deployed: a process of its own, spoken to over a socket."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Command, SampleRun

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself. " * 5}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that a developer's machine has would be asked for 127.0.0.1 too."""


def start(model: str, port: int) -> subprocess.Popen[str]:
    return serve("--port", str(port), "--model", model)


def serve(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "arxiv_core", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ask(url: str, body: object = None) -> tuple[int, Any]:
    """What curl does: without a body GET, with one POST and curl's default content type."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with OPENER.open(urllib.request.Request(url, data=data), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def wait_until_it_answers(process: subprocess.Popen[str], url: str) -> None:
    for _ in range(600):
        try:
            if ask(f"{url}/health")[0] == 200:
                return
        except OSError:
            pass
        if process.poll() is not None:
            pytest.fail(f"the service ended: {process.communicate()[0]}")
        time.sleep(0.1)
    pytest.fail("the service did not answer within a minute")


@pytest.fixture(scope="module")
def service(sample_run: SampleRun) -> Iterator[str]:
    port = free_port()
    process = start(str(sample_run.package), port)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(process, url)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_paper_is_classified(service: str) -> None:
    status, answer = ask(f"{service}/classify", PAPER)
    assert status == 200
    assert len(answer) == 5
    assert all(0 <= one["probability"] <= 1 for one in answer)


def test_the_declared_primary_is_part_of_the_answer(service: str) -> None:
    _, answer = ask(f"{service}/classify", PAPER | {"primary": "hep-lat"})
    assert "hep-lat" in {one["category"] for one in answer}


def test_the_answer_is_the_librarys(service: str, sample_run: SampleRun) -> None:
    from arxiv_core import Classifier

    [prediction] = Classifier.load(sample_run.package).classify([PAPER])
    _, answer = ask(f"{service}/classify", PAPER)
    assert [one["category"] for one in answer] == [c.category for c in prediction.categories]
    assert [one["probability"] for one in answer] == pytest.approx(
        [c.probability for c in prediction.categories], abs=1e-5
    )


def test_mistakes_are_answered_with_a_message(service: str) -> None:
    for body, status, said in (
        (PAPER | {"primary": "cs.XX"}, 400, "cs.XX"),
        (PAPER | {"primary": "astro-ph"}, 400, "astro-ph"),
        ({"title": "Rings"}, 422, "abstract"),
        (PAPER | {"abstract": "x" * 2_000_000}, 413, "larger"),
    ):
        got, answer = ask(f"{service}/classify", body)
        assert (got, set(answer)) == (status, {"message"})
        assert said in answer["message"]


def metrics(service: str) -> dict[str, float]:
    """Every metric by its name and labels as they are written."""
    with OPENER.open(f"{service}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_many_clients_get_the_answers_to_their_own_papers(
    service: str, sample_run: SampleRun
) -> None:
    from arxiv_core import Classifier

    papers = [PAPER | {"title": f"On {'rings ' * n}"} for n in range(40)]
    expected = Classifier.load(sample_run.package).classify(papers)
    before = metrics(service)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda paper: ask(f"{service}/classify", paper), papers))
    for (status, answer), prediction in zip(answers, expected, strict=True):
        assert status == 200
        assert [one["probability"] for one in answer] == pytest.approx(
            [one.probability for one in prediction.categories], abs=1e-5
        )
    after = metrics(service)

    def grown(name: str) -> float:
        return after[name] - before[name]

    assert grown('arxiv_core_engine_requests_total{end="answered"}') == 40
    assert grown("arxiv_core_batch_requests_sum") == 40
    assert grown("arxiv_core_batch_requests_count") < 40


def test_everything_is_known_about_many_papers(service: str) -> None:
    body = json.dumps({"papers": [PAPER, PAPER | {"primary": "math.RA"}], "top_k": None}).encode()
    request = urllib.request.Request(
        f"{service}/v1/classify", data=body, headers={"Content-Type": "application/json"}
    )
    with OPENER.open(request, timeout=30) as answer:
        first, second = json.load(answer)["papers"]
    assert first["categories"]
    assert first["tokens"] == second["tokens"] > 10
    assert "math.RA" in {one["category"] for one in second["categories"]}
    assert {first["decision"]["verdict"], second["decision"]["verdict"]} <= {
        "accept",
        "propose",
        "abstain",
    }


def test_a_client_that_hangs_up_takes_its_work_with_it(service: str) -> None:
    host, port = service.removeprefix("http://").split(":")
    cancelled = 'arxiv_core_engine_requests_total{end="cancelled"}'
    before = metrics(service)[cancelled]
    body = json.dumps({"title": "Long", "abstract": "module " * 5000}).encode()
    head = f"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    clients = [socket.create_connection((host, int(port))) for _ in range(60)]
    for client in clients:
        client.sendall(head.encode() + body)
    for client in clients:
        client.close()
    for _ in range(100):
        time.sleep(0.1)
        now = metrics(service)
        if now["arxiv_core_queue_depth"] == 0 and now[cancelled] > before:
            return
    pytest.fail("nothing was cancelled within ten seconds")


def test_it_is_ready(service: str) -> None:
    assert ask(f"{service}/ready") == (200, {"status": "ready"})


def test_more_than_may_be_under_way_is_refused_and_the_rest_answered(
    sample_run: SampleRun,
) -> None:
    port = free_port()
    process = serve(f"serve.model={sample_run.package}", f"serve.port={port}", "serve.capacity=2")
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(process, url)
        with ThreadPoolExecutor(40) as pool:
            asked = [pool.submit(ask, f"{url}/classify", PAPER) for _ in range(40)]
            answers = [one.result() for one in asked]
        assert {status for status, _ in answers} == {200, 429}
        refused = next(answer for status, answer in answers if status == 429)
        assert "2 requests are under way" in refused["message"]
        assert ask(f"{url}/classify", PAPER)[0] == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_who_asked_before_the_end_is_answered(sample_run: SampleRun) -> None:
    port = free_port()
    process = start(str(sample_run.package), port)
    url = f"http://127.0.0.1:{port}"
    wait_until_it_answers(process, url)
    with ThreadPoolExecutor(30) as pool:
        asked = [pool.submit(ask, f"{url}/classify", PAPER) for _ in range(30)]
        while metrics(url)["arxiv_core_queue_depth"] == 0 and not asked[-1].done():
            pass
        process.send_signal(signal.SIGTERM)
        ended = []
        for one in asked:
            try:
                ended.append(one.result()[0])
            except OSError:
                # Its connection had not been accepted yet.
                ended.append(None)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert 200 in ended
    assert set(ended) <= {200, 503, None}
    assert "Traceback" not in output


def test_info_says_which_model_answers(service: str) -> None:
    status, answer = ask(f"{service}/info")
    assert status == 200
    assert answer["model"]


def test_a_port_in_use_is_one_sentence(
    service: str, sample_run: SampleRun, command: Command
) -> None:
    port = service.rpartition(":")[2]
    run = command("serve", "--port", port, "--model", str(sample_run.package))
    assert run.returncode == 1
    assert port in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_cleanly(sample_run: SampleRun, sent: signal.Signals, code: int) -> None:
    port = free_port()
    process = start(str(sample_run.package), port)
    wait_until_it_answers(process, f"http://127.0.0.1:{port}")
    process.send_signal(sent)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == code, output
    assert "Traceback" not in output


def test_a_missing_model_ends_it_before_it_listens(command: Command) -> None:
    run = command("serve", "--model", "nowhere", "--port", "0")
    assert run.returncode == 1
    assert "nowhere" in run.stderr


def test_the_configuration_says_where_it_listens_and_a_flag_says_it_better(
    sample_run: SampleRun,
) -> None:
    port = free_port()
    configured = [f"serve.model={sample_run.package}", "serve.port=1", "serve=local"]
    process = serve(*configured, "--port", str(port))
    try:
        wait_until_it_answers(process, f"http://127.0.0.1:{port}")
        assert ask(f"http://127.0.0.1:{port}/info")[0] == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("serve.port=70000", "serve.port = 70000: from 0 to 65535"),
        ("serve.capacity=0", "serve.capacity = 0: must be at least 1"),
        ("serve.max_wait=-1", "serve.max_wait = -1.0: from 0 to 60"),
        ("serve.batch_tokens=0", "serve.batch_tokens = 0: must be at least 1"),
        ("serve.tokenizer_threads=0", "serve.tokenizer_threads = 0: must be at least 1"),
        ("serve.timeout=0", "serve.timeout = 0.0: more than 0 seconds"),
        ("serve.max_body=0", "serve.max_body = 0: must be at least 1 byte"),
        ("serve.drain=-1", "serve.drain = -1.0: at least 0 seconds"),
        (
            "serve.arxiv_lookup=arxiv.org",
            "serve.arxiv_lookup = arxiv.org: must be an address",
        ),
        ("serve.prot=80", "did you mean serve.port?"),
        ("serve.dtype=f64", "serve.dtype"),
    ],
)
def test_a_configuration_that_cannot_be_is_one_sentence(
    command: Command, override: str, said: str
) -> None:
    run = command("serve", override)
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr
