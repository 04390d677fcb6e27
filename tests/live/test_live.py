"""Single requests, answered in batches."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import threading
import weakref
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest
from arxiv_core import (
    Classifier,
    DeadlineError,
    Encoder,
    InputError,
    OptionError,
    OverloadedError,
    StoppingError,
)
from arxiv_core.live import LiveClassifier
from arxiv_core.pipeline.raw import SAMPLE

if TYPE_CHECKING:
    from conftest import SampleRun

Paper = dict[str, str]
T = TypeVar("T")


@pytest.fixture(scope="module")
def classifier(sample_run: SampleRun) -> Classifier:
    return Classifier.load(sample_run.package)


@pytest.fixture(scope="module")
def papers() -> list[Paper]:
    """The corpus of invented papers, some of them cut short or run together."""
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()[:60]]
    papers = [{"title": row["title"] or "", "abstract": row["abstract"] or ""} for row in rows]
    papers += [{"title": "", "abstract": ""}, {"title": "Rings", "abstract": ""}]
    papers += [{"title": "Long", "abstract": " ".join(row["abstract"] or "" for row in rows)}]
    return papers


def scores(classifier: Classifier, papers: list[Paper]) -> np.ndarray:
    values, _ = classifier.scores(papers)
    return values


async def all_of(awaitables: Sequence[Awaitable[object]]) -> list[object]:
    return await asyncio.gather(*awaitables, return_exceptions=True)


def run(
    classifier: Classifier, work: Callable[[LiveClassifier], Awaitable[T]], **options: int
) -> T:
    async def inside() -> T:
        async with LiveClassifier(classifier, **options) as live:
            return await work(live)

    return asyncio.run(inside())


def test_an_answer_is_that_of_the_paper_alone_whatever_is_under_way(
    classifier: Classifier, papers: list[Paper]
) -> None:
    shuffled = papers * 3
    random.Random(0).shuffle(shuffled)

    async def work(live: LiveClassifier) -> list[np.ndarray]:
        async def one(paper: Paper) -> np.ndarray:
            return (
                await live.submit({"title": paper["title"], "abstract": paper["abstract"]})
            ).values

        return list(await asyncio.gather(*map(one, shuffled)))

    found = run(classifier, work)
    alone = {
        (paper["title"], paper["abstract"]): scores(classifier, [paper])[0] for paper in papers
    }
    for paper, values in zip(shuffled, found, strict=True):
        expected = alone[paper["title"], paper["abstract"]]
        np.testing.assert_allclose(values, expected, atol=1e-5)
        far = np.abs(expected[:, None] - expected[None, :]) > 2e-5
        assert np.array_equal(
            (values[:, None] > values[None, :]) & far,
            (expected[:, None] > expected[None, :]) & far,
        )


def test_requests_that_come_together_run_together(
    classifier: Classifier, papers: list[Paper]
) -> None:
    async def work(live: LiveClassifier) -> dict[str, object]:
        await all_of([live.classify({"title": "A", "abstract": "B"}) for _ in papers])
        assert live.depth == 0
        return live.counters()

    counters = run(classifier, work)
    assert counters["answered"] == len(papers)
    sizes = counters["batch_requests"]
    assert isinstance(sizes, dict)
    assert sizes["sum"] == len(papers)
    assert sum(sizes["counts"]) < len(papers) / 2
    run_ = counters["run"]
    assert isinstance(run_, dict)
    assert run_["sum"] > 0


def test_predictions_are_the_classifiers_own(classifier: Classifier, papers: list[Paper]) -> None:
    [expected] = classifier.classify([papers[0] | {"primary": "hep-lat"}], top_k=3, aliases=True)

    async def work(live: LiveClassifier) -> object:
        title, abstract = papers[0]["title"], papers[0]["abstract"]
        return await live.classify(
            {"title": title, "abstract": abstract, "primary": "hep-lat"}, top_k=3, aliases=True
        )

    assert repr(run(classifier, work)) == repr(expected)


def test_texts_and_papers_share_batches(
    classifier: Classifier, papers: list[Paper], sample_run: SampleRun
) -> None:
    texts = [paper["abstract"] for paper in papers[:20]]

    async def work(live: LiveClassifier) -> tuple[list[np.ndarray], list[np.ndarray]]:
        embeddings = [live.embed(text) for text in texts]
        probabilities = [
            live.submit({"title": one["title"], "abstract": one["abstract"]}) for one in papers[:20]
        ]
        mixed = [one for pair in zip(embeddings, probabilities, strict=True) for one in pair]
        answers = await asyncio.gather(*mixed)
        return [one.values for one in answers[::2]], [one.values for one in answers[1::2]]

    embedded, scored = run(classifier, work)
    encoder = Encoder.load("minilm", max_length=512)
    np.testing.assert_allclose(embedded, encoder.encode(texts), atol=2e-6)
    np.testing.assert_allclose(scored, scores(classifier, papers[:20]), atol=1e-5)


def test_one_more_than_may_be_under_way_is_refused_at_once(classifier: Classifier) -> None:
    async def work(live: LiveClassifier) -> list[object]:
        return await all_of(
            [live.submit({"title": "Rings", "abstract": "Modules"}) for _ in range(40)]
        )

    ended = run(classifier, work, capacity=8)
    assert sum(isinstance(one, OverloadedError) for one in ended) == 32
    assert not [one for one in ended[:8] if isinstance(one, BaseException)]


def test_a_deadline_is_an_error_and_its_work_is_dropped(
    classifier: Classifier, papers: list[Paper]
) -> None:
    async def work(live: LiveClassifier) -> tuple[list[object], int, dict[str, object]]:
        long = papers[-1]["abstract"]
        busy = [
            asyncio.ensure_future(live.submit({"title": "", "abstract": long})) for _ in range(8)
        ]
        ended = await all_of(
            [
                live.submit({"title": "Rings", "abstract": "Modules"}, timeout=0.001)
                for _ in range(20)
            ]
        )
        depth = live.depth
        await all_of(busy)
        return ended, depth, live.counters()

    ended, depth, counters = run(classifier, work)
    assert all(isinstance(one, DeadlineError) for one in ended)
    assert depth <= 8
    assert (counters["late"], counters["cancelled"]) == (20, 0)


def test_what_a_caller_gave_up_is_not_computed(classifier: Classifier, papers: list[Paper]) -> None:
    async def work(live: LiveClassifier) -> dict[str, object]:
        long = papers[-1]["abstract"]
        tasks = [
            asyncio.ensure_future(live.submit({"title": "", "abstract": long})) for _ in range(30)
        ]
        await asyncio.sleep(0)
        for task in tasks[1:]:
            task.cancel()
        ended = await all_of(tasks)
        assert sum(isinstance(one, asyncio.CancelledError) for one in ended) == 29
        assert live.depth == 0
        return live.counters()

    counters = run(classifier, work)
    assert counters["cancelled"] == 29
    sizes = counters["batch_requests"]
    assert isinstance(sizes, dict)
    assert sizes["sum"] < 30


def test_the_event_loop_stays_free_while_the_encoder_works(
    classifier: Classifier, papers: list[Paper]
) -> None:
    async def work(live: LiveClassifier) -> int:
        long = papers[-1]["abstract"]
        tasks = asyncio.gather(*[live.submit({"title": "", "abstract": long}) for _ in range(8)])
        turns = 0
        while not tasks.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert run(classifier, work) > 100


def test_draining_answers_what_is_under_way_and_accepts_nothing_more(
    classifier: Classifier, papers: list[Paper]
) -> None:
    async def work(live: LiveClassifier) -> None:
        tasks = [
            asyncio.ensure_future(live.submit({"title": one["title"], "abstract": one["abstract"]}))
            for one in papers
        ]
        await asyncio.sleep(0)
        assert await live.drain(60)
        assert not [one for one in await all_of(tasks) if isinstance(one, BaseException)]
        with pytest.raises(StoppingError):
            await live.submit({"title": "Rings", "abstract": "Modules"})

    run(classifier, work)


def test_draining_waits_for_no_thread_of_others(classifier: Classifier) -> None:
    let_go = threading.Event()

    async def work(live: LiveClassifier) -> bool:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, let_go.wait)
        try:
            return await asyncio.wait_for(live.drain(60), 30)
        finally:
            let_go.set()
            await busy

    assert run(classifier, work)


def test_who_leaves_early_is_told_that_it_stops(classifier: Classifier) -> None:
    async def work() -> list[object]:
        async with LiveClassifier(classifier) as live:
            tasks = [
                asyncio.ensure_future(live.submit({"title": "Rings", "abstract": "x " * 3000}))
                for _ in range(20)
            ]
            await asyncio.sleep(0)
        return await all_of(tasks)

    ended = asyncio.run(work())
    assert isinstance(ended[-1], StoppingError)


def test_it_must_be_entered_first(classifier: Classifier) -> None:
    live = LiveClassifier(classifier)
    with pytest.raises(StoppingError, match="async with"):
        asyncio.run(live.submit({"title": "Rings", "abstract": "Modules"}))
    assert live.depth == 0


def test_an_engine_that_nobody_holds_ends(classifier: Classifier) -> None:
    live = LiveClassifier(classifier)
    gone = weakref.ref(live)
    del live
    gc.collect()
    assert gone() is None


def test_mistakes_are_said_before_the_encoders_work(classifier: Classifier) -> None:
    async def work(live: LiveClassifier) -> None:
        with pytest.raises(InputError, match=r"cs\.XX"):
            await live.classify({"title": "", "abstract": "", "primary": "cs.XX"})
        assert live.depth == 0

    run(classifier, work)
    with pytest.raises(OptionError, match="capacity"):
        LiveClassifier(classifier, capacity=0)
