"""Who may ask: API keys, and pages of other origins."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import InputError
from arxiv_core.serve import Keys, create_app
from fastapi.testclient import TestClient
from serve.stand_in import Fake

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}
ONE, OTHER = "correct-horse-battery", "staple-of-another-kind"


def locked(fake: Fake, keys: Keys) -> TestClient:
    return TestClient(create_app(fake, keys=keys), raise_server_exceptions=False)


def status(client: TestClient, key: str) -> int:
    return client.post("/classify", json=PAPER, headers={"X-API-Key": key}).status_code


def rewrite(file: Path, text: str) -> None:
    """Exchange a file as an editor or an operator does: another file under its name."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def test_each_of_several_keys_opens_in_either_header(fake: Fake) -> None:
    client = locked(fake, Keys([ONE, "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest()]))
    for key in (ONE, OTHER):
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            assert client.post("/classify", json=PAPER, headers=headers).status_code == 200
    # A bearer that is for whoever stands before the service.
    both = {"Authorization": "Bearer google's-own-token", "X-API-Key": ONE}
    assert client.post("/classify", json=PAPER, headers=both).status_code == 200


@pytest.mark.parametrize("path", ["/classify", "/v1/classify", "/metrics", "/info", "/nothing"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": ONE[:-1]},
        {"X-API-Key": ONE + "x"},
        {"Authorization": ONE},
        {"Authorization": f"Basic {ONE}"},
        {"Authorization": "Bearer"},
        {"X-API-Key": "sha256:" + hashlib.sha256(ONE.encode()).hexdigest()},
        {"X-API-Key": "ключ".encode().decode("latin-1")},
    ],
)
def test_nothing_else_opens(fake: Fake, path: str, headers: dict[str, str]) -> None:
    client = locked(fake, Keys([ONE]))
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = client.post(path, json=PAPER, headers=raw)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    own = path.startswith("/v1/")
    assert set(answer.json()) == ({"error"} if own else {"message"})
    assert ONE not in answer.text
    assert not fake.seen


def test_whether_it_lives_is_told_to_everybody(fake: Fake) -> None:
    client = locked(fake, Keys([ONE]))
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 503
    assert client.post("/health").status_code == 401
    assert client.get("/status").status_code == 401


def test_the_form_has_a_field_for_the_key_where_one_is_asked_for(fake: Fake) -> None:
    with locked(fake, Keys([ONE])) as client:
        blank = client.get("/")
        assert blank.status_code == 200
        assert 'name="key"' in blank.text
        form = PAPER | {"primary": ""}
        for key in ("", OTHER, ONE[:-1], "sha256:" + hashlib.sha256(ONE.encode()).hexdigest()):
            seen = len(fake.seen)
            refused = client.post("/", data=form | {"key": key})
            assert refused.status_code == 401
            assert PAPER["abstract"] in refused.text
            assert len(fake.seen) == seen
        # Nor what else is wrong with it.
        assert client.post("/", json=form).status_code == 401
        assert client.post("/", json=form, headers={"X-API-Key": ONE}).status_code == 415
        for data, headers in ((form | {"key": f" {ONE} "}, {}), (form, {"X-API-Key": ONE})):
            answer = client.post("/", data=data, headers=headers)
            assert answer.status_code == 200
            assert 'name="key"' in answer.text
            assert ONE not in answer.text


def test_the_form_has_no_field_for_a_key_where_none_is_asked_for(client: TestClient) -> None:
    assert 'name="key"' not in client.get("/").text


def test_a_long_form_is_not_read_before_its_key_is_known(fake: Fake) -> None:
    client = locked(fake, Keys([ONE]))
    form = PAPER | {"abstract": "é" * 20_000, "key": ONE}
    answer = client.post("/", data=form)
    assert answer.status_code == 401
    assert "65536 bytes" in answer.text
    assert client.post("/", data=form, headers={"X-API-Key": ONE}).status_code == 200


def test_vertex_ai_in_the_pages_place_asks_for_a_key(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/")
    client = locked(fake, Keys([ONE]))
    body = {"instances": [PAPER]}
    assert client.post("/", json=body).status_code == 401
    assert client.post("/", json=body, headers={"X-API-Key": ONE}).status_code == 200


def test_no_more_than_vertex_ais_health_is_told_to_everybody(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/v1/")
    assert locked(fake, Keys([ONE])).get("/v1/models").status_code == 401


def test_vertex_ais_health_is_told_to_everybody(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/aip/health")
    client = locked(fake, Keys([ONE]))
    with client:
        assert client.get("/aip/health").status_code == 200
        assert client.post("/vertex", json={}).status_code == 401


def test_keys_are_exchanged_while_it_runs(fake: Fake, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the first desk\n{ONE}\n", encoding="utf-8")
    client = locked(fake, Keys(file=file))
    assert (status(client, ONE), status(client, OTHER)) == (200, 401)
    rewrite(file, f"{ONE}\n{OTHER}  # of the second\n")
    assert (status(client, ONE), status(client, OTHER)) == (200, 200)
    rewrite(file, f"{OTHER}\n")
    assert (status(client, ONE), status(client, OTHER)) == (401, 200)


@pytest.mark.parametrize("text", [None, "", "# none\n", "short\n", "sha256:xyz\n"])
def test_a_file_that_went_bad_leaves_the_keys_as_they_were(
    fake: Fake, tmp_path: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys"
    file.write_text(ONE, encoding="utf-8")
    client = locked(fake, Keys(file=file))
    if text is None:
        file.unlink()
    else:
        rewrite(file, text)
    for _ in range(3):
        assert (status(client, ONE), status(client, OTHER)) == (200, 401)
    said = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == 1
    assert str(file) in said[0].getMessage()
    rewrite(file, OTHER)
    assert (status(client, ONE), status(client, OTHER)) == (401, 200)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no API key"),
        ("# none", "no API key"),
        (f"{ONE}\nshort", "line 2: a key has at least 16"),
        ("ключ-ключ-ключ-ключ", "line 1"),
        ("sha256:12", "line 1: no SHA-256"),
    ],
)
def test_keys_that_cannot_be_are_named_by_their_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as error:
        Keys(file=file)
    assert str(file) in str(error.value)
    assert ONE not in str(error.value)


def test_no_keys_at_all_open_to_nobody(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no API key"):
        Keys()
    with pytest.raises(FileNotFoundError):
        Keys(file=tmp_path / "nowhere")


def preflight(client: TestClient, headers: str = "content-type,x-api-key") -> dict[str, str]:
    answer = client.options(
        "/v1/classify",
        headers={
            "Origin": "https://desk.example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": headers,
        },
    )
    return dict(answer.headers)


def test_pages_of_other_origins_may_not_ask(client: TestClient) -> None:
    assert "access-control-allow-origin" not in preflight(client)
    answer = client.get("/health", headers={"Origin": "https://desk.example.org"})
    assert "access-control-allow-origin" not in answer.headers


def test_pages_of_a_named_origin_may_ask_with_a_key(fake: Fake) -> None:
    app = create_app(fake, keys=Keys([ONE]), origins=["https://desk.example.org"])
    client = TestClient(app)
    allowed = preflight(client)
    assert allowed["access-control-allow-origin"] == "https://desk.example.org"
    assert "x-api-key" in allowed["access-control-allow-headers"].lower()
    here, there = (
        client.post("/classify", json=PAPER, headers={"Origin": origin, "X-API-Key": ONE})
        for origin in ("https://desk.example.org", "https://evil.example.org")
    )
    assert here.headers["access-control-allow-origin"] == "https://desk.example.org"
    assert "access-control-allow-origin" not in there.headers
    # A refusal must be readable by the page too.
    refused = client.post("/classify", json=PAPER, headers={"Origin": "https://desk.example.org"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://desk.example.org"


@pytest.mark.parametrize(
    "headers",
    ["authorization,content-type,x-stainless-lang,x-stainless-retry-count", "traceparent"],
)
def test_pages_of_a_named_origin_may_send_what_their_clients_send(fake: Fake, headers: str) -> None:
    client = TestClient(create_app(fake, origins=["https://desk.example.org"]))
    allowed = preflight(client, headers)
    assert allowed["access-control-allow-headers"] == headers
    assert allowed["access-control-allow-origin"] == "https://desk.example.org"
    assert "access-control-allow-credentials" not in allowed


def test_who_is_refused_is_counted_by_the_route_that_was_asked(fake: Fake) -> None:
    client = locked(fake, Keys([ONE]))
    for path in ("/classify", "/v1/classify", "/embed"):
        assert client.post(path, json=PAPER).status_code == 401
    told = client.get("/metrics", headers={"X-API-Key": ONE}).text
    for path in ("/classify", "/v1/classify", "/embed"):
        assert f'{{method="POST",route="{path}",status="401"}} 1.0' in told
