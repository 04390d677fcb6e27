"""The report on a papers table: what is in it, and what is not and why."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.pipeline.layout import PLOTS, REPORT, needs
from arxiv_core.pipeline.record import read_json, write_text
from arxiv_core.report import counts
from arxiv_core.report.drawing import Chart
from arxiv_core.report.page import Cell, Section, charts, figure, page, paragraph, table, tiles

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["write"]

REASONS = {
    "blank_lines": "lines without text",
    "quarantined": "lines that could not be read; they are in quarantine.jsonl",
    "unlabelled": "no category that is a label today",
    "outside_dates": "before data.since or after data.until",
    "outside_categories": "outside labels.categories",
    "withdrawn": "say that they were withdrawn",
    "short_abstract": "abstract shorter than data.min_abstract_chars",
    "duplicate_id": "an earlier line has the id",
    "duplicate_text": "an earlier paper has the text",
    "over_cap": "over labels.per_category",
    "over_size": "over data.max_papers",
    "without_label": "lost all categories to labels.min_support or labels.others",
    "outside_split": "in no month of a split",
    "straddling": "a near-duplicate stands in an earlier split",
}

INVENTED = "These are the bundled papers, invented to try everything out: no arXiv paper is here."

SHOWN = 15
"""Categories that are seen without a click."""

Json = Mapping[str, Any]


def write(
    prepared: Path, out: Path, progress: OnProgress | None = None, *, invented: bool = False
) -> tuple[Path, dict[str, Any]]:
    """Write the report on a prepared corpus.

    Parameters
    ----------
    prepared
        Directory with ``papers.parquet`` and ``manifest.json``.
    out
        Directory to write ``report.html`` and ``plots/`` into.
    progress
        Receives progress.
    invented
        Whether the papers are the bundled corpus.

    Returns
    -------
    tuple of Path and dict
        The page, and what was counted.

    Raises
    ------
    NotYetError
        The corpus was not prepared.
    """
    papers = needs(prepared / "papers.parquet", "prepare")
    manifest = read_json(needs(prepared / "manifest.json", "prepare"))
    found = stages.statistics(papers, progress)
    drawn = [counts.dropped(manifest)]
    if found["papers"]:
        drawn += [
            counts.months(found),
            counts.categories(found),
            counts.together(found),
            counts.categories_per_paper(found),
            counts.lengths(found),
        ]
    for chart in drawn:
        chart.write(out / PLOTS)
    whole = _page(found, manifest, {chart.name: chart for chart in drawn}, invented=invented)
    write_text(out / REPORT, whole)
    return out / REPORT, found


def _page(found: Json, manifest: Json, drawn: Mapping[str, Chart], *, invented: bool) -> str:
    def shown(name: str, caption: str, *, wide: bool = False) -> str:
        return figure(drawn[name], caption, wide=wide) if name in drawn else ""

    sections = [
        Section("At a glance", _glance(found, manifest)),
        Section(
            "Over time",
            shown("months", "By the archive of the primary category.", wide=True),
        ),
        Section(
            "Categories",
            charts(
                filter(
                    None,
                    (
                        shown("categories", "Papers that carry each category."),
                        shown("categories-per-paper", "After aliases were made one."),
                    ),
                )
            )
            + _categories(found),
        ),
        Section(
            "Together",
            shown(
                "together",
                "Of the papers that carry the row's category, the share that carry the column's "
                "too; the largest categories only.",
                wide=True,
            ),
        ),
        Section(
            "Lengths",
            shown("lengths", "The dotted line is the median; the last bar holds all longer ones."),
        ),
        Section("Dropped, and why", _dropped(manifest, drawn)),
    ]
    versions = manifest["versions"]
    lead = f'<p class="warning"><b>{html.escape(INVENTED)}</b></p>' if invented else ""
    lead += paragraph(
        f"{found['papers']:,} papers from {manifest['lines']:,} lines of a snapshot "
        f"({manifest['source']['bytes']:,} bytes, {manifest['source']['format']}, checksum "
        f"{manifest['source']['checksum']}); label space {versions['label_space']}, cleaning "
        f"{versions['template']}.",
        "quiet",
    )
    return page("Papers", lead, sections, "The charts lie in plots/ as PNG and SVG.")


def _glance(found: Json, manifest: Json) -> str:
    kept = found["papers"] / manifest["lines"] if manifest["lines"] else 0.0
    per_paper = found["categories_per_paper"]
    several = sum(per_paper[2:]) / found["papers"] if found["papers"] else 0.0
    entries = [
        (f"{found['papers']:,}", "papers", f"{kept:.0%} of the snapshot's lines"),
        (f"{len(found['categories'])}", "categories", "with at least one paper"),
        (f"{several:.0%}", "carry several categories", ""),
        (
            f"{found['abstract_words']['quantiles'][2]}",
            "words of the median abstract",
            "{1} to {3} for nine in ten".format(*found["abstract_words"]["quantiles"]),
        ),
    ]
    rows: list[Sequence[str | Cell]] = [
        [name, f"{split['papers']:,}", split["first"] or "–", split["last"] or "–"]
        for name in ("train", "validation", "test")
        if (split := manifest["splits"].get(name))
    ]
    return tiles(entries) + table(("split", "papers", "first", "last"), rows, numbers=[1])


def _categories(found: Json) -> str:
    rows = [
        [
            Cell(f"{html.escape(one['category'])}<br><small>{html.escape(one['name'])}</small>"),
            *(
                Cell(f"{count:,}", count)
                for count in (one["papers"], one["primary"], *one["splits"])
            ),
        ]
        for one in found["categories"]
    ]
    heads = ("category", "papers", "as primary", "train", "validation", "test")
    whole = table(heads, rows, numbers=range(1, 6), sortable=True)
    if len(rows) <= SHOWN:
        return whole
    return f"<details><summary>all {len(rows)} categories</summary>{whole}</details>"


def _dropped(manifest: Json, drawn: Mapping[str, Chart]) -> str:
    rows = [
        [key.replace("_", " "), f"{count:,}", REASONS.get(key, "")]
        for key, count in sorted(manifest["dropped"].items(), key=lambda one: -one[1])
        if count
    ]
    near = manifest["near_duplicates"]
    lost = manifest["removed_labels"]
    remarks = []
    if near["papers"]:
        remarks.append(
            f"{near['papers']:,} papers are near-duplicates of each other, in {near['groups']:,} "
            "groups; a group stays on one side of the split."
        )
    for key, what in (
        ("legacy", "bare archives, which are no labels"),
        ("unknown", "categories that arXiv's taxonomy does not have"),
        ("below_support", "categories with too few papers"),
    ):
        if lost[key]:
            names = ", ".join(f"{name} ({count:,})" for name, count in lost[key].items())
            remarks.append(f"Papers lost {what}: {names}.")
    shown = table(("reason", "lines", "what it means"), rows, numbers=[1]) if rows else ""
    return (
        figure(drawn["dropped"], "Kept and dropped lines add up to the snapshot's.")
        + (shown or paragraph("Nothing was dropped."))
        + "".join(map(paragraph, remarks))
    )
