"""Load on a service: closed (so many clients, each asks again when it is answered) or open (so
many requests a second, whoever is still waiting; latency counts from when a request was due).

    python benches/serve/load.py URL BODIES.jsonl --clients 64 --seconds 20 [--rate 50]

Prints one JSON object. Speaks HTTP/1.1 over kept connections with as little work as it can: it
shares the processor with what it measures.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 300.0
"""Seconds after which a request is lost."""


class Client:
    """One connection."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send a request; return its status, 0 where the connection broke or nothing came."""
        try:
            return await asyncio.wait_for(self._asked(request), PATIENCE)
        except TimeoutError:
            self._pipe = None
            return 0

    async def _asked(self, request: bytes) -> int:
        try:
            # A service hangs up on who has been silent for long.
            if self._pipe is None or self._pipe[0].at_eof():
                self._pipe = await asyncio.open_connection(*self._place)
            reader, writer = self._pipe
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            return int(head[9:12])
        except (OSError, ValueError, asyncio.IncompleteReadError):
            self._pipe = None
            return 0


async def closed(
    place: tuple[str, int],
    requests: list[bytes],
    clients: int,
    until: float,
    told: list[tuple[float, float, int]],
) -> None:
    """Each of `clients` asks again as soon as it is answered."""

    async def one(number: int) -> None:
        client, at = Client(*place), number
        while (began := time.perf_counter()) < until:
            status = await client.ask(requests[at % len(requests)])
            told.append((began, time.perf_counter(), status))
            at += clients

    await asyncio.gather(*(one(number) for number in range(clients)))


async def opened(
    place: tuple[str, int],
    requests: list[bytes],
    rate: float,
    until: float,
    told: list[tuple[float, float, int]],
) -> None:
    """Requests come at random times, as many as are `rate` a second."""
    idle: list[Client] = []
    under_way: set[asyncio.Task[None]] = set()
    chance = random.Random(7)
    start = time.perf_counter()
    # A Poisson process of which the number of events is known.
    times = sorted(chance.uniform(start, until) for _ in range(round(rate * (until - start))))

    async def one(due: float, request: bytes) -> None:
        client = idle.pop() if idle else Client(*place)
        status = await client.ask(request)
        told.append((due, time.perf_counter(), status))
        idle.append(client)

    for at, due in enumerate(times):
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(due, requests[at % len(requests)]))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)


async def sink(answer: bytes) -> asyncio.Server:
    """A service that only answers, for what the load itself costs."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(answer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="or `sink`: a service of its own that only answers")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm", type=float, default=3, help="seconds before any count")
    parser.add_argument("--rate", type=float, help="requests a second, whoever still waits")
    options = parser.parse_args()
    if options.url == "sink":
        body = b"[]" * 100
        server = await sink(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        url = urlsplit(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/classify")
    else:
        url = urlsplit(options.url)
    place = (url.hostname or "127.0.0.1", url.port or 80)
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
        "Content-Length: "
    ).encode()
    requests = [
        head + b"%d\r\n\r\n%s" % (len(line), line)
        for line in options.bodies.read_bytes().splitlines()
    ]
    told: list[tuple[float, float, int]] = []
    spent = time.process_time()
    start = time.perf_counter()
    counted = start + options.warm
    until = counted + options.seconds
    if options.rate is None:
        await closed(place, requests, options.clients, until, told)
    else:
        await opened(place, requests, options.rate, until, told)
    # Latency is of requests that began in the window; of throughput, each request counts by the
    # part of its time that lies in it: whole batches would make steps of it.
    answered = sum(
        max(0.0, min(end, until) - max(begun, counted)) / (end - begun)
        for begun, end, status in told
        if status == 200
    )
    latencies: dict[int, list[float]] = {200: []}
    for began, end, status in told:
        if began >= counted:
            latencies.setdefault(status, []).append(end - began)
    print(
        json.dumps(
            {
                "per_second": answered / options.seconds,
                **quantiles(latencies[200]),
                "requests": len(latencies[200]),
                "statuses": {str(k): v for k, v in sorted(Counter(s for *_, s in told).items())},
                # Of one core: what the load itself takes from the service beside it.
                "processor": (time.process_time() - spent) / (time.perf_counter() - start),
                "latency": {str(k): quantiles(own) for k, own in sorted(latencies.items())},
            }
        )
    )


def quantiles(latencies: list[float]) -> dict[str, float]:
    """Seconds within which so many were answered; 0 where there are too few to tell."""
    cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


if __name__ == "__main__":
    asyncio.run(main())
