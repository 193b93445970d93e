"""The version of the installed package; the number itself stands in ``pyproject.toml`` only."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("qrun-equiv")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
