"""Fetching, against a kagglehub that answers as the real one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

kagglehub = pytest.importorskip("kagglehub", reason="the extra `data` is not installed")
exceptions = pytest.importorskip("kagglehub.exceptions", reason="comes with kagglehub")

from arxiv_core.config.schema import Config, Paths  # noqa: E402
from arxiv_core.pipeline import fetch  # noqa: E402


def asked_for(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def download(handle: str, **options: Any) -> str:
        calls.append({"handle": handle, **options})
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(kagglehub, "dataset_download", download)
    return calls


def test_the_snapshot_lands_where_the_configuration_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "arxiv-metadata-oai-snapshot.json"
    snapshot.write_text("{}\n")
    calls = asked_for(monkeypatch, snapshot)
    summary = fetch.run(Config(paths=Paths(data=str(tmp_path))))
    assert summary == {"source": str(snapshot), "bytes": 3}
    assert calls == [
        {
            "handle": "Cornell-University/arxiv",
            "path": "arxiv-metadata-oai-snapshot.json",
            "output_dir": str(tmp_path),
        }
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exceptions.UnauthenticatedError(), "KAGGLE_API_TOKEN"),
        (exceptions.KaggleApiHTTPError("403 Client Error"), "KAGGLE_API_TOKEN"),
        (ConnectionError("Max retries exceeded"), "check the network"),
        (exceptions.BackendError("500"), "check the network"),
    ],
)
def test_a_refusal_says_what_to_do_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    asked_for(monkeypatch, error)
    with pytest.raises(fetch.FetchError) as caught:
        fetch.run(Config(paths=Paths(data=str(tmp_path))))
    message = str(caught.value)
    assert said in message
    assert "data.source=FILE" in message
    assert "\n" not in message


def test_a_full_disk_is_not_blamed_on_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for(monkeypatch, OSError(28, "No space left on device", "snapshot.json"))
    with pytest.raises(OSError, match="No space left"):
        fetch.run(Config(paths=Paths(data=str(tmp_path))))
