"""The routes of text-embeddings-inference, and Hugging Face's own client."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import Classifier, DeadlineError, Encoder, OverloadedError, StoppingError
from fastapi.testclient import TestClient
from serve.stand_in import Fake

if TYPE_CHECKING:
    from huggingface_hub import InferenceClient

TEXTS = ["Every ring is a module over itself.", "数学 🧮 \\alpha", "Deep nets learn."]

LONG = "module " * 2000

TITLE, ABSTRACT = "On rings", "Each ring is a module over itself."


def test_one_text_has_a_list_of_one_vector_of_length_one(client: TestClient, fake: Fake) -> None:
    answer = client.post("/embed", json={"inputs": "xxxx"})
    assert answer.status_code == 200
    assert answer.json() == [pytest.approx([0.8, 0.2, 0.4, 0.4])]
    assert fake.timeouts == {3}


def test_many_texts_come_back_in_order_as_they_are_where_asked(client: TestClient) -> None:
    texts = ["x" * (number + 1) for number in range(20)]
    answer = client.post("/embed", json={"inputs": texts, "normalize": False, "truncate": None})
    assert answer.json() == [[number + 1, 1, 2, 2] for number in range(20)]


def test_a_vector_is_cut_before_it_is_scaled(client: TestClient) -> None:
    body = {"inputs": ["xxxx"], "dimensions": 2}
    assert client.post("/embed", json=body).json() == [pytest.approx([4 / 17**0.5, 1 / 17**0.5])]
    body |= {"normalize": False}
    assert client.post("/embed", json=body).json() == [[4, 1]]


def test_what_tei_passes_over_is_passed_over(client: TestClient) -> None:
    body = json.dumps({"inputs": "x", "parameters": {"top_k": 1}, "encoding_format": "base64"})
    answer = client.post("/embed", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 200
    assert len(answer.json()[0]) == 4


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        ({"inputs": []}, 400, "Empty", "empty"),
        ({"inputs": ""}, 400, "Empty", "empty"),
        ({"inputs": ["x", ""]}, 400, "Empty", "empty"),
        (
            {"inputs": ["x"] * 65},
            413,
            "Validation",
            "batch size 65 > maximum allowed batch size 64",
        ),
        ({"inputs": "x", "prompt_name": "query"}, 413, "Validation", "'query'"),
        ({"inputs": "x", "dimensions": 0}, 413, "Validation", "positive"),
        ({"inputs": "x", "dimensions": 5}, 413, "Validation", "at most 4: 5"),
        ({}, 422, "Tokenizer", "inputs"),
        ({"inputs": 3}, 422, "Tokenizer", "inputs"),
        ({"inputs": [1, 2]}, 422, "Tokenizer", "token ids"),
        ({"inputs": [[1, 2]]}, 422, "Tokenizer", "token ids"),
        ({"inputs": "x", "truncation_direction": "up"}, 422, "Tokenizer", "truncation_direction"),
        ({"inputs": "x", "normalize": "maybe"}, 422, "Tokenizer", "normalize"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_as_tei_does(
    client: TestClient, body: dict[str, Any], status: int, kind: str, said: str
) -> None:
    answer = client.post("/embed", json=body)
    assert (answer.status_code, answer.json()["error_type"]) == (status, kind)
    assert set(answer.json()) == {"error", "error_type"}
    assert said in answer.json()["error"]


def test_what_is_no_json_is_a_400(client: TestClient) -> None:
    answer = client.post("/embed", content=b"{")
    assert (answer.status_code, answer.json()["error_type"]) == (400, "Validation")
    assert client.get("/embed").json()["error_type"] == "Validation"


@pytest.mark.parametrize("path", ["/embed", "/predict"])
def test_a_text_that_is_too_long_is_cut_only_where_asked(
    client: TestClient, fake: Fake, path: str
) -> None:
    fake.truncated = True
    for truncate in ({}, {"truncate": None}, {"truncate": False}):
        answer = client.post(path, json={"inputs": "x"} | truncate)
        assert (answer.status_code, answer.json()["error_type"]) == (413, "Validation")
        assert "512 tokens" in answer.json()["error"]
    for end in ({}, {"truncation_direction": "Right"}, {"truncation_direction": "right"}):
        body = {"inputs": "x", "truncate": True} | end
        assert client.post(path, json=body).status_code == 200
    body = {"inputs": "x", "truncate": True, "truncation_direction": "left"}
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["error_type"]) == (422, "Tokenizer")
    fake.truncated = False
    assert client.post(path, json=body).status_code == 200


@pytest.mark.parametrize("path", ["/embed", "/predict"])
@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (OverloadedError("512 requests are under way"), 429, "Overloaded"),
        (StoppingError("the engine is stopping"), 503, "Unhealthy"),
        (DeadlineError("not answered in time"), 504, "Backend"),
    ],
)
def test_what_the_engine_refuses_has_teis_name(
    client: TestClient, fake: Fake, path: str, error: Exception, status: int, kind: str
) -> None:
    fake.error = error
    answer = client.post(path, json={"inputs": "x"})
    assert answer.status_code == status
    assert answer.json() == {"error": str(error), "error_type": kind}
    assert answer.headers.get("retry-after") == {429: "1", 503: "5"}.get(status)


@pytest.mark.parametrize("path", ["/embed", "/predict"])
def test_a_fault_is_a_424_that_says_nothing_of_what_is_inside(
    client: TestClient, fake: Fake, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    fake.error = RuntimeError("the secret inside")
    answer = client.post(path, json={"inputs": "x"})
    assert answer.status_code == 424
    assert answer.json() == {"error": "internal error", "error_type": "Backend"}
    assert "the secret inside" in caplog.text


def test_every_label_is_answered_best_first(client: TestClient, fake: Fake) -> None:
    answer = client.post("/predict", json={"inputs": [TITLE, ABSTRACT]}).json()
    assert [one["label"] for one in answer] == fake.names
    assert [one["score"] for one in answer] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert all(set(one) == {"score", "label"} for one in answer)
    assert fake.seen == [{"title": TITLE, "abstract": ABSTRACT}]


def test_raw_scores_are_log_odds(client: TestClient) -> None:
    answer = client.post("/predict", json={"inputs": "x", "raw_scores": True}).json()
    odds = [math.log(p / (1 - p)) for p in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)]
    assert [one["score"] for one in answer] == pytest.approx(odds, abs=1e-9)


def test_raw_scores_are_finite_where_a_probability_is_0_or_1() -> None:
    from arxiv_core.serve.tei import _log_odds

    assert -100 < _log_odds(0) < -80
    assert 15 < _log_odds(1) < 100


@pytest.mark.parametrize(
    ("inputs", "papers"),
    [
        ("x", ("", "x")),
        (["x"], ("", "x")),
        (["t", "x"], ("t", "x")),
        ([["x"]], [("", "x")]),
        ([["x"], ["t", "y"]], [("", "x"), ("t", "y")]),
    ],
)
def test_a_text_a_pair_or_a_batch_of_either_is_understood(
    client: TestClient, fake: Fake, inputs: Any, papers: Any
) -> None:
    answer = client.post("/predict", json={"inputs": inputs})
    assert answer.status_code == 200
    seen = [(one["title"], one["abstract"]) for one in fake.seen]
    assert seen == (papers if isinstance(papers, list) else [papers])
    shape = answer.json() if isinstance(papers, list) else [answer.json()]
    assert [len(one) for one in shape] == [6] * len(seen)


@pytest.mark.parametrize(
    ("inputs", "status", "kind", "said"),
    [
        ("", 400, "Empty", "empty"),
        (["", ""], 400, "Empty", "empty"),
        ([["x"], [""]], 400, "Empty", "empty"),
        ([], 422, "Tokenizer", "pair"),
        (["a", "b", "c"], 422, "Tokenizer", "pair"),
        ([["a", "b", "c"]], 422, "Tokenizer", "pair"),
        ([["a"], []], 422, "Tokenizer", "pair"),
        ([1], 422, "Tokenizer", "pair"),
        ({"title": "t"}, 422, "Tokenizer", "pair"),
        ([["x"]] * 65, 413, "Validation", "65"),
    ],
)
def test_other_inputs_are_refused(
    client: TestClient, fake: Fake, inputs: Any, status: int, kind: str, said: str
) -> None:
    answer = client.post("/predict", json={"inputs": inputs})
    assert (answer.status_code, answer.json()["error_type"]) == (status, kind)
    assert said in answer.json()["error"]
    assert not fake.seen


def test_info_has_teis_fields_and_the_model(client: TestClient, fake: Fake) -> None:
    about = client.get("/info").json()
    assert about["model"] == fake.info()
    assert about["model_id"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert (about["model_sha"], about["model_dtype"]) == ("0123", "float32")
    labels = about["model_type"]["classifier"]
    assert labels["id2label"]["1"] == "math.AG"
    assert labels["label2id"] == {name: number for number, name in enumerate(fake.names)}
    assert (about["max_concurrent_requests"], about["tokenization_workers"]) == (512, 2)
    assert (about["max_input_length"], about["max_client_batch_size"]) == (512, 64)
    assert about["max_batch_tokens"] is None
    assert about["auto_truncate"] is False


def test_the_document_describes_what_may_be_sent(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    kinds = [kind["type"] for kind in schemas["EmbedRequest"]["properties"]["inputs"]["anyOf"]]
    assert kinds == ["string", "array"]
    assert len(schemas["PredictRequest"]["properties"]["inputs"]["anyOf"]) == 3
    for path in ("/embed", "/predict"):
        assert {"400", "413", "422", "424", "429"} <= set(
            document["paths"][path]["post"]["responses"]
        )


# From here on with a model, over a socket.


def encoder_of(classifier: Classifier) -> Encoder:
    about = classifier.info()
    return Encoder.load(about["encoder"]["source"], max_length=about["max_length"])


@pytest.fixture
def hugging_face(served: str, at_home: None) -> Iterator[InferenceClient]:
    from huggingface_hub import InferenceClient, close_session

    try:
        yield InferenceClient(served, provider="hf-inference", token="hf_none")
    finally:
        close_session()


def test_hugging_faces_client_gets_the_encoders_vectors(
    hugging_face: InferenceClient, served: str, classifier: Classifier
) -> None:
    expected = encoder_of(classifier).encode(TEXTS)
    url = f"{served}/embed"
    for text, vector in zip(TEXTS, expected, strict=True):
        answer = hugging_face.feature_extraction(text, model=url, normalize=True)
        assert answer.shape == (1, len(vector))
        np.testing.assert_allclose(answer[0], vector, atol=1e-5)
    many = hugging_face.feature_extraction(TEXTS, model=url)
    np.testing.assert_allclose(many, expected, atol=1e-5)


def test_hugging_faces_client_has_a_long_text_cut_or_refused(
    hugging_face: InferenceClient, served: str, classifier: Classifier
) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    url = f"{served}/embed"
    answer = hugging_face.feature_extraction(
        LONG, model=url, truncate=True, truncation_direction="right"
    )
    np.testing.assert_allclose(answer, encoder_of(classifier).encode([LONG]), atol=1e-5)
    with pytest.raises(HfHubHTTPError) as caught:
        hugging_face.feature_extraction(LONG, model=url)
    assert caught.value.response.status_code == 413


def test_hugging_faces_client_gets_the_classifiers_probabilities(
    hugging_face: InferenceClient, served: str, classifier: Classifier
) -> None:
    whole, pair = classifier.classify(
        [{"title": "", "abstract": ABSTRACT}, {"title": TITLE, "abstract": ABSTRACT}], all=True
    )
    url = f"{served}/predict"
    # Of a single text's flat list, the client hands on the first, as it does with TEI.
    best: Any = hugging_face.text_classification(ABSTRACT, model=url)
    assert best.label == whole.categories[0].category
    assert best.score == pytest.approx(whole.categories[0].probability, abs=1e-5)
    batch: Any = [[TITLE, ABSTRACT]]
    labels = hugging_face.text_classification(batch, model=url)
    found = {one.label: one.score for one in labels}
    assert len(labels) == len(found) == len(classifier.labels)
    assert found == pytest.approx({c.category: c.probability for c in pair.categories}, abs=1e-5)
    assert [one.score for one in labels] == sorted(found.values(), reverse=True)


def test_hugging_faces_client_asks_what_it_talks_to(
    hugging_face: InferenceClient, classifier: Classifier
) -> None:
    assert hugging_face.health_check()
    about = hugging_face.get_endpoint_info()
    assert about["model"] == classifier.info()
    labels = about["model_type"]["classifier"]["id2label"]
    assert [labels[str(number)] for number in range(len(labels))] == classifier.labels


def test_this_encoder_has_no_other_vectors_than_those_of_length_one(
    served: str, classifier: Classifier
) -> None:
    assert classifier.info()["pooling"].endswith("+normalize")
    status, answer = curl(f"{served}/embed", {"inputs": "x", "normalize": False})
    assert (status, answer["error_type"]) == (424, "Backend")
    assert "length one" in answer["error"]


def curl(url: str, body: object) -> tuple[int, Any]:
    command = ["curl", "--noproxy", "*", "-sS", "-w", "\n%{http_code}", url]
    command += ["-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(text)


def test_curl_gets_vectors_and_labels(served: str, classifier: Classifier) -> None:
    status, vectors = curl(f"{served}/embed", {"inputs": TEXTS})
    assert status == 200
    np.testing.assert_allclose(vectors, encoder_of(classifier).encode(TEXTS), atol=1e-5)
    status, labels = curl(f"{served}/predict", {"inputs": [TITLE, ABSTRACT]})
    [prediction] = classifier.classify([{"title": TITLE, "abstract": ABSTRACT}])
    assert status == 200
    assert [one["label"] for one in labels[:5]] == [c.category for c in prediction.categories]
    assert curl(f"{served}/embed", {"inputs": []})[0] == 400
