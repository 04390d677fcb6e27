"""The model in the wheel: what it is, that its card is true, and what it says of plain cases."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, Encoder, _core, models, taxonomy
from arxiv_core.classifier import DEFAULT
from arxiv_core.pipeline.raw import SAMPLE
from numpy.testing import assert_array_equal

ROOT = Path(__file__).parents[2]
LIMIT = 10_000_000

Papers = list[dict[str, str]]


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return read(DEFAULT / "classifier.json")


@pytest.fixture(scope="module")
def card() -> str:
    return (DEFAULT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def quality() -> dict[str, Any]:
    tables: dict[str, Any] = read(ROOT / "benches/results/quality.json")["tables"]
    return tables


@pytest.fixture(scope="module")
def mixed() -> Papers:
    """Forty papers of the bundled corpus, and texts from nothing to more than the model reads."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines[::10] if line]
    papers = [{key: paper[key] for key in ("title", "abstract")} for paper in found][:40]
    words = " ".join(paper["abstract"] for paper in papers).split()
    extremes = [0, 1, 7, 120, 450, 1200]
    papers += [{"title": "", "abstract": " ".join(words[:size])} for size in extremes]
    assert len(papers) == 46
    return papers


def test_its_files_take_at_most_ten_megabytes() -> None:
    assert sum(path.stat().st_size for path in DEFAULT.rglob("*") if path.is_file()) <= LIMIT


def test_its_labels_are_arxivs_active_categories_with_fifty_papers(
    default: Classifier, spec: dict[str, Any], card: str
) -> None:
    written = re.search(r"head was fitted to: (.*)\.\n", card)
    assert written
    counts = {name: int(count) for name, count in re.findall(r"(\S+) \((\d+)\)", written[1])}
    assert default.labels == spec["labels"] == list(counts)
    assert min(counts.values()) >= 50
    left_out = re.search(r"fewer than 50: (.*)\. In arXiv's\ntaxonomy, .*: (.*)\.\n", card)
    assert left_out
    others = set(re.findall(r"[\w-]+\.[\w-]+", left_out[1] + " " + left_out[2]))
    active = {one["canonical"] for one in taxonomy() if one["active"]}
    assert set(counts) | others == active
    assert not set(counts) & others


def test_its_encoder_is_the_one_this_library_knows(spec: dict[str, Any], card: str) -> None:
    assert spec["encoder"]["sha256"] == models.KNOWN["minilm"].sha256
    assert models.KNOWN["minilm"].sha256 in card


def test_it_reads_as_many_word_pieces_as_the_encoder_has_positions(
    default: Classifier, spec: dict[str, Any]
) -> None:
    assert spec["max_length"] == 512
    papers = [{"title": "", "abstract": "word " * count} for count in (510, 511)]
    assert [one.truncated for one in default.classify(papers)] == [False, True]


