"""What a sweep may try, as the configuration says it in Hydra's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from arxiv_core import OptionError
from arxiv_core.config import compose, search_space

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

from arxiv_core.config.space import Choice, Interval
from omegaconf import OmegaConf

DEFINITION = Path(__file__).parents[2] / "sweep.yaml"


def test_hydras_words_become_choices_and_intervals() -> None:
    assert search_space(
        {
            "head.kind": "choice(mlp, 'hybrid')",
            "head.width": "choice(256, 512)",
            "train.refit": "choice(true, false)",
            "train.epochs": "range(2, 9, 3)",
            "head.members": "interval(1, 8)",
            "head.dropout": "interval(0, 0.5)",
            "head.c": "int(interval(1, 5))",
            "train.optimizer.lr": "tag(log, interval(1e-4, 1e-2))",
            "head.smoothing": None,
        }
    ) == {
        "head.kind": Choice(("mlp", "hybrid")),
        "head.width": Choice((256, 512)),
        "train.refit": Choice((True, False)),
        "train.epochs": Choice((2, 5, 8)),
        "head.members": Interval(1, 8, whole=True),
        "head.dropout": Interval(0, 0.5),
        "head.c": Interval(1, 5, whole=True),
        "train.optimizer.lr": Interval(1e-4, 1e-2, log=True),
    }


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("head.widht", "choice(1, 2)", "did you mean head.width?"),
        ("head", "choice(mlp, hybrid)", "head is a group"),
        ("head.width", "8", "one value is nothing to search"),
        ("head.width", "choice(1", "cannot be read"),
        ("head.width", "range(4, 1)", "holds no number"),
        ("head.width", "interval(1.5, 3)", "from one whole number to another"),
        ("head.width", "choice([1], 2)", "is no plain value"),
        ("head.dropout", "interval(0.5, 0.1)", "from less to more"),
        ("head.dropout", "tag(log, interval(0, 0.5))", "above zero"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(key: str, text: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        search_space({key: text})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_space_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(OptionError, match="nothing to search"):
        search_space({"head.width": None})


def test_an_override_adds_keys_to_the_groups_space_and_takes_some_away() -> None:
    override = "sweep.space={train.epochs:'range(1,4)',head.width:null}"
    space = search_space(compose([override]).sweep.space)
    assert space["train.epochs"] == Choice((1, 2, 3))
    assert "head.width" not in space
    assert "head.dropout" in space


def test_the_servers_sweep_searches_the_same_space() -> None:
    ours = search_space(compose(["sweep=head"]).sweep.space)
    definition: Any = OmegaConf.to_container(OmegaConf.load(DEFINITION))
    assert {key: _read(what) for key, what in definition["parameters"].items()} == ours
    assert definition["name"] == compose(["sweep=head"]).sweep.name
    assert definition["metric"] == {
        "name": f"validation/{compose(['sweep=head']).sweep.metric}",
        "goal": "maximize",
    }
    assert definition["command"][-2:] == ["${program}", "${args_no_hyphens}"]


def _read(what: dict[str, Any]) -> Choice | Interval:
    if "values" in what:
        return Choice(tuple(what["values"]))
    log = {"uniform": False, "log_uniform_values": True}[what["distribution"]]
    return Interval(what["min"], what["max"], log=log)
