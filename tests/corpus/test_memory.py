"""What the stage needs at the real snapshot's size."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "benches" / "prepare" / "source.py"
PREPARE = """
import sys
from pathlib import Path
from arxiv_core import _core
print(_core.prepare(*sys.argv[1:], "{}", None))
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_gigabytes_of_papers_need_less_than_one_gibibyte(shared_data: Path) -> None:
    spec = importlib.util.spec_from_file_location("source", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    # Not tmp_path: pytest would keep the gigabytes of the last three runs.
    with tempfile.TemporaryDirectory(prefix="arxiv-core-") as folder:
        snapshot = Path(folder, "snapshot.jsonl")
        source.make(snapshot, sorted(shared_data.glob("arxiv-*.jsonl.zst")), 5_000_000_000)
        command = [sys.executable, "-c", PREPARE, str(snapshot), str(Path(folder, "out"))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    manifest, peak = done.stdout.strip().rsplit("\n", 1)
    assert json.loads(manifest)["papers"] > 2_900_000
    assert int(peak) < 1 << 20
