"""Writes what is in the prepared data, and what changed since another commit, as Markdown.

    data_statistics.py OUT [BASE]    BASE is any commit that git knows

The figures are those of ``prepare``'s manifest, which counts everything kept and dropped. The
data comes from DVC's remote where there is one, and is made by ``dvc repro prepare`` where there
is none. The base's data is got in a clone of its own that shares this one's DVC cache. The stage
itself is always the one installed: the comparison is between data, not between programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Manifest = Mapping[str, Any]

OBTAIN = Path(__file__).with_name("obtain-data").resolve()
MANIFEST = Path("data/prepared/manifest.json")
SPLITS = ("train", "validation", "test")
MOST_CHANGED = 10


def obtain(repository: Path) -> Manifest:
    """Bring the prepared papers into a working tree, and read their manifest.

    Raises
    ------
    subprocess.CalledProcessError
        They can neither be pulled nor be made.
    """
    _run(repository, str(OBTAIN))
    manifest: Manifest = json.loads((repository / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def at(root: Path, commit: str, work: Path) -> Manifest | None:
    """Read the manifest as it is at another commit; None where that one has no such data."""
    clone = work / "base"
    _run(root, "git", "clone", "--quiet", "--shared", "--no-checkout", ".", str(clone))
    _run(clone, "git", "checkout", "--quiet", "--detach", commit)
    if not (clone / "dvc.yaml").exists():
        return None
    local = clone / ".dvc" / "config.local"
    local.write_text(f"[cache]\n    dir = {root / '.dvc' / 'cache'}\n", encoding="utf-8")
    try:
        return obtain(clone)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"the data of {commit} is not to be had: {error}\n")
        return None


def counts(manifest: Manifest) -> dict[str, int]:
    """List every count, in the order in which they are shown."""
    found = {"lines read": manifest["lines"], "papers kept": manifest["papers"]}
    found |= {f"papers in {split}": manifest["splits"][split]["papers"] for split in SPLITS}
    found["labels"] = len(manifest["labels"])
    found |= {f"dropped: {_words(why)}": count for why, count in manifest["dropped"].items()}
    removed = manifest["removed_labels"]
    found |= {f"labels removed: {_words(why)}": sum(of.values()) for why, of in removed.items()}
    near = manifest["near_duplicates"]
    return found | {f"near-duplicates: {what}": count for what, count in near.items()}


def markdown(head: Manifest, base: Manifest | None, commit: str = "") -> str:
    """Write the report."""
    return "\n".join(["## Data statistics", "", *_report(head, base, commit)]) + "\n"


def _report(head: Manifest, base: Manifest | None, commit: str) -> Iterator[str]:
    if base is None:
        yield f"Nothing to compare with at `{commit}`." if commit else "No base was asked for."
    elif head == base:
        yield f"Nothing changed since `{commit}`."
    else:
        yield from _causes(head, base, commit)
    yield ""
    yield from _table(counts(head), None if base is None else counts(base))
    yield ""
    spans = (
        f"{split} {of['first']} to {of['last']}"
        for split, of in ((split, head["splits"][split]) for split in SPLITS)
        if of["papers"]
    )
    yield f"Submitted: {', '.join(spans)}."
    if base is not None and head["labels"] != base["labels"]:
        yield ""
        yield from _labels(head["labels"], base["labels"])


def _causes(head: Manifest, base: Manifest, commit: str) -> Iterator[str]:
    """Say what of that which decides the output is another."""
    changes = []
    if head["source"] != base["source"]:
        changes.append("another source file")
    for group in ("options", "versions"):
        now, before = _leaves(head[group]), _leaves(base[group])
        changes += [
            f"`{key}`: {_shown(before.get(key))} → {_shown(now.get(key))}"
            for key in sorted(now.keys() | before.keys())
            if now.get(key) != before.get(key)
        ]
    yield f"Changed since `{commit}`: " + ("; ".join(changes) or "only the counts") + "."


def _table(head: Mapping[str, int], base: Mapping[str, int] | None) -> Iterator[str]:
    if base is None:
        yield "| | papers |"
        yield "|---|---:|"
        yield from (f"| {name} | {count:,} |" for name, count in head.items() if count)
        return
    yield "| | now | before | change |"
    yield "|---|---:|---:|---:|"
    for name in [*head, *(name for name in base if name not in head)]:
        now, before = head.get(name, 0), base.get(name, 0)
        if now or before:
            change = f"{now - before:+,}" if now != before else ""
            yield f"| {name} | {now:,} | {before:,} | {change} |"


def _labels(head: Mapping[str, list[int]], base: Mapping[str, list[int]]) -> Iterator[str]:
    """Show the labels whose number of papers changed most."""
    now, before = ({label: sum(of) for label, of in labels.items()} for labels in (head, base))
    changes = {label: now.get(label, 0) - before.get(label, 0) for label in now.keys() | before}
    ranked = sorted(changes.items(), key=lambda one: (-abs(one[1]), one[0]))
    most = [
        f"{label} {change:+,} ({before.get(label, 0):,} → {now.get(label, 0):,})"
        for label, change in ranked[:MOST_CHANGED]
        if change
    ]
    yield f"Labels with the largest change: {', '.join(most) or 'none; papers changed split'}."
    for what, names in (("new", now.keys() - before), ("gone", before.keys() - now)):
        if names:
            yield f"Labels {what}: {', '.join(sorted(names))}."


def _leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _leaves(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _words(key: str) -> str:
    return key.replace("_", " ")


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)


def _run(where: Path, *command: str) -> None:
    # What the tools say is log, and goes where logs go.
    subprocess.run(command, cwd=where, check=True, stdout=sys.stderr.fileno())


def main(out: Path, commit: str = "") -> None:
    """Write the report of the working tree that this is run in."""
    root = Path.cwd()
    try:
        head = obtain(root)
    except subprocess.CalledProcessError as error:
        sys.exit(f"the data can neither be pulled nor be made: {error}")
    with tempfile.TemporaryDirectory() as work:
        base = at(root, commit, Path(work)) if commit else None
    report = markdown(head, base, commit)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report, encoding="utf-8")
    sys.stdout.write(report)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
