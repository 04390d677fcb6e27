"""Errors on their way out: a status and one body a family of routes; no trace ever leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

import arxiv_core

__all__ = [
    "ANY_TYPE",
    "GONE",
    "MEANT",
    "FieldError",
    "Message",
    "Refusal",
    "Said",
    "said",
    "to_message",
    "to_refusal",
]

GONE = 499
"""The client went away (nginx's number); nobody reads the answer, logs do."""

Kind = Literal[
    "bad_request",
    "unauthorized",
    "not_found",
    "method_not_allowed",
    "too_slow",
    "too_large",
    "unsupported_media_type",
    "invalid",
    "overloaded",
    "client_gone",
    "internal",
    "stopping",
    "deadline",
]

KINDS: dict[int, Kind] = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "overloaded",
    GONE: "client_gone",
    500: "internal",
    503: "stopping",
    504: "deadline",
}


MEANT = {
    400: "Not JSON, or a primary that arXiv does not have",
    401: "API keys are set, and none of them was sent",
    408: "The body did not come in time",
    413: "Body too large",
    415: "Not application/json, or compressed",
    422: "A field is missing, unknown or wrong",
    429: "As many requests are under way as may be",
    500: "A fault of the service",
    503: "The service is stopping",
    504: "Not answered in time",
}
"""When each status is answered."""

ANY_TYPE = MEANT | {415: "Compressed"}
"""The same where any Content-Type is read."""


class FieldError(HTTPException):
    """A field of the body is wrong.

    Parameters
    ----------
    field
        Its place, such as ``papers.0.title``.
    reason
        What is wrong with it.
    status
        What is answered.
    """

    def __init__(self, field: str, reason: str, status: int = 422) -> None:
        super().__init__(status, f"field {field!r}: {reason}")
        self.field = field


class Message(BaseModel):
    """Every error's body, as arXiv's own service has it."""

    message: str


class Fault(BaseModel):
    """What was wrong."""

    type: Kind
    message: str


class Refusal(BaseModel):
    """Every error's body under /v1."""

    error: Fault


class Said(NamedTuple):
    """What a client is told."""

    status: int
    message: str
    headers: Mapping[str, str] | None = None
    field: str | None = None


def said(error: Exception) -> Said:
    """Return what a client is told of `error`.

    Parameters
    ----------
    error
        Whatever a route raised.

    Returns
    -------
    Said
        Status, sentence and headers; of an error that nobody foresaw, no more than that there was
        one.
    """
    match error:
        case FieldError():
            return Said(error.status_code, str(error.detail), field=error.field)
        case HTTPException():
            return Said(error.status_code, str(error.detail), error.headers)
        case arxiv_core.InputError():
            return Said(400, str(error))
        case arxiv_core.OptionError():
            return Said(422, str(error))
        case arxiv_core.OverloadedError():
            return Said(429, str(error), {"Retry-After": "1"})
        case arxiv_core.StoppingError():
            return Said(503, str(error), {"Retry-After": "5"})
        case arxiv_core.DeadlineError():
            return Said(504, str(error))
        case _:
            return Said(500, "internal error")


def to_message(told: Said) -> JSONResponse:
    """Answer as arXiv's own service does."""
    body = Message(message=told.message).model_dump()
    return JSONResponse(body, status_code=told.status, headers=told.headers)


def to_refusal(told: Said) -> JSONResponse:
    """Answer as /v1 does."""
    kind = KINDS.get(told.status, "bad_request" if told.status < 500 else "internal")
    body = Refusal(error=Fault(type=kind, message=told.message)).model_dump()
    return JSONResponse(body, status_code=told.status, headers=told.headers)
