"""What the stub promises about exceptions is what the package hands out."""

import arxiv_core
from arxiv_core import _core


def test_every_exception_of_the_core_is_public() -> None:
    found = [
        name
        for name, value in vars(_core).items()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(found) >= 8
    for name in found:
        assert getattr(arxiv_core, name) is getattr(_core, name)
        assert name in arxiv_core.__all__
