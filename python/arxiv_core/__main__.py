"""``python -m arxiv_core``: the same as the ``arxiv-core`` command."""

from arxiv_core.cli import main

main()
