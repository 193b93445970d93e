"""qrun-equiv: is the classical network really what the quantum circuit was?

    native circuit (PennyLane, Qiskit, OpenQASM)  ->  Circuit (neutral form)  ->  counterpart
                     |                                       |                       |
                     +------------- checks: outputs, gradients, spectrum ------------+
                                                     |
                                       verdict + certificate (JSON)  ->  report

``verify`` is the front door; ``derive`` makes a counterpart; ``QRUN`` is the classical layer; a
``Pair`` in a file is what the command line and pytest collect.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qrun_equiv._version import __version__

if TYPE_CHECKING:
    from qrun_equiv.api import (
        approximate,
        derive,
        expressivity,
        frequencies,
        neutral,
        spectrum,
        spectrum_engine,
    )
    from qrun_equiv.certificate import Certificate, Counterexample, Status, Verdict
    from qrun_equiv.errors import QrunEquivError
    from qrun_equiv.fourier import FourierSeries
    from qrun_equiv.pair import Pair
    from qrun_equiv.qrun import QRUN
    from qrun_equiv.rechecking import recheck
    from qrun_equiv.reporting import report
    from qrun_equiv.scale.fast import fast_counterpart
    from qrun_equiv.scale.paths import exact_paths
    from qrun_equiv.scale.tabulated import compile_for_inference
    from qrun_equiv.spectra.comparing import compare_spectra
    from qrun_equiv.verification import verify

_HOME = {
    "QRUN": "qrun",
    "Certificate": "certificate",
    "Counterexample": "certificate",
    "FourierSeries": "fourier",
    "Pair": "pair",
    "QrunEquivError": "errors",
    "Status": "certificate",
    "Verdict": "certificate",
    "approximate": "api",
    "compare_spectra": "spectra.comparing",
    "compile_for_inference": "scale.tabulated",
    "derive": "api",
    "exact_paths": "scale.paths",
    "expressivity": "api",
    "fast_counterpart": "scale.fast",
    "frequencies": "api",
    "neutral": "api",
    "recheck": "rechecking",
    "report": "reporting",
    "spectrum": "api",
    "spectrum_engine": "api",
    "verify": "verification",
}

__all__ = [
    "QRUN",
    "Certificate",
    "Counterexample",
    "FourierSeries",
    "Pair",
    "QrunEquivError",
    "Status",
    "Verdict",
    "__version__",
    "approximate",
    "compare_spectra",
    "compile_for_inference",
    "derive",
    "exact_paths",
    "expressivity",
    "fast_counterpart",
    "frequencies",
    "neutral",
    "recheck",
    "report",
    "spectrum",
    "spectrum_engine",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import on first use: the three frameworks take seconds to load."""
    if name not in _HOME:
        msg = f"module 'qrun_equiv' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"qrun_equiv.{_HOME[name]}"), name)
