"""A shell's limit on open files is not the service's limit on people."""

from __future__ import annotations

import resource

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.serve.server import CONNECTIONS, _open_files


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
