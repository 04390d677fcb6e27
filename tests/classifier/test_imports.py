"""Classifying imports neither torch nor anything built on it, and does without them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import sys
heavy = {"torch", "transformers", "sentence_transformers", "huggingface_hub", "hydra", "sklearn"}
hidden = {"transformers", "sentence_transformers"} if sys.argv[1] == "hidden" else set()
# None makes an import fail as if the package were not installed.
sys.modules.update(dict.fromkeys(hidden))

from arxiv_core import Classifier

classifier = Classifier.load(sys.argv[2], device="cpu")
[prediction] = classifier.classify([{"title": "graph", "abstract": "noise"}])
assert len(prediction.categories) == 5
loaded = (heavy - hidden) & {name.split(".")[0] for name in sys.modules}
assert not loaded, loaded
"""


@pytest.mark.parametrize("mode", ["seen", "hidden"])
def test_a_paper_is_classified_without_the_heavy_packages(tiny_model: Any, mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode, str(tiny_model.model)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
