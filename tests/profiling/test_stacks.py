"""The stacks behind a flame graph are read back whole."""

from __future__ import annotations

import pytest
from arxiv_core.profiling import stacks
from arxiv_core.profiling.profile import Profile
from arxiv_core.profiling.summary import by_library, lines

SPACES = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:fg="http://github.com/jonhoo/inferno" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"'
)

FRAMES = [
    # start, width, depth, name
    (0, 10, 0, "all"),
    (0, 10, 1, "run (train.py:7)"),
    (0, 6, 2, "arxiv_core::train::fit (_core.abi3.so)"),
    (0, 2, 3, "0x7f01 (libtorch_cpu.so)"),
    (2, 3, 3, "0x7f02 (libtorch_cpu.so)"),
    (2, 3, 4, "0x7f03 (libtorch_cpu.so)"),
    (6, 1, 2, "a;b (lib.so)"),
]

READ = {
    ("run (train.py:7)",): 3,
    ("run (train.py:7)", "arxiv_core::train::fit (_core.abi3.so)"): 1,
    ("run (train.py:7)", "arxiv_core::train::fit (_core.abi3.so)", "(libtorch_cpu.so)"): 5,
    ("run (train.py:7)", "a;b (lib.so)"): 1,
}


def graph(*, upright: bool) -> str:
    boxes = "".join(
        f"<g><title>{name} ({width:,} samples, {width * 10:.2f}%)</title>"
        f'<rect x="0%" y="{(100 - 16 * depth) if upright else 16 * depth}" height="15" '
        f'fg:x="{start}" fg:w="{width}"/><text>cut</text></g>'
        for start, width, depth, name in FRAMES
    )
    return f'<svg {SPACES}><rect y="0" height="9"/><svg id="frames">{boxes}</svg></svg>'


@pytest.mark.parametrize("upright", [True, False])
def test_samples_are_counted_where_they_were_taken(upright: bool) -> None:
    assert stacks.read(graph(upright=upright)) == READ


def test_the_folded_form_is_one_stack_a_line() -> None:
    text = stacks.folded(READ)
    assert "run (train.py:7);a,b (lib.so) 1\n" in text
    assert sum(int(line.rpartition(" ")[2]) for line in text.splitlines()) == 10


def test_a_function_is_counted_once_a_stack() -> None:
    twice = {("a", "b", "a"): 4, ("a",): 1}
    assert stacks.inclusive(twice) == {"a": 5, "b": 4}
    assert stacks.own(twice) == {"a": 5}


def test_rusts_names_are_written_as_in_rust() -> None:
    raw = "_$LT$alloc..vec..Vec$LT$T$C$I$GT$$u20$as$u20$X$GT$::f::h0123456789abcdef (_core.so)"
    found = stacks.readable(f"<title>{raw} (3 samples, 1.00%)</title><title>a::b (x.so)</title>")
    assert found == (
        "<title>&lt;alloc::vec::Vec&lt;T,I&gt; as X&gt;::f (_core.so) (3 samples, 1.00%)</title>"
        "<title>a::b (x.so)</title>"
    )


def test_a_thread_that_waits_is_not_at_work() -> None:
    waits = {("run (a.py:1)", "syscall (libc.so.6)"): 7, ("run (a.py:1)",): 2}
    assert stacks.working(waits) == {("run (a.py:1)",): 2}


def test_libraries_share_the_time() -> None:
    assert by_library(READ) == {
        "Python": 3,
        "_core.abi3.so": 1,
        "libtorch_cpu.so": 5,
        "lib.so": 1,
    }


def test_the_summary_says_that_there_is_no_libtorch(tmp_path: object) -> None:
    said = "\n".join(lines(Profile("prepare", tmp_path, stacks=READ)))  # type: ignore[arg-type]
    assert "prepare calls no libtorch" in said
    assert "50.0%  libtorch_cpu.so" in said
    assert "60.0%  arxiv_core::train::fit" in said
