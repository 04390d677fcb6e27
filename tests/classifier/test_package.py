"""A packaged model: the same answers, loadable by transformers where its encoder is inside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arxiv_core import Classifier, OptionError, package
from numpy.testing import assert_array_equal

Papers = list[dict[str, str]]


def test_a_copy_answers_the_same(
    classifier: Classifier, tiny_model: Any, papers: Papers, tmp_path: Path
) -> None:
    summary = package(tiny_model.model, tmp_path / "copy", texts={"README.md": "# Card\n"})
    assert summary["labels"] == len(classifier.labels)
    assert not summary["self_contained"]
    assert summary["bytes"] == sum(
        (tmp_path / "copy" / name).stat().st_size for name in summary["files"]
    )
    copy = Classifier.load(tmp_path / "copy", device="cpu")
    assert_array_equal(copy.scores(papers)[0], classifier.scores(papers)[0])
    assert (tmp_path / "copy/README.md").read_text() == "# Card\n"


def test_a_self_contained_model_needs_nothing_else(
    classifier: Classifier, tiny_model: Any, papers: Papers, tmp_path: Path
) -> None:
    summary = package(tiny_model.model, tmp_path / "whole", self_contained=True)
    assert summary["self_contained"]
    spec = json.loads((tmp_path / "whole/classifier.json").read_text())
    assert spec["encoder"]["source"] == "local"
    whole = (tmp_path / "whole").rename(tmp_path / "moved")
    moved = Classifier.load(whole, device="cpu")
    assert_array_equal(moved.scores(papers)[0], classifier.scores(papers)[0])


def test_transformers_and_sentence_transformers_load_its_encoder(
    tiny_model: Any, tmp_path: Path
) -> None:
    for name in ("transformers", "sentence_transformers"):
        if not _installed(name):
            pytest.skip(f"{name} is not installed")
    package(tiny_model.model, tmp_path / "whole", self_contained=True)
    program = """
import sys, json
import numpy as np
from arxiv_core import Encoder
ours = Encoder.load(sys.argv[1], device="cpu").encode(["a graph of sheaves", "noise"])
from transformers import AutoModel, AutoTokenizer
AutoModel.from_pretrained(sys.argv[1])
AutoTokenizer.from_pretrained(sys.argv[1])
from sentence_transformers import SentenceTransformer
theirs = SentenceTransformer(sys.argv[1], device="cpu").encode(["a graph of sheaves", "noise"])
print(json.dumps(float(np.abs(ours - theirs).max())))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "whole")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) <= 1e-5


def test_wrong_options_are_named(tiny_model: Any, tmp_path: Path) -> None:
    from arxiv_core import _core

    with pytest.raises(OptionError, match="option self_contained"):
        _core.package(str(tiny_model.model), str(tmp_path / "x"), '{"self_contained": 3}')
    with pytest.raises(OptionError, match="encoder_dir"):
        _core.package(str(tiny_model.model), str(tmp_path / "x"), '{"self_contained": true}')
    assert not (tmp_path / "x").exists()


def _installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None
