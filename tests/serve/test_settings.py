"""What the command makes of its settings: without Hydra, by variables, and as its help tells."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import arxiv_core.cli.serve
import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.cli import app
from arxiv_core.config.environment import PREFIX
from arxiv_core.config.schema import Serve
from arxiv_core.serve import create_app, server
from arxiv_core.serve.v1 import Limits
from fastapi.testclient import TestClient
from serve.stand_in import Fake
from typer.testing import CliRunner, Result


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server was started with; nothing is loaded and nothing listens."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(arxiv_core.cli.serve, "_load", lambda _: Fake())
    monkeypatch.setattr(server, "run", lambda _, **given: found.update(given))
    monkeypatch.delenv("ARXIV_CORE_CONFIG_DIR", raising=False)
    return found


@pytest.fixture
def without_hydra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.startswith("arxiv_core.config.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("hydra", "omegaconf", "yaml"):
        monkeypatch.setitem(sys.modules, name, None)


def serve(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(app, ["serve", *arguments], env=variables)


@pytest.mark.usefixtures("without_hydra")
def test_keys_of_the_service_need_no_hydra(started: dict[str, Any]) -> None:
    answer = serve("serve.max_body=2000", "serve.timeout=null", "serve.origins=[https://a.example]")
    assert answer.exit_code == 0, answer.output
    assert (started["max_body"], started["timeout"]) == (2000, None)
    assert started["origins"] == ["https://a.example"]


@pytest.mark.usefixtures("without_hydra")
def test_a_key_stands_before_a_variable_without_hydra_too(started: dict[str, Any]) -> None:
    variables = {f"{PREFIX}MAX_BODY": "3000", f"{PREFIX}DRAIN": "4"}
    assert serve("serve.max_body=2000", **variables).exit_code == 0
    assert (started["max_body"], started["drain"]) == (2000, 4)


@pytest.mark.usefixtures("started", "without_hydra")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["serve=public"], "serve=public"),
        (["serve.port=0", "data.source=a"], "data.source=a"),
        (["serve.capcity=64"], "serve.capcity=64"),
        (["serve.model=${run}"], "serve.model=${run}"),
        (["--from", "runs/first"], "--from runs/first"),
        (["--config-dir", "mine"], "--config-dir mine"),
    ],
)
def test_what_needs_hydra_says_so_in_a_sentence(arguments: list[str], named: str) -> None:
    answer = serve(*arguments)
    assert answer.exit_code == 1
    said = f"arxiv-core: arxiv-core serve {named} needs hydra, which is not installed: "
    assert answer.stderr.startswith(said)
    assert "'arxiv-core[pipeline]'" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.usefixtures("without_hydra")
@pytest.mark.parametrize("command", ["config", "prepare"])
def test_other_commands_say_so_too(command: str) -> None:
    answer = CliRunner().invoke(app, [command, "seed=1"])
    assert answer.exit_code == 1
    assert "needs hydra, which is not installed" in answer.stderr
    assert "[pipeline]" in answer.stderr


@pytest.mark.parametrize("hydra", [True, False])
def test_limits_of_a_decision_are_settings(started: dict[str, Any], hydra: bool) -> None:
    assert serve(*(["serve=public"] if hydra else [])).exit_code == 0
    assert started["limits"] == Limits()
    variables = {f"{PREFIX}LIMITS_PROPOSE": "0.7", f"{PREFIX}LIMITS_CROSS_LISTS": "5"}
    own = ["serve.limits_keep=0.6", "serve.limits_cross_lists=0"]
    answer = serve(*own, *(["serve=public"] if hydra else []), **variables)
    assert answer.exit_code == 0, answer.output
    assert started["limits"] == Limits(keep=0.6, propose=0.7, cross_list=0.57, cross_lists=0)


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("limits_keep=1.5", "serve.limits_keep = 1.5: must be a probability, from 0 to 1"),
        ("limits_propose=-0.1", "serve.limits_propose = -0.1: must be a probability"),
        ("limits_cross_lists=21", "serve.limits_cross_lists = 21: from 0 to 20"),
        ("limits_cross_lists=-1", "serve.limits_cross_lists = -1: from 0 to 20"),
    ],
)
def test_a_limit_that_cannot_be_is_named_at_the_start(setting: str, said: str) -> None:
    key, _, value = setting.partition("=")
    for answer in (serve(f"serve.{setting}"), serve(**{PREFIX + key.upper(): value})):
        assert answer.exit_code == 2
        assert said in answer.stderr


SURE = Limits(keep=0.95, propose=0.96)
"""The stand-in's best category has .9."""

PAPER = {"title": "Rings", "abstract": "Each ring is a module.", "primary": "math.AC"}

ABSTAINS = "The model abstains: it is not sure enough of math.AC"


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(Fake(), limits=SURE))


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ({}, "abstain"),
        ({"limits": {}}, "abstain"),
        ({"limits": {"propose": 0.2, "cross_lists": 1}}, "abstain"),
        ({"limits": {"keep": 0.5}}, "accept"),
    ],
)
def test_a_limit_of_the_service_holds_where_a_request_gives_none(
    client: TestClient, asked: dict[str, Any], verdict: str
) -> None:
    [own] = client.post("/v1/classify", json={"papers": [PAPER], **asked}).json()["papers"]
    body = {"instances": [PAPER], "parameters": asked}
    [vertex] = client.post("/vertex", json=body).json()["predictions"]
    assert own["decision"]["verdict"] == vertex["decision"]["verdict"] == verdict


def test_limits_of_the_service_hold_on_the_page_and_where_vertex_says_nothing(
    client: TestClient,
) -> None:
    assert ABSTAINS in client.post("/", data=PAPER).text
    assert ABSTAINS not in TestClient(create_app(Fake())).post("/", data=PAPER).text
    [found] = client.post("/vertex", json={"instances": [PAPER]}).json()["predictions"]
    assert found["decision"]["verdict"] == "abstain"


def test_the_document_tells_the_limits_of_the_service(client: TestClient) -> None:
    told = client.get("/openapi.json").json()["components"]["schemas"]["Limits"]["properties"]
    assert {key: one["default"] for key, one in told.items()} == SURE.model_dump()
    usual = TestClient(create_app(Fake())).get("/openapi.json").json()
    told = usual["components"]["schemas"]["Limits"]["properties"]
    assert {key: one["default"] for key, one in told.items()} == Limits().model_dump()


def test_the_settings_are_what_a_request_that_says_nothing_gets() -> None:
    usual = {f"limits_{key}": value for key, value in Limits().model_dump().items()}
    assert {key: value for key, value in asdict(Serve()).items() if key in usual} == usual


def test_help_names_every_variable_that_the_service_reads() -> None:
    told = serve("--help").output
    room = Path(server.__file__).parent
    sources = "".join(file.read_text(encoding="utf-8") for file in room.rglob("*.py"))
    read = set(re.findall(r"\b(?:AIP|OTEL|GOOGLE|ARXIV_CORE)_[A-Z_]+\b", sources))
    assert {"AIP_HEALTH_ROUTE", "OTEL_SERVICE_NAME", "GOOGLE_CLOUD_PROJECT"} <= read
    assert [name for name in sorted(read) if f"\n  {name}\n      " not in told] == []
    assert f"serve.limits_keep=0.5   {PREFIX}LIMITS_KEEP\n" in told
