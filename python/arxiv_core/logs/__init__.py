"""Log records as JSON lines, and the rotating file in which a stage's records stay."""

from __future__ import annotations

from arxiv_core.logs.json_lines import JsonLines
from arxiv_core.logs.run_file import stage_log

__all__ = ["JsonLines", "stage_log"]
