"""Fetching, by kagglehub's real code from a stand-in for Kaggle on this machine."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

kagglehub = pytest.importorskip("kagglehub", reason="the extra `data` is not installed")

from arxiv_core.config.schema import Config, Data, Paths  # noqa: E402
from arxiv_core.pipeline import fetch  # noqa: E402
from kagglesdk import kaggle_env  # noqa: E402
from pipeline.kaggle import Kaggle  # noqa: E402

MIB = 1 << 20
COMMAND = """
import sys
from kagglesdk import kaggle_env
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = sys.argv.pop(1)
from arxiv_core.cli import main
main()
"""


def papers(first: int) -> bytes:
    """More than three MiB, so that kagglehub, which writes a MiB at a time, has written some."""
    return b"".join(b'{"id": "%07d"}\n' % number for number in range(first, first + 200_000))


OLDER, NEWER = papers(0), papers(1_000_000)


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kaggle]:
    for name in ("KAGGLE_API_ENVIRONMENT", "KAGGLE_KERNEL_RUN_TYPE", "KAGGLEHUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_API_TOKEN", "invented")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with Kaggle(fetch.SNAPSHOT, OLDER) as server:
        reach(monkeypatch, server.endpoint)
        yield server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def reach(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Let kagglehub find Kaggle at `endpoint`."""
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, endpoint)


def run(data: Path) -> Path:
    summary = fetch.run(Config(paths=Paths(data=str(data))))
    file = data / fetch.SNAPSHOT
    assert summary == {"source": str(file), "bytes": file.stat().st_size}
    assert listed(data) == [fetch.CACHE, fetch.SNAPSHOT]
    return file


def refused(data: Path) -> str:
    with pytest.raises(fetch.FetchError) as caught:
        fetch.run(Config(paths=Paths(data=str(data))))
    message = str(caught.value)
    assert "\n" not in message
    return message


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(fetch.SNAPSHOT, content)
    return packed.getvalue()


def test_a_broken_transfer_is_taken_up_where_it_broke(kaggle: Kaggle, data: Path) -> None:
    kaggle.cut = 2 * MIB
    assert "what has arrived is kept" in refused(data)
    assert listed(data) == [fetch.CACHE]
    kaggle.cut = None
    assert run(data).read_bytes() == OLDER
    assert kaggle.asked == [None, None, f"bytes={2 * MIB}-"]


