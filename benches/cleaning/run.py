"""What cleaning does to the default model: its recipe on the reported corpus, raw and cleaned.

    python benches/cleaning/run.py [--data DIR] [--work DIR] [--cache DIR] [--from MONTH]
        [--seeds 0 1 2]

Two builds of this library: the one installed, and one with the feature `raw-text`, whose
template joins title and abstract as they lie in the snapshot, white space apart. Each
prepares, embeds (512 tokens), fits heads and fits thresholds by itself; papers and splits are
the same, which is checked. Each arm fits one head a seed. Figures are means over the seeds, and
the intervals of their differences are a paired bootstrap over the test papers.
Papers from 2013 on, half of the corpus: embedding those of them that cleaning changes takes
half an hour on 2 cores, and `--cache` keeps it over runs. Writes `benches/results/cleaning.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from arxiv_core import _core
from numpy.typing import NDArray
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
import corpora
from provenance import ROOT, provenance

WORK = ROOT / "build" / "cleaning"
RESULT = ROOT / "benches" / "results" / "cleaning.json"
ARMS = ("raw", "cleaned")
FIGURES = ("micro_f1", "macro_f1", "precision_at_1", "recall_at_5")
MIN_POSITIVES = 10
"""Test papers that a label needs to count in macro-F1, as in every table of the default model."""
SAMPLES = 1000


def build_raw(place: Path) -> Path:
    """Build the library that does not clean, and give the folder to import it from."""
    maturin = Path(sys.executable).with_name("maturin")
    wheels, package = place / "wheel", place / "package"
    command = [str(maturin), "build", "--release", "--locked", "--features", "python,raw-text"]
    for old in wheels.glob("*.whl"):
        old.unlink()
    subprocess.run([*command, "--out", str(wheels)], cwd=ROOT, check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(package)
    return package


def run_arm(out: Path, options: argparse.Namespace, package: Path | None) -> dict[str, Any]:
    """Run the worker with the installed build, or with the one in `package`."""
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(out)]
    command += ["--data", str(options.data), "--from", options.first]
    command += ["--seeds", *map(str, options.seeds)]
    if options.cache is not None:
        command += ["--cache", str(options.cache)]
    environment = dict(os.environ)
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    subprocess.run(command, env=environment, check=True)
    answer: dict[str, Any] = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    if (answer["template_version"] == 0) != (package is not None):
        sys.exit(f"{out}: made by a build of template {answer['template_version']}")
    return answer


class Scores:
    """What the figures of one fit are made of, paper by paper."""

    def __init__(self, fit: dict[str, Any]) -> None:
        arrays = load_file(fit["scores"])
        probabilities, truth = arrays["probabilities"], arrays["truth"].astype(bool)
        assigned = probabilities >= np.array(fit["thresholds"], np.float32)
        top = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
        hits = np.take_along_axis(truth, top, axis=1)
        self.hits, self.assigned, self.truth = assigned & truth, assigned, truth
        self.first = hits[:, 0].astype(float)
        # A paper all of whose categories lie outside the labels has no recall.
        with np.errstate(invalid="ignore"):
            self.recall = hits.sum(1) / truth.sum(1)
        self.frequent = truth.sum(0) >= MIN_POSITIVES

    def figures(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The figures `[samples, FIGURES]` of samples in which papers count `weights` times."""
        hits, assigned, truth = (
            weights @ part.astype(float) for part in (self.hits, self.assigned, self.truth)
        )
        with np.errstate(invalid="ignore"):
            labels = np.nan_to_num(2 * hits / (assigned + truth))
        known = ~np.isnan(self.recall)
        return np.stack(
            [
                2 * hits.sum(1) / (assigned + truth).sum(1),
                labels[:, self.frequent].mean(1),
                weights @ self.first / weights.sum(1),
                weights[:, known] @ self.recall[known] / weights[:, known].sum(1),
            ],
            axis=1,
        )


def same(answers: list[dict[str, Any]]) -> NDArray[np.bool_]:
    """Check that both arms have the same rows; returns which test papers cleaning changes."""
    raw, cleaned = (_core.Papers.read(answer["papers"]) for answer in answers)
    if raw.ids != cleaned.ids or raw.splits != cleaned.splits:
        sys.exit("the arms have other papers")
    if len({tuple(fit["labels"]) for answer in answers for fit in answer["fits"]}) > 1:
        sys.exit("the arms have other labels")
    before = zip(raw.titles, raw.abstracts, strict=True)
    after = zip(cleaned.titles, cleaned.abstracts, strict=True)
    return np.array([one != other for one, other in zip(before, after, strict=True)])


def main() -> None:
    """Run both arms and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--from", dest="first", default="2013-01", help="the first month kept")
    parser.add_argument("--cache", type=Path, help="folder of the embedding cache")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    package = build_raw(options.work)
    place = options.work / f"from-{options.first}"
    answers = [run_arm(place / name, options, package if name == "raw" else None) for name in ARMS]
    changed = same(answers)
    test = np.array(_core.Papers.read(answers[0]["papers"]).splits) == "test"
    whole = np.ones((1, test.sum()))
    generator = np.random.default_rng(0)
    draws = generator.multinomial(test.sum(), np.full(test.sum(), 1 / test.sum()), SAMPLES)
    subset = changed[test][None, :].astype(float)
    figures, sampled, of_changed = {}, {}, {}
    for name, answer in zip(ARMS, answers, strict=True):
        fits = [Scores(fit) for fit in answer["fits"]]
        measured = np.concatenate([fit.figures(whole) for fit in fits])
        for row, fit in zip(measured, answer["fits"], strict=True):
            expected = [fit["figures"][figure] for figure in FIGURES]
            # Both build on the same probabilities; equal ones may rank otherwise.
            np.testing.assert_allclose(row, expected, rtol=0, atol=2e-4)
        figures[name] = dict(zip(FIGURES, measured.T.tolist(), strict=True))
        sampled[name] = np.mean([fit.figures(draws.astype(float)) for fit in fits], axis=0)
        of_changed[name] = float(np.mean([fit.figures(subset)[0, 0] for fit in fits]))
    low, high = np.quantile(sampled["cleaned"] - sampled["raw"], [0.025, 0.975], axis=0)
    counts = answers[0]["fits"][0]["papers"]
    result = {
        "bench": "cleaning",
        **provenance(
            "torch",
            "numpy",
            "tokenizers",
            templates="/".join(str(answer["template_version"]) for answer in answers),
        ),
        "corpus": corpora.REPORTED.name,
        "from": options.first,
        "papers": {
            "train": counts["fit"],
            "validation": counts["validation"],
            "test": int(test.sum()),
        },
        "labels": len(answers[0]["fits"][0]["labels"]),
        "seeds": options.seeds,
        "papers_changed": float(changed.mean()),
        "word_pieces": {
            name: answer["word_pieces"] for name, answer in zip(ARMS, answers, strict=True)
        },
        "figures": figures,
        "difference_95": {
            figure: [float(low[at]), float(high[at])] for at, figure in enumerate(FIGURES)
        },
        "micro_f1_of_changed_test_papers": of_changed,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
