"""The OpenAPI document says what holds, and is there for people too."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

import arxiv_core
from arxiv_core.serve import Keys, create_app
from arxiv_core.serve.explain import Questioned
from arxiv_core.serve.openai import EmbeddingsRequest
from arxiv_core.serve.schemas import Paper
from arxiv_core.serve.tei import EmbedRequest, PredictRequest
from arxiv_core.serve.v1 import Asked
from arxiv_core.serve.vertex import VertexRequest
from fastapi.testclient import TestClient
from pydantic import BaseModel
from serve.stand_in import Fake

PAPER = {"title": "Rings", "abstract": "Modules."}


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    every = [one for methods in document["paths"].values() for one in methods.values()]
    return {one["operationId"]: one for one in every}


def test_every_link_leads_to_a_route_and_to_fields_that_it_has(document: dict[str, Any]) -> None:
    known = operations(document)
    assert len(known) == sum(len(methods) for methods in document["paths"].values())
    links = [
        link for one in known.values() for link in one["responses"]["200"].get("links", {}).values()
    ]
    assert len(links) == 7
    for link in links:
        target = known[link["operationId"]]
        parameters = {one["name"] for one in target.get("parameters", [])}
        assert set(link.get("parameters", {})) <= parameters
        if "requestBody" in link:
            reference = target["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            body = document["components"]["schemas"][reference.rpartition("/")[2]]
            assert set(link["requestBody"]) <= set(body["properties"])


def test_a_link_followed_by_hand_is_answered(client: TestClient) -> None:
    [best, *_] = client.post("/classify", json=PAPER).json()
    declared = PAPER | {"primary": best["category"]}
    assert client.post("/classify", json=declared).status_code == 200
    explained = PAPER | {"categories": [best["category"]]}
    assert client.post("/v1/explain", json=explained).status_code == 200
    model = client.get("/v1/models").json()["data"][0]
    assert client.get(f"/v1/models/{model['id']}").json() == model


def test_the_categories_are_those_that_arxiv_has_under_every_name(
    document: dict[str, Any],
) -> None:
    names = set(document["components"]["schemas"]["ArxivCategory"]["enum"])
    assert {"cs.LG", "math.IT", "cmp-lg"} <= names
    # Archives are none.
    assert not {"cs", "astro-ph"} & names
    assert all(arxiv_core._core.canonical(name) for name in names)


@pytest.mark.parametrize(
    "body",
    [Paper, Asked, Questioned, EmbedRequest, PredictRequest, EmbeddingsRequest, VertexRequest],
)
def test_the_examples_fit(body: type[BaseModel], document: dict[str, Any]) -> None:
    examples = document["components"]["schemas"][body.__name__]["examples"]
    assert examples
    for example in examples:
        body.model_validate(example)


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_k": "5"},
        {"top_k": True},
        {"top_k": 5.5},
        {"all": "true"},
        {"limits": {"keep": "0.5"}},
        {"thresholds": {"cs.LG": "0.5"}},
    ],
)
def test_no_string_is_taken_for_a_number(client: TestClient, wrong: dict[str, Any]) -> None:
    answer = client.post("/v1/classify", json={"papers": [PAPER]} | wrong)
    assert answer.status_code == 422
    [field] = wrong
    assert field in answer.json()["error"]["message"]


def test_a_whole_number_may_have_a_point(client: TestClient) -> None:
    answer = client.post("/v1/classify", json={"papers": [PAPER], "top_k": 2.0})
    assert len(answer.json()["papers"][0]["categories"]) == 2


def test_keys_are_declared_where_they_are_set(fake: Fake, document: dict[str, Any]) -> None:
    assert "security" not in document
    key = "k" * 20
    client = TestClient(create_app(fake, keys=Keys([key])), headers={"X-API-Key": key})
    locked = client.get("/openapi.json").json()
    schemes = locked["components"]["securitySchemes"]
    assert {one["type"] for one in schemes.values()} == {"apiKey", "http"}
    assert locked["security"] == [{name: []} for name in schemes]
    open_ones = {name for name, one in operations(locked).items() if one.get("security") == []}
    assert open_ones == {"health", "ready"}
    for name in operations(locked).keys() - open_ones:
        assert "401" in operations(locked)[name]["responses"]
    assert "X-API-Key" in client.get("/docs").text


def test_people_read_it_without_script_and_from_here_alone(
    client: TestClient, document: dict[str, Any]
) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    page = answer.text
    assert "<script" not in page
    assets = re.findall(r'<link [^>]*href="([^"]*)"', page)
    assert assets
    for asset in assets:
        assert client.get(f"/{asset}").status_code == 200
    for path in document["paths"]:
        assert f" {path}</a>" in page
    targets = set(re.findall(r'href="#([^"]*)"', page))
    assert set(operations(document)) | set(document["components"]["schemas"]) >= targets
    assert targets <= set(re.findall(r' id="([^"]*)"', page))
    assert client.get("/redoc").status_code == 404
