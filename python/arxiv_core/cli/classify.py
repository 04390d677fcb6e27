"""``arxiv-core classify``: papers from flags, a file or standard input to categories."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arxiv_core.cli.failures import UsageError

if TYPE_CHECKING:
    from arxiv_core import Classifier

__all__ = ["register"]

Format = Literal["table", "jsonl", "csv", "parquet"]
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(classify)


def classify(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="Papers with title and abstract as JSON Lines, CSV or Parquet, text also in "
            "gzip or zstd; - is standard input. What it is, its content says.",
        ),
    ] = None,
    *,
    title: Annotated[
        str | None, typer.Option(show_default=False, help="Title of one paper.")
    ] = None,
    abstract: Annotated[
        str | None, typer.Option(show_default=False, help="Abstract of that paper.")
    ] = None,
    primary: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="Category its author declared; always part of the answer."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            show_default=False,
            help="File to write: .jsonl or .csv, each also with .gz or .zst, or .parquet.",
        ),
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            show_default=False,
            help="Otherwise the output's suffix says it; a table on a terminal, JSONL in a pipe.",
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option(min=1, show_default=False, help="Categories a paper; 5 unless --all."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every category, best first.")] = False,
    aliases: Annotated[
        bool, typer.Option("--aliases", help="Write both names of an alias pair: cs.IT=math.IT.")
    ] = False,
    level: Annotated[
        Literal["category", "archive"],
        typer.Option(help="Answer with categories, or with the archives above them."),
    ] = "category",
    distribution: Annotated[
        bool,
        typer.Option("--distribution", help="Shares of the primary category, which add up to one."),
    ] = False,
    min_precision: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            show_default=False,
            help="Assign the best categories that can be expected to be right this often.",
        ),
    ] = None,
    skip: Annotated[
        bool,
        typer.Option("--skip-unreadable", help="Leave out records that cannot be read."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="Model directory or registry:NAME@ALIAS; the default model unless given.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[
        Literal["f32", "bf16"], typer.Option(help="Number format of the encoder.")
    ] = "f32",
) -> None:
    """Classify one paper from flags, or many from a file or standard input.

    arxiv-core classify --title "Attention is all you need" --abstract "The dominant …"

    arxiv-core classify papers.jsonl -o labelled.parquet
    """
    if all_ and top_k is not None:
        raise UsageError("--top-k and --all exclude each other")
    paper = _paper(source, title, abstract, primary)
    target = _target(output, format_)
    if primary is not None and (target.path is not None or target.format == "csv"):
        raise UsageError("--primary is answered as a table or JSONL on standard output only")
    options: dict[str, Any] = {
        "top_k": 5 if top_k is None else top_k,
        "all": all_,
        "aliases": aliases,
        "level": level,
        "distribution": distribution,
        "min_precision": min_precision,
    }
    from arxiv_core import Classifier

    if source not in {None, "-"}:
        _has_bytes(Path(str(source)))
    classifier = Classifier.load(model, device=device, dtype=dtype)
    if paper is not None:
        _one(classifier, paper, target, options)
    else:
        options["on_error"] = "skip" if skip else "fail"
        _many(classifier, str(source), target, options)


@dataclass(frozen=True)
class Target:
    """Where answers go, and as what."""

    path: Path | None
    format: Format


def _paper(
    source: str | None, title: str | None, abstract: str | None, primary: str | None
) -> dict[str, str] | None:
    """Return the one paper given by flags, None where a file is given instead."""
    if source is not None:
        if title is not None or abstract is not None or primary is not None:
            raise UsageError("give either a file or --title and --abstract, not both")
        return None
    if title is None and abstract is None:
        raise UsageError("nothing to classify: give --title and --abstract, a file, or - for stdin")
    if title is None or abstract is None:
        missing = "--title" if title is None else "--abstract"
        raise UsageError(f"{missing} is missing: the model reads title and abstract")
    paper = {"title": title, "abstract": abstract}
    return paper if primary is None else paper | {"primary": primary}


def _target(output: Path | None, asked: Format | None) -> Target:
    if output is None:
        if asked == "parquet":
            raise UsageError("--format parquet needs a file: -o labelled.parquet")
        return Target(None, asked or ("table" if sys.stdout.isatty() else "jsonl"))
    if asked == "table":
        raise UsageError("--format table is for reading on a terminal; leave -o away")
    suffix = _suffix(output)
    chosen = asked or SUFFIXES.get(suffix)
    if chosen is None:
        kind = f"unknown file type {suffix!r}" if suffix else "no suffix says what to write"
        raise UsageError(f"{output}: {kind}; use .jsonl, .csv or .parquet, or say --format")
    return Target(output, chosen)


def _has_bytes(path: Path) -> None:
    """Refuse an empty file: loading a model to learn that it is one would be a waste."""
    from arxiv_core import InputError

    if path.is_fifo() or path.is_char_device() or path.is_socket():
        return  # What is looked at in a stream is gone.
    with path.open("rb") as file:
        if not file.read(1):
            raise InputError(f"{path}: the file is empty")


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix in {".gz", ".zst"} else path.suffix


def _one(
    classifier: Classifier, paper: dict[str, str], target: Target, options: dict[str, Any]
) -> None:
    from arxiv_core import InputError

    try:
        [prediction] = classifier.classify([paper], **options)
    except InputError as error:
        # There is only one paper: its number says nothing.
        raise InputError(str(error).removeprefix("paper 0: ")) from error
    # As a file's lines are.
    answer = {
        "row": 0,
        "id": None,
        "categories": [
            {
                "category": one.category,
                "name": one.name,
                # As many digits as the f32 behind it has.
                "probability": float(f"{one.probability:.7g}"),
                "assigned": one.assigned,
            }
            for one in prediction.categories
        ],
        "truncated": prediction.truncated,
    }
    if target.path is None and target.format == "table":
        from arxiv_core.cli.table import show

        show([answer | {"title": paper["title"]}])
    elif target.path is None and target.format == "jsonl":
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        with tempfile.TemporaryDirectory(prefix="arxiv-core-") as scratch:
            papers = Path(scratch, "paper.jsonl")
            papers.write_text(json.dumps(paper), encoding="utf-8")
            _many(classifier, str(papers), target, options)


def _many(classifier: Classifier, source: str, target: Target, options: dict[str, Any]) -> None:
    from arxiv_core.cli.progress import bars

    table = target.format == "table"
    with tempfile.TemporaryDirectory(prefix="arxiv-core-") as scratch:
        answer = Path(scratch, "answer.jsonl") if table else target.path or Path("-")
        with bars() as progress:
            summary = classifier.classify_file(
                _spooled(source, Path(scratch)),
                answer,
                titles=table,
                format="jsonl" if target.format == "table" else target.format,
                progress=progress,
                **options,
            )
        if table:
            from arxiv_core.cli.table import show

            with answer.open(encoding="utf-8") as lines:
                show(map(json.loads, lines))
    if target.path is not None:
        typer.echo(f"{summary['papers']:,} papers -> {target.path}", err=True)
    if not summary["papers"]:
        typer.echo(f"{source}: no papers in it", err=True)
    if summary["skipped"]:
        first = summary["errors"][0]
        typer.echo(f"{summary['skipped']:,} records could not be read, first: {first}", err=True)


def _spooled(source: str, scratch: Path) -> str:
    """Save what is typed at a terminal to a file, so that Ctrl-C is heard meanwhile."""
    if source != "-" or not sys.stdin.isatty():
        return source
    typer.echo("reading papers from the terminal, one JSON object a line, Ctrl-D ends", err=True)
    typed = scratch / "typed.jsonl"
    typed.write_text(sys.stdin.read(), encoding="utf-8")
    return str(typed)
