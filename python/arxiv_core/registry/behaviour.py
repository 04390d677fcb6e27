"""Behavioural tests of a model, on a small committed set of invented papers.

After Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList" (2020):

- invariance: case, white space and LaTeX noise change nothing that is assigned;
- directional: a sentence that speaks for a category raises its probability;
- minimum functionality: an unmistakable paper has its category, or its archive, on top.

Where a model has none of the categories that a case is about, the case is left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core.registry.report import Bars, Check

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from arxiv_core import Classifier

__all__ = ["PAPERS", "VARIANTS", "check", "papers"]

PAPERS = Path(__file__).with_name("behaviour.json")
"""The invented papers: what is expected of each, and sentences that speak for a category."""


def _upper(text: str) -> str:
    return text.upper()


def _lower(text: str) -> str:
    return text.lower()


def _blanks(text: str) -> str:
    """Break lines and double blanks, as abstracts in the snapshot have them."""
    words = text.split(" ")
    joints = [
        "\n  " if index % 9 == 8 else "  " if index % 4 == 3 else " " for index in range(len(words))
    ]
    return "  " + "".join(word + joint for word, joint in zip(words, joints, strict=True)) + "\n"


def _latex(text: str) -> str:
    """Mark words up and set numbers in mathematics mode."""
    words = text.split(" ")
    for index, word in enumerate(words):
        if re.fullmatch(r"[0-9]+", word):
            words[index] = f"${word}$"
        elif index % 11 == 5 and word.isalpha():
            words[index] = rf"\emph{{{word}}}"
        elif index % 13 == 7 and word.isalpha():
            words[index] = rf"{{\bf {word}}}"
    return " ".join(words)


VARIANTS: dict[str, Callable[[str], str]] = {
    "upper case": _upper,
    "lower case": _lower,
    "white space": _blanks,
    "LaTeX noise": _latex,
}
"""Ways to write the same text otherwise."""

Paper = dict[str, str]


@dataclass
class _Batch:
    """Papers that are scored together."""

    papers: list[Paper] = field(default_factory=list)

    def add(self, title: str, abstract: str) -> int:
        self.papers.append({"title": title, "abstract": abstract})
        return len(self.papers) - 1


def papers() -> list[dict[str, Any]]:
    """Return the invented papers, as mappings with ``title`` and ``abstract``."""
    found: list[dict[str, Any]] = _cases()["papers"]
    return found


def check(classifier: Classifier, bars: Bars) -> Check:
    """Run every behavioural test.

    Parameters
    ----------
    classifier
        The candidate.
    bars
        ``probability_tolerance`` is used.

    Returns
    -------
    Check
        Passed where every case holds; else the failures say which did not.
    """
    cases = _cases()
    batch = _Batch()
    plain = {one["id"]: batch.add(one["title"], one["abstract"]) for one in cases["papers"]}
    variants = [
        (one["id"], name, batch.add(rewrite(one["title"]), rewrite(one["abstract"])))
        for one in cases["papers"]
        for name, rewrite in VARIANTS.items()
    ]
    texts = {one["id"]: one for one in cases["papers"]}
    pushed = [
        batch.add(
            texts[one["paper"]]["title"], f"{texts[one['paper']]['abstract']} {one['sentence']}"
        )
        for one in cases["directional"]
    ]
    probabilities, _ = classifier.scores(batch.papers)
    judged = _Judged(classifier.labels, classifier.thresholds, probabilities)

    failures: list[str] = []
    worst = 0.0
    for name, variant, row in variants:
        moved, changed = judged.moved(plain[name], row, bars.probability_tolerance)
        worst = max(worst, moved)
        failures += [
            f"invariance: {variant} of the paper {name!r} changes whether {label} is assigned, "
            f"from a probability of {before:.3f} to {after:.3f}"
            for label, before, after in changed
        ]
    pushes = zip(cases["directional"], pushed, strict=True)
    applied = [(one, row) for one, row in pushes if one["category"] in judged.index]
    for one, row in applied:
        before = judged.probability(plain[one["paper"]], one["category"])
        after = judged.probability(row, one["category"])
        if after <= before:
            failures.append(
                f"directional: a sentence that speaks for {one['category']} changes its "
                f"probability for the paper {one['paper']!r} from {before:.3f} to {after:.3f}"
            )
    known = [one for one in cases["papers"] if judged.has_any(one["expected"])]
    for one in known:
        best, probability = judged.best(plain[one["id"]])
        if best not in one["expected"] and _archive(best) not in one["expected"]:
            failures.append(
                f"minimum functionality: the paper {one['id']!r} is of "
                f"{' or '.join(one['expected'])}, but {best} is on top with {probability:.3f}"
            )
    total = len(variants) + len(applied) + len(known)
    left_out = len(pushed) - len(applied) + len(cases["papers"]) - len(known)
    kinds = (
        f"{len(variants)} of invariance, {len(applied)} directional, "
        f"{len(known)} of minimum functionality"
    )
    outside = f"; {left_out} left out, whose categories the model does not have" if left_out else ""
    return Check(
        "behaviour",
        passed=not failures,
        sentence=f"{total - len(failures)} of {total} cases hold ({kinds}{outside})"
        if not failures
        else f"{len(failures)} failures in {total} cases ({kinds}{outside}), first: {failures[0]}",
        figures={
            "invariance": len(variants),
            "largest_change": round(worst, 6),
            "directional": len(applied),
            "minimum_functionality": len(known),
            "left_out": left_out,
        },
        failures=failures,
    )


@dataclass(frozen=True)
class _Judged:
    """Scores of the batch, asked for by paper and label."""

    labels: Sequence[str]
    thresholds: NDArray[np.float32]
    scores: NDArray[np.float32]

    @property
    def index(self) -> dict[str, int]:
        return {label: at for at, label in enumerate(self.labels)}

    def has_any(self, expected: Sequence[str]) -> bool:
        return any(label in expected or _archive(label) in expected for label in self.labels)

    def probability(self, row: int, label: str) -> float:
        return float(self.scores[row, self.index[label]])

    def best(self, row: int) -> tuple[str, float]:
        at = int(self.scores[row].argmax())
        return self.labels[at], float(self.scores[row, at])

    def moved(
        self, plain: int, variant: int, tolerance: float
    ) -> tuple[float, list[tuple[str, float, float]]]:
        """Largest change of a probability, and the labels that change beyond `tolerance`."""
        before, after = self.scores[plain], self.scores[variant]
        change = abs(after - before)
        flipped = (before >= self.thresholds) != (after >= self.thresholds)
        at = (flipped & (change > tolerance)).nonzero()[0]
        return float(change.max()), [
            (self.labels[one], float(before[one]), float(after[one])) for one in at
        ]


def _archive(category: str) -> str:
    return category.partition(".")[0]


def _cases() -> dict[str, Any]:
    cases: dict[str, Any] = json.loads(PAPERS.read_text(encoding="utf-8"))
    return cases
