"""The report on data says what is there, what was dropped, and what changed since the base."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import arxiv_core
import pytest
from arxiv_core.pipeline.prepare import SAMPLE_MONTHS
from arxiv_core.pipeline.raw import SAMPLE

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The manifest of the bundled corpus."""
    out = tmp_path_factory.mktemp("prepared")
    return arxiv_core.prepare(SAMPLE, out, {"split": SAMPLE_MONTHS})


def row(report: str, name: str) -> list[str]:
    [line] = [line for line in report.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_count_of_the_manifest_is_shown(
    data_statistics: ModuleType, manifest: Manifest
) -> None:
    report = data_statistics.markdown(manifest, None)
    assert row(report, "papers kept") == ["papers kept", f"{manifest['papers']:,}"]
    for reason, count in manifest["dropped"].items():
        if count:
            name = f"dropped: {reason.replace('_', ' ')}"
            assert row(report, name)[1] == f"{count:,}"
    # What is kept and what is dropped are all lines of the source.
    counts = data_statistics.counts(manifest)
    dropped = sum(count for name, count in counts.items() if name.startswith("dropped: "))
    assert counts["papers kept"] + dropped == counts["lines read"]
    assert manifest["splits"]["test"]["last"] in report


def test_unchanged_data_is_said_to_be_unchanged(
    data_statistics: ModuleType, manifest: Manifest
) -> None:
    assert "Nothing changed since `abc`" in data_statistics.markdown(manifest, manifest, "abc")
    assert "Nothing to compare with" in data_statistics.markdown(manifest, None, "abc")


def test_a_change_is_shown_with_its_cause(data_statistics: ModuleType, manifest: Manifest) -> None:
    before = copy.deepcopy(manifest)
    before["papers"] -= 3
    before["dropped"]["withdrawn"] += 3
    before["options"]["min_abstract_chars"] = 999
    before["labels"]["cs.XX"] = [5, 0, 0]
    now_gone = next(iter(manifest["labels"]))
    before["labels"].pop(now_gone)
    report = data_statistics.markdown(manifest, before, "abc")
    now = manifest["options"]["min_abstract_chars"]
    assert f"`min_abstract_chars`: 999 → {now}" in report
    assert row(report, "papers kept")[3] == "+3"
    assert row(report, "dropped: withdrawn")[3] == "-3"
    assert "cs.XX -5 (5 → 0)" in report
    assert f"Labels new: {now_gone}." in report
    assert "Labels gone: cs.XX." in report


DVC_YAML = """
stages:
  prepare:
    cmd: python make.py
    deps: [make.py]
    params: [papers]
    outs: [data/prepared]
"""

MAKE = """
import json, pathlib, yaml
manifest = json.loads(pathlib.Path("manifest.json").read_text())
manifest["papers"] = yaml.safe_load(open("params.yaml"))["papers"]
out = pathlib.Path("data/prepared")
out.mkdir(parents=True)
(out / "manifest.json").write_text(json.dumps(manifest))
"""


def run(folder: Path, *command: str) -> str:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / ".site"),
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def versioned(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A repository whose stage `prepare` has run once, at the commit `before`."""
    work = tmp_path_factory.mktemp("versioned")
    (work / "manifest.json").write_text(json.dumps(manifest))
    (work / "make.py").write_text(MAKE)
    (work / "dvc.yaml").write_text(DVC_YAML)
    (work / "params.yaml").write_text("papers: 100\n")
    (work / ".gitignore").write_text("/data/\n/remote/\n/.site/\n/out.md\n")
    run(work, "git", "init", "--quiet")
    run(work, "git", "config", "user.name", "a")
    run(work, "git", "config", "user.email", "a@b")
    run(work, "dvc", "init", "--quiet")
    (work / ".dvc/config").write_text("[core]\n    check_update = false\n")
    run(work, "dvc", "repro", "--quiet")
    run(work, "git", "add", "--all")
    run(work, "git", "commit", "--quiet", "--message", "before")
    run(work, "git", "tag", "before")
    return work


def test_without_a_remote_both_sides_are_made_by_the_pipeline(versioned: Path, root: Path) -> None:
    (versioned / "params.yaml").write_text("papers: 120\n")
    script = str(root / ".ci/data_statistics.py")
    printed = run(versioned, sys.executable, script, "out.md", "before")
    assert row(printed, "papers kept") == ["papers kept", "120", "100", "+20"]
    assert printed == (versioned / "out.md").read_text(encoding="utf-8")
    (versioned / "data/prepared/manifest.json").unlink()


def test_with_a_remote_the_data_is_pulled(versioned: Path, root: Path) -> None:
    run(versioned, "git", "checkout", "--quiet", "--force", "before")
    (versioned / ".dvc/config.local").write_text(
        "[core]\n    remote = here\n['remote \"here\"']\n    url = ../remote\n"
    )
    run(versioned, "dvc", "push", "--quiet")
    for made in ("data/prepared", ".dvc/cache"):
        run(versioned, "rm", "-r", made)
    # Nothing can be made now: what is there was pulled.
    (versioned / "manifest.json").rename(versioned / "away.json")
    obtain = str(root / ".ci/obtain-data")
    run(versioned, obtain)
    prepared = versioned / "data/prepared/manifest.json"
    assert json.loads(prepared.read_text())["papers"] == 100
    # Parameters that dvc.lock does not know are heeded all the same.
    (versioned / "away.json").rename(versioned / "manifest.json")
    (versioned / "params.yaml").write_text("papers: 130\n")
    run(versioned, obtain)
    assert json.loads(prepared.read_text())["papers"] == 130
