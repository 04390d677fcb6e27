"""The form as a browser sends it without JavaScript."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request
from starlette.exceptions import HTTPException

from arxiv_core.serve.body import body
from arxiv_core.serve.page.view import Form
from arxiv_core.serve.schemas import MAX_TEXT

__all__ = ["read"]

FIELDS = ("title", "abstract", "primary", "identifier", "key")


async def read(request: Request, max_body: int) -> Form:
    """Read a form.

    Parameters
    ----------
    request
        The browser's.
    max_body
        Largest body in bytes.

    Returns
    -------
    Form
        Line ends are line feeds; a field that is missing is empty.

    Raises
    ------
    HTTPException
        413 for a larger body, 415 for one that is no form, 422 for a text that is too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, f"Content-Type {kind!r}: must be a form's")
    content = (await body(request, max_body)).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(content, keep_blank_values=True, max_num_fields=2 * len(FIELDS))
    except ValueError as error:
        raise HTTPException(422, f"the form: {error}") from None
    values = {name: _line_feeds(value) for name, value in pairs if name in FIELDS}
    for name, value in values.items():
        if len(value) > MAX_TEXT:
            raise HTTPException(
                422, f"{name}: {len(value)} characters, which is more than {MAX_TEXT}"
            )
    for name in ("primary", "identifier", "key"):
        values[name] = values.get(name, "").strip()
    return Form(**values)


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
