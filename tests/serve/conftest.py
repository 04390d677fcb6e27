"""The service around a classifier that needs no model, and as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import Classifier
from arxiv_core.serve import create_app
from fastapi.testclient import TestClient
from serve.process import free_port, serve, wait_until_it_answers
from serve.stand_in import Fake

if TYPE_CHECKING:
    from conftest import SampleRun


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def client(fake: Fake) -> TestClient:
    return TestClient(create_app(fake, max_body=2000, timeout=3), raise_server_exceptions=False)


@pytest.fixture(scope="session")
def classifier(sample_run: SampleRun) -> Classifier:
    """The model that `served` serves."""
    return Classifier.load(sample_run.package)


@pytest.fixture(scope="session")
def served(sample_run: SampleRun) -> Iterator[str]:
    """The address of a service that runs as Vertex AI would have it, for many clients."""
    port = free_port()
    process = serve(
        "--model",
        str(sample_run.package),
        AIP_HTTP_PORT=str(port),
        AIP_PREDICT_ROUTE="/aip/predict",
        AIP_HEALTH_ROUTE="/aip/health",
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(process, url)
        yield url
    finally:
        process.terminate()
        process.end()


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep clients from a proxy, from their maker, and from the developer's own keys."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
