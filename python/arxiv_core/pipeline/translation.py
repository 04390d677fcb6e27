"""Between the configuration's public keys and the names of a stage's options in Rust.

A stage has one table, option → key. By it the options are built, and by it an option's name in
an error becomes the key that a person can set.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from arxiv_core import OptionError

if TYPE_CHECKING:
    from arxiv_core.config import Config

__all__ = ["Table", "explained", "translated"]

Table = Mapping[str, str]
"""Dotted name of a stage's option → dotted key of the configuration."""


def translated(config: Config, table: Table) -> dict[str, Any]:
    """Build a stage's options.

    Parameters
    ----------
    config
        Where the values are.
    table
        The stage's table.

    Returns
    -------
    dict
        Nested as the option's names are dotted, enumerations as their values.
    """
    options: dict[str, Any] = {}
    for name, key in table.items():
        value = functools.reduce(getattr, key.split("."), config)
        *groups, leaf = name.split(".")
        inner = options
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[leaf] = value.value if isinstance(value, Enum) else value
    return options


@contextlib.contextmanager
def explained(table: Table) -> Iterator[None]:
    """Name the configuration's key in an error about an option.

    Parameters
    ----------
    table
        The stage's table.

    Raises
    ------
    OptionError
        As it was raised inside, with the key in place of the option's name.
    """
    try:
        yield
    except OptionError as error:
        raise OptionError(_renamed(str(error), table)) from error


def _renamed(message: str, table: Table) -> str:
    found = re.match(r"option (\S+) = ", message)
    if found is None:
        return message
    name = found[1]
    # A room names its own options without the group that a stage puts them into.
    keys = {key for option, key in table.items() if option == name or option.endswith(f".{name}")}
    exact = table.get(name)
    if exact is None and len(keys) != 1:
        return message
    return f"{exact or keys.pop()} = {message[found.end() :]}"
