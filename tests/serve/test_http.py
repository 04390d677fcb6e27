"""The service as it is deployed: a process of its own, spoken to over a socket."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Command, SampleRun

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from serve.process import OPENER, ask, free_port, serve, serving, start, wait_until_it_answers

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself. " * 5}


@pytest.fixture(scope="module")
def service(sample_run: SampleRun) -> Iterator[str]:
    with serving("--model", str(sample_run.package)) as url:
        yield url


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
    body = json.dumps({"title": "Long", "abstract": "module " * 4000}).encode()
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
        process.end()


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
    output = process.end()
    assert process.returncode == 0, output
    assert 200 in ended
    assert set(ended) <= {200, 503, None}
    assert "Traceback" not in output


def test_a_body_that_never_ends_does_not_keep_the_process(sample_run: SampleRun) -> None:
    port = free_port()
    process = serve("--model", str(sample_run.package), "--port", str(port), "serve.drain=1")
    wait_until_it_answers(process, f"http://127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        # Its head has been read once another connection is answered.
        assert ask(f"http://127.0.0.1:{port}/health")[0] == 200
        process.send_signal(signal.SIGTERM)
        output = process.end()
        answer = b"".join(iter(lambda: client.recv(4096), b"")).decode().lower()
    assert process.returncode == 0, output
    assert answer.startswith("http/1.1 503")
    assert "\r\nx-request-id: " in answer
    assert "\r\nx-content-type-options: nosniff" in answer
    assert '{"message":' in answer
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
    output = process.end()
    assert process.returncode == code, output
    assert "Traceback" not in output


def test_another_model_takes_over_and_no_request_is_lost(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    from arxiv_core.classifier import DEFAULT
    from arxiv_core.registry import Provenance
    from arxiv_core.registry.local import LocalRegistry

    registry = LocalRegistry(tmp_path / "registry")
    first, _ = registry.register(sample_run.package, "arxiv", Provenance())
    second, _ = registry.register(DEFAULT, "arxiv", Provenance())
    registry.move(first, "desk", "first")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = serve(
        "--model",
        "registry:arxiv@desk",
        ARXIV_CORE_REGISTRY=str(registry.place),
        ARXIV_CORE_SERVE_PORT=str(port),
        ARXIV_CORE_SERVE_WATCH="0.1",
    )
    stop = threading.Event()
    statuses: list[int] = []

    def keep_asking() -> None:
        while not stop.is_set():
            statuses.append(ask(f"{url}/classify", PAPER)[0])

    def model() -> str:
        return str(ask(f"{url}/info")[1]["model"]["sha256"])

    try:
        wait_until_it_answers(process, url)
        assert model() == first.content_hash
        with ThreadPoolExecutor(8) as pool:
            try:
                clients = [pool.submit(keep_asking) for _ in range(8)]
                registry.move(second, "desk", "second")
                until = time.monotonic() + 60
                while model() != second.content_hash:
                    assert time.monotonic() < until, "the old model still answers"
                asked = len(statuses)
                while len(statuses) < asked + 50:
                    assert time.monotonic() < until, "nothing is answered"
            finally:
                stop.set()
            for client in clients:
                client.result()
        assert set(statuses) == {200}
        answered = metrics(url)['arxiv_core_engine_requests_total{end="answered"}']
        # Each model answered a probe besides.
        assert answered == len(statuses) + 2
    finally:
        process.terminate()
        output = process.end()
    assert process.returncode == 0, output


def test_a_replaced_directory_is_read_again_at_a_signal(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    from arxiv_core.classifier import DEFAULT

    model = tmp_path / "model"
    shutil.copytree(sample_run.package, model)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = serve(
        "serve.watch=null", ARXIV_CORE_SERVE_MODEL=str(model), ARXIV_CORE_SERVE_PORT=str(port)
    )
    try:
        wait_until_it_answers(process, url)
        before = ask(f"{url}/info")[1]["model"]["sha256"]
        model.rename(tmp_path / "old")
        shutil.copytree(DEFAULT, model)
        process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 60
        while ask(f"{url}/info")[1]["model"]["sha256"] == before:
            assert time.monotonic() < until, "the old model still answers"
            time.sleep(0.05)
        assert ask(f"{url}/classify", PAPER)[0] == 200
    finally:
        process.terminate()
        process.end()


def test_settings_and_keys_come_from_the_environment(sample_run: SampleRun) -> None:
    port, key = free_port(), "a-key-of-the-first-desk"
    url = f"http://127.0.0.1:{port}"
    process = serve(
        ARXIV_CORE_SERVE_MODEL=str(sample_run.package),
        ARXIV_CORE_SERVE_PORT=str(port),
        ARXIV_CORE_SERVE_MAX_BODY="1000",
        ARXIV_CORE_SERVE_KEYS=f"another-key-of-the-desk,{key}",
    )
    try:
        wait_until_it_answers(process, url)
        assert ask(f"{url}/classify", PAPER)[0] == 401
        for size, status in ((10, 200), (1000, 413)):
            body = json.dumps(PAPER | {"abstract": "x" * size}).encode()
            asked = urllib.request.Request(
                f"{url}/classify", data=body, headers={"Authorization": f"Bearer {key}"}
            )
            try:
                with OPENER.open(asked, timeout=30) as answer:
                    assert answer.status == status
            except urllib.error.HTTPError as error:
                with error:
                    assert error.code == status
    finally:
        process.terminate()
        output = process.end()
    assert key not in output


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("ARXIV_CORE_SERVE_CAPACITY", "many", "not a whole number"),
        ("ARXIV_CORE_SERVE_CAPACITY", "0", "must be at least 1"),
        ("ARXIV_CORE_SERVE_PROT", "80", "did you mean ARXIV_CORE_SERVE_PORT?"),
        ("ARXIV_CORE_SERVE_KEYS", "", "no API key"),
        ("ARXIV_CORE_SERVE_KEYS_FILE", "/nowhere", "/nowhere: No such file"),
        ("ARXIV_CORE_SERVE_KEYS_FILE", "", "ARXIV_CORE_SERVE_KEYS_FILE is set and names no file"),
    ],
)
def test_a_variable_that_cannot_be_is_one_sentence(
    command: Command, variable: str, text: str, said: str
) -> None:
    run = command("serve", **{variable: text})
    assert run.returncode in {1, 2}
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_help_names_every_setting(command: Command) -> None:
    told = command("serve", "--help").stdout
    for name in ("serve.capacity=512", "ARXIV_CORE_SERVE_CAPACITY", "ARXIV_CORE_SERVE_KEYS"):
        assert name in told


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
        process.end()


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
        ("serve.watch=0", "serve.watch = 0.0: more than 0 seconds"),
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
