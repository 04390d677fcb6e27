"""What the images are made of is locked, and is what pyproject.toml asks for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

StandIn = Callable[..., Path]

DIGEST = "sha256:" + "0a" * 32


def names(lines: list[str]) -> set[str]:
    """The packages that requirements begin with."""
    return {found[0] for line in lines if (found := re.match(r"[a-z0-9-]+", line.lower()))}


def locked(path: Path) -> dict[str, str]:
    pairs = re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert pairs, path
    return dict(pairs)


def test_the_service_gets_every_package_that_it_asks_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = names(project["dependencies"]) | names(project["optional-dependencies"]["serve"])
    read = (root / "requirements/serve-excludes.txt").read_text(encoding="utf-8")
    by_files = names(read.splitlines())
    installed = locked(root / "requirements/serve.txt")
    assert by_files <= asked
    assert asked - by_files <= set(installed)
    assert by_files <= set(locked(root / "requirements/serve-files.txt"))
    assert not {"torch", "transformers", "sentence-transformers"} & set(installed)


@pytest.mark.parametrize("name", ["serve", "serve-files"])
def test_the_images_hold_the_versions_that_the_tests_ran_with(root: Path, name: str) -> None:
    tested = locked(root / "requirements.txt")
    for package, version in locked(root / f"requirements/{name}.txt").items():
        assert tested[package] == version, package


@pytest.mark.parametrize("name", ["serve", "serve-files"])
def test_what_the_images_install_is_known_by_its_hash(root: Path, name: str) -> None:
    text = (root / f"requirements/{name}.txt").read_text(encoding="utf-8")
    for package in re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in package
    assert "://" not in text
    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install .*", dockerfile)
    assert len(installs) >= 5
    for command in installs:
        assert "--require-hashes" in command or "--offline --no-deps /dist/" in command, command


def test_no_digest_is_written_down(root: Path) -> None:
    for name in ("Dockerfile", "compose.yaml"):
        assert "sha256:" not in (root / name).read_text(encoding="utf-8"), name


def test_the_base_images_are_told_with_their_digest_of_today(root: Path, stand_in: StandIn) -> None:
    calls = stand_in("docker", f"echo {DIGEST}")
    done = subprocess.run([root / ".ci/image-digests"], capture_output=True, text=True, check=True)
    base, rust = done.stdout.splitlines()
    assert base == f"BASE_IMAGE=debian:bookworm-slim@{DIGEST}"
    assert re.fullmatch(rf"RUST_IMAGE=rust:\S+@{DIGEST}", rust)
    assert len(calls.read_text().splitlines()) == 2


def test_what_is_no_digest_is_not_told(root: Path, stand_in: StandIn) -> None:
    stand_in("docker", "echo nothing")
    done = subprocess.run([root / ".ci/image-digests"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""


def test_docker_builds_where_its_daemon_answers_and_buildah_elsewhere(
    root: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEEL", "dist")
    monkeypatch.setenv("BASE_IMAGE", "here/base")
    options = "--build-arg WHEEL=dist --build-arg BASE_IMAGE=here/base"
    last = "--target serve --tag arxiv-core:serve ."
    docker, buildah = stand_in("docker"), stand_in("buildah")
    subprocess.run([root / ".ci/build-images", "serve"], check=True)
    assert docker.read_text().splitlines() == ["info", f"build {options} {last}"]
    assert buildah.read_text() == ""
    stand_in("docker", "exit 1")
    subprocess.run([root / ".ci/build-images", "serve"], check=True)
    assert buildah.read_text() == f"build --format docker {options} {last}\n"


def test_compose_is_what_compose_takes(root: Path) -> None:
    check = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [sys.executable, *check, "compose.yaml"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["README.md", "docs/containers.md"])
def test_whoever_deploys_names_the_project_that_cloud_run_does_not(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8").replace("\\\n", " ")
    [recipe] = [line for line in text.splitlines() if "gcloud run deploy" in line]
    assert "--set-env-vars GOOGLE_CLOUD_PROJECT=PROJECT" in recipe


def test_nobody_can_log_in_to_compose_s_grafana(root: Path) -> None:
    composed = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))
    said = composed["services"]["grafana"]["environment"]
    assert said["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    # A password is taken by a form, by a header, and of an administrator made at the first start.
    assert said["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert said["GF_AUTH_BASIC_ENABLED"] == "false"
    assert said["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


def test_what_compose_brings_in_is_there(root: Path) -> None:
    composed = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))
    services = composed["services"]
    assert set(services) == {"api", "prometheus", "grafana"}
    volumes = [one for service in services.values() for one in service.get("volumes", [])]
    brought = [one.split(":")[0] for one in volumes if one.startswith(".")]
    assert len(brought) == 3
    assert [one for one in brought if not (root / one).exists()] == []
    prometheus = yaml.safe_load((root / "deploy/prometheus.yml").read_text(encoding="utf-8"))
    [job] = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["api:8080"]}]
