"""Whether a run is sent as it goes: what is asked for, and whether there is a key."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from arxiv_core import OptionError
from arxiv_core.config.schema import TrackingMode

__all__ = ["has_key", "mode"]

HOST = "https://api.wandb.ai"


def mode(asked: TrackingMode) -> Literal["online", "offline", "disabled"]:
    """Decide how a run is recorded.

    Parameters
    ----------
    asked
        ``tracking.mode``; auto leaves it to W&B's own ``WANDB_MODE``, else to whether there is a
        key.

    Returns
    -------
    str
        W&B's name of it.

    Raises
    ------
    OptionError
        It is to be sent, and there is no key: W&B would ask for one.
    """
    own = os.environ.get("WANDB_MODE") or None
    if asked is TrackingMode.offline or (asked is TrackingMode.auto and own == "offline"):
        return "offline"
    if asked is TrackingMode.auto and own == "disabled":
        return "disabled"
    if has_key():
        return "online"
    if asked is TrackingMode.auto and own is None:
        return "offline"
    raise OptionError(
        f"tracking.mode = online: there is no key for {_host()}: set WANDB_API_KEY, "
        "run wandb login, or take tracking.mode=offline"
    )


def has_key() -> bool:
    """Tell whether W&B would find a key without asking for one."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    given = os.environ.get("NETRC")
    for path in [Path(given)] if given else [Path.home() / name for name in (".netrc", "_netrc")]:
        try:
            if netrc.netrc(path).authenticators(_host()):
                return True
        except (OSError, netrc.NetrcParseError):
            continue
    return False


def _host() -> str:
    return urlsplit(os.environ.get("WANDB_BASE_URL", HOST)).netloc
