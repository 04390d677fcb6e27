"""Mixed traffic for a long time, and whether the service held: `make soak`, or

    python tests/load/soak.py --minutes 60 [--url http://127.0.0.1:8000]

Without an address it starts a service of its own, whose threads it sees and which it ends by
SIGTERM while clients still ask. Every few seconds a line goes to the file given by --out. Exit code
1, and a sentence for each point, where the service did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from abuse.papers import sample
from load.judge import Ending, Sample, judge
from load.traffic import LOST, Connection, Request, Traffic
from serve.process import OPENER, Service, free_port, serve, wait_until_it_answers

ROOT = Path(__file__).parents[2]

PROBE = Request("POST", "/classify", b'{"title": "On rings", "abstract": "Each ring is a module."}')
REST = 0.2
"""Seconds between probes."""


def state(url: str, process: Service | None) -> dict[str, int]:
    """Resident memory and open files, of our own service its threads too."""
    if process is not None:
        home = Path(f"/proc/{process.pid}")
        status = (home / "status").read_text(encoding="ascii")
        return {
            "resident": int(status.split("VmRSS:")[1].split()[0]) * 1024,
            "files": sum(1 for _ in (home / "fd").iterdir()),
            "threads": int(status.split("Threads:")[1].split()[0]),
        }
    with OPENER.open(urllib.request.Request(f"{url}/metrics"), timeout=30) as answer:
        text = answer.read().decode()
    found = dict(re.findall(r"^process_(\w+) (\S+)$", text, re.MULTILINE))
    return {
        "resident": int(float(found["resident_memory_bytes"])),
        "files": int(float(found["open_fds"])),
    }


async def probing(traffic: Traffic, took: list[float]) -> None:
    """Ask for one paper again and again, and tell how long it took."""
    connection = Connection(traffic.host, traffic.port)
    while not traffic.over and not traffic.stopping:
        began = time.perf_counter()
        status = await connection.ask(PROBE)
        if status == 200:
            took.append(time.perf_counter() - began)
        elif status == LOST:
            traffic.unexpected[f"probe: {status}"] += 1
        await asyncio.sleep(REST)
    connection.close()


async def soak(
    url: str,
    process: Service | None,
    *,
    seconds: float,
    every: float,
    clients: int,
    drain: float,
    out: Path,
) -> list[str]:
    """Let clients ask for so many seconds; return what the service did not withstand."""
    place = urlsplit(url)
    traffic = Traffic(place.hostname or "127.0.0.1", place.port or 80, sample())
    samples: list[Sample] = []
    took: list[float] = []
    began = time.monotonic()
    tasks = [asyncio.create_task(traffic.client(number)) for number in range(clients)]
    tasks.append(asyncio.create_task(probing(traffic, took)))
    ending: Ending | None = None
    try:
        with out.open("w", encoding="utf-8", buffering=1) as file:
            while time.monotonic() < began + seconds:
                await asyncio.sleep(every)
                if process is not None and process.poll() is not None:
                    return [f"the service ended by itself: {process.end()[-2000:]}"]
                if len(took) < 2:
                    continue  # Too busy to tell: the next sample tells of both.
                cuts = statistics.quantiles(took, n=100, method="inclusive")
                took.clear()
                one: Sample = {
                    "at": time.monotonic() - began,
                    "requests": sum(traffic.statuses.values()),
                    **await asyncio.to_thread(state, url, process),  # type: ignore[typeddict-item]
                    "statuses": dict(traffic.statuses),
                    "unexpected": dict(traffic.unexpected),
                    "p50": cuts[49],
                    "p99": cuts[98],
                }
                samples.append(one)
                file.write(f"{json.dumps(one)}\n")
            if process is not None:
                ending = await _ended(traffic, process, drain)
                file.write(f"{json.dumps({'ending': ending, 'kinds': traffic.kinds})}\n")
    finally:
        traffic.over = True
        await asyncio.gather(*tasks)
    return judge(samples, ending)


async def _ended(traffic: Traffic, process: Service, drain: float) -> Ending:
    traffic.stopping = True
    began = time.monotonic()
    process.terminate()
    code: int | None
    try:
        code = await asyncio.to_thread(process.wait, drain + 60)
    except subprocess.TimeoutExpired:
        code = None
        process.kill()
    seconds = time.monotonic() - began
    said = process.end()
    return {
        "code": code,
        "seconds": seconds,
        "drain": drain,
        "statuses": dict(traffic.late),
        "traceback": "Traceback" in said,
    }


def main() -> int:
    """Run, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--url", help="a service that runs already; it is not ended")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    parser.add_argument("--drain", type=float, default=8, help="serve.drain of our own service")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "soak.jsonl")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    process, url = None, options.url
    if url is None:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        process = serve("--port", str(port), f"serve.drain={options.drain}")
    try:
        if process is not None:
            wait_until_it_answers(process, url)
        else:
            try:
                state(url.rstrip("/"), None)
            except OSError as error:
                raise SystemExit(f"{url}/metrics: {error}") from None
        wrong = asyncio.run(
            soak(
                url.rstrip("/"),
                process,
                seconds=options.minutes * 60,
                every=options.every,
                clients=options.clients,
                drain=options.drain,
                out=options.out,
            )
        )
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(30)
    sys.stdout.write("\n".join(wrong or ["it held"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
