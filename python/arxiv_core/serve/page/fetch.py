"""What another server answers, within a time and a size."""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["fetched"]


def fetched(address: str, headers: Mapping[str, str], *, within: float, most: int) -> bytes:
    """Ask another server; blocks.

    A socket's own timeout begins anew with every byte; here head and body, redirections included,
    have one time together. Only the resolver of names keeps its own, and of a host with several
    addresses each may take what is left.

    Parameters
    ----------
    address
        ``http://`` or ``https://``; elsewhere no redirection leads either.
    headers
        Of the request.
    within
        Seconds for all of it.
    most
        Bytes of the answer.

    Returns
    -------
    bytes
        The answer.

    Raises
    ------
    TimeoutError
        `within` has passed.
    ValueError
        The answer is larger than `most`.
    urllib.error.HTTPError
        Its status is an error's.
    OSError, http.client.HTTPException
        The server cannot be reached, or does not speak HTTP.
    """
    limits = _Limits(within, most)
    opener = urllib.request.OpenerDirector()
    # Those of `urlopen` but for files, FTP and data.
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Plain(limits),
        _Secure(limits),
    ):
        opener.add_handler(handler)
    try:
        asked = urllib.request.Request(address, headers=dict(headers))
        with opener.open(asked, timeout=within) as answer:
            content: bytes = answer.read(most + 1)
    except OSError as error:
        if isinstance(getattr(error, "reason", None), TimeoutError):
            raise limits.over() from None
        raise
    finally:
        limits.close()
    if len(content) > most:
        raise ValueError(f"its answer is larger than {most} bytes")
    return content


class _Limits:
    """What all connections of one request have together."""

    def __init__(self, within: float, most: int) -> None:
        self.within, self.most = within, most
        self._end = time.monotonic() + within
        self._answers: list[_Answer] = []

    def left(self) -> float:
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise self.over()
        return seconds

    def over(self) -> TimeoutError:
        return TimeoutError(f"not answered within {self.within:g} s")

    def connect(
        self, kind: type[http.client.HTTPConnection]
    ) -> Callable[..., http.client.HTTPConnection]:
        def connect(host: str, *, timeout: float) -> http.client.HTTPConnection:
            # A redirection has no more than what is left.
            connection = kind(host, timeout=min(timeout, self.left()))
            connection.response_class = kind_of_answer
            return connection

        def answer(
            connection: socket.socket, debuglevel: int = 0, method: str | None = None
        ) -> _Answer:
            self._answers.append(_Answer(connection, debuglevel, method, limits=self))
            return self._answers[-1]

        # Typed as a class, and only ever called.
        kind_of_answer: Any = answer
        return connect

    def close(self) -> None:
        # A redirection that failed in its midst is closed by nobody else.
        for answer in self._answers:
            answer.close()


class _Reader(io.RawIOBase):
    """A connection's bytes; each wait lasts no longer than what is left."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, limits: _Limits) -> None:
        self._raw, self._connection, self._limits = raw, connection, limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        self._connection.settimeout(self._limits.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        # The raw one keeps the connection open until it is closed itself.
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(
        self,
        connection: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        *,
        limits: _Limits,
    ) -> None:
        super().__init__(connection, debuglevel, method)
        self._most = limits.most
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), connection, limits))

    def read(self, amt: int | None = None) -> bytes:
        # A redirection's body is read whole before it is followed.
        return super().read(self._most if amt is None else amt)


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, limits: _Limits) -> None:
        super().__init__()
        self._connect = limits.connect(http.client.HTTPConnection)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect, req)


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, limits: _Limits) -> None:
        super().__init__()
        self._connect = limits.connect(http.client.HTTPSConnection)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect, req)
