"""Models other than the default: poolings, activations, and what is wrong with a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import ModelError, OptionError, _core
from numpy.typing import NDArray

TEXTS = [
    "We study the spectrum of random matrices.",
    "",
    "Galaxies, their halos and the dark matter that nobody has seen: a survey of surveys. " * 8,
    "A proof.",
]
ACTIVATIONS = (
    "gelu",
    "gelu_new",
    "gelu_pytorch_tanh",
    "quick_gelu",
    "relu",
    "silu",
    "mish",
    "tanh",
)


def load(directory: Path, **options: Any) -> _core.Encoder:
    return _core.Encoder.load(str(directory), "cpu", **options)


def test_every_pooling_activation_and_prompt_matches_sentence_transformers(
    checkpoint: Callable[..., Path],
    reference: Callable[[list[dict[str, Any]]], list[NDArray[np.float32]]],
) -> None:
    made = [
        checkpoint(f"{pooling}-{normalize}", pooling=pooling, normalize=normalize)
        for pooling in ("mean", "cls", "max")
        for normalize in (True, False)
    ]
    made += [checkpoint(name, hidden_act=name, normalize=False) for name in ACTIVATIONS]
    prompted = checkpoint("prompted", normalize=False)
    prompts = {"prompts": {"topic": " Topic of: ", "other": "x"}, "default_prompt_name": "topic"}
    config = prompted / "config_sentence_transformers.json"
    config.write_text(json.dumps(prompts), encoding="utf-8")
    made.append(prompted)
    jobs = [{"model": str(path), "max_length": None, "texts": TEXTS} for path in made]
    for path, expected in zip(made, reference(jobs), strict=True):
        found = load(path).encode(TEXTS)
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5, err_msg=path.name)


def test_the_sentence_length_limit_is_the_models_own(checkpoint: Callable[..., Path]) -> None:
    encoder = load(checkpoint())
    assert (encoder.max_length, encoder.hidden_size) == (48, 32)
    assert max(map(len, encoder.token_ids(TEXTS))) == 48
    assert encoder.truncated(TEXTS).tolist() == [False, False, True, False]
    assert load(checkpoint("wide"), max_length=64).max_length == 64


@pytest.mark.parametrize("length", [0, 2, 65])
def test_a_length_the_model_cannot_read_is_an_option_error(
    checkpoint: Callable[..., Path], length: int
) -> None:
    with pytest.raises(OptionError, match=f"max_length = {length}"):
        load(checkpoint(), max_length=length)


def test_unknown_dtype_and_device_are_option_errors(minilm: Path) -> None:
    with pytest.raises(OptionError, match="dtype = f64"):
        _core.Encoder.load(str(minilm), "cpu", "f64")
    with pytest.raises(OptionError, match="device = tpu"):
        _core.Encoder.load(str(minilm), "tpu", "f32")


def test_an_unknown_activation_is_named(checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r'config.json: hidden_act: unknown activation "gelu_11"'):
        load(checkpoint(hidden_act="gelu_11"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_type", "roberta"),
        ("position_embedding_type", "relative_key"),
        ("num_attention_heads", 5),
        ("is_decoder", True),
    ],
)
def test_an_architecture_that_is_not_computed_is_named(
    checkpoint: Callable[..., Path], key: str, value: object
) -> None:
    with pytest.raises(ModelError, match=f"config.json: {key}: "):
        load(checkpoint(**{key: value}))


def test_a_missing_weight_is_named(checkpoint: Callable[..., Path]) -> None:
    name = "encoder.layer.1.attention.self.key.weight"
    with pytest.raises(ModelError, match=rf"weight {name}: missing"):
        load(checkpoint(edit=lambda weights: weights.pop(name)))


def test_a_misshaped_weight_is_named_with_both_shapes(checkpoint: Callable[..., Path]) -> None:
    name = "encoder.layer.0.output.dense.weight"

    def transpose(weights: dict[str, NDArray[np.float32]]) -> None:
        weights[name] = np.ascontiguousarray(weights[name].T)

    expected = rf"weight {name}: expected shape \[32, 64\], got \[64, 32\]"
    with pytest.raises(ModelError, match=expected):
        load(checkpoint(edit=transpose))


def test_a_vocabulary_larger_than_the_embeddings_is_an_error(
    checkpoint: Callable[..., Path],
) -> None:
    with pytest.raises(
        ModelError, match=r"tokenizer.json: vocabulary: token ids up to 30521 .* 30000 rows"
    ):
        load(checkpoint(vocab_size=30000))


def test_a_vocabulary_much_smaller_than_the_embeddings_is_an_error(
    checkpoint: Callable[..., Path],
) -> None:
    with pytest.raises(
        ModelError, match=r"tokenizer.json: vocabulary: only 30522 tokens .* 40000 rows"
    ):
        load(checkpoint(vocab_size=40000))
    load(checkpoint("padded", vocab_size=30592))


def test_a_vocabulary_in_another_order_is_an_error(checkpoint: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"\[PAD\] is token 0 .* pad_token_id = 7"):
        load(checkpoint(pad_token_id=7))


def test_a_cut_weights_file_is_a_model_error(checkpoint: Callable[..., Path]) -> None:
    path = checkpoint() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load(path.parent)


def test_integer_weights_are_an_error(checkpoint: Callable[..., Path]) -> None:
    name = "embeddings.LayerNorm.bias"

    def integers(weights: dict[str, Any]) -> None:
        weights[name] = weights[name].astype(np.int32)

    with pytest.raises(ModelError, match=rf"weight {name}: type I32 is not a float"):
        load(checkpoint(edit=integers))


def test_half_precision_files_are_read(checkpoint: Callable[..., Path]) -> None:
    def halve(weights: dict[str, Any]) -> None:
        for name in weights:
            weights[name] = weights[name].astype(np.float16)

    def round_trip(weights: dict[str, Any]) -> None:
        for name in weights:
            weights[name] = weights[name].astype(np.float16).astype(np.float32)

    half = load(checkpoint("half", edit=halve)).encode(TEXTS)
    full = load(checkpoint("full", edit=round_trip)).encode(TEXTS)
    np.testing.assert_allclose(half, full, atol=1e-6)


def test_a_checkpoint_of_a_task_model_is_read_under_its_prefix(
    checkpoint: Callable[..., Path],
) -> None:
    def nest(weights: dict[str, Any]) -> None:
        for name in list(weights):
            weights[f"bert.{name}"] = weights.pop(name)

    nested = load(checkpoint("nested", edit=nest)).encode(TEXTS)
    np.testing.assert_array_equal(nested, load(checkpoint("plain")).encode(TEXTS))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_file_not_found(checkpoint: Callable[..., Path], name: str) -> None:
    directory = checkpoint()
    (directory / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load(directory)


def test_an_unknown_pooling_or_module_is_named(checkpoint: Callable[..., Path]) -> None:
    directory = checkpoint(pooling="none of them")
    with pytest.raises(ModelError, match=r"1_Pooling/config.json: pooling_mode: \[\]"):
        load(directory)
    modules = directory / "modules.json"
    listed = json.loads(modules.read_text(encoding="utf-8"))
    listed[2]["type"] = "sentence_transformers.models.Dense"
    (directory / "1_Pooling/config.json").write_text('{"pooling_mode_cls_token": true}')
    modules.write_text(json.dumps(listed), encoding="utf-8")
    with pytest.raises(
        ModelError, match=r'modules.json: type: unknown module "sentence_transformers'
    ):
        load(directory)
