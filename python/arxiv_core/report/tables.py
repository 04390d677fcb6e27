"""The report's tables: figures beside other runs', categories, confusions, origin."""

from __future__ import annotations

import html
import shlex
from collections.abc import Iterator, Sequence

import arxiv_core
from arxiv_core.pipeline.card import overrides
from arxiv_core.pipeline.layout import NotYetError
from arxiv_core.report.page import Cell, paragraph, table, tiles
from arxiv_core.report.run import HEADLINE, Figure, Run

__all__ = ["confusions", "headline", "origin", "per_label"]

TILES = 5
"""Figures that are shown large."""


def headline(run: Run, others: Sequence[Run], remark: str = "") -> str:
    """Show the run's figures large, then beside other runs'; `remark` is the last word."""
    level = run.metrics.get("evaluated_with", {}).get("bootstrap", {}).get("level")
    shown = [
        (_number(value, figure), figure.name, _interval(run, figure) or figure.remark)
        for figure in HEADLINE[:TILES]
        if (value := run.value(figure.key)) is not None
    ]
    heads = ["", run.name, *(other.name for other in others)]
    rows: list[Sequence[str | Cell]] = [
        [
            Cell(f"{html.escape(figure.name)}<br><small>{html.escape(figure.remark)}</small>"),
            *_cells(figure, run, others),
        ]
        for figure in HEADLINE
        if run.value(figure.key) is not None
    ]
    rows.append(
        [
            "papers",
            *(f"{other.metrics.get('papers', 0):,}" for other in (run, *others)),
        ]
    )
    macro = run.metrics.get("macro_labels")
    notes = [f"{level:.0%} intervals, papers drawn again." if level else ""]
    if macro is not None:
        least = run.metrics.get("evaluated_with", {}).get("min_positives")
        notes.append(f"{macro} categories have at least {least} papers here, enough for a mean.")
    elsewhere = [other.name for other in others if not run.same_papers(other)]
    if len(others) > len(elsewhere):
        notes.append("The best of a row is set off.")
    if elsewhere:
        notes.append(f"Measured on other papers, so not to be compared: {', '.join(elsewhere)}.")
    if not others:
        notes.append(
            "Other runs stand beside this one with arxiv-core report RUN --beside OTHER_RUN."
        )
    notes.append(remark)
    columns = range(1, len(heads))
    return (
        tiles(shown)
        + table(heads, rows, numbers=columns)
        + paragraph(" ".join(filter(None, notes)), "quiet")
    )


def _cells(figure: Figure, run: Run, others: Sequence[Run]) -> Iterator[Cell]:
    comparable = [one for one in (run, *others) if one is run or run.same_papers(one)]
    values = [value for one in comparable if (value := one.value(figure.key)) is not None]
    best = (min if figure.lower else max)(values) if len(comparable) > 1 else None
    for one in (run, *others):
        value = one.value(figure.key)
        if value is None:
            yield Cell("–")
            continue
        shown = _number(value, figure)
        if value == best and one in comparable:
            shown = f"<b>{shown}</b>"
        interval = _interval(one, figure)
        yield Cell(f"{shown}<br><small>{interval}</small>" if interval else shown)


def _number(value: float, figure: Figure) -> str:
    return f"{value:.4f}" if figure.lower else f"{value:.3f}"


def _interval(run: Run, figure: Figure) -> str:
    found = (run.metrics.get("intervals") or {}).get(figure.key)
    return f"{found[0]:.3f} to {found[1]:.3f}" if found else ""


def per_label(run: Run) -> str:
    """Show every category, the largest first."""
    names = {entry["category"]: entry["name"] for entry in arxiv_core.taxonomy()}
    rows = sorted(run.metrics["per_label"], key=lambda row: -row["positives"])
    found = [row for row in rows if row["positives"] > 0]

    def cells(row: dict[str, float | str | None]) -> Sequence[str | Cell]:
        label, f1, ap = str(row["label"]), float(row["f1"] or 0), row["average_precision"]
        name = names.get(label, "")
        bar = f'<span class="bar"><i style="width:{100 * f1:.0f}%"></i></span>'
        return [
            Cell(f"{html.escape(label)}<br><small>{html.escape(name)}</small>"),
            Cell(f"{bar} {f1:.2f}", f1),
            *(Cell(f"{row[key]:.2f}", float(row[key] or 0)) for key in ("precision", "recall")),
            Cell("–" if ap is None else f"{float(ap):.2f}", float(ap or 0)),
            Cell(f"{row['positives']:,}", float(row["positives"] or 0)),
            Cell(f"{row['threshold']:.2f}", float(row["threshold"] or 0)),
        ]

    heads = ("category", "F1", "precision", "recall", "average precision", "papers", "threshold")
    missing = len(rows) - len(found)
    none = (
        paragraph(f"{missing} more categories have no paper here and so no figure.", "quiet")
        if missing
        else ""
    )
    whole = table(heads, map(cells, found), numbers=range(2, 7), sortable=True)
    first = table(heads, map(cells, found[:SHOWN]), numbers=range(2, 7), sortable=True)
    if len(found) <= SHOWN:
        return whole + none
    return f"{first}<details><summary>all {len(found)} categories</summary>{whole}</details>{none}"


SHOWN = 15
"""Categories that are seen without a click."""


def confusions(run: Run) -> str:
    """List the pairs of categories that are confused most often."""
    pairs = run.insight["confusion"]["pairs"]
    if not pairs:
        return ""
    rows = [
        [
            pair["primary"],
            pair["best"],
            f"{pair['papers']:,}",
            f"{pair['share']:.0%}",
            f"{pair['theirs'] / pair['papers']:.0%}",
        ]
        for pair in pairs
    ]
    heads = ("primary", "scored best", "papers", "of the primary's", "carry both")
    return (
        "<h3>Most confused</h3>"
        + paragraph(
            "A paper that carries both categories is no mistake: the model puts its second one "
            "first."
        )
        + table(heads, rows, numbers=range(2, 5))
    )


def origin(run: Run) -> str:
    """Say what the run was made with."""
    rows: list[Sequence[str | Cell]] = []
    if run.spec:
        rows.append(["encoder", f"{run.spec['encoder']['name']}"])
        rows.append(["head", run.spec["head"]["kind"]])
    papers = run.training.get("papers") or {}
    for key, name in (("fit", "papers fitted to"), ("validation", "papers tuned on")):
        if key in papers:
            rows.append([name, f"{papers[key]:,}"])
    if papers.get("refit"):
        rows.append(["papers fitted to once more", f"{papers['refit']:,}"])
    model = run.metrics.get("model", {}).get("manifest_sha256")
    if model:
        rows.append(["model's manifest, SHA-256", Cell(f"<code>{html.escape(model)}</code>")])
    outside = run.metrics.get("share_outside")
    if outside:
        rows.append(["categories that the model has no label for", f"{outside:.2%} of all"])
    shown = table(("", ""), rows) if rows else ""
    if not run.config:
        return shown
    try:
        keys = overrides(run.config)
    except NotYetError as error:
        return shown + paragraph(str(error), "quiet")
    command = shlex.join(["arxiv-core", "train", *keys])
    return f"{shown}<h3>Command</h3><pre>{html.escape(command)}</pre>"
