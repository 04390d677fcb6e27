"""One arm of the bench in a process of its own; prints what it took as JSON.

    python worker.py ARM SOURCE OUT ZSTD_LEVEL

ARM is `polars`, `duckdb`, `reduced` (this library, the peers' job) or `whole` (its default).
The reduced job: parse, keep id, title, abstract and categories, normalise white space, keep the
papers of the physics archives, write zstd Parquet.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from memory import peak_mb

# What ASCII white space is to this library's `clean: whitespace`.
WHITE = "[ \\t\\n\\f\\r]+"
# No other archive's name begins so, and none of them is half of an alias pair.
ARCHIVES = ["astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th"]
ARCHIVES += ["nucl-ex", "nucl-th", "quant-ph"]
PHYSICS = "(?:^| )(?:astro-ph|cond-mat|gr-qc|hep-|nucl-|quant-ph)"
REDUCED = {
    "clean": "whitespace",
    "min_abstract_chars": 0,
    "keep_withdrawn": True,
    "dedup": {"exact": False, "near": False},
    "subset": {"categories": ARCHIVES},
}


@contextmanager
def taken() -> Iterator[dict]:
    """What the block takes: wall-clock seconds, and seconds of all cores together."""
    result: dict = {}
    # Threads that an import started spin for a while before they sleep.
    time.sleep(0.5)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield result
    result["seconds"] = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    result["cpu_seconds"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def polars(source: str, out: str, level: int) -> dict:
    """Lazy and streaming, with a schema, so that nothing is inferred and nothing else kept."""
    import polars as pl

    fields = ("id", "title", "abstract", "categories")
    squeezed = [
        pl.col(name).str.replace_all(WHITE, " ").str.strip_chars(" ")
        for name in ("title", "abstract")
    ]
    with taken() as result:
        (
            pl.scan_ndjson(source, schema=dict.fromkeys(fields, pl.String))
            .filter(pl.col("categories").str.contains(PHYSICS))
            .with_columns(*squeezed, pl.col("categories").str.split(" "))
            .sink_parquet(out, compression="zstd", compression_level=level)
        )
    return result | {"version": pl.__version__}


def duckdb(source: str, out: str, level: int) -> dict:
    """One COPY, with the columns given, so that nothing is inferred and nothing else kept."""
    import duckdb as db

    columns = "{id: 'VARCHAR', title: 'VARCHAR', abstract: 'VARCHAR', categories: 'VARCHAR'}"
    white = "' \t\n\f\r'".replace("\t", "' || chr(9) || '").replace("\n", "' || chr(10) || '")
    white = white.replace("\f", "' || chr(12) || '").replace("\r", "' || chr(13) || '")

    def squeezed(name: str) -> str:
        return f"trim(regexp_replace({name}, '{WHITE}', ' ', 'g'), {white}) AS {name}"

    query = f"""
        COPY (
            SELECT id, {squeezed("title")}, {squeezed("abstract")},
                   string_split(categories, ' ') AS categories
            FROM read_ndjson('{source}', columns = {columns})
            WHERE regexp_matches(categories, '{PHYSICS}')
        ) TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level})
    """
    connection = db.connect()
    # Rows may come in any order: faster, and the check sorts.
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    with taken() as result:
        connection.execute(query)
    return result | {"version": db.__version__}


def ours(source: str, out: str, options: dict) -> dict:
    """The stage; its log line holds the core seconds by step."""
    import logging

    from arxiv_core import _core

    steps: dict[str, float] = {}

    class Steps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name.endswith("corpus.prepare"):
                steps.update(json.loads(record.getMessage().split("by step: ")[1]))

    logging.getLogger().addHandler(Steps())
    logging.getLogger().setLevel(logging.INFO)
    with taken() as result:
        _core.prepare(source, out, json.dumps(options))
    return result | {"steps": steps, "version": _core.__version__}


def main() -> None:
    """Run the arm and print what it took."""
    arm, source, out, level = sys.argv[1:5]
    path = Path(out)
    if arm in {"polars", "duckdb"}:
        path.mkdir(parents=True)
        job = {"polars": polars, "duckdb": duckdb}[arm]
        result = job(source, str(path / "papers.parquet"), int(level))
    else:
        options = REDUCED if arm == "reduced" else {}
        result = ours(source, out, options | {"zstd_level": int(level)})
    result["peak_mb"] = peak_mb()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
