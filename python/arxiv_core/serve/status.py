"""``GET /status``, as arXiv's own classifier service has it.

Source: https://github.com/arXiv/arxiv-classifier, ``service_status`` in
``classifier/routes/__init__.py`` and ``health_check`` in ``classifier/controllers/__init__.py``:
it classifies an invented paper and answers ``OK`` with 200, else ``{"message": "DOWN: …"}`` with
an error's status.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core.live import Submission
from arxiv_core.serve.refusals import Message, said
from arxiv_core.serve.scoring import Live
from arxiv_core.serve.service import fails

__all__ = ["router"]

PAPER: Submission = {
    "title": "this is a title",
    "abstract": "this is the abstract of the article",
}
"""arXiv's own service tries itself with it."""


def router(classifier: Live, *, timeout: float | None) -> APIRouter:
    """Build the route.

    Parameters
    ----------
    classifier
        Answers every request.
    timeout
        Seconds after which it counts as down; None: never.

    Returns
    -------
    fastapi.APIRouter
        ``GET /status``.
    """
    routes = APIRouter()

    @routes.head("/status", include_in_schema=False)
    @routes.get(
        "/status",
        summary="OK once a paper has been classified",
        response_class=PlainTextResponse,
        responses=fails(
            Message,
            {401: "As elsewhere", 500: "Down", 503: "Stopping", 504: "Not answered in time"},
        ),
    )
    async def status() -> PlainTextResponse:
        try:
            await classifier.submit(PAPER, timeout=timeout)
        except arxiv_core.OverloadedError:
            # As many papers as may be are being answered: busy, not down.
            pass
        except Exception as error:
            told = said(error)
            down = f"DOWN: {told.message}"
            raise HTTPException(told.status, down, dict(told.headers or {})) from error
        return PlainTextResponse("OK")

    return routes
