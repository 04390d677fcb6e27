"""The HTTP service, of the extra ``serve``.

Only this room imports fastapi, h11, jinja2, prometheus_client and uvicorn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arxiv_core.serve.app import create_app
    from arxiv_core.serve.keys import Keys
    from arxiv_core.serve.server import run
    from arxiv_core.serve.swap import Swapping

__all__ = ["Keys", "Swapping", "create_app", "run"]

HOMES = {"Keys": "keys", "Swapping": "swap", "create_app": "app", "run": "server"}


def __getattr__(name: str) -> object:
    # Looked up on first use, so that the package can be found where the extra is missing.
    if name in HOMES:
        return getattr(importlib.import_module(f"arxiv_core.serve.{HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
