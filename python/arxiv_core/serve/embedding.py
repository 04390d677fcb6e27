"""Texts and vectors, as every family of embedding routes has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BeforeValidator, Field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embedded", "Embedding", "Texts"]


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
    BeforeValidator(
        _listed, json_schema_input_type=Text | Annotated[list[Text], Field(min_length=1)]
    ),
]
"""A text, or several."""


class Embedded(Protocol):
    """A text's embedding."""

    @property
    def values(self) -> NDArray[np.float32]:
        """The vector [hidden]."""
        ...

    @property
    def truncated(self) -> bool:
        """Whether the text was longer than the model reads."""
        ...

    @property
    def tokens(self) -> int:
        """Tokens that the model read."""
        ...

    @property
    def timing(self) -> tuple[float, float, float, float, int]:
        """Seconds in the queue, of tokenization, of waiting, of the batch; requests in it."""
        ...


class Embedding(Protocol):
    """What the routes need of a live classifier."""

    def info(self) -> dict[str, Any]:
        """Return what the model is."""
        ...

    async def embed(self, text: str, *, timeout: float | None = ...) -> Embedded:
        """Embed a text as it is."""
        ...
