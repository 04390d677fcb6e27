"""What a run directory's tracker has been told, so that it can be told once more."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arxiv_core.pipeline.record import write_text

__all__ = ["Journal"]

NAMED = {"table", "lines", "confusion"}
"""What is told under a name: a later one takes the place of an earlier."""


class Journal:
    """The tracker's id for a run, and everything that it was told, a JSON line each.

    Parameters
    ----------
    path
        The file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, run: str) -> None:
        """Start afresh for the run with the id `run`."""
        write_text(self.path, json.dumps({"run": run}) + "\n")

    @property
    def run(self) -> str | None:
        """The run's id; None where there is no run yet."""
        first: Any = next(self._lines(), {})
        return str(first["run"]) if "run" in first else None

    def add(self, kind: str, *arguments: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Note one thing that was told."""
        line = json.dumps([kind, *arguments], ensure_ascii=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def told(self) -> list[tuple[str, list[Any]]]:
        """List what was told, in order; of tables and charts of one name the last."""
        kept: dict[object, tuple[str, list[Any]]] = {}
        for at, line in enumerate(self._lines()):
            if isinstance(line, list):
                kind, *arguments = line
                key = (kind, arguments[0]) if kind in NAMED else at
                kept[key] = kind, arguments
        return list(kept.values())

    def _lines(self) -> Iterator[Any]:
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                # A process that was killed may have left half a line.
                with contextlib.suppress(json.JSONDecodeError):
                    yield json.loads(line)
