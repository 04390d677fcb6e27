"""The services that are measured beside each other: how each is started and asked.

Of Infinity's engines torch in bf16 with BetterTransformer took the least processor time among those
whose embeddings are sentence-transformers' own (cosine of at least .99). Tried: torch in f32 and
bf16, with and without BetterTransformer, and in int8, whose embeddings are others; ONNX (optimum,
exported from the same files); ctranslate2. docs/performance.md, serve, says more.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from arxiv_core import models
from provenance import ROOT, multiplies_bf16

HERE = Path(__file__).parent
BENTOML = ROOT / ".venv-bento" / "bin" / "bentoml"
INFINITY = ROOT / ".venv-infinity" / "bin" / "infinity_emb"
# bf16 where the processor multiplies it.
DTYPES = ("f32", *(["bf16"] if multiplies_bf16() else []))
ENGINE = "torch"
INFINITY_DTYPE = "bfloat16" if "bf16" in DTYPES else "float32"
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "INFINITY_ANONYMOUS_USAGE_STATS": "0",
    "BENTOML_DO_NOT_TRACK": "True",
    # Ours writes no line a request here either.
    "BENTOML_CONFIG_OPTIONS": "services.Categories.logging.access.enabled=false",
}


@dataclass(frozen=True)
class Arm:
    """A service: its command but for the port, and where it says that it is ready."""

    command: list[str]
    ready: str
    environment: dict[str, str] = field(default_factory=dict)


def arms(folder: Path, head: Path) -> dict[str, Arm]:
    """Every service, by name; `folder` is for what one of them must have written for it."""
    peer = [sys.executable, str(HERE / "peer.py"), str(models.resolve("minilm")), str(head)]
    ours = [sys.executable, "-m", "arxiv_core", "--log-level", "warning", "serve"]
    bento = [str(BENTOML), "serve", "-q", "service:Categories"]
    bento += ["--working-dir", str(ROOT / "deploy" / "bentoml"), "--host", "127.0.0.1"]
    infinity = [str(INFINITY), "v2", "--model-id", str(model_of_512(folder)), "--device", "cpu"]
    infinity += ["--engine", ENGINE, "--dtype", INFINITY_DTYPE]
    infinity += ["--no-compile", "--no-model-warmup", "--log-level", "warning"]
    infinity += ["--host", "127.0.0.1"]
    return {
        "peer": Arm(peer, "/ready"),
        "infinity": Arm([*infinity, "--port"], "/health"),
        **{arm: Arm([*ours, "--dtype", arm, "--port"], "/ready") for arm in DTYPES},
        f"bentoml-{DTYPES[-1]}": Arm(
            [*bento, "--port"], "/readyz", {"ARXIV_CORE_BENTO_DTYPE": DTYPES[-1]}
        ),
    }


def model_of_512(folder: Path) -> Path:
    """Copy the encoder with a limit of 512 tokens, which ours has; its files say 256."""
    copy = folder / "minilm"
    shutil.copytree(models.resolve("minilm"), copy)
    limits = copy / "sentence_bert_config.json"
    told = json.loads(limits.read_text(encoding="utf-8")) | {"max_seq_length": 512}
    limits.write_text(json.dumps(told), encoding="utf-8")
    return copy


def version(program: Path, package: str) -> str:
    """The version of a package in the environment of its program."""
    if not program.exists():
        made = f".stamps/{program.parents[1].name.removeprefix('.venv-')}"
        raise SystemExit(f"{program} is not there: make {made}")
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    python = str(program.with_name("python"))
    return subprocess.check_output([python, "-c", code], text=True).strip()


@contextlib.contextmanager
def running(name: str, arm: Arm) -> Iterator[str]:
    """Run a service and give its address once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | QUIET | arm.environment | {"BENTOML_HOME": home}
        process = subprocess.Popen([*arm.command, port], env=environment, cwd=home)
        url = f"http://127.0.0.1:{port}"
        try:
            until = time.monotonic() + 300
            while True:
                try:
                    with urllib.request.urlopen(url + arm.ready, timeout=5):
                        break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        raise SystemExit(f"{name}: the service does not answer") from None
                    time.sleep(0.05)
            yield url
        finally:
            process.terminate()
            process.wait(60)
