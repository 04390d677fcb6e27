"""What the parts of one MiniLM layer cost in libtorch: microseconds of one core a token.

    python benches/encode/parts.py [--tokens 1024] [--length 256]

The kernels that the encoder calls, one after the other, on one thread and random values; the best
of twenty rounds. Writes `benches/results/parts-*.json`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import multiplies_bf16, own_file, provenance

HIDDEN, INTERMEDIATE, HEADS = 384, 1536, 12
PARTS = ("query, key, value", "attention", "attention output", "feed-forward up, GELU",
         "feed-forward down", "layer norms, residuals")  # fmt: skip

DTYPES = {"f32": torch.float32} | ({"bf16": torch.bfloat16} if multiplies_bf16() else {})


def parts(tokens: int, length: int, dtype: torch.dtype) -> dict[str, Callable[[], object]]:
    """Each part on inputs of its own."""

    def linear(inner: int, outer: int) -> tuple[torch.Tensor, ...]:
        shapes = ((tokens, inner), (outer, inner), (outer,))
        return tuple(torch.randn(*shape).to(dtype) for shape in shapes)

    triple, output = linear(HIDDEN, 3 * HIDDEN), linear(HIDDEN, HIDDEN)
    up, down = linear(HIDDEN, INTERMEDIATE), linear(INTERMEDIATE, HIDDEN)
    heads = [torch.randn(tokens // length, HEADS, length, 32).to(dtype) for _ in range(3)]
    hidden, residual, weight = linear(HIDDEN, HIDDEN)[0], output[0], output[2]

    def norms() -> None:
        for _ in range(2):
            functional.layer_norm(hidden + residual, (HIDDEN,), weight, weight)

    calls = (
        lambda: functional.linear(*triple),
        lambda: functional.scaled_dot_product_attention(*heads),
        lambda: functional.linear(*output),
        lambda: functional.gelu(functional.linear(*up)),
        lambda: functional.linear(*down),
        norms,
    )
    return dict(zip(PARTS, calls, strict=True))


def microseconds(call: Callable[[], object], tokens: int) -> float:
    """The best of twenty rounds, a token's share."""
    best = float("inf")
    for _ in range(20):
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best / tokens * 1e6


def main() -> None:
    """Time every part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--length", type=int, default=256, help="tokens of a text")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, dict[str, float]] = {}
    with torch.inference_mode():
        for name, dtype in DTYPES.items():
            calls = parts(options.tokens, options.length, dtype)
            figures[name] = {
                part: round(microseconds(call, options.tokens), 2) for part, call in calls.items()
            }
    for part in PARTS:
        print(f"{part:24}" + "".join(f"{figures[name][part]:8.2f}" for name in figures))
    result = {
        "bench": "parts",
        **provenance("torch"),
        "tokens": options.tokens,
        "length": options.length,
        "parts": figures,
    }
    out = own_file("parts")
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
