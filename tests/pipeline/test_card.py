"""The model card: true figures, and a command that remakes the model."""

from __future__ import annotations

import shlex

import arxiv_core
import pytest
from arxiv_core.pipeline.card import card, overrides
from arxiv_core.pipeline.record import as_dict

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

from arxiv_core.config import compose

SPEC = {
    "labels": ["cs.LG", "hep-th"],
    "label_space_version": 1,
    "encoder": {"name": "all-MiniLM-L6-v2", "sha256": "ab" * 32},
    "pooling": "mean",
    "max_length": 512,
    "head": {"kind": "linear"},
}
METRICS = {
    "papers": 1200,
    "micro_f1": 0.65,
    "intervals": {"micro_f1": [0.64, 0.66]},
    "per_label": [{"label": "cs.LG"}],
    "primary_at_1": None,
    "evaluated_with": {"bootstrap": {"level": 0.9}},
}


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["labels=distinct", "split=stratified", "seed=7"],
        [r"data.source='a b\'s, (c)=d\\e.json'", "split.train_until=2016-03", "head=mlp"],
        ["train.optimizer.lr=1e-4", "data.withdrawn=true", "calibration.shrinkage=3.5"],
        ["labels.categories=[cs.LG,hep-th]", "run=12", "data.source='null'"],
    ],
)
def test_the_card_holds_the_overrides_that_compose_the_same(given: list[str]) -> None:
    config = compose(given)
    assert compose(overrides(as_dict(config))) == config
    text = card("x", SPEC, METRICS, as_dict(config))
    lines = [shlex.split(line) for line in text.splitlines() if line.startswith("arxiv-core ")]
    assert [line[1] for line in lines] == ["prepare", "embed", "train", "evaluate", "package"]
    for line in lines:
        composed = compose(line[2:])
        if line[1] == "evaluate":
            assert composed.evaluation.bootstrap.level == 0.9
            composed.evaluation = config.evaluation
        assert composed == config


def test_figures_stand_with_their_intervals() -> None:
    text = card("x", SPEC, METRICS, as_dict(compose(["data.source=snapshot.json"])))
    assert "| micro_f1 | 0.6500 | 0.6400 to 0.6600 |" in text
    assert "| figure | value | 90 % interval |" in text
    assert "| papers | 1,200 |  |" in text
    assert "primary_at_1" not in text
    assert "2 arXiv categories" in text
    assert "mean nothing else" not in text


def test_the_papers_may_have_been_prepared_with_another_seed() -> None:
    config = as_dict(compose(["seed=2"])) | {"prepared": {"seed": 7}}
    text = card("x", SPEC, METRICS, config)
    assert "arxiv-core prepare run=minilm-hybrid seed=7\n" in text
    assert "arxiv-core train run=minilm-hybrid seed=2\n" in text


def test_a_head_that_was_fitted_again_says_so() -> None:
    once, again = (
        card("x", SPEC, METRICS, as_dict(compose(overrides)))
        for overrides in ([], ["train.refit=true"])
    )
    assert "was not fitted to" in once
    assert "was fitted to once more" in again


def test_a_key_of_another_version_is_named() -> None:
    config = as_dict(compose())
    config["head"]["hats"] = 3
    with pytest.raises(arxiv_core.ArxivCoreError, match=r"head\.hats"):
        overrides(config)


def test_a_model_of_invented_papers_says_so() -> None:
    assert "mean nothing else" in card("x", SPEC, METRICS, as_dict(compose()))
