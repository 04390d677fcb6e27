"""Ranking, archives, distributions and declared categories, on a real classifier's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, InputError, OptionError, Prediction
from classifier import tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def pairs(prediction: Prediction) -> dict[str, float]:
    return {one.category: one.probability for one in prediction.categories}


@quick
@given(title=texts, abstract=texts)
def test_all_is_the_scores_best_first(classifier: Classifier, title: str, abstract: str) -> None:
    paper = {"title": title, "abstract": abstract}
    [scores], _ = classifier.scores([paper])
    [prediction] = classifier.classify([paper], all=True)
    assert pairs(prediction) == dict(zip(tiny.LABELS, scores.tolist(), strict=True))
    ranked = [(-one.probability, one.category) for one in prediction.categories]
    assert ranked == sorted(ranked)
    for one in prediction.categories:
        threshold = classifier.thresholds[tiny.LABELS.index(one.category)]
        assert one.assigned == (np.float32(one.probability) >= threshold)


@quick
@given(title=texts, abstract=texts, top_k=st.integers(1, 12))
def test_the_top_k_are_the_first_of_all(
    classifier: Classifier, title: str, abstract: str, top_k: int
) -> None:
    papers = [{"title": title, "abstract": abstract}]
    [top] = classifier.classify(papers, top_k=top_k)
    [every] = classifier.classify(papers, all=True)
    assert list(pairs(top).items()) == list(pairs(every).items())[:top_k]
    [assigned] = classifier.classify(papers, top_k=None)
    expected = [one.category for one in every.categories if one.assigned]
    assert list(pairs(assigned)) == (expected or [every.categories[0].category])


@quick
@given(title=texts, abstract=texts)
def test_an_archive_is_consistent_with_its_categories(
    classifier: Classifier, title: str, abstract: str
) -> None:
    papers = [{"title": title, "abstract": abstract}]
    [categories] = classifier.classify(papers, all=True)
    [archives] = classifier.classify(papers, all=True, level="archive")
    assert sorted(pairs(archives)) == sorted({label.split(".")[0] for label in tiny.LABELS})
    for archive in archives.categories:
        members = [
            one for one in categories.categories if one.category.split(".")[0] == archive.category
        ]
        largest = max(one.probability for one in members)
        assert largest <= archive.probability
        assert archive.probability <= min(1.0, sum(one.probability for one in members)) + 1e-7
        assert archive.assigned == any(one.assigned for one in members)


@quick
@given(title=texts, abstract=texts)
def test_a_distribution_sums_to_one_at_both_levels(
    classifier: Classifier, title: str, abstract: str
) -> None:
    papers = [{"title": title, "abstract": abstract}]
    [plain] = classifier.classify(papers, all=True)
    [shares] = classifier.classify(papers, all=True, distribution=True)
    [archives] = classifier.classify(papers, all=True, distribution=True, level="archive")
    assert sum(pairs(shares).values()) == pytest.approx(1, abs=1e-5)
    assert sum(pairs(archives).values()) == pytest.approx(1, abs=1e-5)
    assert list(pairs(shares)) == list(pairs(plain))
    assert pairs(archives)["math"] == pytest.approx(
        sum(share for name, share in pairs(shares).items() if name.startswith("math.")), abs=1e-6
    )


def test_the_declared_primary_is_always_there(classifier: Classifier) -> None:
    paper = {"title": "graph", "abstract": "quantum"}
    [every] = classifier.classify([paper], all=True)
    names = list(pairs(every))
    for rank, name in enumerate(names):
        [answer] = classifier.classify([paper | {"primary": name}])
        assert list(pairs(answer)) == names[:5] + ([name] if rank >= 5 else [])
        assert pairs(answer)[name] == pairs(every)[name]


@pytest.mark.parametrize(
    ("declared", "canonical"),
    [("math.IT", "cs.IT"), ("cmp-lg", "cs.CL"), ("math.MP", "math-ph"), ("hep-ph", "hep-ph")],
)
def test_a_declared_primary_goes_by_any_name(
    classifier: Classifier, declared: str, canonical: str
) -> None:
    papers = [{"title": "", "abstract": "", "primary": declared}, {"title": "", "abstract": ""}]
    with_declared, without = classifier.classify(papers, top_k=1)
    assert len(without.categories) == 1
    assert canonical in pairs(with_declared)
    if canonical not in tiny.LABELS:
        assert pairs(with_declared)[canonical] == 0
        assert not with_declared.categories[-1].assigned


@pytest.mark.parametrize("declared", ["astro-ph", "cs.XX", "CS.LG", ""])
def test_an_unknown_primary_is_named(classifier: Classifier, declared: str) -> None:
    with pytest.raises(InputError, match=f'paper 0: primary: "{declared}"'):
        classifier.classify([{"title": "", "abstract": "", "primary": declared}])


def test_aliases_stand_beside_their_label(classifier: Classifier) -> None:
    [prediction] = classifier.classify([{"title": "", "abstract": ""}], all=True, aliases=True)
    assert {name for name in pairs(prediction) if "=" in name} == {
        "cs.IT=math.IT",
        "math-ph=math.MP",
    }


@pytest.mark.parametrize(
    ("options", "name"),
    [({"top_k": 0}, "top_k"), ({"top_k": -1}, "top_k"), ({"level": "group"}, "level")],
)
def test_a_wrong_option_is_named(classifier: Classifier, options: Any, name: str) -> None:
    with pytest.raises(OptionError, match=f"option {name} = "):
        classifier.classify([{"title": "", "abstract": ""}], **options)


def test_answers_are_frozen_and_show_themselves(classifier: Classifier) -> None:
    [prediction] = classifier.classify([{"title": "graph", "abstract": ""}], top_k=1)
    [category] = prediction.categories
    with pytest.raises(AttributeError):
        category.probability = 1.0  # type: ignore[misc]
    prediction.categories.clear()
    assert len(prediction.categories) == 1
    assert repr(category).startswith(f"Category(category={category.category!r}".replace("'", '"'))
    assert repr(prediction) == f"Prediction(categories=[{category!r}], truncated=False)"
