"""Promotion: the gate decides, and both its verdicts are recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core import ModelError, OptionError
from arxiv_core.registry import Provenance, Reference, RegistryError
from arxiv_core.registry.local import LocalRegistry
from arxiv_core.registry.promotion import promote
from arxiv_core.registry.quality import Evidence
from arxiv_core.registry.report import Bars

if TYPE_CHECKING:
    from registry.conftest import Make

TOO_SLOW = Bars(latency_limit=0.001)
EASY = Bars(latency_ratio=100)
ONLY_LATENCY = ("quality", "behaviour")


@pytest.fixture
def two(registry: LocalRegistry, make: Make) -> list[Any]:
    return [registry.register(make(of), "arxiv", Provenance())[0] for of in (1, 2)]


def test_a_passed_gate_moves_the_alias_and_is_recorded(
    registry: LocalRegistry, two: list[Any]
) -> None:
    report, move = promote(registry, two[0], without=["behaviour"], bars=EASY, device="cpu")
    assert [(one.name, one.passed) for one in report.checks] == [
        ("quality", True),
        ("latency", True),
    ]
    assert move.moved
    assert registry.find(Reference.parse("arxiv")).version == "v1"
    report, move = promote(
        registry, two[1], without=ONLY_LATENCY, bars=EASY, why="better", device="cpu"
    )
    assert (move.origin, move.target, move.why) == ("v1", "v2", "better")
    [_, recorded] = registry.history("arxiv")
    assert recorded.gate is not None
    assert recorded.gate["without"] == ["quality", "behaviour"]
    assert (recorded.gate["candidate"], recorded.gate["compared_with"]) == ("arxiv@v2", "arxiv@v1")
    [latency] = recorded.gate["checks"]
    assert latency["figures"]["ratio"] > 0
    assert json.loads(json.dumps(recorded.as_dict())) == recorded.as_dict()


def test_a_failed_gate_moves_nothing_and_is_recorded(
    registry: LocalRegistry, two: list[Any]
) -> None:
    promote(registry, two[0], without=ONLY_LATENCY, bars=EASY, device="cpu")
    report, move = promote(registry, two[1], without=ONLY_LATENCY, bars=TOO_SLOW, device="cpu")
    assert not report.passed
    assert not move.moved
    assert registry.find(Reference.parse("arxiv")).version == "v1"
    refused = registry.history("arxiv")[-1]
    assert (refused.moved, refused.target) == (False, "v2")
    assert refused.gate is not None
    assert not refused.gate["passed"]
    assert "above the limit" in refused.why


def test_quality_without_papers_is_no_reason_to_pass(
    registry: LocalRegistry, two: list[Any]
) -> None:
    promote(registry, two[0], without=ONLY_LATENCY, device="cpu")
    report, move = promote(
        registry, two[1], evidence=Evidence(), without=["behaviour"], bars=EASY, device="cpu"
    )
    assert not move.moved
    assert report.why_not.startswith("quality: no papers are given")


def test_a_version_that_is_there_already_is_said(registry: LocalRegistry, two: list[Any]) -> None:
    promote(registry, two[0], without=ONLY_LATENCY, device="cpu")
    with pytest.raises(RegistryError, match="is production already"):
        promote(registry, two[0], without=ONLY_LATENCY, device="cpu")


def test_a_damaged_model_in_place_can_be_replaced(registry: LocalRegistry, two: list[Any]) -> None:
    promote(registry, two[0], without=ONLY_LATENCY, device="cpu")
    directory = registry.directory(two[0])
    for path in (directory, directory / "manifest.json"):
        path.chmod(0o755)
    (directory / "manifest.json").write_text("{}")
    with pytest.raises(ModelError, match="arxiv@v1: damaged"):
        promote(registry, two[1], without=ONLY_LATENCY, device="cpu")
    _, move = promote(registry, two[1], without=[*ONLY_LATENCY, "latency"], device="cpu")
    assert move.moved
    assert move.gate is not None
    assert move.gate["compared_with"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"without": ["speed"]}, "without = speed: one of quality, latency, behaviour"),
        ({"bars": Bars(tolerance=-0.1)}, "tolerance = -0.1"),
        ({"bars": Bars(latency_ratio=float("nan"))}, "latency_ratio = nan"),
        ({"bars": Bars(level=1.0)}, "level = 1"),
    ],
)
def test_bars_that_cannot_be_are_refused(
    registry: LocalRegistry, two: list[Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        promote(registry, two[0], device="cpu", **options)
    assert registry.history("arxiv") == []


def test_what_looks_like_a_version_is_no_alias_to_promote_to(
    registry: LocalRegistry, two: list[Any]
) -> None:
    with pytest.raises(RegistryError, match="looks like a version"):
        promote(registry, two[0], "v2", device="cpu")
