"""Writes the tables of README, docs/cleaning.md and docs/performance.md from benches/results.

    python benches/readme.py [--check]

Below the table stand the commands that remake the files, and each file's commits and machines.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benches" / "results"
# As benches/provenance.py names them, widest first.
PROCESSORS = {"avx512_bf16": "AVX-512 bf16", "avx512f": "AVX-512", "avx2": "AVX2", "other": "other"}
RESULTS_MARK = "results: written by `make readme` from benches/results"


def prepare(result: dict) -> Iterator[tuple[str, str, str, str]]:
    arms = result["arms"]
    peer = max(("polars", "duckdb"), key=lambda name: arms[name]["mb_per_second"])
    theirs = f"{_rate(arms[peer])} ({peer})"
    for arm, what in (
        ("reduced", "Prepare, the job the peers can do too"),
        ("whole", "Prepare with cleaning, near-duplicates and splits; peer as above"),
    ):
        ratio = f"{result[f'{arm}_times_faster_peer']:.2f} ×"
        if rounds := result.get(f"{arm}_times_faster_peer_by_round"):
            ratio += f" (by round {min(rounds):.2f} to {max(rounds):.2f})"
        yield what, _rate(arms[arm]), theirs, ratio


def _rate(arm: dict) -> str:
    return (
        f"{arm['mb_per_second']:.0f} MB/s, peak {arm['peak_mb']:.0f} MB, "
        f"writes {arm['output_mb']:.0f} MB"
    )


def encode(result: dict) -> Iterator[tuple[str, str, str, str]]:
    for length in (256, 512):
        arms = result[f"at_{length}"]
        theirs = f"{arms['peer']['papers_per_second']:.1f} papers/s (sentence-transformers, f32)"
        for arm in ("f32", "bf16"):
            if arm not in arms:
                continue
            ours = f"{arms[arm]['papers_per_second']:.1f} papers/s"
            ratio = f"{arms[arm]['times_peer']:.2f} ×"
            yield f"Encode, {arm}, {length} tokens", ours, theirs, ratio
    start = result.get("start_to_first_answer", {})
    for arm, what in (
        ("f32", "Process start to first embedding"),
        ("classifier", "Process start to first classified paper; peer only embeds it"),
    ):
        if arm not in start:
            continue
        ours, theirs = start[arm], start["peer"]
        yield (
            what,
            f"{ours['seconds']:.2f} s, {ours['peak_mb']:.0f} MB",
            f"{theirs['seconds']:.2f} s, {theirs['peak_mb']:.0f} MB (sentence-transformers)",
            f"{theirs['seconds'] / ours['seconds']:.1f} ×",
        )


def head(result: dict) -> Iterator[tuple[str, str, str, str]]:
    arms = result["arms"]
    size = f"{result['papers']:,} × {result['hidden']} × {result['labels']}"
    ours = arms["ours"]["seconds"]
    for peer, what in (("sklearn", "its default"), ("sklearn, n_jobs=2", "n_jobs=2")):
        theirs = arms[peer]["seconds"]
        yield (
            f"Logistic regression, papers × values × labels {size}",
            f"{ours:.2f} s",
            f"{theirs:.1f} s (scikit-learn one-vs-rest, {what})",
            f"{theirs / ours:.1f} ×",
        )


SHARES = (("at_50%", "half"), ("at_90%", "nine tenths"))
"""Shares of a service's own throughput by their names in results, and in words."""


