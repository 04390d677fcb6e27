"""The stage `prepare` beside Polars and DuckDB on 1 GB of papers: same file, zstd at level 1.

    python benches/prepare/run.py --peer-python PATH [--size 1000] [--repeats 9] [--data FOLDER]

Every run is a process of its own; arms take turns and the median counts. Two rows: the job that
the peers can do too, with the same rows out, checked by hash; and the whole default stage, with
cleaning, near-duplicates and splits, beside the peers' reduced job. Rates are of the source's
bytes. Of level 1, this stage takes other steps than zstd's own (docs/performance.md), so the
tables' sizes are measured too. Writes `benches/results/prepare-*.json`, a file a kind of processor.
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from arxiv_core import _core

sys.path.insert(0, str(Path(__file__).parents[1]))
import source
from provenance import ROOT, own_file, provenance

DATA = ROOT.parent / "shared" / "data"
FILES = ("arxiv-2009-2016.jsonl.zst", "arxiv-2017-2025.jsonl.zst")
PEERS = ("polars", "duckdb")
ARMS = (*PEERS, "reduced", "whole")


def run(arm: str, python: str, job: tuple[Path, Path], level: int) -> dict:
    """One process and its answer."""
    worker = str(Path(__file__).with_name("worker.py"))
    command = [python, worker, arm, str(job[0]), str(job[1]), str(level)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{arm}: {ran.stderr}")
    return json.loads(ran.stdout.splitlines()[-1])


def rows_hash(table: Path) -> tuple[int, str]:
    """Number of papers, and a hash of them in the order of their ids: id, title, abstract and
    canonical categories."""
    columns = ["id", "title", "abstract", "categories"]
    canonical: dict[tuple[str, ...], bytes] = {}
    digests = []
    for batch in pq.ParquetFile(table).iter_batches(8192, columns=columns):
        for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
            names = tuple(row[3])
            if names not in canonical:
                labels = dict.fromkeys(filter(None, map(_core.canonical, names)))
                canonical[names] = " ".join(labels).encode()
            parts = [part.encode() for part in row[:3]] + [canonical[names]]
            digests.append((row[0], hashlib.sha256(b"\0".join(parts)).digest()))
    digests.sort()
    whole = hashlib.sha256(b"".join(digest for _, digest in digests))
    return len(digests), whole.hexdigest()


def touch() -> None:
    """Use all free memory once: a virtual machine gets a page from its host when it is first
    used, and the arms that come first would pay for it."""
    free = Path("/proc/meminfo").read_text(encoding="ascii").split("MemFree:")[1].split()[0]
    memory = bytearray(max(0, int(free) * 1024 - (3 << 29)))
    for at in range(0, len(memory), 4096):
        memory[at] = 1


def measure(path: Path, options: argparse.Namespace) -> dict[str, dict]:
    """Medians of every arm."""
    runs: dict[str, list[dict]] = {arm: [] for arm in ARMS}
    rows = {}
    for repeat in range(options.repeats):
        # Nobody always comes after the arm that writes most.
        first = repeat % len(ARMS)
        for arm in ARMS[first:] + ARMS[:first]:
            python = options.peer_python if arm in PEERS else sys.executable
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                out = Path(folder) / "out"
                runs[arm].append(run(arm, python, (path, out), options.zstd_level))
                table = out / "papers.parquet"
                runs[arm][-1]["bytes"] = table.stat().st_size
                if repeat == 0 and arm != "whole":
                    rows[arm] = rows_hash(table)
                    if rows[arm] != rows["polars"]:
                        raise SystemExit(f"{arm} gives other rows than polars: {rows}")
                elif repeat == 0:
                    rows[arm] = (pq.ParquetFile(table).metadata.num_rows, "")
    figures = {}
    for arm in ARMS:
        seconds = statistics.median(one["seconds"] for one in runs[arm])
        figures[arm] = {
            "version": runs[arm][0]["version"],
            "seconds": seconds,
            "mb_per_second": path.stat().st_size / 1e6 / seconds,
            "cpu_seconds": statistics.median(one["cpu_seconds"] for one in runs[arm]),
            "peak_mb": max(one["peak_mb"] for one in runs[arm]),
            "papers": rows[arm][0],
            "output_mb": runs[arm][0]["bytes"] / 1e6,
            "all_seconds": [one["seconds"] for one in runs[arm]],
        }
        if "steps" in runs[arm][0]:
            middle = min(runs[arm], key=lambda one: abs(one["seconds"] - seconds))
            figures[arm]["core_seconds_by_step"] = middle["steps"]
    return figures


def main() -> None:
    """Run every arm and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", default=sys.executable, help="has polars and duckdb")
    parser.add_argument("--size", type=int, default=1000, help="MB of input")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--zstd-level", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpus")
    parser.add_argument("--out", type=Path, default=own_file("prepare"))
    options = parser.parse_args()
    corpus = [options.data / name for name in FILES]
    for path in corpus:
        if not path.exists():
            raise SystemExit(f"{path} is not there; give its folder with --data")

    path = ROOT / "benches" / "data" / f"papers-{options.size}mb.jsonl"
    if not path.exists():
        print(f"making {path.relative_to(ROOT)}", file=sys.stderr)
        source.make(path, corpus, options.size * 1_000_000)
    touch()
    # Everything reads from the page cache, the first arm too.
    with path.open("rb") as raw:
        while raw.read(1 << 24):
            pass
    figures = measure(path, options)
    fastest = max(figures[peer]["mb_per_second"] for peer in PEERS)
    rounds = [
        {arm: one["all_seconds"][at] for arm, one in figures.items()}
        for at in range(options.repeats)
    ]
    by_round = {
        f"{arm}_times_faster_peer_by_round": [
            min(one[peer] for peer in PEERS) / one[arm] for one in rounds
        ]
        for arm in ("reduced", "whole")
    }
    result = {
        "bench": "prepare",
        **provenance(**{peer: figures[peer]["version"] for peer in PEERS}),
        "input_mb": path.stat().st_size / 1e6,
        "zstd_level": options.zstd_level,
        "repeats": options.repeats,
        "arms": figures,
        "reduced_times_faster_peer": figures["reduced"]["mb_per_second"] / fastest,
        "whole_times_faster_peer": figures["whole"]["mb_per_second"] / fastest,
        **by_round,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for arm, one in figures.items():
        print(
            f"{arm:8} {one['mb_per_second']:7.1f} MB/s  {one['mb_per_second'] / fastest:5.2f} x"
            f"  {one['cpu_seconds']:6.2f} core s"
            f"  peak {one['peak_mb']:6.0f} MB  {one['papers']:7} papers  {one['output_mb']:6.1f} MB"
        )


if __name__ == "__main__":
    main()
