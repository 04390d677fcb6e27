"""Where a stage's time goes: a flame graph of Python and Rust, and a table of libtorch's operators.

Only this room imports Python's torch, and only while something is profiled.
"""

from __future__ import annotations

from arxiv_core.profiling.profile import Profile, profiled

__all__ = ["Profile", "profiled"]
