"""Charts of a papers table: over time, by category, lengths, and what was dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arxiv_core.report.drawing import (
    FAINT,
    INK,
    SERIES,
    WIDTH,
    Chart,
    axes,
    bars,
    heat,
    only,
    stacked,
    styled,
)

__all__ = ["categories", "categories_per_paper", "dropped", "lengths", "months", "together"]

BARS = 40
"""Categories with a bar."""

YEARLY = 60
"""Months from which years are drawn."""

Json = Mapping[str, Any]


@styled
def months(statistics: Json) -> Chart:
    """Draw papers over time, stacked by archive; whole years where there are many months."""
    found = statistics["months"]
    times, counts = found["months"], found["papers"]
    unit = "month"
    if len(times) > YEARLY:
        times, counts, unit = *_years(times, counts), "year"
    figure, ax = axes(3.6, 1.6 * WIDTH)
    bottom = [0] * len(times)
    for at, archive in enumerate(found["archives"]):
        heights = [row[at] for row in counts]
        ax.bar(range(len(times)), heights, 0.9, bottom, color=SERIES[at], label=archive)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    step = max(1, len(times) // 10)
    ax.set_xticks(range(0, len(times), step), times[::step])
    ax.set(ylabel=f"papers a {unit}")
    ax.set_xlim(-0.6, len(times) - 0.4)
    only(ax, "y")
    figure.legend(loc="outside upper center", ncols=5)
    return Chart("months", f"Papers a {unit}, by archive", figure)


def _years(times: Sequence[str], counts: Sequence[Sequence[int]]) -> tuple[list[str], list[Any]]:
    years = sorted({time[:4] for time in times})
    sums = {year: [0] * len(counts[0]) for year in years}
    for time, row in zip(times, counts, strict=True):
        sums[time[:4]] = [a + b for a, b in zip(sums[time[:4]], row, strict=True)]
    return years, list(sums.values())


@styled
def categories(statistics: Json) -> Chart:
    """Draw the papers of the largest categories."""
    rows = statistics["categories"][:BARS]
    figure, ax = axes(0.8 + 0.19 * max(len(rows), 3))
    names = [row["category"] for row in rows]
    texts = [f"{row['papers']:,}, {row['primary']:,} as primary" for row in rows]
    tips = bars(ax, names, [row["papers"] for row in rows], [f"{r['papers']:,}" for r in rows])
    ax.barh(range(len(rows)), [row["primary"] for row in rows], height=0.7, color=INK, alpha=0.25)
    tips = {mark: f"{n}: {text}" for mark, n, text in zip(tips, names, texts, strict=True)}
    ax.set(xlabel="papers; the darker part as primary")
    return Chart("categories", "The largest categories", figure, tips)


@styled
def together(statistics: Json) -> Chart:
    """Draw which categories go together."""
    names = statistics["together"]["categories"]
    papers = statistics["together"]["papers"]
    side = max(WIDTH, 1.3 + 0.17 * len(names))
    figure, ax = axes(side, side)
    shares = [
        [0.0 if at == column else both / row[at] for column, both in enumerate(row)]
        for at, row in enumerate(papers)
    ]

    def said(row: int, column: int) -> str:
        of = f"{papers[row][column]:,} of {papers[row][row]:,} papers"
        return f"{names[row]} with {names[column]}: {of} ({shares[row][column]:.0%})"

    tips = heat(ax, names, shares, said)
    ax.set(xlabel="carry this one too", ylabel="papers of")
    return Chart("together", "Categories that go together", figure, tips)


@styled
def categories_per_paper(statistics: Json) -> Chart:
    """Draw how many categories a paper has."""
    counts = statistics["categories_per_paper"]
    figure, ax = axes(2.8)
    ax.bar(range(len(counts)), counts, 0.8, color=SERIES[0])
    ax.set_xticks(range(len(counts)))
    ax.set(xlabel="categories of a paper", ylabel="papers")
    only(ax, "y")
    return Chart("categories-per-paper", "Categories of a paper", figure)


@styled
def lengths(statistics: Json) -> Chart:
    """Draw how long titles and abstracts are."""
    figure, upper, lower = stacked(4.6, (1, 1), share=False)
    for ax, key, colour in (
        (upper, "title_words", SERIES[0]),
        (lower, "abstract_words", SERIES[1]),
    ):
        found = statistics[key]
        width = found["width"]
        starts = [at * width for at in range(len(found["bars"]))]
        ax.bar(starts, found["bars"], width, align="edge", color=colour, ec=FAINT, lw=0.3)
        if found["quantiles"]:
            ax.axvline(found["quantiles"][2], color=INK, lw=1, ls=":")
        ax.set(xlabel=f"words of {'a title' if key[0] == 't' else 'an abstract'}", ylabel="papers")
        only(ax, "y")
    return Chart("lengths", "Lengths of titles and abstracts", figure)


@styled
def dropped(manifest: Json) -> Chart:
    """Draw what became of the snapshot's lines."""
    reasons = {key: count for key, count in manifest["dropped"].items() if count}
    rows = [("kept", manifest["papers"]), *sorted(reasons.items(), key=lambda one: -one[1])]
    figure, ax = axes(0.8 + 0.24 * max(len(rows), 3))
    names = [name.replace("_", " ") for name, _ in rows]
    counts = [count for _, count in rows]
    tips = bars(ax, names, counts, [f"{count:,}" for count in counts])
    ax.set(xlabel="lines of the snapshot")
    return Chart("dropped", "What became of the snapshot's lines", figure, tips)
