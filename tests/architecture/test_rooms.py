"""The map of docs/architecture.md holds: rooms import only from lower ones, and each outside
package is named in one room only. Sources are read as text, so nothing needs to be built."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUST = ROOT / "src"
PYTHON = ROOT / "python" / "arxiv_core"

# Lowest first; rooms of one level do not import each other.
ROOMS = [
    {"error"},
    {"observe", "options", "pipe", "scratch"},
    {"checksum"},
    {"text"},
    {"corpus", "tokens", "metrics"},
    {"model"},
    {"train", "infer"},
    {"python"},
]
LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
# `crate::Error` and `crate::Result` are the error room's, exported at the root.
REEXPORTED = {"Error": "error", "Result": "error"}
ONLY_IN_BINDINGS = {"pyo3", "numpy", "pyo3_log"}

# Which room, or file, may name an outside package. Anything not listed here is refused.
OWNERS = {
    "numpy": {""},
    "typer": {"cli"},
    "click": {"cli"},
    "rich": {"cli"},
    "hydra": {"config"},
    "omegaconf": {"config"},
    "filelock": {"registry"},
    "kagglehub": {"pipeline/fetch.py"},
    "huggingface_hub": {"models.py"},
    "joblib": {"baselines"},
    "optuna": {"sweep"},
    "sklearn": {"baselines"},
    "threadpoolctl": {"baselines"},
    "wandb": {"tracking", "registry/wandb.py"},
    "yaml": {"config"},
    "matplotlib": {"report"},
    "anyio": {"serve"},
    "fastapi": {"serve"},
    "h11": {"serve"},
    "jinja2": {"serve"},
    "opentelemetry": {"serve/tracing.py"},
    "prometheus_client": {"serve"},
    "pydantic": {"serve"},
    "pydantic_core": {"serve"},
    "starlette": {"serve"},
    "typing_extensions": {"serve"},
    "uvicorn": {"serve"},
    "evidently": {"monitor"},
    "ray": {"distributed"},
    "torch": {"checkpoint.py", "distributed", "profiling"},
    "google": {"cloud"},
}


def rust_files() -> dict[Path, str]:
    """Every Rust source below `src`, without its comments."""
    return {
        path.relative_to(RUST): re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
        for path in sorted(RUST.rglob("*.rs"))
    }


def python_files() -> dict[Path, ast.Module]:
    """Every Python source of the package, parsed."""
    return {
        path.relative_to(PYTHON): ast.parse(path.read_text(encoding="utf-8"), path.name)
        for path in sorted(PYTHON.rglob("*.py"))
    }


def room_of(file: Path) -> str:
    """`corpus` for `corpus/split.rs`, `error` for `error.rs`."""
    return file.parts[0].removesuffix(".rs")


def module_depth(file: Path) -> int:
    """How many names below the crate's root the file's module is."""
    return len(file.parts) - (file.name == "mod.rs")


def rooms_named(code: str, depth: int) -> Iterator[str]:
    """Rooms that the code reaches from the root: by `crate::` or by climbing up to it."""
    up = rf"(?:super::){{{depth},}}"
    for match in re.finditer(rf"(?:\bcrate::|\b{up})(\w+|\{{[^;]*\}})", code):
        names = match[1]
        if names.startswith("{"):
            # The outermost list only: `{error::{Error, Result}, text}` names error and text.
            flat = names[1:-1]
            while "{" in flat:
                flat = re.sub(r"\{[^{}]*\}", "", flat)
            heads = [part.strip().split("::")[0].split(" ")[0] for part in flat.split(",")]
        else:
            heads = [names]
        yield from (REEXPORTED.get(head, head) for head in heads if head)


def all_rooms_named(code: str, depth: int) -> set[str]:
    """Rooms named in a file, whose tests are a module one deeper."""
    body, _, tests = code.partition("mod tests {")
    return {*rooms_named(body, depth), *rooms_named(tests, depth + 1)}


def upward(room: str, code: str, depth: int) -> set[str]:
    """Rooms named by `code` that lie no lower than `room`."""
    named = all_rooms_named(code, depth) - {room}
    return {name for name in named if LEVELS.get(name, 99) >= LEVELS[room]}


def outside(tree: ast.Module) -> set[str]:
    """Packages imported anywhere in a module that are neither Python's own nor this one."""
    names = {"arxiv_core"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names - sys.stdlib_module_names - {"arxiv_core"}


def test_rust_rooms_import_only_from_lower_rooms() -> None:
    files = {file: code for file, code in rust_files().items() if file.name != "lib.rs"}
    assert len(files) >= 60
    seen: set[str] = set()
    wrong = []
    for file, code in files.items():
        room = room_of(file)
        assert room in LEVELS, f"{file}: no level is known for its room"
        seen |= all_rooms_named(code, module_depth(file))
        wrong += [f"{file}: {name}" for name in upward(room, code, module_depth(file))]
    assert wrong == []
    assert {"error", "observe", "text", "corpus", "tokens", "metrics", "model"} <= seen


def test_the_map_has_these_levels() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    drawn: dict[int, set[str]] = {}
    for level, rooms in re.findall(r"^\| (\d) \| ([^|]*) \|", text, re.MULTILINE):
        drawn.setdefault(int(level), set()).update(re.findall(r"`(\w+)", rooms))
    assert [drawn[level] for level in sorted(drawn)] == ROOMS


def test_only_the_bindings_name_python() -> None:
    files = rust_files()
    named = {
        file
        for file, code in files.items()
        if ONLY_IN_BINDINGS & set(re.findall(r"\b[a-z]\w*\b", code))
    }
    assert len(named) >= 6
    assert {file for file in named if room_of(file) != "python"} == set()
    assert re.search(r'#\[cfg\(feature = "python"\)\]\s*mod python;', files[Path("lib.rs")])


def test_the_rooms_without_libtorch_do_not_name_it() -> None:
    named = {room_of(file) for file, code in rust_files().items() if re.search(r"\btch::", code)}
    assert "model" in named
    # The error room maps libtorch's errors, behind the feature.
    assert named <= {"error", "model", "train", "infer", "python"}


@pytest.mark.parametrize(
    ("room", "depth", "code", "named"),
    [
        ("text", 1, "use crate::corpus::Month;", {"corpus"}),
        ("train", 2, "use crate::{error::{Error, Result}, infer::live as x};", {"infer"}),
        ("model", 2, "let a = super::super::train::fit(1);", {"train"}),
        ("corpus", 3, "use super::super::tests; use crate::Result; use crate::text;", set()),
        ("corpus", 2, "use crate::tokens::ids;", {"tokens"}),
        ("corpus", 2, "use crate::nowhere;", {"nowhere"}),
        ("corpus", 2, "mod tests { use super::super::dedup; }", set()),
        ("corpus", 2, "mod tests { use super::super::super::infer; }", {"infer"}),
    ],
)
def test_a_wrong_import_in_rust_is_seen(room: str, depth: int, code: str, named: set[str]) -> None:
    assert upward(room, code, depth) == named


def test_each_outside_package_is_imported_in_its_room_only() -> None:
    files = python_files()
    assert len(files) >= 30
    seen: set[str] = set()
    wrong = []
    for file, tree in files.items():
        for package in outside(tree):
            seen.add(package)
            owners = OWNERS.get(package, set())
            mine = owners & {"", file.parts[0].removesuffix(".py"), file.as_posix()}
            if not mine:
                wrong.append(f"{file}: {package}")
    assert wrong == []
    assert {"numpy", "typer", "rich", "hydra", "fastapi", "kagglehub"} <= seen
