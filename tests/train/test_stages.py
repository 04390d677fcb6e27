"""`train` and `evaluate` from Python: options by name, errors by class, figures by key."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from arxiv_core import FitError, InputError, OptionError, _core, stages
from safetensors.numpy import load_file

HIDDEN = 4
LABELS = ("cs.LG", "hep-th", "math.AG")
WORDS = ("network", "string", "scheme")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A papers table of 240 invented papers over twelve months, and its embeddings."""
    folder = tmp_path_factory.mktemp("train")
    lines, labels = [], []
    for number in range(240):
        label = number % 3
        labels.append(label)
        month = 1 + number // 20
        paper = {
            "id": f"23{month:02}.{number:05}",
            "title": f"On the {WORDS[label]} number {number}",
            "abstract": f"We study one {WORDS[label]} of the {number}th kind, "
            f"and show in {number * 7 % 101} steps what it is not ({number * 13 % 97}).",
            "categories": LABELS[label],
        }
        lines.append(json.dumps(paper))
    snapshot = folder / "snapshot.jsonl"
    snapshot.write_text("\n".join(lines), encoding="utf-8")
    stages.prepare(snapshot, folder, {"dedup": {"near": False}})
    noise = np.random.default_rng(0).normal(0, 0.1, (240, HIDDEN))
    vectors = (noise + 0.5 * np.eye(3, HIDDEN)[labels]).astype(np.float32)
    metadata = {
        "papers_checksum": _core.checksum(folder / "papers.parquet"),
        "encoder_sha256": "ab" * 32,
        "tokenizer_sha256": "cd" * 32,
        "template_version": "1",
        "max_length": "512",
        "pooling": "mean+normalize",
        "dtype": "f32",
    }
    array = {"dtype": "F32", "shape": list(vectors.shape), "data_offsets": [0, vectors.nbytes]}
    header = json.dumps({"__metadata__": metadata, "embeddings": array}).encode()
    (folder / "embeddings").write_bytes(struct.pack("<Q", len(header)) + header + vectors.tobytes())
    return folder


def options(head: str) -> dict[str, object]:
    """A small head."""
    return {
        "head": head,
        "logistic": {"c": 100.0},
        "mlp": {
            "width": 8,
            "dimensions": 4,
            "epochs": 20,
            "batch": 32,
            "learning_rate": 0.02,
            "vectors_learning_rate": 0.02,
            "words": {"min_papers": 2},
        },
    }


@pytest.mark.parametrize("head", ["logistic", "mlp", "hybrid"])
def test_a_head_learns_what_there_is_and_is_measured(place: Path, head: str) -> None:
    papers, embeddings, model = (place / name for name in ("papers.parquet", "embeddings", head))
    seen: list[str] = []
    summary = stages.train(
        papers, embeddings, model, options(head), lambda event: seen.append(event["stage"])
    )
    assert summary["papers"]["fit"] > summary["papers"]["validation"] > 0
    assert set(summary["labels"]) == set(LABELS)
    assert summary["bytes"] == sum(
        file.stat().st_size for file in model.iterdir() if file.name != "manifest.json"
    )
    assert seen
    figures = stages.evaluate(papers, embeddings, model)
    assert figures["split"] == "test"
    assert figures["papers"] == 60
    assert figures["micro_f1"] > 0.95
    assert figures["precision_at_1"] > 0.95
    assert {"year", "archive", "length", "rarity", "archives"} <= set(figures["slices"])
    assert [row["label"] for row in figures["per_label"]] == list(summary["labels"])


