"""The fuzzer's own oracle: it lets every seed pass, and finds what is broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from fuzz.answers import WrongError
from fuzz.exchange import MAX_BODY, Asked
from fuzz.mutation import mutated

SEEDS = Path(__file__).parents[2] / "fuzz/seeds/requests"

HEAD = b"000POST /v1/classify\ncontent-type: application/json\n\n"
CLASSIFY = HEAD + b'{"papers": [{"title": "a", "abstract": "b"}]}'
REFUSED = HEAD + b"{"
FORM = b"000POST /\ncontent-type: application/x-www-form-urlencoded\n\ntitle=%3Cscript%3E"


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with Asked() as asked:
        yield asked


def test_every_seed_is_answered_as_it_must_be(asked: Asked) -> None:
    seeds = sorted(SEEDS.iterdir())
    assert len(seeds) > 20
    statuses = {seed.name: asked(seed.read_bytes()).status for seed in seeds}
    # Seeds from which no route is reached would teach nothing.
    assert {200, 307, 400, 401, 404, 422, 429, 499, 503, 504} <= set(statuses.values())


@pytest.mark.parametrize("data", [b"", b"0", b"000", b"\xff" * 50, b"000\n\n", b"000GET *\n:\nx"])
def test_whatever_the_bytes_are_a_request_comes_of_them(asked: Asked, data: bytes) -> None:
    assert asked(data).complete


def test_a_body_that_is_too_large_is_refused(asked: Asked) -> None:
    body = json.dumps({"title": "a" * MAX_BODY, "abstract": ""}).encode()
    assert asked(b"000POST /classify\n\n" + body).status == 413


App = Callable[[Any, Any, Any], Any]
Message = dict[str, Any]


def changing(change: Callable[[Message], Message | None]) -> Callable[[App], App]:
    """An application whose answer's messages are changed, or left out."""

    def around(app: App) -> App:
        async def changed(scope: Any, receive: Any, send: Any) -> None:
            async def sent(message: Message) -> None:
                other = change(message)
                if other is not None:
                    await send(other)

            await app(scope, receive, sent)

        return changed

    return around


def body(old: bytes, new: bytes) -> Callable[[App], App]:
    """One that says something else, of the same length."""
    assert len(old) == len(new)

    def change(message: Message) -> Message:
        if "body" in message:
            return message | {"body": message["body"].replace(old, new)}
        return message

    return changing(change)


def header(name: bytes, value: bytes | None) -> Callable[[App], App]:
    """One with another header, or without it."""

    def change(message: Message) -> Message:
        if "headers" not in message:
            return message
        kept = [(key, was) for key, was in message["headers"] if key.lower() != name]
        return message | {"headers": kept + ([] if value is None else [(name, value)])}

    return changing(change)


def raising(app: App) -> App:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("not caught")

    return broken


def status(code: int) -> Callable[[App], App]:
    return changing(lambda one: one | {"status": code} if "status" in one else one)


@pytest.mark.parametrize(
    ("data", "around"),
    [
        (CLASSIFY, raising),
        (CLASSIFY, status(500)),
        (CLASSIFY, status(429)),
        (CLASSIFY, changing(lambda one: one if "status" in one else None)),
        (CLASSIFY, header(b"x-request-id", None)),
        (CLASSIFY, header(b"x-request-id", b"a b")),
        (CLASSIFY, header(b"content-length", b"3")),
        (CLASSIFY, header(b"content-type", b"text/html")),
        (CLASSIFY, body(b'"papers"', b'"people"')),
        (CLASSIFY, body(b'"tokens":7', b'"tokens":]')),
        (REFUSED, body(b'"message"', b'"massage"')),
        (REFUSED, body(b"the body", b'File "/a')),
        (REFUSED, header(b"x-content-type-options", None)),
        (b"1" + CLASSIFY[1:], status(200)),
    ],
)
def test_what_may_not_be_is_found(asked: Asked, data: bytes, around: Callable[[App], App]) -> None:
    asked(data)
    with Asked(around) as broken, pytest.raises((WrongError, RuntimeError, ValueError, KeyError)):
        broken(data)


def test_code_in_a_form_is_found_unless_it_is_text(asked: Asked) -> None:
    assert b"&lt;script&gt;" in asked(FORM).content
    unescaped = body(b"&lt;script&gt;", b"<script>      ")
    with Asked(unescaped) as broken, pytest.raises(WrongError, match="is code"):
        broken(FORM)


def test_a_fault_that_is_answered_politely_is_found_in_the_log() -> None:
    with Asked() as broken:
        broken.fake.names = [None]  # type: ignore[list-item]
        with pytest.raises(WrongError, match="logged: form failed"):
            broken(FORM)


def test_mutations_keep_the_head_and_change_the_body() -> None:
    found = [mutated(CLASSIFY, 4096, seed, lambda data, _: data) for seed in range(200)]
    assert all(one.startswith(HEAD) for one in found)
    others = {one for one in found if one != CLASSIFY}
    assert len(others) > 50
    assert all(len(one) <= 4096 for one in found)
    assert mutated(CLASSIFY, 4096, 7, lambda data, _: data) == found[7]
