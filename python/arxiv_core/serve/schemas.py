"""What goes over the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

import arxiv_core
from arxiv_core.live import Submission

__all__ = [
    "EXAMPLE",
    "MAX_TEXT",
    "WHOLE",
    "ArxivCategory",
    "Health",
    "Paper",
    "Ready",
    "Strict",
    "Suggestion",
]

EXAMPLE: dict[str, Any] = {
    "title": "On rings with few ideals",
    "abstract": "We show that a commutative ring with finitely many ideals is Artinian.",
}
"""A paper, for the document."""


MAX_TEXT = 32_768
"""Characters of a text; arXiv's longest abstracts have six thousand, and a model reads fewer."""


class _Names:
    """Has the document list arXiv's names; which one is unknown is for the model to say."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        names = [one["category"] for one in arxiv_core.taxonomy() if one["canonical"] is not None]
        about = "A category of arXiv, by any name it has or had; an archive is none"
        return {"type": "string", "enum": names, "description": about}


ArxivCategory = TypeAliasType(
    "ArxivCategory", Annotated[str, StringConstraints(max_length=64), _Names()]
)
"""A name of a category."""


def _whole(value: object) -> object:
    """Take 5.0 for 5, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For whole numbers of a strict body."""


class Strict(BaseModel):
    """A body in which every field is known, and no string is taken for a number."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Paper(BaseModel):
    """A paper to classify."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"primary": "math.AC"}]})

    title: str = Field(max_length=MAX_TEXT, description="Title, LaTeX allowed")
    abstract: str = Field(max_length=MAX_TEXT, description="Abstract, LaTeX allowed")
    primary: ArxivCategory | None = Field(
        default=None, description="Category its author declared; always part of the answer"
    )

    def submission(self) -> Submission:
        """Return it as a live classifier takes it."""
        return {"title": self.title, "abstract": self.abstract, "primary": self.primary}


class Suggestion(BaseModel):
    """One category of the answer."""

    category: str
    probability: float


class Health(BaseModel):
    """The process is up."""

    status: str


class Ready(BaseModel):
    """Whether requests are answered now: the model has answered one already."""

    status: Literal["starting", "ready", "stopping"]
