"""The HTTP service, of the extra ``serve``.

Only this room imports fastapi, jinja2, prometheus_client and uvicorn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arxiv_core.serve.app import create_app
    from arxiv_core.serve.server import run

__all__ = ["create_app", "run"]


def __getattr__(name: str) -> object:
    # Looked up on first use, so that the package can be found where the extra is missing.
    if name == "create_app":
        from arxiv_core.serve.app import create_app

        return create_app
    if name == "run":
        from arxiv_core.serve.server import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
