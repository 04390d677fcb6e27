"""The on-disk cache and the embed stage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from arxiv_core import OptionError, _core, models
from safetensors import safe_open

TEXTS = [f"Paper {index}: on the number {index} and what it divides." for index in range(24)]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.seg"))


def test_a_text_is_embedded_once_and_comes_back_bit_equal(
    encoder: _core.Encoder, tmp_path: Path
) -> None:
    first = encoder.encode(TEXTS, cache_dir=tmp_path)
    assert len(segments(tmp_path)) == 1
    events: list[dict[str, object]] = []
    again = encoder.encode(TEXTS[::-1] + TEXTS, cache_dir=tmp_path, progress=events.append)
    np.testing.assert_array_equal(again, np.concatenate([first[::-1], first]))
    assert len(segments(tmp_path)) == 1
    assert all(event["done"] == event["total"] for event in events)


def test_new_texts_add_a_segment_and_repeats_are_computed_once(
    encoder: _core.Encoder, tmp_path: Path
) -> None:
    encoder.encode(TEXTS[:5], cache_dir=tmp_path)
    rows = encoder.encode([*TEXTS[:8], TEXTS[6]], cache_dir=tmp_path)
    sizes = sorted(path.stat().st_size for path in segments(tmp_path))
    assert sizes == [24 + count * (16 + 4 * 384) for count in (3, 5)]
    np.testing.assert_array_equal(rows[8], rows[6])


def test_another_dtype_length_or_model_has_its_own_cache(minilm: Path, tmp_path: Path) -> None:
    for dtype, length in (("f32", 256), ("f32", 64), ("bf16", 256)):
        encoder = _core.Encoder.load(str(minilm), "cpu", dtype, length)
        encoder.encode(TEXTS[:2], cache_dir=tmp_path)
    notes = [json.loads(path.read_text()) for path in tmp_path.glob("*/key.json")]
    keys = {(note["dtype"], note["max_length"]) for note in notes}
    assert keys == {("f32", 256), ("f32", 64), ("bf16", 256)}


def test_a_damaged_segment_is_embedded_again(
    encoder: _core.Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = encoder.encode(TEXTS, cache_dir=tmp_path)
    [path] = segments(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_array_equal(encoder.encode(TEXTS, cache_dir=tmp_path), expected)
    assert "embedded again" in caplog.text
    assert len(path.read_bytes()) == 24 + len(TEXTS) * (16 + 4 * 384)


CHILD = """
import sys
from arxiv_core import _core
encoder = _core.Encoder.load(sys.argv[1], "cpu", "f32")
texts = [f"Paper {index}: on the number {index} and what it divides." * 2 for index in range(20000)]
print("ready", flush=True)
encoder.encode(texts, cache_dir=sys.argv[2])
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_where_it_stopped(
    minilm: Path, encoder: _core.Encoder, tmp_path: Path, blow: signal.Signals
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(minilm), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    deadline = time.monotonic() + 200
    while not segments(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(blow)
    assert child.wait(timeout=60) != 0
    child.stdout.close()
    kept = segments(tmp_path)
    assert kept, "nothing was kept"
    width = 16 + 4 * 384
    done = sum((path.stat().st_size - 24) // width for path in kept)
    text = "Paper 7: on the number 7 and what it divides." * 2
    events: list[dict[str, object]] = []
    row = encoder.encode([text], cache_dir=tmp_path, progress=events.append)
    assert done >= 512
    assert len(segments(tmp_path)) == len(kept), "the first text was computed again"
    assert np.abs(row - encoder.encode([text])).max() <= 2e-6


def test_the_embed_stage_writes_rows_in_the_tables_order(
    sample_papers: Path, minilm: Path, tmp_path: Path
) -> None:
    out, cache = tmp_path / "new/embeddings.safetensors", tmp_path / "cache"
    options = {"device": "cpu", "dtype": "f32", "max_length": 128, "cache_dir": str(cache)}
    ran = json.loads(_core.embed(str(sample_papers), str(minilm), str(out), json.dumps(options)))
    papers = pq.read_table(sample_papers).to_pydict()
    texts = list(map(_core.template, papers["title"], papers["abstract"]))
    assert ran["papers"] == len(texts) > 100
    with safe_open(str(out), "np") as file:
        rows = file.get_tensor("embeddings")
        metadata = file.metadata()
    assert metadata == {
        "dtype": "f32",
        "encoder_sha256": ran["encoder_sha256"],
        "papers_checksum": _core.checksum(sample_papers),
        "tokenizer_sha256": models.sha256(minilm / "tokenizer.json"),
        "max_length": "128",
        "pooling": "mean+normalize",
        "template_version": str(_core.TEMPLATE_VERSION),
    }
    encoder = _core.Encoder.load(str(minilm), "cpu", "f32", 128)
    some = list(range(0, len(texts), 17))
    expected = encoder.encode([texts[row] for row in some])
    assert np.abs(rows[some] - expected).max() <= 2e-6

    before = out.read_bytes()
    again = json.loads(_core.embed(str(sample_papers), str(minilm), str(out), json.dumps(options)))
    assert (again["embedded"], again["tokens"]) == (0, 0)
    assert out.read_bytes() == before


def test_embeddings_are_for_whom_the_umask_lets(
    sample_papers: Path, minilm: Path, tmp_path: Path
) -> None:
    out, cache = tmp_path / "embeddings.safetensors", tmp_path / "cache"
    options = {"device": "cpu", "dtype": "f32", "max_length": 16, "cache_dir": str(cache)}
    before = os.umask(0o027)
    try:
        _core.embed(str(sample_papers), str(minilm), str(out), json.dumps(options))
    finally:
        os.umask(before)
    assert out.stat().st_mode & 0o777 == 0o640


def test_embed_refuses_what_it_does_not_know(minilm: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="batch_size"):
        _core.embed(
            str(tmp_path / "papers"), str(minilm), str(tmp_path / "out"), '{"batch_size": 3}'
        )
    with pytest.raises(FileNotFoundError):
        _core.embed(
            str(tmp_path / "papers"), str(minilm), str(tmp_path / "out"), '{"device": "cpu"}'
        )
    assert list(tmp_path.iterdir()) == []
