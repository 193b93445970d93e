"""An interactive page of a circuit: sliders move circuit, network, curves and spectrum."""

from __future__ import annotations

from qrun_equiv.explorer.page import render, write

__all__ = ["render", "write"]
