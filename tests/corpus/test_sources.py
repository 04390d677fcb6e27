"""What a snapshot may be packed in, and what may be wrong with it."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from arxiv_core import InputError, _core

PEAK = """
import sys
from pathlib import Path
from arxiv_core import InputError, _core
try:
    _core.prepare(sys.argv[1], sys.argv[2])
except InputError as error:
    print(error)
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.fixture
def text(record, abstract) -> bytes:
    """A thousand records as JSON lines."""
    rng = random.Random(1)
    records = (record(f"2301.{number:05}", abstract(rng)) for number in range(1000))
    return "".join(json.dumps(one) + "\n" for one in records).encode()


def zipped(text: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arxiv-metadata-oai-snapshot.json", text)


def zipped64(text: bytes, path: Path) -> None:
    """Pack as zip does what is larger than 4 GiB: sizes of 64 bits, in the directory too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 0)
        zipped(text, path)
    assert b"PK\x06\x06" in path.read_bytes()


PACKINGS: dict[str, Callable[[bytes, Path], object]] = {
    "json": lambda text, path: path.write_bytes(text),
    "gzip": lambda text, path: path.write_bytes(gzip.compress(text)),
    "zstd": lambda text, path: path.write_bytes(zstandard.compress(text)),
    "zip": zipped,
    "zip64": zipped64,
}


def test_content_tells_the_format_and_the_output_is_the_same(text: bytes, tmp_path: Path) -> None:
    outputs = set()
    for name, pack in PACKINGS.items():
        source = tmp_path / f"misnamed.{'gz' if name == 'json' else 'json'}"
        pack(text, source)
        manifest = json.loads(_core.prepare(source, tmp_path / name))
        assert manifest["source"]["format"] == name.removesuffix("64")
        assert manifest["source"]["bytes"] == source.stat().st_size
        outputs.add((tmp_path / name / "papers.parquet").read_bytes())
    assert len(outputs) == 1


@pytest.mark.parametrize("name", ["gzip", "zstd", "zip", "zip64"])
def test_a_truncated_file_is_an_error_and_leaves_nothing(
    text: bytes, tmp_path: Path, name: str
) -> None:
    source = tmp_path / "snapshot"
    PACKINGS[name](text, source)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match="snapshot"):
        _core.prepare(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_error_keeps_the_output_of_an_earlier_run(text: bytes, tmp_path: Path) -> None:
    source, out = tmp_path / "snapshot", tmp_path / "out"
    source.write_bytes(text)
    _core.prepare(source, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    source.write_bytes(gzip.compress(text)[:-20])
    with pytest.raises(InputError, match="truncated"):
        _core.prepare(source, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_what_is_no_snapshot_is_refused_by_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    empty = tmp_path / "empty.json"
    empty.touch()
    with pytest.raises(InputError, match=r"empty\.json: is empty"):
        _core.prepare(empty, out)
    with pytest.raises(InputError, match="is a directory"):
        _core.prepare(tmp_path, out)
    with pytest.raises(FileNotFoundError, match=r"missing\.json"):
        _core.prepare(tmp_path / "missing.json", out)
    table = tmp_path / "papers.parquet"
    table.write_bytes(b"PAR1 and so on")
    with pytest.raises(InputError, match="is Parquet"):
        _core.prepare(table, out)
    assert not out.exists()


def test_lines_that_cannot_be_read_are_quarantined(text: bytes, tmp_path: Path) -> None:
    lines = text.splitlines(keepends=True)[:6]
    lines[1] = lines[1][:300] + b"\n"
    lines[2] = lines[2].replace(b"invented", b"inv\xff\xfented")
    lines[3] = b"  \r\n"
    lines[4] = b'{"id":"' + b"x" * 5_000_000 + b'"}\n'
    source = tmp_path / "snapshot"
    source.write_bytes(b"".join(lines).rstrip(b"\n"))
    options = json.dumps({"max_line_bytes": 1_500_000})
    manifest = json.loads(_core.prepare(source, tmp_path / "out", options))
    assert (manifest["papers"], manifest["dropped"]["blank_lines"]) == (2, 1)
    quarantine = (tmp_path / "out" / "quarantine.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in quarantine.splitlines()]
    assert [entry["line"] for entry in entries] == [2, 3, 5]
    assert "ends early" in entries[0]["reason"]
    assert "invalid UTF-8" in entries[1]["reason"]
    assert entries[2]["reason"] == "longer than the 1500000 bytes that a line may have"
    assert entries[2]["bytes"] == 5_000_009
    assert all(entry["head"].startswith('{"') for entry in entries)


def test_quirks_of_the_format_are_read(record, tmp_path: Path) -> None:
    old = record("hep-th/9901001v2", "Two lines\n  of text.", "hep-th")
    escaped = json.dumps(record("0704.0002", "Café 😀 déjà"), ensure_ascii=True)
    plain = json.dumps(record("0704.0003", "Café 😀 déjà vu"), ensure_ascii=False)
    shuffled = json.dumps(
        {"new": [{"deep": [None, 1e-3]}]} | dict(reversed(record("0704.0004", "C").items()))
    )
    lines = [json.dumps(old), escaped, plain, shuffled]
    source = tmp_path / "snapshot"
    source.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8", newline="")
    options = {"min_abstract_chars": 0, "clean": "whitespace"}
    _core.prepare(source, tmp_path / "out", json.dumps(options))
    papers = _core.Papers.read(tmp_path / "out" / "papers.parquet")
    assert papers.abstracts == ["Two lines of text.", "Café 😀 déjà", "Café 😀 déjà vu", "C"]
    assert papers.submitted == [10592, 13604, 13604, 13604]


def test_a_giant_line_does_not_take_memory(tmp_path: Path) -> None:
    source = tmp_path / "snapshot"
    with source.open("wb") as out:
        out.write(b'{"id":"')
        for _ in range(200):
            out.write(b"x" * 1_000_000)
    command = [sys.executable, "-c", PEAK, str(source), str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    message, peak = ran.stdout.splitlines()
    assert "no paper in it; line 1: longer than the 16777216 bytes" in message
    assert int(peak) < 400, f"{peak} MB"
