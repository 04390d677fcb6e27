"""The real snapshot's first thousand lines, against Python's own json."""

from __future__ import annotations

import datetime
import email.utils
import json
from pathlib import Path

import pytest
from arxiv_core import _core

EVERYTHING = {
    "clean": "whitespace",
    "min_abstract_chars": 0,
    "keep_withdrawn": True,
    "keep_unlabelled": True,
    "dedup": {"exact": False, "near": False},
}
EPOCH = datetime.date(1970, 1, 1)


@pytest.fixture(scope="module")
def snapshot(shared_data: Path) -> Path:
    """The file, byte for byte as it is published."""
    return shared_data / "kaggle-snapshot-1000.jsonl"


def test_every_line_reads_as_python_reads_it(snapshot: Path, tmp_path: Path) -> None:
    raw = snapshot.read_bytes()
    assert not raw.endswith(b"\n")
    records = [json.loads(line) for line in raw.splitlines()]
    manifest = json.loads(_core.prepare(snapshot, tmp_path, json.dumps(EVERYTHING)))
    papers = _core.Papers.read(tmp_path / "papers.parquet")
    assert manifest["lines"] == manifest["papers"] == len(papers) == len(records) == 1000
    assert papers.ids == [one["id"] for one in records]
    assert papers.titles == [" ".join(one["title"].split()) for one in records]
    assert papers.abstracts == [" ".join(one["abstract"].split()) for one in records]
    dates = [email.utils.parsedate_to_datetime(one["versions"][0]["created"]) for one in records]
    assert papers.submitted == [(date.date() - EPOCH).days for date in dates]
    for labels, primary, one in zip(papers.categories, papers.primaries, records, strict=True):
        names = [_core.canonical(name) for name in one["categories"].split()]
        assert labels == list(dict.fromkeys(name for name in names if name))
        assert primary == names[0]


def test_the_default_accounts_for_every_line(snapshot: Path, tmp_path: Path) -> None:
    manifest = json.loads(_core.prepare(snapshot, tmp_path))
    assert manifest["papers"] + sum(manifest["dropped"].values()) == manifest["lines"] == 1000
    assert manifest["removed_labels"]["legacy"] == {"astro-ph": 208}
    assert manifest["dropped"]["unlabelled"] == 179
    assert manifest["dropped"]["quarantined"] == 0
    assert sum(split["papers"] for split in manifest["splits"].values()) == manifest["papers"]
    papers = _core.Papers.read(tmp_path / "papers.parquet", limit=5)
    assert len(papers) == 5
    assert papers.texts()[0] == _core.template(papers.titles[0], papers.abstracts[0])
