"""Several processes write at once, and one dies in the middle: what is seen is whole."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from arxiv_core.registry import Provenance, Reference, content
from arxiv_core.registry.local import LocalRegistry

if TYPE_CHECKING:
    from registry.conftest import Make

WRITE = """
import sys
from pathlib import Path
from arxiv_core.registry import Provenance
from arxiv_core.registry.local import LocalRegistry

place, *models = sys.argv[1:]
registry = LocalRegistry(place)
print("ready", flush=True)
sys.stdin.readline()
for model in models:
    version, _ = registry.register(Path(model), "arxiv", Provenance(run=str(Path(model).name)))
    registry.move(version, "staging", model)
"""

HANG = """
import sys
import time
from pathlib import Path
from arxiv_core.registry import Provenance, content
from arxiv_core.registry.local import LocalRegistry

def stop(target):
    print("copied", flush=True)
    time.sleep(600)

whole = content.verify
content.verify = lambda path: stop(path) if ".staging-" in str(path) else whole(path)
LocalRegistry(sys.argv[1]).register(Path(sys.argv[2]), "arxiv", Provenance())
"""


def started(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_every_writer_gets_its_own_version_and_no_move_is_lost(
    registry: LocalRegistry, make: Make
) -> None:
    shared = make(99)
    work = [[make(10 * writer + of) for of in range(3)] + [shared] for writer in range(4)]
    writers = [started(WRITE, registry.place, *models) for models in work]
    assert [said(one) for one in writers] == ["ready"] * 4
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    reads = 0
    while any(one.poll() is None for one in writers):
        if "arxiv" in registry.models():
            versions = registry.versions("arxiv")
            for version in versions:
                registry.directory(version)
            assert [one.version for one in versions] == [
                f"v{number + 1}" for number in range(len(versions))
            ]
            registry.history("arxiv")
            reads += 1
        time.sleep(0.02)
    for one in writers:
        one.communicate(timeout=60)
        assert one.returncode == 0
    assert reads > 0

    versions = registry.versions("arxiv")
    assert [one.version for one in versions] == [f"v{number}" for number in range(1, 14)]
    assert len({one.content_hash for one in versions}) == 13
    moves = registry.history("arxiv")
    assert len(moves) == 16
    assert sorted(one.why for one in moves) == sorted(str(one) for some in work for one in some)
    assert [one.origin for one in moves[1:]] == [one.target for one in moves[:-1]]
    assert registry.find(Reference("arxiv", "staging")).version == moves[-1].target


def test_a_writer_that_is_killed_leaves_nothing_behind(registry: LocalRegistry, make: Make) -> None:
    writer = started(HANG, registry.place, make(1))
    assert said(writer) == "copied"
    folder = Path(registry.place) / "arxiv"
    assert [one.name[:9] for one in folder.iterdir()] == [".staging-"]
    assert registry.models() == []
    writer.kill()
    writer.communicate(timeout=60)
    assert registry.models() == []
    version, is_new = registry.register(make(2), "arxiv", Provenance())
    assert (version.version, is_new) == ("v1", True)
    assert [one.name for one in folder.iterdir()] == ["v1"]


def test_a_failure_in_the_middle_leaves_nothing_behind(registry: LocalRegistry, make: Make) -> None:
    def broken(directory: Path) -> list[str]:
        raise OSError(28, "No space left on device", str(directory))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "labels", broken)
        with pytest.raises(OSError, match="No space left"):
            registry.register(make(1), "arxiv", Provenance())
    assert registry.models() == []
    assert not (Path(registry.place) / "arxiv").exists()
