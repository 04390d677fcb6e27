"""Vertex AI's contract with a container of one's own.

Source: https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements: the
variables ``AIP_PREDICT_ROUTE`` and ``AIP_HEALTH_ROUTE`` say where predictions and health are
asked for, ``AIP_HTTP_PORT`` on which port.
"""

from __future__ import annotations

import os

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

import arxiv_core
from arxiv_core.serve import v1
from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.refusals import ANY_TYPE, Refusal
from arxiv_core.serve.schemas import EXAMPLE
from arxiv_core.serve.scoring import Live
from arxiv_core.serve.service import fails, takes

__all__ = ["BODIES", "VertexRequest", "health_route", "predict_route", "router"]


class VertexRequest(BaseModel):
    """Papers to classify, and what is to be said about each."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"instances": [EXAMPLE]}]})

    instances: list[v1.Submitted] = Field(min_length=1, max_length=v1.MAX_PAPERS)
    parameters: v1.Options | None = Field(default=None, description="As in /v1/classify")


class VertexAnswer(BaseModel):
    """What /v1/classify says of each paper, in their order."""

    predictions: list[v1.Classified]


BODIES = (VertexRequest,)
"""Bodies that the route reads itself."""


def predict_route() -> str:
    """Return where Vertex AI asks for predictions: ``AIP_PREDICT_ROUTE``, else ``/vertex``.

    Raises
    ------
    OptionError
        It is no path.
    """
    return _route("AIP_PREDICT_ROUTE") or "/vertex"


def health_route() -> str | None:
    """Return where Vertex AI asks for health: ``AIP_HEALTH_ROUTE``, or None where it is not set.

    Raises
    ------
    OptionError
        It is no path.
    """
    return _route("AIP_HEALTH_ROUTE")


def _route(variable: str) -> str | None:
    path = os.environ.get(variable)
    if not path:
        return None
    if not path.startswith("/") or "{" in path:
        raise arxiv_core.OptionError(f"{variable} = {path!r}: must be a path, such as /vertex")
    return path


def router(
    classifier: Live, *, max_body: int, timeout: float | None, limits: v1.Limits
) -> APIRouter:
    """Build the route.

    Parameters
    ----------
    classifier
        Answers every request.
    max_body
        Largest request body in bytes.
    timeout
        Seconds after which a request is answered 504; None: never.
    limits
        Of the decision, each where a request does not give it.

    Returns
    -------
    fastapi.APIRouter
        ``POST`` at `predict_route`.

    Raises
    ------
    OptionError
        ``AIP_PREDICT_ROUTE`` is no path.
    """
    routes = APIRouter()
    every = v1.answering(classifier, timeout=timeout, limits=limits, field="instances")

    @routes.post(
        predict_route(),
        summary="Classify papers, as Vertex AI asks",
        responses=fails(Refusal, ANY_TYPE),
        openapi_extra=takes(VertexRequest),
    )
    async def predictions(request: Request) -> VertexAnswer:
        asked = parsed(VertexRequest, await body(request, max_body))
        options = asked.parameters or v1.Options()
        work = every(asked.instances, options)
        return VertexAnswer(predictions=await while_connected(request, work))

    return routes
