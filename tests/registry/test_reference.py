"""Names of models, versions and aliases; an unknown one is answered with the nearest."""

from __future__ import annotations

import pytest
from arxiv_core import ModelError
from arxiv_core.registry.reference import (
    Reference,
    RegistryError,
    check_alias,
    guard,
    nearest,
    number,
)


@pytest.mark.parametrize(
    ("text", "name", "which"),
    [
        ("arxiv", "arxiv", "production"),
        ("registry:arxiv", "arxiv", "production"),
        ("registry:arxiv@v3", "arxiv", "v3"),
        ("arxiv@staging", "arxiv", "staging"),
        ("Small-2.model_b@latest", "Small-2.model_b", "latest"),
    ],
)
def test_a_reference_is_a_name_and_which_version(text: str, name: str, which: str) -> None:
    assert Reference.parse(text) == Reference(name, which)


@pytest.mark.parametrize("text", ["", "@v1", "a/b", "../a", "arxiv@", "a b", ".a", "arxiv@a/b"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(RegistryError):
        Reference.parse(text)


@pytest.mark.parametrize("alias", ["v1", "v0", "V12", "v007", "latest", "", "a b", "a/b", "-a"])
def test_an_alias_neither_looks_like_a_version_nor_is_reserved(alias: str) -> None:
    with pytest.raises(RegistryError, match="alias"):
        check_alias(alias)


def test_other_words_are_aliases() -> None:
    for alias in ("production", "staging", "v2-candidate", "best", "2026-11"):
        check_alias(alias)


def test_production_needs_a_gate() -> None:
    with pytest.raises(RegistryError, match="promote"):
        guard("production")
    guard("staging")


@pytest.mark.parametrize(
    ("wanted", "known", "said"),
    [
        ("prodution", ["production", "staging"], "nearest is production"),
        ("v9", ["v1", "v2", "v3"], "nearest is v3"),
        ("v2", ["v1", "v30"], "nearest is v1"),
        ("x", ["only"], "there is only only"),
        ("x", [], "there is none yet"),
        ("zzz", ["production", "staging"], "there are production, staging"),
    ],
)
def test_the_nearest_is_named(wanted: str, known: list[str], said: str) -> None:
    assert said in nearest(wanted, known)


def test_versions_are_ordered_by_number() -> None:
    assert sorted(["v10", "v9", "v1"], key=number) == ["v1", "v9", "v10"]


def test_an_error_of_the_registry_is_an_error_about_a_model() -> None:
    assert issubclass(RegistryError, ModelError)
