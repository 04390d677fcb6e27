"""Who may ask: API keys, several at once, exchanged while the service runs."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from arxiv_core._core import InputError

__all__ = ["OPEN", "Keys", "Locked"]

FOLDER = "/page/"
"""All that is below it is the page's files."""

OPEN = frozenset({"/", "/health", FOLDER, "/ready"})
"""Answered without a key to GET: whoever runs the service must see whether it lives, and a page
without its style could not even say that a key is missing."""

NEEDED = "an API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"
"""What is said to whoever brings none."""

LEAST = 16
"""Characters of a key at least: a shorter one can be guessed."""

HASHED = "sha256:"

log = logging.getLogger(__name__)


class Keys:
    """API keys, of which only hashes are kept.

    Parameters
    ----------
    given
        Keys, or ``sha256:HEX`` of keys.
    file
        A file of more, one a line; ``#`` begins a comment. It is read again when it changes, so
        that a new key can be added before an old one is taken away. While it cannot be read, the
        keys that were read last hold.

    Raises
    ------
    InputError
        A key is shorter than 16 characters, not ASCII or no hash, or there is none; says which.
    OSError
        The file cannot be read.
    """

    def __init__(self, given: Iterable[str] = (), file: Path | None = None) -> None:
        self._given = [_digest(key, f"key {at}") for at, key in enumerate(given, 1)]
        self._file = file
        self._stamp = None if file is None else _stamp(file)
        self._read = [] if file is None else list(_lines(file))
        if not self._given and not self._read:
            raise InputError(f"{file or 'keys'}: no API key")

    def admit(self, key: str) -> bool:
        """Whether `key` is one of them; takes as long whichever it is, and whether it is one."""
        asked = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found = False
        for known in (*self._given, *self._current()):
            found |= hmac.compare_digest(known, asked)
        return found

    def admits(self, headers: Headers) -> bool:
        """Whether a request's headers bring one of them."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        # On Cloud Run with IAM the bearer is Google's, and the key stands in the other header.
        given = [headers.get("x-api-key"), bearer.strip() if scheme.lower() == "bearer" else None]
        return any(self.admit(key) for key in given if key is not None)

    def _current(self) -> list[bytes]:
        if self._file is None:
            return self._read
        stamp = _stamp(self._file)
        if stamp != self._stamp:
            # What cannot be used is complained of once, not at every request.
            self._stamp = stamp
            try:
                fresh = list(_lines(self._file))
                if not fresh and not self._given:
                    raise InputError(f"{self._file}: no API key")
            except (OSError, InputError) as error:
                log.error("the API keys stay as they were: %s", error)
            else:
                self._read = fresh
                log.info("%s: %d API keys", self._file, len(fresh))
        return self._read


def _stamp(file: Path) -> tuple[int, ...] | None:
    """Return what changes with the file; None where there is none."""
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _lines(file: Path) -> Iterator[bytes]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8") from None
    for number, line in enumerate(lines, 1):
        key = line.partition("#")[0].strip()
        if key:
            yield _digest(key, f"{file}, line {number}")


def _digest(key: str, where: str) -> bytes:
    if key.startswith(HASHED):
        try:
            digest = bytes.fromhex(key.removeprefix(HASHED))
        except ValueError:
            digest = b""
        if len(digest) != hashlib.sha256().digest_size:
            raise InputError(f"{where}: no SHA-256 in hexadecimal follows sha256:")
        return digest
    # In a header, other characters arrive as whatever the client took them for.
    if len(key) < LEAST or not key.isascii():
        raise InputError(f"{where}: a key has at least {LEAST} characters, of ASCII only")
    return hashlib.sha256(key.encode()).digest()


class Locked:
    """Lets requests pass that bring a key: ``Authorization: Bearer KEY`` or ``X-API-Key: KEY``.

    Parameters
    ----------
    app
        What the keys are for.
    keys
        Which.
    refuse
        Answers an error as the asked route does.
    public
        Paths that GET reaches without.
    form
        Where a POST passes too: it has a field for the key, and its route asks for it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Keys,
        refuse: Callable[[Request, Exception], Awaitable[Response]],
        public: frozenset[str] = OPEN,
        form: str | None = None,
    ) -> None:
        self._app, self._keys, self._refuse = app, keys, refuse
        self._public, self._form = public, form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if (
            scope["type"] != "http"
            or self._is_public(scope)
            or (scope["path"] == self._form and scope["method"] == "POST")
            or self._keys.admits(Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return
        error = HTTPException(401, NEEDED, {"WWW-Authenticate": "Bearer"})
        answer = await self._refuse(Request(scope), error)
        await answer(scope, receive, send)

    def _is_public(self, scope: Scope) -> bool:
        path = scope["path"]
        known = path in self._public or (FOLDER in self._public and path.startswith(FOLDER))
        return known and scope["method"] in {"GET", "HEAD"}
