"""What a sweep may try, from Hydra's override words to plain values."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    QuotedString,
    RangeSweep,
    Sweep,
)
from hydra.errors import HydraException

from arxiv_core import OptionError
from arxiv_core.config.composition import groups
from arxiv_core.config.mistakes import check
from arxiv_core.config.schema import Config

__all__ = ["Choice", "Interval", "Value", "parsed"]

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Interval:
    """Any number from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    """Equal ratios are equally likely, not equal differences."""
    whole: bool = False
    """Whole numbers alone: the key takes no others, or ``int(interval())`` asks for them."""


def parsed(space: Mapping[str, str | None]) -> dict[str, Choice | Interval]:
    """Read ``sweep.space``.

    Parameters
    ----------
    space
        Key of the configuration → what it may be; null leaves the key out.

    Returns
    -------
    dict
        In the order given.

    Raises
    ------
    OptionError
        A key is none of the configuration's, or what it may be cannot be read.
    """
    found = {key: _read(key, text) for key, text in space.items() if text is not None}
    if not found:
        raise OptionError("sweep.space = {}: there is nothing to search")
    return found


def _read(key: str, text: str) -> Choice | Interval:
    where = f"sweep.space: {key} = {text}"
    if key in groups():
        raise OptionError(f"{where}: {key} is a group; name one of its keys, as in {key}.KEY")
    check(f"{key}=null", groups())
    try:
        value = OverridesParser.create().parse_override(f"{key}={text}").value()
    except HydraException as error:
        raise OptionError(f"{where}: cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(value, Sweep):
        raise OptionError(f"{where}: one value is nothing to search: choice(), interval(), range()")
    log = "log" in value.tags
    match value:
        case ChoiceSweep(list=listed) if not isinstance(listed, Glob):
            return Choice(tuple(_plain(one, where) for one in listed))
        case RangeSweep():
            numbers = tuple(value.range())
            if not numbers:
                raise OptionError(f"{where}: holds no number")
            return Choice(numbers)
        case IntervalSweep(start=low, end=high) if low is not None and high is not None:
            if not low < high or (log and low <= 0):
                raise OptionError(f"{where}: from less to more{', above zero' if log else ''}")
            usual = functools.reduce(getattr, key.split("."), Config())
            whole = isinstance(usual, int) or isinstance(low, int)
            if whole and not (float(low).is_integer() and float(high).is_integer()):
                raise OptionError(f"{where}: from one whole number to another")
            return Interval(float(low), float(high), log, whole)
    raise OptionError(f"{where}: choice(), interval() or range(), perhaps in tag(log, …)")


def _plain(value: object, where: str) -> Value:
    if isinstance(value, QuotedString):
        return value.text
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise OptionError(f"{where}: {value!r} is no plain value")
