"""What goes over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from arxiv_core.live import Submission


class Paper(BaseModel):
    """A paper to classify."""

    title: str = Field(description="Title, LaTeX allowed")
    abstract: str = Field(description="Abstract, LaTeX allowed")
    primary: str | None = Field(
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