def serve(result: dict) -> Iterator[tuple[str, str, str, str]]:
    arms = result["arms"]
    peer = arms["peer"]
    name = "(FastAPI, sentence-transformers, scikit-learn; f32)"
    clients = f"{result['clients']} clients with one paper each"
    for arm in ("f32", "bf16"):
        if arm not in arms:
            continue
        ours = arms[arm]
        shares = [one["per_second"] / one["offline"] for one in ours["runs"]]
        yield (
            f"Service, {arm}, {clients}",
            f"{ours['per_second']:.1f} papers/s, {ours['share_of_offline']:.0%} of offline "
            f"(by round {min(shares):.0%} to {max(shares):.0%})",
            f"{peer['per_second']:.1f} papers/s {name}",
            _times(ours, peer),
        )
        for load, what in SHARES:
            yield (
                f"Service, {arm}, latency at {what} of its own throughput: p50, p95, p99",
                _latency(ours["latency"][load]),
                f"{_latency(peer['latency'][load])} at that share of its own",
                "",
            )
        if "at_peers_90%" in ours["latency"]:
            yield (
                f"Service, {arm}, latency at the peer's nine tenths, the same rate: p50, p95, p99",
                _latency(ours["latency"]["at_peers_90%"]),
                _latency(peer["latency"]["at_90%"]),
                "",
            )
        if bento := arms.get(f"bentoml-{arm}"):
            yield from _bentoml(arm, clients, ours, bento)
    yield from _embeddings(result)


def _times(ours: dict, theirs: dict) -> str:
    pairs = zip(ours["runs"], theirs["runs"], strict=True)
    rounds = [mine["per_second"] / other["per_second"] for mine, other in pairs]
    ratio = ours["per_second"] / theirs["per_second"]
    return f"{ratio:.2f} × (by round {min(rounds):.2f} to {max(rounds):.2f})"


def _bentoml(
    arm: str, clients: str, ours: dict, bento: dict
) -> Iterator[tuple[str, str, str, str]]:
    yield (
        f"Service, {arm}, {clients}, and the same classifier in BentoML",
        f"{ours['per_second']:.1f} papers/s",
        f"{bento['per_second']:.1f} papers/s (BentoML, {arm})",
        _times(ours, bento),
    )
    for load, what in (
        ("full", "with these clients"),
        ("at_50%", "at half of its own"),
        ("at_90%", "at nine tenths of its own"),
    ):
        if load not in bento["latency"]:
            continue
        yield (
            f"Service, {arm}, latency {what}: p50, p95, p99",
            _latency(ours["latency"][load]),
            f"{_latency(bento['latency'][load])} (BentoML, {arm})",
            "",
        )


def _embeddings(result: dict) -> Iterator[tuple[str, str, str, str]]:
    arms = result.get("embeddings", {})
    for arm in ("f32", "bf16"):
        if arm not in arms:
            continue
        ours, theirs = arms[arm], arms["infinity"]
        engine = f"Infinity, {result['infinity']['engine']}, {result['infinity']['dtype']}"
        yield (
            f"Embeddings service, {arm}, {result['clients']} clients with one text each",
            f"{ours['per_second']:.1f} texts/s",
            f"{theirs['per_second']:.1f} texts/s ({engine})",
            _times(ours, theirs),
        )
        yield (
            f"Embeddings service, {arm}, latency with these clients: p50, p95, p99",
            _latency(ours["latency"]["full"]),
            f"{_latency(theirs['latency']['full'])} ({engine})",
            "",
        )
        for load, what in SHARES:
            if load in ours["latency"]:
                yield (
                    f"Embeddings service, {arm}, latency at {what} of its own throughput: "
                    "p50, p95, p99",
                    _latency(ours["latency"][load]),
                    f"{_latency(theirs['latency'][load])} at that share of its own ({engine})",
                    "",
                )


def serve_memory(result: dict) -> Iterator[tuple[str, str, str, str]]:
    yield (
        f"Service, resident memory after {result['early_requests']:,} and "
        f"{result['requests']:,} requests",
        f"{result['early_mb']:.0f} MB, {result['late_mb']:.0f} MB",
        "",
        f"{result['ratio']:.3f} ×",
    )


def _latency(cuts: dict) -> str:
    return ", ".join(f"{cuts[cut] * 1000:.0f}" for cut in ("p50", "p95", "p99")) + " ms"


