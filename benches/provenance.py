"""What a result file says of where its figures come from."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benches" / "results"
MODEL = ":(exclude)python/arxiv_core/default_model"
# What decides which kernels run, widest first.
INSTRUCTIONS = ("avx512_bf16", "avx512f", "avx2")


def provenance(*packages: str, **versions: str) -> dict:
    """Commit, machine, and versions of installed `packages` and of what is given by name."""
    installed = {name: importlib.metadata.version(name) for name in ("arxiv-core", *packages)}
    return {"commit": COMMIT, "machine": machine(), "versions": installed | versions}


def commit() -> str:
    """The commit at hand; `-dirty` where the sources differ from it.

    The default model is no source: remaking it changes it.
    """
    git = ["git", "-C", str(ROOT)]
    revision = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True).strip()
    sources = ["src", "python", "benches/*.py", "benches/*.rs", "deploy", MODEL]
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", *sources], check=False)
    return revision + ("-dirty" if changed.returncode else "")


def own_file(bench: str) -> Path:
    """Where a bench's figures lie: kinds of processors do not overwrite each other's."""
    return RESULTS / f"{bench}-{machine()['instructions']}.json"


def multiplies_bf16() -> bool:
    """Whether this processor has instructions for bf16."""
    return machine()["instructions"] == "avx512_bf16"


def machine() -> dict:
    """Processor, its instructions, cores and system."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    fields = dict(
        (part.strip() for part in line.split(":", 1)) for line in cpu.splitlines() if ":" in line
    )
    flags = fields.get("flags", "").split()
    return {
        "processor": fields.get("model name", ""),
        "instructions": next((name for name in INSTRUCTIONS if name in flags), "other"),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


COMMIT = commit()
"""When the bench started: what it measures, whatever is committed meanwhile."""
