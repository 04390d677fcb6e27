"""Optional dependencies: one sentence where one is missing."""

from __future__ import annotations

import importlib.util

__all__ = ["MissingExtraError", "require"]


class MissingExtraError(ImportError):
    """A command needs a package that only an extra installs."""


def require(package: str, *, extra: str, what: str) -> None:
    """Check that `package` can be imported, without importing it.

    Parameters
    ----------
    package
        Importable name.
    extra
        Extra of this distribution that installs it.
    what
        Who needs it, as the error's subject.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(
            f"{what} needs {package}, which is not installed: pip install '.[{extra}]' in "
            f"arxiv-core's repository, or 'arxiv-core[{extra}]' from where this wheel came",
            name=package,
        )
