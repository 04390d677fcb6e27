"""The model card: what a model is, how good it is, and what made it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from arxiv_core.config.schema import Config
from arxiv_core.pipeline.figures import figures
from arxiv_core.pipeline.layout import NotYetError
from arxiv_core.pipeline.record import as_dict

__all__ = ["card", "overrides", "word"]

PLAIN = re.compile(r"[A-Za-z][\w./-]*")
"""Strings that Hydra reads as strings without quotes, `WORDS` apart."""

AROUND = ("paths.", "serve.", "sweep.", "tracking.")
"""Groups that change no figure of a run."""

WORDS = {"null", "true", "false", "inf", "nan"}


def card(
    name: str, spec: Mapping[str, Any], metrics: Mapping[str, Any], config: Mapping[str, Any]
) -> str:
    """Write a model card in Markdown.

    Parameters
    ----------
    name
        The run's name.
    spec
        ``classifier.json``.
    metrics
        What `evaluate` found; its plain figures become the table.
    config
        The configuration that the model was trained with.

    Returns
    -------
    str
        Markdown.
    """
    encoder, head = spec["encoder"], spec["head"]
    trained = {key: value for key, value in config.items() if key != "prepared"}
    prepared = trained | config.get("prepared", {})
    evaluated = trained | {"evaluation": metrics.get("evaluated_with", config["evaluation"])}
    rows = "\n".join(f"| {' | '.join(row)} |" for row in _rows(metrics))
    sample = (
        "\n**Trained on the bundled corpus of invented papers: "
        "these figures show that everything runs, and mean nothing else.**\n"
        if config["data"]["source"] == "sample"
        else ""
    )
    seen = (
        "had not seen then, and was fitted to once more afterwards"
        if config["train"]["refit"]
        else "was not fitted to"
    )
    tuned = config["train"]["mode"] == "full"
    # What tunes the encoder embeds the papers itself.
    fitted = [_command(stage, trained) for stage in (["train"] if tuned else ["embed", "train"])]
    level = evaluated["evaluation"]["bootstrap"]["level"]
    return f"""# {name}

Sorts a paper, given by title and abstract, into {len(spec["labels"])} arXiv categories
(canonical label space, version {spec["label_space_version"]}).
{sample}
- Encoder: {encoder["name"]} (`model.safetensors` {encoder["sha256"][:12]}…),
  {"fine-tuned" if tuned else "frozen"}, {spec["pooling"]} pooling, {spec["max_length"]} word pieces
- Head: {head["kind"]}
- Probabilities: one sigmoid a label after calibration; a category is assigned from its own
  threshold on; both fitted on papers that the head {seen}

## Figures on the split {metrics.get("split", "test")}

| figure | value | {100 * level:g} % interval |
|---|---|---|
{rows}

## Limits

It reads English titles and abstracts as arXiv has them, and nothing beyond its word limit; it
knows only the categories it was trained on; and it repeats what arXiv's authors and moderators
decided, mistakes included.

## Remake

```
{_command("prepare", prepared)}
{chr(10).join(fitted)}
{_command("evaluate", evaluated)}
{_command("package", trained)}
```
"""


def _command(stage: str, config: Mapping[str, Any]) -> str:
    return shlex.join(["arxiv-core", stage, *overrides(config)])


def _rows(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value, interval in figures(metrics):
        beside = "{:.4f} to {:.4f}".format(*interval) if interval else ""
        if isinstance(value, float):
            yield name, f"{value:.4f}", beside
        elif isinstance(value, int):
            yield name, f"{value:,}", beside


def overrides(config: Mapping[str, Any]) -> list[str]:
    """Write a configuration as the overrides that compose it, `AROUND` left out.

    Parameters
    ----------
    config
        A configuration as plain values.

    Returns
    -------
    list of str
        Hydra overrides; one for each value that is not the default.
    """
    usual = as_dict(Config())
    return [
        f"{key}={word(value)}"
        for key, value in _differences(config, usual, "")
        if not key.startswith(AROUND)
    ]


def _differences(
    values: Mapping[str, Any], usual: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if name not in usual:
            raise NotYetError(
                f"the run was trained with a key {prefix}{name} that is no more: "
                "run arxiv-core train again"
            )
        if isinstance(value, Mapping) and isinstance(usual[name], Mapping) and usual[name]:
            yield from _differences(value, usual[name], f"{prefix}{name}.")
        elif value != usual[name]:
            yield f"{prefix}{name}", value


def word(value: object) -> str:
    """Write a value as Hydra reads it in an override.

    Parameters
    ----------
    value
        Null, a boolean, a number, a string, or a list of them.

    Returns
    -------
    str
        Quoted where it must be.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(word, value))}]"
    if isinstance(value, str) and (not PLAIN.fullmatch(value) or value.lower() in WORDS):
        # Inside quotes a backslash stands for itself, except before a quote and at the end.
        text = re.sub(r"(\\*)'", r"\1\1\'", value)
        return "'" + re.sub(r"(\\+)$", r"\1\1", text) + "'"
    return str(value)
