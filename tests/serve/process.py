"""The service as a process of its own, and what asks it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that a developer's machine has would be asked for 127.0.0.1 too."""


def start(model: str, port: int) -> Service:
    return serve("--port", str(port), "--model", model)


class Service(subprocess.Popen[bytes]):
    """The service; what it writes goes to a file: a pipe that nobody reads would stop it."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self._text = ""
        self._written = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        super().__init__(
            [sys.executable, "-m", "arxiv_core", "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._written,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )

    def said(self) -> str:
        """What it has written so far; reading moves nothing, as both share a place in the file."""
        number = self._written.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")

    def end(self, timeout: float = 30) -> str:
        """Wait until it ends; return what it wrote."""
        self.wait(timeout)
        if not self._written.closed:
            with self._written:
                self._text = self.said()
        return self._text


def serve(*arguments: str, **environment: str) -> Service:
    return Service(arguments, environment)


def ask(url: str, body: object = None) -> tuple[int, Any]:
    """What curl does: without a body GET, with one POST and curl's default content type."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with OPENER.open(urllib.request.Request(url, data=data), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def wait_until_it_answers(process: Service, url: str) -> None:
    for _ in range(600):
        try:
            if ask(f"{url}/health")[0] == 200:
                return
        except OSError:
            pass
        if process.poll() is not None:
            raise AssertionError(f"the service ended: {process.end()}")
        time.sleep(0.1)
    raise AssertionError("the service did not answer within a minute")


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[str]:
    """The address of a service of its own, once it is ready and until it is no longer needed."""
    port = free_port()
    process = serve("--port", str(port), *arguments, **environment)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(process, url)
        yield url
    finally:
        process.terminate()
        process.end()
