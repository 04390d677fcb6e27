"""How a registered model is named: ``NAME``, ``NAME@v3`` or ``NAME@ALIAS``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from arxiv_core._core import ModelError

__all__ = [
    "LATEST",
    "PREFIX",
    "PRODUCTION",
    "Reference",
    "RegistryError",
    "check_alias",
    "check_name",
    "guard",
    "is_version",
    "nearest",
    "number",
]

PREFIX = "registry:"
"""What stands before a reference where a model directory could stand too."""

PRODUCTION = "production"
"""The alias that a name alone means, and that only a passed gate moves."""

LATEST = "latest"
"""The newest version; no alias can have this name."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VERSION = re.compile(r"v(0|[1-9][0-9]*)")


class RegistryError(ModelError):
    """The registry has no such model, or refuses what it is asked for; says why."""


@dataclass(frozen=True)
class Reference:
    """A model's name and which of its versions is meant."""

    name: str
    which: str = PRODUCTION
    """A version, an alias or `LATEST`."""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``NAME``, ``NAME@v3`` or ``NAME@ALIAS``, with or without `PREFIX`.

        Raises
        ------
        RegistryError
            It is none of these.
        """
        name, at, which = text.removeprefix(PREFIX).partition("@")
        if at and not which:
            raise RegistryError(f"model {text}: a version or an alias must follow the @")
        check_name(name)
        if at and not (is_version(which) or NAME.fullmatch(which)):
            raise RegistryError(f"model {text}: {which!r} is neither a version nor an alias")
        return cls(name, which or PRODUCTION)

    def __str__(self) -> str:
        return f"{self.name}@{self.which}"


def is_version(text: str) -> bool:
    """Whether `text` is written as versions are: ``v3``."""
    return VERSION.fullmatch(text) is not None


def number(version: str) -> int:
    """Return the number of a version, by which versions are ordered."""
    return int(version.removeprefix("v"))


def check_name(name: str) -> None:
    """Refuse what is no name of a model.

    Raises
    ------
    RegistryError
        It is empty, too long or has other characters.
    """
    if not NAME.fullmatch(name):
        raise RegistryError(
            f"model name {name!r}: 1 to 64 letters, digits, dots, dashes and underscores, "
            "a letter or digit first"
        )


def check_alias(alias: str) -> None:
    """Refuse what cannot be an alias.

    Raises
    ------
    RegistryError
        It looks like a version, is reserved, or has other characters.
    """
    # W&B numbers its versions in the same way, in capitals too.
    if re.fullmatch(r"[vV][0-9]+", alias):
        raise RegistryError(f"alias {alias!r}: looks like a version, and versions never move")
    if alias == LATEST:
        raise RegistryError(f"alias {alias!r}: always means the newest version")
    if not NAME.fullmatch(alias):
        raise RegistryError(
            f"alias {alias!r}: 1 to 64 letters, digits, dots, dashes and underscores, "
            "a letter or digit first"
        )


def guard(alias: str) -> None:
    """Refuse to move or remove without a gate what only a passed gate may move.

    Raises
    ------
    RegistryError
        It is `PRODUCTION`.
    """
    if alias == PRODUCTION:
        raise RegistryError(
            f"alias {PRODUCTION}: only arxiv-core model promote moves it, which runs the gate first"
        )


def nearest(wanted: str, known: Iterable[str]) -> str:
    """Say which known name comes nearest, as the end of an error.

    Parameters
    ----------
    wanted
        What was asked for.
    known
        What there is, in order.

    Returns
    -------
    str
        ``; nearest is …`` and everything there is; where there is nothing, that.
    """
    names = list(known)
    if not names:
        return "; there is none yet"
    shown = ", ".join(names[-8:])
    listed = f"there are {', '.join(names)}" if len(names) <= 8 else f"the newest are {shown}"
    if is_version(wanted):
        versions = [name for name in names if is_version(name)]
        close = sorted(versions, key=lambda name: abs(number(name) - number(wanted)))[:1]
    else:
        close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    if not close or len(names) == 1:
        return f"; {listed}" if len(names) > 1 else f"; there is only {names[0]}"
    return f"; nearest is {close[0]}, {listed}"
