"""A log record as one JSON object on one line."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime

__all__ = ["JsonLines"]

# uvicorn repeats its message with escape sequences for a terminal.
USUAL = {*vars(logging.makeLogRecord({})), "asctime", "color_message", "message", "taskName"}
"""Attributes that say nothing of their own; any other was given as `extra`."""


SEVERITIES = [
    (logging.DEBUG, "DEBUG"),
    (logging.INFO, "INFO"),
    (logging.WARNING, "WARNING"),
    (logging.ERROR, "ERROR"),
    (logging.CRITICAL, "CRITICAL"),
]


class JsonLines(logging.Formatter):
    """Formats a record as ``time``, ``severity``, ``logger``, ``message``, and its extra fields.

    ``time`` is RFC 3339 in UTC; ``severity`` is the level, in the field and by the name for which
    Cloud Logging looks: https://cloud.google.com/logging/docs/structured-logging. ``exception``
    and ``stack`` are text, where there are any. An extra field of one of these names is written as
    ``extra.NAME``. The line is ASCII: a name that is no valid Unicode cannot break it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "severity": _severity(record.levelno),
            "logger": record.name,
            "message": record.getMessage(),
        }
        extra = {name: value for name, value in vars(record).items() if name not in USUAL}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        for name, value in extra.items():
            line[f"extra.{name}" if name in line else name] = _plain(value)
        return json.dumps(line)


def _severity(level: int) -> str:
    """Name the highest level that is reached: Rust's trace, and other libraries', have no name."""
    reached = [name for least, name in SEVERITIES if level >= least]
    return reached[-1] if reached else "DEBUG"


def _plain(value: object) -> object:
    """Turn a value into what JSON has; what it has no form for becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
