"""Subset and splits, through the whole stage."""

from __future__ import annotations

import random
from collections import Counter

import arxiv_core
import pytest

RECIPE = {
    "train_until": "2015-12",
    "validation_until": "2016-03",
    "test_from": "2016-04",
    "test_until": "2016-06",
}
STRATIFIED = {"by": "stratified"}


@pytest.fixture
def corpus(record, abstract) -> list[dict]:
    """Six hundred papers over eighteen months and five categories, one of them rare."""
    rng = random.Random(0)
    records = []
    for number in range(600):
        year, month = divmod(number % 18, 12)
        labels = ["cs.LG", "stat.ML", "hep-th", "math.IT"][: rng.choice([1, 1, 2, 4])]
        rng.shuffle(labels)
        if number % 100 == 0:
            labels.append("q-bio.TO")
        identifier = f"{15 + year}{month + 1:02}.{number:05}"
        records.append(record(identifier, abstract(rng, 40), " ".join(labels)))
    return records


def months(prepared, split: str) -> set[str]:
    return {one[:4] for one, its in prepared.splits.items() if its == split}


def test_the_last_months_are_test_and_those_before_validation(prepare, corpus) -> None:
    done = prepare(corpus)
    assert months(done, "test") == {"1604", "1605", "1606"}
    assert months(done, "validation") == {"1601", "1602", "1603"}
    assert months(done, "train") == {f"15{month:02}" for month in range(1, 13)}
    assert done.manifest["ranges"] == {
        "train_until": "2015-12",
        "validation_until": "2016-03",
        "test_from": "2016-04",
        "test_until": "2016-06",
    }


def test_the_recipes_months_can_be_written_out(prepare, corpus, record, abstract) -> None:
    later = record("1607.00001", abstract(random.Random(9)))
    done = prepare([*corpus, later], split=RECIPE)
    assert max(months(done, "train")) == "1512"
    assert months(done, "test") == {"1604", "1605", "1606"}
    assert "1607.00001" not in done.splits
    assert done.manifest["dropped"]["outside_split"] == 1


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"split": {"train_until": "2016-13"}}, "split.train_until"),
        ({"split": {"train_until": "2016-04", "validation_until": "2016-04"}}, "split.validation"),
        ({"split": {"by": "chance"}}, "split.by"),
        ({"split": {"test_fraction": 1.5}}, "split.test_fraction"),
        ({"subset": {"categories": ["cs.XX"]}}, "subset.categories"),
        ({"subset": {"max_papers": 0}}, "subset.max_papers"),
        ({"subset": {"from": "2016-02", "until": "2016-01"}}, "subset.from"),
        ({"dedup": {"threshold": 0.0}}, "dedup.threshold"),
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(prepare, corpus, options, name) -> None:
    with pytest.raises(arxiv_core.OptionError, match=name):
        prepare(corpus[:10], **options)


def test_same_input_and_options_give_the_same_bytes(prepare, corpus) -> None:
    options = {"split": STRATIFIED | {"seed": 5}, "subset": {"max_papers": 200, "seed": 5}}
    first = prepare(corpus, **options)
    assert first.file == prepare(corpus, **options).file
    assert first.file == prepare(corpus, **options, threads=1).file
    other = prepare(corpus, split=STRATIFIED | {"seed": 6}, subset={"max_papers": 200, "seed": 6})
    assert set(other.papers.ids) != set(first.papers.ids)


def test_the_order_of_the_lines_chooses_nothing(prepare, corpus) -> None:
    options = {"split": STRATIFIED, "subset": {"max_papers": 200, "per_category": 90}}
    assert prepare(corpus, **options).splits == prepare(corpus[::-1], **options).splits


def test_a_larger_size_keeps_what_a_smaller_one_keeps(prepare, corpus) -> None:
    small, large = (
        prepare(corpus, split=STRATIFIED, subset={"max_papers": size}) for size in (100, 300)
    )
    assert (len(small.papers), len(large.papers)) == (100, 300)
    assert len(set(small.papers.ids) - set(large.papers.ids)) <= 5
    assert small.manifest["dropped"]["over_size"] == 500
    shares = [Counter(one.papers.primaries) for one in (small, large)]
    for label, papers in shares[1].items():
        assert abs(papers / 3 - shares[0][label]) <= 1


def test_caps_hold(prepare, corpus) -> None:
    done = prepare(corpus, split=STRATIFIED, subset={"per_category": 40})
    papers = Counter(done.papers.primaries)
    assert max(papers.values()) == 40
    assert done.manifest["dropped"]["over_cap"] == 600 - len(done.papers)


def test_a_subset_of_categories_keeps_or_removes_the_other_labels(prepare, corpus) -> None:
    chosen = {"categories": ["hep-th", "stat"], "categories_match": "primary"}
    done = prepare(corpus, split=STRATIFIED, subset=chosen)
    assert set(done.papers.primaries) == {"hep-th", "stat.ML"}
    assert "cs.IT" in {label for labels in done.papers.categories for label in labels}
    alone = prepare(corpus, split=STRATIFIED, subset=chosen | {"other_labels": False})
    assert alone.papers.ids == done.papers.ids
    assert {label for labels in alone.papers.categories for label in labels} == {
        "hep-th",
        "stat.ML",
    }


def test_rare_labels_are_removed_and_named(prepare, corpus) -> None:
    done = prepare(corpus, split=STRATIFIED, subset={"min_support": 7})
    assert done.manifest["removed_labels"]["below_support"] == {"q-bio.TO": 6}
    assert "q-bio.TO" not in {label for labels in done.papers.categories for label in labels}
    assert len(done.papers) == 600


def test_a_stratified_split_keeps_each_labels_share(prepare, corpus) -> None:
    done = prepare(corpus, split=STRATIFIED | {"test_fraction": 0.2})
    for label, (train, validation, test) in done.manifest["labels"].items():
        papers = train + validation + test
        assert abs(test - 0.2 * papers) <= 1.5 + 0.01 * papers, label
        assert abs(validation - 0.1 * papers) <= 1.5 + 0.01 * papers, label
