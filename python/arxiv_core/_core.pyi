"""The compiled core, a section per room."""

# --- text

TEMPLATE_VERSION: int
"""Version of cleaning and template; stored with models and embeddings."""

def clean(text: str, /) -> str:
    """`text` without LaTeX, in one Unicode form and with single spaces; idempotent."""

def template(title: str, abstract: str) -> str:
    """The text a model reads for a paper: both parts cleaned, `title. abstract`."""
