"""The border: arXiv's taxonomy as Python sees it."""

from __future__ import annotations

import json

import arxiv_core
import pytest
from arxiv_core import _core

ALIASES = {
    "cs.IT": "math.IT",
    "math-ph": "math.MP",
    "math.NA": "cs.NA",
    "cs.SY": "eess.SY",
    "math.ST": "stat.TH",
    "econ.GN": "q-fin.EC",
}


def test_every_active_category_is_there_once_with_its_place() -> None:
    entries = json.loads(_core.taxonomy())
    names = [one["category"] for one in entries]
    assert names == sorted(set(names))
    assert sum(one["active"] for one in entries) == 155
    labels = {one["category"] for one in entries if one["canonical"] == one["category"]}
    assert len(labels) == 149
    for one in entries:
        assert one["name"] and one["group"]
        assert one["archive"] == one["category"].split(".")[0]
    by_name = {one["category"]: one for one in entries}
    assert by_name["cs.LG"] == {
        "category": "cs.LG",
        "name": "Machine Learning",
        "group": "Computer Science",
        "archive": "cs",
        "active": True,
        "canonical": "cs.LG",
        "aliases": [],
    }
    assert by_name["cs.CL"]["aliases"] == ["cmp-lg"]


def test_alias_pairs_are_one_label() -> None:
    for label, alias in ALIASES.items():
        assert _core.canonical(alias) == _core.canonical(label) == label


def test_names_of_the_past_lead_to_their_successors() -> None:
    assert _core.canonical("alg-geom") == "math.AG"
    assert _core.canonical("chao-dyn") == "nlin.CD"
    assert _core.canonical("bayes-an") == "physics.data-an"
    for archive in ("astro-ph", "cond-mat", "q-bio", "cs"):
        assert _core.canonical(archive) is None


@pytest.mark.parametrize("name", ["", "cs.lg", "cs.LG ", "cs.XX"])
def test_unknown_names_are_an_error_with_the_name_in_it(name: str) -> None:
    with pytest.raises(arxiv_core.InputError, match="taxonomy") as caught:
        _core.canonical(name)
    assert json.dumps(name) in str(caught.value)


def test_entries_agree_with_the_lookup() -> None:
    for one in json.loads(_core.taxonomy()):
        assert _core.canonical(one["category"]) == one["canonical"]
        for alias in one["aliases"]:
            assert _core.canonical(alias) == one["category"]


def test_the_snapshot_has_no_unknown_name(shared_data) -> None:
    snapshot = shared_data / "kaggle-snapshot-1000.jsonl"
    names = [
        name
        for line in snapshot.read_text(encoding="utf-8").splitlines()
        for name in json.loads(line)["categories"].split()
    ]
    assert len(names) > 1000
    assert None in {_core.canonical(name) for name in names}
