"""What zstd's settings make of pages of abstracts: MB/s of one core, and how far they pack.

    python benches/prepare/pack.py [--data FOLDER] [--megabytes 50]

Level 1 as it is, and with the smaller hash tables that were tried for the pages of the papers
table. Writes `benches/results/pack.json`.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).parent))
import run
import source

PAGE = 750_000
SETTINGS = {
    "level 1": {},
    "hash table of 2^13": {"hash_log": 13, "min_match": 7},
    "hash table of 2^12": {"hash_log": 12, "min_match": 7},
}


def pages(data: Path, size: int) -> list[bytes]:
    """Pages as the papers table has them: each text behind its length in four bytes."""
    out = bytearray()
    for paper in source.copies(source.papers([data / run.FILES[0]])):
        text = " ".join(paper["abstract"].split()).encode()
        out += len(text).to_bytes(4, "little") + text
        if len(out) >= size:
            break
    return [bytes(out[at : at + PAGE]) for at in range(0, len(out) - PAGE, PAGE)]


def main() -> None:
    """Pack the pages with every setting, the best of five rounds each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=run.DATA, help="folder of the corpus")
    parser.add_argument("--megabytes", type=int, default=50)
    options = parser.parse_args()
    texts = pages(options.data, options.megabytes * 1_000_000)
    plain = sum(map(len, texts))
    figures = {}
    for name, changed in SETTINGS.items():
        parameters = zstandard.ZstdCompressionParameters.from_level(1, source_size=PAGE, **changed)
        compressor = zstandard.ZstdCompressor(compression_params=parameters)
        seconds = []
        for _ in range(5):
            started = time.process_time()
            packed = sum(len(compressor.compress(text)) for text in texts)
            seconds.append(time.process_time() - started)
        figures[name] = {"mb_per_second": plain / 1e6 / min(seconds), "ratio": plain / packed}
        print(f"{name:20} {figures[name]['mb_per_second']:6.0f} MB/s  {plain / packed:.3f}")
    result = {
        "bench": "pack",
        "commit": run.commit(),
        "machine": run.machine(),
        "zstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
        "settings": figures,
    }
    out = run.ROOT / "benches" / "results" / "pack.json"
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
