"""The gate on skips: one that tests/skips.toml does not list fails the run."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path
from typing import Any

import pytest

SKIPS = tomllib.loads((Path(__file__).parent / "skips.toml").read_text(encoding="utf-8"))["skip"]

_skipped: dict[tuple[str, str], None] = {}


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    _skipped[report.nodeid, reason.removeprefix("Skipped: ")] = None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _note(report)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process that ran some of the tests noted: of whole files it alone knows."""
    for test, reason in getattr(node, "workeroutput", {}).get("skipped", ()):
        _skipped[test, reason] = None


def _listed(test: str, reason: str) -> bool:
    return any(
        fnmatch.fnmatch(test, entry["test"]) and fnmatch.fnmatch(reason, entry["reason"])
        for entry in SKIPS
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["skipped"] = list(_skipped)
    elif any(not _listed(test, reason) for test, reason in _skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for test, reason in _skipped:
        mark = "listed" if _listed(test, reason) else "NOT LISTED in tests/skips.toml"
        terminalreporter.write_line(f"skipped ({mark}): {test}: {reason}")
