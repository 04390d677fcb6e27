"""The registry in a directory: versions never change, aliases move and are recorded."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from arxiv_core import ModelError
from arxiv_core.registry import Provenance, Reference, RegistryError, open_registry, pull
from arxiv_core.registry.local import LocalRegistry
from classifier import tiny

if TYPE_CHECKING:
    from registry.conftest import Make

HERE = Provenance(run="run-1", git_commit="abc1234")
GATE = {"passed": True}


def add(registry: LocalRegistry, directory: Path, name: str = "arxiv") -> str:
    version, _ = registry.register(directory, name, HERE)
    return version.version


def test_versions_count_from_one_and_keep_every_byte(registry: LocalRegistry, make: Make) -> None:
    model = make(1)
    version, is_new = registry.register(model, "arxiv", HERE)
    assert (version.version, is_new) == ("v1", True)
    assert add(registry, make(2)) == "v2"
    kept = registry.directory(version)
    files = {path.name for path in model.iterdir()}
    assert {path.name for path in kept.iterdir()} == files
    for name in files:
        assert (kept / name).read_bytes() == (model / name).read_bytes()
    assert version.content_hash == tiny.sha256(model / "manifest.json")


def test_what_the_manifest_does_not_list_stays_outside(registry: LocalRegistry, make: Make) -> None:
    model = make(1)
    (model / "notes.txt").write_text("mine")
    version, _ = registry.register(model, "arxiv", HERE)
    assert not (registry.directory(version) / "notes.txt").exists()


def test_the_same_content_is_the_same_version(registry: LocalRegistry, make: Make) -> None:
    model = make(1)
    first, _ = registry.register(model, "arxiv", HERE)
    add(registry, make(2))
    again, is_new = registry.register(model, "arxiv", Provenance())
    assert (again, is_new) == (first, False)
    assert add(registry, model, "other") == "v1"
    assert registry.models() == ["arxiv", "other"]


def test_a_version_is_read_only(registry: LocalRegistry, make: Make) -> None:
    version, _ = registry.register(make(1), "arxiv", HERE)
    inside = registry.directory(version).parent
    for path in (inside, *inside.rglob("*")):
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH), path


def test_what_is_known_about_a_version_is_kept(registry: LocalRegistry, make: Make) -> None:
    model = make(1)
    figures = {"split": "test", "papers": 10, "micro_f1": 0.6, "lrap": 0.1}
    (model / "metrics.json").write_text(json.dumps({"today": figures}))
    tiny.manifest(model)
    add(registry, model)
    [found] = LocalRegistry(registry.place).versions("arxiv")
    assert (found.run, found.git_commit, found.labels) == ("run-1", "abc1234", len(tiny.LABELS))
    assert found.metrics == {"split": "test", "papers": 10, "micro_f1": 0.6}
    assert found.registered_at.startswith("20")
    assert "@" in (found.registered_by or "")


def test_an_alias_moves_and_its_history_stays(registry: LocalRegistry, make: Make) -> None:
    add(registry, make(1))
    add(registry, make(2))
    one, two = registry.versions("arxiv")
    registry.move(one, "staging", "first")
    registry.move(two, "staging", "better")
    registry.move(two, "best", "too")
    found = registry.find(Reference.parse("arxiv@staging"))
    assert found.version == "v2"
    assert found.aliases == ("best", "staging")
    registry.remove("arxiv", "best", "enough")
    moves = registry.history("arxiv")
    assert [(one.alias, one.origin, one.target, one.why) for one in moves] == [
        ("staging", None, "v1", "first"),
        ("staging", "v1", "v2", "better"),
        ("best", None, "v2", "too"),
        ("best", "v2", None, "enough"),
    ]
    assert registry.holder("arxiv", "best") is None
    assert all(one.moved and one.by and one.at for one in moves)


def test_latest_is_the_newest_by_number(registry: LocalRegistry, make: Make) -> None:
    for of in range(11):
        add(registry, make(of))
    assert registry.find(Reference("arxiv", "latest")).version == "v11"


def test_production_moves_by_a_gate_only(registry: LocalRegistry, make: Make) -> None:
    add(registry, make(1))
    [one] = registry.versions("arxiv")
    with pytest.raises(RegistryError, match="promote"):
        registry.move(one, "production", "by hand")
    registry.move(one, "production", "passed", gate=GATE, expected=None)
    with pytest.raises(RegistryError, match="promote"):
        registry.remove("arxiv", "production", "away")
    assert registry.find(Reference.parse("arxiv")).version == "v1"


def test_an_alias_that_moved_while_the_gate_ran_is_left_alone(
    registry: LocalRegistry, make: Make
) -> None:
    for of in range(3):
        add(registry, make(of))
    one, two, three = registry.versions("arxiv")
    registry.move(one, "production", "", gate=GATE, expected=None)
    registry.move(two, "production", "", gate=GATE, expected="v1")
    with pytest.raises(RegistryError, match="moved from v1 to v2 while the gate ran"):
        registry.move(three, "production", "", gate=GATE, expected="v1")
    assert registry.find(Reference.parse("arxiv")).version == "v2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arxif", "model arxif: not in the registry .*; there is only arxiv"),
        ("arxiv@v7", "no version v7; nearest is v2"),
        ("arxiv@stagin", "no alias stagin; nearest is staging"),
        ("arxiv", "model arxiv@production: no alias production"),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest(
    registry: LocalRegistry, make: Make, text: str, said: str
) -> None:
    add(registry, make(1))
    add(registry, make(2))
    registry.move(registry.versions("arxiv")[0], "staging", "")
    with pytest.raises(RegistryError, match=said):
        registry.find(Reference.parse(text))


def test_an_empty_registry_is_no_error_until_something_is_wanted(registry: LocalRegistry) -> None:
    assert registry.models() == []
    with pytest.raises(RegistryError, match="there is none yet"):
        registry.versions("arxiv")
    assert not Path(registry.place).exists()


def test_what_is_no_model_directory_is_refused(
    registry: LocalRegistry, make: Make, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match=r"not a model directory: it has no manifest\.json"):
        add(registry, empty)
    with pytest.raises(FileNotFoundError):
        add(registry, tmp_path / "absent")
    (empty / "manifest.json").write_text('{"files": {"a": "b"}}')
    with pytest.raises(ModelError, match=r"lists no classifier\.json"):
        add(registry, empty)
    model = make(1)
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["files"]["../secret"] = "0" * 64
    (model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="leads out of the directory"):
        add(registry, model)
    assert registry.models() == []


def test_a_changed_model_is_not_registered(registry: LocalRegistry, make: Make) -> None:
    model = make(1)
    with (model / "head.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match=r"head\.safetensors: its content is not what"):
        add(registry, model)
    assert registry.models() == []


def test_a_damaged_version_is_said(registry: LocalRegistry, make: Make, tmp_path: Path) -> None:
    version, _ = registry.register(make(1), "arxiv", HERE)
    directory = registry.directory(version)
    for path in (directory, *directory.iterdir()):
        path.chmod(0o755)
    (directory / "head.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"head\.safetensors: its content is not what"):
        pull(registry, version, tmp_path / "out")
    tiny.manifest(directory)
    with pytest.raises(ModelError, match=r"model arxiv@v1: damaged: sha256 of .*manifest\.json is"):
        registry.directory(version)
    (directory / "manifest.json").unlink()
    with pytest.raises(ModelError, match="the model's files are gone"):
        registry.directory(version)


def test_damaged_records_are_said(registry: LocalRegistry, make: Make) -> None:
    version, _ = registry.register(make(1), "arxiv", HERE)
    registry.move(version, "staging", "")
    (Path(registry.place) / "arxiv/aliases.json").write_text("{")
    with pytest.raises(ModelError, match=r"model arxiv: damaged: .*aliases\.json"):
        registry.versions("arxiv")
    (Path(registry.place) / "arxiv/aliases.json").unlink()
    record = Path(registry.place) / "arxiv/v1/version.json"
    record.chmod(0o644)
    record.write_text('{"format_version": 1}')
    with pytest.raises(ModelError, match=r"model arxiv@v1: damaged: .*version\.json"):
        registry.versions("arxiv")


def test_a_pulled_copy_may_be_changed(registry: LocalRegistry, make: Make, tmp_path: Path) -> None:
    model = make(1)
    version, _ = registry.register(model, "arxiv", HERE)
    target = pull(registry, version, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        path.name: path.read_bytes() for path in model.iterdir()
    }
    assert all(path.stat().st_mode & stat.S_IWUSR for path in target.iterdir())
    with pytest.raises(RegistryError, match="something already"):
        pull(registry, version, target)
    with pytest.raises(RegistryError, match="versions are immutable"):
        pull(registry, version, Path(registry.place) / "arxiv" / "v2")


def test_the_place_says_which_backend(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_registry().place == str(own_home / "registry")
    monkeypatch.setenv("ARXIV_CORE_REGISTRY", str(tmp_path / "elsewhere"))
    assert open_registry().place == str(tmp_path / "elsewhere")
    assert open_registry(tmp_path / "given").place == str(tmp_path / "given")
    monkeypatch.setenv("ARXIV_CORE_REGISTRY", "wandb://team/project")
    assert open_registry(backend="local").place == str(own_home / "registry")
    with pytest.raises(RegistryError, match="not a place of the backend wandb"):
        open_registry(tmp_path, "wandb")
