"""Where values come from: a user's folder, a whole configuration, an override."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from arxiv_core import OptionError
from arxiv_core.config import compose, render
from arxiv_core.pipeline import embed, prepare, train


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder: a head of its own, a recipe with it, and another `mlp`."""
    files = {
        "head/wide.yaml": "kind: mlp\nwidth: 4096\n",
        "head/mlp.yaml": "kind: mlp\ndropout: 0.125\n",
        "experiment/mine.yaml": (
            "# @package _global_\ndefaults:\n  - override /head: wide\nrun: mine\n"
        ),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def remark(shown: str, key: str) -> str:
    """What stands behind a key."""
    [line] = [line for line in shown.splitlines() if line.strip().startswith(f"{key}:")]
    return line.partition("# ")[2]


@pytest.mark.parametrize(
    ("experiment", "run", "head"),
    [
        ("embedding-baseline", "embedding-baseline", "logistic"),
        ("scibert-full", "scibert-full", "logistic"),
        ("distilbert-frozen", "distilbert-frozen", "mlp"),
        ("default-model", "default-model", "hybrid"),
        ("smoke", "smoke", "mlp"),
    ],
)
def test_an_experiment_sets_keys_of_any_group_and_reaches_the_stages(
    experiment: str, run: str, head: str
) -> None:
    config = compose([f"experiment={experiment}"])
    assert (config.run, config.head.kind.value) == (run, head)
    assert train.options(config)["head"] == head
    for module in (prepare, embed):
        assert module.options(config)


def test_the_default_models_recipe_is_the_one_that_made_it() -> None:
    given = train.options(compose(["experiment=default-model"]))
    # benches/quality/default_model.py: RECIPE.
    assert given["min_papers"] == 50
    assert given["mlp"]["word_dropout"] == 0.4
    assert given["mlp"]["smoothing"] == 0.02
    usual = train.options(compose(["data=kaggle"]))
    same = given["mlp"].keys() - {"word_dropout", "smoothing"}
    assert all(given["mlp"][name] == usual["mlp"][name] for name in same)


def test_debug_makes_any_recipe_small() -> None:
    config = compose(["experiment=default-model", "debug=fast"])
    assert config.train.epochs == 1
    assert config.data.max_papers == 500
    assert config.head.smoothing == 0.02


def test_a_folder_of_ones_own_adds_choices_and_stands_first(own: Path) -> None:
    config = compose(["experiment=mine"], directory=own)
    assert (config.run, config.head.width) == ("mine", 4096)
    assert compose(["head=mlp"], directory=own).head.dropout == 0.125
    assert compose(["head=mlp"]).head.dropout != 0.125
    with pytest.raises(OptionError, match="one of hybrid, logistic, mlp, wide"):
        compose(["head=forest"], directory=own)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        compose(directory=tmp_path / "gone")
    assert caught.value.filename == str(tmp_path / "gone")


def test_every_value_says_where_it_came_from(own: Path) -> None:
    shown = render(["experiment=mine", "seed=7"], directory=own, origins=True)
    assert remark(shown, "width") == str(own / "head/wide.yaml")
    assert remark(shown, "run") == str(own / "experiment/mine.yaml")
    assert remark(shown, "seed") == "override"
    assert remark(shown, "vectors_lr") == "optimizer/adamw.yaml"
    assert remark(shown, "batch_size") == "default"
    plain = yaml.safe_load(render(["experiment=mine", "seed=7"], directory=own))
    assert yaml.safe_load(shown) == plain


def test_a_whole_configuration_is_a_base_for_keys_but_not_for_groups(tmp_path: Path) -> None:
    base = tmp_path / "whole.yaml"
    base.write_text(render(["head=mlp", "seed=7"]), encoding="utf-8")
    assert compose(base=base) == compose(["head=mlp", "seed=7"])
    assert compose(["head.width=8"], base=base).head.width == 8
    shown = render(["head.width=8"], base=base, origins=True)
    assert (remark(shown, "seed"), remark(shown, "width")) == (str(base), "override")
    with pytest.raises(OptionError, match="chosen already"):
        compose(["head=logistic"], base=base)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train:\n  optimizr: {lr: 1}\n", "did you mean train.optimizer?"),
        ("seed: many\n", "seed"),
        ("- a\n- b\n", "must be a mapping"),
        ("a: [\n", "not YAML"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, text: str, said: str) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(text, encoding="utf-8")
    with pytest.raises(OptionError) as caught:
        compose(base=base)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
