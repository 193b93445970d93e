"""C++ beside a module, compiled once a process (about a second) where there is a compiler."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_FLAGS = ("-O3", "-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast")
_SHARED = ("-shared", "-fPIC")
# OpenMP without its library: torch has loaded one, and a second would compete with it.
_OPENMP = ("-march=native", "-fopenmp", "-nodefaultlibs")


@cache
def library(name: str) -> ctypes.CDLL | None:
    """The functions of a C++ file of this folder, or None: no compiler, or it can't.

    They may call libc and, on Linux, OpenMP; nothing else is sure to be loaded.

    Args:
        name: of the file, such as ``"series.cpp"``.
    """
    source = Path(__file__).with_name(name)
    compiler = shutil.which(os.environ.get("CXX") or "c++") or shutil.which("g++")
    if compiler is None or sys.platform == "win32":
        return None
    attempts: list[tuple[str, ...]] = [("-march=native",), ()]
    if sys.platform == "linux":
        attempts.insert(0, _OPENMP)
    for extra in attempts:
        # a fresh folder a process: no cache to go stale or to be tampered with
        with tempfile.TemporaryDirectory(prefix="qrun-equiv-") as folder:
            target = Path(folder) / "library.so"
            command = [compiler, *_FLAGS, *_SHARED, *extra, "-o", str(target), str(source)]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603
                return ctypes.CDLL(str(target))
            except (OSError, subprocess.SubprocessError):
                continue
    return None
