"""The service's settings in environment variables."""

from __future__ import annotations

from dataclasses import fields

import pytest
from arxiv_core import OptionError
from arxiv_core.config.environment import KEYS, PREFIX, from_environment, settings
from arxiv_core.config.schema import Dtype, Serve


def configured(**variables: str) -> Serve:
    serve = Serve()
    from_environment(serve, {PREFIX + name: value for name, value in variables.items()})
    return serve


def test_every_kind_of_value_is_read() -> None:
    found = configured(
        HOST="0.0.0.0",
        PORT="8080",
        MODEL="registry:arxiv@production",
        DTYPE="bf16",
        TIMEOUT="2.5",
        BATCH_TOKENS="4096",
        WATCH="null",
        ORIGINS="https://a.example, https://b.example",
    )
    assert (found.host, found.port, found.timeout) == ("0.0.0.0", 8080, 2.5)
    assert (found.model, found.dtype) == ("registry:arxiv@production", Dtype.bf16)
    assert (found.batch_tokens, found.watch) == (4096, None)
    assert found.origins == ["https://a.example", "https://b.example"]
    assert configured(BATCH_TOKENS="none", MODEL="").batch_tokens is None
    assert configured() == Serve()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("CAPACITY", "many", "ARXIV_CORE_SERVE_CAPACITY='many': not a whole number"),
        ("CAPACITY", "", "not a whole number"),
        ("CAPACITY", "8_0", "not a whole number"),
        ("CAPACITY", "\u0663", "not a whole number"),
        ("BATCH_TOKENS", "", "not a whole number"),
        # No deadline must come of a variable that was not filled in.
        ("TIMEOUT", "", "ARXIV_CORE_SERVE_TIMEOUT='': not a number"),
        ("LIMITS_CROSS_LIST", "nan", "not a number"),
        ("DRAIN", "soon", "not a number"),
        ("DTYPE", "f64", "one of f32, bf16"),
        ("PROT", "80", "did you mean ARXIV_CORE_SERVE_PORT?"),
        ("port", "80", "no such setting"),
    ],
)
def test_what_cannot_be_is_named(name: str, text: str, said: str) -> None:
    with pytest.raises(OptionError) as error:
        configured(**{name: text})
    assert said in str(error.value)


def test_what_was_said_otherwise_stays() -> None:
    serve = Serve(port=1)
    from_environment(serve, {f"{PREFIX}PORT": "2", f"{PREFIX}HOST": "::"}, but={"port"})
    assert (serve.port, serve.host) == (1, "::")


def test_keys_are_no_setting_and_other_variables_are_not_looked_at() -> None:
    serve = Serve()
    from_environment(serve, {KEYS: "a-secret-of-many-letters", "PORT": "x", "HOME": "/"})
    assert serve == Serve()


def test_every_setting_is_described() -> None:
    found = settings()
    assert [one.key for one in found] == [f"serve.{one.name}" for one in fields(Serve)]
    told = {one.key: one for one in found}
    assert told["serve.capacity"].variable == "ARXIV_CORE_SERVE_CAPACITY"
    assert told["serve.capacity"].default == "512"
    assert told["serve.watch"].text.startswith("Seconds between looks")
    assert all(one.text for one in found)
