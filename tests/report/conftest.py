"""Pages are read as a browser reads them, and runs are changed where they lie."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from conftest import SampleRun

VOID = {"meta", "br", "link", "img"}
CLOSED = {"path", "use", "rect", "circle", "line"}


class Page(HTMLParser):
    """A page's parts; fails where a tag is not closed in its turn."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.text = ""
        self.svgs = 0
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.links += [
            value for name in ("href", "src", "xlink:href") if (value := values.get(name))
        ]
        if values.get("id"):
            self.ids.append(str(values["id"]))
        self.svgs += tag == "svg"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["h2"]:
            self.headings.append(data)
        if not {"style", "script"} & set(self.open):
            self.text += data

    @property
    def fetched(self) -> list[str]:
        """What the page would fetch to be shown."""
        styled = re.findall(r"url\(([^)]*)\)|@import ([^;]*)", self.source)
        named = [a or b for a, b in styled]
        return [one for one in named if not one.startswith("#")] + re.findall(
            r"<(?:link|img|script|iframe|object)[^>]*\b(?:src|href|data)=", self.source
        )


@pytest.fixture(scope="session")
def page() -> Callable[[Path], Page]:
    return Page


@pytest.fixture
def run(sample_run: SampleRun, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed."""
    copy = tmp_path / "copied"
    shutil.copytree(sample_run.run, copy)
    return copy


@pytest.fixture
def rescore() -> Iterator[Callable[[Path, Callable[[dict[str, Any]], None]], None]]:
    """Change the arrays of a run's scores."""

    def change(run: Path, how: Callable[[dict[str, Any]], None]) -> None:
        path = run / "scores.safetensors"
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        how(arrays)
        save_file(arrays, path, metadata)

    return change
