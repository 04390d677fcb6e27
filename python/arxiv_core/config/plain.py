"""Overrides of the group serve that mean what they say, so that no Hydra is needed to read them.

The extra ``serve`` does without Hydra. What is read here means what Hydra would have it mean;
anything else, mistakes too, is left to Hydra.
"""

from __future__ import annotations

import re
import types
from collections.abc import Sequence
from typing import Union, get_args, get_origin, get_type_hints

from arxiv_core.config.environment import read
from arxiv_core.config.schema import Serve

__all__ = ["plainly"]

KEY = re.compile(r"serve\.(?P<key>[a-z][a-z_]*)=(?P<text>.*)", re.DOTALL)

BARE = re.compile(r"[A-Za-z0-9_/.:@+*-]+", re.ASCII)
"""Characters of which Hydra makes nothing: without ``$``, ``?`` (a value that is missing), and
those that stand for lists, functions and sweeps."""

QUOTED = re.compile(r"'(?P<single>[^'\\$?]*)'|\"(?P<double>[^\"\\$?]*)\"")

ITEM = re.compile(rf" *({QUOTED.pattern}|{BARE.pattern}) *(?:,(?=.)|\Z)", re.ASCII)

OTHERWISE = {"null", "true", "false"}
"""Words that are no text to Hydra."""


def plainly(serve: Serve, overrides: Sequence[str]) -> str | None:
    """Set what overrides say, as long as they are plain.

    Parameters
    ----------
    serve
        Where.
    overrides
        ``serve.KEY=VALUE``, and perhaps others.

    Returns
    -------
    str or None
        The first override that only Hydra can read; it and those after it are not set.
    """
    wanted = get_type_hints(Serve)
    for override in overrides:
        found = KEY.fullmatch(override)
        if found is None or found["key"] not in wanted:
            return override
        try:
            value = _value(found["text"], wanted[found["key"]])
        except ValueError:
            return override
        setattr(serve, found["key"], value)
    return None


def _value(text: str, wanted: type) -> object:
    """Read a value.

    Raises
    ------
    ValueError
        It is not plain.
    """
    if get_origin(wanted) in {Union, types.UnionType}:
        [inner] = [one for one in get_args(wanted) if one is not type(None)]
        return None if text.lower() == "null" else _value(text, inner)
    if get_origin(wanted) is list:
        return _items(text)
    if wanted is str:
        return _text(text)
    return read(text, wanted)


def _text(text: str) -> str:
    if quoted := QUOTED.fullmatch(text):
        return quoted["single"] or quoted["double"] or ""
    if BARE.fullmatch(text) is None or text.lower() in OTHERWISE or _is_number(text):
        raise ValueError(text)
    return text


def _items(text: str) -> list[str]:
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(text)
    rest, found = text[1:-1], []
    while rest:
        item = ITEM.match(rest)
        if item is None:
            raise ValueError(text)
        found.append(_text(item[1]))
        rest = rest[item.end() :]
    return found


def _is_number(text: str) -> bool:
    """Whether Hydra may take it for a number, and write it otherwise: 1.50 as 1.5."""
    try:
        float(text)
    except ValueError:
        return False
    return True
