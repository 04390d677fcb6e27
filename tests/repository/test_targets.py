"""What workflows run besides the tests works here too, with stand-ins for GitHub and the model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

StandIn = Callable[..., Path]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("results", "code"),
    [("success success", 0), ("success failure", 2), ("cancelled", 2), ("success skipped", 2)],
)
def test_green_is_every_job_a_success(
    root: Path, stand_in: StandIn, results: str, code: int
) -> None:
    assert run("make", "--silent", "green", cwd=root, RESULTS=results).returncode == code


def test_the_comment_goes_to_the_pull_request_and_replaces_the_one_before(
    root: Path, stand_in: StandIn
) -> None:
    calls = stand_in("gh")
    done = run("make", "--silent", "comment", cwd=root, PR="7")
    assert done.returncode == 0, done.stderr
    assert calls.read_text().startswith("pr comment 7 --body-file build/data-statistics.md")
    assert "--edit-last --create-if-none" in calls.read_text()


def test_what_the_environment_holds_is_no_command(
    root: Path, stand_in: StandIn, tmp_path: Path
) -> None:
    calls = stand_in("gh")
    trap = tmp_path / "trap"
    evil = f"$(shell touch {trap}); touch {trap} #`touch {trap}`"
    assert run("make", "--silent", "comment", cwd=root, PR=evil).returncode == 0
    assert not trap.exists()
    assert evil in calls.read_text()


def promote(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(str(root / ".ci/promote-model"), cwd=root, **environment)


def test_a_staged_model_is_tried_before_it_is_promoted(root: Path, stand_in: StandIn) -> None:
    calls = stand_in("arxiv-core")
    assert promote(root, MODEL="arxiv@v3", TO="production").returncode == 0
    show, classify, gate = calls.read_text().splitlines()
    assert show == "model show arxiv@v3"
    assert classify.startswith("classify --model registry:arxiv@v3 ")
    assert gate == ("model promote arxiv@v3 --to production --papers data/prepared/papers.parquet")


def test_a_model_that_does_not_answer_is_not_promoted(root: Path, stand_in: StandIn) -> None:
    calls = stand_in("arxiv-core", '[ "$1" != classify ]')
    assert promote(root).returncode != 0
    assert "promote" not in calls.read_text()


@pytest.mark.parametrize("model", ["arxiv", "arxiv@", "-h@x", "a b@c", "a@b; true", "a@b\nc@d"])
def test_what_is_no_models_name_is_refused(root: Path, stand_in: StandIn, model: str) -> None:
    calls = stand_in("arxiv-core")
    done = promote(root, MODEL=model)
    assert done.returncode == 2
    assert calls.read_text() == ""


def test_every_lock_file_that_is_compiled_anew_is_proposed(root: Path) -> None:
    recipe = (root / "Makefile").read_text().partition("\nlock:")[2].partition("\n\n")[0]
    compiled = re.findall(r"-o (\S+)$", recipe, re.MULTILINE)
    assert len(compiled) > 8
    code = (root / ".ci/propose-locks").read_text().partition("locks=(")[2].partition(")")[0]
    said = subprocess.run(
        ["bash", "-c", f"echo {code}"], capture_output=True, text=True, check=True
    )
    assert set(said.stdout.split()) == set(compiled)


@pytest.fixture
def locked(root: Path, tmp_path: Path) -> Path:
    """A clone of a small repository with lock files and the script."""
    origin, work = tmp_path / "origin.git", tmp_path / "work"
    work.mkdir()
    for name in ("requirements.txt", "requirements-dev.txt", "a.py"):
        (work / name).write_text("one\n")
    (work / "requirements").mkdir()
    for name in (
        "api.txt",
        "bootstrap.txt",
        "bench.txt",
        "bento.txt",
        "docs.txt",
        "fuzz.txt",
        "infinity.txt",
        "serve.txt",
        "serve-files.txt",
    ):
        (work / "requirements" / name).write_text("one\n")
    (work / ".ci").mkdir()
    shutil.copy(root / ".ci/propose-locks", work / ".ci/propose-locks")
    script = f"""
    git init --quiet --bare '{origin}'
    git init --quiet --initial-branch main .
    git config user.name a; git config user.email a@b
    git add . && git commit --quiet -m first
    git remote add origin '{origin}' && git push --quiet origin main
    """
    assert run("bash", "-ec", script, cwd=work).returncode == 0
    return work


def test_locks_that_did_not_change_are_not_proposed(locked: Path, stand_in: StandIn) -> None:
    calls = stand_in("gh")
    done = run(".ci/propose-locks", cwd=locked)
    assert done.returncode == 0
    assert "nothing new" in done.stdout
    assert calls.read_text() == ""


@pytest.mark.parametrize("open_before", [0, 1])
def test_changed_locks_become_one_pull_request_that_is_tested(
    locked: Path, stand_in: StandIn, open_before: int
) -> None:
    calls = stand_in("gh", f'[ "$1 $2" != "pr list" ] || echo {open_before}')
    (locked / "requirements.txt").write_text("two\n")
    (locked / "a.py").write_text("not a lock\n")
    done = run(".ci/propose-locks", cwd=locked)
    assert done.returncode == 0, done.stderr
    pushed = ["git", "--git-dir", "../origin.git", "show", "--name-only", "--format=%s"]
    shown = run(*pushed, "locks/weekly", cwd=locked).stdout
    assert shown.split("\n\n") == ["Recompile the lock files", "requirements.txt\n"]
    assert ("pr create" in calls.read_text()) is not bool(open_before)
    for workflow in ("ci", "docs"):
        assert f"workflow run {workflow}.yml --ref locks/weekly" in calls.read_text()
