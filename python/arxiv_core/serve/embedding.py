"""Texts and vectors, as every family of embedding routes has them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, FailFast, Field

import arxiv_core
from arxiv_core.serve.schemas import MAX_TEXT
from arxiv_core.serve.scoring import Embedded, Live
from arxiv_core.serve.together import together

__all__ = ["Text", "Texts", "embedded"]

ATTEMPTS = 3
"""Times that texts are embedded again because another model took over in their midst."""


def _listed(value: object) -> object:
    """Make a list of a single text; refuse what a client tokenized by itself."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and any(isinstance(one, int | list) for one in value):
        raise ValueError("token ids cannot be turned back into text here: send strings")
    return value


Text = Annotated[str, Field(min_length=1)]

Texts = Annotated[
    list[str],
    FailFast(),
    BeforeValidator(
        _listed, json_schema_input_type=Text | Annotated[list[Text], Field(min_length=1)]
    ),
]
"""A text, or several."""


async def embedded(live: Live, texts: Sequence[str], timeout: float | None) -> Sequence[Embedded]:
    """Embed texts, all by one model.

    Parameters
    ----------
    live
        Embeds each.
    texts
        Texts; of each the first `MAX_TEXT` characters are read.
    timeout
        Seconds for all of them; None: any time.

    Returns
    -------
    collections.abc.Sequence
        Embeddings in the order of the texts.

    Raises
    ------
    DeadlineError
        `timeout` has passed.
    OverloadedError
        As many requests are under way as may be, or models change faster than texts are embedded.
    StoppingError
        The engine drains.
    """
    clock = asyncio.get_running_loop().time
    until = None if timeout is None else clock() + timeout

    async def one(text: str) -> Embedded:
        return await live.embed(text[:MAX_TEXT], timeout=timeout)

    for _ in range(ATTEMPTS):
        left = None if until is None else max(0.0, until - clock())
        answers = await together(one, texts, left, room=live.options["capacity"])
        if len({answer.model for answer in answers}) == 1:
            return answers
    raise arxiv_core.OverloadedError("the model changes faster than it embeds the texts")
