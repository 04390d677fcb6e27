"""A model that cannot do its work costs the requests that it fails, and nothing else."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from serve.process import OPENER, ask, free_port, serve, wait_until_it_answers

pytestmark = pytest.mark.slow


def paper(sentences: int) -> dict[str, str]:
    return {"title": "Rings", "abstract": "Each ring is a module over itself. " * sentences}


def address_space(process: int) -> int:
    """Bytes."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"VmSize:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_one_without_memory_for_a_while_answers_again_afterwards(dtype: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    # In a heap of its own a thread finds room for small things. Where there is none, not even for a
    # few bytes, Rust ends the process.
    process = serve("--port", str(port), "--dtype", dtype, MALLOC_ARENA_MAX="8")
    try:
        wait_until_it_answers(process, url)
        usual = ask(f"{url}/classify", paper(1))
        assert usual[0] == 200
        # What the process has is enough for a length that it knows; a new one needs more.
        least = address_space(process.pid) // 2
        resource.prlimit(process.pid, resource.RLIMIT_AS, (least, resource.RLIM_INFINITY))
        failed = [ask(f"{url}/classify", paper(sentences)) for sentences in (300, 7, 300)]
        assert failed == [(500, {"message": "internal error"})] * 3
        assert ask(f"{url}/classify", paper(1)) == usual
        no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_AS, no_limit)
        for sentences in (300, 7, 9, 1):
            assert ask(f"{url}/classify", paper(sentences))[0] == 200
        with OPENER.open(f"{url}/metrics", timeout=30) as answer:
            assert b'arxiv_core_engine_requests_total{end="failed"} 3.0' in answer.read()
    finally:
        process.terminate()
        written = process.end()
    assert written.count("could not create a primitive") >= 3
    assert "the engine's model failed" in written
