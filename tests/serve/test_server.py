"""What a process needs of the system to serve many."""

from __future__ import annotations

import resource
import socket

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.serve.server import CONNECTIONS, _listen, _open_files


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
