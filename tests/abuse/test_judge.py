"""What counts as having held a soak, by samples that are made up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from load.judge import Ending, Sample, judge

COUNT = 60
MB = 2**20


def samples(change: Callable[[int, Sample], object] = lambda at, one: None) -> list[Sample]:
    """A service that holds, but for what `change` makes of each sample."""
    every = []
    for at in range(COUNT):
        one: Sample = {
            "at": 5.0 * at,
            "requests": 200 * at,
            # It fills its caches in the beginning, and every number goes up and down a little.
            "resident": (500 - max(0, 6 - at) * 40 + at % 3) * MB,
            "files": 20 + at % 4,
            "threads": 12,
            "statuses": {"200": 150 * at, "429": 10 * at, "404": at},
            "unexpected": {},
            "p50": 0.02 + at % 5 / 1000,
            "p99": 0.2,
        }
        change(at, one)
        every.append(one)
    return every


GOOD: Ending = {
    "code": 0,
    "seconds": 3.0,
    "drain": 10.0,
    "statuses": {"200": 4, "503": 9, "0": 8},
    "traceback": False,
}


def test_a_service_that_holds_is_not_blamed() -> None:
    assert judge(samples(), GOOD) == []
    assert judge(samples()) == []


def test_threads_of_a_service_elsewhere_are_not_known() -> None:
    assert judge(samples(lambda at, one: one.pop("threads"))) == []


def leaks(at: int, one: Sample) -> None:
    one["resident"] += at * MB


def loses_files(at: int, one: Sample) -> None:
    one["files"] += at // 5


def loses_threads(at: int, one: Sample) -> None:
    one["threads"] += at // 20


def slows_down(at: int, one: Sample) -> None:
    one["p50"] *= 1 + at / COUNT * 2


def fails_once(at: int, one: Sample) -> None:
    one["statuses"] |= {"500": 1} if at > 50 else {}


def stops_by_itself(at: int, one: Sample) -> None:
    one["statuses"] |= {"503": 1} if at > 50 else {}


def surprises(at: int, one: Sample) -> None:
    one["unexpected"] |= {"classify: 0": 2} if at > 50 else {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (leaks, "resident memory grew from 5"),
        (loses_files, "open file descriptors grew"),
        (loses_threads, "threads grew from at most 13"),
        (slows_down, "a probe took 0.0"),
        (fails_once, "1 answers had the status 500"),
        (stops_by_itself, "1 answers had the status 503"),
        (surprises, "2 × unexpected: classify: 0"),
    ],
)
def test_each_way_of_not_holding_is_one_sentence(
    change: Callable[[int, Sample], object], said: str
) -> None:
    [sentence] = judge(samples(change), GOOD)
    assert said in sentence


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ({"code": None}, "did not end"),
        ({"code": 1}, "code 1"),
        ({"seconds": 15.1}, "15.1 s to end"),
        ({"statuses": {"500": 3}}, "3 answers had the status 500 while it stopped"),
        ({"traceback": True}, "traceback"),
    ],
)
def test_so_is_each_way_of_ending_badly(ending: dict[str, object], said: str) -> None:
    [sentence] = judge(samples(), GOOD | ending)  # type: ignore[arg-type]
    assert said in sentence


def test_what_grows_within_the_first_requests_is_the_services_own() -> None:
    slow = samples(lambda at, one: one.update(requests=at * 20, resident=(400 + at // 30) * MB))
    assert judge(slow) == []


def test_requests_that_all_come_at_the_end_say_nothing_of_memory() -> None:
    late = samples(lambda at, one: one.update(requests=at if at < COUNT - 3 else 8000))
    [sentence] = judge(late, GOOD)
    assert "cannot be compared" in sentence


def test_few_samples_say_nothing() -> None:
    [sentence] = judge(samples()[:19])
    assert "19 samples" in sentence
