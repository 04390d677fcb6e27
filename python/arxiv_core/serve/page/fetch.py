"""What another server answers, within a time and a size."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.request
from collections.abc import Mapping

__all__ = ["fetched"]


def fetched(address: str, headers: Mapping[str, str], *, within: float, most: int) -> bytes:
    """Ask another server; blocks.

    A socket's own timeout begins anew with every byte; here head and body, redirections included,
    have one time together. The resolver of names, the connection and TLS's handshake keep their
    own: of a host with several addresses each may take as long.

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
    lines = _Lines()
    opener = urllib.request.OpenerDirector()
    # Those of `urlopen` but for files, FTP and data.
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Plain(lines),
        _Secure(lines),
    ):
        opener.add_handler(handler)
    asked = urllib.request.Request(address, headers=dict(headers))
    end = threading.Timer(within, lines.cut)
    end.daemon = True
    end.start()
    try:
        with opener.open(asked, timeout=within) as answer:
            content: bytes = answer.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        late = lines.are_cut or isinstance(getattr(error, "reason", error), TimeoutError)
        if not late:
            raise
    else:
        # An answer without a length is whole where its connection ends, whoever ends it.
        late = lines.are_cut
    finally:
        end.cancel()
    if late:
        raise TimeoutError(f"not answered within {within:g} s")
    if len(content) > most:
        raise ValueError(f"its answer is larger than {most} bytes")
    return content


class _Lines:
    """The connections of one request, which are cut together."""

    def __init__(self) -> None:
        self.are_cut = False
        self._open: list[socket.socket] = []

    def add(self, connection: socket.socket) -> None:
        # Before it is looked up: one of both threads sees what the other did.
        self._open.append(connection)
        if self.are_cut:
            self.cut()

    def cut(self) -> None:
        self.are_cut = True
        for connection in self._open:
            # It may have ended by itself.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                lines.add(self.sock)

        self._kind = Connection

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._kind, req)


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                lines.add(self.sock)

        self._kind = Connection

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._kind, req)
