"""The stage as a whole: reproducible, stoppable, and clear about its options."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from arxiv_core import OptionError, _core

RUN = """
import sys
import time
from arxiv_core import _core
print("begins", flush=True)
try:
    _core.prepare(sys.argv[1], sys.argv[2], "{}", lambda event: print(event["done"], flush=True))
except KeyboardInterrupt:
    # One clock for all processes; the interpreter's own end is not the stage's.
    print("stopped at", time.monotonic(), flush=True)
    raise
"""


@pytest.fixture
def source(record, abstract, tmp_path: Path) -> Path:
    """Four thousand papers of one year, some of them twins, one line broken."""
    rng = random.Random(2)
    lines = []
    for number in range(4000):
        text = abstract(rng)
        if number % 50 == 0 and lines:
            text = json.loads(lines[-1])["abstract"] + " once more"
        lines.append(json.dumps(record(f"23{number % 12 + 1:02}.{number:05}", text)))
    lines.insert(7, '{"id": ')
    path = tmp_path / "snapshot.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file that takes long to read: billions of blank lines in zstd."""
    path = tmp_path_factory.mktemp("endless") / "endless.zst"
    frame = zstandard.compress(b"\n" * (1 << 24))
    path.write_bytes(frame * 300)
    return path


def test_threads_change_no_byte_of_any_file(source: Path, tmp_path: Path) -> None:
    outputs = []
    for threads in (1, 2, 5):
        out = tmp_path / str(threads)
        _core.prepare(source, out, json.dumps({"threads": threads}))
        outputs.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert outputs[0] == outputs[1] == outputs[2]
    assert sorted(outputs[0]) == ["manifest.json", "papers.parquet", "quarantine.jsonl"]


def test_the_manifest_says_what_went_in(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(source.read_bytes())
    manifest = json.loads(_core.prepare(source, tmp_path / "out"))
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text())
    hashed = manifest["source"]["checksum"]
    assert re.fullmatch("[0-9a-f]{32}", hashed)
    assert hashed == _core.checksum(source)
    assert json.loads(_core.prepare(other, tmp_path / "out"))["source"]["checksum"] == hashed
    other.write_bytes(other.read_bytes() + b"\n")
    assert json.loads(_core.prepare(other, tmp_path / "out"))["source"]["checksum"] != hashed
    assert manifest["options"]["min_abstract_chars"] == 50
    assert "threads" not in manifest["options"]
    assert manifest["papers"] + sum(manifest["dropped"].values()) == manifest["lines"]
    assert sum(map(sum, manifest["labels"].values())) >= manifest["papers"]


def test_progress_ends_with_every_paper_written(source: Path, tmp_path: Path) -> None:
    events: list[dict] = []
    manifest = json.loads(_core.prepare(source, tmp_path / "out", "{}", events.append))
    assert events
    for event in events:
        assert event["stage"] in {"read", "pack", "near-duplicates", "write"}
        assert 0 <= event["done"] <= event["total"] or not event["total"]
    last = events[-1]
    assert (last["stage"], last["unit"]) == ("write", "papers")
    assert last["done"] == last["total"] == manifest["papers"]


def test_a_log_level_set_after_the_first_run_counts(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = []
    for level in (logging.ERROR, logging.INFO):
        with caplog.at_level(level, "arxiv_core"):
            caplog.clear()
            _core.prepare(source, tmp_path / "out", "{}", None)
            said.append(any("prepared" in record.message for record in caplog.records))
    assert said == [False, True]


def test_reading_is_counted_in_the_files_bytes(endless: Path, tmp_path: Path) -> None:
    events: list[dict] = []

    def third(event: dict) -> None:
        events.append(event)
        if len(events) == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        _core.prepare(endless, tmp_path / "out", "{}", third)
    assert {(event["stage"], event["unit"]) for event in events} == {("read", "bytes")}
    assert {event["total"] for event in events} == {endless.stat().st_size}
    done = [event["done"] for event in events]
    assert done == sorted(done)
    assert 0 < done[-1] <= endless.stat().st_size


def seconds_to_stop(source: Path, out: Path, *, silent: bool = False) -> float:
    """From Ctrl-C, once progress is seen, to the stage's end, which leaves nothing."""
    command = [sys.executable, "-c", RUN, str(source), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        if silent:
            time.sleep(0.5)
        else:
            assert process.stdout.readline()
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in errors
    assert not out.exists()
    return float(shown.rpartition(b"stopped at")[2]) - sent


def test_ctrl_c_stops_within_a_second_and_leaves_nothing(endless: Path, tmp_path: Path) -> None:
    # A busy machine may delay any one of them.
    assert any(seconds_to_stop(endless, tmp_path / "out") < 1 for _ in range(5))


def test_a_pipe_is_read_and_ctrl_c_heard_while_it_is_silent(source: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "snapshot.pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pipe.write_bytes, source.read_bytes())
        through = json.loads(_core.prepare(pipe, tmp_path / "out", "{}", None))
    plain = json.loads(_core.prepare(source, tmp_path / "plain", "{}", None))
    assert through["papers"] == plain["papers"]
    tables = [(tmp_path / name / "papers.parquet").read_bytes() for name in ("out", "plain")]
    assert tables[0] == tables[1]

    for start in (b"", source.read_bytes()[:60_000]):
        # Open for both, so that the reader finds the pipe open and never at its end.
        both = os.open(pipe, os.O_RDWR)
        os.write(both, start)
        assert any(seconds_to_stop(pipe, tmp_path / "stopped", silent=True) < 1 for _ in range(5))
        os.close(both)


def test_an_exception_in_the_callback_stops_the_stage(endless: Path, tmp_path: Path) -> None:
    def fail(event: dict) -> None:
        raise RuntimeError(event["stage"])

    with pytest.raises(RuntimeError, match="read"):
        _core.prepare(endless, tmp_path / "out", "{}", fail)
    assert not (tmp_path / "out").exists()


def has_nameless_files(folder: Path) -> bool:
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except (AttributeError, OSError):
        return False
    return True


def test_a_kill_leaves_nothing_or_what_cannot_be_taken_for_a_table(
    endless: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", RUN, str(endless), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        assert process.stdout.readline()
        process.kill()
    left = [path.name for path in out.iterdir()]
    assert all(name.startswith(".arxiv-core-") for name in left)
    assert not (left and has_nameless_files(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zstd": 3}, "option zstd = 3: unknown field"),
        ({"subset": {"categories": ["cs.XX"]}}, "subset.categories"),
        ({"split": {"test_fraction": 2}}, "split.test_fraction"),
        ({"dedup": {"threshold": "high"}}, "option dedup.threshold"),
        ({"zstd_level": 40}, "expected 1 to 22"),
    ],
)
def test_a_bad_option_is_named(source: Path, tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        _core.prepare(source, tmp_path / "out", json.dumps(options))
    assert not (tmp_path / "out").exists()


def test_unknown_splits_and_broken_tables_are_named(source: Path, tmp_path: Path) -> None:
    _core.prepare(source, tmp_path / "out")
    table = tmp_path / "out" / "papers.parquet"
    test = _core.Papers.read(table, split="test", limit=3)
    assert test.splits == ["test"] * 3
    with pytest.raises(OptionError, match="train, validation or test"):
        _core.Papers.read(table, split="dev")
    with pytest.raises(FileNotFoundError):
        _core.Papers.read(tmp_path / "none.parquet")
    with pytest.raises(_core.InputError, match="not a papers table"):
        _core.Papers.read(source)
