"""Answers → what the template shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from arxiv_core.serve.explain import Explained, Span
from arxiv_core.serve.page.words import PROBLEMS, WORDS
from arxiv_core.serve.refusals import Said
from arxiv_core.serve.v1 import Category, Decision

__all__ = ["Answer", "Form", "Problem", "answer", "percent", "problem"]

SPACE = "\u00a0"
"""A number stays with its sign."""

SLIGHT, CLEAR, STRONG = 0.1, 0.5, 1.5
"""Log odds from which a sentence matters at all, clearly, strongly."""

LISTED = 3
"""Sentences listed for a category at most, and against it."""

QUOTE = 160
"""Characters of a sentence that are quoted."""


@dataclass(frozen=True)
class Form:
    """What stands in the form; the key is never written back into it."""

    title: str = ""
    abstract: str = ""
    primary: str = ""
    identifier: str = ""
    key: str = field(default="", repr=False)


class Problem(NamedTuple):
    """What went wrong, and what to do."""

    heading: str
    message: str
    advice: str


class Piece(NamedTuple):
    """A piece of text; tone and level are empty where it hardly matters."""

    text: str
    tone: Literal["", "for", "against"] = ""
    level: str = ""
    sign: str = ""


class Reason(NamedTuple):
    """A sentence that mattered."""

    tone: str
    sign: str
    said: str
    quote: str


class Why(NamedTuple):
    """The paper as one category sees it."""

    title: list[Piece]
    abstract: list[Piece]
    reasons: list[Reason]


@dataclass(frozen=True)
class Shown:
    """One category of the answer."""

    category: str
    name: str
    probability: float
    assigned: bool
    threshold: float | None
    note: str = ""
    why: Why | None = None


@dataclass(frozen=True)
class Answer:
    """All that is said of a paper."""

    verdict: str
    label: str
    sentence: str
    cross_lists: str
    truncated: str
    categories: list[Shown] = field(default_factory=list)
    unexplained: str = ""


def percent(probability: float) -> str:
    """Write a probability as a percentage, of one decimal, never as a certainty."""
    if probability < 0.0005:
        return f"<{SPACE}0.1{SPACE}%"
    if probability > 0.9995:
        return f">{SPACE}99.9{SPACE}%"
    return f"{math.floor(probability * 1000 + 0.5) / 10:.1f}{SPACE}%"


def problem(told: Said) -> Problem:
    """Say what went wrong and what to do.

    Parameters
    ----------
    told
        What a client is told.

    Returns
    -------
    Problem
        For people.
    """
    heading, advice = PROBLEMS.get(str(told.status), PROBLEMS["400"])
    seconds = (told.headers or {}).get("Retry-After", "1")
    return Problem(heading, told.message, advice.replace("{seconds}", seconds))


def answer(
    form: Form,
    categories: Sequence[Category],
    decision: Decision,
    *,
    tokens: int,
    truncated: bool,
    spans: Sequence[Span] = (),
    explained: Sequence[Explained] = (),
    unexplained: str = "",
) -> Answer:
    """Put an answer into words.

    Parameters
    ----------
    form
        The paper.
    categories, decision, tokens, truncated
        What the model found.
    spans, explained
        Parts of the paper and what each contributes, where that is known.
    unexplained
        Why it is not known.

    Returns
    -------
    Answer
        For the template.
    """
    contributions = {one.category: one.contributions for one in explained}
    shown = []
    for one in categories:
        why = None
        if (values := contributions.get(one.category)) is not None:
            why = _why(form, one.category, spans, values)
        shown.append(
            Shown(**one.model_dump(include=set(Category.model_fields)), note=_note(one), why=why)
        )
    reason = WORDS["unexplained"].replace("{reason}", unexplained) if unexplained else ""
    cut = WORDS["truncated"].replace("{tokens}", str(tokens)) if truncated else ""
    return Answer(
        verdict=decision.verdict,
        label=WORDS[f"verdict_{decision.verdict}"],
        sentence=_sentence(decision, form.primary, categories),
        cross_lists=_cross_lists(decision),
        truncated=cut,
        categories=shown,
        unexplained=reason,
    )


def _note(one: Category) -> str:
    if one.threshold is None:
        return WORDS["unknown"]
    name = "assigned" if one.assigned else "below"
    return WORDS[name].replace("{threshold}", percent(one.threshold))


def _sentence(decision: Decision, declared: str, categories: Sequence[Category]) -> str:
    words = {"declared": declared}
    if decision.primary is not None:
        one = decision.primary
        words |= {"primary": one.category, "name": one.name, "share": percent(one.probability)}
    name: str = decision.verdict
    if name != "accept" and not declared:
        name += "_first"
    elif name == "abstain" and any(one.threshold is None for one in categories):
        # Of the categories shown, only the declared one can be unknown to the model.
        name += "_unknown"
    return WORDS[name].format(**words)


def _cross_lists(decision: Decision) -> str:
    named = [f"{one.category} ({percent(one.probability)})" for one in decision.cross_lists]
    return WORDS["cross_lists"].format(list=" and ".join(named)) if named else ""


def _why(form: Form, category: str, spans: Sequence[Span], values: Sequence[float]) -> Why:
    texts = {"title": form.title, "abstract": form.abstract}
    pairs = list(zip(spans, values, strict=True))
    marked = {
        place: _pieces(text, [(span, value) for span, value in pairs if span.field == place])
        for place, text in texts.items()
    }
    ranked = sorted(pairs, key=lambda pair: -pair[1])
    spoken = [pair for pair in ranked if pair[1] >= SLIGHT][:LISTED]
    spoken += [pair for pair in reversed(ranked) if pair[1] <= -SLIGHT][:LISTED]
    reasons = [
        _reason(category, texts[span.field][span.start : span.end], value) for span, value in spoken
    ]
    return Why(marked["title"], marked["abstract"], reasons)


def _reason(category: str, text: str, value: float) -> Reason:
    tone, level = _tone(value)
    said = WORDS[tone].format(how=WORDS[level], category=category)
    flat = " ".join(text.split())
    quote = flat if len(flat) <= QUOTE else flat[: QUOTE - 1].rstrip() + "…"
    return Reason(tone, _signed(value), said, quote)


def _pieces(text: str, parts: Iterable[tuple[Span, float]]) -> list[Piece]:
    pieces, done = [], 0
    for span, value in parts:
        if span.start > done:
            pieces.append(Piece(text[done : span.start]))
        inner = text[span.start : span.end]
        if abs(value) < SLIGHT:
            pieces.append(Piece(inner))
        else:
            tone, level = _tone(value)
            pieces.append(Piece(inner, tone, level, _signed(value)))
        done = span.end
    if done < len(text):
        pieces.append(Piece(text[done:]))
    return pieces


def _tone(value: float) -> tuple[Literal["for", "against"], str]:
    size = abs(value)
    level = "strongly" if size >= STRONG else "clearly" if size >= CLEAR else "slightly"
    return ("for" if value > 0 else "against"), level


def _signed(value: float) -> str:
    size = math.floor(abs(value) * 10 + 0.5) / 10
    return f"{'+' if value > 0 else '−'}{size:.1f}"
