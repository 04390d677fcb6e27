"""The report on one run: ``report.html``, and its charts in ``plots/``."""

from __future__ import annotations

import datetime
import html
from collections.abc import Sequence
from pathlib import Path

from arxiv_core.pipeline.layout import PLOTS, REPORT
from arxiv_core.pipeline.record import write_text
from arxiv_core.report import baselines, curves, papers, tables
from arxiv_core.report.drawing import Chart
from arxiv_core.report.page import Section, charts, figure, page, paragraph
from arxiv_core.report.run import Run, read

__all__ = ["INVENTED", "write"]

INVENTED = (
    "This run is on the bundled corpus of invented papers: its figures show that everything runs, "
    "and mean nothing else."
)

EPOCH = datetime.date(1970, 1, 1)


def write(run: Path, beside: Sequence[Path] = (), measured: Path | None = None) -> Path:
    """Write the report on an evaluated run into its directory.

    Parameters
    ----------
    run
        The run's directory.
    beside
        Runs, or files of metrics, whose figures stand beside its own.
    measured
        Folder of baselines, which stand beside it where they are of the same papers; unless given,
        that of the data which the run's configuration names.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    NotYetError
        A run was not evaluated.
    """
    own = read(run)
    known, remark = baselines.beside(own, measured or baselines.folder(own))
    others = [*known, *(read(path, whole=False) for path in beside)]
    drawn = _draw(own)
    for chart in drawn.values():
        chart.write(run / PLOTS)
    write_text(run / REPORT, _page(own, others, remark, drawn))
    return run / REPORT


def _draw(run: Run) -> dict[str, Chart]:
    insight, metrics = run.insight, run.metrics
    made = [
        curves.per_label(metrics),
        curves.precision_recall(insight, metrics),
        curves.reliability(insight),
        curves.thresholds(insight, metrics),
    ]
    for kind, title in (
        ("archives", "Archives taken for others"),
        ("categories", "Categories taken for others"),
    ):
        matrix = insight["confusion"][kind]
        if matrix["names"]:
            made.append(curves.confusion(matrix, f"confusion-{kind}", title))
    made += [
        curves.slices(name, groups) for name, groups in metrics["slices"].items() if len(groups) > 1
    ]
    for losses, unit in _losses(run):
        made.append(curves.learning(losses, unit))
    if epochs := (run.training.get("finetune") or {}).get("epochs"):
        made.append(curves.tuning(epochs))
    return {chart.name: chart for chart in made}


def _losses(run: Run) -> list[tuple[list[float], str]]:
    fit = run.training.get("fit") or {}
    losses = fit.get("losses") or []
    return [(losses, "epoch" if "steps" in fit else "pass over the papers")] if losses else []


def _page(run: Run, others: Sequence[Run], remark: str, drawn: dict[str, Chart]) -> str:
    def group(*captions: tuple[str, str]) -> str:
        return charts(figure(drawn[name], text) for name, text in captions if name in drawn)

    categories = drawn.get("confusion-categories")
    wide = (
        ""
        if categories is None
        else figure(
            categories,
            "Of the papers of each primary category (row), the share whose best-scored category is "
            "the column's; the largest categories only.",
            wide=True,
        )
    )
    slices = [(name, SLICES.get(name[6:], "")) for name in drawn if name.startswith("slice-")]
    sections = [
        Section("Headline", tables.headline(run, others, remark)),
        Section(
            "Categories",
            paragraph(
                "F1 at each category's own threshold. A click on a column's head sorts the table."
            )
            + tables.per_label(run),
        ),
        Section(
            "Curves",
            group(
                (
                    "precision-recall",
                    "All pairs of paper and category as one ranking, and the largest categories "
                    "each by itself.",
                ),
                (
                    "reliability",
                    "Of what was given a probability, the share that came true: on the dashed "
                    "line, probabilities are what they say. Below, how many there are.",
                ),
                (
                    "thresholds",
                    "What one threshold for all categories would do, beside the model's own.",
                ),
                ("learning", "Lower is better; the shape says whether it was done."),
            ),
        ),
        Section(
            "Confusion",
            group(
                (
                    "confusion-archives",
                    "Of the papers of each primary archive (row), the share whose best-scored "
                    "category is in the column's.",
                )
            )
            + wide
            + tables.confusions(run),
        ),
        Section("Slices", group(*slices)),
        Section("Worst mistakes", papers.mistakes(run)),
        Section("Likely mislabelled", papers.mislabelled(run)),
        Section("How it was made", tables.origin(run)),
    ]
    return page(run.name, _lead(run), sections, "The charts lie in plots/ as PNG and SVG.")


SLICES = {
    "year": "By year of submission.",
    "archive": "By archive of the primary category.",
    "length": "By words of the abstract.",
    "rarity": "By the number of training papers of a paper's rarest category.",
    "archives": "Papers whose categories are of one archive, or of several.",
}


def _lead(run: Run) -> str:
    metrics = run.metrics
    first, last = (EPOCH + datetime.timedelta(days) for days in metrics["submitted"])
    model = ""
    if run.spec:
        model = (
            f"{run.spec['head']['kind']} head on {run.spec['encoder']['name']}, "
            f"{len(run.spec['labels'])} categories. "
        )
    text = (
        f"{model}Measured on {metrics['papers']:,} papers of the split {metrics['split']}, "
        f"submitted {first} to {last}."
    )
    warning = f'<p class="warning"><b>{html.escape(INVENTED)}</b></p>' if run.invented else ""
    return warning + paragraph(text, "quiet")
