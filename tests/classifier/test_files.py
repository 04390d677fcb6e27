"""Whole files, read and written against json, csv and pyarrow."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from arxiv_core import Classifier, InputError, OptionError

Papers = list[dict[str, str]]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def expected(classifier: Classifier, papers: Papers) -> Rows:
    """What every output must hold."""
    return [
        {
            "row": row,
            "id": paper["id"],
            "categories": [
                {
                    "category": one.category,
                    "name": one.name,
                    "probability": one.probability,
                    "assigned": one.assigned,
                }
                for one in prediction.categories
            ],
            "truncated": prediction.truncated,
        }
        for row, (paper, prediction) in enumerate(
            zip(papers, classifier.classify(papers), strict=True)
        )
    ]


def lines(papers: Papers) -> str:
    # An unused column, escaped characters and keys in any order must not matter.
    return "".join(
        json.dumps({"x": [1], **dict(reversed(paper.items()))}) + "\n" for paper in papers
    )


def write(path: Path, papers: Papers) -> Path:
    name = path.name
    if name.endswith(".jsonl"):
        path.write_text(lines(papers), encoding="utf-8")
    elif name.endswith(".jsonl.gz"):
        path.write_bytes(gzip.compress(lines(papers).encode()))
    elif name.endswith(".jsonl.zst"):
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow writes zstd")
        with pyarrow.output_stream(path, compression="zstd") as stream:
            stream.write(lines(papers).encode())
    elif name.endswith(".json"):
        path.write_text(json.dumps(papers, ensure_ascii=False, indent=2), encoding="utf-8")
    elif name.endswith(".csv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["abstract", "id", "title"])
            writer.writeheader()
            writer.writerows(papers)
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow writes Parquet")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(papers), path)
    return path


def read(path: Path) -> Rows:
    name = path.name
    if name.endswith(".parquet"):
        parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow reads Parquet")
        return parquet.read_table(path).to_pylist()  # type: ignore[no-any-return]
    data = path.read_bytes()
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    elif name.endswith(".zst"):
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow reads zstd")
        with pyarrow.input_stream(path, compression="zstd") as stream:
            data = stream.read()
    text = data.decode()
    if ".csv" in name:
        return list(csv.DictReader(io.StringIO(text)))
    return [json.loads(line) for line in text.splitlines()]


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def same(rows: Rows, expected: Rows) -> None:
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert {**row, "categories": None} == {**wanted, "categories": None}
        assert len(row["categories"]) == len(wanted["categories"])
        for one, other in zip(row["categories"], wanted["categories"], strict=True):
            assert one.pop("probability") == pytest.approx(other["probability"], abs=1e-6)
            assert one == {key: other[key] for key in ("category", "name", "assigned")}


@pytest.mark.parametrize(
    "source", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.json", "a.csv", "a.parquet"]
)
def test_every_input_is_read_in_order(
    classifier: Classifier, papers: Papers, expected: Rows, tmp_path: Path, source: str
) -> None:
    target = tmp_path / "out.jsonl"
    summary = classifier.classify_file(write(tmp_path / source, papers), target, chunk=7)
    assert summary == {
        "input": str(tmp_path / source),
        "output": str(target),
        "papers": len(papers),
        "truncated": sum(row["truncated"] for row in expected),
        "skipped": 0,
        "errors": [],
    }
    same(read(target), expected)
    assert listed(tmp_path) == sorted([source, "out.jsonl"])


@pytest.mark.parametrize("target", ["o.jsonl", "o.jsonl.gz", "o.jsonl.zst", "o.parquet"])
def test_every_output_holds_the_predictions(
    classifier: Classifier, papers: Papers, expected: Rows, tmp_path: Path, target: str
) -> None:
    classifier.classify_file(write(tmp_path / "a.jsonl", papers), tmp_path / target, chunk=25)
    same(read(tmp_path / target), expected)


@pytest.mark.parametrize("target", ["o.csv", "o.csv.gz", "o.csv.zst"])
def test_csv_has_a_row_a_paper_and_lists_separated_by_blanks(
    classifier: Classifier, papers: Papers, expected: Rows, tmp_path: Path, target: str
) -> None:
    classifier.classify_file(write(tmp_path / "a.jsonl", papers), tmp_path / target)
    rows = read(tmp_path / target)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        categories = wanted["categories"]
        assert row["row"] == str(wanted["row"])
        assert row["id"] == wanted["id"]
        assert row["categories"].split() == [one["category"] for one in categories]
        assert [float(text) for text in row["probabilities"].split()] == pytest.approx(
            [one["probability"] for one in categories], abs=1e-6
        )
        assert row["assigned"].split() == [one["category"] for one in categories if one["assigned"]]
        assert row["truncated"] == str(wanted["truncated"]).lower()


def test_options_are_those_of_classify(
    classifier: Classifier, papers: Papers, tmp_path: Path
) -> None:
    source, target = write(tmp_path / "a.csv", papers), tmp_path / "o.jsonl"
    options: dict[str, Any] = {"all": True, "level": "archive", "distribution": True}
    classifier.classify_file(source, target, **options)
    for row, prediction in zip(read(target), classifier.classify(papers, **options), strict=True):
        names = [one["category"] for one in row["categories"]]
        assert names == [one.category for one in prediction.categories]
        assert sum(one["probability"] for one in row["categories"]) == pytest.approx(1, abs=1e-5)


def test_numbers_and_nothing_are_ids_too(classifier: Classifier, tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "o.jsonl"
    papers: list[dict[str, Any]] = [{"id": 2301.5}, {"id": 7}, {"id": None}, {}]
    source.write_text("\n".join(json.dumps({"title": "", "abstract": "", **p}) for p in papers))
    classifier.classify_file(source, target)
    assert [row["id"] for row in read(target)] == ["2301.5", "7", None, None]


def test_parquet_columns_of_other_string_types_are_read(
    classifier: Classifier, papers: Papers, expected: Rows, tmp_path: Path
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist(papers)
    text = pyarrow.large_string()
    table = table.set_column(1, "title", table["title"].cast(text))
    table = table.set_column(2, "abstract", table["abstract"].dictionary_encode())
    for compression in ("none", "snappy", "gzip", "lz4", "zstd"):
        source = tmp_path / f"{compression}.parquet"
        parquet.write_table(table, source, compression=compression, row_group_size=17)
        classifier.classify_file(source, tmp_path / "o.jsonl", chunk=10)
        same(read(tmp_path / "o.jsonl"), json.loads(json.dumps(expected)))
    number = tmp_path / "number.parquet"
    parquet.write_table(pyarrow.table({"title": [1], "abstract": ["A"]}), number)
    with pytest.raises(InputError, match=r'number\.parquet: field "title": a column of Int64'):
        classifier.classify_file(number, tmp_path / "o.jsonl")
    missing = tmp_path / "missing.parquet"
    parquet.write_table(pyarrow.table({"title": ["T"]}), missing)
    with pytest.raises(InputError, match=r'missing\.parquet: field "abstract": no such column'):
        classifier.classify_file(missing, tmp_path / "o.jsonl")
    null = tmp_path / "null.parquet"
    parquet.write_table(pyarrow.table({"title": ["T", None], "abstract": ["A", "A"]}), null)
    with pytest.raises(InputError, match=r'null\.parquet: row 1: field "title": null'):
        classifier.classify_file(null, tmp_path / "o.jsonl")


BAD = """{"id":"a","title":"T","abstract":"A"}
{"id":"b","title":"T"}

