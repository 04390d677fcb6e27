"""Overrides that are read without Hydra mean what they mean to Hydra."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from arxiv_core.config import compose
from arxiv_core.config.plain import plainly
from arxiv_core.config.schema import Dtype, Serve
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

KEYS = [one.name for one in fields(Serve)]

NUMBERS = """
null Null none None ~ true false True on yes inf -inf nan .inf 0 -0 +1 1 64 007 1_000 65536 0x10
1e3 1E-3 .5 5. 0.5 -2.5 1.50 12.5 1e400 99999999999999999999 1e 1__0 -1 1.2.3 3:4 10:30 1:2:3
2024-01-01 '64' "64" '0.5'
""".split()  # noqa: SIM905 - a list of them would be mostly quotes

WORDS = """
f32 bf16 F32 Dtype.f32 'f32' 'null' '' "" 'a' "it's" 'a\\'b' '${run}' ${run} '???' ??? 'a\\\\b' - --
127.0.0.1 0.0.0.0 ::1 :: localhost cuda:1 registry:arxiv@production /models/a-b_c.d C:\\x a:b a,b
a=b a(b) a+b a*b a;b a|b a~b a#b #a %41 a&b _ . / @ : * é naïve nulls truex in-f -x {a:1} {} int(3)
choice(a,b) range(1,3) https://x/api/query https://x/q?a=b 'https://x/q?a=b' 'https://x/q%20a=b'
""".split()  # noqa: SIM905 - a list of them would be mostly quotes

LISTS = """
[] [a] [a,b] [a,] [,a] [1,2] [a,'b,c'] ['null',"x"] [null] [true] [a:b,c@d] [[a]] [*] [-1] [a-b]
[a.b] [.5] ['.5'] [https://a.example,https://b.example:8443] ["it's"]
""".split()  # noqa: SIM905 - a list of them would be mostly quotes

SPACED = [
    "",
    " ",
    " 64",
    "64 ",
    "a b",
    "' a '",
    "'a b, (c)=d/é.json'",
    "'say \"so\"'",
    "a\tb",
    "'a\nb'",
    "[ ]",
    "[ a , b ]",
    "[a, 'b c' ]",
    "[a,\n b]",
]


def by_hydra(override: str) -> Any:
    """The value, by the parser and the types that `compose` uses, without the rest of the tree."""
    parsed = OverridesParser.create().parse_override(override)
    config = OmegaConf.create({"serve": OmegaConf.structured(Serve)})
    OmegaConf.update(config, parsed.key_or_group, parsed.value(), merge=True)
    OmegaConf.resolve(config)
    key = override.partition("=")[0].removeprefix("serve.")
    return getattr(OmegaConf.to_object(config.serve), key)


def by_us(override: str) -> tuple[Any, bool]:
    serve = Serve()
    left = plainly(serve, [override])
    assert left in {None, override}
    return getattr(serve, override.partition("=")[0].removeprefix("serve.")), left is None


@pytest.mark.parametrize("key", KEYS)
def test_whatever_is_read_without_hydra_is_what_hydra_reads(key: str) -> None:
    for text in [*NUMBERS, *WORDS, *LISTS, *SPACED]:
        value, plain = by_us(f"serve.{key}={text}")
        if plain:
            expected = by_hydra(f"serve.{key}={text}")
            assert (value, type(value)) == (expected, type(expected)), text


@given(
    st.sampled_from(["host", "model", "capacity", "timeout", "dtype", "origins"]),
    st.text("ab1290nul.-+_:/@,'\"[]{}()=\\$ e", max_size=12),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_text_is_read_otherwise_than_by_hydra(key: str, text: str) -> None:
    value, plain = by_us(f"serve.{key}={text}")
    if plain:
        expected = by_hydra(f"serve.{key}={text}")
        assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("serve.host=0.0.0.0", "0.0.0.0"),
        ("serve.host=::", "::"),
        ("serve.model=registry:arxiv@production", "registry:arxiv@production"),
        ("serve.model='/models/a b, c'", "/models/a b, c"),
        ("serve.model='null'", "null"),
        ("serve.model=null", None),
        ("serve.dtype=bf16", Dtype.bf16),
        ("serve.capacity=64", 64),
        ("serve.max_wait=2e-3", 0.002),
        ("serve.timeout=5", 5.0),
        ("serve.timeout=null", None),
        ("serve.batch_tokens=4096", 4096),
        (
            "serve.origins=[https://a.example, 'https://b.example']",
            ["https://a.example", "https://b.example"],
        ),
        ("serve.origins=[]", []),
        (
            "serve.arxiv_lookup=https://export.arxiv.org/api/query",
            "https://export.arxiv.org/api/query",
        ),
    ],
)
def test_what_people_set_needs_no_hydra(override: str, value: object) -> None:
    assert by_us(override) == (value, True)


@pytest.mark.parametrize(
    "override",
    [
        "serve=public",
        "+serve.port=1",
        "++serve.port=1",
        "~serve.port",
        "serve.port",
        "serve.prot=1",
        "data.source=a",
        "serve.port=${port}",
        "serve.capacity=many",
        "serve.dtype=f64",
        "serve.host=null",
        "serve.host=1.50",
        "serve.origins=https://a.example",
    ],
)
def test_anything_else_is_left_to_hydra(override: str) -> None:
    serve = Serve()
    assert plainly(serve, ["serve.port=9", override, "serve.port=10"]) == override
    assert serve == Serve(port=9)


def test_the_group_is_the_one_that_the_tree_composes() -> None:
    said = [
        "serve.host=::1",
        "serve.port=1",
        "serve.port=2",
        "serve.dtype=bf16",
        "serve.timeout=null",
        "serve.origins=[https://a.example]",
    ]
    serve = Serve()
    assert plainly(serve, said) is None
    assert serve == compose(said).serve
    assert serve.port == 2
    assert Serve() == compose().serve
