"""What holds for every text and batch, whatever the numbers."""

from __future__ import annotations

import threading
from pathlib import Path

import arxiv_core
import numpy as np
import pytest
from arxiv_core import InputError, _core
from hypothesis import given, settings
from hypothesis import strategies as st

BF16_WARNING = "this processor does not multiply bf16: it is slower than f32 here"
WORDS = ["we", "prove", "that", "random", "graphs", "of", "bounded", "degree", "are", "expanders"]
TEXTS = [" ".join((WORDS * 40)[: 1 + 37 * index % 300]) for index in range(40)]


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_the_same_batch_twice_is_bit_equal(minilm: Path, dtype: str) -> None:
    encoder = _core.Encoder.load(str(minilm), "cpu", dtype)
    np.testing.assert_array_equal(encoder.encode(TEXTS), encoder.encode(TEXTS))


def test_a_text_alone_is_as_in_a_batch_and_rows_are_in_order(encoder: _core.Encoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert np.abs(together - alone).max() <= 2e-6
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("budget", [1, 300, 5000])
def test_the_token_budget_changes_no_result(encoder: _core.Encoder, budget: int) -> None:
    some = TEXTS[:12]
    assert np.abs(encoder.encode(some, budget) - encoder.encode(some)).max() <= 2e-6


@pytest.mark.parametrize(
    ("texts", "says"),
    [("one text", "give a list"), (b"bytes", "give a list"), (["a", None], "text 1: NoneType")],
)
def test_what_is_no_list_of_texts_is_refused(minilm: Path, texts: list[str], says: str) -> None:
    whole = arxiv_core.Encoder.load(minilm, device="cpu")
    for use in (whole.encode, whole.token_ids, whole.truncated):
        with pytest.raises(InputError, match=says):
            use(texts)


def test_no_text_empty_text_and_a_megabyte_are_fine(encoder: _core.Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.truncated([]).shape == (0,)
    huge = ["word " * 210_000, "x" * 1_050_000, "界" * 350_000]
    rows = encoder.encode(["", *huge])
    assert rows.shape == (4, 384)
    assert np.isfinite(rows).all()
    assert encoder.truncated(["", *huge]).tolist() == [False, True, False, True]
    assert encoder.token_ids([""]) == [[101, 102]]


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=4))
def test_any_unicode_has_a_finite_embedding(encoder: _core.Encoder, texts: list[str]) -> None:
    rows = encoder.encode(texts)
    assert rows.shape == (len(texts), 384)
    assert np.isfinite(rows).all()


def test_many_threads_may_share_an_encoder(encoder: _core.Encoder) -> None:
    expected = encoder.encode(TEXTS[:6])
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(encoder.encode(TEXTS[:6]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for rows in found:
        np.testing.assert_array_equal(rows, expected)


def test_progress_counts_up_to_all_texts(encoder: _core.Encoder) -> None:
    events: list[dict[str, object]] = []
    encoder.encode(TEXTS, 1000, events.append)
    assert {event["stage"] for event in events} == {"encode"}
    assert {event["total"] for event in events} == {len(TEXTS)}


def test_an_exception_in_the_callback_stops_the_work(encoder: _core.Encoder) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        encoder.encode(TEXTS * 20, 1000, refuse)


def test_a_text_that_is_no_unicode_is_named(minilm: Path) -> None:
    encoder = arxiv_core.Encoder.load(minilm, device="cpu")
    for method in (encoder.encode, encoder.token_ids, encoder.truncated):
        with pytest.raises(InputError, match="text 1: character 2 is half a surrogate pair"):
            method(["é", "ab\udc00"])


def test_bf16_is_warned_of_where_the_processor_has_none(
    minilm: Path, multiplies_bf16: bool, caplog: pytest.LogCaptureFixture
) -> None:
    _core.Encoder.load(str(minilm), "cpu", "f32")
    assert not caplog.records
    _core.Encoder.load(str(minilm), "cpu", "bf16")
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ([] if multiplies_bf16 else [BF16_WARNING])


def test_the_python_class_says_what_it_loaded() -> None:
    encoder = arxiv_core.Encoder.load("minilm", device="cpu", dtype="bf16", max_length=128)
    assert (encoder.hidden_size, encoder.max_length) == (384, 128)
    assert (encoder.device, encoder.dtype) == ("cpu", "bf16")
    assert repr(encoder) == 'Encoder(hidden_size=384, max_length=128, device="cpu", dtype="bf16")'
    assert encoder.encode(["a"]).shape == (1, 384)
    assert encoder.token_ids(["a"]) == [[101, 1037, 102]]
    assert encoder.truncated(["a " * 200]).tolist() == [True]