def test_ctrl_c_keeps_what_has_arrived_and_says_so(kaggle: Kaggle, data: Path) -> None:
    kaggle.cut, kaggle.hang = 2 * MIB, True
    command = [sys.executable, "-c", COMMAND, kaggle.endpoint, "data", "fetch"]
    with subprocess.Popen([*command, f"paths.data={data}"], stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while sum(file.stat().st_size for file in data.rglob(fetch.SNAPSHOT)) < MIB:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    last = errors.decode().splitlines()[-1]
    assert last.startswith("arxiv-core: stopped; what has arrived is kept")
    assert listed(data) == [fetch.CACHE, "fetch.log"]
    (data / "fetch.log").unlink()
    kaggle.cut = None
    assert run(data).read_bytes() == OLDER
    assert kaggle.asked[-1] in {f"bytes={MIB}-", f"bytes={2 * MIB}-"}


def test_the_summary_alone_is_on_standard_output(kaggle: Kaggle, data: Path) -> None:
    command = [sys.executable, "-c", COMMAND, kaggle.endpoint, "data", "fetch", "--json"]
    done = subprocess.run([*command, f"paths.data={data}"], capture_output=True, check=True)
    assert json.loads(done.stdout)["bytes"] == len(OLDER)


def test_a_newer_version_replaces_the_older_and_the_same_is_not_fetched_again(
    kaggle: Kaggle, data: Path
) -> None:
    assert run(data).read_bytes() == OLDER
    assert run(data).read_bytes() == OLDER
    assert len(kaggle.asked) == 1
    kaggle.publish(NEWER)
    assert run(data).read_bytes() == NEWER
    assert len(kaggle.asked) == 2
    [kept] = (data / fetch.CACHE).rglob(fetch.SNAPSHOT)
    assert kept.samefile(data / fetch.SNAPSHOT)


def test_the_earlier_file_keeps_its_name_until_the_next_is_whole(
    kaggle: Kaggle, data: Path
) -> None:
    data.mkdir()
    (data / fetch.SNAPSHOT).write_text("by hand")
    kaggle.cut = 2 * MIB
    refused(data)
    assert (data / fetch.SNAPSHOT).read_text() == "by hand"
    kaggle.cut = None
    assert run(data).read_bytes() == OLDER


def test_a_snapshot_that_kaggle_packs_is_unpacked(kaggle: Kaggle, data: Path) -> None:
    kaggle.name += ".zip"
    kaggle.publish(zipped(NEWER))
    assert run(data).read_bytes() == NEWER


def test_a_stop_while_unpacking_loses_nothing(
    kaggle: Kaggle, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.name += ".zip"
    kaggle.publish(zipped(NEWER))

    def stopped(_: zipfile.ZipFile, member: str, folder: str) -> None:
        (Path(folder) / member).write_bytes(NEWER[: MIB + 7])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="is kept"):
        patch.setattr(zipfile.ZipFile, "extract", stopped)
        run(data)
    assert listed(data) == [fetch.CACHE]
    assert run(data).read_bytes() == NEWER
    assert kaggle.asked == [None, None]


def test_what_arrives_damaged_is_thrown_away(kaggle: Kaggle, data: Path) -> None:
    kaggle.checksum = NEWER
    assert "arrived damaged" in refused(data)
    kaggle.checksum = OLDER
    assert run(data).read_bytes() == OLDER


def test_an_error_in_place_of_the_rest_is_not_taken_for_it(kaggle: Kaggle, data: Path) -> None:
    kaggle.checksum = None
    kaggle.cut, kaggle.refuse_ranges = 2 * MIB + 5, True
    refused(data)
    kaggle.cut = None
    assert "arrived damaged" in refused(data)
    assert listed(data) == [fetch.CACHE]
    assert run(data).read_bytes() == OLDER


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "KAGGLE_API_TOKEN"),
        (403, "KAGGLE_API_TOKEN"),
        (404, "data.dataset"),
        (429, "try again later"),
        (500, "try again later"),
    ],
)
def test_a_refusal_says_what_to_do(kaggle: Kaggle, data: Path, status: int, said: str) -> None:
    kaggle.status = status
    message = refused(data)
    assert said in message
    assert "Cornell-University/arxiv" in message
    assert "network" not in message


def test_no_network_says_so(kaggle: Kaggle, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Kaggle(fetch.SNAPSHOT, OLDER) as closed:
        pass
    reach(monkeypatch, closed.endpoint)
    message = refused(data)
    assert "check the network" in message
    assert "data.source=FILE" in message


def test_a_name_that_is_no_data_sets_is_said(kaggle: Kaggle, data: Path) -> None:
    with pytest.raises(fetch.FetchError, match=r"arxiv: correct data\.dataset"):
        fetch.run(Config(data=Data(dataset="arxiv"), paths=Paths(data=str(data))))


def test_what_stands_in_the_way_is_named(kaggle: Kaggle, data: Path) -> None:
    data.write_text("a file")
    assert refused(data).startswith(f"{data} is in the way")
    data.unlink()
    (data / fetch.SNAPSHOT).mkdir(parents=True)
    assert refused(data).startswith(f"{data / fetch.SNAPSHOT} is in the way")


def test_a_full_disk_is_not_blamed_on_the_network(
    kaggle: Kaggle, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kagglehub, "dataset_download", full)
    with pytest.raises(OSError, match=r"No space left.*\.kagglehub"):
        run(data)


def test_the_users_own_cache_of_kagglehub_stays_out_of_it(
    kaggle: Kaggle, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "theirs"))
    run(data)
    assert os.environ["KAGGLEHUB_CACHE"] == str(tmp_path / "theirs")
    assert not (tmp_path / "theirs").exists()
