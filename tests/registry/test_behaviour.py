"""Behavioural tests: the default model passes, and a model with a flaw fails where the flaw is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, _core, taxonomy
from arxiv_core.registry import behaviour
from arxiv_core.registry.report import Bars

Score = Callable[[str], dict[str, float]]

LABELS = ["cs.CL", "cs.CV", "math.NT", "quant-ph"]
WORDS = {"cs.CL": "translation", "cs.CV": "image", "math.NT": "number", "quant-ph": "quantum"}


class Stand:
    """A classifier whose probabilities are a function of the text."""

    def __init__(self, score: Score, labels: list[str] | None = None) -> None:
        self.labels = labels or LABELS
        self.thresholds = np.full(len(self.labels), 0.5, dtype=np.float32)
        self._score = score

    def scores(self, papers: list[dict[str, str]]) -> tuple[Any, Any]:
        rows = []
        for paper in papers:
            found = self._score(f"{paper['title']} {paper['abstract']}")
            rows.append([found.get(label, 0.0) for label in self.labels])
        return np.array(rows, dtype=np.float32), np.zeros(len(rows), dtype=bool)


def by_words(text: str) -> dict[str, float]:
    """Count a word for each category, whatever its case."""
    counts = {label: text.lower().count(word) for label, word in WORDS.items()}
    return {label: 1 - 0.5**count for label, count in counts.items()}


def found(score: Score, labels: list[str] | None = None) -> Any:
    return behaviour.check(Stand(score, labels), Bars())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def default() -> Any:
    return behaviour.check(Classifier.load(device="cpu"), Bars())


def test_the_default_model_behaves(default: Any) -> None:
    assert default.passed, default.failures
    assert default.figures["left_out"] == 0
    assert default.figures["invariance"] == 48
    assert default.figures["directional"] == 8
    assert default.figures["minimum_functionality"] == 12


def test_a_model_by_words_behaves() -> None:
    check = found(by_words)
    assert check.passed, check.failures
    assert check.figures["largest_change"] == 0
    assert check.figures["left_out"] > 0


def test_a_model_that_minds_case_fails_invariance() -> None:
    check = found(lambda text: by_words(text) if text != text.upper() else {"cs.CV": 0.9})
    assert not check.passed
    assert all("invariance: upper case of the paper" in one for one in check.failures)


def test_a_model_that_minds_markup_fails_invariance() -> None:
    check = found(lambda text: by_words(text) | ({"quant-ph": 0.9} if "\\emph" in text else {}))
    assert {one.split(" of the paper")[0] for one in check.failures} == {"invariance: LaTeX noise"}


def test_a_small_change_of_a_probability_is_tolerated() -> None:
    def score(text: str) -> dict[str, float]:
        return by_words(text) | {"math.NT": 0.49 if text == text.lower() else 0.52}

    failures = found(score).failures
    assert not any(one.startswith("invariance") for one in failures)
    strict = behaviour.check(Stand(score), Bars(probability_tolerance=0.01))  # type: ignore[arg-type]
    assert any(one.startswith("invariance: lower case") for one in strict.failures)


def test_a_model_that_a_sentence_does_not_move_fails() -> None:
    def score(text: str) -> dict[str, float]:
        return by_words(text) | {"quant-ph": 0.9 if "logical qubits" in text.lower() else 0.1}

    failures = [one for one in found(score).failures if one.startswith("directional")]
    assert len(failures) == 1
    assert "speaks for quant-ph changes its probability" in failures[0]


def test_a_model_that_always_says_the_same_fails_minimum_functionality() -> None:
    failures = found(lambda _: {"cs.CV": 0.9}).failures
    wrong = [one for one in failures if one.startswith("minimum functionality")]
    assert len(wrong) == 3
    assert "the paper 'translation' is of cs.CL, but cs.CV is on top" in " ".join(wrong)


def test_an_archive_is_enough_where_that_is_what_is_expected() -> None:
    check = found(lambda _: {"q-fin.PR": 0.9}, ["q-fin.PR"])
    assert check.passed, check.failures
    assert check.figures["minimum_functionality"] == 1


def test_the_cases_are_well_formed() -> None:
    known = {one["category"] for one in taxonomy() if one["canonical"] == one["category"]}
    archives = {one["archive"] for one in taxonomy()}
    cases = behaviour._cases()
    ids = [one["id"] for one in cases["papers"]]
    assert len(set(ids)) == len(ids)
    for one in cases["papers"]:
        assert set(one["expected"]) <= known | archives
    for one in cases["directional"]:
        assert one["paper"] in ids
        assert one["category"] in known


@pytest.mark.parametrize("variant", ["white space", "LaTeX noise"])
def test_noise_is_really_there_and_cleaning_takes_it_away(variant: str) -> None:
    rewrite = behaviour.VARIANTS[variant]
    for paper in behaviour.papers():
        noisy = rewrite(paper["abstract"])
        assert noisy != paper["abstract"]
        assert _core.clean(noisy) == _core.clean(paper["abstract"])
