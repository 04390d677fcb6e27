"""The report's lists of single papers."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from arxiv_core.report.page import paragraph
from arxiv_core.report.run import Run

__all__ = ["mislabelled", "mistakes"]

ARXIV = "https://arxiv.org/abs/"

Json = Mapping[str, Any]


def mistakes(run: Run) -> str:
    """List the papers that the model was most wrong about."""
    listed = run.insight["mistakes"]
    return (
        paragraph(
            "The papers with the highest log loss: what is outlined green is theirs, what is "
            "outlined orange is not, and the number is the model's probability."
        )
        + _papers(listed, run)
        if listed
        else ""
    )


def mislabelled(run: Run) -> str:
    """List the papers whose categories look wrong or incomplete."""
    insight = run.insight
    parts = [
        (
            "Other categories",
            f"All of the paper's own categories are unlikely, and another is likely: "
            f"{insight['mislabelled_papers']:,} papers.",
            insight["mislabelled"],
        ),
        (
            "A category more",
            f"The model agrees with one of the paper's categories, and is all but certain of one "
            f"that is missing: {insight['forgotten_papers']:,} papers.",
            insight["forgotten"],
        ),
    ]
    shown = "".join(
        f"<h3>{html.escape(title)}</h3>{paragraph(text)}{_papers(listed, run)}"
        for title, text, listed in parts
        if listed
    )
    if not shown:
        return paragraph("No paper's categories look wrong.")
    return (
        paragraph(
            "A wrong label and a confident mistake look the same from here: these are for a person "
            "to look at, not to correct blindly."
        )
        + shown
    )


def _papers(listed: Sequence[Json], run: Run) -> str:
    items = "\n".join(f"<li>{_paper(paper, run)}</li>" for paper in listed)
    return f'<ol class="papers">\n{items}\n</ol>'


def _paper(paper: Json, run: Run) -> str:
    title = html.escape(paper["title"])
    # Invented papers have ids that arXiv may have given to real ones.
    if not run.invented:
        title = f'<a href="{ARXIV}{quote(paper["id"])}">{title}</a>'
    own = {one["category"] for one in paper["categories"]}
    given = " ".join(_tag(one, "own") for one in paper["categories"])
    best = " ".join(
        _tag(one, "own" if one["category"] in own else "other") for one in paper["best"]
    )
    about = html.escape(f"{paper['id']}, {paper['submitted']}, log loss {paper['loss']:.1f}")
    return f'{title}<div class="what">{about}<br>is {given}<br>scored best {best}</div>'


def _tag(given: Json, kind: str) -> str:
    probability = given["probability"]
    beside = "no label" if probability is None else f"{probability:.2f}"
    return f'<span class="tag {kind}">{html.escape(given["category"])} {beside}</span>'
