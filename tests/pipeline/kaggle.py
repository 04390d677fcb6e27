"""A stand-in for Kaggle on this machine: the two calls that kagglehub makes, and the file."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS = "/v1/datasets.DatasetApiService/"


class Kaggle(ThreadingHTTPServer):
    """Serves `content` as the newest version of the only file of any data set."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.content = content
        self.version = 1
        self.status = 200
        """How calls are answered."""
        self.cut: int | None = None
        """Bytes after which a file's transfer breaks off."""
        self.hang = False
        """Whether a transfer that breaks off hangs instead."""
        self.released = threading.Event()
        self.checksum: bytes | None = content
        """What the file is said to be, by its MD5."""
        self.refuse_ranges = False
        self.asked: list[str | None] = []
        """The `Range` of every request for the file."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def publish(self, content: bytes) -> None:
        """Make `content` the newest version."""
        self.content = self.checksum = content
        self.version += 1

    def __enter__(self) -> Kaggle:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that leaves in the middle is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Kaggle

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status != 200:
            self._json(self.server.status, {"code": self.server.status, "message": "refused"})
        elif self.path == f"{CALLS}GetDataset":
            self._json(200, {"currentVersionNumber": self.server.version})
        elif self.path == f"{CALLS}DownloadDataset":
            self.send_response(302)
            self.send_header("Location", f"/files/{self.server.version}/{self.server.name}")
            self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        content = self.server.content
        if asked and self.server.refuse_ranges:
            self._json(403, {"code": 403, "message": "expired"})
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        if self.server.checksum is not None:
            digest = base64.b64encode(hashlib.md5(self.server.checksum).digest()).decode()
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={digest}")
        self.end_headers()
        self.wfile.write(content[start : self.server.cut])
        if self.server.cut is not None and self.server.hang:
            self.wfile.flush()
            self.server.released.wait(60)

    def _json(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests look at `asked`."""
