"""The group serve in environment variables, as containers are configured: no Hydra needed."""

from __future__ import annotations

import ast
import difflib
import inspect
import itertools
import re
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Union, get_args, get_origin, get_type_hints

from arxiv_core._core import OptionError
from arxiv_core.config import schema
from arxiv_core.config.schema import Serve

__all__ = ["KEYS", "NUMBER", "PREFIX", "WHOLE", "Setting", "from_environment", "read", "settings"]

PREFIX = "ARXIV_CORE_SERVE_"
"""What stands before a key's name in capitals."""

KEYS = f"{PREFIX}KEYS"
"""API keys, separated by commas. They are in no key of the configuration, which gets logged."""

WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,15})", re.ASCII)

NUMBER = re.compile(WHOLE.pattern + r"(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?", re.ASCII)

NOTHING = {"null", "none"}


@dataclass(frozen=True)
class Setting:
    """A key of the group, as people are told of it."""

    key: str
    variable: str
    default: str
    text: str


def settings() -> list[Setting]:
    """Return every key of the group, what sets it and what it means."""
    texts = _texts()
    usual = Serve()
    return [
        Setting(
            f"serve.{one.name}",
            PREFIX + one.name.upper(),
            _written(getattr(usual, one.name)),
            texts.get(one.name, ""),
        )
        for one in fields(Serve)
    ]


def from_environment(
    serve: Serve, environment: Mapping[str, str], *, but: Collection[str] = ()
) -> None:
    """Set what environment variables say.

    Parameters
    ----------
    serve
        Where.
    environment
        Variables by name; those without `PREFIX` are not looked at.
    but
        Keys that something else has set, and that stay.

    Raises
    ------
    OptionError
        A variable names no key, or its value does not fit.
    """
    types_ = get_type_hints(Serve)
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name == KEYS:
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in types_ or name != PREFIX + key.upper():
            known = [PREFIX + one.upper() for one in types_]
            near = difflib.get_close_matches(name, [*known, KEYS], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise OptionError(f"{name}: the service has no such setting{hint}")
        if key in but:
            continue
        try:
            value = read(text.strip(), types_[key])
        except ValueError as error:
            raise OptionError(f"{name}={text!r}: {error}") from None
        setattr(serve, key, value)


def read(text: str, wanted: type) -> object:
    """Read a value.

    Parameters
    ----------
    text
        As people write it.
    wanted
        The type of a field of `Serve`.

    Returns
    -------
    object
        Of that type.

    Raises
    ------
    ValueError
        It does not fit; says what would.
    """
    if get_origin(wanted) in {Union, types.UnionType}:
        [inner] = [one for one in get_args(wanted) if one is not type(None)]
        # A number that is empty was meant to be one: no deadline must come of it.
        empty = inner is str and not text
        return None if empty or text.lower() in NOTHING else read(text, inner)
    if get_origin(wanted) is list:
        return [part for part in text.replace(",", " ").split() if part]
    if issubclass(wanted, Enum):
        names = [one.name for one in wanted]
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return wanted[text]
    if wanted is int:
        if WHOLE.fullmatch(text) is None:
            raise ValueError("not a whole number")
        return int(text)
    if wanted is float:
        if NUMBER.fullmatch(text) is None:
            raise ValueError("not a number")
        return float(text)
    return text


def _written(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    return "null" if value is None else str(value)


def _texts() -> dict[str, str]:
    """Return what stands below each key in its class."""
    [group] = ast.parse(inspect.getsource(schema.Serve)).body
    body = group.body if isinstance(group, ast.ClassDef) else []
    found: dict[str, str] = {}
    for one, after in itertools.pairwise(body):
        match one, after:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=text)):
                found[key] = " ".join(str(text).split())
    return found
