"""Is a worker's installation the coordinator's? Versions, and the text of this package."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

Fingerprint = Mapping[str, str]

_PACKAGES = ("qrun-equiv", "torch", "numpy", "pennylane", "qiskit", "python-flint")
_CODE = "code of qrun-equiv"


@cache
def fingerprint() -> Fingerprint:
    """Versions of what a result may depend on, and SHA-256 of this package's Python files."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), _CODE: _digest()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def mismatch(
    expected: Fingerprint, found: Fingerprint, words: tuple[str, str] = ("here", "there")
) -> str:
    """How they differ, as one line; empty where they don't. ``words`` say which is which."""
    return ", ".join(
        f"{name} {_short(value)} {words[0]}, {_short(found.get(name, 'missing'))} {words[1]}"
        for name, value in expected.items()
        if found.get(name) != value
    )


def _short(text: str) -> str:
    return text[:12]


def _digest() -> str:
    folder = Path(__file__).parent.parent
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        # An installed package has the catalogue inside, a checkout beside: not part of the code.
        name = path.relative_to(folder).as_posix()
        if not name.startswith(("circuits/", "proofs/")):
            whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return whole.hexdigest()
