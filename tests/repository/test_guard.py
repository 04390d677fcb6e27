"""Large files and secrets are stopped before they are committed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

# In two parts each: whole, they would be found here.
SECRETS = {
    "private key": "-----BEGIN RSA PRIV" + "ATE KEY-----",
    "OpenSSH key": "-----BEGIN OPENSSH PRIV" + "ATE KEY-----",
    "service account": '"private_key' + '_id": "' + "0a" * 20 + '"',
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "ghp" + "_" + "a1B2" * 9,
    "GitHub, fine-grained": "github_" + "pat_" + "a1B2" * 20,
    "Google": "AI" + "za" + "a1B2c" * 7,
    "Slack": "xox" + "b-" + "123456789012-abc",
    "Hugging Face": "hf" + "_" + "aB" * 17,
    "PyPI": "pypi-" + "AgE" + "a1" * 30,
    "npm": "npm" + "_" + "a1B2" * 9,
    "W&B": "wandb_" + "v1_" + "a1B2" * 12,
    "W&B, old": "WANDB_API" + "_KEY=" + "0a1b2c3d" * 5,
    "Kaggle": '{"username": "a", "kaggle' + '_key": "' + "0a1b2c3d" * 4 + '"}',
    "password": "pass" + "word = '" + "correct-horse-battery-staple-42-and-more" + "'",
}

HARMLESS = [
    "WANDB_API_KEY: ${{ secrets.WANDB_API_KEY }}",
    'api_key = os.environ["WANDB_API_KEY"]',
    "torch==2.11.0 --hash=sha256:" + "0a1b2c3d" * 8,
    "token_ids = encoder.token_ids(texts_that_are_quite_long_to_read)",
    "password = None",
    "an encoder reads tokens: " + "word " * 40,
]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_is_found_and_not_repeated(guard: ModuleType, tmp_path: Path, secret: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(f"first line\n{secret}\n", encoding="utf-8")
    [message] = guard.wrong(path)
    assert message.startswith(f"{path}:2: this looks like ")
    assert secret not in message


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_looks_like_one_passes(guard: ModuleType, tmp_path: Path, line: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(line, encoding="utf-8")
    assert list(guard.wrong(path)) == []


@pytest.mark.parametrize("name", [".env", "kaggle.json", "id_ed25519", "server.pem"])
def test_a_file_may_be_a_secret_by_its_name(guard: ModuleType, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("anything", encoding="utf-8")
    assert len(list(guard.wrong(path))) == 1


def test_a_large_file_is_refused_with_both_sizes(guard: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "papers.parquet"
    path.write_bytes(b"\0" * (3 << 19))
    [message] = guard.wrong(path)
    assert "1.5 MiB" in message
    assert "at most 1 " in message
    path.write_bytes(b"\0" * (1 << 20))
    assert list(guard.wrong(path)) == []


def test_only_the_default_model_may_be_larger(guard: ModuleType) -> None:
    assert guard.limit(Path("python/arxiv_core/default_model/head.safetensors")) == 10 << 20
    assert guard.limit(Path("python/arxiv_core/head.safetensors")) == 1 << 20
    assert guard.limit(Path("other/python/arxiv_core/default_model/head.safetensors")) == 1 << 20


def run(folder: Path, root: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / ".ci/guard.py"), *names],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_names_it_looks_at_what_git_would_commit(root: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored.txt\n")
    (tmp_path / "ignored.txt").write_text(SECRETS["AWS"])
    assert run(tmp_path, root).returncode == 0
    (tmp_path / "new.txt").write_text(SECRETS["AWS"])
    done = run(tmp_path, root)
    assert done.returncode == 1
    assert done.stderr == "new.txt:1: this looks like an AWS access key\n"
    assert run(tmp_path, root, ".gitignore").returncode == 0


def test_nothing_in_this_repository_is_refused(root: Path) -> None:
    done = run(root, root)
    assert done.returncode == 0, done.stderr
