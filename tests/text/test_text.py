"""The border: cleaning and the template as Python sees them."""

import json
from pathlib import Path

from arxiv_core import _core
from hypothesis import given
from hypothesis import strategies as st

LATEX = st.text(alphabet=st.sampled_from("\\{}$^_~-'`\" \nabcv'é²ﬁ\u0301"), max_size=60)


def test_cleans_latex_to_readable_text() -> None:
    raw = '  The Schr\\"odinger equation in $\\mathbb{R}^n$ at\n$10^{-3}$ of $\\alpha_{s}$ '
    assert _core.clean(raw) == "The Schrödinger equation in R^n at 10^-3 of alpha s"


@given(LATEX | st.text(st.characters(exclude_categories=["Cs"])))
def test_cleaning_twice_equals_once(text: str) -> None:
    once = _core.clean(text)
    assert _core.clean(once) == once


def test_template_cleans_and_joins_both_parts() -> None:
    assert _core.template("A {\\it title}", " An\n abstract.") == "A title. An abstract."
    assert _core.template(title="Why?", abstract="So.") == "Why? So."
    assert _core.template("", "So.") == "So."
    assert _core.TEMPLATE_VERSION == 1


def test_real_abstracts_come_out_without_markup(shared_data: Path) -> None:
    snapshot = shared_data / "kaggle-snapshot-1000.jsonl"
    lines = snapshot.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1000
    for line in lines:
        paper = json.loads(line)
        text = _core.clean(paper["abstract"])
        assert text == _core.clean(text)
        assert not set("\\${}`\n") & set(text), paper["id"]
        assert len(text) > 0.5 * len(paper["abstract"].strip()), paper["id"]
