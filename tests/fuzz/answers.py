"""What every answer of the service must be, whatever was asked."""

from __future__ import annotations

import codecs
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz.exchange import Exchange
    from serve.stand_in import Fake

STATUSES = {200, 304, 307, 400, 401, 404, 405, 413, 415, 422, 429, 499, 503, 504}
"""A fault of the service, 500 or TEI's 424, is none of them."""

BUSY = {429, 503, 504}

SOUND = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")
"""A number of a request that is kept."""

PUBLIC = re.compile(r"/|/health|/ready|/page/.*", re.DOTALL)
"""Answered without a key."""

LEAKS = (b"Traceback (most recent call last)", b'File "/', b"site-packages", b"arxiv_core/")
"""Of the service's inside, which no answer shows; the client may have written them."""

ERRORS: tuple[tuple[str, Any], ...] = (
    ("/embed", {"error": str, "error_type": str}),
    ("/predict", {"error": str, "error_type": str}),
    (
        "/v1/embeddings",
        {"error": {"message": str, "type": str, "param": str | None, "code": str | None}},
    ),
    (
        "/v1/models",
        {"error": {"message": str, "type": str, "param": str | None, "code": str | None}},
    ),
    ("/v1/", {"error": {"type": str, "message": str}}),
    ("/vertex", {"error": {"type": str, "message": str}}),
    ("", {"message": str}),
)
"""The shape of an error's body, by how the path begins."""


class WrongError(AssertionError):
    """An answer that may not be."""


def check(exchange: Exchange, fake: Fake) -> None:
    """Look at an answer.

    Raises
    ------
    WrongError
        It may not be.
    """
    place = f"{exchange.method} {exchange.path!r}: {exchange.status}"

    def must(holds: object, what: str) -> None:
        if not holds:
            raise WrongError(f"{place}: {what}: {exchange.content[:300]!r}")

    must(exchange.complete, "not answered to the end")
    must(exchange.status in STATUSES, "a status that nobody foresaw")
    must(exchange.status != 499 or exchange.leaves, "the client is there")
    ready = exchange.path == "/ready"
    must(exchange.status not in BUSY or fake.error is not None or ready, "the classifier is free")

    numbers = values(exchange.answered, b"x-request-id")
    must(len(numbers) == 1 and SOUND.fullmatch(numbers[0]), "no number of the request")
    given = values(exchange.headers, b"x-request-id")[:1]
    must(not given or not SOUND.fullmatch(given[0]) or numbers == given, "another number")
    must(values(exchange.answered, b"x-content-type-options") == [b"nosniff"], "no nosniff")
    for length in values(exchange.answered, b"content-length"):
        must(int(length) == len(exchange.content), f"content-length {length!r}")
    for leak in LEAKS:
        must(leak not in exchange.content or leak in exchange.data, "shows its inside")

    preflight = exchange.shared and exchange.method == "OPTIONS"
    reading = exchange.method in {"GET", "HEAD"}
    if exchange.locked and not preflight and not (reading and PUBLIC.fullmatch(exchange.path)):
        must(exchange.status == 401, "answered without a key")
    if exchange.path == "/" and exchange.method == "POST":
        must(kind(exchange) == "text/html", "no page")
        must(not Scripted(exchange.content).found, "what the form holds is code")
    elif exchange.status >= 400 and not preflight and not ready:
        # Vertex AI's is one path, the others are families of them.
        wanted = next(
            shape
            for start, shape in ERRORS
            if (exchange.path == start if start == "/vertex" else exchange.path.startswith(start))
        )
        must(fits(said(exchange), wanted), "not the route's error")
    elif exchange.status == 200 and exchange.method == "POST":
        must(answers(exchange, fake), "not an answer to what was asked")


def answers(exchange: Exchange, fake: Fake) -> bool:
    """Whether the answer to a POST is one to everything that was asked, and to nothing else."""
    asked = json.loads(exchange.body.removeprefix(codecs.BOM_UTF8).decode())
    found = said(exchange)
    seen = [(paper["title"], paper["abstract"]) for paper in fake.seen]
    match exchange.path:
        case "/classify":
            return seen == papers([asked]) and len(found) >= 1
        case "/v1/classify":
            return seen == papers(asked["papers"]) and len(found["papers"]) == len(seen)
        case "/vertex":
            return seen == papers(asked["instances"]) and len(found["predictions"]) == len(seen)
        case "/v1/explain":
            ends = [
                (one["field"] == "abstract", one["start"], one["end"]) for one in found["spans"]
            ]
            lengths = (len(asked["title"]), len(asked["abstract"]))
            return (
                seen[0] == papers([asked])[0]
                and len(seen) == 1 + len(ends)
                and ends == sorted(ends)
                and all(start < end <= lengths[field] for field, start, end in ends)
                and all(len(one["contributions"]) == len(ends) for one in found["categories"])
            )
        case "/v1/embeddings":
            numbers = [one["index"] for one in found["data"]]
            return fake.embedded == listed(asked["input"]) and numbers == list(
                range(len(fake.embedded))
            )
        case "/embed":
            return fake.embedded == listed(asked["inputs"]) and len(found) == len(fake.embedded)
        case "/predict":
            batch = isinstance(asked["inputs"], list) and isinstance(asked["inputs"][0], list)
            return (
                len(found if batch else [found])
                == len(seen)
                == (len(asked["inputs"]) if batch else 1)
            )
    return False


def papers(asked: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(paper["title"], paper["abstract"]) for paper in asked]


def listed(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts


def values(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """What the headers of this name say."""
    return [value for key, value in headers if key.lower() == name]


def kind(exchange: Exchange) -> str:
    return b",".join(values(exchange.answered, b"content-type")).partition(b";")[0].decode()


def said(exchange: Exchange) -> Any:
    """The answer's JSON."""

    def constant(name: str) -> None:
        raise WrongError(f"{name} is no JSON")

    if kind(exchange) != "application/json":
        raise WrongError(f"{exchange.method} {exchange.path!r}: {kind(exchange)!r}, not JSON")
    return json.loads(exchange.content.decode(), parse_constant=constant)


def fits(value: Any, shape: Any) -> bool:
    """Whether a value has exactly the fields of a shape."""
    if not isinstance(shape, dict):
        return isinstance(value, shape)
    return (
        isinstance(value, dict)
        and value.keys() == shape.keys()
        and all(fits(value[name], inner) for name, inner in shape.items())
    )


class Scripted(HTMLParser):
    """Finds scripts that are not the page's own, and attributes that are scripts."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        data = named.get("type") == "application/json"
        if tag == "script" and not data and not named.get("src", "").startswith("page/page.js?"):
            self.found.append(tag)
        self.found += [name for name in named if name.startswith("on")]
        addresses = [named.get(name, "") for name in ("href", "src", "action", "formaction")]
        self.found += [one for one in addresses if one.strip().lower().startswith("javascript:")]
