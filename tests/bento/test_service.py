"""BentoML's service as a process of its own environment: it answers as the classifier does."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from arxiv_core import Classifier
from serve.process import OPENER, free_port

ROOT = Path(__file__).parents[2]
BENTOML = ROOT / ".venv-bento/bin/bentoml"
SERVICE = ROOT / "deploy/bentoml"
PAPERS = [
    {key: paper[key] for key in ("title", "abstract")}
    for paper in map(
        json.loads,
        (ROOT / "python/arxiv_core/sample/demo.jsonl").read_text(encoding="utf-8").splitlines(),
    )
]

pytestmark = pytest.mark.slow


def ask(url: str, body: object) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{url}/classify", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def ready(url: str) -> bool:
    try:
        with OPENER.open(f"{url}/readyz", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not BENTOML.exists():
        pytest.skip("no BentoML environment (make test-slow makes it)")
    home = tmp_path_factory.mktemp("bentoml")
    port = str(free_port())
    environment = os.environ | {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(home)}
    environment.pop("PYTHONPATH", None)
    command = [str(BENTOML), "serve", "service:Categories", "--working-dir", str(SERVICE)]
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", port],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            until = time.monotonic() + 120
            while not ready(address):
                if process.poll() is not None or time.monotonic() > until:
                    written.seek(0)
                    pytest.fail(f"BentoML does not answer: {written.read().decode()}")
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def expected(classifier: Classifier, papers: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {one.category: pytest.approx(one.probability, abs=1e-5) for one in prediction.categories}
        for prediction in classifier.classify(papers)
    ]


def test_it_answers_as_the_classifier_does(url: str, classifier: Classifier) -> None:
    for paper, truth in zip(PAPERS, expected(classifier, PAPERS), strict=True):
        status, answer = ask(url, paper)
        assert status == 200
        assert [set(one) for one in answer] == [{"category", "probability"}] * len(answer)
        assert {one["category"]: one["probability"] for one in answer} == truth


def test_papers_asked_at_once_get_each_their_own_answer(url: str, classifier: Classifier) -> None:
    papers = [
        {"title": f"{PAPERS[at % len(PAPERS)]['title']} {at}", "abstract": "Rings. " * (1 + 9 * at)}
        for at in range(16)
    ]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda paper: ask(url, paper), papers))
    assert [status for status, _ in answers] == [200] * 16
    found = [{one["category"]: one["probability"] for one in answer} for _, answer in answers]
    assert found == expected(classifier, papers)


def test_a_declared_primary_is_in_the_answer_by_the_name_it_was_declared_by(url: str) -> None:
    status, answer = ask(url, {**PAPERS[0], "primary": "math.IT"})
    assert status == 200
    assert "math.IT" in [one["category"] for one in answer]


@pytest.mark.parametrize(
    "body",
    [
        {"title": "Rings"},
        {"title": 3, "abstract": "Every ring is a module."},
        {"title": "Rings", "abstract": None},
        {"title": "Rings", "abstract": "Modules.", "primary": "cs.XX"},
        [],
        "Rings",
        None,
    ],
    ids=str,
)
def test_what_is_no_paper_is_refused_and_costs_the_next_nothing(url: str, body: object) -> None:
    status, answer = ask(url, body)
    assert 400 <= status < 500, answer
    assert ask(url, PAPERS[0])[0] == 200


def test_its_document_says_what_a_request_sends(url: str) -> None:
    with OPENER.open(f"{url}/docs.json", timeout=30) as answer:
        document = json.load(answer)
    content = document["paths"]["/classify"]["post"]["requestBody"]["content"]
    sent = content["application/json"]["schema"]["properties"]
    assert set(sent) == {"title", "abstract", "primary"}
