"""The bundled corpus is what its generator writes, and holds what it promises."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

GENERATOR = Path(__file__).with_name("make_sample.py")
SAMPLE = Path(__file__).parents[2] / "python" / "arxiv_core" / "sample"
FIELDS = [
    "id",
    "submitter",
    "authors",
    "title",
    "comments",
    "journal-ref",
    "doi",
    "report-no",
    "categories",
    "license",
    "abstract",
    "versions",
    "update_date",
    "authors_parsed",
]


def papers() -> list[dict]:
    lines = (SAMPLE / "papers.jsonl").read_text(encoding="ascii").split("\n")
    return [json.loads(line) for line in lines]


def test_committed_files_are_what_the_generator_writes(tmp_path):
    subprocess.run([sys.executable, str(GENERATOR), str(tmp_path)], check=True)
    for name in ("papers.jsonl", "demo.jsonl"):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_every_line_has_the_snapshot_format_and_says_that_it_is_invented():
    text = (SAMPLE / "papers.jsonl").read_text(encoding="ascii")
    assert len(text) < 1_000_000
    assert not text.endswith("\n")
    for line, paper in zip(text.split("\n"), papers(), strict=True):
        assert list(paper) == FIELDS
        assert json.dumps(paper, separators=(",", ":")) == line
        assert "invented for arxiv-core's sample corpus" in line
        assert re.fullmatch(r"[a-z-]+/\d{7}|\d{4}\.\d{4,5}", paper["id"])


def test_enough_categories_and_years_to_split_by_time():
    primaries = Counter(paper["categories"].split()[0] for paper in papers())
    assert sum(count >= 20 for count in primaries.values()) >= 12
    years = {paper["versions"][0]["created"].split()[3] for paper in papers() if paper["versions"]}
    assert len(years) >= 4


def test_the_quirks_are_there():
    text = (SAMPLE / "papers.jsonl").read_text(encoding="ascii")
    found = papers()
    assert len({paper["id"] for paper in found}) < len(found)
    for quirk in (
        "\\u00e9", "\\ud835\\udd3d", "\\n  ", '"versions":null', '"versions":[]',
        '"submitter":null',
        "withdrawn", '"math/0', '"cmp-lg', '"alg-geom', '"categories":"astro-ph"', "math.IT cs.IT",
        "cs.IT math.IT", "cs.QQ", "\\\\'e", "\\\\mathbb{", "\\r\\n",
    ):  # fmt: skip
        assert quirk in text, quirk


def test_three_demo_papers():
    lines = (SAMPLE / "demo.jsonl").read_text(encoding="ascii").splitlines()
    assert [sorted(json.loads(line)) for line in lines] == [["abstract", "title"]] * 3
