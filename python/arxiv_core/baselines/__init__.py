"""What every result stands beside: scikit-learn's linear classifiers on the same papers.

- ``tfidf``: TF-IDF over words and pairs of words, one-vs-rest logistic SGD;
- ``frozen-ENCODER``: one-vs-rest logistic regression on the embeddings that `embed` wrote.

They belong to papers, split and labels, not to a run, and lie beside the papers:
``baselines/SPLIT/NAME.json``, as ``metrics.json`` is written. Only this room imports scikit-learn
(extra ``baselines``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arxiv_core import extras

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["run"]


def run(config: Config, progress: OnProgress | None = None) -> dict[str, dict[str, Any]]:
    """Measure both baselines, except what was measured for the same papers in the same way.

    Parameters
    ----------
    config
        ``paths``, ``model``, ``labels.min_train_papers``, ``train.refit``, ``calibration``,
        ``evaluation``, ``seed``.
    progress
        Receives progress.

    Returns
    -------
    dict
        Baseline → its strength of regularisation, its first figures, whether it was there, and
        its file.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed.
    NotYetError
        There are no papers or embeddings.
    FitError
        There is nothing to fit to, or nothing to choose by.
    InputError
        The embeddings are of another papers table, or the split has no papers.
    """
    extras.require("sklearn", extra="baselines", what="arxiv-core baselines")
    from arxiv_core.baselines import stage
    from arxiv_core.logs import stage_log
    from arxiv_core.pipeline.layout import Layout

    with stage_log("baselines", Layout.of(config).log("baselines"), progress) as observed:
        found = stage.run(config, observed)
        observed.finish()
    return found