nonsense
{"title":"","abstract":""}
"""


def test_a_bad_line_fails_with_its_place_and_leaves_the_output_alone(
    classifier: Classifier, tmp_path: Path
) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "o.jsonl"
    source.write_text(BAD)
    target.write_text("earlier")
    with pytest.raises(InputError, match=r'a\.jsonl:2: field "abstract": missing or null'):
        classifier.classify_file(source, target, chunk=1)
    assert target.read_text() == "earlier"
    assert listed(tmp_path) == ["a.jsonl", "o.jsonl"]


def test_bad_lines_can_be_skipped_and_are_counted(classifier: Classifier, tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "o.jsonl"
    source.write_text(BAD)
    summary = classifier.classify_file(source, target, on_error="skip")
    assert (summary["papers"], summary["skipped"]) == (2, 2)
    assert 'a.jsonl:2: field "abstract"' in summary["errors"][0]
    assert "a.jsonl:4: not a JSON object" in summary["errors"][1]
    # The rows say where in the input the papers were.
    assert [(row["row"], row["id"]) for row in read(target)] == [(0, "a"), (3, None)]


def test_a_descriptor_is_written_at_its_end_and_shared_memory_is_a_folder(
    classifier: Classifier, papers: Papers, tmp_path: Path
) -> None:
    source = write(tmp_path / "papers.jsonl", papers[:2])
    with (tmp_path / "all.jsonl").open("a", encoding="utf-8") as shared:
        shared.write("before\n")
        shared.flush()
        classifier.classify_file(source, f"/proc/self/fd/{shared.fileno()}", format="jsonl")
    found = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert found[0] == "before"
    assert len(found) == 3
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        classifier.classify_file(source, Path(folder) / "out.jsonl")
        assert len(read(Path(folder) / "out.jsonl")) == 2


def test_what_a_link_points_to_is_written_and_keeps_its_mode(
    classifier: Classifier, papers: Papers, tmp_path: Path
) -> None:
    source = write(tmp_path / "papers.jsonl", papers[:2])
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    real.write_text("before", encoding="utf-8")
    real.chmod(0o600)
    link.symlink_to(real)
    classifier.classify_file(source, link)
    assert link.is_symlink()
    assert len(real.read_text(encoding="utf-8").splitlines()) == 2
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("target", ["o.jsonl", "o.csv", "o.parquet", "o.jsonl.gz"])
def test_nothing_in_is_nothing_out_in_the_outputs_own_form(
    classifier: Classifier, tmp_path: Path, target: str
) -> None:
    (tmp_path / "empty.jsonl").touch()
    summary = classifier.classify_file(tmp_path / "empty.jsonl", tmp_path / target)
    assert summary["papers"] == 0
    assert read(tmp_path / target) == []


def test_what_cannot_be_opened_is_said(classifier: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(BAD)
    with pytest.raises(FileNotFoundError, match="absent"):
        classifier.classify_file(tmp_path / "absent.jsonl", tmp_path / "o.jsonl")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        classifier.classify_file(source, tmp_path / "nowhere" / "o.jsonl")
    with pytest.raises(OSError, match="directory"):
        classifier.classify_file(tmp_path, tmp_path / "o.jsonl")
    with pytest.raises(OptionError, match=r"must end in \.jsonl"):
        classifier.classify_file(source, tmp_path / "o.xlsx")
    with pytest.raises(OptionError, match="is the input itself"):
        classifier.classify_file(source, source)
    assert source.read_text() == BAD


def test_progress_knows_how_many_papers_there_are(
    classifier: Classifier, papers: Papers, tmp_path: Path
) -> None:
    events: list[dict[str, Any]] = []
    source = write(tmp_path / "a.jsonl", papers)
    classifier.classify_file(source, tmp_path / "o.jsonl", progress=events.append)
    assert events[-1]["done"] == events[-1]["total"] == len(papers)
    assert {event["unit"] for event in events} == {"papers"}


def test_an_interrupted_run_leaves_nothing(
    classifier: Classifier, papers: Papers, tmp_path: Path
) -> None:
    def stop(_: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    source = write(tmp_path / "a.jsonl", papers * 100)
    with pytest.raises(KeyboardInterrupt):
        classifier.classify_file(source, tmp_path / "o.jsonl", progress=stop)
    assert listed(tmp_path) == ["a.jsonl"]


def test_standard_streams_carry_json_lines(tiny_model: Any, papers: Papers, expected: Rows) -> None:
    program = (
        "import sys; from arxiv_core import Classifier; "
        "Classifier.load(sys.argv[1], device='cpu').classify_file('-', '-')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tiny_model.model)],
        input=gzip.compress(lines(papers).encode()),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    same([json.loads(line) for line in done.stdout.splitlines()], json.loads(json.dumps(expected)))
