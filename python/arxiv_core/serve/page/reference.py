"""``GET /docs``: the OpenAPI document for people to read; no script, nothing from elsewhere."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Response

from arxiv_core.serve.page.render import template

__all__ = ["reference"]


POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
"""What a browser lets it do."""


class Row(NamedTuple):
    """A field of a body."""

    name: str
    kind: str
    schema: str | None
    """Name of the schema that says more."""
    required: bool
    default: str | None
    about: str


def reference(document: Callable[[], dict[str, Any]]) -> APIRouter:
    """Build the route.

    Parameters
    ----------
    document
        Returns the OpenAPI document.

    Returns
    -------
    fastapi.APIRouter
        ``GET /docs``.
    """
    routes = APIRouter(include_in_schema=False)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}

    # The document does not change, and to write it takes the event loop's time.
    @functools.cache
    def written() -> str:
        found = document()
        schemas = found["components"]["schemas"]
        return template("reference.html").render(
            about=found["info"],
            operations=list(_operations(found)),
            schemas={name: _described(schemas[name]) for name in sorted(schemas)},
            secured="security" in found,
        )

    @routes.api_route("/docs", methods=["GET", "HEAD"])
    async def docs() -> Response:
        return Response(written(), media_type="text/html", headers=headers)

    return routes


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = _name(content.get("application/json", {}).get("schema", {}))
            schema = document["components"]["schemas"].get(body, {})
            links = operation["responses"].get("200", {}).get("links", {})
            yield {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": operation["summary"],
                "body": body,
                "fields": _rows(schema),
                "example": _example(schema),
                "answers": [_answer(*one) for one in operation["responses"].items()],
                "links": [(to, link["description"]) for to, link in links.items()],
            }


def _answer(status: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    [(media_type, content), *_] = answer.get("content", {"": {}}).items()
    schema = content.get("schema", {})
    about = "Answered" if status == "200" else answer["description"]
    kind, name = _kind(schema) if media_type == "application/json" else (media_type, None)
    return {"status": status, "about": about, "kind": kind, "schema": name}


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "about": schema.get("description", ""),
        "fields": _rows(schema),
        "names": schema.get("enum", []),
    }


def _rows(schema: Mapping[str, Any]) -> list[Row]:
    required = schema.get("required", [])
    return [
        Row(
            name,
            *_kind(field),
            required=name in required,
            default=json.dumps(field["default"]) if "default" in field else None,
            about=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples", [])
    return json.dumps(examples[0], ensure_ascii=False, indent=2) if examples else ""


def _name(schema: Mapping[str, Any]) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def _kind(schema: Mapping[str, Any]) -> tuple[str, str | None]:
    """Say in words what fits a schema, and which named one that is about."""
    if name := _name(schema):
        return name, name
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"]]
        words = dict.fromkeys(word for word, _ in kinds)
        return " or ".join(words), next((name for _, name in kinds if name), None)
    if "enum" in schema:
        return " or ".join(json.dumps(one) for one in schema["enum"]), None
    if "const" in schema:
        return json.dumps(schema["const"]), None
    kind = schema.get("type", "anything")
    if kind == "array":
        word, name = _kind(schema.get("items", {}))
        return f"list of {word}", name
    limits = [
        f"{sign} {schema[limit]}"
        for limit, sign in (("minimum", "≥"), ("maximum", "≤"))
        if limit in schema
    ]
    return " ".join([kind, *limits]), None
