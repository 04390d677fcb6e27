"""Locks between processes that the system takes back when their holder ends, however that comes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["holding", "is_held"]


@contextlib.contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock while the block runs, waiting for it first.

    Parameters
    ----------
    path
        The lock's file; it stays when the lock is given back.
    """
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds a lock.

    Parameters
    ----------
    path
        The lock's file.
    """
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
