"""The gate definitions that a proof rests on, against those of PennyLane and of Qiskit.

A proof is about the neutral form, whose gates are defined in this package. Here each gate that a
neutral form contains is compared, as a matrix up to a global phase, with ``qml.matrix`` and with
``qiskit.quantum_info.Operator``. The entries are trigonometric polynomials of degree at most 1 in
half the angle, so agreement at three angles of a period is agreement at all of them; five are used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pennylane as qml
import qiskit.circuit.library as gates
from qiskit.quantum_info import Operator, Pauli

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import Circuit, Gate
from qrun_equiv.simulate import gate_matrix

# Five points of the period 4 pi of the half angle, none of them special.
_ANGLES = tuple(0.3 + 4 * np.pi * k / 5 for k in range(5))


def check(circuit: Circuit) -> tuple[float, int]:
    """Largest difference of a matrix entry over all gates used, and the matrices compared."""
    kinds = sorted({(g.name, g.word) for g in circuit.gates if g.name != "Unitary"})
    found = [_difference(name, word) for name, word in kinds]
    return max((error for error, _ in found), default=0.0), sum(count for _, count in found)


@lru_cache(maxsize=1024)
def _difference(name: str, word: str) -> tuple[float, int]:
    errors = []
    rotates = _sample(name, word, None).angle is not None
    for angle in _ANGLES if rotates else (0.0,):
        gate = _sample(name, word, angle)
        ours = gate_matrix(gate, angle).numpy()
        errors += [_distance(ours, other(gate, angle)) for other in (_pennylane, _qiskit)]
    return max(errors), len(errors)


def _sample(name: str, word: str, angle: float | None) -> Gate:
    n_wires = len(word) or (2 if name in {"CNOT", "CZ", "SWAP"} or name.startswith("CR") else 1)
    wires = tuple(range(n_wires))
    rotates = name.startswith(("R", "CR")) or name in {"PhaseShift", "PauliRot"}
    return Gate(name, wires, Angle.constant(angle or 0.0) if rotates else None, word)


def _pennylane(gate: Gate, angle: float) -> Any:
    if gate.name == "PauliRot":
        operation = qml.PauliRot(angle, gate.word, wires=gate.wires)
    elif gate.angle is not None:
        operation = getattr(qml, gate.name)(angle, wires=gate.wires)
    else:
        operation = getattr(qml, {"H": "Hadamard"}.get(gate.name, gate.name))(wires=gate.wires)
    return qml.matrix(operation, wire_order=gate.wires)


def _qiskit(gate: Gate, angle: float) -> Any:
    if gate.name == "PauliRot":
        # its definition, one rotation between changes of basis; the exponential would be sparse
        native = gates.PauliEvolutionGate(Pauli(gate.word[::-1]), time=angle / 2).definition
    else:
        table = {"PhaseShift": gates.PhaseGate, "CNOT": gates.CXGate, "SWAP": gates.SwapGate}
        kind = table.get(gate.name) or getattr(gates, f"{gate.name}Gate")
        native = kind(angle) if gate.angle is not None else kind()
    return Operator(native).reverse_qargs().data  # Qiskit's first qubit is the least significant


def _distance(ours: Any, theirs: Any) -> float:
    where = np.unravel_index(np.argmax(np.abs(ours)), ours.shape)
    phase = theirs[where] / ours[where]
    return float(max(np.max(np.abs(ours * phase - theirs)), abs(abs(phase) - 1.0)))
