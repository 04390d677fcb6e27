"""The load generator (`generator/`, in Rust: it shares the processor with what it measures)."""

import json
import subprocess
from pathlib import Path

SINK = "sink"
"""For a URL: a service that only answers, for what the load itself costs."""


def command(url: str, bodies: Path, *flags: object) -> list[str]:
    """Its command line; the flags are those in `generator/src/main.rs`."""
    here = Path(__file__).parent
    cargo = ["cargo", "run", "--quiet", "--release", "--locked"]
    cargo += ["--manifest-path", str(here / "generator" / "Cargo.toml")]
    cargo += ["--target-dir", str(here.parents[1] / "target"), "--"]
    return [*cargo, url, str(bodies), *(str(flag) for flag in flags)]


def load(url: str, bodies: Path, *flags: object) -> dict:
    """Post the file's lines to `url` in turn; what the generator says."""
    ran = subprocess.run(command(url, bodies, *flags), capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return json.loads(ran.stdout)
