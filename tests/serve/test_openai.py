"""OpenAI's embeddings, and its own client."""

from __future__ import annotations

import base64
import json
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
    from openai import OpenAI

TEXTS = ["Every ring is a module over itself.", "数学 🧮 \\alpha", "Deep nets learn."]

LONG = "module " * 2000


def ask(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/embeddings", json=body)


def test_the_answer_is_openais(client: TestClient, fake: Fake) -> None:
    answer = ask(client, input="xxxx", model="text-embedding-3-small", user="moderator-7")
    assert answer.status_code == 200
    assert answer.json() == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [4, 1, 2, 2]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
    assert fake.timeouts == {3}


def test_many_texts_come_back_in_order_and_their_tokens_add_up(client: TestClient) -> None:
    answer = ask(client, input=["x" * (number % 9 + 1) for number in range(100)]).json()
    assert [one["index"] for one in answer["data"]] == list(range(100))
    assert [one["embedding"][0] for one in answer["data"]] == [
        number % 9 + 1 for number in range(100)
    ]
    assert answer["usage"] == {"prompt_tokens": 700, "total_tokens": 700}
    assert answer["model"] == "sentence-transformers/all-MiniLM-L6-v2"


def test_base64_holds_the_same_numbers(client: TestClient) -> None:
    [one] = ask(client, input="xxxx", encoding_format="base64").json()["data"]
    assert np.frombuffer(base64.b64decode(one["embedding"]), "<f4").tolist() == [4, 1, 2, 2]


def test_the_encoders_own_dimensions_may_be_named(client: TestClient) -> None:
    assert ask(client, input="x", dimensions=4).status_code == 200


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({}, "input", "required"),
        ({"input": 3}, "input", "array"),
        ({"input": []}, "input", "0 texts"),
        ({"input": ""}, "input.0", "empty"),
        ({"input": ["x", ""]}, "input.1", "empty"),
        ({"input": ["x", None]}, "input.1", "string"),
        ({"input": [1, 2]}, "input", "token ids"),
        ({"input": [[1, 2], [3]]}, "input", "token ids"),
        ({"input": "x", "dimensions": 3}, "dimensions", "has 4"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format", "float"),
        ({"input": "x", "model": 3}, "model", "string"),
    ],
)
def test_a_wrong_field_is_named(
    client: TestClient, body: dict[str, Any], param: str, said: str
) -> None:
    answer = client.post("/v1/embeddings", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, None)
    assert said in error["message"]


def test_more_texts_than_openai_takes_are_refused(fake: Fake) -> None:
    from arxiv_core.serve import create_app

    answer = ask(TestClient(create_app(fake)), input=["x"] * 2049)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")
    assert "2049 texts" in answer.json()["error"]["message"]
    assert not fake.embedded


def test_a_text_that_is_too_long_is_cut_only_where_asked(client: TestClient, fake: Fake) -> None:
    fake.truncated = True
    answer = ask(client, input=["x"])
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input.0")
    assert "512 tokens" in answer.json()["error"]["message"]
    assert ask(client, input=["x"], truncate=True).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (OverloadedError("512 are under way"), 429, "requests", "rate_limit_exceeded"),
        (StoppingError("the engine is stopping"), 503, "server_error", None),
        (DeadlineError("not answered in time"), 504, "server_error", None),
        (RuntimeError("the secret inside"), 500, "server_error", None),
    ],
)
def test_what_the_engine_refuses_has_openais_name(
    client: TestClient, fake: Fake, error: Exception, status: int, kind: str, code: str | None
) -> None:
    fake.error = error
    answer = ask(client, input="x")
    assert answer.status_code == status
    told = answer.json()["error"]
    assert (told["type"], told["param"], told["code"]) == (kind, None, code)
    assert told["message"] == ("internal error" if status == 500 else str(error))


def test_what_is_no_json_or_no_route_has_the_same_body(client: TestClient) -> None:
    for answer, status in (
        (client.post("/v1/embeddings", content=b"{"), 400),
        (client.get("/v1/embeddings"), 405),
        (client.get("/v1/models/other"), 404),
    ):
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    told = client.get("/v1/models/other").json()["error"]
    assert (told["param"], told["code"]) == ("model", "model_not_found")


# From here on with a model, over a socket.


@pytest.fixture
def openai(served: str, at_home: None) -> Iterator[OpenAI]:
    from openai import OpenAI

    with OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
        yield client


def expected(classifier: Classifier, texts: list[str]) -> np.ndarray:
    about = classifier.info()
    encoder = Encoder.load(about["encoder"]["source"], max_length=about["max_length"])
    return encoder.encode(texts)


def test_openais_client_gets_the_encoders_vectors(openai: OpenAI, classifier: Classifier) -> None:
    # By itself the client asks for base64.
    default = openai.embeddings.create(input=TEXTS, model="any")
    floats = openai.embeddings.create(input=TEXTS, model="any", encoding_format="float")
    for answer in (default, floats):
        vectors = np.array([one.embedding for one in answer.data])
        np.testing.assert_allclose(vectors, expected(classifier, TEXTS), atol=1e-5)
    assert (default.model, default.object) == ("any", "list")
    assert default.usage.prompt_tokens == default.usage.total_tokens > 15


def test_openais_client_gets_one_text_as_well_as_a_hundred(
    openai: OpenAI, classifier: Classifier
) -> None:
    texts = [f"Paper {number} on rings." for number in range(100)]
    many = openai.embeddings.create(input=texts, model="any").data
    assert [one.index for one in many] == list(range(100))
    vectors = np.array([one.embedding for one in many])
    np.testing.assert_allclose(vectors, expected(classifier, texts), atol=1e-5)
    [one] = openai.embeddings.create(input=texts[7], model="any").data
    np.testing.assert_allclose(one.embedding, vectors[7], atol=1e-5)


def test_openais_client_is_told_what_was_wrong(openai: OpenAI) -> None:
    from openai import BadRequestError

    for options, param in (
        ({"input": [1, 2, 3]}, "input"),
        ({"input": "x", "dimensions": 8}, "dimensions"),
        ({"input": LONG}, "input.0"),
    ):
        with pytest.raises(BadRequestError) as caught:
            openai.embeddings.create(model="any", **options)
        assert (caught.value.param, caught.value.type) == (param, "invalid_request_error")


def test_openais_client_has_a_long_text_cut_where_asked(
    openai: OpenAI, classifier: Classifier
) -> None:
    [one] = openai.embeddings.create(input=LONG, model="any", extra_body={"truncate": True}).data
    np.testing.assert_allclose(one.embedding, expected(classifier, [LONG])[0], atol=1e-5)


def test_openais_client_finds_the_model(openai: OpenAI, classifier: Classifier) -> None:
    [model] = openai.models.list()
    assert openai.models.retrieve(model.id) == model
    assert model.id == classifier.info()["encoder"]["name"]
    assert (model.object, model.owned_by) == ("model", "arxiv-core")


def test_curl_gets_an_embedding(served: str, classifier: Classifier) -> None:
    body = json.dumps({"input": TEXTS[0], "model": "any"})
    command = ["curl", "--noproxy", "*", "-sSf", f"{served}/v1/embeddings", "-d", body]
    command += ["-H", "Content-Type: application/json", "-H", "Authorization: Bearer none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    vector = json.loads(done.stdout)["data"][0]["embedding"]
    np.testing.assert_allclose(vector, expected(classifier, TEXTS[:1])[0], atol=1e-5)
