"""Reads what W&B's offline run file holds: LevelDB's log format, protocol buffers inside."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 32 * 1024
WHOLE, LAST = 1, 4


def records(file: Path) -> Iterator[Any]:
    """Every record of a ``.wandb`` file, in order."""
    from wandb.proto.wandb_internal_pb2 import Record

    data = file.read_bytes()
    assert data[:4] == b":W&B"
    at, message = 7, b""
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        message += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (WHOLE, LAST):
            yield Record.FromString(message)
            message = b""


def files(place: Path) -> list[Path]:
    """Files of the runs recorded in a directory, oldest first."""
    return sorted(place.glob("wandb/offline-run-*/run-*.wandb"))


def newest(place: Path) -> Offline:
    """What the newest file in a directory holds."""
    return Offline(files(place)[-1])


class Offline:
    """What one file holds."""

    def __init__(self, file: Path) -> None:
        self.folder = file.parent
        self.records = list(records(file))

    def of(self, kind: str) -> list[Any]:
        """Records of one kind."""
        return [getattr(one, kind) for one in self.records if one.WhichOneof("record_type") == kind]

    @property
    def exit_code(self) -> int:
        [last] = self.of("exit")
        return int(last.exit_code)

    @property
    def config(self) -> dict[str, Any]:
        [run] = self.of("run")
        return _merged([run.config, *self.of("config")], "update")

    @property
    def history(self) -> list[dict[str, Any]]:
        return [_merged([one], "item") for one in self.of("history")]

    @property
    def summary(self) -> dict[str, Any]:
        return _merged(self.of("summary"), "update")

    def table(self, name: str) -> dict[str, Any]:
        """Columns and data of the table `name`, from the file that its summary names."""
        path = self.folder / "files" / self.summary[name]["path"]
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return value

    @property
    def artifacts(self) -> dict[tuple[str, bool], Any]:
        """Those that are no table's: (name, whether the run read it) → record."""
        return {
            (one.name, one.use_after_commit): one
            for one in self.of("artifact")
            if one.type in {"dataset", "model"}
        }


def _merged(parts: list[Any], field: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for part in parts:
        for item in getattr(part, field):
            *above, leaf = item.nested_key or [item.key]
            node = tree
            for name in above:
                node = node.setdefault(name, {})
            node[leaf] = json.loads(item.value_json)
    return tree
