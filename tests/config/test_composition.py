"""The configuration tree: every group composes, and mistakes are named."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest
from arxiv_core import OptionError
from arxiv_core.config import Config, compose, render

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

from arxiv_core.config.composition import groups

CHOICES = [(group, choice) for group, choices in groups().items() for choice in choices]


def test_the_tree_has_the_groups_that_later_work_builds_on() -> None:
    assert {
        "calibration",
        "data",
        "debug",
        "evaluation",
        "experiment",
        "head",
        "labels",
        "model",
        "optimizer",
        "paths",
        "serve",
        "split",
        "sweep",
        "tracking",
        "train",
    } == set(groups())
    assert len(CHOICES) >= 26


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_of_every_group_composes(group: str, choice: str) -> None:
    config = compose([f"{group}={choice}"])
    assert isinstance(config, Config)
    assert _is_typed(config)


def _is_typed(node: object) -> bool:
    """Whether every branch is one of our classes, not a dict that slipped through."""
    assert not isinstance(node, dict) or all(isinstance(one, str) for one in node.values())
    if is_dataclass(node):
        return all(_is_typed(getattr(node, one.name)) for one in fields(node))
    return True


def test_the_default_runs_on_the_bundled_corpus() -> None:
    assert compose().data.source == "sample"


def test_values_are_overridden_and_groups_chosen() -> None:
    config = compose(["data.source=snapshot.json", "head=mlp", "train.optimizer.lr=1e-4"])
    assert config.data.source == "snapshot.json"
    assert config.head.kind.value == "mlp"
    assert config.train.optimizer.lr == 1e-4
    assert config.run == "minilm-mlp"


def test_a_path_with_every_odd_character_can_be_quoted() -> None:
    path = "/data/a b, (c)=d/é.json"
    assert compose([f"data.source='{path}'"]).data.source == path


def test_what_is_printed_composes_to_the_same() -> None:
    from omegaconf import OmegaConf

    overrides = ["split=stratified", "labels=distinct", "seed=7"]
    printed = OmegaConf.merge(OmegaConf.structured(Config), OmegaConf.create(render(overrides)))
    assert OmegaConf.to_object(printed) == compose(overrides)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("trian.optimizer.lr=1", "did you mean train.optimizer.lr?"),
        ("lr=1", "did you mean train.optimizer.lr?"),
        ("haed=mlp", "did you mean head?"),
        ("qqqqqq=1", "arxiv-core config shows"),
        ("head=mpl", "did you mean mlp?"),
        ("head=forest", "one of hybrid, logistic, mlp"),
        ("split.by=tiem", "one of [time, stratified]"),
        ("train.optimizer.lr=fast", "train.optimizer.lr"),
        ("model.max_length=12.5", "model.max_length"),
        ("train.optimizer=3", "train.optimizer"),
        ("seed", "not KEY=VALUE"),
        ("+seed=1", "keys are fixed"),
        ("~seed", "keys are fixed"),
        ("data.source=a(b", "quote it"),
        ("data.source=a,b", "quote it"),
        ("head@x=mlp", "cannot be moved"),
        ("data.source=${nothing}", "nothing"),
        ("hydra.verbose=true", "hydra.verbose"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_it(override: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        compose([override])
    message = str(caught.value)
    assert said in message
    assert "\n" not in message


def test_composing_leaves_no_state_behind() -> None:
    with pytest.raises(OptionError):
        compose(["head=nothing"])
    assert compose(["head=logistic"]).head.kind.value == "logistic"
    assert compose() == compose()
