"""Gives Hydra the tree's schema by the name that ``tree/config.yaml`` calls it by."""

from __future__ import annotations

from arxiv_core.config.schema import Config
from arxiv_core.extras import require

require("hydra", extra="pipeline", what="the configuration")

from hydra.core.config_store import ConfigStore  # noqa: E402 - after the check above

__all__: list[str] = []

ConfigStore.instance().store(name="schema", node=Config, provider="arxiv_core")
