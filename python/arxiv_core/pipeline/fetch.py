"""Stage ``fetch``: the snapshot from Kaggle. Only this file imports kagglehub."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import ArxivCoreError
from arxiv_core.extras import require

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["FetchError", "run"]

SNAPSHOT = "arxiv-metadata-oai-snapshot.json"

log = logging.getLogger(__name__)


class FetchError(ArxivCoreError):
    """The snapshot could not be downloaded; says what to do."""


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Download the snapshot into ``paths.data``; an interrupted download is taken up again.

    Parameters
    ----------
    config
        ``data.dataset``, ``paths.data``.
    progress
        Unused: kagglehub shows its own.

    Raises
    ------
    FetchError
        No network, no credentials, or Kaggle refused.
    """
    del progress
    require("kagglehub", extra="data", what="arxiv-core data fetch")
    import kagglehub
    import kagglehub.exceptions

    target = Path(config.paths.data)
    target.mkdir(parents=True, exist_ok=True)
    handle = config.data.dataset
    by_hand = (
        f"or download it by hand from https://www.kaggle.com/datasets/{handle} "
        "and give it as data.source=FILE"
    )
    log.info("downloading %s from Kaggle", handle)
    try:
        path = kagglehub.dataset_download(handle, path=SNAPSHOT, output_dir=str(target))
    except (
        kagglehub.exceptions.CredentialError,
        kagglehub.exceptions.UnauthenticatedError,
        kagglehub.exceptions.KaggleApiHTTPError,
    ) as error:
        raise FetchError(
            f"Kaggle refused {handle}: set KAGGLE_API_TOKEN to a token from your Kaggle "
            f"account's settings, {by_hand}"
        ) from error
    except (OSError, kagglehub.exceptions.BackendError) as error:
        if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
            raise
        raise FetchError(
            f"Kaggle cannot be reached to download {handle}: check the network and try again "
            f"(what has arrived is kept), {by_hand}"
        ) from error
    file = Path(path)
    return {"source": str(file), "bytes": file.stat().st_size}
