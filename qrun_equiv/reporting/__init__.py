"""Reports of verification runs: one self-contained page, and the same verdicts as JSON."""

from __future__ import annotations

from qrun_equiv.reporting.page import render, report, write_json
from qrun_equiv.reporting.script import replay_script

__all__ = ["render", "replay_script", "report", "write_json"]
