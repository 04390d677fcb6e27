"""Every key of the configuration reaches a stage, and comes back in its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest
from arxiv_core import OptionError
from arxiv_core.config.schema import Config, HeadKind
from arxiv_core.pipeline import embed, evaluate, finetune, prepare, train
from arxiv_core.pipeline.translation import explained, translated

TABLES = {module: module.OPTIONS for module in (embed, evaluate, finetune, prepare, train)}

READ_BY_PYTHON = {
    "calibration.kind",
    "data.dataset",
    "data.source",
    "evaluation.report",
    "evaluation.split",
    "model.name",
    "paths.data",
    "paths.runs",
    "run",
    "train.mode",
}

READ_BY_A_ROOM = ("serve.", "sweep.", "tracking.")
"""Groups that a room of their own reads whole."""


def leaves(node: object, prefix: str = "") -> Iterator[str]:
    assert is_dataclass(node)
    for field in fields(node):
        value = getattr(node, field.name)
        if is_dataclass(value):
            yield from leaves(value, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def test_every_key_reaches_a_stage() -> None:
    reached = {key for table in TABLES.values() for key in table.values()}
    keys = {key for key in leaves(Config()) if not key.startswith(READ_BY_A_ROOM)}
    assert len(keys) > 60
    assert reached | READ_BY_PYTHON == keys
    assert not reached & READ_BY_PYTHON


def test_options_are_nested_and_enumerations_are_values() -> None:
    options = translated(Config(seed=7), train.OPTIONS)
    assert options["head"] == HeadKind.hybrid.value
    assert options["mlp"]["words"]["features"] == Config().head.words.features
    assert options["calibration"]["seed"] == options["seed"] == 7


@pytest.mark.parametrize(
    ("said", "explanation"),
    [
        ("option subset.categories = cs.XX: no", "labels.categories = cs.XX: no"),
        ("option max_papers = 0: no", "data.max_papers = 0: no"),
        ("option seed = -1: no", "seed = -1: no"),
        ("option elsewhere = 3: no", "option elsewhere = 3: no"),
        ("something else", "something else"),
    ],
)
def test_an_error_names_the_key_that_can_be_set(said: str, explanation: str) -> None:
    with pytest.raises(OptionError) as caught, explained(prepare.OPTIONS):
        raise OptionError(said)
    assert str(caught.value) == explanation


def test_an_ambiguous_name_stays_as_it_is() -> None:
    with pytest.raises(OptionError, match="option folds = 1"), explained(train.OPTIONS):
        raise OptionError("option folds = 1: no")
