"""Vertex AI's contract with a container."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import Classifier, OptionError
from arxiv_core.serve import create_app
from fastapi.testclient import TestClient
from serve.process import ask
from serve.stand_in import Fake

if TYPE_CHECKING:
    from conftest import Command

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}


def test_a_prediction_is_what_v1_says_of_the_paper(client: TestClient, fake: Fake) -> None:
    papers = [PAPER | {"title": f"Paper {number}"} for number in range(9)]
    papers.append(PAPER | {"primary": "hep-th"})
    body = {"instances": papers, "parameters": {"top_k": 2}}
    answer = client.post("/vertex", json=body)
    assert answer.status_code == 200
    assert set(answer.json()) == {"predictions"}
    own = client.post("/v1/classify", json={"papers": papers, "top_k": 2}).json()["papers"]
    assert answer.json()["predictions"] == own
    assert [one["title"] for one in fake.seen[:10]] == [paper["title"] for paper in papers]


@pytest.mark.parametrize("parameters", [{}, {"parameters": None}, {"parameters": {}}])
def test_parameters_may_be_missing(client: TestClient, parameters: dict[str, Any]) -> None:
    answer = client.post("/vertex", json={"instances": [PAPER]} | parameters).json()
    assert len(answer["predictions"][0]["categories"]) == 5


def test_numbers_may_have_gone_through_protobuf(client: TestClient) -> None:
    body = {"instances": [PAPER], "parameters": {"top_k": 3.0}}
    answer = client.post("/vertex", json=body).json()
    assert len(answer["predictions"][0]["categories"]) == 3


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        ({}, 422, "invalid", "instances"),
        ({"instances": []}, 422, "invalid", "instances"),
        ({"instances": [PAPER] * 65}, 422, "invalid", "64"),
        ({"instances": [{"title": ""}]}, 422, "invalid", "instances.0.abstract"),
        ({"instances": [PAPER | {"x": 1}]}, 422, "invalid", "instances.0.x"),
        ({"instances": [PAPER], "parameters": {"topk": 1}}, 422, "invalid", "parameters.topk"),
        ({"instances": [PAPER], "parameters": {"top_k": 2.5}}, 422, "invalid", "top_k"),
        (
            {"instances": [PAPER, PAPER | {"primary": "cs.XX"}]},
            400,
            "bad_request",
            "instances.1.primary: 'cs.XX'",
        ),
    ],
)
def test_a_body_that_does_not_fit_is_named(
    fake: Fake, body: dict[str, Any], status: int, kind: str, said: str
) -> None:
    answer = TestClient(create_app(fake)).post("/vertex", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert said in answer.json()["error"]["message"]


def test_the_deployer_says_where_predictions_are_even_where_another_route_is(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/predict")
    client = TestClient(create_app(fake))
    assert client.post("/predict", json={"instances": [PAPER]}).status_code == 200
    assert client.post("/predict", json={}).json()["error"]["type"] == "invalid"
    assert client.post("/vertex", json={"instances": [PAPER]}).status_code == 404
    assert client.get("/openapi.json").status_code == 200


def test_vertex_is_healthy_where_and_when_the_service_is_ready(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/v1/endpoints/1/deployedModels/2"
    monkeypatch.setenv("AIP_HEALTH_ROUTE", path)
    client = TestClient(create_app(fake))
    assert client.get(path).status_code == 503
    with client:
        assert client.get(path).status_code == 200
    assert client.get(path).status_code == 503


@pytest.mark.parametrize("path", ["/health", "/ready", "/"])
def test_vertex_is_healthy_when_ready_even_where_another_route_is(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", path)
    client = TestClient(create_app(fake))
    assert (client.get(path).status_code, client.head(path).status_code) == (503, 503)
    with client:
        assert client.get(path).json() == {"status": "ready"}
    assert client.get(path).status_code == 503


@pytest.mark.parametrize("variable", ["AIP_PREDICT_ROUTE", "AIP_HEALTH_ROUTE"])
@pytest.mark.parametrize("value", ["predict", "/{predict}"])
def test_a_route_that_is_no_path_is_named(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(OptionError, match=variable):
        create_app(fake)


def test_a_route_that_is_no_path_is_named_before_the_model_is_looked_for(command: Command) -> None:
    run = command("serve", "--model", "nowhere", AIP_PREDICT_ROUTE="predict")
    assert run.returncode == 2
    assert "AIP_PREDICT_ROUTE" in run.stderr
    assert "nowhere" not in run.stderr


# From here on with a model, over a socket, on the port that AIP_HTTP_PORT named.


def test_curl_gets_the_classifiers_answer(served: str, classifier: Classifier) -> None:
    body = json.dumps({"instances": [PAPER], "parameters": {"top_k": 4}})
    command = ["curl", "--noproxy", "*", "-sSf", f"{served}/aip/predict", "-d", body]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    [answer] = json.loads(done.stdout)["predictions"]
    [prediction] = classifier.classify([PAPER], top_k=4)
    found = {one["category"]: one["probability"] for one in answer["categories"]}
    expected = {one.category: one.probability for one in prediction.categories}
    assert found == pytest.approx(expected, abs=1e-5)
    assert len(found) == 4
    assert answer["decision"]["verdict"] in {"propose", "abstain"}


def test_the_running_service_is_healthy_where_vertex_looks(served: str) -> None:
    assert ask(f"{served}/aip/health") == (200, {"status": "ready"})
    assert ask(f"{served}/vertex", {"instances": [PAPER]})[0] == 404
