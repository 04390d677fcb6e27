"""Reports that people open: one HTML file each, its charts inside and as PNG and SVG beside it.

What is shown was counted in Rust; here it is drawn. Only this room imports matplotlib, so that
whoever imports one of its modules needs the extra ``report``; `require` says so in one sentence.
"""

from __future__ import annotations

from arxiv_core import extras

__all__ = ["require"]


def require(what: str) -> None:
    """Check that matplotlib is there.

    Parameters
    ----------
    what
        Who needs it, as the error's subject.

    Raises
    ------
    MissingExtraError
        It is not.
    """
    extras.require("matplotlib", extra="report", what=what)
