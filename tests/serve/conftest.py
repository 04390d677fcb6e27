"""The service around a classifier that needs no model."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.serve import create_app
from fastapi.testclient import TestClient
from serve.stand_in import Fake


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def client(fake: Fake) -> TestClient:
    return TestClient(create_app(fake, max_body=2000, timeout=3), raise_server_exceptions=False)
