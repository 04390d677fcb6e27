"""Quality beside the model in place now, on the same papers and on the labels that both know."""

from __future__ import annotations

import json
import logging
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import _core, stages
from arxiv_core._core import InputError, ShapeError
from arxiv_core.classifier import encoder_directory
from arxiv_core.pipeline.record import read_json
from arxiv_core.registry.report import Bars, Check

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from arxiv_core.stages import OnProgress

__all__ = ["Evidence", "check"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evidence:
    """The papers that models are compared on."""

    papers: Path | None = None
    """Papers table; None where there is none."""
    embeddings: Path | None = None
    """The table's embeddings; a model that reads other ones encodes the papers itself."""
    split: str = "test"


@dataclass(frozen=True)
class _Scores:
    labels: list[str]
    thresholds: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    truth: NDArray[np.uint8]

    def on(self, labels: list[str]) -> _Scores:
        """Keep these labels only, in this order."""
        import numpy as np

        at = [self.labels.index(label) for label in labels]
        return _Scores(
            labels,
            self.thresholds[at],
            np.ascontiguousarray(self.probabilities[:, at]),
            np.ascontiguousarray(self.truth[:, at]),
        )


def check(
    candidate: Path,
    present: Path | None,
    evidence: Evidence,
    bars: Bars,
    device: str,
    progress: OnProgress | None = None,
) -> Check:
    """Compare micro-F1 by a paired bootstrap.

    Parameters
    ----------
    candidate
        Model directory.
    present
        Directory of the model in its place now; None where there is none.
    evidence
        What to compare on.
    bars
        ``tolerance`` and the bootstrap's options are used.
    device
        Device of the encoder.
    progress
        Receives progress.

    Returns
    -------
    Check
        Failed where the whole interval of the difference lies below minus the tolerance.
    """
    if present is None:
        return Check("quality", True, "there is no model in place to be worse than")
    if evidence.papers is None or not evidence.papers.is_file():
        missing = f"{evidence.papers} is not there" if evidence.papers else "no papers are given"
        return Check(
            "quality",
            False,
            f"{missing}: give a papers table with --papers papers.parquet, or leave the check "
            "out with --without quality",
        )
    old = _scores(present, evidence, device, progress)
    new = _scores(candidate, evidence, device, progress)
    shared = [label for label in old.labels if label in set(new.labels)]
    only_old, only_new = len(old.labels) - len(shared), len(new.labels) - len(shared)
    if not shared:
        return Check("quality", False, "the two models have no label in common")
    compared = _compare(old.on(shared), new.on(shared), bars)
    difference, (low, high) = compared["micro_f1"]["difference"], compared["micro_f1"]["interval"]
    passed = high >= -bars.tolerance
    labels = f"{len(shared)} labels"
    if only_old or only_new:
        labels += f" that both have ({only_old} only the present model, {only_new} only this one)"
    said = (
        f"micro-F1 {compared['micro_f1']['b']:.4f} beside {compared['micro_f1']['a']:.4f}, "
        f"difference {difference:+.4f} ({100 * bars.level:g} % interval {low:+.4f} to {high:+.4f}) "
        f"on {len(new.truth):,} papers of the split {evidence.split} and {labels}"
    )
    if not passed:
        said += f": all of it lies below {0 - bars.tolerance:g}"
    figures = dict(compared) | {
        "papers": len(new.truth),
        "split": evidence.split,
        "labels": len(shared),
        "labels_only_present": only_old,
        "labels_only_candidate": only_new,
        "tolerance": bars.tolerance,
    }
    return Check("quality", passed, said, figures)


def _compare(old: _Scores, new: _Scores, bars: Bars) -> dict[str, Any]:
    import numpy as np

    if not np.array_equal(old.truth, new.truth):
        raise ShapeError("the two models were scored on different papers")
    options = {
        "bootstrap": {"samples": bars.samples, "seed": bars.seed, "level": bars.level},
    }
    answer = _core.compare_scores(
        old.probabilities,
        old.thresholds,
        new.probabilities,
        new.thresholds,
        new.truth,
        json.dumps(options),
    )
    found: dict[str, Any] = json.loads(answer)
    return found


def _scores(model: Path, evidence: Evidence, device: str, progress: OnProgress | None) -> _Scores:
    """Evaluate a model, for what it says of each paper."""
    import numpy as np

    assert evidence.papers is not None
    spec = read_json(model / "classifier.json")
    encoder = encoder_directory(model)
    with tempfile.TemporaryDirectory(prefix="arxiv-core-") as scratch:
        file = Path(scratch) / "scores.safetensors"
        options: dict[str, Any] = {
            "scores": str(file),
            "bootstrap": {"samples": 0},
            "device": device,
        }
        if encoder is not None:
            options["encoder"] = encoder
        try:
            embeddings = evidence.embeddings
            stages.evaluate(evidence.papers, embeddings, model, evidence.split, options, progress)
        except (InputError, ShapeError) as error:
            if evidence.embeddings is None:
                raise
            _log.info("encoding the papers for %s now: %s", model, error)
            stages.evaluate(evidence.papers, None, model, evidence.split, options, progress)
        arrays = _arrays(file)
    return _Scores(
        labels=[str(label) for label in spec["labels"]],
        thresholds=np.asarray(spec["thresholds"], dtype=np.float32),
        probabilities=arrays["probabilities"],
        truth=arrays["truth"],
    )


def _arrays(file: Path) -> Mapping[str, NDArray[Any]]:
    """Read a safetensors file: the header's length, a JSON header, little-endian data."""
    import numpy as np

    kinds: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "U8": np.dtype("u1")}
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(
            data,
            dtype=kinds[entry["dtype"]],
            count=int(np.prod(entry["shape"])),
            offset=8 + length + entry["data_offsets"][0],
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }
