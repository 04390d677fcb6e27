"""Where the stages' files lie, whatever the model is called."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

from arxiv_core import OptionError
from arxiv_core.config import compose
from arxiv_core.pipeline.layout import Layout


def layout(*overrides: str) -> Layout:
    return Layout.of(compose(overrides))


def test_the_default_run_is_named_after_model_and_head() -> None:
    assert layout("head=mlp").run == Path("runs/minilm-mlp")
    assert layout("run=first").run == Path("runs/first")


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../x", ".", "''"])
def test_a_run_stays_inside_the_folder_of_runs(name: str) -> None:
    with pytest.raises(OptionError, match=r"run = .*: must be a name inside paths\.runs"):
        layout(f"run={name}")
    assert layout("run=sweeps/first").run == Path("runs/sweeps/first")


@pytest.mark.parametrize("name", ["/models/enc", "../enc", "owner/enc"])
def test_a_model_by_path_leaves_no_folder_of_its_own(name: str) -> None:
    found = layout(f"model.name={name}")
    assert found.run.parent == Path("runs")
    assert found.embeddings.parent == Path("data/embeddings")
    assert found.run.name.endswith("enc-hybrid")


def test_directories_of_one_name_are_two_models(tmp_path: Path) -> None:
    places = [tmp_path / part / "enc" for part in ("a", "b")]
    for place in places:
        place.mkdir(parents=True)
    first, second = (layout(f"model.name={place}") for place in places)
    assert first.embeddings != second.embeddings
    assert first.run != second.run
    again = layout(f"model.name={places[0].parent}/../a/enc")
    assert again.embeddings == first.embeddings
