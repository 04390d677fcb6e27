"""Stage ``package``: a run's model with its metrics and card, as one directory to hand on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import Classifier, __version__, models
from arxiv_core.pipeline.card import card
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.record import read_json, write_json, write_text

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["run"]

MANIFEST = "manifest.json"
SPEC = "classifier.json"

ENCODER_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)


def run(
    config: Config, progress: OnProgress | None = None, *, self_contained: bool = False
) -> dict[str, Any]:
    """Write ``package/`` and load it once, so that what is handed on is known to work.

    Parameters
    ----------
    config
        ``paths``, ``run`` and ``model.name``.
    progress
        Unused: packaging takes a moment.
    self_contained
        Put the encoder inside, so that the directory is all that is needed.

    Returns
    -------
    dict
        Where the directory is and what it holds.
    """
    del progress
    layout = Layout.of(config)
    model = needs(layout.model, "train")
    metrics = read_json(needs(layout.metrics, "evaluate"))
    run_config = read_json(needs(layout.run / "config.json", "train"))
    target = layout.package
    with tempfile.TemporaryDirectory(dir=layout.run, prefix=".package-") as unfinished:
        draft = Path(unfinished, "package")
        shutil.copytree(model, draft)
        data_manifest = read_json(draft / MANIFEST).get("data_manifest")
        spec = read_json(draft / SPEC)
        if self_contained:
            _inside(models.resolve(config.model.name), draft, spec)
        write_json(draft / "metrics.json", metrics)
        write_text(draft / "README.md", card(config.run, spec, metrics, run_config))
        files = _hashes(draft)
        write_json(
            draft / MANIFEST,
            {
                "format_version": 1,
                "code_version": __version__,
                "data_manifest": data_manifest,
                "files": files,
            },
        )
        Classifier.load(draft, device="cpu")
        if target.exists():
            shutil.move(target, Path(unfinished, "old"))
        shutil.move(draft, target)
    sizes = {name: (target / name).stat().st_size for name in files}
    return {"package": str(target), "labels": len(spec["labels"]), "bytes": sum(sizes.values())}


def _inside(encoder: Path, draft: Path, spec: dict[str, Any]) -> None:
    for name in ENCODER_FILES:
        if (encoder / name).is_file():
            (draft / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(encoder / name, draft / name)
    spec["encoder"] |= {"source": "local"}
    write_json(draft / SPEC, spec)


def _hashes(directory: Path) -> dict[str, str]:
    found = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
