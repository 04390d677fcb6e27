"""Loading: what a model directory may have wrong with it, one error for each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, DeviceError, ModelError, OptionError
from classifier import tiny

Change = Callable[[Path], None]


@pytest.fixture
def model(tiny_model: Any, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(tiny_model.model, tmp_path / "model"))


def spec(**changes: Any) -> Change:
    def change(model: Path) -> None:
        path = model / "classifier.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        tiny.manifest(model)

    return change


def head(rows: int = len(tiny.LABELS), columns: int = tiny.HIDDEN, name: str = "weight") -> Change:
    def change(model: Path) -> None:
        weight = np.zeros((rows, columns), dtype=np.float32)
        bias = np.zeros(rows, dtype=np.float32)
        tiny.write_safetensors(model / "head.safetensors", {name: weight, "bias": bias})
        tiny.manifest(model)

    return change


def text(name: str, content: str) -> Change:
    return lambda model: (model / name).write_text(content) and None


def without(name: str) -> Change:
    return lambda model: (model / name).unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("manifest.json"), "manifest.json: the file is missing"),
        (without("classifier.json"), "classifier.json: the file is missing"),
        (without("head.safetensors"), "head.safetensors: the file is missing"),
        (text("head.safetensors", "?"), "head.safetensors: its content is not what manifest.json"),
        (text("manifest.json", "{"), "manifest.json: EOF"),
        (spec(labels=tiny.LABELS[1:]), "thresholds: 9 for 8 labels"),
        (spec(labels=[*tiny.LABELS, "cs.CV"]), "thresholds: 9 for 10 labels"),
        (spec(thresholds=[0.5]), "thresholds: 1 for 9 labels"),
        (spec(labels=["math.IT", *tiny.LABELS[1:]]), '"math.IT" is "cs.IT"'),
        (spec(format_version=2), "format_version 2"),
        (spec(template_version=99), "template_version 99"),
        (spec(label_space_version=99), "label_space_version 99"),
        (spec(surprise=1), "unknown field `surprise`"),
        (spec(head={"kind": "oracle"}), "oracle"),
        (spec(head={"kind": "hybrid", "width": 4, "members": 1, "features": 2, "dimensions": 4}),
         "features.safetensors"),
        (spec(pooling="cls"), 'pooling: "cls", but the encoder\'s is "mean'),
        (spec(max_length=65), "65"),
        (head(rows=len(tiny.LABELS) - 1), "weight"),
        (head(columns=tiny.HIDDEN + 1), "embeddings of 17 numbers, but the encoder's have 16"),
        (head(name="wait"), "weight weight: missing"),
    ],
)  # fmt: skip
def test_a_broken_model_is_one_clear_error(model: Path, change: Change, said: str) -> None:
    Classifier.load(model, device="cpu")
    change(model)
    with pytest.raises((ModelError, OptionError)) as raised:
        Classifier.load(model, device="cpu")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_encoder_than_the_named_one_is_refused(
    tiny_model: Any, model: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(tiny_model.encoder, tmp_path / "other"))
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    with pytest.raises(ModelError, match=r"tiny.*the model's encoder: sha256"):
        Classifier.load(model, device="cpu", encoder=other)


def test_names_that_lead_nowhere_are_said(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARXIV_CORE_REGISTRY", str(tmp_path / "registry"))
    with pytest.raises(FileNotFoundError):
        Classifier.load(tmp_path / "absent")
    with pytest.raises(ModelError, match="not a model directory"):
        Classifier.load(tmp_path)
    with pytest.raises(ModelError, match="model minilm: not in the registry"):
        Classifier.load("registry:minilm@production")
    spec(encoder={"source": "nobody-knows", "name": "x", "sha256": "0" * 64})(model)
    with pytest.raises(ModelError, match="nobody-knows"):
        Classifier.load(model)


def test_devices_and_number_formats_are_checked(model: Path) -> None:
    with pytest.raises((DeviceError, OptionError)):
        Classifier.load(model, device="abacus")
    with pytest.raises(OptionError, match="dtype"):
        Classifier.load(model, device="cpu", dtype="f8")  # type: ignore[arg-type]


def test_bf16_is_near_f32(tiny_model: Any, papers: list[dict[str, str]]) -> None:
    exact = Classifier.load(tiny_model.model, device="cpu").scores(papers)[0]
    rough = Classifier.load(tiny_model.model, device="cpu", dtype="bf16").scores(papers)[0]
    assert np.abs(exact - rough).max() < 0.05


def test_a_classifier_says_what_it_is(classifier: Classifier, tiny_model: Any) -> None:
    info = classifier.info()
    assert info["path"] == str(tiny_model.model)
    assert info["labels"] == len(tiny.LABELS)
    assert info["encoder"]["name"] == "tiny"
    assert info["head"] == {"kind": "linear"}
    assert (info["device"], info["dtype"]) == ("cpu", "f32")
    assert classifier.labels == tiny.LABELS
    assert classifier.thresholds.tolist() == pytest.approx([0.2 + 0.05 * i for i in range(9)])
    assert repr(classifier) == (
        'Classifier(labels=9, encoder="tiny", max_length=32, device="cpu", dtype="f32")'
    )
