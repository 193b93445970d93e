"""Reports of verification runs: an index, a self-contained page a pair, and their numbers."""

from __future__ import annotations

from qrun_equiv.reporting.page import open_page, render, render_index, report, write_json
from qrun_equiv.reporting.script import replay_script
from qrun_equiv.reporting.spectrum_files import write_spectra
from qrun_equiv.reporting.spectrum_page import print_spectrum, spectrum_pages

__all__ = [
    "open_page",
    "print_spectrum",
    "render",
    "render_index",
    "replay_script",
    "report",
    "spectrum_pages",
    "write_json",
    "write_spectra",
]
