"""The default model's card.

    python benches/quality/card.py

Writes the rows of the shipped card's tables anew from `benches/results/quality.json`, for
baselines that were measured after the model was made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

NAMES = {
    "arxiv-core": "**this model's recipe**",
    "tfidf": "TF-IDF 1-2-grams, one-vs-rest logistic SGD (scikit-learn)",
    "minilm": "frozen MiniLM, one-vs-rest logistic regression (scikit-learn)",
    "linear": "frozen MiniLM, logistic regression (this library's)",
}
COLUMNS = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "macro_f1_any": "macro-F1, any",
    "precision_at_1": "P@1",
    "primary_at_1": "primary @1",
    "recall_at_5": "recall@5",
    "lrap": "LRAP",
    "map": "mAP",
    "ece": "ECE",
}
RULE = f"|---|{'---|' * len(COLUMNS)}"
TITLES = {
    "reported": "2009 to 2016: arXiv's natural mix",
    "today": "Today's vocabulary",
}


ONE_OF_TWO = (
    "One recipe, two fits: the first table says how good the recipe is, the second how good the "
    "files in this directory are."
)
ONE_OF_ONE = (
    "One recipe, one fit so far: the table's fit is the one in this directory. The fit on both "
    "samples of arXiv metadata, up to 2025-10, and its table are not made yet."
)
BASELINES = (
    " The baselines' probabilities and thresholds were tuned by the same procedure as ours, on\n"
    "validation papers{today}."
)
BASELINES_TODAY = (
    " (in the second table on those of 2025-10\nalone, with heads fitted to all earlier ones), "
    "and their heads were refitted where ours is"
)
MIX_TODAY = """
The second table's papers are no natural mix of arXiv: mostly cs, eess, astro-ph and hep, topped
up in rare categories. Its figures compare methods and say little about arXiv as a whole.
"""
YEARS = {
    "today": """- No training paper is from before 2009 or from between July 2019 and February 2025,
  and none is newer than 2025-10: words of these years are unknown to it or mean what they meant
  before.""",
    "reported": """- No training paper is from before 2009 or newer than 2015. Newer words are
  unknown to it, newer habits too (cs.LG and cs.AI are far more frequent now), and categories
  that came later are not among its labels (see below).""",
}


def card(
    spec: Mapping[str, Any],
    result: Mapping[str, Any],
    summaries: Mapping[str, Mapping[str, Any]],
    metrics: Mapping[str, Mapping[str, Any]],
    shipped: str,
    taxonomy: Collection[str],
) -> str:
    """Write the card in Markdown.

    Parameters
    ----------
    spec
        ``classifier.json`` of the shipped model.
    result
        ``benches/results/quality.json``.
    summaries
        What `train` reported, by table.
    metrics
        What `evaluate` found, by table.
    shipped
        The table whose fit these files are.
    taxonomy
        Every canonical category.
    """
    head, encoder = spec["head"], spec["encoder"]
    fitted = summaries[shipped]
    tables = "\n".join(
        "\n".join(_table(name, result["tables"][name], summaries[name], metrics[name]))
        for name in summaries
    )
    fits = "\n".join(_fit(name, summary, shipped) for name, summary in summaries.items())
    both = len(summaries) > 1
    beside = any({"tfidf", "minilm"} & {*result["tables"][name]} for name in summaries)
    baselines = BASELINES.format(today=BASELINES_TODAY if both else "") if beside else ""
    labels = ", ".join(f"{name} ({fitted['labels'][name]})" for name in spec["labels"])
    absent = sorted({*taxonomy} - {*fitted["labels"]} - {*fitted["left_out"]})
    left_out = ", ".join(f"{name} ({count})" for name, count in fitted["left_out"].items())
    return f"""# The default model

Sorts a paper, given by title and abstract, into {len(spec["labels"])} arXiv categories
(canonical label space, version {spec["label_space_version"]}: the two names of an alias pair such
as cs.IT and math.IT are one label). It is what `arxiv_core.Classifier.load()` and
`arxiv-core classify` use.

- **Text**: title and abstract, cleaned: LaTeX commands go, accents become letters, math stays as
  one would type it; `docs/cleaning.md` says why, and what that does to scores
- **Encoder**: {encoder["name"]}, frozen, not in this directory
  (`model.safetensors` sha256 `{encoder["sha256"]}`), {spec["pooling"]},
  {spec["max_length"]} word pieces
- **Head**: {head["members"]} hidden layer(s) of {head["width"]} over the embedding beside the
  sum of learned vectors of the text's n-grams ({head["features"]} of them, words and pairs of
  words, {head["dimensions"]} values each in 8 bits; TF-IDF weights; titles counted apart)
- **Probabilities**: one sigmoid a label after a scale and a shift per label, both shrunk toward
  those of all labels; {_thresholds(spec["thresholds"])}

## Which fit made what

{ONE_OF_TWO if both else ONE_OF_ONE} Options were chosen on validation papers.

| fit | head fitted to | calibration and thresholds fitted to | tested on |
|---|---|---|---|
{fits}
{tables}

All figures are in the canonical label space, with 95 % bootstrap intervals over test papers.
macro-F1 is over labels with at least 10 positives in the test months; "any" is over those with at
least one.{baselines} `metrics.json` has every label, slices
by year, archive, length, rarity and number of archives. {_expanded(result)}
Embeddings behind the figures, and those that the heads were fitted to, are in f32, as
`Classifier.load()` has them by itself; `benches/quality/derived.py` measures the files in this
directory through that door.
{MIX_TODAY if both else ""}
## Intended use

