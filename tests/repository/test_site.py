"""The documentation's site leaves nothing out: no page, no public name, no configuration key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def site(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    return found


def pages(navigation: list[dict[str, Any]]) -> Iterator[str]:
    for entry in navigation:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else pages(target)


def public(path: Path) -> list[str]:
    """What a module's `__all__` names; the module is not imported."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise AssertionError(path)


def test_every_page_of_docs_is_in_the_navigation_once(root: Path, site: dict[str, Any]) -> None:
    listed = list(pages(site["nav"]))
    assert len(set(listed)) == len(listed)
    written = {path.relative_to(root).as_posix() for path in (root / "docs").glob("**/*.md")}
    assert len(written) >= 13
    assert written <= set(listed)
    assert [page for page in listed if not (root / page).is_file()] == []


def test_a_page_outside_docs_is_one_that_the_hook_brings(root: Path, site: dict[str, Any]) -> None:
    outside = {page for page in pages(site["nav"]) if not page.startswith("docs/")}
    hook = (root / ".ci/pages.py").read_text(encoding="utf-8")
    [brought] = re.findall(r"^ELSEWHERE = (.*)$", hook, re.MULTILINE)
    assert set(ast.literal_eval(brought)) == outside


def test_a_broken_link_fails_the_build(site: dict[str, Any]) -> None:
    assert site["strict"] is True
    assert set(site["validation"]["links"].values()) == {"warn"}


@pytest.mark.parametrize(
    ("page", "module", "source"),
    [
        ("python", "arxiv_core", "__init__.py"),
        ("configuration", "arxiv_core.config.schema", "config/schema.py"),
    ],
)
def test_the_reference_has_every_public_name_once(
    root: Path, page: str, module: str, source: str
) -> None:
    text = (root / f"docs/reference/{page}.md").read_text(encoding="utf-8")
    shown = re.findall(rf"^::: {re.escape(module)}\.(\w+)$", text, re.MULTILINE)
    assert sorted(shown) == sorted(public(root / "python/arxiv_core" / source))
