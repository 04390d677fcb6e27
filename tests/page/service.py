"""The service as a process of its own, with the default model."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def serving(*overrides: str) -> Iterator[str]:
    """A service of its own, until it is no longer needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [sys.executable, "-m", "arxiv_core", "serve", "--port", str(port), *overrides]
    # A pipe that nobody reads would stop it.
    log = tempfile.TemporaryFile()  # noqa: SIM115
    process = subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        for _ in range(600):
            try:
                with opener.open(f"{url}ready", timeout=5):
                    break
            except (OSError, urllib.error.HTTPError):
                if process.poll() is not None:
                    log.seek(0)
                    pytest.fail(f"the service ended: {log.read()!r}")
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()
