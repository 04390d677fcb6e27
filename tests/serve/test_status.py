"""``/status``, as arXiv's own classifier service has it."""

from __future__ import annotations

import subprocess

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import DeadlineError, OverloadedError, StoppingError
from fastapi.testclient import TestClient
from serve.stand_in import Fake


def test_it_says_ok_once_a_paper_has_been_classified(client: TestClient, fake: Fake) -> None:
    answer = client.get("/status")
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert len(fake.seen) == 1
    head = client.head("/status")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (StoppingError("the engine is stopping"), 503, "DOWN: the engine is stopping"),
        (DeadlineError("not answered in time"), 504, "DOWN: not answered in time"),
        (RuntimeError("the secret inside"), 500, "DOWN: internal error"),
    ],
)
def test_it_is_down_where_a_paper_cannot_be_classified(
    client: TestClient, fake: Fake, error: Exception, status: int, said: str
) -> None:
    fake.error = error
    answer = client.get("/status")
    assert (answer.status_code, answer.json()) == (status, {"message": said})


def test_busy_is_not_down(client: TestClient, fake: Fake) -> None:
    fake.error = OverloadedError("512 requests are under way")
    answer = client.get("/status")
    assert (answer.status_code, answer.content) == (200, b"OK")


def test_curl_reads_it(served: str) -> None:
    command = ["curl", "--noproxy", "*", "-sSf", f"{served}/status"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "OK"
