"""dvc.yaml, params.yaml and DVC's Hydra support agree with the configuration tree."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from arxiv_core.config import compose, render
from arxiv_core.pipeline import embed, evaluate, finetune, prepare, train

if TYPE_CHECKING:
    from versioning.conftest import Clone

ROOT = Path(__file__).parents[2]
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

READ_BY_PYTHON = {
    "fetch": {"data.dataset", "data.source"},
    "prepare": {"data.source"},
    "embed": {"model.name"},
    "train": {"calibration.kind", "model.name", "train.mode", *finetune.OPTIONS.values()},
    "evaluate": {"evaluation.report", "evaluation.split"},
    "package": set(),
}

NEUTRAL = {
    "model.batch_tokens",
    "model.device",
    "paths.cache",
    "train.finetune.checkpoint_seconds",
}
"""Keys that change how a stage runs, and not what comes out."""


def outputs(stage: dict[str, Any]) -> Iterator[str]:
    for kind in ("outs", "metrics", "plots"):
        for one in stage.get(kind, ()):
            yield one if isinstance(one, str) else next(iter(one))


def test_the_committed_parameters_are_the_composed_configuration() -> None:
    assert (ROOT / "params.yaml").read_text(encoding="utf-8") == render()
    assert compose(base=ROOT / "params.yaml") == compose()


def test_a_stage_heeds_the_keys_that_it_reads_and_no_others() -> None:
    tables = {
        module.__name__.rpartition(".")[2]: module.OPTIONS
        for module in (embed, evaluate, prepare, train)
    }
    assert STAGES.keys() == READ_BY_PYTHON.keys()
    for name, stage in STAGES.items():
        read = {*tables.get(name, {}).values(), *READ_BY_PYTHON[name]}
        assert set(stage.get("params", ())) == read - NEUTRAL, name


def test_every_dependency_is_a_source_or_an_earlier_stages_output() -> None:
    made: set[str] = set()
    for name, stage in STAGES.items():
        for one in stage.get("deps", ()):
            assert one in made or ((ROOT / one).exists() and one.startswith("src/")), (name, one)
        made |= set(outputs(stage))
    assert len(made) >= 10


def test_a_second_repro_does_nothing(origin: Clone) -> None:
    assert "Data and pipelines are up to date." in origin.dvc("repro")
    assert "Data and pipelines are up to date." in origin.dvc("status")


def ran(output: str) -> set[str]:
    """Stages that DVC says it ran."""
    return {name for name in STAGES if f"Running stage '{name}'" in output}


@pytest.fixture
def clone(origin: Clone) -> Iterator[Clone]:
    """The reproduced clone, left as it was found."""
    yield origin
    origin.run("git", "reset", "-q", "--hard")
    origin.dvc("checkout", "-q")


def test_another_step_size_does_not_embed_again(clone: Clone) -> None:
    said = clone.dvc(
        "exp",
        "run",
        "-n",
        "step",
        "-S",
        "experiment=smoke",
        "-S",
        "train.epochs=1",
        "-S",
        "train.optimizer.lr=0.01",
    )
    assert ran(said) == {"train", "evaluate", "package"}
    assert "train.optimizer.lr" in clone.dvc("params", "diff")
    assert "micro_f1" in clone.dvc("metrics", "diff")
    clone.dvc("plots", "diff", "-o", "drawn")
    page = (clone.path / "drawn/index.html").read_text(encoding="utf-8")
    assert "curves_precision-recall_csv" in page and "curves_loss_csv" in page
    shutil.rmtree(clone.path / "drawn")
    table = clone.dvc("exp", "show", "--csv")
    assert "step" in table and "micro_f1" in table


def test_another_cleaning_embeds_again(clone: Clone) -> None:
    said = clone.dvc(
        "exp",
        "run",
        "-S",
        "experiment=smoke",
        "-S",
        "train.epochs=1",
        "-S",
        "data.clean=whitespace",
    )
    assert ran(said) == {"prepare", "embed", "train", "evaluate", "package"}


def test_a_changed_source_of_the_cleaning_counts_as_another_cleaning(clone: Clone) -> None:
    file = clone.path / "src/text/clean.rs"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    changed = clone.dvc("status")
    assert "prepare" in changed and "src/text" in changed


def test_a_wrong_key_is_refused_before_anything_runs(clone: Clone) -> None:
    said = clone.run("dvc", "exp", "run", "-S", "train.optimizr.lr=1", check=False)
    assert "optimizr" in said
    assert ran(said) == set()


def test_what_was_pushed_to_a_bucket_comes_back_the_same(
    origin: Clone, bucket: str, tmp_path: Path
) -> None:
    origin.dvc("remote", "add", "--local", "bucket", "gs://papers/dvc")
    origin.dvc("remote", "modify", "--local", "bucket", "endpointurl", bucket)
    origin.dvc("remote", "modify", "--local", "bucket", "allow_anonymous_login", "true")
    origin.dvc("push", "-r", "bucket")
    before = contents(origin)
    shutil.rmtree(origin.path / ".dvc/cache")
    for name in ("data", "runs"):
        shutil.rmtree(origin.path / name)
    origin.dvc("pull", "-r", "bucket")
    assert contents(origin) == before
    second = type(origin)(tmp_path / "second", tmp_path / "home")
    origin.run("git", "clone", "-q", str(origin.path), str(second.path))
    shutil.copy(origin.path / ".dvc/config.local", second.path / ".dvc/config.local")
    second.dvc("pull", "-r", "bucket")
    assert contents(second) == before
    assert "Data and pipelines are up to date." in second.dvc("repro")


def test_a_second_clone_reproduces_the_same_hashes_from_nothing(
    origin: Clone, tmp_path: Path
) -> None:
    second = type(origin)(tmp_path / "second", tmp_path / "home")
    origin.run("git", "clone", "-q", str(origin.path), str(second.path))
    second.dvc("repro", "--force")
    assert second.run("git", "status", "--porcelain", "dvc.lock") == ""


def contents(clone: Clone) -> dict[str, bytes]:
    """Every file that the pipeline's outputs consist of."""
    found = {}
    for stage in STAGES.values():
        for place in map(clone.path.joinpath, outputs(stage)):
            files = (
                [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
            )
            found |= {str(one.relative_to(clone.path)): one.read_bytes() for one in files}
    assert len(found) >= 15
    return found
