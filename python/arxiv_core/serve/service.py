"""The application's frame: its OpenAPI document, and what surrounds every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

from arxiv_core.serve.lifetime import Lifetime

__all__ = ["Link", "Service", "fails", "leads", "takes"]

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
"""How an API key is sent, in OpenAPI's words."""

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


@dataclass(frozen=True)
class Link:
    """What can be asked next, by what was answered: an OpenAPI link."""

    operation: str
    """Name of the route that it leads to."""
    about: str
    """What that is good for."""
    body: Mapping[str, Any] | None = None
    """Fields of its body, as runtime expressions of OpenAPI's."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of its path, likewise."""


def leads(*links: Link) -> dict[int | str, dict[str, Any]]:
    """Describe where an answer leads.

    Parameters
    ----------
    links
        To what.

    Returns
    -------
    dict
        FastAPI's ``responses``.
    """
    described: dict[str, Any] = {}
    for link in links:
        described[link.operation] = {"operationId": link.operation, "description": link.about}
        if link.body is not None:
            described[link.operation]["requestBody"] = dict(link.body)
        if link.parameters:
            described[link.operation]["parameters"] = dict(link.parameters)
    return {200: {"links": described}}


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

    lifetime: Lifetime
    """What it is at; whoever runs it says there that it stops."""

    bodies: Sequence[type[BaseModel]] = ()
    """Bodies that the document describes too."""

    defaults: Mapping[str, Mapping[str, Any]] = {}
    """Schemas of which fields have other defaults here than their class has."""

    public: frozenset[str] | None = None
    """Paths that are answered without an API key; None: every one is."""

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
            for name, usual in self.defaults.items():
                for key, value in usual.items():
                    schemas[name]["properties"][key]["default"] = value
            if self.public is not None:
                document["components"]["securitySchemes"] = SCHEMES
                document["security"] = [{scheme: []} for scheme in SCHEMES]
                for path in self.public & document["paths"].keys():
                    for operation in document["paths"][path].values():
                        operation["security"] = []
        return super().openapi()
