"""Classifying as a user does: the command in a process of its own, on a model trained here."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core.cli import app
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import Command, SampleRun

PAPER = {
    "title": "Attention is all you need",
    "abstract": "The dominant sequence transduction models are based on complex recurrent or "
    "convolutional neural networks. We propose the Transformer.",
}
FLAGS = ["--title", PAPER["title"], "--abstract", PAPER["abstract"]]


@pytest.fixture
def model(sample_run: SampleRun) -> list[str]:
    return ["--model", str(sample_run.package), "--device", "cpu"]


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    path = tmp_path / "papers.jsonl"
    lines = [PAPER | {"id": f"2401.0000{n}"} for n in range(3)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_paper_from_flags_is_one_line_in_a_pipe(command: Command, model: list[str]) -> None:
    run = command("classify", *FLAGS, *model)
    assert (run.returncode, run.stderr) == (0, "")
    [answer] = lines(run.stdout)
    assert len(answer["categories"]) == 5
    assert answer["truncated"] is False
    assert set(answer["categories"][0]) == {"category", "name", "probability", "assigned"}
    probabilities = [one["probability"] for one in answer["categories"]]
    assert probabilities == sorted(probabilities, reverse=True)


def test_a_paper_from_flags_has_the_fields_of_one_from_a_file(
    command: Command, model: list[str], papers: Path
) -> None:
    [from_flags] = lines(command("classify", *FLAGS, *model).stdout)
    from_file = lines(command("classify", str(papers), *model).stdout)[0]
    assert list(from_flags) == list(from_file)
    assert (from_flags["row"], from_flags["id"]) == (0, None)
    for ours, theirs in zip(from_flags["categories"], from_file["categories"], strict=True):
        assert ours == theirs | {"probability": pytest.approx(theirs["probability"], abs=1e-5)}


def test_a_paper_without_a_title_has_a_table_too(command: Command, model: list[str]) -> None:
    flags = ["--title", "", "--abstract", "We prove a theorem about rings."]
    run = command("classify", *flags, *model, "--format", "table")
    assert run.returncode == 0, run.stderr
    assert "paper 1" in run.stdout


def test_a_title_that_is_no_unicode_is_named(command: Command, model: list[str]) -> None:
    run = command("classify", "--title", os.fsdecode(b"caf\xe9"), "--abstract", "Rings.", *model)
    assert run.returncode == 1
    assert "field 'title': character 3 is half a surrogate pair" in run.stderr
    assert "paper 0" not in run.stderr


def test_a_terminal_gets_a_table(command: Command, model: list[str]) -> None:
    run = command("classify", *FLAGS, *model, "--format", "table", "--top-k", "2", COLUMNS="100")
    assert run.returncode == 0
    assert PAPER["title"] in run.stdout
    assert "assigned" in run.stdout


def test_every_way_to_ask_changes_the_answer_as_named(model: list[str]) -> None:
    def answer(*options: str) -> list[dict[str, Any]]:
        run = CliRunner().invoke(app, ["classify", *FLAGS, *model, *options])
        assert run.exit_code == 0, run.stderr
        categories: list[dict[str, Any]] = lines(run.stdout)[0]["categories"]
        return categories

    everything = answer("--all")
    assert len(everything) >= 12
    assert answer("--top-k", "2") == everything[:2]
    archives = answer("--all", "--level", "archive")
    assert len(archives) < len(everything)
    assert not any("." in one["category"] for one in archives)
    shares = answer("--all", "--distribution")
    assert sum(one["probability"] for one in shares) == pytest.approx(1, abs=1e-4)
    assert {one["category"] for one in answer("--all", "--aliases")} >= {"cs.IT=math.IT"}
    last = everything[-1]["category"]
    assert answer("--top-k", "2", "--primary", last)[-1]["category"] == last


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".jsonl.gz"])
def test_a_file_becomes_a_file(
    command: Command, model: list[str], papers: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"labelled{suffix}"
    run = command("classify", str(papers), "-o", str(output), *model)
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    assert "3 papers" in run.stderr
    if suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
        assert parquet.read_table(output)["id"].to_pylist()[2] == "2401.00002"
        return
    raw = output.read_bytes()
    text = (gzip.decompress(raw) if suffix.endswith(".gz") else raw).decode()
    rows = list(csv.DictReader(io.StringIO(text))) if suffix == ".csv" else lines(text)
    assert [row["id"] for row in rows] == ["2401.00000", "2401.00001", "2401.00002"]


def test_a_named_format_overrules_the_suffix(
    command: Command, model: list[str], papers: Path, tmp_path: Path
) -> None:
    output = tmp_path / "labels.txt"
    run = command("classify", str(papers), "-o", str(output), "--format", "csv", *model)
    assert run.returncode == 0, run.stderr
    assert output.read_text().startswith("row,id,")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.txt", "papers.jsonl"]


def test_the_input_is_not_overwritten_whatever_the_format(
    command: Command, model: list[str], papers: Path
) -> None:
    before = papers.read_text()
    source = papers.rename(papers.with_suffix(".json"))
    run = command("classify", str(source), "-o", str(source), "--format", "jsonl", *model)
    assert run.returncode == 2
    assert "is the input itself" in run.stderr
    assert source.read_text() == before


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_pipe_is_read_and_written_and_stays_a_pipe(
    command: Command, model: list[str], papers: Path, tmp_path: Path, form: str
) -> None:
    source, output = tmp_path / "source.pipe", tmp_path / "output.pipe"
    os.mkfifo(source)
    os.mkfifo(output)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(source.write_bytes, papers.read_bytes())
        written = pool.submit(output.read_bytes)
        run = command("classify", str(source), "-o", str(output), "--format", form, *model)
        assert run.returncode == 0, run.stderr
        assert "3 papers" in run.stderr
        start = {"jsonl": b'{"row":0,', "csv": b"row,id,", "parquet": b"PAR1"}[form]
        assert written.result(60).startswith(start)
    assert output.is_fifo()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_goes_to_standard_output(
    command: Command, model: list[str], papers: Path, form: str
) -> None:
    run = command("classify", str(papers), "--format", form, *model)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) == (3 if form == "jsonl" else 4)


def test_standard_input_is_read(command: Command, model: list[str], papers: Path) -> None:
    run = command("classify", "-", *model, stdin=papers.read_text())
    assert run.returncode == 0, run.stderr
    assert len(lines(run.stdout)) == 3


def test_csv_is_read_from_standard_input(command: Command, model: list[str], papers: Path) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["title", "abstract"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines(papers.read_text()))
    run = command("classify", "-", *model, stdin=text.getvalue())
    assert run.returncode == 0, run.stderr
    assert len(lines(run.stdout)) == 3


@pytest.mark.parametrize("form", ["lines", "array", "mark", "gzip"])
def test_a_table_has_the_titles_whatever_the_file_is(
    command: Command, model: list[str], papers: Path, form: str
) -> None:
    text = papers.read_text()
    papers.write_bytes(
        {
            "lines": text.encode(),
            "array": json.dumps(lines(text)).encode(),
            "mark": text.encode("utf-8-sig"),
            "gzip": gzip.compress(text.encode()),
        }[form]
    )
    run = command("classify", str(papers), "--format", "table", *model)
    assert run.returncode == 0, run.stderr
    for paper in lines(text):
        assert paper["title"][:30] in run.stdout


def test_one_paper_can_go_to_a_file_too(command: Command, model: list[str], tmp_path: Path) -> None:
    output = tmp_path / "one.csv"
    run = command("classify", *FLAGS, "-o", str(output), *model)
    assert run.returncode == 0, run.stderr
    assert len(output.read_text().splitlines()) == 2


def test_a_record_that_cannot_be_read_is_named_or_skipped(
    command: Command, model: list[str], papers: Path, tmp_path: Path
) -> None:
    papers.write_text(papers.read_text() + '{"title": 3}\n')
    output = tmp_path / "out.jsonl"
    run = command("classify", str(papers), "-o", str(output), *model)
    assert run.returncode == 1
    assert "papers.jsonl" in run.stderr
    assert "4" in run.stderr
    assert run.stderr.count("\n") == 1
    assert not output.exists()
    run = command("classify", str(papers), "-o", str(output), "--skip-unreadable", *model)
    assert run.returncode == 0
    assert "1 record" in run.stderr
    assert len(output.read_text().splitlines()) == 3


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv", "empty.parquet"])
def test_an_empty_file_is_one_sentence(model: list[str], tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    run = CliRunner().invoke(app, ["classify", str(tmp_path / name), *model])
    assert run.exit_code == 1
    assert name in run.stderr
    assert "empty" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "nowhere"], 1, "nowhere"),
        (["--model", "."], 1, "classifier.json"),
        (["--device", "abacus"], 2, "abacus"),
        (["--primary", "cs.XX"], 1, "cs.XX"),
        (["--primary", "astro-ph"], 1, "astro-ph"),
    ],
)
def test_what_is_not_there_is_named(
    sample_run: SampleRun, arguments: list[str], code: int, said: str
) -> None:
    model = [] if "--model" in arguments else ["--model", str(sample_run.package)]
    run = CliRunner().invoke(app, ["classify", *FLAGS, *model, *arguments])
    assert run.exit_code == code
    assert said in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_a_changed_model_is_refused_by_the_files_name(
    command: Command, sample_run: SampleRun, tmp_path: Path
) -> None:
    import shutil

    broken = tmp_path / "model"
    shutil.copytree(sample_run.package, broken)
    with (broken / "head.safetensors").open("ab") as file:
        file.write(b"!")
    run = command("classify", *FLAGS, "--model", str(broken))
    assert run.returncode == 1
    assert "head.safetensors" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_hears_no_complaint(
    model: list[str], papers: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text(papers.read_text() * 50)
    command = " ".join(
        [sys.executable, "-m", "arxiv_core", "classify", str(many), *model, "--all", "| head -n 1"]
    )
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert len(run.stdout.splitlines()) == 1
    assert "Traceback" not in run.stderr
    assert "internal" not in run.stderr


def seconds_to_stop(command: list[str]) -> float:
    """From Ctrl-C, once the work has begun, to the word that it has stopped."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(command, stderr=follower, stdin=subprocess.DEVNULL)
    os.close(follower)
    shown, sent, said = b"", 0.0, 0.0
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:  # Linux's end of file on a terminal
            break
        if not chunk:
            break
        shown += chunk
        # The bar is on the terminal: the work has begun.
        if not sent and b"classify" in shown:
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
        if not said and b"arxiv-core: stopped" in shown:
            said = time.monotonic()
    os.close(leader)
    assert process.wait() == 130
    assert said, shown.decode()
    assert "Traceback" not in shown.decode()
    return said - sent


def test_control_c_is_heard_while_a_pipe_is_silent(model: list[str], papers: Path) -> None:
    command = [sys.executable, "-m", "arxiv_core", "classify", "-", "--top-k", "1", *model]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(papers.read_bytes())
        process.stdin.flush()
        # Imports and the model: a signal before that says nothing of the pipe.
        time.sleep(5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        # A second, and what a busy machine may add.
        assert time.monotonic() - sent < 10
        assert process.stderr is not None
        assert process.stderr.read().startswith(b"arxiv-core: stopped")


def test_control_c_stops_within_a_second_and_leaves_nothing(
    model: list[str], papers: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text(papers.read_text() * 20_000)
    output = tmp_path / "out.parquet"
    command = [sys.executable, "-m", "arxiv_core", "classify", str(many), "-o", str(output), *model]
    # A busy machine may delay any one of them.
    assert any(seconds_to_stop(command) < 1 for _ in range(5))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.jsonl", "papers.jsonl"]
