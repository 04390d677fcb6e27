"""Workflows call the targets that people call, may do little, and cannot be talked into more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Workflows = dict[str, dict[Any, Any]]

EVENTS = True  # what YAML makes of the key `on`


def jobs(workflows: Workflows) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, workflow in workflows.items():
        for job, content in workflow["jobs"].items():
            yield f"{name}/{job}", content


def steps(workflows: Workflows) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, job in jobs(workflows):
        for step in job.get("steps", []):
            yield place, step


def setup(root: Path) -> list[dict[str, Any]]:
    path = root / ".github/actions/setup/action.yml"
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["runs"]["steps"]
    return found


def test_every_shell_step_is_a_target_that_runs_anywhere(
    workflows: Workflows, targets: set[str], root: Path
) -> None:
    every = [*steps(workflows), *(("setup", step) for step in setup(root))]
    commands = [(place, step["run"]) for place, step in every if "run" in step]
    assert len(commands) >= 12
    for place, command in commands:
        called = re.fullmatch(r"make ([a-z-]+)( WHEELS=wheels)?", command)
        assert called, f"{place}: {command}"
        assert called[1] in targets, f"{place}: no target {called[1]}"


def test_what_comes_from_outside_reaches_commands_by_the_environment_only(
    workflows: Workflows,
) -> None:
    assert [one for one in steps(workflows) if "${{" in one[1].get("run", "")] == []


def test_actions_are_githubs_own_by_major_version(workflows: Workflows, root: Path) -> None:
    every = [step for _, step in steps(workflows)] + setup(root)
    used = {step["uses"] for step in every if "uses" in step}
    assert len(used) >= 4
    for action in used - {"./.github/actions/setup"}:
        assert re.fullmatch(r"actions/[a-z-]+(/[a-z]+)?@v\d+", action), action


def test_one_major_version_of_each_action(workflows: Workflows, root: Path) -> None:
    every = [step for _, step in steps(workflows)] + setup(root)
    used = {step["uses"] for step in every if "@" in step.get("uses", "")}
    versions = {(action.split("@")[0].split("/")[1], action.split("@")[1]) for action in used}
    assert len({name for name, _ in versions}) == len(versions)


def test_workflows_may_only_read_and_jobs_say_what_else(workflows: Workflows) -> None:
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {"contents": "read"}, name
    writing = {place for place, job in jobs(workflows) if "write" in str(job.get("permissions"))}
    assert writing == {"data/comment", "docs/publish", "locks/recompile", "release/publish"}


def test_a_checkout_leaves_no_credentials(workflows: Workflows) -> None:
    checkouts = [one for _, one in steps(workflows) if "actions/checkout" in one.get("uses", "")]
    assert checkouts
    assert all(one["with"]["persist-credentials"] is False for one in checkouts)


def test_jobs_end(workflows: Workflows) -> None:
    for place, job in jobs(workflows):
        assert "uses" in job or job["timeout-minutes"] <= 60, place


def test_workflows_that_events_start_say_what_becomes_of_the_run_before(
    workflows: Workflows,
) -> None:
    started = {name for name, one in workflows.items() if one[EVENTS] != {"workflow_call": None}}
    called = {name for name, one in workflows.items() if "workflow_call" in one[EVENTS]}
    assert called == {"lint", "test", "wheels"}
    for name in started - called:
        assert "cancel-in-progress" in workflows[name]["concurrency"], name


def test_check_waits_for_all_others_and_runs_whatever_they_did(workflows: Workflows) -> None:
    others = dict(workflows["ci"]["jobs"])
    check = others.pop("check")
    assert set(check["needs"]) == set(others)
    assert check["if"] == "always()"


def test_the_wheel_is_built_once_and_every_job_that_tests_it_downloads_it(
    workflows: Workflows,
) -> None:
    for place, job in jobs(workflows):
        runs = [step.get("run", "") for step in job.get("steps", [])]
        if any("WHEELS=" in run for run in runs):
            assert job["needs"] == "wheel", place
            assert any("download-artifact" in step.get("uses", "") for step in job["steps"]), place
    building = [place for place, step in steps(workflows) if step.get("run") == "make wheel"]
    assert building == ["wheels/build"]


def test_every_python_that_the_package_allows_is_tested(workflows: Workflows) -> None:
    tested = workflows["test"]["jobs"]["python"]["strategy"]["matrix"]["python"]
    assert tested == workflows["release"]["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert tested[0] == "3.11"
    assert len(tested) == 3


def test_the_data_workflow_starts_on_what_decides_the_data(workflows: Workflows) -> None:
    events = workflows["data"][EVENTS]
    assert events["pull_request"]["paths"] == ["**.dvc", "dvc.lock", "params.yaml"]


def test_the_docs_workflow_starts_on_what_the_site_is_made_of(
    workflows: Workflows, root: Path
) -> None:
    events = workflows["docs"][EVENTS]
    paths = events["pull_request"]["paths"]
    assert events["push"] == {"branches": ["main"], "paths": paths}
    assert {"**.md", "docs/**", "python/**.py", "python/**.pyi"} <= set(paths)
    for path in paths:
        assert "*" in path or (root / path).is_file(), path


def test_only_main_publishes_the_site_and_what_publishes_runs_nothing_of_the_repository(
    workflows: Workflows,
) -> None:
    publish = workflows["docs"]["jobs"]["publish"]
    assert publish["if"] == "github.ref == 'refs/heads/main'"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step["uses"].split("@")[0] for step in publish["steps"]] == ["actions/deploy-pages"]


def test_the_registry_workflow_starts_by_webhook_and_by_hand(workflows: Workflows) -> None:
    events = workflows["registry"][EVENTS]
    assert events["repository_dispatch"] == {"types": ["staged_model"]}
    assert "workflow_dispatch" in events


def test_what_runs_a_pull_requests_code_may_not_write(workflows: Workflows) -> None:
    comment = workflows["data"]["jobs"]["comment"]
    [checkout] = [step for step in comment["steps"] if "actions/checkout" in step.get("uses", "")]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "./.github/actions/setup" not in str(comment)


def test_a_release_takes_nothing_from_a_cache(workflows: Workflows) -> None:
    assert "with" not in workflows["release"]["jobs"]["wheel"]
    assert "cargo-cache" not in str(workflows["release"])


def test_dependabot_watches_each_kind_of_dependency_that_there_is(root: Path) -> None:
    text = (root / ".github/dependabot.yml").read_text(encoding="utf-8")
    watched = {one["package-ecosystem"] for one in yaml.safe_load(text)["updates"]}
    images = any(root.glob("Dockerfile*")) or any(root.glob("*/**/Dockerfile*"))
    composed = (root / "compose.yaml").is_file()
    # Of a kind that is not there dependabot reports an error every week.
    expected = {"cargo", "pip", "github-actions"}
    expected |= {"docker"} if images else set()
    expected |= {"docker-compose"} if composed else set()
    assert watched == expected
