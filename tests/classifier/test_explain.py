"""Which parts of a paper speak for a category, against the same papers scored one by one."""

from __future__ import annotations

import numpy as np
import pytest
from arxiv_core import Classifier, InputError, OptionError, _core
from classifier import tiny
from numpy.testing import assert_allclose

PAPER = {
    "title": "Sheaves 模型 on graphs",
    "abstract": "We study 🧮 noise. See Fig. 3 of Smith et al. The quantum $x. y$ is new. Why?",
}


def odds(classifier: Classifier, paper: dict[str, str]) -> np.ndarray:
    [row] = classifier.scores([paper])[0].astype(np.float64)
    return np.log(row / (1 - row))


@pytest.mark.parametrize(("unit", "parts"), [("sentence", 5), ("word", 22)])
def test_a_contribution_is_what_the_log_odds_lose_without_the_span(
    classifier: Classifier, unit: str, parts: int
) -> None:
    found = classifier.explain(PAPER, tiny.LABELS, unit=unit)
    assert len(found["spans"]) == parts
    assert [one["category"] for one in found["categories"]] == tiny.LABELS
    whole = odds(classifier, PAPER)
    contributions = np.array([one["contributions"] for one in found["categories"]])
    for index, span in enumerate(found["spans"]):
        text = PAPER[span["field"]]
        rest = text[: span["start"]] + text[span["end"] :]
        lost = whole - odds(classifier, PAPER | {span["field"]: rest})
        assert_allclose(contributions[:, index], lost, atol=1e-4)
    assert np.abs(contributions).max() > 0.01


def test_categories_are_the_predictions_own(classifier: Classifier) -> None:
    [prediction] = classifier.classify([PAPER], top_k=3)
    found = classifier.explain(PAPER, top_k=3)
    assert [one["category"] for one in found["categories"]] == [
        one.category for one in prediction.categories
    ]
    for one, expected in zip(found["categories"], prediction.categories, strict=True):
        assert one["probability"] == pytest.approx(expected.probability, abs=1e-6)
        assert one["threshold"] == pytest.approx(expected.threshold)
        assert one["assigned"] == expected.assigned


def test_a_threshold_is_the_labels_own(classifier: Classifier) -> None:
    [prediction] = classifier.classify([PAPER | {"primary": "hep-lat"}], all=True)
    thresholds = dict(zip(classifier.labels, classifier.thresholds, strict=True))
    for one in prediction.categories:
        expected = thresholds.get(one.category)
        assert one.threshold == (None if expected is None else pytest.approx(expected))
    [archives] = classifier.classify([PAPER], level="archive")
    assert {one.threshold for one in archives.categories} == {None}


def test_what_cannot_be_explained_is_named(classifier: Classifier) -> None:
    for name in ("cs.XX", "hep-lat"):
        with pytest.raises(InputError, match=rf"categories\.1.*{name}"):
            classifier.explain(PAPER, ["math.AG", name])
    with pytest.raises(InputError, match="abstract"):
        classifier.explain({"title": "T"})
    with pytest.raises(OptionError, match="top_k"):
        classifier.explain(PAPER, top_k=0)
    with pytest.raises(OptionError, match="unit"):
        classifier.explain(PAPER, unit="letter")  # type: ignore[arg-type]


def test_nothing_has_no_parts_and_much_has_as_many_as_may_be(classifier: Classifier) -> None:
    found = classifier.explain({"title": "", "abstract": " "})
    assert found["spans"] == []
    assert found["categories"][0]["contributions"] == []
    long = {"title": "T", "abstract": "We prove it. " * 50}
    found = classifier.explain(long, most=6)
    assert len(found["spans"]) <= 6
    assert found["truncated"]


def test_variants_are_papers_without_their_spans() -> None:
    variants = _core.variants("Rings", "One. Two.")
    assert variants == [
        ("title", 0, 5, "", "One. Two."),
        ("abstract", 0, 4, "Rings", " Two."),
        ("abstract", 5, 9, "Rings", "One. "),
    ]
