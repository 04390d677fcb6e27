"""README's figures are those of benches/results, and its snippet runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_holds_the_figures_of_the_result_files() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benches" / "readme.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "benches/results").iterdir()), ids=lambda p: p.name)
def test_result_files_say_where_their_figures_come_from(path: Path) -> None:
    result = json.loads(path.read_text(encoding="utf-8"))
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?", result["commit"])
    assert result["machine"]["cores"] > 0
    assert "arxiv-core" in result["versions"]


def test_readme_snippet_classifies_a_paper() -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(snippets) == 1
    assert len(snippets[0].splitlines()) == 5
    done = subprocess.run(
        [sys.executable, "-c", snippets[0]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(r"\S+ [01]\.\d+ (True|False)", line) for line in lines)


def test_readmes_commands_compose_and_prepare_what_was_fetched() -> None:
    from arxiv_core.config import compose
    from arxiv_core.pipeline import fetch, raw

    lines = re.findall(r"^arxiv-core prepare (data=.*?) *(?:#.*)?$", README, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        config = compose(line.split())
        assert raw.source(config) == Path(config.paths.data) / fetch.SNAPSHOT


def test_readme_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
