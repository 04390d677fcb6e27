"""The application's frame: its OpenAPI document, and what surrounds every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

__all__ = ["Service", "fails", "takes"]

COMPONENTS = "#/components/schemas/"
"""Where the document keeps its schemas."""


def takes(body: type[BaseModel]) -> dict[str, Any]:
    """Describe the body of a route that reads it by itself.

    Parameters
    ----------
    body
        One of `Service.bodies`.

    Returns
    -------
    dict
        What the route adds to its OpenAPI operation.
    """
    schema = {"$ref": f"{COMPONENTS}{body.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def fails(form: type[BaseModel], reasons: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route.

    Parameters
    ----------
    form
        Their body.
    reasons
        When each status is answered.

    Returns
    -------
    dict
        FastAPI's ``responses``.
    """
    return {status: {"model": form, "description": text} for status, text in reasons.items()}


class Service(FastAPI):
    """An application with bodies that its routes read themselves."""

    bodies: Sequence[type[BaseModel]] = ()
    """Bodies that the document describes too."""

    around: Sequence[Callable[[ASGIApp], ASGIApp]] = ()
    """What every request passes, innermost first; an answer to an unforeseen error passes it too,
    which it would not as a middleware of Starlette's."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application as a request meets it."""
        app = super().build_middleware_stack()
        for surround in self.around:
            app = surround(app)
        return app

    def openapi(self) -> dict[str, Any]:
        """Return the document.

        Returns
        -------
        dict
            OpenAPI, complete.
        """
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for body in self.bodies:
                schema = body.model_json_schema(ref_template=COMPONENTS + "{model}")
                schemas |= schema.pop("$defs", {}) | {body.__name__: schema}
        return super().openapi()
