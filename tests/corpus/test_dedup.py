"""Duplicates, through the whole stage: exact ones are dropped, near ones never straddle."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from arxiv_core import _core

STRATIFIED = {"by": "stratified", "validation_fraction": 0.25, "test_fraction": 0.25}


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return set(zip(words, words[1:], words[2:], strict=False))


def jaccard(left: str, right: str) -> float:
    one, other = shingles(left), shingles(right)
    return len(one & other) / len(one | other)


def edited(text: str, rng: random.Random, changes: int) -> str:
    words = text.split()
    for at in rng.sample(range(len(words)), changes):
        words[at] = f"changed{rng.randrange(10**6)}"
    return " ".join(words)


def test_equal_ids_and_equal_texts_are_dropped_and_counted(prepare, record, abstract) -> None:
    rng = random.Random(1)
    text = abstract(rng)
    records = [
        record("2001.00001", text, title="A title"),
        record("2001.00001", abstract(rng), title="The same id"),
        record("2001.00002", f"({text.upper()}).", title="a TITLE!"),
        record("2001.00003", abstract(rng), title="A title"),
    ]
    done = prepare(records, split=STRATIFIED)
    assert done.papers.ids == ["2001.00001", "2001.00003"]
    assert done.papers.abstracts[0] == text
    dropped = done.manifest["dropped"]
    assert (dropped["duplicate_id"], dropped["duplicate_text"]) == (1, 1)


def test_near_duplicates_are_grouped_and_others_are_not(prepare, record, abstract) -> None:
    rng = random.Random(2)
    records, pairs = [], 200
    for pair in range(pairs):
        text = abstract(rng, 100)
        near = edited(text, rng, 2)
        far = edited(text, rng, 25)
        assert jaccard(text, near) >= 0.85
        assert jaccard(text, far) < 0.5
        records += [
            record(f"2001.{3 * pair + offset:05}", version)
            for offset, version in enumerate((text, near, far))
        ]
    manifest = prepare(records, split=STRATIFIED).manifest
    found = manifest["near_duplicates"]
    assert found["largest"] == 2
    assert 0.95 * pairs <= found["groups"] <= pairs


def test_a_group_goes_to_one_side_at_random(prepare, record, abstract) -> None:
    rng = random.Random(3)
    records, groups = [], []
    for group in range(60):
        text = abstract(rng)
        members = [f"2001.{10 * group + member:05}" for member in range(group % 4 + 1)]
        records += [record(one, edited(text, rng, 1)) for one in members]
        groups.append(members)
    done = prepare(records, split=STRATIFIED)
    assert len(done.papers) == len(records)
    for members in groups:
        assert len({done.splits[one] for one in members}) == 1
    assert set(done.splits.values()) == {"train", "validation", "test"}


def test_by_time_the_later_of_two_near_duplicates_is_left_out(prepare, record, abstract) -> None:
    rng = random.Random(4)
    text = abstract(rng)
    records = [
        record("2006.00001", edited(text, rng, 1)),
        record("2005.00001", edited(text, rng, 1)),
        record("2001.00001", text),
        *(record(f"20{month:02}.00009", abstract(rng)) for month in range(1, 7)),
    ]
    done = prepare(records, split={"test_months": 1, "validation_months": 1})
    assert "2001.00001" in done.splits
    assert not {"2005.00001", "2006.00001"} & set(done.splits)
    assert done.manifest["dropped"]["straddling"] == 2
    assert done.splits["2006.00009"] == "test"


def test_a_threshold_of_one_groups_equal_abstracts_only(prepare, record, abstract) -> None:
    rng = random.Random(5)
    text = abstract(rng)
    records = [
        record("2001.00001", text),
        record("2001.00002", text),
        record("2001.00003", edited(text, rng, 3)),
    ]
    done = prepare(records, split=STRATIFIED, dedup={"threshold": 1.0})
    assert done.manifest["near_duplicates"] == {"groups": 1, "papers": 2, "largest": 2}
    done = prepare(records, split=STRATIFIED, dedup={"near": False})
    assert done.manifest["near_duplicates"]["groups"] == 0


@pytest.mark.slow
def test_nothing_like_a_real_test_abstract_was_trained_on(shared_data, tmp_path) -> None:
    source = shared_data / "arxiv-2009-2016.jsonl.zst"
    manifest = json.loads(_core.prepare(str(source), str(tmp_path)))
    assert manifest["near_duplicates"]["groups"] >= 30
    assert manifest["removed_labels"]["unknown"] == {}
    table = str(tmp_path / "papers.parquet")
    tested = [shingles(text) for text in _core.Papers.read(table, split="test").abstracts]
    assert len(tested) > 1000
    # Phrases that many share would lead to everybody; near-duplicates share rare ones too.
    holders: dict[tuple[str, ...], list[int]] = {}
    for row, found in enumerate(tested):
        for one in found:
            holders.setdefault(one, []).append(row)
    rare = {one: rows for one, rows in holders.items() if len(rows) <= 5}
    compared = 0
    for text in _core.Papers.read(table, split="train").abstracts:
        mine = shingles(text)
        shared = Counter(row for one in mine & rare.keys() for row in rare[one])
        for row, both in shared.items():
            if both >= 0.2 * len(mine):
                compared += 1
                assert len(mine & tested[row]) / len(mine | tested[row]) < 0.85, text
    assert compared > 0