def quality(result: dict) -> Iterator[tuple[str, str, str, str]]:
    for table, fitted in (
        ("reported", "Default model's recipe fitted before 2016-01, papers of 2016-04 to 2016-06"),
        ("today", "Default model, papers of 2025-11 to 2025-12"),
    ):
        rows = result["tables"].get(table, {})
        if "arxiv-core" not in rows:
            continue
        ours = rows["arxiv-core"]
        peers = [name for name in ("tfidf", "minilm") if name in rows]
        for key, what in (
            ("micro_f1", "micro-F1"),
            ("macro_f1", f"macro-F1 of {ours['macro_labels']} labels with 10 positives"),
            ("precision_at_1", "P@1"),
            ("recall_at_5", "recall@5"),
        ):
            theirs = ", ".join(f"{rows[name][key]:.3f} ({name})" for name in peers)
            low, high = ours["intervals"][key]
            value = f"{ours[key]:.3f} ({low:.3f} to {high:.3f})"
            yield f"{fitted}: {what}", value, theirs or "not measured yet", ""


def derived(result: dict) -> Iterator[tuple[str, str, str, str]]:
    found = result["evaluation"]
    figures = ", ".join(
        f"{what} {found[key]:.3f}"
        for key, what in (
            ("micro_f1", "micro-F1"),
            ("macro_f1", "macro-F1"),
            ("precision_at_1", "P@1"),
            ("recall_at_5", "recall@5"),
        )
    )
    what = f"The same files through `Classifier.load()`, {result['dtype']}"
    yield f"{what}, {result['papers']:,} papers of 2025-11 to 2025-12", figures, "", ""


TABLES = {
    "quality": quality,
    "derived": derived,
    "prepare": prepare,
    "encode": encode,
    "head": head,
    "serve": serve,
    "serve-memory": serve_memory,
}


def table() -> str:
    """The whole block between the markers."""
    lines = ["| | arxiv-core | peer | ratio |", "|---|---|---|---|"]
    sources = []
    for name, rows in TABLES.items():
        for path, processor in _files(name):
            result = json.loads(path.read_text(encoding="utf-8"))
            for what, *figures in rows(result):
                row = [f"{what}{f'; {PROCESSORS[processor]}' if processor else ''}", *figures]
                lines.append(f"| {' | '.join(row)} |")
            sources += [f"`{path.stem}` {made}" for made in _made(result)]
    if not sources:
        return ""
    return (
        "\n".join(
            [
                *lines,
                "",
                f"Written by `make bench` and `make default-model`. {'; '.join(sources)}.",
            ]
        )
        + "\n"
    )


def _files(name: str) -> list[tuple[Path, str]]:
    """Result files of a bench, each with its kind of processor where kinds have their own."""
    whole = RESULTS / f"{name}.json"
    if whole.exists():
        return [(whole, "")]
    own = [(RESULTS / f"{name}-{processor}.json", processor) for processor in PROCESSORS]
    return [(path, processor) for path, processor in own if path.exists()]


def _made(result: dict) -> list[str]:
    """Commits and machines of a result; rows may have their own."""
    rows = [row for table in result.get("tables", {}).values() for row in table.values()]
    found = [result | row for row in rows] or [result]
    return list(
        dict.fromkeys(
            f"at {one['commit']}: {', '.join(str(value) for value in one['machine'].values())}"
            for one in found
        )
    )


