"""Fuzzes how requests are read: ``fuzz_requests.py CORPUS SEEDS`` with libFuzzer's options.

Coverage guides it through Python's part; pydantic reads JSON outside of it, so bodies are changed
as JSON too. ``fuzz_requests.py FILE`` asks one input again.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(
    include=["arxiv_core.serve", "starlette", "fastapi", "prometheus_client", "multipart"]
):
    from fuzz.exchange import Asked
from fuzz.mutation import mutated


def main() -> None:
    with Asked() as asked:

        def one(data: bytes) -> None:
            asked(data)

        def change(data: bytes, largest: int, seed: int) -> bytes:
            return mutated(data, largest, seed, atheris.Mutate)

        atheris.Setup(sys.argv, one, custom_mutator=change)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
