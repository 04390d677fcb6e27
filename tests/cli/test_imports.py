"""What is quick stays quick: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import SampleRun

HEAVY = {
    "fastapi",
    "hydra",
    "kagglehub",
    "matplotlib",
    "omegaconf",
    "optuna",
    "sklearn",
    "sentence_transformers",
    "torch",
    "transformers",
    "prometheus_client",
    "uvicorn",
    "wandb",
}


def imported_by(code: str, *arguments: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after `code`."""
    code += "\nimport json, sys\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_the_library_loads_nothing_heavy() -> None:
    assert not imported_by("import arxiv_core") & (HEAVY | {"typer", "rich", "pydantic"})


def test_the_command_line_loads_nothing_heavy() -> None:
    assert not imported_by("import arxiv_core.cli") & (HEAVY | {"rich"})


CLASSIFY = """
import sys
from arxiv_core.cli import app
app(
    ["classify", "--title", "A", "--abstract", "B", "--model", sys.argv[1], "--format", "jsonl"],
    standalone_mode=False,
)
"""


def test_classifying_loads_nothing_heavy(sample_run: SampleRun) -> None:
    assert not imported_by(CLASSIFY, str(sample_run.package)) & (HEAVY | {"rich"})


SERVE = """
import sys
import arxiv_core
from arxiv_core.live import LiveClassifier
from arxiv_core.serve import create_app
create_app(LiveClassifier(arxiv_core.Classifier.load(sys.argv[1])))
"""


def test_serving_never_loads_the_configuration(sample_run: SampleRun) -> None:
    pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
    loaded = imported_by(SERVE, str(sample_run.package))
    assert not loaded & (HEAVY - {"fastapi", "prometheus_client", "uvicorn"})
