"""A record is one JSON object on one line, whatever it holds."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from arxiv_core.logs import JsonLines


def line(message: str = "read %d papers", *arguments: object, **named: Any) -> dict[str, Any]:
    record = logging.getLogger("arxiv_core.corpus").makeRecord(
        "arxiv_core.corpus", logging.INFO, "file.py", 1, message, arguments, **named
    )
    text = JsonLines().format(record)
    assert "\n" not in text
    assert text.isascii()
    value: dict[str, Any] = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    return value


def test_time_severity_logger_and_message_come_first() -> None:
    before = datetime.now(UTC)
    found = line("read %d papers", 3, exc_info=None)
    assert list(found) == ["time", "severity", "logger", "message"]
    assert found["time"].endswith("Z")
    assert abs((datetime.fromisoformat(found["time"]) - before).total_seconds()) < 60
    assert (found["severity"], found["logger"]) == ("INFO", "arxiv_core.corpus")
    assert found["message"] == "read 3 papers"


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (5, "DEBUG"),
        (logging.DEBUG, "DEBUG"),
        (logging.INFO, "INFO"),
        (25, "INFO"),
        (logging.WARNING, "WARNING"),
        (logging.ERROR, "ERROR"),
        (logging.CRITICAL, "CRITICAL"),
    ],
)
def test_every_level_has_a_severity_that_cloud_logging_knows(level: int, severity: str) -> None:
    record = logging.makeLogRecord({"levelno": level, "levelname": f"Level {level}"})
    assert json.loads(JsonLines().format(record))["severity"] == severity


def test_extra_fields_are_kept_with_their_types() -> None:
    extra = {"papers": 3, "dropped": {"short": 2}, "output": Path("a/b"), "f1": 0.5, "none": None}
    found = line("done", exc_info=None, extra=extra)
    assert {name: found[name] for name in extra} == extra | {"output": "a/b"}


def test_an_extra_field_does_not_take_the_place_of_another() -> None:
    found = line("done", exc_info=None, extra={"time": "never", "severity": 9})
    assert found["severity"] == "INFO"
    assert (found["extra.time"], found["extra.severity"]) == ("never", 9)


def test_an_exception_is_text() -> None:
    try:
        raise ValueError("no such split")
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert found["exception"].startswith("Traceback")
    assert found["exception"].endswith("ValueError: no such split")


@pytest.mark.parametrize("message", ["two\nlines", "caf\udce9", "naïve — ∑", '"quoted"'])
def test_no_message_breaks_the_line(message: str) -> None:
    assert line(message.replace("%", "%%"), exc_info=None)["message"] == message


def test_what_json_has_no_form_for_is_text() -> None:
    odd = {"loss": float("nan"), "all": [float("inf"), {1: {2}}]}
    found = line("done", exc_info=None, extra=odd)
    assert found["loss"] == "nan"
    assert found["all"] == ["inf", {"1": "{2}"}]
