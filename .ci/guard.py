"""Refuses what must not be committed: large files and secrets.

    guard.py FILE...    these files, as pre-commit hands them over
    guard.py            every file that git tracks

A secret is never printed, only its kind and its place. What has no known form and no telling
name is not found: this catches slips, it does not replace care.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

LARGE = 1 << 20

ALLOWED = {"python/arxiv_core/default_model": 10 << 20}
"""Folders whose files may be larger: the default model is part of the wheel."""

NAMES = re.compile(
    r"(?:\.env|\.netrc|\.pypirc|kaggle\.json|id_(?:rsa|ecdsa|ed25519)|.+\.(?:pem|p12))"
)
"""Files that are secrets by their name."""

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "a Google service account's key": r'"private_key_id"\s*:\s*"[0-9a-f]{40}"',
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Slack token": r"\bxox[abeprs]-[0-9A-Za-z-]{10,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a PyPI token": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a Weights & Biases key": r"\bwandb_v1_[A-Za-z0-9_]{40,}",
    # Kaggle's and older W&B keys are bare hex: only the name beside them tells.
    "a key or password": r"(?i)(?:api_?key|kaggle_key|secret|token|password)[\"']?\s*[:=]\s*"
    r"[\"']?(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}",
}
PATTERNS = {kind: re.compile(pattern.encode()) for kind, pattern in SECRETS.items()}


def limit(path: Path) -> int:
    """Give the size that a file may have."""
    return ALLOWED.get(path.parent.as_posix(), LARGE)


def wrong(path: Path) -> Iterator[str]:
    """Say what is wrong with one file, a sentence each; `path` is relative to the repository."""
    if NAMES.fullmatch(path.name):
        yield f"{path}: a file of this name holds secrets"
    size = path.stat().st_size
    if size > limit(path):
        yield (
            f"{path}: {size / 2**20:.1f} MiB, at most {limit(path) / 2**20:.0f} may be committed; "
            "data and models belong to DVC or the registry"
        )
        return
    content = path.read_bytes()
    if b"\0" in content[:8192]:
        return
    for kind, pattern in PATTERNS.items():
        for match in pattern.finditer(content):
            line = content.count(b"\n", 0, match.start()) + 1
            yield f"{path}:{line}: this looks like {kind}"


def tracked() -> list[Path]:
    """List what git tracks, and what it would track with the next ``git add``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    return [Path(name.decode()) for name in listed.stdout.split(b"\0") if name]


def main(names: Iterable[str]) -> int:
    """Check the files and return the exit code."""
    paths = [Path(name) for name in names] or tracked()
    found = [one for path in paths if path.is_file() for one in wrong(path)]
    for one in found:
        sys.stderr.write(one + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
