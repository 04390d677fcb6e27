"""The registry at W&B, against a server in memory that takes wandb's own calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("wandb", reason="the extra `tracking` is not installed")

from arxiv_core import ModelError
from arxiv_core.registry import Provenance, Reference, RegistryError, open_registry, pull
from arxiv_core.registry.promotion import promote
from arxiv_core.registry.report import Bars
from arxiv_core.registry.wandb import WandbRegistry
from registry.stand_in import Client, Server

if TYPE_CHECKING:
    from registry.conftest import Make

HERE = Provenance(run="run-1", git_commit="abc1234")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    # Where wandb keeps what is to be uploaded.
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "wandb"))
    return Server(tmp_path / "server")


@pytest.fixture
def project(server: Server) -> WandbRegistry:
    return WandbRegistry("wandb://team/papers", Client(server))


def test_versions_aliases_and_what_is_known_come_back(project: WandbRegistry, make: Make) -> None:
    assert project.models() == []
    first, is_new = project.register(make(1), "arxiv", HERE)
    assert (str(first), is_new) == ("arxiv@v0", True)
    second, _ = project.register(make(2), "arxiv", Provenance())
    third, is_new = project.register(make(3), "arxiv", HERE)
    assert (str(third), is_new) == ("arxiv@v2", True)
    assert project.models() == ["arxiv"]
    assert [one.version for one in project.versions("arxiv")] == ["v0", "v1", "v2"]
    found = project.find(Reference("arxiv", "v0"))
    assert (found.run, found.git_commit, found.labels) == ("run-1", "abc1234", 9)
    assert found.content_hash == first.content_hash != second.content_hash
    assert project.find(Reference("arxiv", "latest")).version == "v2"


def test_the_same_content_is_the_same_version(project: WandbRegistry, make: Make) -> None:
    model = make(1)
    first, _ = project.register(model, "arxiv", HERE)
    project.register(make(2), "arxiv", HERE)
    again, is_new = project.register(model, "arxiv", HERE)
    assert (again.version, is_new) == (first.version, False)


def test_an_alias_moves_and_its_history_stays(project: WandbRegistry, make: Make) -> None:
    one, _ = project.register(make(1), "arxiv", HERE)
    two, _ = project.register(make(2), "arxiv", HERE)
    project.move(one, "staging", "first")
    project.move(two, "staging", "better")
    project.remove("arxiv", "staging", "enough")
    project.refuse(one, "production", "slow", {"passed": False})
    project.move(two, "production", "good", gate={"passed": True}, expected=None)
    assert project.holder("arxiv", "staging") is None
    production = project.find(Reference.parse("arxiv"))
    assert (production.version, production.aliases) == ("v1", ("production",))
    moves = [(one.alias, one.origin, one.target, one.moved) for one in project.history("arxiv")]
    assert moves == [
        ("staging", None, "v0", True),
        ("staging", "v0", "v1", True),
        ("staging", "v1", None, True),
        ("production", None, "v0", False),
        ("production", None, "v1", True),
    ]


def test_production_moves_by_a_gate_only(project: WandbRegistry, make: Make) -> None:
    one, _ = project.register(make(1), "arxiv", HERE)
    with pytest.raises(RegistryError, match="promote"):
        project.move(one, "production", "by hand")
    project.move(one, "production", "", gate={}, expected=None)
    two, _ = project.register(make(2), "arxiv", HERE)
    with pytest.raises(RegistryError, match="moved from nothing to v0 while the gate ran"):
        project.move(two, "production", "", gate={}, expected=None)


def test_the_gate_stands_before_production_here_too(project: WandbRegistry, make: Make) -> None:
    one, _ = project.register(make(1), "arxiv", HERE)
    left_out = ["quality", "behaviour"]
    _, move = promote(project, one, without=left_out, bars=Bars(latency_limit=1e-3), device="cpu")
    assert not move.moved
    assert project.holder("arxiv", "production") is None
    _, move = promote(project, one, without=left_out, device="cpu")
    assert project.find(Reference.parse("arxiv")).version == "v0"
    assert [one.moved for one in project.history("arxiv")] == [False, True]
    [_, recorded] = project.history("arxiv")
    assert recorded.gate == move.gate


def test_a_version_is_downloaded_once_and_checked(
    server: Server, project: WandbRegistry, make: Make, tmp_path: Path
) -> None:
    model = make(1)
    version, _ = project.register(model, "arxiv", HERE)
    directory = project.directory(version)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        path.name: path.read_bytes() for path in model.iterdir()
    }
    [member] = server.collections["team/papers/arxiv"]
    (member.source.files / "head.safetensors").write_bytes(b"x")
    assert project.directory(version) == directory
    assert pull(project, version, tmp_path / "out").is_dir()


def test_a_damaged_download_is_refused(server: Server, project: WandbRegistry, make: Make) -> None:
    version, _ = project.register(make(1), "arxiv", HERE)
    [member] = server.collections["team/papers/arxiv"]
    (member.source.files / "head.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"head\.safetensors: its content is not what"):
        project.directory(version)


def test_a_registry_takes_links_to_what_a_project_logged(server: Server, make: Make) -> None:
    shared = WandbRegistry("wandb://org/wandb-registry-model", Client(server))
    version, _ = shared.register(make(1), "arxiv", HERE)
    assert str(version) == "arxiv@v0"
    assert set(server.collections) == {"me/arxiv-core/arxiv", "org/wandb-registry-model/arxiv"}
    shared.move(version, "staging", "")
    assert "staging" not in server.collections["me/arxiv-core/arxiv"][0].aliases
    assert shared.find(Reference("arxiv", "staging")).aliases == ("staging",)
    [run] = server.runs
    assert (run["job_type"], run["entity"], run["failed"]) == ("register", None, False)


def test_an_artifact_that_someone_else_logged_is_a_version_too(
    server: Server, project: WandbRegistry, make: Make
) -> None:
    project.register(make(1), "arxiv", HERE)
    [member] = server.collections["team/papers/arxiv"]
    member.source.metadata = {"theirs": 1}
    [version] = project.versions("arxiv")
    assert (version.content_hash, version.metrics) == (None, {})
    assert (project.directory(version) / "classifier.json").is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arxif", r"model arxif: not in the registry wandb://team/papers; there is only arxiv"),
        ("arxiv@v7", r"no version v7; nearest is v1"),
        ("arxiv@stagin", r"no alias stagin; nearest is staging"),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest(
    project: WandbRegistry, make: Make, text: str, said: str
) -> None:
    one, _ = project.register(make(1), "arxiv", HERE)
    project.register(make(2), "arxiv", HERE)
    project.move(one, "staging", "")
    with pytest.raises(RegistryError, match=said):
        project.find(Reference.parse(text))


def test_without_a_key_it_says_what_to_do(server: Server) -> None:
    server.key = False
    registry = WandbRegistry("wandb://team/papers", Client(server))
    with pytest.raises(RegistryError, match="set WANDB_API_KEY or run wandb login"):
        registry.models()


def test_addresses(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("wandb://team", "wandb://a/b/c", "team/papers"):
        with pytest.raises(RegistryError, match="must be wandb://ENTITY/PROJECT"):
            WandbRegistry(wrong, Client(server))
    assert WandbRegistry(client=Client(server)).place == "wandb://arxiv-core"
    monkeypatch.setenv("WANDB_ENTITY", "team")
    monkeypatch.setenv("WANDB_PROJECT", "papers")
    assert WandbRegistry(client=Client(server)).place == "wandb://team/papers"
    monkeypatch.setenv("ARXIV_CORE_REGISTRY", "wandb://team/other")
    assert open_registry().place == "wandb://team/other"
    assert isinstance(open_registry(backend="wandb"), WandbRegistry)
