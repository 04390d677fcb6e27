"""A tiny random BERT by transformers, and what PyTorch makes of one, in a process of its own.

    python tiny_bert.py make DIRECTORY KINDS.json
    python tiny_bert.py encode REQUEST.json OUT.npz
    python tiny_bert.py tune REQUEST.json OUT.npz

``make`` writes an encoder of each kind in sentence-transformers' files, into ``DIRECTORY/0``, ….
``encode`` answers ``{model, rows}`` (lists of token ids) with normalised means. ``tune`` takes
``{model, rows, labels, held, width, batches, lr, head_lr, weight_decay, clip, scales}`` and gives
every weight after the steps, and the validation loss after each epoch as ``validation``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch.nn.functional import binary_cross_entropy_with_logits, normalize
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    PreTrainedModel,
)

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make(directory: Path, options: dict[str, Any]) -> None:
    """Write a random encoder that knows `words`, then letters."""
    pieces = [*SPECIAL, *options["words"], *"abcdefghijklmnopqrstuvwxyz0123456789.,()"]
    pieces += [f"##{one}" for one in "abcdefghijklmnopqrstuvwxyz0123456789"]
    known = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    torch.manual_seed(0)
    if options["architecture"] == "distilbert":
        model: PreTrainedModel = DistilBertModel(
            DistilBertConfig(
                vocab_size=len(known),
                dim=32,
                n_layers=2,
                n_heads=4,
                hidden_dim=64,
                max_position_embeddings=96,
                dropout=options["dropout"],
                attention_dropout=options["dropout"],
                initializer_range=0.15,
            )
        )
    else:
        model = BertModel(
            BertConfig(
                vocab_size=len(known),
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=64,
                max_position_embeddings=96,
                hidden_dropout_prob=options["dropout"],
                attention_probs_dropout_prob=options["dropout"],
                initializer_range=0.15,
            )
        )
    model.to(getattr(torch, options["dtype"])).save_pretrained(directory)
    tokenizer = Tokenizer(models.WordPiece(known, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(one, known[one]) for one in ("[CLS]", "[SEP]")]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    kinds = ("Transformer", "Pooling", "Normalize")
    paths = ("", "1_Pooling", "2_Normalize")
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (path, kind) in enumerate(zip(paths, kinds, strict=True))
    ]
    (directory / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (directory / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    (directory / "1_Pooling/config.json").write_text(json.dumps(pooling), encoding="utf-8")


def pooled(model: torch.nn.Module, rows: list[list[int]]) -> torch.Tensor:
    """Normalised means of the rows' token vectors."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(-1).float()
    return normalize((hidden * weight).sum(1) / weight.sum(1), dim=1)


def tune(request: dict[str, Any]) -> dict[str, Any]:
    """Take the steps of `request` with torch.optim.AdamW."""
    torch.manual_seed(0)
    model = AutoModel.from_pretrained(request["model"])
    # What is not used has no gradient, and its weights would decay all the same.
    model.pooler = None
    model.train()
    width = request["width"]

    def targets(labels: list[list[int]]) -> torch.Tensor:
        return torch.tensor([[float(one in own) for one in range(width)] for own in labels])

    head = torch.nn.Linear(32, width)
    share = targets(request["labels"]).mean(0)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.logit(share))
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for part, lr in ((model, request["lr"]), (head, request["head_lr"])):
        for name, parameter in part.named_parameters():
            plain = name.endswith("bias") or "norm" in name.lower()
            groups.setdefault((lr, 0.0 if plain else request["weight_decay"]), []).append(parameter)
    optimizer = torch.optim.AdamW(
        [{"params": own, "lr": lr, "weight_decay": wd} for (lr, wd), own in groups.items()]
    )
    highest = [group["lr"] for group in optimizer.param_groups]
    every = [one for group in optimizer.param_groups for one in group["params"]]
    steps = [batch for epoch in request["batches"] for batch in epoch]
    mean = len(request["rows"]) * len(request["batches"]) / len(steps)

    def loss(rows: list[list[int]], labels: list[list[int]]) -> torch.Tensor:
        logits = head(pooled(model, rows) * 32**0.5)
        total = binary_cross_entropy_with_logits(logits, targets(labels), reduction="sum")
        return total / width

    validation, scales = [], iter(request["scales"])
    for epoch in request["batches"]:
        for batch in epoch:
            scale = next(scales)
            for group, lr in zip(optimizer.param_groups, highest, strict=True):
                group["lr"] = lr * scale
            optimizer.zero_grad()
            rows = [request["rows"][row] for row in batch]
            (loss(rows, [request["labels"][row] for row in batch]) / mean).backward()
            torch.nn.utils.clip_grad_norm_(every, request["clip"])
            optimizer.step()
        held = request["held"]
        with torch.no_grad():
            validation.append(float(loss(held["rows"], held["labels"])) / len(held["rows"]))
    weights: dict[str, Any] = {name: one.detach().numpy() for name, one in model.named_parameters()}
    return weights | {"validation": np.array(validation)}


def main() -> None:
    torch.set_num_threads(1)
    what, first, second = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if what == "make":
        for at, kind in enumerate(json.loads(second.read_text(encoding="utf-8"))):
            make(first / str(at), kind)
        return
    request = json.loads(first.read_text(encoding="utf-8"))
    if what == "tune":
        np.savez(second, **tune(request))
        return
    model = AutoModel.from_pretrained(request["model"])
    assert model.dtype == torch.float32
    with torch.no_grad():
        np.savez(second, vectors=pooled(model.eval(), request["rows"]).numpy())


if __name__ == "__main__":
    main()
