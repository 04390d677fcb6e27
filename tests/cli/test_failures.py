"""Every error becomes one sentence and an exit code."""

from __future__ import annotations

import arxiv_core
import pytest
import typer
from arxiv_core.cli import failures
from arxiv_core.cli.group import Commands
from arxiv_core.extras import MissingExtraError, require
from typer.testing import CliRunner


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (failures.UsageError("no input"), 2, "no input"),
        (arxiv_core.OptionError("option a = 1: too low"), 2, "option a = 1: too low"),
        (arxiv_core.InputError("f:3: bad"), 1, "f:3: bad"),
        (arxiv_core.ModelError("model m: no head"), 1, "model m: no head"),
        (arxiv_core.DeviceError("device cuda: none"), 1, "device cuda: none"),
        (FileNotFoundError(2, "No such file", "a.json"), 1, "a.json: No such file"),
        (PermissionError(13, "Permission denied", b"a"), 1, "a: Permission denied"),
        (OSError("disk gone"), 1, "disk gone"),
        (MissingExtraError("needs hydra"), 1, "needs hydra"),
        (ZeroDivisionError("oops"), 1, "internal error: ZeroDivisionError: oops"),
    ],
)
def test_every_error_has_its_code_and_sentence(
    error: BaseException, code: int, sentence: str
) -> None:
    got, said = failures.explain(error)
    assert got == code
    assert sentence in said


def test_every_error_of_the_library_is_explained_and_none_is_internal() -> None:
    classes = [
        one
        for one in vars(arxiv_core).values()
        if isinstance(one, type) and issubclass(one, arxiv_core.ArxivCoreError)
    ]
    assert len(classes) >= 8
    for one in classes:
        assert failures.explain(one("why"))[1] == "why"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), arxiv_core.InputError("x"), OSError("x")])
def test_the_group_prints_the_sentence_on_standard_error(error: BaseException) -> None:
    app = typer.Typer(cls=Commands)

    @app.callback()
    def options(*, debug: bool = False) -> None: ...

    @app.command()
    def fail() -> None:
        raise error

    answer = CliRunner().invoke(app, ["fail"])
    code, sentence = failures.explain(error)
    assert (answer.exit_code, answer.stderr) == (code, f"arxiv-core: {sentence}\n")
    assert not answer.stdout


def test_a_missing_extra_says_how_to_install_it() -> None:
    require("json", extra="any", what="nothing")
    with pytest.raises(
        MissingExtraError, match=r"pip install '\.\[serve\]' .*'arxiv-core\[serve\]'"
    ):
        require("no_such_package", extra="serve", what="arxiv-core serve")
