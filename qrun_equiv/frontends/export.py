"""The neutral form as native circuits: for mutants, and for a second framework."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.angle import Angle, Symbol
from qrun_equiv.circuit import Circuit, Gate, Observable

_PENNYLANE: dict[str, Any] = {
    "RX": qml.RX, "RY": qml.RY, "RZ": qml.RZ, "PhaseShift": qml.PhaseShift, "CRX": qml.CRX,
    "CRY": qml.CRY, "CRZ": qml.CRZ, "H": qml.Hadamard, "S": qml.S, "T": qml.T, "X": qml.X,
    "Y": qml.Y, "Z": qml.Z, "CNOT": qml.CNOT, "CZ": qml.CZ, "SWAP": qml.SWAP,
}  # fmt: skip
_QISKIT = {
    "RX": "rx", "RY": "ry", "RZ": "rz", "PhaseShift": "p", "CRX": "crx", "CRY": "cry",
    "CRZ": "crz", "H": "h", "S": "s", "T": "t", "X": "x", "Y": "y", "Z": "z", "CNOT": "cx",
    "CZ": "cz", "SWAP": "swap",
}  # fmt: skip


def to_pennylane(circuit: Circuit) -> Callable[[Any, Any], Any]:
    """Quantum function ``f(x, theta)`` with wires 0 to n-1; wrap it in a QNode."""
    operators = [_operator(o, circuit.n_wires) for o in circuit.observables]

    def function(x: Any, theta: Any) -> Any:
        for gate in circuit.gates:
            _apply(gate, x, theta)
        results = tuple(qml.expval(operator) for operator in operators)
        return results if len(results) > 1 else results[0]

    return function


def _apply(gate: Gate, x: Any, theta: Any) -> None:
    wires = list(gate.wires)
    if gate.name == "Unitary":
        qml.QubitUnitary(np.array(gate.matrix), wires=wires)
    elif gate.angle is None:
        _PENNYLANE[gate.name](wires=wires)
    elif gate.name == "PauliRot":
        qml.PauliRot(gate.angle.evaluate(x, theta), gate.word, wires=wires)
    else:
        _PENNYLANE[gate.name](gate.angle.evaluate(x, theta), wires=wires)


def _operator(observable: Observable, n_wires: int) -> Any:
    words = [
        qml.pauli.PauliWord(dict(word)).operation(wire_order=range(n_wires))
        for _, word in observable.terms
    ]
    return qml.Hamiltonian([c for c, _ in observable.terms] or [0.0], words or [qml.Identity(0)])


def to_qiskit(circuit: Circuit) -> tuple[QuantumCircuit, list[SparsePauliOp]]:
    """Qiskit circuit with ``ParameterVector`` s ``x`` and ``theta``, and its observables."""
    x = ParameterVector("x", circuit.n_features)
    theta = ParameterVector("theta", circuit.n_parameters)
    native = QuantumCircuit(circuit.n_wires)
    for gate in circuit.gates:
        wires = list(gate.wires)
        if gate.name == "Unitary":
            native.append(UnitaryGate(np.array(gate.matrix)), wires[::-1])
        elif gate.angle is None:
            getattr(native, _QISKIT[gate.name])(*wires)
        elif gate.name == "PauliRot":
            # exp(-i t P) with t half the angle; labels are little-endian.
            half = _expression(gate.angle * 0.5, x, theta)
            rotation = PauliEvolutionGate(SparsePauliOp(gate.word[::-1]), half)
            native.compose(rotation.definition, wires, inplace=True)
        else:
            getattr(native, _QISKIT[gate.name])(_expression(gate.angle, x, theta), *wires)
    return native, [_sparse(o, circuit.n_wires) for o in circuit.observables]


def _expression(angle: Angle, x: Any, theta: Any) -> ParameterExpression | float:
    total: Any = 0.0
    for monomial, coefficient in angle.terms:
        constant = Angle.of({tuple((s, p) for s, p in monomial if s.kind == "pi"): coefficient})
        term: Any = float(constant.evaluate(None, None))
        for symbol, power in monomial:
            for _ in range(power if symbol.kind != "pi" else 0):
                term = _variable(symbol, x, theta) * term
        total = term + total
    return total


def _variable(symbol: Symbol, x: Any, theta: Any) -> Any:
    value = (theta if symbol.kind == "theta" else x)[symbol.index]
    if symbol.kind != "acos":
        return value
    return math.prod([value] * (symbol.power - 1), start=value).arccos()


def _sparse(observable: Observable, n_wires: int) -> SparsePauliOp:
    terms = []
    for coefficient, word in observable.terms:
        letters = dict(word)
        label = "".join(letters.get(w, "I") for w in reversed(range(n_wires)))
        terms.append((label, coefficient))
    return SparsePauliOp.from_list(terms or [("I" * n_wires, 0.0)])
