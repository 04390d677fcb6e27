"""A model small enough to make in a test: a random BERT of two layers under a random head."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from arxiv_core._core import TEMPLATE_VERSION

LABELS = [
    "cs.CL",
    "cs.IT",
    "cs.LG",
    "hep-th",
    "math-ph",
    "math.AG",
    "math.CO",
    "quant-ph",
    "stat.ML",
]
HIDDEN = 16
MAX_LENGTH = 32


def write_safetensors(path: Path, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """https://huggingface.co/docs/safetensors: header length, JSON header, little-endian data."""
    header: dict[str, Any] = {}
    data = b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def encoder(folder: Path) -> Path:
    """Write a sentence-transformers directory with mean pooling and normalisation."""
    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *".,:;-()", *letters, *("##" + c for c in letters)]
    vocabulary = {word: index for index, word in enumerate(words)}
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": len(words),
        "hidden_size": HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "hidden_act": "gelu",
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }
    special = [
        {
            "id": index,
            "content": words[index],
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for index in range(4)
    ]
    first, last = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]"))
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first, {"Sequence": {"id": "A", "type_id": 0}}, last],
            "pair": [first, {"Sequence": {"id": "A", "type_id": 0}}, last],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }
    modules = [
        ("", "Transformer"),
        ("1_Pooling", "Pooling"),
        ("2_Normalize", "Normalize"),
    ]
    _json(folder / "config.json", config)
    _json(folder / "tokenizer.json", tokenizer)
    _json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            "unk_token": "[UNK]",
            "sep_token": "[SEP]",
            "pad_token": "[PAD]",
            "cls_token": "[CLS]",
            "model_max_length": 64,
        },
    )
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    _json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
    )
    (folder / "1_Pooling").mkdir()
    _json(
        folder / "1_Pooling/config.json",
        {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True},
    )
    _json(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    write_safetensors(folder / "model.safetensors", _weights(config))
    return folder


def model(folder: Path, encoder_dir: Path, *, source: str | None = None, **changes: Any) -> Path:
    """Write a model directory with a linear head over `encoder_dir`."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(7)
    head = {
        "weight": 3 * random.standard_normal((len(LABELS), HIDDEN), dtype=np.float32),
        "bias": random.standard_normal(len(LABELS), dtype=np.float32),
    }
    write_safetensors(folder / "head.safetensors", head)
    spec = {
        "format_version": 1,
        "labels": LABELS,
        "label_space_version": 1,
        "head": {"kind": "linear"},
        "pooling": "mean+normalize",
        "template_version": TEMPLATE_VERSION,
        "max_length": MAX_LENGTH,
        "calibration": {
            "scale": [round(1 + 0.05 * i, 2) for i in range(len(LABELS))],
            "bias": [round(-0.1 * i, 2) for i in range(len(LABELS))],
        },
        "thresholds": [round(0.2 + 0.05 * i, 2) for i in range(len(LABELS))],
        "encoder": {
            "source": str(encoder_dir) if source is None else source,
            "name": "tiny",
            "sha256": sha256(encoder_dir / "model.safetensors"),
        },
    }
    _json(folder / "classifier.json", spec | changes)
    manifest(folder)
    return folder


def manifest(folder: Path) -> None:
    """(Re)write the manifest of what lies in `folder`."""
    files = {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    _json(
        folder / "manifest.json",
        {"format_version": 1, "code_version": "0", "data_manifest": None, "files": files},
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _weights(config: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(3)
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    arrays: dict[str, np.ndarray[Any, Any]] = {}

    def dense(name: str, rows: int, columns: int) -> None:
        scale = np.float32(1 / np.sqrt(columns))
        arrays[f"{name}.weight"] = scale * random.standard_normal((rows, columns), dtype=np.float32)
        arrays[f"{name}.bias"] = np.float32(0.1) * random.standard_normal(rows, dtype=np.float32)

    def norm(name: str) -> None:
        arrays[f"{name}.weight"] = np.ones(hidden, dtype=np.float32)
        arrays[f"{name}.bias"] = np.zeros(hidden, dtype=np.float32)

    for name, rows in (
        ("word_embeddings", config["vocab_size"]),
        ("position_embeddings", config["max_position_embeddings"]),
        ("token_type_embeddings", config["type_vocab_size"]),
    ):
        table = random.standard_normal((rows, hidden), dtype=np.float32)
        arrays[f"embeddings.{name}.weight"] = table
    norm("embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            dense(f"{at}.attention.self.{part}", hidden, hidden)
        dense(f"{at}.attention.output.dense", hidden, hidden)
        norm(f"{at}.attention.output.LayerNorm")
        dense(f"{at}.intermediate.dense", wide, hidden)
        dense(f"{at}.output.dense", hidden, wide)
        norm(f"{at}.output.LayerNorm")
    dense("pooler.dense", hidden, hidden)
    return arrays
