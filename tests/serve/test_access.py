"""Numbers of requests, and their lines in the log."""

from __future__ import annotations

import logging

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from fastapi.testclient import TestClient
from serve.stand_in import Fake

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "arxiv_core.serve.access"]


def test_a_callers_number_comes_back_and_a_strange_one_does_not(client: TestClient) -> None:
    answer = client.post("/classify", json=PAPER, headers={"X-Request-ID": "moderator-7:1.2"})
    assert answer.headers["x-request-id"] == "moderator-7:1.2"
    for strange in ("a b", "x" * 129, 'a"b', ""):
        answer = client.get("/health", headers={"X-Request-ID": strange})
        assert answer.headers["x-request-id"] not in {strange, ""}
    numbers = {client.get("/health").headers["x-request-id"] for _ in range(9)}
    assert len(numbers) == 9


def test_a_request_is_one_line_without_its_paper(
    client: TestClient, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="arxiv_core.serve.access")
    client.post("/classify", json=PAPER, headers={"X-Request-ID": "one"})
    client.get("/nothing")
    fake.error = RuntimeError("the secret inside")
    client.post("/classify", json=PAPER)
    first, second, third = lines(caplog)
    assert first.getMessage() == "POST /classify 200"
    assert (vars(first)["request_id"], vars(first)["status"]) == ("one", 200)
    assert 0 < vars(first)["seconds"] < 60
    assert "ring" not in str(vars(first)).lower().replace("string", "")
    assert (vars(second)["status"], vars(third)["status"]) == (404, 500)


def test_a_trace_is_named_as_the_cloud_finds_it(
    fake: Fake, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arxiv_core.serve import create_app

    caplog.set_level(logging.INFO, logger="arxiv_core.serve.access")
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    TestClient(create_app(fake)).get("/health", headers={"traceparent": PARENT})
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "papers")
    TestClient(create_app(fake)).get("/health", headers={"traceparent": PARENT})
    unsampled = PARENT.removesuffix("01") + "02"
    TestClient(create_app(fake)).get("/health", headers={"traceparent": unsampled})
    TestClient(create_app(fake)).get("/health", headers={"traceparent": "00-zz-00"})
    plain, cloud, unrecorded, strange = map(vars, lines(caplog))
    assert plain["trace"] == TRACE
    assert cloud["logging.googleapis.com/trace"] == f"projects/papers/traces/{TRACE}"
    assert cloud["logging.googleapis.com/spanId"] == "00f067aa0ba902b7"
    assert cloud["logging.googleapis.com/trace_sampled"] is True
    assert unrecorded["logging.googleapis.com/trace_sampled"] is False
    assert not {name for name in strange if "trace" in name}


@pytest.mark.parametrize("path", ["/health", "/nothing", "/v1/classify"])
def test_browsers_are_told_what_not_to_do(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_failure_nobody_foresaw_has_its_number_too(client: TestClient, fake: Fake) -> None:
    fake.error = RuntimeError("the secret inside")
    answer = client.post("/classify", json=PAPER, headers={"X-Request-ID": "seven"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "seven")
