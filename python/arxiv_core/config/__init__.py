"""One configuration tree. Only this room imports hydra and omegaconf (extra ``pipeline``).

``schema`` says what every key means, ``tree/`` holds the groups, `compose` puts them together,
`render` shows the outcome and where each value came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arxiv_core.config.schema import Config
from arxiv_core.extras import require

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from arxiv_core.config.space import Choice, Interval

__all__ = ["Config", "compose", "render", "search_space"]


def _needs_hydra() -> None:
    require("hydra", extra="pipeline", what="the configuration")


def compose(
    overrides: Sequence[str] = (),
    *,
    base: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
) -> Config:
    """Compose the tree and check it.

    Parameters
    ----------
    overrides
        Hydra overrides: ``data.source=snapshot.json``, ``head=mlp``, ``train.optimizer.lr=1e-4``.
    base
        A whole configuration to start from instead of the tree: a YAML or JSON file, or a run's
        directory. Its groups are chosen already; `overrides` may set keys.
    directory
        The user's own folder of groups, laid out as ``tree/``; a file in it stands before the
        tree's of the same name.

    Returns
    -------
    Config
        Typed, with every interpolation resolved.

    Raises
    ------
    OptionError
        An override, or a file, names no key or group, or has a value that does not fit.
    FileNotFoundError
        There is no `base` or no `directory`.
    MissingExtraError
        Hydra is not installed.
    """
    _needs_hydra()
    from arxiv_core.config.composition import typed

    return typed(overrides, base, directory)


def render(
    overrides: Sequence[str] = (),
    *,
    base: str | os.PathLike[str] | None = None,
    directory: str | os.PathLike[str] | None = None,
    origins: bool = False,
) -> str:
    """Compose the tree and write it as YAML.

    Parameters
    ----------
    overrides, base, directory
        As in `compose`.
    origins
        Say behind every value where it came from: a file, an override, or its default.

    Returns
    -------
    str
        YAML that `compose` takes as `base`.
    """
    _needs_hydra()
    from arxiv_core.config import composition, origin

    if origins:
        return origin.annotated(overrides, base, directory)
    return composition.as_yaml(overrides, base, directory)


def search_space(given: Mapping[str, str | None]) -> dict[str, Choice | Interval]:
    """Read ``sweep.space``.

    Parameters
    ----------
    given
        Key of the configuration → what it may be; null leaves the key out.

    Returns
    -------
    dict
        Key → `arxiv_core.config.space.Choice` or `Interval`, in the order given.

    Raises
    ------
    OptionError
        A key is none of the configuration's, or what it may be cannot be read.
    """
    _needs_hydra()
    from arxiv_core.config.space import parsed

    return parsed(given)
