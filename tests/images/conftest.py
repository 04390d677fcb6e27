"""The images, built once, and what is measured of them: build/images.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from images.builder import ROOT, WHEEL, Builder, missing


@dataclass
class Image:
    """A built image."""

    root: Path
    configuration: dict[str, Any]
    figures: dict[str, Any]


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, Any]]:
    """What is measured, by image."""
    found: dict[str, Any] = {}
    yield found
    path = ROOT / "build/images.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """A storage with the base image."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    if WHEEL == "dist":
        wheels = sorted((ROOT / "dist").glob("*.whl"))
        assert len(wheels) == 1, f"dist has {len(wheels)} wheels; `make wheel` makes one"
    builder = Builder(tmp_path_factory.mktemp("images"))
    try:
        builder.bootstrap()
        if WHEEL == "build":
            builder.bootstrap_rust()
        yield builder
    finally:
        builder.close()


def image(builder: Builder, target: str, figures: dict[str, Any], *compressions: str) -> Image:
    builder.build(target)
    measured = figures[target] = {"bytes": {}, "layers": {}}
    for compression in compressions:
        layers = builder.layers(target, compression)
        measured["bytes"][compression] = sum(layers)
        measured["layers"][compression] = layers
    return Image(builder.unpack(target), builder.configuration(target), measured)


@pytest.fixture(scope="session")
def serve(builder: Builder, figures: dict[str, Any]) -> Image:
    """The image that answers."""
    return image(builder, "serve", figures, "gzip", "zstd")


@pytest.fixture(scope="session")
def train(builder: Builder, figures: dict[str, Any]) -> Image:
    """The image that trains."""
    return image(builder, "train", figures, "gzip")
