"""An arXiv identifier → title and abstract, by arXiv's own interface."""

from __future__ import annotations

import asyncio
import functools
import http.client
import re
import threading
import urllib.error
import urllib.parse
from typing import NamedTuple
from xml.etree import ElementTree

from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core.aside import aside
from arxiv_core.serve.page.fetch import fetched

__all__ = ["Found", "Lookup"]

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

AT_ONCE = 4
"""Papers that are looked up at once: each takes a thread, and arXiv asks for few requests."""


class Found(NamedTuple):
    """A paper as arXiv has it."""

    title: str
    abstract: str
    primary: str


class Lookup:
    """Looks papers up at arXiv, few at a time.

    Parameters
    ----------
    address
        Of arXiv's interface: ``https://export.arxiv.org/api/query``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._places = threading.BoundedSemaphore(AT_ONCE)

    async def __call__(self, identifier: str, *, timeout: float | None = None) -> Found:
        """Ask arXiv for a paper.

        Parameters
        ----------
        identifier
            ``2101.00001``, ``hep-th/9901001``, with or without a version, ``arXiv:`` or an
            address.
        timeout
            Seconds that are left for it; None: as long as arXiv may take.

        Returns
        -------
        Found
            The paper.

        Raises
        ------
        HTTPException
            422 for what is no identifier, 404 where there is no such paper, 502 where arXiv cannot
            be reached, or does not answer as it should.
        OverloadedError
            As many papers are being looked up as may be.
        DeadlineError
            arXiv took longer than it may.
        """
        match = IDENTIFIER.fullmatch(identifier.strip())
        if match is None:
            raise HTTPException(
                422, f"{identifier!r} is not an arXiv identifier such as 2101.00001"
            )
        query = urllib.parse.urlencode({"id_list": match["id"], "max_results": 1})
        limit = PATIENCE if timeout is None else min(PATIENCE, timeout)
        ask = functools.partial(self._ask, f"{self._address}?{query}", limit)
        try:
            async with asyncio.timeout(limit):
                entry = ElementTree.fromstring(await aside(ask)).find("atom:entry", SPACES)
        except TimeoutError:
            raise arxiv_core.DeadlineError("arXiv did not answer in time") from None
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in {400, 404}:
                raise HTTPException(404, f"arXiv has no paper {match['id']}") from None
            raise HTTPException(502, f"arXiv answers with status {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException, ElementTree.ParseError) as error:
            reason = getattr(error, "reason", error)
            raise HTTPException(502, f"arXiv cannot be asked: {reason}") from None
        # What arXiv does not have, or does not understand, is an entry too: without an abstract,
        # or named Error.
        title, abstract = _text(entry, "atom:title"), _text(entry, "atom:summary")
        if not abstract or title == "Error":
            raise HTTPException(404, f"arXiv has no paper {match['id']}")
        category = None if entry is None else entry.find("arxiv:primary_category", SPACES)
        primary = "" if category is None else category.get("term", "")
        return Found(title, abstract, primary)

    def _ask(self, address: str, limit: float) -> bytes:
        # Here and not where it is waited for: who goes away leaves the thread, which has its place
        # until it ends.
        if not self._places.acquire(blocking=False):
            raise arxiv_core.OverloadedError(
                f"{AT_ONCE} papers are being looked up at arXiv, which is as many as may be; try "
                "again later"
            )
        try:
            agent = {"User-Agent": f"arxiv-core/{arxiv_core.__version__}"}
            return fetched(address, agent, within=limit, most=LARGEST)
        finally:
            self._places.release()


def _text(entry: ElementTree.Element | None, name: str) -> str:
    text = None if entry is None else entry.findtext(name, None, SPACES)
    return " ".join((text or "").split())
