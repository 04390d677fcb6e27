"""Mutations of a request that libFuzzer's own, of bytes, would hardly find."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["mutated"]

LARGEST = 1 << 15
"""Bytes of a body beyond which no JSON is taken apart."""

VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    " ",
    "a",
    "cs.XX",
    "math.AC",
    "eess.SY",
    "stuck",
    "\u0000",
    "e\u0301\u200b\U0001d53c\u2028",
    "$x. Y$ One. Two! Three?",
    "<script>",
    0,
    1,
    -1,
    1 << 31,
    1 << 64,
    0.5,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [["a"], ["a", "b"]],
    "x" * 5000,
)

NAMES = [
    "title",
    "abstract",
    "primary",
    "papers",
    "top_k",
    "all",
    "aliases",
    "level",
    "distribution",
    "thresholds",
    "min_precision",
    "limits",
    "keep",
    "propose",
    "cross_list",
    "cross_lists",
    "categories",
    "inputs",
    "input",
    "raw_scores",
    "truncate",
    "truncation_direction",
    "normalize",
    "prompt_name",
    "dimensions",
    "encoding_format",
    "model",
    "instances",
    "parameters",
]


def mutated(data: bytes, largest: int, seed: int, bytewise: Callable[[bytes, int], bytes]) -> bytes:
    """Change an input: every other time a value of its JSON, else its bytes.

    Parameters
    ----------
    data
        The input.
    largest
        Bytes that it may have afterwards.
    seed
        Decides what is changed.
    bytewise
        libFuzzer's own mutation.
    """
    chance = random.Random(seed)
    head, gap, body = data.partition(b"\n\n")
    if gap and len(body) <= LARGEST and chance.random() < 0.5:
        try:
            value = json.loads(body)
            changed = _changed(value, chance)
            text = json.dumps(changed, ensure_ascii=chance.random() < 0.5)
            made = head + gap + text.encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):
            return bytewise(data, largest)
        return made if len(made) <= largest else bytewise(data, largest)
    return bytewise(data, largest)


def _changed(value: Any, chance: random.Random) -> Any:
    """Return a value of JSON with one of its values, or names, another."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(list(value))
        match chance.randrange(6):
            case 0:
                return {one: inner for one, inner in value.items() if one != name}
            case 1:
                return value | {chance.choice(NAMES): chance.choice(VALUES)}
            case 2:
                return value | {chance.choice(NAMES): value[name]}
            case _:
                return value | {name: _changed(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value * chance.choice((2, 3, 33, 65))
            case 2:
                return [*value, chance.choice(VALUES)]
            case _:
                return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    if isinstance(value, str) and chance.random() < 0.5:
        at = chance.randint(0, len(value))
        some = chance.choice([one for one in VALUES if isinstance(one, str)])
        return value[:at] + some + value[at:]
    return chance.choice(VALUES)
