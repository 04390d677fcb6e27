"""Papers → calibrated probabilities, against the same computation in numpy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, Encoder, InputError, ShapeError, _core
from classifier import tiny
from numpy.testing import assert_allclose, assert_array_equal

Papers = list[dict[str, str]]


def test_probabilities_are_sigmoids_of_calibrated_logits_of_the_template(
    classifier: Classifier, tiny_model: Any, papers: Papers
) -> None:
    encoder = Encoder.load(tiny_model.encoder, device="cpu", max_length=tiny.MAX_LENGTH)
    texts = [_core.template(paper["title"], paper["abstract"]) for paper in papers]
    random = np.random.default_rng(7)
    weight = 3 * random.standard_normal((len(tiny.LABELS), tiny.HIDDEN), dtype=np.float32)
    bias = random.standard_normal(len(tiny.LABELS), dtype=np.float32)
    logits = encoder.encode(texts) @ weight.T + bias
    columns = np.arange(len(tiny.LABELS))
    expected = 1 / (1 + np.exp(-((1 + 0.05 * columns) * logits - 0.1 * columns)))

    probabilities, truncated = classifier.scores(papers)

    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(papers), len(tiny.LABELS))
    assert_allclose(probabilities, expected, atol=1e-5)
    assert_array_equal(truncated, encoder.truncated(texts))
    assert truncated.any()
    assert not truncated.all()


def test_a_batch_is_the_papers_one_by_one(classifier: Classifier, papers: Papers) -> None:
    together, truncated = classifier.scores(papers)
    alone = [classifier.scores([paper]) for paper in papers]
    assert_allclose(together, np.concatenate([scores for scores, _ in alone]), atol=1e-5, rtol=0)
    assert_array_equal(truncated, np.concatenate([cut for _, cut in alone]))


def test_the_same_batch_twice_is_equal_to_the_bit(classifier: Classifier, papers: Papers) -> None:
    assert_array_equal(classifier.scores(papers)[0], classifier.scores(papers)[0])


def test_no_papers_have_no_rows(classifier: Classifier) -> None:
    probabilities, truncated = classifier.scores([])
    assert probabilities.shape == (0, len(tiny.LABELS))
    assert truncated.shape == (0,)
    assert classifier.classify([]) == []


def test_empty_texts_have_scores_and_blanks_are_empty(classifier: Classifier) -> None:
    papers = [{"title": title, "abstract": text} for title in ("", " \n") for text in ("", "\t")]
    probabilities, truncated = classifier.scores(papers)
    assert np.isfinite(probabilities).all()
    assert not truncated.any()
    assert_array_equal(probabilities, np.broadcast_to(probabilities[0], probabilities.shape))
    title_only, abstract_only = classifier.scores(
        [{"title": "graph", "abstract": ""}, {"title": "", "abstract": "graph"}]
    )[0]
    assert_array_equal(title_only, abstract_only)


def test_threads_share_a_classifier(classifier: Classifier, papers: Papers) -> None:
    expected = classifier.scores(papers)[0]
    with ThreadPoolExecutor(4) as pool:
        for probabilities, _ in pool.map(classifier.scores, [papers] * 8):
            assert_array_equal(probabilities, expected)


def test_progress_counts_papers(classifier: Classifier, papers: Papers) -> None:
    events: list[dict[str, Any]] = []
    classifier.scores(papers, progress=events.append)
    assert events
    assert events[-1]["stage"] == "classify"
    assert events[-1]["unit"] == "papers"
    assert events[-1]["done"] <= events[-1]["total"] == len(papers)


def test_an_exception_in_progress_stops_and_is_raised(
    classifier: Classifier, papers: Papers
) -> None:
    def refuse(_: dict[str, Any]) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        classifier.scores(papers * 50, progress=refuse)


@pytest.mark.parametrize(
    ("paper", "message"),
    [
        ({"title": "T"}, "paper 1: field 'abstract': missing"),
        ({"title": None, "abstract": "A"}, "paper 1: field 'title': None is not a string"),
        ({"title": "T", "abstract": 5}, "paper 1: field 'abstract': 5 is not a string"),
        ({"title": "\ud800", "abstract": "A"}, "paper 1: field 'title': character 0 is half a"),
        ({"title": "T", "abstract": "A", "primary": 5}, "paper 1: field 'primary': 5 is not a"),
        ({"title": "T", "abstract": "A", "primary": "cs.XX"}, 'paper 1: primary: "cs.XX"'),
        (["T", "A"], "paper 1: list is not a mapping"),
    ],
)
def test_a_wrong_paper_is_named_by_index_and_field(
    classifier: Classifier, paper: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        classifier.classify([{"title": "T", "abstract": "A"}, paper])


def test_one_paper_alone_is_not_papers(classifier: Classifier) -> None:
    with pytest.raises(InputError, match="put it into a list"):
        classifier.classify({"title": "T", "abstract": "A"})  # type: ignore[arg-type]


def test_columns_of_different_lengths_are_refused(tiny_model: Any) -> None:
    core = _core.Classifier.load(str(tiny_model.model), str(tiny_model.encoder), "cpu")
    with pytest.raises(ShapeError, match="abstracts"):
        core.scores(["T"], [])
    with pytest.raises(ShapeError, match="declared"):
        core.classify(["T"], ["A"], "{}", [None, None])