def steps() -> str:
    """Core seconds by step of `prepare`."""
    arms = _read("prepare").get("arms", {})
    if not arms:
        return ""
    reduced, whole = (arms[arm]["core_seconds_by_step"] for arm in ("reduced", "whole"))
    rows = [f"| {step} | {reduced[step]:.2f} | {whole[step]:.2f} |" for step in whole]
    head = ["| step | the peers' job | the whole stage |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + _of("prepare")


def pack() -> str:
    """What zstd's settings make of pages of abstracts."""
    settings = _read("pack").get("settings", {})
    rows = [
        f"| {name} | {one['mb_per_second']:.0f} | {one['ratio']:.2f} |"
        for name, one in settings.items()
    ]
    head = ["| zstd | MB/s of one core | ratio |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + _of("pack")


def parts() -> str:
    """What the parts of a layer cost."""
    figures = _read("parts").get("parts", {})
    if not figures:
        return ""
    rows = [[part, *(one[part] for one in figures.values())] for part in figures["f32"]]
    rows.append(["together", *(sum(one.values()) for one in figures.values())])
    lines = [f"| {name} | {' | '.join(f'{value:.1f}' for value in own)} |" for name, *own in rows]
    head = [f"| part | {' | '.join(figures)} |", f"|---|{'---|' * len(figures)}"]
    return "\n".join([*head, *lines]) + _of("parts")


def cleaning() -> str:
    """What cleaning does to texts and to scores."""
    found = _read("cleaning")
    if not found:
        return ""
    papers, pieces = found["papers"], found["word_pieces"]
    lines = [
        "| | raw | cleaned | difference (95 %) |",
        "|---|---|---|---|",
        f"| word pieces a paper | {pieces['raw']['a_paper']:.1f} | "
        f"{pieces['cleaned']['a_paper']:.1f} | |",
    ]
    for length in ("256", "512"):
        over = [pieces[arm]["papers_over"][length] for arm in ("raw", "cleaned")]
        lines.append(f"| papers over {length} word pieces | {over[0]:.1%} | {over[1]:.1%} | |")
    names = {"micro_f1": "micro-F1", "macro_f1": "macro-F1"}
    names |= {"precision_at_1": "P@1", "recall_at_5": "recall@5"}
    for key, name in names.items():
        raw, cleaned = (found["figures"][arm][key] for arm in ("raw", "cleaned"))
        low, high = found["difference_95"][key]
        spread = max(max(arm) - min(arm) for arm in (raw, cleaned))
        raw, cleaned = (sum(arm) / len(arm) for arm in (raw, cleaned))
        lines.append(
            f"| {name} (over seeds, at most {spread:.4f} apart) | {raw:.4f} | {cleaned:.4f} | "
            f"{cleaned - raw:+.4f} ({low:+.4f} to {high:+.4f}) |"
        )
    changed = found["micro_f1_of_changed_test_papers"]
    lines.append(
        f"| micro-F1 of papers that cleaning changes | {changed['raw']:.4f} | "
        f"{changed['cleaned']:.4f} | {changed['cleaned'] - changed['raw']:+.4f} |"
    )
    return "\n".join(lines) + (
        f"\n\n{papers['train']:,} papers from {found['from']} on to fit to, "
        f"{papers['validation']:,} for thresholds, "
        f"{papers['test']:,} to test on, {found['labels']} labels; cleaning changes "
        f"{found['papers_changed']:.0%} of the papers by more than white space. "
        f"{len(found['seeds'])} seeds. At {found['commit']}.\n"
    )


def _of(name: str) -> str:
    """The line below a table that says what processor it is of."""
    return f"\n\nProcessor: {PROCESSORS[_files(name)[0][1]]}.\n"


def _read(name: str) -> dict:
    """The figures of a bench, of the widest processor there are some for."""
    found = _files(name)
    return json.loads(found[0][0].read_text(encoding="utf-8")) if found else {}


BLOCKS = {
    ROOT / "README.md": {RESULTS_MARK: table},
    ROOT / "docs" / "cleaning.md": {"cleaning": cleaning},
    ROOT / "docs" / "performance.md": {"steps": steps, "pack": pack, "parts": parts},
}


def main() -> None:
    """Write the blocks, or only compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where a file differs")
    options = parser.parse_args()
    for path, blocks in BLOCKS.items():
        text = written = path.read_text(encoding="utf-8")
        for mark, content in blocks.items():
            begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark.split(':')[0]} -->"
            before, rest = written.split(begin)
            written = f"{before}{begin}{content()}{end}{rest.split(end)[1]}"
        if not options.check:
            path.write_text(written, encoding="utf-8")
        elif written != text:
            sys.exit(f"{path.name} differs from benches/results: make readme")


if __name__ == "__main__":
    main()
