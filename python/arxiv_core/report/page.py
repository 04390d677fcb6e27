"""HTML pages that need nothing but themselves. What is passed as text is escaped here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arxiv_core import __version__
from arxiv_core.report.drawing import Chart

__all__ = ["Cell", "Section", "charts", "figure", "page", "paragraph", "table", "tiles"]

NUMBER = ' class="number"'

HERE = Path(__file__).parent

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="arxiv-core {version}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{lead}
<nav>{links}</nav>
</header>
<main>
{body}
</main>
<footer>Written by arxiv-core {version}. {footer}</footer>
<script>
{script}</script>
</body>
</html>
"""


@dataclass(frozen=True)
class Section:
    """A part of a page."""

    title: str
    body: str
    """HTML; where it is empty, the section is left out."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table that is more than its text."""

    html: str
    """What is shown."""
    value: float | None = None
    """By what it is sorted, where it is a number."""


def page(title: str, lead: str, sections: Iterable[Section], footer: str) -> str:
    """Put a page together.

    Parameters
    ----------
    title
        Text.
    lead
        HTML below the title.
    sections
        The page's parts.
    footer
        Text.

    Returns
    -------
    str
        The whole page.
    """
    kept = [section for section in sections if section.body]
    links = "".join(f'<a href="#{_slug(one.title)}">{html.escape(one.title)}</a>' for one in kept)
    body = "\n".join(
        f'<section id="{_slug(one.title)}">\n<h2>{html.escape(one.title)}</h2>\n{one.body}\n'
        "</section>"
        for one in kept
    )
    return PAGE.format(
        title=html.escape(title),
        version=__version__,
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
        lead=lead,
        links=links,
        body=body,
        footer=html.escape(footer),
    )


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph of text; `kind` is its class."""
    return f'<p class="{kind}">{html.escape(text)}</p>' if kind else f"<p>{html.escape(text)}</p>"


def tiles(entries: Iterable[tuple[str, str, str]]) -> str:
    """Write figures large: value, name, remark."""
    parts = (
        f'<div class="tile"><span>{html.escape(name)}</span><b>{html.escape(value)}</b>'
        f"<span>{html.escape(remark)}</span></div>"
        for value, name, remark in entries
    )
    return f'<div class="tiles">{"".join(parts)}</div>'


def figure(chart: Chart, caption: str, *, wide: bool = False) -> str:
    """Write a chart with its caption; a wide one scrolls on a narrow screen."""
    kind = ' class="wide"' if wide else ""
    said = f"<figcaption><b>{html.escape(chart.title)}.</b> {html.escape(caption)}</figcaption>"
    return f"<figure{kind}>{said}\n{chart.inline()}</figure>"


def charts(figures: Iterable[str]) -> str:
    """Set figures beside each other where there is room."""
    inside = "\n".join(figures)
    return f'<div class="charts">{inside}</div>' if inside else ""


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str | Cell]],
    *,
    numbers: Iterable[int] = (),
    sortable: bool = False,
) -> str:
    """Write a table.

    Parameters
    ----------
    heads
        Of the columns.
    rows
        Texts, or cells of HTML; the first of each row is its head.
    numbers
        Columns that stand at the right.
    sortable
        Whether a click on a column's head sorts it.

    Returns
    -------
    str
        HTML that scrolls sideways where it is too wide.
    """
    right = set(numbers)

    def cell(column: int, content: str | Cell) -> str:
        kind = NUMBER if column in right else ""
        tag = "td" if column else 'th scope="row"'
        if isinstance(content, str):
            content = Cell(html.escape(content))
        value = "" if content.value is None else f' data-value="{content.value:.6g}"'
        return f"<{tag}{kind}{value}>{content.html}</{tag[:2]}>"

    head = "".join(
        f"<th{NUMBER if column in right else ''}>{html.escape(name)}</th>"
        for column, name in enumerate(heads)
    )
    body = "\n".join(
        "<tr>" + "".join(cell(column, content) for column, content in enumerate(row)) + "</tr>"
        for row in rows
    )
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")
