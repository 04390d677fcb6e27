"""Gives Hydra the tree's schema by the name that ``tree/config.yaml`` calls it by."""

from __future__ import annotations

from hydra.core.config_store import ConfigStore

from arxiv_core.config.schema import Config

__all__: list[str] = []

ConfigStore.instance().store(name="schema", node=Config, provider="arxiv_core")
