"""A request's body, within a limit; and clients that go away."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from arxiv_core.serve.lifetime import stopped
from arxiv_core.serve.refusals import GONE, FieldError

__all__ = ["body", "json_body", "parsed", "while_connected"]

MANY = 1000
"""Wrong fields beyond which none is named."""

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


async def body(request: Request, limit: int) -> bytes:
    """Read a request's body.

    Parameters
    ----------
    request
        Whose.
    limit
        Its largest size in bytes, whatever its headers say.

    Returns
    -------
    bytes
        Without a byte order mark.

    Raises
    ------
    HTTPException
        413 for a larger one; 415 where it is compressed; 400 where it ends early.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise HTTPException(415, f"Content-Encoding {encoding!r}: must not be compressed")
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise HTTPException(413, f"the body is larger than {limit} bytes")
            parts.append(part)
    except ClientDisconnect:
        # Nobody reads the answer; to log it as a failure of ours would be wrong.
        raise HTTPException(400, "the body ended early") from None
    return b"".join(parts).removeprefix(codecs.BOM_UTF8)


async def json_body(request: Request, limit: int) -> bytes:
    """Read the body of a request that says it is JSON.

    Parameters
    ----------
    request, limit
        As in `body`.

    Returns
    -------
    bytes
        As `body`.

    Raises
    ------
    HTTPException
        415 for another Content-Type; else as `body`.
    """
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form != "application/json":
        raise HTTPException(415, f"Content-Type {form!r}: must be application/json")
    return await body(request, limit)


def parsed(model: type[Model], content: bytes) -> Model:
    """Read a body as JSON.

    Parameters
    ----------
    model
        What it must be.
    content
        The body.

    Returns
    -------
    pydantic.BaseModel
        A `model`.

    Raises
    ------
    HTTPException
        400 where it is not JSON; 422 naming the field that does not fit.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        # Of each a dictionary would be made, while nobody else is answered.
        if error.error_count() > MANY:
            raise HTTPException(422, f"{error.error_count()} fields are wrong") from None
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise HTTPException(400, f"the body is not JSON: {first['msg']}") from None
        field = ".".join(str(part) for part in first["loc"])
        # pydantic says whose message it is, which is nothing to a client.
        what = first["msg"].removeprefix("Value error, ")
        raise (FieldError(field, what) if field else HTTPException(422, what)) from None


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Wait for `work`, which is cancelled when the client goes away.

    Parameters
    ----------
    request
        The client's, whose body has been read.
    work
        What it waits for.

    Returns
    -------
    object
        What `work` returns.

    Raises
    ------
    HTTPException
        499 where the client went away.
    StoppingError
        The service stops, and has no time left for it.
    """
    task = asyncio.ensure_future(work)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    watcher = asyncio.ensure_future(watch())
    try:
        return await task
    except asyncio.CancelledError:
        if watcher.done() and not watcher.cancelled():
            raise HTTPException(GONE, "the client went away") from None
        if request.app.lifetime.status == "stopping":
            # Not as a cancellation: a route that writes errors by itself writes this one too.
            raise stopped() from None
        raise
    finally:
        watcher.cancel()