def test_the_files_measured_are_the_files_shipped() -> None:
    measured = read(ROOT / "benches/results/derived.json")
    shipped = read(DEFAULT / "manifest.json")["files"]
    assert {"classifier.json", "head.safetensors", "features.safetensors"} <= shipped.keys()
    assert measured["model"].items() <= shipped.items()
    assert shipped.keys() - measured["model"].keys() == {"README.md", "metrics.json"}
    made = read(DEFAULT / "metrics.json")["today"]
    for figure in ("micro_f1", "macro_f1", "precision_at_1", "recall_at_5"):
        assert measured["evaluation"][figure] == pytest.approx(made[figure], abs=2e-3), figure


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The module that writes the card."""
    path = ROOT / "benches/quality/card.py"
    made = importlib.util.spec_from_file_location("card", path)
    assert made
    assert made.loader
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def test_its_cards_words_are_those_of_its_files(
    writer: ModuleType, card: str, spec: dict[str, Any]
) -> None:
    result = read(ROOT / "benches/results/quality.json")
    assert writer._thresholds(spec["thresholds"]) in card
    assert writer._expanded(result) in card
    assert writer._missed(read(DEFAULT / "metrics.json")["today"]) in card


def test_its_recipe_is_no_worse_than_was_asked_for_and_better_than_the_baselines(
    quality: dict[str, Any],
) -> None:
    ours = quality["reported"]["arxiv-core"]
    floors = {"micro_f1": 0.65, "macro_f1": 0.49, "precision_at_1": 0.775, "recall_at_5": 0.895}
    for figure, floor in floors.items():
        assert ours[figure] >= floor
        for rows in quality.values():
            for baseline in ("tfidf", "minilm"):
                assert rows["arxiv-core"][figure] > rows[baseline][figure]


def test_its_cards_tables_are_the_measured_ones(
    writer: ModuleType, card: str, quality: dict[str, Any]
) -> None:
    for name, rows in quality.items():
        assert writer.TITLES[name] in card
        assert {"arxiv-core", "tfidf", "minilm"} <= rows.keys()
    assert writer.renew(card, quality) == card


def test_its_metrics_are_the_measured_ones(spec: dict[str, Any], quality: dict[str, Any]) -> None:
    metrics = read(DEFAULT / "metrics.json")
    assert metrics.keys() == quality.keys()
    for name, rows in quality.items():
        row = rows["arxiv-core"]
        for key in ("papers", "micro_f1", "macro_f1", "precision_at_1", "recall_at_5"):
            assert metrics[name][key] == row[key], key
        assert row["intervals"].items() <= metrics[name]["intervals"].items()
    assert [row["label"] for row in metrics["today"]["per_label"]] == spec["labels"]


@pytest.mark.parametrize(
    ("title", "abstract", "category"),
    [
        (
            "Attention is all you need",
            "The dominant sequence transduction models are based on complex recurrent or "
            "convolutional neural networks with an encoder and a decoder. We propose a network "
            "that is based on attention alone and dispenses with recurrence. On two machine "
            "translation tasks it is better and trains in less time.",
            r"cs\.(CL|LG|AI|CV|NE)",
        ),
        (
            "The light hadron spectrum from lattice QCD with domain wall quarks",
            "We compute hadron masses in lattice QCD with 2+1 flavours of dynamical domain wall "
            "fermions at two lattice spacings, and extrapolate to the continuum limit and to the "
            "physical pion mass. Gauge configurations were made by hybrid Monte Carlo.",
            "hep-lat",
        ),
        (
            "Ranks of elliptic curves over number fields",
            "We bound the average rank of the Mordell-Weil groups of elliptic curves over a fixed "
            "number field by counting integral points on binary quartic forms.",
            r"math\.NT",
        ),
    ],
)
def test_a_plain_case_gets_its_category(
    default: Classifier, title: str, abstract: str, category: str
) -> None:
    [prediction] = default.classify([{"title": title, "abstract": abstract}])
    best = prediction.categories[0]
    assert re.fullmatch(category, best.category)
    assert best.assigned
    assert best.probability > 0.5


def test_a_batch_is_its_papers_one_by_one(default: Classifier, mixed: Papers) -> None:
    together, truncated = default.scores(mixed)
    alone = np.concatenate([default.scores([paper])[0] for paper in mixed])
    assert truncated.any()
    assert np.abs(together - alone).max() <= 1e-5
    for one, other in zip(together, alone, strict=True):
        apart = other[:, None] - other[None, :] > 1e-5
        assert (one[:, None] > one[None, :])[apart].all()


def test_the_same_batch_twice_is_equal_to_the_bit(default: Classifier, mixed: Papers) -> None:
    assert_array_equal(default.scores(mixed)[0], default.scores(mixed)[0])


def test_a_batchs_embeddings_are_those_of_its_texts_one_by_one(
    spec: dict[str, Any], mixed: Papers
) -> None:
    encoder = Encoder.load("minilm", device="cpu", max_length=spec["max_length"])
    texts = [_core.template(paper["title"], paper["abstract"]) for paper in mixed]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.abs(encoder.encode(texts) - alone).max() <= 2e-6
