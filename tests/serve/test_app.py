"""The service's contract, against a classifier that needs no model."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import anyio
import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import DeadlineError, OverloadedError, StoppingError
from arxiv_core.serve import create_app
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from serve.stand_in import Fake

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}


def test_the_answer_is_a_flat_list_of_five(client: TestClient, fake: Fake) -> None:
    answer = client.post("/classify", json=PAPER)
    assert answer.status_code == 200
    assert [one["category"] for one in answer.json()] == fake.names[:5]
    assert fake.timeouts == {3}
    assert all(set(one) == {"category", "probability"} for one in answer.json())


def test_the_declared_primary_is_always_there(client: TestClient) -> None:
    for primary, count in (("math.AG", 5), ("hep-th", 6)):
        answer = client.post("/classify", json=PAPER | {"primary": primary}).json()
        assert len(answer) == count
        assert primary in {one["category"] for one in answer}


def test_a_declared_alias_is_answered_by_the_name_it_was_declared_by(
    client: TestClient, fake: Fake
) -> None:
    fake.names = ["cs.SY", "cs.LG"]
    answer = client.post("/classify", json=PAPER | {"primary": "eess.SY"}).json()
    assert [one["category"] for one in answer] == ["eess.SY", "cs.LG"]
    answer = client.post("/classify", json=PAPER | {"primary": "cs.LG"}).json()
    assert [one["category"] for one in answer] == ["cs.SY", "cs.LG"]


def test_a_byte_order_mark_is_passed_over(client: TestClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(PAPER).encode()
    assert client.post("/classify", content=body).status_code == 200


def test_a_wrong_method_is_told_the_right_one(client: TestClient) -> None:
    answer = client.get("/classify")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/health", "/ready", "/status"])
def test_a_path_that_answers_head_too_says_that_get_is_allowed(
    client: TestClient, path: str
) -> None:
    assert "GET" in client.delete(path).headers["allow"]


def test_an_unknown_primary_is_refused_by_name(client: TestClient) -> None:
    answer = client.post("/classify", json=PAPER | {"primary": "cs.XX"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"message"}
    assert answer.json()["message"] == "primary: 'cs.XX' is not a category of arXiv"


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": "application/x-www-form-urlencoded"}, {"content-type": "text/plain"}],
)
def test_the_content_type_does_not_matter(client: TestClient, headers: dict[str, str]) -> None:
    body = b'{"title": "Rings", "abstract": "Modules."}'
    assert client.post("/classify", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 500, 400, "not JSON"),
        (b"[]", 422, "object"),
        (b"{}", 422, "title"),
        (b'{"title": "Rings"}', 422, "abstract"),
        (b'{"title": 1, "abstract": ""}', 422, "title"),
        (b'{"title": null, "abstract": ""}', 422, "title"),
        (b'{"title": "", "abstract": "", "primary": 3}', 422, "primary"),
        (b'{"title": "", "abstract": "' + b"x" * 2000 + b'"}', 413, "2000 bytes"),
    ],
)
def test_a_body_that_does_not_fit_is_named(
    client: TestClient, fake: Fake, body: bytes, status: int, said: str
) -> None:
    answer = client.post("/classify", content=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"message"}
    assert said in answer.json()["message"]
    assert not fake.seen


def test_a_body_without_a_length_has_the_same_limit(client: TestClient) -> None:
    assert client.post("/classify", content=iter([b"x" * 999] * 3)).status_code == 413


def test_a_lone_surrogate_is_refused_and_any_other_text_arrives(
    client: TestClient, fake: Fake
) -> None:
    for text in ("ünïcödé", "数学", "\u0000", "🧮", "\\alpha", "\u202e"):
        assert client.post("/classify", json=PAPER | {"title": text}).status_code == 200
        assert fake.seen[-1]["title"] == text
    lone = client.post("/classify", content=b'{"title": "\\ud800", "abstract": ""}')
    assert lone.status_code in {400, 422}
    assert set(lone.json()) == {"message"}


def test_other_errors_have_the_same_body_and_no_trace(client: TestClient, fake: Fake) -> None:
    for answer, status in (
        (client.get("/nothing"), 404),
        (client.get("/classify"), 405),
    ):
        assert answer.status_code == status
        assert set(answer.json()) == {"message"}
    fake.error = RuntimeError("the secret inside")
    answer = client.post("/classify", json=PAPER)
    assert (answer.status_code, answer.json()) == (500, {"message": "internal error"})


def test_health_and_info(client: TestClient, fake: Fake) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/info").json()["model"] == fake.info()


@pytest.mark.parametrize(
    ("error", "status", "later"),
    [
        (OverloadedError("512 requests are under way"), 429, "1"),
        (StoppingError("the engine is stopping"), 503, "5"),
        (DeadlineError("not answered in time"), 504, None),
    ],
)
def test_what_the_engine_refuses_has_a_status_of_its_own(
    client: TestClient, fake: Fake, error: Exception, status: int, later: str | None
) -> None:
    fake.error = error
    answer = client.post("/classify", json=PAPER)
    assert (answer.status_code, answer.json()) == (status, {"message": str(error)})
    assert answer.headers.get("retry-after") == later


def test_the_service_drains_before_it_ends(fake: Fake) -> None:
    app = create_app(fake, drain=7)
    with TestClient(app):
        assert not fake.drained
    [drained] = fake.drained
    assert 0 < drained < 7


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_is_asked_for_by_head_too(client: TestClient, path: str) -> None:
    for running in (contextlib.nullcontext(), client):
        with running:
            got, head = client.get(path), client.head(path)
            assert head.status_code == got.status_code
            assert head.headers["content-type"] == got.headers["content-type"]


def test_it_is_ready_once_a_paper_has_been_classified(client: TestClient, fake: Fake) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "starting"})
    with client:
        assert fake.seen
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})


@pytest.mark.parametrize("kind", ["application/openmetrics-text", "text/plain"])
def test_metrics_in_a_version_that_is_no_number_come_in_the_default_one(
    client: TestClient, kind: str
) -> None:
    answer = client.get("/metrics", headers={"Accept": f"{kind}; version=1.x"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == client.get("/metrics").headers["content-type"]


def test_the_metrics_are_prometheus_own(client: TestClient, fake: Fake) -> None:
    client.post("/classify", json=PAPER)
    client.post("/classify", content=b"{")
    client.request("BREW", "/classify")
    client.get("/a/path/of/a/strangers")
    client.post("/v1/classify", json={"papers": [PAPER]})
    client.post("/embed", json={"inputs": "Rings"})
    client.get("/page/page.css")
    client.get("/v1/classify")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    def requests(method: str, route: str, status: str) -> float:
        labels = (("method", method), ("route", route), ("status", status))
        return values["arxiv_core_http_requests_total", *labels]

    assert requests("POST", "/classify", "200") == 1
    assert requests("POST", "/classify", "400") == 1
    assert requests("other", "/classify", "405") == 1
    assert requests("GET", "other", "404") == 1
    assert requests("POST", "/v1/classify", "200") == 1
    assert requests("GET", "/v1/classify", "405") == 1
    assert requests("POST", "/embed", "200") == 1
    assert requests("GET", "/page/{name}", "200") == 1
    assert values[("arxiv_core_queue_depth",)] == 3
    assert values["arxiv_core_engine_requests_total", ("end", "late")] == 2
    assigned = {
        dict(labels)["category"]: value
        for (name, *labels), value in values.items()
        if name == "arxiv_core_assigned_total"
    }
    # A paper by each of the two routes.
    assert assigned == dict.fromkeys(fake.names[:2], 2)
    bucket = "arxiv_core_wait_seconds_bucket"
    assert values[bucket, ("le", "0.2")] == 3
    assert values[bucket, ("le", "+Inf")] == values[("arxiv_core_wait_seconds_count",)] == 6
    assert values[("arxiv_core_wait_seconds_sum",)] == 4.5
    [model] = [key for key in values if key[0] == "arxiv_core_model_info"]
    assert ("sha256", "0123") in model
    assert ("process_resident_memory_bytes",) in values


def test_the_schema_describes_the_body(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/classify"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = client.get("/openapi.json").json()["components"]["schemas"][
        schema["$ref"].split("/")[-1]
    ]
    assert set(body["properties"]) == {"title", "abstract", "primary"}
    assert {"200", "400", "413", "422", "429", "503", "504"} <= set(operation["responses"])


def test_a_client_that_hangs_up_while_sending_is_no_failure_of_ours(
    fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(fake, max_body=2000)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/classify",
        "raw_path": b"/classify",
        "query_string": b"",
        "headers": [],
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
    }
    coming = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        await app(scope, receive, send)

    anyio.run(ask)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert not sent or sent[0]["status"] == 400
