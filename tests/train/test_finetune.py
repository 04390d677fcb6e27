"""Fine-tuning: against PyTorch, stopped and gone on with, and what it is good for."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import FitError, InputError, OptionError, _core, stages
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

Tiny = Callable[..., Path]
Torch = Callable[[str, dict[str, Any]], dict[str, NDArray[np.float32]]]

LABELS = ("cs.LG", "hep-th", "math.AG")
MASK = (1 << 64) - 1

SHORT = {
    "epochs": 3,
    "batch_tokens": 1024,
    "learning_rate": 1e-3,
    "head_learning_rate": 1e-2,
    "device": "cpu",
    "seed": 5,
}


def tune(papers: Path, encoder: Path, out: Path, **changes: object) -> dict[str, Any]:
    """Tune for a few steps."""
    return stages.finetune(papers, encoder, out, SHORT | changes)


def weights(directory: Path) -> bytes:
    return (directory / "model.safetensors").read_bytes()


class Random:
    """SplitMix64, as src/train/random.rs."""

    def __init__(self, seed: int) -> None:
        self.state = seed & MASK

    def next(self) -> int:
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def shuffle(self, items: list[Any]) -> None:
        for last in range(len(items) - 1, 0, -1):
            other = (self.next() * (last + 1)) >> 64
            items[last], items[other] = items[other], items[last]


def batches(lengths: list[int], budget: int, seed: int, epoch: int) -> list[list[int]]:
    """The order of src/train/finetune/order.rs, without padding."""
    random = Random(seed ^ ((epoch + 1) * 0xD1B54A32D192ED03 & MASK))
    rows = list(range(len(lengths)))
    random.shuffle(rows)
    stretch = 50 * budget // (sum(lengths) // len(lengths))
    made: list[list[int]] = []
    for start in range(0, len(rows), stretch):
        near = sorted(rows[start : start + stretch], key=lambda row: -lengths[row])
        batch: list[int] = []
        for row in near:
            if batch and sum(lengths[one] for one in batch) + lengths[row] > budget:
                made.append(batch)
                batch = []
            batch.append(row)
        made.append(batch)
    random.shuffle(made)
    return made


def read(papers: Path, encoder: Path, split: str) -> dict[str, Any]:
    """Token ids and labels of a split."""
    table = _core.Papers.read(str(papers))
    rows = [row for row, one in enumerate(table.splits) if one == split]
    texts = [_core.template(table.titles[row], table.abstracts[row]) for row in rows]
    ids = _core.Encoder.load(str(encoder), "cpu").token_ids(texts)
    labels = [[LABELS.index(one) for one in table.categories[row]] for row in rows]
    return {"rows": [list(map(int, one)) for one in ids], "labels": labels}


@pytest.mark.parametrize("architecture", ["bert", "distilbert"])
def test_the_steps_are_those_of_torchs_adamw(
    signed_papers: Path, tiny: Tiny, torch_answers: Torch, tmp_path: Path, architecture: str
) -> None:
    encoder = tiny(architecture)
    options = {"weight_decay": 0.1, "warmup": 0.2, "clip": 0.05, "keep": "last"}
    summary = tune(signed_papers, encoder, tmp_path / "tuned", **options)
    train = read(signed_papers, encoder, "train")
    lengths = [len(row) for row in train["rows"]]
    planned = [batches(lengths, 1024, 5, epoch) for epoch in range(3)]
    total = sum(map(len, planned))
    assert summary["steps"] == total > 12
    assert len({len(batch) for batch in planned[0]}) > 2
    rising = round(0.2 * total)
    scales = [
        (step + 1) / rising if step < rising else (total - step) / (total - rising)
        for step in range(total)
    ]
    expected = torch_answers(
        "tune",
        train
        | {"model": str(encoder), "held": read(signed_papers, encoder, "validation"), "width": 3}
        | {"batches": planned, "scales": scales, "lr": 1e-3, "head_lr": 1e-2}
        | {"weight_decay": 0.1, "clip": 0.05},
    )
    losses = expected.pop("validation")
    np.testing.assert_allclose(
        [epoch["validation_loss"] for epoch in summary["epochs"]], losses, atol=1e-5
    )
    before, after = (
        load_file(place / "model.safetensors") for place in (encoder, tmp_path / "tuned")
    )
    assert before.keys() == after.keys() >= expected.keys()
    for name, weight in expected.items():
        if name.endswith(("key.bias", "k_lin.bias")):
            # Moved alike, keys change nothing: its gradient is noise, which Adam makes large.
            continue
        assert np.abs(after[name] - before[name]).max() > 1e-4, name
        np.testing.assert_allclose(after[name], weight, atol=2e-5, err_msg=name)


DIE = """
import json, os, sys
from arxiv_core import stages
papers, encoder, out, options = sys.argv[1:]
def look(event):
    if event["stage"] == "finetune" and event["done"] >= 9:
        os._exit(9)
