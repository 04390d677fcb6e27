"""The default encoder, random checkpoints in its format, and what to compare them with."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from arxiv_core import _core, models
from numpy.typing import NDArray
from safetensors.numpy import save_file

Arrays = list[NDArray[np.float32]]
Checkpoint = Callable[..., Path]


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The default encoder's directory."""
    return models.resolve("minilm")


@pytest.fixture(scope="session")
def encoder(minilm: Path) -> _core.Encoder:
    """The default encoder in f32."""
    return _core.Encoder.load(str(minilm), "cpu", "f32")


@pytest.fixture(scope="session")
def multiplies_bf16() -> bool:
    """Whether this processor has instructions for bf16."""
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "avx512_bf16" in cpu.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def abstracts(shared_data: Path) -> list[str]:
    """Titles and abstracts of 1,000 real papers."""
    lines = (shared_data / "kaggle-snapshot-1000.jsonl").read_text(encoding="utf-8").splitlines()
    papers = [json.loads(line) for line in lines]
    return [_core.template(paper["title"], paper["abstract"]) for paper in papers]


@pytest.fixture(scope="session")
def corpus(shared_data: Path) -> Callable[[], Iterator[str]]:
    """Every real text there is, one after the other."""

    def texts() -> Iterator[str]:
        for path in sorted(shared_data.glob("*.jsonl.zst")):
            with path.open("rb") as raw:
                stream = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(raw)
                for line in io.TextIOWrapper(stream, encoding="utf-8"):
                    paper = json.loads(line)
                    yield _core.template(paper["title"] or "", paper["abstract"] or "")

    return texts


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[dict[str, Any]]], Arrays]:
    """Ask sentence-transformers for embeddings: `{model, max_length, texts}` each."""

    def ask(jobs: list[dict[str, Any]]) -> Arrays:
        folder = tmp_path_factory.mktemp("reference")
        request, out = folder / "request.json", folder / "out.npz"
        request.write_text(json.dumps(jobs), encoding="utf-8")
        script = Path(__file__).with_name("reference.py")
        command = [sys.executable, str(script), str(request), str(out)]
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        with np.load(out) as arrays:
            return [arrays[name] for name in arrays.files]

    return ask


def random_weights(config: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """A BERT checkpoint of `config` with random weights."""
    rng = np.random.default_rng(7)
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
        "embeddings.LayerNorm.weight": (hidden,),
        "embeddings.LayerNorm.bias": (hidden,),
        "pooler.dense.weight": (hidden, hidden),
        "pooler.dense.bias": (hidden,),
    }
    for layer in range(config["num_hidden_layers"]):
        for name, shape in {
            "attention.self.query": (hidden, hidden),
            "attention.self.key": (hidden, hidden),
            "attention.self.value": (hidden, hidden),
            "attention.output.dense": (hidden, hidden),
            "intermediate.dense": (wide, hidden),
            "output.dense": (hidden, wide),
        }.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{name}.weight"] = (hidden,)
            shapes[f"encoder.layer.{layer}.{name}.bias"] = (hidden,)
    return {
        name: (
            rng.standard_normal(shape) * 0.3 + (1 if name.endswith("Norm.weight") else 0)
        ).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.fixture
def checkpoint(minilm: Path, tmp_path: Path) -> Checkpoint:
    """Make a small random model: `checkpoint(name, pooling, normalize, edit, **config)`.

    `edit` may change the weights before they are written.
    """

    def make(
        name: str = "model",
        *,
        pooling: str = "mean",
        normalize: bool = True,
        edit: Callable[[dict[str, NDArray[np.float32]]], object] = lambda _: None,
        **changes: object,
    ) -> Path:
        directory = tmp_path / name
        ignored = shutil.ignore_patterns("model.safetensors", "README.md")
        shutil.copytree(minilm, directory, ignore=ignored)
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        config |= {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "max_position_embeddings": 64,
        } | changes
        (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
        limits = {"max_seq_length": 48, "do_lower_case": False}
        (directory / "sentence_bert_config.json").write_text(json.dumps(limits), encoding="utf-8")
        modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
        written: dict[str, object] = {"word_embedding_dimension": 32}
        written |= {f"pooling_mode_{key}": mode == pooling for mode, key in modes.items()}
        (directory / "1_Pooling/config.json").write_text(json.dumps(written), encoding="utf-8")
        modules = json.loads((directory / "modules.json").read_text(encoding="utf-8"))
        modules = modules if normalize else modules[:2]
        (directory / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        weights = random_weights(config)
        edit(weights)
        save_file(weights, str(directory / "model.safetensors"), {"format": "pt"})
        return directory

    return make


@pytest.fixture(scope="session")
def sample_papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The papers table of the bundled, invented corpus."""
    import arxiv_core

    folder = tmp_path_factory.mktemp("papers")
    source = Path(arxiv_core.__file__).parent / "sample"
    _core.prepare(str(source / "papers.jsonl"), str(folder), "{}", None)
    return folder / "papers.parquet"
