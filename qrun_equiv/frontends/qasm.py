"""OpenQASM 3 files with ``input float`` parameters, read by Qiskit's importer."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from qrun_equiv.errors import FrontendError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.qiskit import QiskitSource


def load(path: str | Path) -> QuantumCircuit:
    """Circuit of an OpenQASM 3 file.

    Features and parameters are declared as ``input float[64] x0;`` and ``input float[64] theta3;``
    (arrays of inputs are not in the importer's reach: one name each).

    Raises:
        FrontendError: the file is missing or can't be parsed.
    """
    import qiskit_qasm3_import

    if "\n" in str(path):
        msg = "can't read the OpenQASM file: a path is needed; write the program's text to a file"
        raise FrontendError(msg)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        msg = f"can't read the OpenQASM file {str(path)[:200]}: {reason}"
        raise FrontendError(msg) from error
    if re.search(r"^\s*OPENQASM\s+2", text, flags=re.MULTILINE):
        msg = f"{path} is OpenQASM 2, which has no input parameters: write it in OpenQASM 3"
        raise FrontendError(msg)
    complaints = io.StringIO()  # the parser names line and column on stderr, not in its error
    try:
        with redirect_stderr(complaints):
            circuit = qiskit_qasm3_import.parse(text)
    except Exception as error:
        where = complaints.getvalue().strip().split("\n")[0]
        reason = " ".join(str(error).split()).rstrip(".") or where or type(error).__name__
        msg = f"{path} is not OpenQASM 3 that can be read here: {reason}"
        if "input" in text and not where:
            msg += "; each parameter is declared as 'input float[64] x0;' (or theta0)"
        raise FrontendError(msg) from error
    sys.stderr.write(complaints.getvalue())
    return circuit


def qasm_source(path: str | Path, observable: Any, sizes: Sizes) -> QiskitSource:
    """Source named ``qasm`` of an OpenQASM 3 file, run by Qiskit's ``Statevector``."""
    circuit = load(path)
    circuit.remove_final_measurements()
    return QiskitSource(circuit, observable, sizes, name="qasm")
