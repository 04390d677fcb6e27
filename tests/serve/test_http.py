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
