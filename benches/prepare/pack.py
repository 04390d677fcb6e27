"""What zstd's settings make of pages of abstracts: MB/s of one core, and how far they pack.

    python benches/prepare/pack.py [--data FOLDER] [--megabytes 50]

Level 1 as it is, and what was tried for the pages of the papers table: smaller hash tables, and
wider steps between the places where a match is looked for. The last but one is what they have.
Writes `benches/results/pack-*.json`.
"""

import argparse
import ctypes
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).parents[1]))
import run
import source
from provenance import own_file, provenance

PAGE = 750_000
# Parameters as zstd.h numbers them.
LEVEL, HASH_LOG, MIN_MATCH, TARGET_LENGTH, LITERALS = 100, 102, 105, 106, 1002
SMALL = {HASH_LOG: 13, MIN_MATCH: 7}
# Wider steps are for levels below 1, which leave literals as they are: here they are packed.
STEPS = SMALL | {LITERALS: 1}
SETTINGS: dict[str, dict[int, int]] = {
    "level 1": {},
    "hash table of 2^12": SMALL | {HASH_LOG: 12},
    "hash table of 2^13": SMALL,
    "hash table of 2^13, wider steps": STEPS | {TARGET_LENGTH: 3},
    "hash table of 2^13, still wider steps": STEPS | {TARGET_LENGTH: 4},
}


def library() -> ctypes.CDLL:
    """The zstd in zstandard, whose own classes do not reach every parameter."""
    spec = importlib.util.find_spec("zstandard._cffi")
    if spec is None or spec.origin is None:
        raise SystemExit("zstandard without its library: install its wheel")
    found = ctypes.CDLL(spec.origin)
    found.ZSTD_createCCtx.restype = ctypes.c_void_p
    found.ZSTD_compressBound.restype = found.ZSTD_compress2.restype = ctypes.c_size_t
    found.ZSTD_CCtx_setParameter.restype = ctypes.c_size_t
    found.ZSTD_CCtx_setParameter.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    found.ZSTD_compress2.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t),
        *(ctypes.c_char_p, ctypes.c_size_t),
    ]
    return found


def packer(settings: dict[int, int]) -> Callable[[bytes], int]:
    """What packs a text, and tells into how many bytes."""
    zstd = library()
    context = zstd.ZSTD_createCCtx()
    for parameter, value in ({LEVEL: 1} | settings).items():
        if zstd.ZSTD_isError(zstd.ZSTD_CCtx_setParameter(context, parameter, value)):
            raise SystemExit(f"zstd refuses parameter {parameter} = {value}")
    out = ctypes.create_string_buffer(zstd.ZSTD_compressBound(PAGE))

    def pack(text: bytes) -> int:
        return int(zstd.ZSTD_compress2(context, out, len(out), text, len(text)))

    return pack


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
    """Pack the pages with every setting, the best of seven rounds each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=run.DATA, help="folder of the corpus")
    parser.add_argument("--megabytes", type=int, default=50)
    options = parser.parse_args()
    texts = pages(options.data, options.megabytes * 1_000_000)
    plain = sum(map(len, texts))
    packers = {name: packer(settings) for name, settings in SETTINGS.items()}
    seconds = dict.fromkeys(packers, float("inf"))
    packed = {}
    # Round by round: a machine's pace changes meanwhile.
    for _ in range(7):
        for name, pack in packers.items():
            started = time.process_time()
            packed[name] = sum(map(pack, texts))
            seconds[name] = min(seconds[name], time.process_time() - started)
    figures = {
        name: {"mb_per_second": plain / 1e6 / seconds[name], "ratio": plain / packed[name]}
        for name in packers
    }
    for name, one in figures.items():
        print(f"{name:38} {one['mb_per_second']:6.0f} MB/s  {one['ratio']:.3f}")
    result = {
        "bench": "pack",
        **provenance("zstandard", zstd=".".join(map(str, zstandard.ZSTD_VERSION))),
        "settings": figures,
    }
    out = own_file("pack")
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
