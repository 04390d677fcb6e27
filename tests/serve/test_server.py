"""What a process needs of the system to serve many."""

from __future__ import annotations

import re
import resource
import socket
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.serve.server import CONNECTIONS, _listen, _open_files
from serve.process import ask, free_port, serve, wait_until_it_answers

PIECE = 64 * 2**20
"""Bytes of a heap of glibc's that a thread has for itself, and at whose multiple it lies."""


def test_more_connections_are_open_than_the_shell_allows_by_default() -> None:
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = min(soft, hard, 1024) // 2
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
        _open_files()
        now = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert now[1] == hard
        wanted = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
        assert now[0] == wanted > few
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_an_answers_body_does_not_wait_for_its_head_to_be_acknowledged() -> None:
    with (
        _listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def separate_heaps(process: int) -> int:
    """Bytes in use of the heaps that threads have for themselves."""
    region = r"^([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *$"
    maps = Path(f"/proc/{process}/maps").read_text(encoding="utf-8")
    found = [(int(start, 16), int(end, 16)) for start, end in re.findall(region, maps, re.M)]
    assert found
    return sum(end - start for start, end in found if start % PIECE == 0)


@pytest.mark.parametrize(("variables", "own"), [({}, False), ({"MALLOC_ARENA_MAX": "8"}, True)])
def test_the_encoder_has_the_processs_heap_unless_the_environment_says_otherwise(
    variables: dict[str, str], own: bool
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = serve("--port", str(port), **variables)
    try:
        wait_until_it_answers(process, url)
        text = "Each ring is a module over itself. " * 300
        for _ in range(3):
            assert ask(f"{url}/classify", {"title": "Rings", "abstract": text})[0] == 200
        assert (separate_heaps(process.pid) > 2**20) == own
    finally:
        process.terminate()
        process.end()
