"""From what a user passes as ``circuit`` to sources, with sizes read off where they can be."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pennylane as qml
from qiskit import QuantumCircuit

from qrun_equiv.certificate import OUTSIDE
from qrun_equiv.errors import FrontendError
from qrun_equiv.frontends.base import CircuitSource, Sizes
from qrun_equiv.frontends.pennylane import PennyLaneSource
from qrun_equiv.frontends.qasm import load, qasm_source
from qrun_equiv.frontends.qiskit import QiskitSource, parameter_places

RESERVED = frozenset({"counterpart", "neutral form", OUTSIDE})


def circuit_sources(
    circuit: Any, observable: Any, n_features: int | None, n_parameters: Any
) -> tuple[list[CircuitSource], Sizes]:
    """Sources of one circuit or of a mapping of several by name, and their common sizes.

    Raises:
        FrontendError: an unknown kind of circuit, sizes that are missing and can't be read off, or
            any complaint of a frontend.
    """
    named = _named(circuit)
    sizes = _sizes(named, n_features, n_parameters)
    if observable is not None and not isinstance(circuit, Mapping) and "pennylane" in named:
        msg = "observable= is for Qiskit and OpenQASM; a QNode returns its own observables"
        raise FrontendError(msg)
    return [_source(name, one, observable, sizes) for name, one in named.items()], sizes


def _named(circuit: Any) -> dict[str, Any]:
    if not isinstance(circuit, Mapping):
        return {_kind(circuit): circuit}
    if not circuit:
        msg = "the mapping of circuits is empty; give at least one"
        raise FrontendError(msg)
    for name in circuit:
        if not isinstance(name, str) or name in RESERVED:
            msg = f"a circuit can't be named {name!r}; names are strings other than {RESERVED}"
            raise FrontendError(msg)
        _kind(circuit[name])
    return dict(circuit)


def _kind(circuit: Any) -> str:
    if isinstance(circuit, QuantumCircuit):
        return "qiskit"
    if isinstance(circuit, str | Path):
        return "qasm"
    if isinstance(circuit, qml.QNode) or callable(circuit):
        return "pennylane"
    msg = (
        f"a circuit must be a PennyLane QNode f(x, theta), a Qiskit QuantumCircuit, a path to an "
        f"OpenQASM 3 file, or a mapping of these; got {type(circuit).__name__}"
    )
    raise FrontendError(msg)


def _source(name: str, circuit: Any, observable: Any, sizes: Sizes) -> CircuitSource:
    kind = _kind(circuit)
    if kind == "qiskit":
        return QiskitSource(circuit, observable, sizes, name=name)
    if kind == "qasm":
        source = qasm_source(circuit, observable, sizes)
        source.name = name
        return source
    return PennyLaneSource(circuit, sizes, name=name)


def _sizes(named: Mapping[str, Any], n_features: int | None, n_parameters: Any) -> Sizes:
    if n_features is None or n_parameters is None:
        features, parameters = zip(*(_read_off(one) for one in named.values()), strict=True)
        n_features = _known(features, "n_features") if n_features is None else n_features
        n_parameters = _known(parameters, "n_parameters") if n_parameters is None else n_parameters
    return Sizes.of(n_features, n_parameters)


def _known(found: tuple[int | None, ...], name: str) -> int:
    sizes = [size for size in found if size is not None]
    if not sizes:
        msg = (
            f"{name} can't be read off this circuit; pass {name}=... (the circuit is the first "
            "argument, the network the second)"
        )
        raise FrontendError(msg)
    return max(sizes)


def _read_off(circuit: Any) -> tuple[int | None, int | None]:
    kind = _kind(circuit)
    if kind == "pennylane":
        return _recorded(circuit.func if isinstance(circuit, qml.QNode) else circuit)
    places = parameter_places(load(circuit) if kind == "qasm" else circuit).values()

    def size(wanted: str) -> int:
        return max((index + 1 for what, index in places if what == wanted), default=0)

    return size("x"), size("theta")


class _Recorder:
    """Stands for x or theta, allows whole-number indexing only, and remembers the largest."""

    def __init__(self) -> None:
        self.size = 0

    def __getitem__(self, index: Any) -> float:
        if isinstance(index, bool) or not isinstance(index, int) or index < 0 or index > 10**6:
            raise TypeError
        self.size = max(self.size, index + 1)
        return 0.5 + 0.01 * index

    __iter__ = None  # iteration would never end: its length is what is asked for


def _recorded(function: Callable[..., Any]) -> tuple[int | None, int | None]:
    x, theta = _Recorder(), _Recorder()
    try:
        alone = len(inspect.signature(function).parameters) == 1
        with qml.queuing.AnnotatedQueue() as queue:
            function(*((x,) if alone else (x, theta)))
        used = [p for op in queue.queue for p in getattr(op, "data", ())]
        if any(isinstance(p, _Recorder) for p in used):  # used as a whole: a scalar
            return None, None
    except Exception:  # noqa: BLE001 - whatever it is, the sizes are not readable this way
        return None, None
    return x.size, theta.size
