"""One configuration tree. Only this room imports hydra and omegaconf (extra ``pipeline``).

``schema`` says what every key means, ``tree/`` holds the groups, `compose` puts them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arxiv_core.config.schema import Config

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Config", "compose", "render"]


def compose(overrides: Sequence[str] = ()) -> Config:
    """Compose the tree and check it.

    Parameters
    ----------
    overrides
        Hydra overrides: ``data.source=snapshot.json``, ``head=mlp``, ``train.optimizer.lr=1e-4``.

    Returns
    -------
    Config
        Typed, with every interpolation resolved.

    Raises
    ------
    OptionError
        An override names no key or group, or has a value that does not fit.
    MissingExtraError
        Hydra is not installed.
    """
    from arxiv_core.config.composition import typed

    return typed(overrides)


def render(overrides: Sequence[str] = ()) -> str:
    """Compose the tree and write it as YAML.

    Parameters
    ----------
    overrides
        As in `compose`.

    Returns
    -------
    str
        YAML that composes to the same configuration.
    """
    from arxiv_core.config.composition import as_yaml

    return as_yaml(overrides)
