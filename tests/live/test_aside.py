"""Work on threads that nobody waits for."""

from __future__ import annotations

import asyncio

import pytest
from arxiv_core.aside import aside


class Panic(BaseException):
    """As a panic of the core arrives."""


def test_its_result_comes_back() -> None:
    assert asyncio.run(aside(lambda: 7)) == 7


@pytest.mark.parametrize(("error", "seen"), [(KeyError("k"), KeyError), (Panic("p"), RuntimeError)])
def test_whatever_ends_it_reaches_whoever_waits(
    error: BaseException, seen: type[Exception]
) -> None:
    def work() -> None:
        raise error

    with pytest.raises(seen, match=str(error)) as caught:
        asyncio.run(asyncio.wait_for(aside(work), 30))
    assert error in (caught.value, caught.value.__cause__)