Suggesting categories to authors, moderators and readers; sorting collections of papers;
features for search. A person decides: it is not meant to reject or reclassify a submission by
itself.

## Limits

- It reads English titles and abstracts as arXiv has them, {spec["max_length"]} word pieces of
  them, and no full text, authors or references.
- It repeats what authors and moderators decided, mistakes and habits included; cross-lists depend
  on who submits.
{YEARS[shipped]}
- Rare categories are weak: {_missed(metrics[shipped])}. See the
  per-label table in `metrics.json` before relying on one.
- A text that is no paper gets categories all the same.

## Labels

With the number of papers the head was fitted to: {labels}.

Left out for having fewer than {fitted["options"]["min_papers"]}: {left_out or "none"}. In arXiv's
taxonomy, but of none of these papers: {", ".join(absent) or "none"}.

## Data and licence

arXiv's descriptive metadata (titles, abstracts, categories, dates), which arXiv dedicates to the
public domain (CC0 1.0). No text of a paper is in these files: n-grams are kept as 32-bit hashes.
The weights carry the licence of arxiv-core.

## Remake

```
python benches/quality/baselines.py{"" if both else " --corpus reported"}
python benches/quality/default_model.py --ship {shipped}
```

with the samples of arXiv metadata that `benches/quality/corpora.py` names. Same inputs, same
options, same number of threads and same kind of processor give the same files.
"""


def _thresholds(thresholds: Collection[float]) -> str:
    if len({*thresholds}) > 1:
        return "a category is assigned from its own threshold on, shrunk toward one for all"
    [one] = {*thresholds}
    return (
        f"a category is assigned from {one:.3f} on. Each label may\n"
        "  have a threshold of its own, shrunk toward one for all; here cross-validation on the\n"
        "  held-out papers chose that one for all"
    )


def _expanded(result: Mapping[str, Any]) -> str:
    ours = result["tables"]["reported"]["arxiv-core"]["expanded"]
    found = ", ".join(
        f"{COLUMNS[name]} {ours[name]:.3f}".replace("0.", ".")
        for name in ("micro_f1", "macro_f1", "precision_at_1", "recall_at_5")
    )
    return (
        "arXiv's own classifier,\ntrained on 1.64 million papers, reports micro-F1 .672, macro-F1 "
        ".474, P@1 .798, recall@5 .896 over\narXiv's 176 raw classes. Those cannot be had from "
        "this data. Nearest come our labels expanded, both\nnames of an alias pair counted: in the "
        f"first table {found}."
    )


def _missed(metrics: Mapping[str, Any]) -> str:
    found = [label for label in metrics["per_label"] if label["positives"]]
    missed = sum(label["f1"] == 0 for label in found)
    return f"of the {len(found)} labels with papers in the test months, {missed} have F1 0"


def _fit(name: str, summary: Mapping[str, Any], shipped: str) -> str:
    papers, share = summary["papers"], summary["options"]["holdout"]
    until, held, tested = {
        "reported": ("2016-01", "of 2016-01 to 2016-03", "2016-04 to 2016-06"),
        "today": (
            "2025-10",
            f"of 2025-10, and a seeded {share:.0%} of all earlier ones, which that first fit did "
            "not see",
            "2025-11 and 2025-12",
        ),
    }[name]
    title = f"*{name}*, **shipped**" if name == shipped else f"*{name}*"
    fit = f"{papers['fit']:,} papers before {until}"
    if papers["refit"]:
        fit = (
            f"{papers['refit']:,} papers, all before {tested[:7]}; for calibration and thresholds "
            f"first to {fit}"
        )
    return f"| {title} | {fit} | {papers['validation']:,} papers {held} | {tested} |"


def renew(text: str, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Replace the rows of a card's tables by those of `tables`."""
    for name, rows in tables.items():
        before, title, rest = text.partition(f"\n## {TITLES[name]}\n")
        above, rule, below = rest.partition(RULE + "\n")
        kept = below.splitlines(keepends=True)
        while kept and kept[0].startswith("|"):
            kept.pop(0)
        lines = "".join(f"{line}\n" for line in _rows(rows))
        text = f"{before}{title}{above}{rule}{lines}{''.join(kept)}"
    return text


def _rows(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for key, title in NAMES.items():
        if key in rows:
            yield f"| {title} | {' | '.join(_cell(rows[key], column) for column in COLUMNS)} |"


def _table(
    name: str,
    rows: Mapping[str, Mapping[str, Any]],
    summary: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> Iterator[str]:
    yield f"\n## {TITLES[name]}\n"
    yield (
        f"{metrics['papers']:,} test papers; {len(summary['labels'])} labels, "
        f"{metrics['macro_labels']} of them with at least 10 positives and "
        f"{metrics['any_labels']} with at least one; "
        f"{metrics['share_outside']:.2%} of the papers' categories are outside the label list.\n"
    )
    yield f"| | {' | '.join(COLUMNS.values())} |"
    yield RULE
    yield from _rows(rows)


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    text = f"{value:.3f}"
    interval = (row.get("intervals") or {}).get(column)
    return f"{text} ({interval[0]:.3f}–{interval[1]:.3f})" if interval else text


def main() -> None:
    """Renew the shipped card."""
    from arxiv_core import classifier

    root = Path(__file__).parents[2]
    model = root / "python" / "arxiv_core" / "default_model"
    result = json.loads((root / "benches/results/quality.json").read_text(encoding="utf-8"))
    texts = {
        name: (model / name).read_text(encoding="utf-8") for name in ("README.md", "metrics.json")
    }
    texts["README.md"] = renew(texts["README.md"], result["tables"])
    classifier.package(model, model, texts=texts)


if __name__ == "__main__":
    main()