def test_the_scores_of_an_evaluation_are_those_it_measured(place: Path, tmp_path: Path) -> None:
    papers, embeddings, model = place / "papers.parquet", place / "embeddings", tmp_path / "model"
    trained = options("logistic") | {"logistic": {"c": 0.01}}
    labels = list(stages.train(papers, embeddings, model, trained)["labels"])
    scores = tmp_path / "new" / "scores.safetensors"
    figures = stages.evaluate(papers, embeddings, model, "test", {"scores": str(scores)})
    arrays = load_file(scores)
    table = _core.Papers.read(str(papers))
    test = [row for row, split in enumerate(table.splits) if split == "test"]
    truth = [[label in table.categories[row] for label in labels] for row in test]
    np.testing.assert_array_equal(arrays["truth"], np.array(truth, np.uint8))
    thresholds = json.loads((model / "classifier.json").read_text())["thresholds"]
    again = _core.evaluate_scores(
        arrays["probabilities"],
        arrays["truth"],
        np.array(thresholds, np.float32),
        options=json.dumps({"bootstrap": {"samples": 0}}),
    )
    for figure in ("micro_f1", "map", "brier", "lrap"):
        assert json.loads(again)[figure] == figures[figure]


def test_the_seed_decides_the_files(place: Path) -> None:
    papers, embeddings = place / "papers.parquet", place / "embeddings"
    manifests = []
    for name in ("one", "two"):
        stages.train(papers, embeddings, place / name, options("hybrid") | {"seed": 7})
        manifests.append(json.loads((place / name / "manifest.json").read_text())["files"])
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"head": "forest"}, OptionError, "forest"),
        ({"epochs": 3}, OptionError, "epochs"),
        ({"holdout": 1.0}, OptionError, "holdout"),
        ({"thresholds": {"shrinkage": float("inf")}}, OptionError, r"thresholds\.shrinkage = inf"),
        ({"min_papers": 10_000}, FitError, "10000 papers"),
    ],
)
def test_what_cannot_be_used_is_named(
    place: Path, change: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        stages.train(place / "papers.parquet", place / "embeddings", place / "no", change)
    assert not (place / "no").exists()


def test_a_split_or_embeddings_that_do_not_fit_are_named(place: Path) -> None:
    papers, embeddings, model = (place / name for name in ("papers.parquet", "embeddings", "fit"))
    stages.train(papers, embeddings, model, options("mlp"))
    with pytest.raises(OptionError, match="dev"):
        stages.evaluate(papers, embeddings, model, split="dev")
    with pytest.raises(OptionError, match="encoder"):
        stages.evaluate(papers, None, model)
    with pytest.raises((InputError, OSError), match="nothing"):
        stages.evaluate(papers, place / "nothing", model)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("encoder_sha256", "ef" * 32),
        ("tokenizer_sha256", "ef" * 32),
        ("max_length", "256"),
        ("pooling", "cls"),
    ],
)
def test_embeddings_made_otherwise_than_the_models_are_refused(
    place: Path, tmp_path: Path, key: str, other: str
) -> None:
    papers, embeddings = place / "papers.parquet", place / "embeddings"
    stages.train(papers, embeddings, tmp_path / "model", options("logistic"))
    content = embeddings.read_bytes()
    end = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:end])
    header["__metadata__"][key] = other
    written = json.dumps(header).encode()
    changed = tmp_path / "embeddings"
    changed.write_bytes(struct.pack("<Q", len(written)) + written + content[end:])
    with pytest.raises(InputError, match=f"{key.removesuffix('_sha256')}: embedded with {other}"):
        stages.evaluate(papers, changed, tmp_path / "model", "test")


def test_embeddings_of_another_table_are_refused(place: Path, tmp_path: Path) -> None:
    papers, embeddings = place / "papers.parquet", place / "embeddings"
    other = tmp_path / "papers.parquet"
    table = pq.read_table(papers)
    pq.write_table(table.take(list(reversed(range(len(table))))), other)
    with pytest.raises(InputError, match="another papers table"):
        stages.train(other, embeddings, tmp_path / "model", options("logistic"))
    stages.train(papers, embeddings, tmp_path / "model", options("logistic"))
    with pytest.raises(InputError, match="another papers table"):
        stages.evaluate(other, embeddings, tmp_path / "model", "test")
