"""The report on two runs: whether the second is better, beyond the luck of the papers drawn."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import ArxivCoreError, stages
from arxiv_core.pipeline.layout import METRICS, SCORES, NotYetError
from arxiv_core.pipeline.record import read_json, write_text
from arxiv_core.report import run as runs
from arxiv_core.report.drawing import FAINT, INK, SERIES, Chart, axes, only, styled
from arxiv_core.report.evaluation import INVENTED
from arxiv_core.report.page import Cell, Section, charts, figure, page, paragraph, table

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["NAMES", "Difference", "IncomparableError", "compare", "write"]

NAMES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "precision_at_1": "precision at 1",
    "recall_at_5": "recall at 5",
    "samples_f1": "samples-F1",
    "micro_precision": "micro precision",
    "micro_recall": "micro recall",
    "lrap": "LRAP",
}
"""Figures that are compared, in this order."""

MOVED = 12
"""Categories in the chart, and positives they need for it."""

Json = Mapping[str, Any]


class IncomparableError(ArxivCoreError):
    """Two runs cannot be compared."""


@dataclass(frozen=True)
class Difference:
    """Two runs and what Rust said about them."""

    a: str
    b: str
    found: Json
    invented: bool

    def rows(self) -> list[tuple[str, Json, str]]:
        """List the figures: name, what was found, verdict."""
        figures = self.found["figures"]
        return [
            (name, figures[key], _verdict(figures[key]["interval"]))
            for key, name in NAMES.items()
            if key in figures and not (key == "macro_f1" and figures["macro_labels"] == 0)
        ]


def _verdict(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return ""
    low, high = interval
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "not told apart"


def compare(
    a: Path,
    b: Path,
    options: Mapping[str, Any] | None = None,
    progress: OnProgress | None = None,
) -> Difference:
    """Compare two evaluated runs by paired bootstrap.

    Parameters
    ----------
    a, b
        The runs' directories.
    options
        ``min_positives``, ``bootstrap``.
    progress
        Receives progress.

    Returns
    -------
    Difference
        Of `b` to `a`.

    Raises
    ------
    NotYetError
        A run was not evaluated, or without leaving its scores.
    IncomparableError
        The runs were evaluated on different papers, splits or categories.
    """
    for path in (a, b):
        for name in (METRICS, SCORES):
            if not (path / name).exists():
                raise NotYetError(f"{path / name} is not there: run arxiv-core evaluate first")
    first, second = (read_json(path / METRICS) for path in (a, b))
    for key, what in (("split", "splits"), ("papers", "numbers of papers")):
        if first[key] != second[key]:
            raise IncomparableError(
                f"{a} and {b} were evaluated on different {what}, {first[key]} and {second[key]}: "
                "two runs can be compared on the same papers only"
            )
    found = stages.compare(a / SCORES, b / SCORES, options, progress)
    names = [path.resolve().name for path in (a, b)]
    if names[0] == names[1]:
        names = [str(a), str(b)]
    invented = any(runs.read(path, whole=False).invented for path in (a, b))
    return Difference(names[0], names[1], found, invented)


def write(difference: Difference, out: Path) -> Path:
    """Write the page about a difference.

    Parameters
    ----------
    difference
        What `compare` found.
    out
        The page; its charts lie beside it, named after it.

    Returns
    -------
    Path
        The page.
    """
    drawn = [_intervals(difference)]
    if _moved(difference):
        drawn.append(_labels(difference))
    folder = out.with_name(f"{out.stem}-plots")
    for chart in drawn:
        chart.write(folder)
    write_text(out, _page(difference, drawn))
    return out


@styled
def _intervals(difference: Difference) -> Chart:
    rows = difference.rows()
    figure, ax = axes(0.9 + 0.32 * len(rows))
    ax.axvline(0, color=INK, lw=1)
    for at, (_, found, _) in enumerate(rows):
        if found["interval"]:
            ax.plot(found["interval"], [at, at], color=SERIES[0], lw=3, solid_capstyle="round")
        ax.plot(found["difference"], at, "o", color=SERIES[0], ms=7)
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.margins(x=0.15)
    ax.locator_params(axis="x", nbins=6)
    ax.tick_params(axis="y", length=0)
    only(ax, "x")
    ax.set(xlabel="difference; b is better at the right of 0")
    return Chart("differences", "Differences", figure)


def _moved(difference: Difference) -> list[Json]:
    """Find the categories whose F1 moved most, best gain first."""
    enough = [one for one in difference.found["per_label"] if one["positives"] >= MOVED]
    moved = sorted(enough, key=lambda one: -abs(one["b"] - one["a"]))[: 2 * MOVED]
    return sorted(moved, key=lambda one: one["a"] - one["b"])


@styled
def _labels(difference: Difference) -> Chart:
    rows = _moved(difference)
    figure, ax = axes(0.9 + 0.22 * max(len(rows), 3))
    tips = {}
    for at, one in enumerate(rows):
        ax.plot([one["a"], one["b"]], [at, at], color=FAINT, lw=2)
        (dot,) = ax.plot(one["b"], at, "o", color=SERIES[0], ms=6, label=None if at else "b")
        ax.plot(one["a"], at, "o", color=SERIES[1], ms=6, label=None if at else "a")
        dot.set_gid(f"label-{at}")
        tips[f"label-{at}"] = (
            f"{one['label']}: {one['a']:.2f} to {one['b']:.2f}, {one['positives']:,} papers"
        )
    ax.set_yticks(range(len(rows)), [one["label"] for one in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set(xlabel="F1", xlim=(0, 1))
    ax.tick_params(axis="y", length=0)
    only(ax, "x")
    ax.legend(loc="best")
    return Chart("labels", "Categories whose F1 moved most", figure, tips)


def _page(difference: Difference, drawn: list[Chart]) -> str:
    found = difference.found
    figures = found["figures"]
    captions = (
        f"{figures['level']:.0%} intervals of the difference; where one holds 0, the two are not "
        "told apart on these papers.",
        f"Categories with at least {MOVED} papers. One category alone rests on few papers: "
        "no interval is given.",
    )
    shown = charts(figure(chart, text) for chart, text in zip(drawn, captions, strict=False))
    sections = [
        Section("Figures", _table(difference) + shown),
        Section("Best category right", _best(difference)),
        Section("Every category", _every(difference)),
    ]
    lead = f'<p class="warning"><b>{html.escape(INVENTED)}</b></p>' if difference.invented else ""
    lead += paragraph(
        f"a is {difference.a}, b is {difference.b}: {figures['papers']:,} papers of the split "
        f"{found['split']}, {found['labels']} categories. Paired bootstrap, "
        f"{figures['samples']:,} resamples: both are measured on the same papers, drawn again.",
        "quiet",
    )
    for key, name in (("only_a", "a"), ("only_b", "b")):
        if found[key]:
            lead += paragraph(f"Left out, as only {name} knows them: {', '.join(found[key])}.")
    return page(f"{difference.b} against {difference.a}", lead, sections, "")


def _table(difference: Difference) -> str:
    rows: list[Sequence[str | Cell]] = []
    for name, one, verdict in difference.rows():
        interval = "{:+.4f} to {:+.4f}".format(*one["interval"]) if one["interval"] else "–"
        told = f"<b>{verdict}</b>" if verdict in {"better", "worse"} else verdict
        rows.append(
            [
                name,
                f"{one['a']:.4f}",
                f"{one['b']:.4f}",
                f"{one['difference']:+.4f}",
                interval,
                Cell(told),
            ]
        )
    return table(("", "a", "b", "difference", "interval", "b is"), rows, numbers=range(1, 5))


def _best(difference: Difference) -> str:
    best = difference.found["best"]
    rows = [
        ["both right", f"{best['both']:,}"],
        ["only a right", f"{best['only_a']:,}"],
        ["only b right", f"{best['only_b']:,}"],
        ["neither right", f"{best['neither']:,}"],
    ]
    text = "Papers by whose best-scored category is one of theirs."
    return paragraph(text) + table(("", "papers"), rows, numbers=[1])


def _every(difference: Difference) -> str:
    rows = [
        [
            one["label"],
            Cell(f"{one['a']:.2f}", one["a"]),
            Cell(f"{one['b']:.2f}", one["b"]),
            Cell(f"{one['b'] - one['a']:+.2f}", one["b"] - one["a"]),
            Cell(f"{one['positives']:,}", one["positives"]),
        ]
        for one in sorted(difference.found["per_label"], key=lambda one: -one["positives"])
        if one["positives"]
    ]
    heads = ("category", "F1 of a", "F1 of b", "difference", "papers")
    whole = table(heads, rows, numbers=range(1, 5), sortable=True)
    return f"<details><summary>all {len(rows)} categories</summary>{whole}</details>"
