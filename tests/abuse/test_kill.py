"""Killed under load and started again at once: clients get what they would have got anyway."""

from __future__ import annotations

import hashlib
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import SampleRun

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from abuse.crowd import CLIENTS, Crowd
from abuse.papers import sample
from serve.process import OPENER, Service, free_port, serve, wait_until_it_answers

pytestmark = pytest.mark.slow

PAPERS = [one | {"title": f"{one['title']} {at}"} for at, one in enumerate(sample()[:48])]


def metrics(url: str) -> dict[str, float]:
    """Every metric by its name and labels as they are written."""
    with OPENER.open(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def state(*folders: Path) -> dict[str, tuple[int, str]]:
    """Every file below: when it was changed, and its content."""
    return {
        str(path): (
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for folder in folders
        for path in (folder, *sorted(folder.rglob("*")))
    }


def asked_to(port: int) -> set[int]:
    """Processes that were started with the port in their command line or environment."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
        except OSError:
            continue
        if f"ARXIV_CORE_SERVE_PORT={port}".encode() in words.split(b"\0"):
            found.add(int(entry.name))
    return found


def same(answer: list[dict[str, Any]], expected: Any) -> bool:
    """Whether an answer is the library's; what ran beside it shows in the sixth digit at most."""
    return [one["category"] for one in answer] == [
        one.category for one in expected.categories
    ] and [one["probability"] for one in answer] == pytest.approx(
        [one.probability for one in expected.categories], abs=1e-5
    )


def written(prediction: Any) -> list[dict[str, Any]]:
    """A prediction as the service writes it."""
    return [
        {"category": one.category, "probability": one.probability} for one in prediction.categories
    ]


def expected(model: Path) -> Sequence[Any]:
    """What a service that nobody troubles answers."""
    from arxiv_core import Classifier

    return Classifier.load(model).classify(PAPERS)


def start(port: int, model: str, temporary: Path, **environment: str) -> Service:
    """A service whose temporary files have a folder of their own."""
    return serve(
        ARXIV_CORE_SERVE_PORT=str(port),
        ARXIV_CORE_SERVE_MODEL=model,
        TMPDIR=str(temporary),
        **environment,
    )


def test_every_client_gets_its_answer_from_the_one_or_the_other(tmp_path: Path) -> None:
    from arxiv_core.classifier import DEFAULT

    model, temporary = tmp_path / "model", tmp_path / "temporary"
    shutil.copytree(DEFAULT, model)
    temporary.mkdir()
    right = expected(model)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    crowd = Crowd(url, PAPERS)
    process = start(port, str(model), temporary)
    try:
        wait_until_it_answers(process, url)
        before, began = state(model, temporary), metrics(url)["process_start_time_seconds"]
        with crowd.asking():
            crowd.wait_for(3 * CLIENTS)
            before_kill = len(crowd.answers)
            process.kill()
            assert process.wait(30) == -signal.SIGKILL
            # The last ones may still lie in their clients' sockets.
            after_kill = len(crowd.answers) + CLIENTS
            assert asked_to(port) == set()
            process.end()
            process = start(port, str(model), temporary)
            crowd.wait_for(after_kill + len(PAPERS))
        assert crowd.broken > 0
        asked = len(crowd.answers)
        assert sorted(crowd.answers) == list(range(asked))
        wrong = [
            at for at, answer in crowd.answers.items() if not same(answer, right[at % len(PAPERS)])
        ]
        assert wrong == []
        now = metrics(url)
        assert now["process_start_time_seconds"] > began
        # The service itself asks for one paper, before it is ready.
        answered = now['arxiv_core_engine_requests_total{end="answered"}'] - 1
        assert asked - after_kill <= answered <= asked - before_kill
        assert asked_to(port) == {process.pid}
        assert state(model, temporary) == before
    finally:
        process.terminate()
        process.end()
    assert process.returncode == 0
    assert asked_to(port) == set()


def test_who_is_killed_while_models_change_starts_with_the_one_that_is_meant(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    from arxiv_core.classifier import DEFAULT
    from arxiv_core.registry import Provenance
    from arxiv_core.registry.local import LocalRegistry

    registry, temporary = LocalRegistry(tmp_path / "registry"), tmp_path / "temporary"
    temporary.mkdir()
    first, _ = registry.register(sample_run.package, "arxiv", Provenance())
    second, _ = registry.register(DEFAULT, "arxiv", Provenance())
    registry.move(first, "desk", "first")
    old, new = expected(sample_run.package), expected(DEFAULT)
    assert not any(same(written(one), other) for one, other in zip(old, new, strict=True))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    crowd = Crowd(url, PAPERS)
    named: dict[str, str] = {
        "ARXIV_CORE_REGISTRY": str(registry.place),
        "ARXIV_CORE_SERVE_WATCH": "0.05",
    }
    process = start(port, "registry:arxiv@desk", temporary, **named)
    try:
        wait_until_it_answers(process, url)
        with crowd.asking():
            crowd.wait_for(CLIENTS)
            registry.move(second, "desk", "second")
            before = state(tmp_path / "registry", temporary)
            until = time.monotonic() + 120
            while process.said().count("model loaded") < 2:
                assert time.monotonic() < until, process.said()
                time.sleep(0.002)
            process.kill()
            assert process.wait(30) == -signal.SIGKILL
            after_kill = len(crowd.answers) + CLIENTS
            process.end()
            process = start(port, "registry:arxiv@desk", temporary, **named)
            crowd.wait_for(after_kill + len(PAPERS))
        assert crowd.broken > 0
        assert sorted(crowd.answers) == list(range(len(crowd.answers)))
        for number, (at, answer) in enumerate(crowd.answers.items()):
            paper = at % len(PAPERS)
            by_old = number < after_kill and same(answer, old[paper])
            assert by_old or same(answer, new[paper]), (number, at)
        assert state(tmp_path / "registry", temporary) == before
        assert asked_to(port) == {process.pid}
    finally:
        process.terminate()
        process.end()
    assert process.returncode == 0
