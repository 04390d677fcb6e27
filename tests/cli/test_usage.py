"""What the command says to a person who got it wrong."""

from __future__ import annotations

import json

import pytest
from arxiv_core import __version__
from arxiv_core.cli import app
from arxiv_core.stages import TaxonomyEntry
from typer.testing import CliRunner, Result

COMMANDS = {
    "baselines",
    "classify",
    "config",
    "data",
    "embed",
    "evaluate",
    "package",
    "prepare",
    "serve",
    "sweep",
    "taxonomy",
    "train",
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_help_names_every_command() -> None:
    answer = run("--help")
    assert answer.exit_code == 0
    assert all(f" {command} " in answer.output for command in COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str) -> None:
    assert run(command, "--help").exit_code == 0


def test_the_version_is_the_librarys() -> None:
    assert run("--version").output.strip() == f"arxiv-core {__version__}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["clasify"], "Did you mean 'classify'?"),
        (["classify", "--titel", "x"], "--title"),
        (["classify"], "nothing to classify"),
        (["classify", "--title", "x"], "--abstract is missing"),
        (["classify", "--abstract", "x"], "--title is missing"),
        (["classify", "papers.jsonl", "--title", "x"], "not both"),
        (["classify", "papers.jsonl", "--primary", "cs.LG"], "not both"),
        (["classify", "papers.jsonl", "--all", "--top-k", "3"], "exclude each other"),
        (["classify", "papers.jsonl", "--top-k", "0"], "--top-k"),
        (["classify", "papers.jsonl", "--level", "group"], "--level"),
        (["classify", "papers.jsonl", "--dtype", "int4"], "--dtype"),
        (["classify", "papers.jsonl", "-o", "labels.txt"], "'.txt'"),
        (["classify", "papers.jsonl", "-o", "labels"], "no suffix"),
        (["classify", "papers.jsonl", "--format", "parquet"], "-o labelled.parquet"),
        (["classify", "papers.jsonl", "-o", "a.csv", "--format", "table"], "leave -o away"),
        (["--log-level", "loud", "taxonomy"], "log-level"),
        (["serve", "--port", "70000"], "--port"),
        (["prepare", "trian.optimizer.lr=1"], "train.optimizer.lr"),
        (["prepare", "head=mpl"], "did you mean mlp?"),
        (["prepare", "seed"], "not KEY=VALUE"),
        (["config", "--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_command_ends_with_two_and_says_what_was_meant(
    arguments: list[str], said: str
) -> None:
    answer = run(*arguments)
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.output
    assert not answer.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["classify", "nowhere.jsonl"], "nowhere.jsonl: No such file or directory"),
        (["classify", "."], "directory"),
        (["prepare", "data.source=nowhere.json"], "nowhere.json"),
        (["embed", "paths.data=nowhere"], "run arxiv-core prepare first"),
        (["train", "paths.data=nowhere"], "run arxiv-core prepare first"),
        (["baselines", "paths.data=nowhere"], "run arxiv-core prepare first"),
        (["evaluate", "paths.data=nowhere"], "run arxiv-core prepare first"),
        (["package", "paths.runs=nowhere"], "run arxiv-core train first"),
    ],
)
def test_a_failure_ends_with_one_in_one_sentence(
    arguments: list[str], said: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    answer = run(*arguments)
    assert answer.exit_code == 1
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not answer.stdout


def test_debug_shows_where_it_happened() -> None:
    answer = run("classify", "nowhere.jsonl", "--debug")
    assert isinstance(answer.exception, FileNotFoundError)


def test_the_options_of_every_command_may_stand_after_it() -> None:
    for arguments in (["--log-level", "error", "taxonomy"], ["taxonomy", "--log-level=error"]):
        assert run(*arguments).exit_code == 0


def test_after_two_dashes_nothing_is_an_option() -> None:
    assert "nowhere" not in run("classify", "--", "--debug").output
    assert run("classify", "--", "--debug").exit_code == 1


def test_the_configuration_is_printed() -> None:
    answer = run("config", "head=mlp")
    assert answer.exit_code == 0
    assert "kind: mlp" in answer.stdout


def test_the_taxonomy_is_listed_in_text_and_json() -> None:
    assert "cs.LG" in run("taxonomy").stdout
    entries = json.loads(run("taxonomy", "--json", "--all").stdout)
    labels = json.loads(run("taxonomy", "--json").stdout)
    assert len(entries) > len(labels) > 140
    assert all(one["canonical"] == one["category"] for one in labels)
    assert set(TaxonomyEntry.__annotations__) == set(entries[0])
