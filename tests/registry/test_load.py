"""A registered model is loaded by its name, wherever a model directory can stand."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from arxiv_core import Classifier, ModelError, package
from arxiv_core.cli import app
from arxiv_core.registry import Provenance
from arxiv_core.registry.local import LocalRegistry
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

if TYPE_CHECKING:
    from pathlib import Path

    from registry.conftest import Make

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}


@pytest.fixture
def home(make: Make) -> LocalRegistry:
    """The registry that names lead to: v2 in production, v1 before it."""
    registry = LocalRegistry()
    one, _ = registry.register(make(1), "arxiv", Provenance())
    two, _ = registry.register(make(2), "arxiv", Provenance())
    registry.move(one, "old", "")
    registry.move(two, "production", "", gate={}, expected=None)
    return registry


def test_a_name_is_its_production_version(home: LocalRegistry, tmp_path: Path) -> None:
    for name in ("registry:arxiv", "registry:arxiv@production", "registry:arxiv@v2"):
        loaded = Classifier.load(name, device="cpu")
        assert loaded.info()["path"].endswith("arxiv/v2/model")
    direct = Classifier.load(tmp_path / "models/model-2", device="cpu")
    assert_array_equal(loaded.scores([PAPER])[0], direct.scores([PAPER])[0])
    old = Classifier.load("registry:arxiv@old", device="cpu")
    assert old.info()["path"].endswith("arxiv/v1/model")


def test_a_changed_weight_is_found_when_it_is_loaded(home: LocalRegistry) -> None:
    head = home.directory(home.versions("arxiv")[1]) / "head.safetensors"
    head.parent.chmod(0o755)
    head.chmod(0o644)
    head.write_bytes(b"x" + head.read_bytes()[1:])
    with pytest.raises(ModelError, match=r"head\.safetensors"):
        Classifier.load("registry:arxiv", device="cpu")


def test_what_is_not_there_is_a_model_error(home: LocalRegistry) -> None:
    with pytest.raises(ModelError, match="no version v5; nearest is v2"):
        Classifier.load("registry:arxiv@v5")


def test_a_registered_model_classifies_and_is_packaged(home: LocalRegistry, tmp_path: Path) -> None:
    words = ["--title", "A", "--abstract", "B", "--format", "jsonl", "--device", "cpu"]
    answer = CliRunner().invoke(app, ["classify", *words, "--model", "registry:arxiv@old"])
    assert answer.exit_code == 0, answer.output
    assert len(json.loads(answer.stdout)["categories"]) == 5
    assert package("registry:arxiv", tmp_path / "copy")["labels"] == 9


PROGRAM = """
import json, sys
from arxiv_core import Classifier
assert not any(name.startswith("arxiv_core.registry") for name in sys.modules)
Classifier.load("registry:arxiv", device="cpu")
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_loading_by_name_stays_light(home: LocalRegistry) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"filelock", "hydra", "omegaconf", "rich", "torch", "typer", "wandb"}
