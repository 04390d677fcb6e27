"""Stage ``fetch``: the snapshot from Kaggle. Only this file imports kagglehub."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import ArxivCoreError
from arxiv_core.extras import require

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["FetchError", "run"]

SNAPSHOT = "arxiv-metadata-oai-snapshot.json"

CACHE = ".kagglehub"
"""kagglehub's folder below ``paths.data``: it takes up a download only in a cache of its own."""

LONGEST_LINE = 8 << 20
"""Bytes; papers of thousands of authors take some hundred thousand."""

CACHE_VARIABLE = "KAGGLEHUB_CACHE"

log = logging.getLogger(__name__)


class FetchError(ArxivCoreError):
    """The snapshot could not be downloaded; says what to do."""


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Download the newest snapshot into ``paths.data``.

    An interrupted download is taken up again. The snapshot's name is a whole file's at any time:
    the earlier one's until the newer one has arrived.

    Parameters
    ----------
    config
        ``data.dataset``, ``paths.data``.
    progress
        Unused: kagglehub shows its own.

    Raises
    ------
    FetchError
        No network, no credentials, no such data set, or what arrived is damaged.
    """
    del progress
    require("kagglehub", extra="data", what="arxiv-core data fetch")
    handle = config.data.dataset
    target = Path(config.paths.data) / SNAPSHOT
    cache = target.parent / CACHE
    log.info("downloading %s from Kaggle", handle)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _kagglehub_in(cache):
            file = _download(handle, cache)
        _place(file, target)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "what has arrived is kept, and arxiv-core data fetch goes on from there"
        ) from None
    except Exception as error:
        if reason := _reason(error, handle):
            raise FetchError(reason) from error
        if isinstance(error, OSError) and error.filename is None:
            # A write does not know its file.
            error.filename = str(cache)
        raise
    for other in cache.rglob(SNAPSHOT):
        if not other.samefile(file):
            other.unlink()
    return {"source": str(target), "bytes": target.stat().st_size}


@contextlib.contextmanager
def _kagglehub_in(cache: Path) -> Iterator[None]:
    before = os.environ.get(CACHE_VARIABLE)
    os.environ[CACHE_VARIABLE] = str(cache)
    try:
        # Standard output is the summary's.
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if before is None:
            del os.environ[CACHE_VARIABLE]
        else:
            os.environ[CACHE_VARIABLE] = before


def _download(handle: str, cache: Path) -> Path:
    import kagglehub
    from kagglehub.exceptions import DataCorruptionError

    for archive in cache.rglob(f"{SNAPSHOT}.zip"):
        # Stopped while it unpacked: kagglehub would take the half beside it for a half download.
        archive.replace(archive.with_suffix(""))
    try:
        file = Path(kagglehub.dataset_download(handle, path=SNAPSHOT))
        if zipfile.is_zipfile(file):
            _unpack(file)
        if not _is_whole(file):
            raise DataCorruptionError(str(file))
    except (DataCorruptionError, zipfile.BadZipFile):
        for damaged in (*cache.rglob(SNAPSHOT), *cache.rglob(f"{SNAPSHOT}.zip")):
            damaged.unlink()
        raise
    return file


def _unpack(file: Path) -> None:
    part = file.with_name(f".{file.name}.part")
    with zipfile.ZipFile(file) as archive, archive.open(SNAPSHOT) as packed, part.open("wb") as out:
        shutil.copyfileobj(packed, out, 1 << 20)
    part.replace(file)


def _is_whole(file: Path) -> bool:
    # kagglehub appends whatever answers a request for the rest, an error's text too, and Kaggle
    # does not give every file a checksum.
    with file.open("rb") as data:
        data.seek(-min(LONGEST_LINE, file.stat().st_size), os.SEEK_END)
        last = data.read().rstrip().rpartition(b"\n")[2]
    try:
        paper = json.loads(last)
    except ValueError:
        return False
    return isinstance(paper, dict) and "id" in paper


def _place(file: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        try:
            part.hardlink_to(file)
        except OSError:
            shutil.copyfile(file, part)
        part.replace(target)
    finally:
        # Renaming one name of a file to another of the same file does nothing.
        part.unlink(missing_ok=True)


def _reason(error: Exception, handle: str) -> str | None:
    """Say why there is no snapshot and what to do; None where the error says it itself."""
    from kagglehub import exceptions

    by_hand = (
        f"or download it by hand from https://www.kaggle.com/datasets/{handle} "
        "and give it as data.source=FILE"
    )
    refused = (
        f"Kaggle refused {handle}: set KAGGLE_API_TOKEN to a token from your Kaggle "
        f"account's settings, {by_hand}"
    )
    missing = f"Kaggle has no {SNAPSHOT} in {handle}: give the data set's name as data.dataset"
    match error:
        case exceptions.CredentialError() | exceptions.UnauthenticatedError():
            return refused
        case exceptions.NotFoundError():
            return missing
        case exceptions.KaggleApiHTTPError():
            status = None if error.response is None else error.response.status_code
            if status in (401, 403):
                return refused
            if status == 404:
                return missing
            said = next(iter(str(error).splitlines()), "for no reason given")
            return f"Kaggle failed to give {handle} ({said}): try again later, {by_hand}"
        case exceptions.BackendError():
            return f"Kaggle failed to give {handle} ({error}): try again later, {by_hand}"
        case exceptions.DataCorruptionError() | zipfile.BadZipFile():
            return (
                f"{handle} arrived damaged and was thrown away: "
                f"run arxiv-core data fetch again, {by_hand}"
            )
        case FileExistsError() | NotADirectoryError() | IsADirectoryError():
            there = str(error)
            if error.filename:
                path = Path(error.filename2 or error.filename)
                there = str(next(place for place in (path, *path.parents) if place.exists()))
            return f"{there} is in the way: move it, or give another folder as paths.data"
        # Errors of requests, which kagglehub lets through, have no number.
        case ConnectionError() | TimeoutError() | OSError(errno=None):
            return (
                f"Kaggle cannot be reached to download {handle}: check the network and try again "
                f"(what has arrived is kept), {by_hand}"
            )
        case ValueError():
            return f"{error}: correct data.dataset or the file of Kaggle's credentials, {by_hand}"
    return None
