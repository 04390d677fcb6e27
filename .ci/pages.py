"""Lays the pages of the documentation's site where the repository has them (a hook of mkdocs.yml).

So a link that works on GitHub works there too, and one that leads to no page fails.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

ELSEWHERE = ("README.md", "CONTRIBUTING.md", "python/arxiv_core/default_model/README.md")
"""Pages outside `docs/`."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Give every page its path in the repository."""
    inside = list(files.documentation_pages())
    for page in inside:
        files.remove(page)
    for path in [*(Path(page.abs_src_path) for page in inside), *(ROOT / one for one in ELSEWHERE)]:
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files
