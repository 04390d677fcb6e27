"""An arXiv identifier → title and abstract, by arXiv's own interface."""

from __future__ import annotations

import asyncio
import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import NamedTuple
from xml.etree import ElementTree

from starlette.exceptions import HTTPException

import arxiv_core

__all__ = ["Found", "look_up"]

IDENTIFIER = re.compile(
    r"(?:arxiv:|https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/)?"
    r"(?P<id>(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?)(?:\.pdf)?",
    re.ASCII | re.IGNORECASE,
)
"""https://info.arxiv.org/help/arxiv_identifier.html, also within an address."""

SPACES = {"atom": "http://www.w3.org/2005/Atom", "arxiv": "http://arxiv.org/schemas/atom"}

LARGEST = 1024 * 1024
"""Bytes of an answer; one paper has about 4 kB."""

PATIENCE = 10
"""Seconds that arXiv may take."""


class Found(NamedTuple):
    """A paper as arXiv has it."""

    title: str
    abstract: str
    primary: str


async def look_up(identifier: str, address: str) -> Found:
    """Ask arXiv for a paper.

    Parameters
    ----------
    identifier
        ``2101.00001``, ``hep-th/9901001``, with or without a version, ``arXiv:`` or an address.
    address
        Of arXiv's interface: ``https://export.arxiv.org/api/query``.

    Returns
    -------
    Found
        The paper.

    Raises
    ------
    HTTPException
        422 for what is no identifier, 404 where there is no such paper, 502 where arXiv does not
        answer, or not as it should.
    """
    match = IDENTIFIER.fullmatch(identifier.strip())
    if match is None:
        raise HTTPException(422, f"{identifier!r} is not an arXiv identifier such as 2101.00001")
    query = urllib.parse.urlencode({"id_list": match["id"], "max_results": 1})
    try:
        # A thread waits for it: the loop goes on.
        content = await asyncio.to_thread(_fetched, f"{address}?{query}")
        entry = ElementTree.fromstring(content).find("atom:entry", SPACES)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in {400, 404}:
            raise HTTPException(404, f"arXiv has no paper {match['id']}") from None
        raise HTTPException(502, f"arXiv answers with status {error.code}") from None
    except (OSError, ValueError, http.client.HTTPException, ElementTree.ParseError) as error:
        reason = getattr(error, "reason", error)
        raise HTTPException(502, f"arXiv cannot be asked: {reason}") from None
    # What arXiv does not have, or does not understand, is an entry too: without an abstract, or
    # named Error.
    title, abstract = _text(entry, "atom:title"), _text(entry, "atom:summary")
    if not abstract or title == "Error":
        raise HTTPException(404, f"arXiv has no paper {match['id']}")
    category = None if entry is None else entry.find("arxiv:primary_category", SPACES)
    primary = "" if category is None else category.get("term", "")
    return Found(title, abstract, primary)


def _fetched(address: str) -> bytes:
    agent = {"User-Agent": f"arxiv-core/{arxiv_core.__version__}"}
    asked = urllib.request.Request(address, headers=agent)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        content: bytes = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"its answer is larger than {LARGEST} bytes")
    return content


def _text(entry: ElementTree.Element | None, name: str) -> str:
    text = None if entry is None else entry.findtext(name, None, SPACES)
    return " ".join((text or "").split())
