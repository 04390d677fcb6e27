"""The moderator's page: one paper by a form, with or without JavaScript; files of many with it."""

from __future__ import annotations

from arxiv_core.serve.page.reference import reference
from arxiv_core.serve.page.routes import router

__all__ = ["reference", "router"]
