"""The model card: what a model is, how good it is, and what made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["card"]


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
    rows = "\n".join(f"| {figure} | {value} |" for figure, value in _figures(metrics, ""))
    sample = (
        "\n**Trained on the bundled corpus of invented papers: "
        "these figures show that everything runs, and mean nothing else.**\n"
        if config["data"]["source"] == "sample"
        else ""
    )
    return f"""# {name}

Sorts a paper, given by title and abstract, into {len(spec["labels"])} arXiv categories
(canonical label space, version {spec["label_space_version"]}).
{sample}
- Encoder: {encoder["name"]} (`model.safetensors` {encoder["sha256"][:12]}…), frozen,
  {spec["pooling"]} pooling, {spec["max_length"]} word pieces
- Head: {head["kind"]}
- Probabilities: one sigmoid a label after calibration; a category is assigned from its own
  threshold on, fitted on papers that the head was not fitted on

## Test split

| figure | value |
|---|---|
{rows}

## Limits

It reads English titles and abstracts as arXiv has them, and nothing beyond its word limit; it
knows only the categories it was trained on; and it repeats what arXiv's authors and moderators
decided, mistakes included.

## Remake

```
arxiv-core prepare {" ".join(_overrides(config, ("data", "labels", "split")))}
arxiv-core embed
arxiv-core train head={config["head"]["kind"]}
```

The whole configuration is in the run's `config.json`.
"""


def _figures(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, float):
            yield f"{prefix}{name}", f"{value:.4f}"
        elif isinstance(value, int) and not isinstance(value, bool):
            yield f"{prefix}{name}", f"{value:,}"


def _overrides(config: Mapping[str, Any], groups: tuple[str, ...]) -> Iterator[str]:
    from dataclasses import asdict

    from arxiv_core.config.schema import Config

    usual = asdict(Config())
    for group in groups:
        for key, value in config[group].items():
            default = usual[group][key]
            if value != getattr(default, "value", default) and not isinstance(value, dict):
                yield f"{group}.{key}={value}"
