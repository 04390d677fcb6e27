"""The groups, as a module: Hydra's ``pkg://arxiv_core.config.tree``, which DVC composes from."""

from arxiv_core.config import store as store
