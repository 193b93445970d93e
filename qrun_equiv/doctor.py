"""What is installed, what is missing, and the command that installs it."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from qrun_equiv._version import __version__


@dataclass(frozen=True, slots=True)
class Row:
    """One thing looked at; ``needed`` things make the doctor's exit code."""

    name: str
    found: str
    ok: bool
    needed: bool = True
    remedy: str = ""


#: Optional packages and the extra that brings them.
_OPTIONAL = {
    "pytest": "test",
    "qiskit-aer": "aer",
    "pyarrow": "run",
    "lightning-fabric": "train",
    "distributed": "cluster",
    "ray": "cluster",
    "onnx": "onnx",
    "triton": "gpu",
}
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)")


def examine() -> list[Row]:
    """Python, every required package, the device and the catalogue."""
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return [
        Row("qrun-equiv", __version__, ok=True),
        Row(
            "python",
            platform.python_version(),
            supported,
            remedy="" if supported else "use Python 3.11 to 3.13",
        ),
        *(_package(name, needed=True) for name in _required()),
        *(_package(name, needed=False, extra=extra) for name, extra in _OPTIONAL.items()),
        _device(),
        _program(("c++", "g++"), "C++ compiler", "quick kernels on the CPU", "g++"),
        _program(("coqc",), "Coq", "machine-checked proofs", "coq libcoq-coquelicot"),
        _catalogue(),
    ]


def _required() -> list[str]:
    try:
        lines = requires("qrun-equiv") or []
    except PackageNotFoundError:
        lines = ["pennylane", "qiskit", "torch", "numpy", "matplotlib"]
    names = [m[1] for line in lines if "extra ==" not in line and (m := _REQUIREMENT.match(line))]
    return sorted(names)


def _package(name: str, *, needed: bool, extra: str = "") -> Row:
    try:
        return Row(name, version(name), ok=True, needed=needed)
    except PackageNotFoundError:
        found = "not installed" if needed else "not installed (optional)"
        what = f"'qrun-equiv[{extra}]'" if extra else name
        remedy = f"pip install -c constraints.txt {what}"
        return Row(name, found, ok=False, needed=needed, remedy=remedy)


def _program(names: tuple[str, ...], title: str, purpose: str, packages: str) -> Row:
    found = next(filter(None, map(shutil.which, names)), None)
    remedy = "" if found else f"for {purpose}; on Debian and Ubuntu: apt install {packages}"
    return Row(title, found or "not found (optional)", bool(found), needed=False, remedy=remedy)


def _device() -> Row:
    try:
        import torch
    except ImportError as error:
        return Row("device", f"torch can't be imported: {error}", ok=False, remedy="see torch")
    if torch.cuda.is_available():
        return Row("device", f"CUDA: {torch.cuda.get_device_name()}", ok=True, needed=False)
    threads = torch.get_num_threads()
    return Row("device", f"CPU, {threads} threads (every check runs on it)", ok=True, needed=False)


def _catalogue() -> Row:
    from qrun_equiv.errors import PairError

    try:
        from qrun_equiv.pair import catalogue_folder

        return Row("catalogue", str(catalogue_folder()), ok=True)
    except (PairError, ImportError) as error:
        return Row("catalogue", str(error), ok=False, remedy="reinstall qrun-equiv")
