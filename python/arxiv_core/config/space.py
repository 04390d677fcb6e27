"""What a sweep may try, from Hydra's override words to plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    RangeSweep,
    Sweep,
)
from hydra.errors import HydraException

from arxiv_core import OptionError
from arxiv_core.config.composition import groups
from arxiv_core.config.mistakes import check

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
    """Whole numbers alone."""


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
    # The value is the sweep's to read; the key must be one that an override may set.
    check(f"{key}=null", groups())
    where = f"sweep.space: {key} = {text}"
    try:
        override = OverridesParser.create().parse_override(f"{key}={text}")
    except HydraException as error:
        raise OptionError(f"{where}: cannot be read: {str(error).splitlines()[0]}") from error
    value = override._value
    if not isinstance(value, Sweep):
        raise OptionError(f"{where}: one value is nothing to search: choice(), interval(), range()")
    log = "log" in value.tags
    match value:
        case ChoiceSweep(list=listed) if not isinstance(listed, Glob):
            return Choice(tuple(_plain(one, where) for one in override.sweep_iterator()))
        case RangeSweep():
            numbers = tuple(value.range())
            if not numbers:
                raise OptionError(f"{where}: holds no number")
            return Choice(numbers)
        case IntervalSweep(start=low, end=high) if low is not None and high is not None:
            if not low < high or (log and low <= 0):
                raise OptionError(f"{where}: from less to more{', above zero' if log else ''}")
            return Interval(low, high, log, isinstance(low, int) and isinstance(high, int))
    raise OptionError(f"{where}: choice(), interval() or range(), perhaps in tag(log, …)")


def _plain(value: object, where: str) -> Value:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise OptionError(f"{where}: {value!r} is no plain value")
