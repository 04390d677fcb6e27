"""What docs/service.md tells clients to do works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

PAGE = (Path(__file__).parents[2] / "docs/service.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Clients of other services\n")[1].split("\n## ")[0]


def snippet(language: str, served: str) -> str:
    [code] = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert "http://127.0.0.1:8000" in code
    # The one service of all client tests says where Vertex AI looks.
    return code.replace("http://127.0.0.1:8000", served).replace("/vertex", "/aip/predict")


def test_the_clients_in_python_are_answered(served: str, at_home: None) -> None:
    command = [sys.executable, "-c", snippet("python", served)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_curl_is_answered(served: str, at_home: None) -> None:
    script = snippet("sh", served)
    assert script.count("curl") == 4
    command = ["bash", "-ec", script.replace("curl", "curl -sSf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("OK")
