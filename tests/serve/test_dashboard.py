"""The dashboard asks for metrics and labels that the service has."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

DEPLOY = Path(__file__).parents[2] / "deploy"

GIVEN_BY_PROMETHEUS = {"instance", "job"}


@pytest.fixture
def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((DEPLOY / "grafana/dashboards/service.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = dashboard["panels"]
    assert len(found) >= 10
    return found


@pytest.fixture
def exposed(client: TestClient) -> dict[str, set[str]]:
    """Every sample of /metrics by its name, with its labels."""
    assert client.post("/classify", json={"title": "Rings", "abstract": "Modules."}).is_success
    labels: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels[sample.name] |= set(sample.labels)
    return labels


def test_every_panel_asks_for_what_the_service_tells(
    panels: list[dict[str, Any]], exposed: dict[str, set[str]]
) -> None:
    for panel in panels:
        for target in panel["targets"]:
            expression = re.sub(r'"[^"]*"', '""', target["expr"])
            asked = re.findall(r"\b(?:arxiv_core|process)_\w+", expression)
            assert asked, panel["title"]
            assert [name for name in asked if name not in exposed] == [], panel["title"]
            matched = re.findall(r"(\w+)(?:=~|!~|!=|=)", expression)
            grouped = re.findall(r"\bby \(([^)]*)\)", expression)
            shown = re.findall(r"{{(\w+)}}", target["legendFormat"])
            wanted = {*matched, *shown, *re.findall(r"\w+", " ".join(grouped))}
            known = GIVEN_BY_PROMETHEUS.union(*(exposed[name] for name in asked))
            assert wanted <= known, panel["title"]


def test_a_route_that_a_panel_picks_is_one_of_the_services(
    panels: list[dict[str, Any]], client: TestClient
) -> None:
    paths = set(client.get("/openapi.json").json()["paths"])
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    picked = set(re.findall(r'route=~"([^"]*)"', " ".join(expressions)))
    assert picked
    for pattern in picked:
        assert {path for path in paths if re.fullmatch(pattern, path)} == {
            "/classify",
            "/v1/classify",
        }


def test_panels_ask_the_source_that_is_provided(panels: list[dict[str, Any]]) -> None:
    read = (DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8")
    [source] = yaml.safe_load(read)["datasources"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_panels_do_not_lie_over_each_other(panels: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
