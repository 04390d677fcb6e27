"""A profiled stage: its files, its output, and what happens where it cannot be sampled."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

if TYPE_CHECKING:
    from conftest import Command, SampleRun


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def trained(
    command: Command, sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A head trained again under the profiler, and what was said on standard error."""
    runs = tmp_path_factory.mktemp("runs")
    run = command("train", *sample_run.overrides, f"paths.runs={runs}", "--profile")
    assert run.returncode == 0, run.stderr
    return runs / "sample", run.stderr


def test_a_profiled_stage_makes_the_same_bytes(
    sample_run: SampleRun, trained: tuple[Path, str]
) -> None:
    for name in ("head.safetensors", "classifier.json", "manifest.json"):
        assert sha256(trained[0] / "model" / name) == sha256(sample_run.run / "model" / name)


def test_libtorchs_operators_on_rusts_threads_are_seen(trained: tuple[Path, str]) -> None:
    folder = trained[0] / "profile"
    found: dict[str, Any] = json.loads((folder / "train.operators.json").read_text())
    calls = {one["name"]: one["calls"] for one in found["operators"]}
    assert calls["aten::addmm"] > 10
    text = (folder / "train.operators.txt").read_text()
    assert text.startswith("operator ")
    assert "aten::addmm" in text
    assert "libtorch's operators" in trained[1]


def test_the_flame_graph_has_both_sides(trained: tuple[Path, str]) -> None:
    folder, said = trained[0] / "profile", trained[1]
    if "no flame graph" in said:
        assert "py-spy may not look into this process" in said
        return
    assert (folder / "train.svg").read_text().startswith("<?xml")
    stacks = (folder / "train.stacks.txt").read_text()
    assert ".py:" in stacks
    # A native frame with a name: the symbol table is there, and threads of Rust are seen.
    assert re.search(r";[^;(]+ \(arxiv_core/_core\.abi3\.so\)", stacks)


def test_a_stage_without_libtorch_says_so(
    command: Command, sample_run: SampleRun, tmp_path: Path
) -> None:
    data = [f"paths.data={tmp_path}/data", f"paths.runs={tmp_path}/runs"]
    run = command("prepare", *data, "--profile-dir", f"{tmp_path}/here")
    assert run.returncode == 0, run.stderr
    assert "prepare calls no libtorch" in run.stderr
    # The sample is prepared in less than one of py-spy's steps: it may come without a graph.
    made = {path.name for path in (tmp_path / "here").glob("*")}
    missing = "no flame graph: " in run.stderr
    assert made == (set() if missing else {"prepare.svg", "prepare.stacks.txt"})
    assert not (tmp_path / "data" / "profile").exists()
    assert sha256(tmp_path / "data/prepared/papers.parquet") == sha256(sample_run.papers)


ALONE = """
import shutil, sys
from arxiv_core.profiling import flame_graph
tool = shutil.which("py-spy", path=sys.argv.pop(1)) or sys.exit("no tool")
flame_graph._tool = lambda: tool
from arxiv_core.cli import main
main()
"""


def test_where_it_may_not_be_sampled_the_operators_come_alone(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    tool = tmp_path / "py-spy"
    tool.write_text("#!/bin/sh\necho 'Permission Denied: Try running again'\nexit 1\n")
    tool.chmod(0o755)
    here = f"{tmp_path}/profile"
    run = subprocess.run(
        [
            *(sys.executable, "-c", ALONE, str(tmp_path), "evaluate", *sample_run.overrides),
            *("--profile-dir", here, "--log-format", "human"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    said = [line for line in run.stderr.splitlines() if "no flame graph" in line]
    assert len(said) == 1
    assert "run as root" in said[0]
    assert {path.name for path in Path(here).iterdir()} == {
        "evaluate.operators.txt",
        "evaluate.operators.json",
    }


def test_a_failed_stage_leaves_no_profile(command: Command, tmp_path: Path) -> None:
    here = tmp_path / "here"
    missing = ["data.source=nowhere.json", f"paths.data={tmp_path}/data"]
    run = command("prepare", *missing, "--profile-dir", str(here))
    assert run.returncode == 1
    assert "nowhere.json" in run.stderr
    assert not here.exists()


def test_without_the_flag_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from arxiv_core.cli import app;"
        f"app(['prepare', 'paths.data={tmp_path}', '--json'], standalone_mode=False);"
        "sys.exit(any(m == 'torch' or m.startswith('arxiv_core.profiling') for m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "prepared" / "papers.parquet").is_file()
