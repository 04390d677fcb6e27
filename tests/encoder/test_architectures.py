"""Checkpoints as transformers writes and wrote them, beside what sentence-transformers makes of
them: BERT and DistilBERT, task models, old files."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arxiv_core
import numpy as np
import pytest
from arxiv_core import ModelError, _core, checkpoint, home, models
from numpy.typing import NDArray

TEXTS = [
    "We study the spectrum of random matrices.",
    "",
    "Galaxies, their halos and the dark matter that nobody has seen: a survey of surveys. " * 8,
    "Über naïve Résumés; Erdős–Rényi, PŘÍKLAD",
    "量子力学 and 場の理論\u200b\ttab\u00a0nbsp",
    "A proof [MASK] of [SEP] it. ﬁ Ǆ " + "x" * 120,
]
DISTILBERT: dict[str, Any] = {"model_type": "distilbert"}
ALL: dict[str, dict[str, Any]] = {
    "bert": {"config": {"max_position_embeddings": 64}},
    "bert-task": {"layout": "task", "config": {"max_position_embeddings": 64}},
    "bert-512": {},
    "bert-32": {"tokenizer": {"model_max_length": 32}},
    "distilbert": DISTILBERT | {"config": {"max_position_embeddings": 64}},
    "distilbert-relu": DISTILBERT | {"config": {"activation": "relu"}},
    "distilbert-sines": DISTILBERT | {"config": {"sinusoidal_pos_embds": True}},
    "distilbert-task": DISTILBERT | {"layout": "task"},
    "bert-zip": {"layout": "zip"},
    "bert-legacy": {"layout": "legacy", "tokenizer": {"do_lower_case": False}},
    "bert-accents": {"layout": "legacy", "tokenizer": {"strip_accents": False}},
    "bert-chinese": {
        "layout": "zip",
        "tokenizer": {"tokenize_chinese_chars": False, "model_max_length": 40},
    },
    "distilbert-zip": DISTILBERT | {"layout": "zip", "tokenizer": {"strip_accents": True}},
    "distilbert-legacy": DISTILBERT | {"layout": "legacy"},
}
OLD = [name for name, job in ALL.items() if job.get("layout") in {"zip", "legacy"}]


@pytest.fixture(scope="session")
def made(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all the checkpoints."""
    folder = tmp_path_factory.mktemp("checkpoints")
    common = {
        "model_type": "bert",
        "layout": "encoder",
        "tokenizer": {},
        "config": {},
        "vocabulary": str(minilm / "vocab.txt"),
        "texts": TEXTS,
    }
    jobs = [common | job | {"out": str(folder / name)} for name, job in ALL.items()]
    request = folder / "request.json"
    request.write_text(json.dumps(jobs), encoding="utf-8")
    command = [sys.executable, str(Path(__file__).with_name("make_checkpoints.py")), str(request)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ARXIV_CORE_HOME."""
    monkeypatch.setenv("ARXIV_CORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def old(made: Path, own_home: Path, tmp_path: Path) -> Path:
    """A checkpoint of old files, to be changed."""
    shutil.copytree(made / "bert-legacy", tmp_path / "old")
    return tmp_path / "old"


@pytest.fixture(scope="session")
def expected(
    made: Path, reference: Callable[[list[dict[str, Any]]], list[NDArray[np.float32]]]
) -> dict[str, NDArray[np.float32]]:
    """What sentence-transformers makes of each checkpoint, by itself."""
    jobs = [{"model": str(made / name), "max_length": None, "texts": TEXTS} for name in ALL]
    return dict(zip(ALL, reference(jobs), strict=True))


def load(directory: Path, **options: Any) -> arxiv_core.Encoder:
    return arxiv_core.Encoder.load(directory, device="cpu", **options)


@pytest.mark.parametrize("name", ALL)
def test_embeddings_match_sentence_transformers(
    made: Path, own_home: Path, expected: dict[str, NDArray[np.float32]], name: str
) -> None:
    found = load(made / name).encode(TEXTS)
    np.testing.assert_allclose(found, expected[name], atol=1e-5, rtol=1e-5)
    # Nothing asks for vectors of length one.
    assert (np.abs(np.linalg.norm(found, axis=1) - 1) > 0.01).all()


@pytest.mark.parametrize("name", ALL)
def test_token_ids_match_transformers(made: Path, own_home: Path, name: str) -> None:
    ours = load(made / name, max_length=64).token_ids(TEXTS)
    assert ours == json.loads((made / f"{name}-ids.json").read_text())


@pytest.mark.parametrize("name", OLD)
def test_a_vocabulary_becomes_the_tokenizer_that_transformers_builds(made: Path, name: str) -> None:
    ours = json.loads(_core.tokenizer_json(made / name))
    theirs = json.loads((made / f"{name}-fast.json").read_text())
    for left_out in ("truncation", "padding"):
        theirs[left_out] = None
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "length"),
    [("bert", 64), ("bert-512", 512), ("bert-32", 32), ("distilbert-zip", 512)],
)
def test_the_length_is_the_tokenizers_or_the_positions(
    made: Path, own_home: Path, name: str, length: int
) -> None:
    assert load(made / name).max_length == length


def changed(directory: Path, **keys: object) -> Path:
    path = directory / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | keys
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return directory


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"model_type": "roberta"}, r'model_type: "roberta" is not one of bert, distilbert'),
        ({"activation": "gelu_11"}, r'activation: unknown activation "gelu_11"'),
        ({"n_heads": 5}, "n_heads: 5 does not divide dim 32"),
        ({"dim": None}, "missing field `dim`"),
        ({"n_layers": 3}, r"weight transformer\.layer\.2\.attention\.q_lin\.weight: missing"),
    ],
)
def test_what_is_wrong_is_said_in_the_checkpoints_own_names(
    made: Path, tmp_path: Path, keys: dict[str, object], said: str
) -> None:
    shutil.copytree(made / "distilbert", tmp_path / "wrong")
    with pytest.raises(ModelError, match=said):
        load(changed(tmp_path / "wrong", **keys))


def test_old_files_are_converted_once_and_again_when_they_change(old: Path, own_home: Path) -> None:
    first = models.resolve(str(old))
    assert first.parent == own_home / "models/converted"
    before = (first / "model.safetensors").stat()
    assert models.resolve(str(old)) == first
    assert (first / "model.safetensors").stat() == before
    words = (old / "vocab.txt").read_text(encoding="utf-8").replace("\nproof\n", "\nprooof\n")
    (old / "vocab.txt").write_text(words, encoding="utf-8")
    ids = load(old).token_ids(["proof", "prooof"])
    assert [len(row) for row in ids][1] == 3 < len(ids[0])
    assert models.resolve(str(old)) == first
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_the_same_files_convert_to_the_same_bytes(made: Path, old: Path) -> None:
    one, other = models.resolve(str(old)), models.resolve(str(made / "bert-legacy"))
    assert one != other
    for name in ("model.safetensors", "tokenizer.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_weights_that_are_tied_are_written_once(old: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(models.resolve(str(old)) / "model.safetensors"), "np") as file:
        names = set(file.keys())
        assert file.metadata() == {"format": "pt"}
    assert "bert.embeddings.word_embeddings.weight" in names
    assert "cls.predictions.decoder.weight" not in names


def test_a_configuration_older_than_its_model_type_is_a_berts(old: Path) -> None:
    expected = load(old).encode(TEXTS)
    np.testing.assert_array_equal(load(changed(old, model_type=None)).encode(TEXTS), expected)


class Evil:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (Path("ran"),))


def test_a_pickle_that_would_run_code_is_refused(
    old: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (old / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": Evil()}))
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: not a checkpoint") as caught:
        models.resolve(str(old))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()
    assert list((own_home / "models/converted").iterdir()) == []


def test_a_vocabulary_of_another_tokenizer_is_refused(old: Path) -> None:
    (old / "tokenizer_config.json").write_text('{"tokenizer_class": "BertJapaneseTokenizer"}')
    with pytest.raises(ModelError, match=r'tokenizer_class: "BertJapaneseTokenizer"'):
        models.resolve(str(old))


def test_the_files_of_today_are_left_where_they_are(made: Path, own_home: Path) -> None:
    for name in set(ALL) - set(OLD):
        assert checkpoint.modern(made / name) == made / name
    assert not home.folder("models").exists()


FROM_HUB = """
import sys
from arxiv_core import models
for name in ("scibert", "allenai/scibert_scivocab_uncased"):
    print(models.resolve(name))
print("torch" in sys.modules)
"""


def test_a_known_name_of_old_files_is_converted_from_the_hubs_cache(
    old: Path, own_home: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "hf/hub/models--allenai--scibert_scivocab_uncased"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs/main").write_text("24f92d32b1bfb0bcaf9ab193ff3ad01e87732fc1")
    shutil.copytree(old, cache / "snapshots/24f92d32b1bfb0bcaf9ab193ff3ad01e87732fc1")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    for torch in ("True", "False"):
        ran = subprocess.run(
            [sys.executable, "-c", FROM_HUB],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        first, second, loaded = ran.stdout.splitlines()
        assert first == second
        assert (Path(first) / "model.safetensors").is_file()
        # Only the conversion needs Python's torch.
        assert loaded == torch
