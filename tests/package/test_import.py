"""What `import arxiv_core` loads, and what it says when libtorch does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "tokenizers",
    "hydra",
    "omegaconf",
    "fastapi",
    "prometheus_client",
    "uvicorn",
    "kagglehub",
    "huggingface_hub",
    "sklearn",
    "pandas",
    "typer",
    "rich",
)


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    inserted = "".join(f"import sys; sys.path.insert(0, {str(entry)!r})\n" for entry in path)
    return subprocess.run(
        [sys.executable, "-c", inserted + code], capture_output=True, text=True, check=False
    )


def test_import_loads_numpy_and_libtorch_only() -> None:
    done = run(
        "import json, sys, arxiv_core\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_extension_names_no_cuda_library() -> None:
    import arxiv_core._core

    path = Path(arxiv_core._core.__file__)
    listing = subprocess.run(
        ["readelf", "-d", str(path)], capture_output=True, text=True, check=True
    ).stdout
    needed = [line.split("[")[1].rstrip("]") for line in listing.splitlines() if "(NEEDED)" in line]
    assert "libtorch_cpu.so" in needed
    # libtorch.so itself pulls libtorch_cuda.so in.
    assert "libtorch.so" not in needed
    assert not [name for name in needed if "cuda" in name or "cud" in name or "nccl" in name]
    assert not [name for name in needed if name.startswith("libpython")]
    assert "RPATH" not in listing and "RUNPATH" not in listing


def test_another_torch_release_is_refused_by_name(tmp_path: Path) -> None:
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "version.py").write_text("__version__ = '2.10.0+cpu'\n")
    done = run("import arxiv_core", tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ImportError" in last
    assert "2.11.0" in last
    assert "2.10.0+cpu" in last


def test_missing_torch_says_what_to_install() -> None:
    done = run(
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'torch' else real(name, *a)\n"
        "import arxiv_core\n"
    )
    assert done.returncode != 0
    assert "pip install torch==2.11.0" in done.stderr.strip().splitlines()[-1]


def test_every_error_is_a_named_class_with_one_base() -> None:
    import arxiv_core

    for name in (
        "InputError",
        "OptionError",
        "ModelError",
        "ShapeError",
        "FitError",
        "DeviceError",
        "TorchError",
        "ForkError",
        "OverloadedError",
        "DeadlineError",
        "StoppingError",
        "EngineError",
    ):
        assert issubclass(getattr(arxiv_core, name), arxiv_core.ArxivCoreError)


def test_missing_file_is_pythons_own_error(tmp_path: Path) -> None:
    from arxiv_core import _core

    with pytest.raises(FileNotFoundError) as caught:
        _core.Papers.read(str(tmp_path / "none.parquet"))
    assert "none.parquet" in str(caught.value)


FORK = """
import os, tempfile, arxiv_core
from arxiv_core import _core
from arxiv_core.pipeline.raw import SAMPLE
import numpy as np
# It starts no threads that stay.
arxiv_core.prepare(SAMPLE, tempfile.mkdtemp(), {"split": {"by": "stratified"}})
one = np.ones((2, 1), np.float32), np.ones((2, 1), np.uint8)
if os.fork() == 0:
    _core.average_precision(*one)
    os._exit(0)
assert os.wait()[1] == 0, "nothing had been done before the first fork"
_core.average_precision(*one)
if os.fork() == 0:
    try:
        _core.average_precision(*one)
    except arxiv_core.ForkError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""


def test_a_process_forked_after_work_is_told_so_and_does_not_hang() -> None:
    done = run(FORK)
    assert done.returncode == 0, done.stderr
    assert "spawn" in done.stdout


FORK_LIVE = """
import os
from arxiv_core import Classifier, ForkError
from arxiv_core.live import LiveClassifier
live = LiveClassifier(Classifier.load())
if os.fork() == 0:
    try:
        live._core.embed("Rings")
    except ForkError:
        del live
        os._exit(0)
    os._exit(1)
raise SystemExit(os.wait()[1])
"""


def test_a_forked_process_leaves_an_engine_to_whom_it_belongs() -> None:
    done = run(FORK_LIVE)
    assert done.returncode == 0, done.stderr
