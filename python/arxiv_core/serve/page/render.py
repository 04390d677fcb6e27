"""The page's files: its template, filled and escaped by Jinja; style and script, as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import arxiv_core
from arxiv_core.serve.page.view import Answer, Form, Problem, Shown, percent
from arxiv_core.serve.page.words import PROBLEMS, WORDS

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["Asset", "Page", "template"]

FOLDER = Path(__file__).parent

TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

BLANK = Shown(category="", name="", probability=0, assigned=False, threshold=0)
"""What the script's copy of a category begins as."""


class Asset(NamedTuple):
    """A file as it is served."""

    content: bytes
    media_type: str
    version: str
    """Of its content."""


class Page:
    """Renders the page.

    Parameters
    ----------
    lookup
        Whether papers are looked up by their arXiv identifier.
    locked
        Whether the form asks for an API key.
    """

    def __init__(self, *, lookup: bool, locked: bool) -> None:
        self.assets = {name: _asset(name) for name in TYPES}
        """By name."""
        self._same = {
            "assets": {name: f"page/{name}?v={one.version}" for name, one in self.assets.items()},
            "blank": BLANK,
            "locked": locked,
            "lookup": lookup,
            "problems": PROBLEMS,
            "taxonomy": [entry for entry in arxiv_core.taxonomy() if entry["active"]],
            "version": arxiv_core.__version__,
            "words": WORDS,
        }
        self._template: Template | None = None

    def __call__(
        self,
        about: Mapping[str, Any],
        form: Form,
        *,
        answer: Answer | None = None,
        trouble: Problem | None = None,
    ) -> str:
        """Render it.

        Parameters
        ----------
        about
            What the model is, as its `info` says.
        form
            What stands in the form.
        answer
            What is said of it.
        trouble
            Why nothing is.

        Returns
        -------
        str
            HTML; whatever the form holds is text in it.
        """
        if self._template is None:
            self._template = template("page.html")
        heading = status = ""
        if trouble is not None:
            heading = trouble.heading
        elif answer is not None:
            best = answer.categories[0]
            heading = f"{best.category} {percent(best.probability)}"
            status = WORDS["status"].format(category=best.category, share=percent(best.probability))
        model = {"labels": about["labels"], "model": str(about["sha256"])[:12]}
        return self._template.render(
            self._same | model,
            form=form,
            answer=answer,
            trouble=trouble,
            heading=heading,
            status=status,
        ).lstrip()


def _asset(name: str) -> Asset:
    content = (FOLDER / name).read_bytes()
    return Asset(content, TYPES[name], hashlib.sha256(content).hexdigest()[:16])


def template(name: str) -> Template:
    """Read a template of this folder, whose values are escaped."""
    # Whoever only asks the API does not wait for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment.get_template(name)
