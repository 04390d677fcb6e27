"""Routes of the page: itself, its form's answer, its files."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core.live import Submission
from arxiv_core.serve.body import while_connected
from arxiv_core.serve.explain import Explained, Explainer, Span
from arxiv_core.serve.keys import Keys
from arxiv_core.serve.page import forms
from arxiv_core.serve.page.lookup import Lookup
from arxiv_core.serve.page.render import Page
from arxiv_core.serve.page.view import Answer, Form, answer, problem
from arxiv_core.serve.page.words import WORDS
from arxiv_core.serve.refusals import said
from arxiv_core.serve.scoring import TOP, Live
from arxiv_core.serve.v1 import Category, Decision, Limits

__all__ = ["router"]

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
"""What a browser lets the page do, whatever should ever stand in it."""

UNKNOWN = 64 * 1024
"""Bytes of a form that are read from whoever has not shown a key before: no more than waits in the
server anyway."""

YEAR = 365 * 24 * 60 * 60

log = logging.getLogger(__name__)


def router(
    classifier: Live,
    explainer: Explainer,
    *,
    max_body: int,
    timeout: float | None,
    limits: Limits,
    lookup: str | None = None,
    keys: Keys | None = None,
) -> APIRouter:
    """Build the page's routes.

    Parameters
    ----------
    classifier
        Answers every form.
    explainer
        Says which sentences mattered.
    max_body
        Largest form in bytes.
    timeout
        Seconds after which a form is answered 504, or where only its explanation is missing,
        without that; None: never.
    limits
        Of the decision.
    lookup
        Address of arXiv's interface, where papers are looked up; None: they are not.
    keys
        Who may send the form, by a header or by its field ``key``; None: everybody.

    Returns
    -------
    fastapi.APIRouter
        ``GET /``, ``POST /`` and ``GET /page/NAME``.
    """
    routes = APIRouter(include_in_schema=False)
    within = limits.model_dump_json()
    page = Page(lookup=lookup is not None, locked=keys is not None)
    look_up = None if lookup is None else Lookup(lookup)

    def html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        own = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(
            text,
            status_code=status,
            media_type="text/html",
            headers=own | dict(headers or {}),
        )

    def left(start: float) -> float | None:
        if timeout is None:
            return None
        return max(0.0, start + timeout - asyncio.get_running_loop().time())

    async def answered(form: Form, start: float) -> Answer:
        if not form.title.strip() and not form.abstract.strip():
            raise HTTPException(422, WORDS["empty"])
        submission: Submission = {
            "title": form.title,
            "abstract": form.abstract,
            "primary": form.primary or None,
        }
        scored = await classifier.submit(submission, timeout=left(start))
        ranked = scored.rank(TOP, form.primary or None).categories
        categories = [Category.model_validate(one, from_attributes=True) for one in ranked]
        spans: list[Span] = []
        explained: list[Explained] = []
        unexplained = ""
        known = [one.category for one in categories if one.threshold is not None]
        try:
            found = await explainer(
                form.title, form.abstract, categories=known, timeout=left(start)
            )
            if found.model == scored.model:
                spans, explained = found.spans, found.categories
            else:
                unexplained = WORDS["another_model"]
        except arxiv_core.ArxivCoreError as error:
            # The answer stands without it.
            unexplained = said(error).message
        return answer(
            form,
            categories,
            Decision.model_validate_json(scored.decide(form.primary or None, within)),
            tokens=scored.tokens,
            truncated=scored.truncated,
            spans=spans,
            explained=explained,
            unexplained=unexplained,
        )

    async def found_at_arxiv(form: Form, start: float) -> Form:
        if look_up is None:
            raise HTTPException(422, WORDS["no_lookup"])
        paper = await look_up(form.identifier, timeout=left(start))
        return replace(
            form,
            # It has done its work: sent again, the form says what stands in its other fields.
            identifier="",
            title=paper.title,
            abstract=paper.abstract,
            primary=form.primary or paper.primary,
        )

    async def sent(request: Request, *, known: bool) -> Form:
        if known:
            return await forms.read(request, max_body)
        try:
            return await forms.read(request, min(max_body, UNKNOWN))
        except HTTPException as error:
            # Nothing is wrong with the form: it was slow, or there was no room for it.
            if error.status_code in {408, 429}:
                raise
            # What is wrong with a form is told to whoever may send one.
            reason = WORDS["unread" if error.status_code == 413 else "no_key"]
            raise HTTPException(401, reason.format(bytes=UNKNOWN)) from None

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def blank() -> Response:
        return html(page(classifier.info(), Form()), headers={"Cache-Control": "no-cache"})

    @routes.post("/")
    async def filled(request: Request) -> Response:
        form = Form()
        try:
            known = keys is None or keys.admits(request.headers)
            form = await sent(request, known=known)
            if keys is not None and not (known or keys.admit(form.key)):
                raise HTTPException(401, WORDS["no_key"])
            # One deadline for all that one form asks for.
            start = asyncio.get_running_loop().time()
            if form.identifier:
                form = await while_connected(request, found_at_arxiv(form, start))
            found = await while_connected(request, answered(form, start))
        except Exception as error:
            told = said(error)
            if told.status == 500:
                log.exception("form failed")
            return html(
                page(classifier.info(), form, trouble=problem(told)), told.status, told.headers
            )
        return html(page(classifier.info(), form, answer=found))

    @routes.api_route("/page/{name}", methods=["GET", "HEAD"])
    async def asset(name: str, request: Request) -> Response:
        found = page.assets.get(name)
        if found is None:
            raise HTTPException(404)
        tag = f'"{found.version}"'
        # An address with the content's version never means anything else.
        fixed = request.query_params.get("v") == found.version
        headers = {
            "ETag": tag,
            "Cache-Control": f"public, max-age={YEAR}, immutable" if fixed else "no-cache",
        }
        known = request.headers.get("if-none-match", "")
        if tag in {one.strip().removeprefix("W/") for one in known.split(",")}:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    return routes
