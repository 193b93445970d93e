"""Qiskit circuits to the neutral form: expand definitions, read the expressions' syntax trees."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, ParameterExpression
from qiskit.quantum_info import Operator, SparsePauliOp

from qrun_equiv import tolerances
from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import MAX_UNITARY_WIRES, Circuit, Gate, Observable
from qrun_equiv.errors import AngleError, UnsupportedCircuitError
from qrun_equiv.frontends.qiskit import definition_of, is_library_gate
from qrun_equiv.frontends.recover import recover_angles

if TYPE_CHECKING:
    from qrun_equiv.frontends.qiskit import QiskitSource

_FIXED = {
    "h": "H", "s": "S", "t": "T", "x": "X", "y": "Y", "z": "Z", "cx": "CNOT", "cz": "CZ",
    "swap": "SWAP",
}  # fmt: skip
_CONSTANT = {"sdg": -PI / 2, "tdg": -PI / 4}
_ROTATIONS = {
    "rx": "RX", "ry": "RY", "rz": "RZ", "p": "PhaseShift", "u1": "PhaseShift", "crx": "CRX",
    "cry": "CRY", "crz": "CRZ",
}  # fmt: skip
_WORDS = {"rxx": "XX", "ryy": "YY", "rzz": "ZZ", "rzx": "ZX"}
_IGNORED = {"id", "barrier", "global_phase", "delay"}
_PROBES = 4

Places = Mapping[str, tuple[str, int]]


def lower(source: QiskitSource) -> Circuit:
    """Neutral form of a Qiskit source.

    Raises:
        UnsupportedCircuitError: an instruction without a definition, or an angle that is no
            polynomial in the parameters.
    """
    places = {p.name: place for p, place in source.places.items()}
    gates: list[Gate] = []
    _expand(source.circuit, range(source.circuit.num_qubits), places, gates)
    observables = tuple(_observable(o) for o in source.observables)
    return Circuit(
        source.circuit.num_qubits,
        tuple(gates),
        observables,
        source.sizes.features,
        source.sizes.parameters,
    )


def _expand(
    circuit: QuantumCircuit, qubits: Sequence[int], places: Places, into: list[Gate]
) -> None:
    for item in circuit.data:
        op = item.operation
        on = tuple(qubits[circuit.find_bit(q).index] for q in item.qubits)
        if op.name in _IGNORED:
            continue
        gates = _known(op, on, places) if is_library_gate(op) else None
        if gates is not None:
            into.extend(gates)
        elif definition_of(op) is not None and op.name != "unitary":
            _expand(definition_of(op), on, places, into)
        else:
            into.append(_unitary(op, on))


def _known(op: Instruction, on: tuple[int, ...], places: Places) -> list[Gate] | None:
    name = op.name
    if name in _FIXED:
        return [Gate(_FIXED[name], on)]
    if name in _CONSTANT:
        return [Gate("PhaseShift", on, _CONSTANT[name])]
    open_control = getattr(op, "ctrl_state", None) not in (None, 2 ** getattr(
        op, "num_ctrl_qubits", 0) - 1)  # fmt: skip
    if open_control:
        return None
    if name in _ROTATIONS:
        return [Gate(_ROTATIONS[name], on, read_expression(op.params[0], places))]
    if name in _WORDS:
        # The first letter belongs to the first qubit of the instruction, as in its definition.
        return [Gate("PauliRot", on, read_expression(op.params[0], places), _WORDS[name])]
    if name == "u":
        theta, phi, lam = (read_expression(p, places) for p in op.params)
        return [Gate("RZ", on, lam), Gate("RY", on, theta), Gate("RZ", on, phi)]
    return None


def _unitary(op: Instruction, on: tuple[int, ...]) -> Gate:
    if any(isinstance(p, ParameterExpression) and p.parameters for p in getattr(op, "params", ())):
        msg = f"the Qiskit instruction {op.name!r} depends on parameters and has no definition"
        raise UnsupportedCircuitError(msg)
    if len(on) > MAX_UNITARY_WIRES:
        msg = f"{op.name!r} on {len(on)} wires has no definition; at most {MAX_UNITARY_WIRES}"
        raise UnsupportedCircuitError(msg)
    try:
        matrix = np.asarray(Operator(op).data, dtype=complex)
    except Exception as error:
        msg = f"the Qiskit instruction {op.name!r} is no unitary gate: {error}"
        raise UnsupportedCircuitError(msg) from error
    # Qiskit: first qubit is the least significant bit; neutral: the most significant.
    rows = tuple(tuple(complex(v) for v in row) for row in matrix)
    return Gate("Unitary", on[::-1], matrix=rows)


def _observable(operator: SparsePauliOp) -> Observable:
    terms = []
    for label, coefficient in operator.to_list():
        letters = dict(enumerate(reversed(label)))  # rightmost letter: qubit 0
        terms.append((complex(coefficient).real, letters))
    return Observable.of(terms)


def read_expression(value: Any, places: Places) -> Angle:
    """Exact angle of a number or a ``ParameterExpression``, from its syntax tree.

    Raises:
        UnsupportedCircuitError: it is no polynomial (a sine, a quotient of parameters), or the read
            form disagrees with Qiskit's own numbers at random points.
    """
    if not isinstance(value, ParameterExpression):
        return Angle.constant(float(value))
    try:
        angle: Angle | None = _walk(value.sympify(), places)
    except AngleError as error:
        msg = f"the Qiskit angle {value} is no polynomial in x and theta: {error}"
        raise UnsupportedCircuitError(msg) from error
    if angle is None or not _holds(value, angle, places):
        # Qiskit 2.6 gives a parameter that cancelled in place of the one that stayed.
        angle = _recovered(value, places)
    if angle is None:
        msg = f"the Qiskit angle {value} can't be read: its syntax tree and its numbers differ"
        raise UnsupportedCircuitError(msg)
    return angle


def _numbers(value: ParameterExpression, places: Places, x: Any, theta: Any) -> float:
    both = {"x": x, "theta": theta}
    point = {p: float(both[places[p.name][0]][places[p.name][1]]) for p in value.parameters}
    return float(value.bind(point))


def _recovered(value: ParameterExpression, places: Places) -> Angle | None:
    size = 1 + max((index for _, index in places.values()), default=0)

    def at(x: Any, theta: Any) -> Any:
        return np.array([_numbers(value, places, x, theta)])

    return recover_angles(at, size, size)[0]


def _walk(node: Any, places: Places) -> Angle:
    if isinstance(node, sympy.Symbol):
        kind, index = places[node.name]
        return feature(index) if kind == "x" else parameter(index)
    if isinstance(node, sympy.Rational):
        return Angle.constant(Fraction(int(node.p), int(node.q)))
    if isinstance(node, sympy.Float):
        return Angle.constant(float(node))
    if node is sympy.pi:
        return PI
    if isinstance(node, sympy.Add):
        return sum((_walk(part, places) for part in node.args), start=Angle())
    if isinstance(node, sympy.Mul):
        return math.prod((_walk(part, places) for part in node.args), start=Angle.constant(1))
    if isinstance(node, sympy.Pow):
        return _power(node, places)
    if isinstance(node, sympy.acos | sympy.asin):
        inner = _walk(node.args[0], places)
        return inner.arccos() if isinstance(node, sympy.acos) else inner.arcsin()
    msg = f"it contains {type(node).__name__}"
    raise AngleError(msg)


def _power(node: Any, places: Places) -> Angle:
    base, exponent = _walk(node.base, places), node.exp
    if exponent == int(exponent) and exponent >= 0:
        return base ** int(exponent)
    if not base.symbols():
        with contextlib.suppress(TypeError):
            return Angle.constant(float(node))
    msg = f"it contains the power {node}"
    raise AngleError(msg)


def _holds(value: ParameterExpression, angle: Angle, places: Places) -> bool:
    """Whether the read form gives Qiskit's own numbers at random points."""
    rng = np.random.default_rng(13)
    size = 1 + max((index for _, index in places.values()), default=0)
    for _ in range(_PROBES):
        reach = 0.9 if angle.arcs() else 2.0  # inside the domain of arccos
        x, theta = rng.uniform(-reach, reach, size), rng.uniform(-2, 2, size)
        native = _numbers(value, places, x, theta)
        weight = 1.0 + float(angle.magnitude(x, theta))
        if not abs(native - float(angle.evaluate(x, theta))) <= tolerances.ANGLE * weight:
            return False
    return True
