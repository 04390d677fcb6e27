"""Small random checkpoints as transformers writes them, in a process of their own.

    python make_checkpoints.py REQUEST.json

The request is a list of `{out, model_type, layout, vocabulary, tokenizer, config}`. Layouts:
`encoder` and `task` are today's files, of the encoder alone and of a task model around it; `zip`
and `legacy` are `pytorch_model.bin` of a task model beside a `vocab.txt`, the last with the layer
norms' old names. `ids.json` and `fast.json` say how transformers' own tokenizer reads the texts.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertTokenizer,
    DistilBertConfig,
)

SIZES = {
    "bert": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    },
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
}


def make(job: dict[str, Any]) -> None:
    torch.manual_seed(7)
    out, vocabulary = Path(job["out"]), Path(job["vocabulary"])
    out.mkdir(parents=True)
    words = vocabulary.read_text(encoding="utf-8").splitlines()
    kind = {"bert": BertConfig, "distilbert": DistilBertConfig}[job["model_type"]]
    config = kind(**(SIZES[job["model_type"]] | {"vocab_size": len(words)} | job["config"]))
    task = job["layout"] != "encoder"
    model = (AutoModelForMaskedLM if task else AutoModel).from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "position_embeddings" in name and job["config"].get("sinusoidal_pos_embds"):
                continue
            norm = "norm" in name.lower() and name.endswith("weight")
            weight.normal_(1.0 if norm else 0.0, 0.3)
    if job["layout"] in {"encoder", "task"}:
        model.save_pretrained(out)
        BertTokenizer(str(vocabulary), **job["tokenizer"]).save_pretrained(out)
    else:
        config.save_pretrained(out)
        shutil.copyfile(vocabulary, out / "vocab.txt")
        if job["tokenizer"]:
            (out / "tokenizer_config.json").write_text(json.dumps(job["tokenizer"]))
        state = model.state_dict()
        if job["layout"] == "legacy":
            old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
            for new, name in old.items():
                state = {key.replace(new, name): value for key, value in state.items()}
        zipped = job["layout"] == "zip"
        torch.save(state, out / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    tokenizer = AutoTokenizer.from_pretrained(out)
    answer = tokenizer(job["texts"], truncation=True, max_length=64)["input_ids"]
    (out.parent / f"{out.name}-ids.json").write_text(json.dumps(answer))
    (out.parent / f"{out.name}-fast.json").write_text(tokenizer.backend_tokenizer.to_str())


if __name__ == "__main__":
    for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        make(job)
