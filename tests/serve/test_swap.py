"""Another model takes over while requests are under way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import ModelError
from arxiv_core.live import Submission
from arxiv_core.serve.swap import PROBE, Swapping
from serve.stand_in import Fake, Scored

PAPER: Submission = {"title": "Rings", "abstract": "Modules."}


class Model(Fake):
    """Answers when it is allowed to, and remembers what became of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.open = asyncio.Event()
        self.open.set()
        self.under_way = 0
        self.left = False

    @property
    def depth(self) -> int:  # type: ignore[override]
        return self.under_way

    def info(self) -> dict[str, Any]:
        return {"sha256": self.name}

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        assert not self.left, "asked after it was left"
        self.under_way += 1
        try:
            if paper is not PROBE:
                await self.open.wait()
            await super().submit(paper, timeout=timeout)
            return Scored(self.names, model=self.name)
        finally:
            self.under_way -= 1

    async def drain(self, timeout: float) -> bool:
        while self.under_way:
            await asyncio.sleep(0)
        return True

    async def __aexit__(self, *_: object) -> None:
        self.left = True


def swapping(first: Model, load: Callable[[], Model], **options: Any) -> Swapping:
    named = {"stamp": lambda: "same"} | options
    return Swapping(first, load, **named)  # type: ignore[arg-type]


def test_who_is_under_way_is_answered_by_the_old_one_and_later_ones_by_the_new() -> None:
    async def run() -> None:
        old, new = Model("old"), Model("new")
        async with swapping(old, lambda: new) as live:
            old.open.clear()
            waiting = [asyncio.ensure_future(live.submit(PAPER)) for _ in range(5)]
            await asyncio.sleep(0)
            await live.swap()
            assert live.info() == {"sha256": "new"}
            assert (await live.submit(PAPER)).model == "new"
            assert live.depth == 5
            assert not old.left
            old.open.set()
            assert {one.model for one in await asyncio.gather(*waiting)} == {"old"}
            while not old.left:
                await asyncio.sleep(0)
            # What each has done counts once, under way or left.
            assert live.counters()["answered"] == 4
            assert live.counters()["wait"]["counts"] == [2, 4, 6]
        assert new.left
        assert new.seen[0] is PROBE

    asyncio.run(run())


def test_what_was_meant_before_the_first_model_was_loaded_counts() -> None:
    async def run() -> None:
        options = {"stamp": lambda: "two", "seen": "one", "every": 0.001}
        live = swapping(Model("one"), lambda: Model("two"), **options)
        async with live, asyncio.timeout(60):
            while live.info() != {"sha256": "two"}:
                await asyncio.sleep(0.001)

    asyncio.run(run())


@pytest.mark.parametrize("broken", ["load", "answer"])
def test_a_model_that_cannot_be_used_changes_nothing(broken: str) -> None:
    async def run() -> None:
        old, new = Model("old"), Model("new")
        new.error = ModelError("head.safetensors: changed") if broken == "answer" else None

        def load() -> Model:
            if broken == "load":
                raise ModelError("head.safetensors: changed")
            return new

        async with swapping(old, load) as live:
            with pytest.raises(ModelError):
                await live.swap()
            assert (await live.submit(PAPER)).model == "old"
            assert new.left == (broken == "answer")
        assert old.left

    asyncio.run(run())


def test_the_model_is_loaded_again_when_another_is_meant(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        meant, broken, loads = "one", True, []

        def load() -> Model:
            loads.append(meant)
            if meant == "bad" and broken:
                raise ModelError("head.safetensors: changed")
            return Model(meant)

        async def until(condition: Callable[[], bool]) -> None:
            while not condition():
                await asyncio.sleep(0.001)

        looks = 0

        def stamp() -> str:
            nonlocal looks
            looks += 1
            return meant

        live = swapping(Model("one"), load, stamp=stamp, every=0.001)
        async with live, asyncio.timeout(60):
            await until(lambda: looks > 3)
            assert loads == []
            meant = "two"
            await until(lambda: live.info()["sha256"] == "two")
            meant = "bad"
            await until(lambda: "bad" in loads)
            seen = looks
            await until(lambda: looks > seen + 40)
            # Tried again, ever more seldom.
            assert 3 <= loads.count("bad") <= 8
            assert live.info() == {"sha256": "two"}
            broken = False
            await until(lambda: live.info()["sha256"] == "bad")
            meant = "three"
            await until(lambda: live.info()["sha256"] == "three")
            live.reload()
            await until(lambda: loads.count("three") == 2)
        assert "the model stays as it was: head.safetensors: changed" in caplog.text

    asyncio.run(run())


def test_a_load_under_way_does_not_hold_the_stop_up() -> None:
    begun, released = threading.Event(), threading.Event()
    done, waited_for = [], []

    def load() -> Model:
        # The interpreter waits for every thread but daemons.
        waited_for.append(not threading.current_thread().daemon)
        begun.set()
        released.wait(20)
        done.append("loaded")
        return Model("late")

    async def run() -> None:
        async with swapping(Model("old"), load) as live:
            live.reload()
            assert await asyncio.to_thread(begun.wait, 20)

    try:
        asyncio.run(run())
        assert done == []
        assert waited_for == [False]
    finally:
        released.set()