stages.finetune(papers, encoder, out, json.loads(options), look)
"""


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    signed_papers: Path, tiny: Tiny, tmp_path: Path, how: str
) -> None:
    encoder = tiny(dropout=0.1)
    whole = tune(signed_papers, encoder, tmp_path / "whole")
    out, saved = tmp_path / "again", tmp_path / "saved"
    options = SHORT | {"checkpoint_dir": str(saved), "checkpoint_seconds": 0}
    if how == "killed":
        command = [sys.executable, "-c", DIE, signed_papers, encoder, out, json.dumps(options)]
        assert subprocess.run(command, env=os.environ, check=False).returncode == 9
    else:

        def stop(event: dict[str, Any]) -> None:
            if event["stage"] == "finetune" and event["done"] >= 9:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stages.finetune(signed_papers, encoder, out, options, stop)
    assert not out.exists()
    assert [path.name for path in saved.iterdir()] == ["finetune.safetensors"]
    done: list[int] = []
    summary = stages.finetune(
        signed_papers,
        encoder,
        out,
        options,
        lambda event: done.append(event["done"]) if event["stage"] == "finetune" else None,
    )
    assert min(done) >= 9
    assert weights(out) == weights(tmp_path / "whole")
    assert summary["epochs"] == whole["epochs"]
    assert not saved.exists()


def test_the_checkpoint_of_another_run_is_told_and_not_used(
    signed_papers: Path, tiny: Tiny, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder, saved = tiny(dropout=0.1), tmp_path / "saved"

    def stop(event: dict[str, Any]) -> None:
        if event["stage"] == "finetune" and event["done"] >= 5:
            raise KeyboardInterrupt

    options = SHORT | {"checkpoint_dir": str(saved), "checkpoint_seconds": 0, "epochs": 1}
    with pytest.raises(KeyboardInterrupt):
        stages.finetune(signed_papers, encoder, tmp_path / "out", options, stop)
    with caplog.at_level(logging.WARNING):
        stages.finetune(signed_papers, encoder, tmp_path / "out", options | {"weight_decay": 0.5})
    assert "another run (weight_decay differ): starting anew" in caplog.text
    tune(signed_papers, encoder, tmp_path / "fresh", epochs=1, weight_decay=0.5)
    assert weights(tmp_path / "out") == weights(tmp_path / "fresh")
    saved.mkdir()
    (saved / "finetune.safetensors").write_bytes(b"cut")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        stages.finetune(signed_papers, encoder, tmp_path / "out", options)
    assert "starting anew" in caplog.text
    assert weights(tmp_path / "out") != weights(tmp_path / "fresh")


def test_what_is_tuned_already_is_not_tuned_again(
    signed_papers: Path, tiny: Tiny, tmp_path: Path
) -> None:
    out, events = tmp_path / "out", list[str]()
    first = tune(signed_papers, tiny(), out, epochs=1)
    again = stages.finetune(
        signed_papers,
        tiny(),
        out,
        SHORT | {"epochs": 1},
        lambda event: events.append(event["stage"]),
    )
    assert again == first
    assert "finetune" not in events
    (out / "model.safetensors").write_bytes(b"damaged")
    assert tune(signed_papers, tiny(), out, epochs=1)["encoder_sha256"] == first["encoder_sha256"]


def test_what_lies_in_the_place_of_the_encoder_is_left_alone(
    signed_papers: Path, tiny: Tiny, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="left alone"):
        tune(signed_papers, tiny(), tmp_path)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(("dtype", "prefix"), [("float32", ""), ("float16", "bert.")])
def test_transformers_reads_the_tuned_encoder_and_computes_the_same(
    signed_papers: Path,
    tiny: Tiny,
    torch_answers: Torch,
    tmp_path: Path,
    dtype: str,
    prefix: str,
) -> None:
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny(dtype=dtype), encoder)
    stored = load_file(encoder / "model.safetensors")
    others = {f"{prefix}{name}": weight for name, weight in stored.items()}
    others["cls.predictions.bias"] = np.arange(7, dtype=np.float32)
    save_file(others, str(encoder / "model.safetensors"), {"format": "pt"})
    tune(signed_papers, encoder, tmp_path / "tuned", epochs=1)
    after = load_file(tmp_path / "tuned/model.safetensors")
    assert after.keys() == others.keys()
    np.testing.assert_array_equal(after["cls.predictions.bias"], others["cls.predictions.bias"])
    rows = read(signed_papers, encoder, "test")["rows"]
    expected = torch_answers("encode", {"model": str(tmp_path / "tuned"), "rows": rows})["vectors"]
    table = _core.Papers.read(str(signed_papers))
    test = [row for row, one in enumerate(table.splits) if one == "test"]
    texts = [_core.template(table.titles[row], table.abstracts[row]) for row in test]
    found, base = (
        _core.Encoder.load(str(one), "cpu").encode(texts) for one in (tmp_path / "tuned", encoder)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - base).max() > 1e-3


def test_a_signal_that_the_frozen_encoder_hides_is_learned(
    signed_papers: Path, tiny: Tiny, tmp_path: Path
) -> None:
    options: dict[str, object] = {"epochs": 12, "learning_rate": 3e-3}
    summary = tune(signed_papers, tiny(), tmp_path / "tuned", **options)
    losses = [epoch["loss"] for epoch in summary["epochs"]]
    assert losses[-1] < 0.6 * losses[0]
    validation = [epoch["validation_loss"] for epoch in summary["epochs"]]
    assert summary["kept"] == 1 + validation.index(min(validation))
    figures = []
    for name, encoder in (("frozen", tiny()), ("tuned", tmp_path / "tuned")):
        vectors, model = tmp_path / f"{name}.safetensors", tmp_path / f"{name}-model"
        stages.embed(signed_papers, encoder, vectors, {"device": "cpu"})
        stages.train(signed_papers, vectors, model, {"head": "logistic", "logistic": {"c": 100.0}})
        figures.append(stages.evaluate(signed_papers, vectors, model)["per_label"])
    frozen, tuned = ({row["label"]: row["f1"] for row in one} for one in figures)
    for label in ("cs.LG", "math.AG"):
        assert tuned[label] > frozen[label] + 0.1, (frozen, tuned)
        assert tuned[label] > 0.93


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs = 0"),
        ({"batch_tokens": 0}, "batch_tokens = 0"),
        ({"learning_rate": 0.0}, "learning_rate = 0"),
        ({"head_learning_rate": -1.0}, "head_learning_rate = -1"),
        ({"clip": 0.0}, "clip = 0"),
        ({"warmup": 1.0}, "warmup = 1"),
        ({"weight_decay": -0.1}, "weight_decay = -0.1"),
        ({"holdout": 1.5}, "holdout = 1.5"),
        ({"keep": "worst"}, "keep = "),
        ({"max_length": 97}, "max_length = 97"),
        ({"device": "tpu"}, "device = tpu"),
        ({"lr": 1.0}, "lr = 1"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    signed_papers: Path, tiny: Tiny, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        tune(signed_papers, tiny(), tmp_path / "out", **change)
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_no_number_ends_the_run(
    signed_papers: Path, tiny: Tiny, tmp_path: Path
) -> None:
    with pytest.raises(FitError, match="lower learning_rate"):
        tune(signed_papers, tiny(), tmp_path / "out", learning_rate=1e30, clip=1e30)
