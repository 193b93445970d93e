"""Qiskit circuits: native values and gradients, and translation to the neutral form.

Values come from ``Statevector``; gradients from the adjoint method run with Qiskit's own gate
matrices, whose derivative in a gate's angle is taken by exact trigonometric interpolation. Labels
are little-endian (the rightmost letter of a Pauli label is qubit 0); nothing here reorders them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import qiskit
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Parameter, ParameterExpression
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp, Statevector

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FrontendError, UndecidedError
from qrun_equiv.frontends.base import Array, Gradient, Sizes

#: Gates whose matrix is a trigonometric polynomial of degree at most 1 in each angle.
_DIFFERENTIABLE = {
    "rx", "ry", "rz", "p", "u1", "u2", "u3", "u", "rxx", "ryy", "rzz", "rzx",
    "crx", "cry", "crz", "cp", "cu1", "cu3", "cu", "mcp",
}  # fmt: skip
_NAME = re.compile(r"^(x|theta|θ)(?:\[(\d+)\]|_?(\d+))?$")  # θ: the circuit library's own
_NUMBERED = re.compile(r"^circuit-[\d-]+$")
_SAMPLES = 8

#: One leaf of the flattened circuit: instruction and qubit indices.
Leaf = tuple[Instruction, tuple[int, ...]]


class QiskitSource:
    """A ``QuantumCircuit`` whose parameters are named ``x`` and ``theta``, with observables.

    Args:
        circuit: the circuit; parameters from ``ParameterVector("x", n)`` and
            ``ParameterVector("theta", n)``, or single ones named ``x``, ``x0``, ``theta3``.
        observable: a ``SparsePauliOp`` or a sequence of them, one for each output.
        sizes: numbers of features and parameters.
        name: name of this source in verdicts.

    Raises:
        FrontendError: no or unfit observable, other parameter names, indices out of range,
            measurements in the circuit.
    """

    def __init__(
        self, circuit: QuantumCircuit, observable: Any, sizes: Sizes, *, name: str = "qiskit"
    ) -> None:
        self.name = name
        self.sizes = sizes
        self.circuit = _without_evolutions(circuit)
        self.observables = _observables(observable, circuit, name)
        self.places = parameter_places(circuit)
        _check_places(self.places, sizes)
        self._refuse_measurements()
        matrices = [o.to_matrix(sparse=True) for o in self.observables]
        self._matrices = [m.tocsr() for m in matrices]
        self._leaves: list[Leaf] | None = None

    @property
    def n_outputs(self) -> int:
        """Number of observables."""
        return len(self.observables)

    @property
    def simulator(self) -> str:
        """Library version and method."""
        return f"Qiskit {qiskit.__version__} Statevector"

    def _refuse_measurements(self) -> None:
        for instruction in _every_instruction(self.circuit):
            if instruction.operation.name in {"measure", "reset"} or hasattr(
                instruction.operation, "blocks"
            ):
                msg = (
                    f"the Qiskit circuit {self.circuit.name!r} contains "
                    f"{instruction.operation.name!r}, which has no state vector: remove it "
                    "(circuit.remove_final_measurements()) and pass observable= instead"
                )
                raise FrontendError(msg)

    def _assignment(self, x: Array, theta: Array) -> dict[Parameter, float]:
        return _assignment(self.places, x, theta)

    def values(self, x: Array, theta: Array) -> Array:
        """Outputs ``[batch, n_outputs]`` from ``Statevector``; see :class:`Source`."""
        fixed = {p: float(theta[i]) for p, (kind, i) in self.places.items() if kind == "theta"}
        partial = self.circuit.assign_parameters(fixed)
        out = np.empty((len(x), self.n_outputs))
        for row, point in enumerate(x):
            free = {p: float(point[i]) for p, (kind, i) in self.places.items() if kind == "x"}
            try:
                state = Statevector(partial.assign_parameters(free) if free else partial).data
            except Exception as error:
                msg = f"Qiskit can't evaluate {self.circuit.name!r} at {point.tolist()}: {error}"
                raise FrontendError(msg) from error
            out[row] = self._measure(state)
        return out

    def _measure(self, state: np.ndarray) -> Array:
        return np.array([np.vdot(state, m @ state).real for m in self._matrices])

    def gradients(self, x: Array, theta: Array) -> Gradient:
        """Adjoint differentiation with Qiskit's gate matrices; see :class:`Source`."""
        features = np.zeros((len(x), self.n_outputs, self.sizes.features))
        parameters = np.zeros((len(x), self.n_outputs, self.sizes.parameters))
        if self._leaves is None:
            self._leaves = flatten(self.circuit)
        for row, point in enumerate(x):
            into = {"x": features[row], "theta": parameters[row]}
            self._adjoint(self._leaves, point, theta, into)
        return Gradient(features, parameters)

    def _adjoint(
        self, leaves: Sequence[Leaf], x: Array, theta: Array, into: dict[str, Array]
    ) -> None:
        values = self._assignment(x, theta)
        bound = [(_bind(op, values), op, qubits) for op, qubits in leaves]
        state = Statevector.from_int(0, 2**self.circuit.num_qubits)
        for op, _, qubits in bound:
            state = state.evolve(op, list(qubits))
        bras = [Statevector(m @ state.data) for m in self._matrices]
        for op, symbolic, qubits in reversed(bound):
            inverse = Operator(op).adjoint()
            state = state.evolve(inverse, list(qubits))
            for slot, expression in enumerate(symbolic.params):
                if not isinstance(expression, ParameterExpression) or not expression.parameters:
                    continue
                moved = state.evolve(Operator(_matrix_slope(op, slot)), list(qubits)).data
                slopes = [2 * np.vdot(bra.data, moved).real for bra in bras]
                for parameter in expression.parameters:
                    kind, index = self.places[parameter]
                    into[kind][:, index] += np.array(slopes) * _slope(expression, parameter, values)
            bras = [bra.evolve(inverse, list(qubits)) for bra in bras]

    def second_gradient(self, x: Array, theta: Array) -> tuple[str, Gradient]:
        """Parameter shift on each gate, by the four-term rule for frequencies 1/2 and 1.

        Theorem: proofs/coq/Gradients.v, parameter_shift_shared.
        """
        features = np.zeros((len(x), self.n_outputs, self.sizes.features))
        parameters = np.zeros((len(x), self.n_outputs, self.sizes.parameters))
        leaves = flatten(self.circuit)
        for row, point in enumerate(x):
            into = {"x": features[row], "theta": parameters[row]}
            values = self._assignment(point, theta)
            bound = [(_bind(op, values), qubits) for op, qubits in leaves]
            for place, (op, _) in enumerate(leaves):
                for slot, expression in enumerate(op.params):
                    if isinstance(expression, ParameterExpression) and expression.parameters:
                        slopes = self._shifted(bound, place, slot)
                        for parameter in expression.parameters:
                            kind, index = self.places[parameter]
                            into[kind][:, index] += slopes * _slope(expression, parameter, values)
        return "qiskit parameter-shift", Gradient(features, parameters)

    def _shifted(self, bound: Sequence[Leaf], place: int, slot: int) -> Array:
        """Derivative of the outputs in one gate's angle from four shifted circuits."""
        total = np.zeros(self.n_outputs)
        op, qubits = bound[place]
        for shift, weight in _SHIFTS:
            moved = op.to_mutable()
            moved.params = [p + shift * (k == slot) for k, p in enumerate(op.params)]
            state = Statevector.from_int(0, 2**self.circuit.num_qubits)
            for other, on in (*bound[:place], (moved, qubits), *bound[place + 1 :]):
                state = state.evolve(other, list(on))
            total += weight * self._measure(state.data)
        return total

    def replay(self, x: Array, theta: Array) -> tuple[str, Array]:
        """Outputs at one point from the circuit's full unitary instead of its state."""
        column = Operator(bind(self.circuit, x, theta)).data[:, 0]
        return "Qiskit Operator (full unitary)", self._measure(column)

    def lower(self) -> Circuit:
        """Neutral form from the symbolic expressions of the flattened circuit."""
        from qrun_equiv.frontends.qiskit_lowering import lower

        return lower(self)

    def fingerprint(self) -> str:
        """Gates with exact symbolic angles, qubits, and observables."""
        observables = [o.to_list() for o in self.observables]
        return f"{_circuit_text(self.circuit)}|{observables}|{self.sizes}"


# sum_i 2 c_i sin(w s_i) = w for w = 1/2 and 1, at s = pi/2 and pi.
_SHIFTS = tuple(
    (sign * shift, sign * weight)
    for shift, weight in ((np.pi / 2, 0.5), (np.pi, (1 - np.sqrt(2)) / 4))
    for sign in (1, -1)
)


def _circuit_text(circuit: QuantumCircuit) -> str:
    """Every instruction with its angles and qubits, sub-circuits in full."""
    parts = []
    for item in circuit.data:
        op = item.operation
        on = [circuit.find_bit(q).index for q in item.qubits]
        name = _NUMBERED.sub("block", op.name)  # unnamed circuits are numbered as they are made
        text = f"{name}{on}{[_parameter_text(p) for p in getattr(op, 'params', ())]}"
        inside = None if is_library_gate(op) else definition_of(op)
        if inside is not None:
            text += f"({_circuit_text(inside)})"
        parts.append(text)
    return ";".join(parts)


def _parameter_text(value: Any) -> str:
    if isinstance(value, ParameterExpression):
        # The printed form, and its value at a fixed point: print shortens floats.
        point = {p: 0.3 + (zlib.crc32(p.name.encode()) % 997) / 997 for p in value.parameters}
        try:
            number = f"{float(value.bind(point)):.12e}"
        except (TypeError, ValueError, ZeroDivisionError, RuntimeError):
            number = "no real number"
        return f"{value}@{number}"
    return repr(value.tolist()) if isinstance(value, np.ndarray) else repr(value)


def _as_sparse(item: Any) -> Any:
    """Labels, ``Pauli`` and ``Operator`` as ``SparsePauliOp``; anything else as it is."""
    try:
        if isinstance(item, str | Pauli):
            return SparsePauliOp(item)
        if isinstance(item, Operator):
            return SparsePauliOp.from_operator(item)
    except QiskitError as error:
        msg = f"the observable {item!r} is no Pauli label: {' '.join(str(error).split())}"
        raise FrontendError(msg) from error
    return item


def bind(circuit: QuantumCircuit, x: Array, theta: Array) -> QuantumCircuit:
    """The native circuit with numbers ``x [n_features]`` and ``theta [n_parameters]`` assigned."""
    return circuit.assign_parameters(_assignment(parameter_places(circuit), x, np.ravel(theta)))


def _assignment(
    places: dict[Parameter, tuple[str, int]], x: Array, theta: Array
) -> dict[Parameter, float]:
    both = {"x": x, "theta": theta}
    return {p: float(both[kind][i]) for p, (kind, i) in places.items()}


def parameter_places(circuit: QuantumCircuit) -> dict[Parameter, tuple[str, int]]:
    """Where each parameter comes from: ``("x" | "theta", index)``.

    Raises:
        FrontendError: a parameter has another name, or two have the same place.
    """
    places: dict[Parameter, tuple[str, int]] = {}
    for parameter in circuit.parameters:
        match = _NAME.match(parameter.name)
        if match is None:
            msg = (
                f"the Qiskit parameter {parameter.name!r} is neither a feature nor a trainable "
                'parameter: use ParameterVector("x", n) and ParameterVector("theta", n), or in '
                "OpenQASM the names x0, x1, ... and theta0, theta1, ..."
            )
            raise FrontendError(msg)
        kind = "x" if match[1] == "x" else "theta"
        place = (kind, int(match[2] or match[3] or 0))
        if place in places.values():
            msg = f"two Qiskit parameters stand for {place[0]}[{place[1]}]; use one ParameterVector"
            raise FrontendError(msg)
        places[parameter] = place
    return places


def _check_places(places: dict[Parameter, tuple[str, int]], sizes: Sizes) -> None:
    for parameter, (kind, index) in places.items():
        size = sizes.features if kind == "x" else sizes.parameters
        if index >= size:
            word = "n_features" if kind == "x" else "n_parameters"
            msg = (
                f"the Qiskit circuit reads {parameter.name}, but {word} is {size}: it must be at "
                f"least {index + 1}"
            )
            raise FrontendError(msg)


def _observables(observable: Any, circuit: QuantumCircuit, name: str) -> list[SparsePauliOp]:
    if observable is None:
        msg = (
            f"the circuit {name!r} has no observable: pass observable=SparsePauliOp(...) or a list "
            "of them (labels are little-endian)"
        )
        raise FrontendError(msg)
    many = observable if isinstance(observable, list | tuple) else [observable]
    checked = []
    for item in many:
        item = _as_sparse(item)  # noqa: PLW2901
        if not isinstance(item, SparsePauliOp):
            msg = f"an observable of {name!r} must be a SparsePauliOp, got {type(item).__name__}"
            raise FrontendError(msg)
        if item.num_qubits != circuit.num_qubits:
            msg = (
                f"the observable {item.paulis.to_labels()} is on {item.num_qubits} wires, the "
                f"circuit {name!r} has {circuit.num_qubits}: labels need one letter for each wire"
            )
            raise FrontendError(msg)
        if np.any(np.abs(np.imag(item.coeffs)) > 1e-12):
            msg = f"the observable {item} has complex coefficients: it must be Hermitian"
            raise FrontendError(msg)
        checked.append(item)
    if not checked:
        msg = f"the circuit {name!r} has an empty list of observables; give at least one"
        raise FrontendError(msg)
    return checked


def _without_evolutions(circuit: QuantumCircuit) -> QuantumCircuit:
    """Expand Pauli evolutions, whose matrices are slow, by Qiskit's (there exact) definition."""
    for item in _every_instruction(circuit):
        if item.operation.name != "PauliEvolution":
            continue
        operator = item.operation.operator
        terms = operator.paulis if isinstance(operator, SparsePauliOp) else None
        if terms is None or not all(terms.commutes(p).all() for p in terms):
            msg = (
                "a PauliEvolutionGate of terms that do not commute is Trotterised by its "
                "definition, but not by Statevector: evolve term by term, or append the definition"
            )
            raise FrontendError(msg)
    return circuit.decompose("PauliEvolution")


def _every_instruction(circuit: QuantumCircuit) -> Iterator[Any]:
    """Instructions of a circuit and of the definitions of those that are not the library's."""
    for item in circuit.data:
        yield item
        inner = None if is_library_gate(item.operation) else definition_of(item.operation)
        if inner is not None:
            yield from _every_instruction(inner)


def definition_of(op: Any) -> QuantumCircuit | None:
    """An instruction's definition; ``None`` where it has none, or none with symbols in it."""
    try:
        return op.definition
    except (AttributeError, TypeError, QiskitError):
        return None


def is_library_gate(op: Instruction) -> bool:
    """Whether a gate is what its name says: a sub-circuit may be called ``u`` too."""
    base = getattr(op, "base_class", type(op))
    return str(base.__module__).startswith("qiskit.circuit.library")


def flatten(circuit: QuantumCircuit) -> list[Leaf]:
    """Instructions with definitions expanded until each is fixed or differentiable.

    Raises:
        FrontendError: an instruction with angles is opaque (no definition, unknown matrix).
    """
    leaves: list[Leaf] = []

    def visit(inner: QuantumCircuit, qubits: Sequence[int]) -> None:
        for item in inner.data:
            op = item.operation
            on = tuple(qubits[inner.find_bit(q).index] for q in item.qubits)
            given = getattr(op, "params", ())
            symbolic = any(isinstance(p, ParameterExpression) and p.parameters for p in given)
            if op.name in {"barrier", "global_phase", "delay"}:
                continue
            known = op.name in _DIFFERENTIABLE and is_library_gate(op)
            inside = definition_of(op)
            if known or (not symbolic and hasattr(op, "to_matrix")):
                leaves.append((op, on))
            elif inside is not None:
                visit(inside, on)
            else:
                msg = f"the Qiskit instruction {op.name!r} has neither a definition nor a matrix"
                raise FrontendError(msg)

    visit(circuit, range(circuit.num_qubits))
    return leaves


def _bind(op: Instruction, values: dict[Parameter, float]) -> Instruction:
    if not any(isinstance(p, ParameterExpression) for p in op.params):
        return op
    bound = op.to_mutable()
    bound.params = [_number(p, values) for p in op.params]
    return bound


def _number(value: Any, values: dict[Parameter, float]) -> Any:
    if not isinstance(value, ParameterExpression):
        return value
    try:
        return float(value.bind({p: values[p] for p in value.parameters}))
    except (TypeError, ZeroDivisionError, ValueError, RuntimeError) as error:
        msg = f"the Qiskit angle {value} is no real number at this point: {error}"
        raise UndecidedError(msg) from error


def _slope(
    expression: ParameterExpression, parameter: Parameter, values: dict[Parameter, float]
) -> float:
    try:
        return float(_number(expression.gradient(parameter), values))
    except Exception as error:
        msg = f"the Qiskit angle {expression} has no derivative in {parameter.name} there: {error}"
        raise UndecidedError(msg) from error


def _matrix_slope(op: Instruction, slot: int) -> np.ndarray:
    """Derivative of a gate's matrix in one angle: exact for entries of degree at most 1.

    The entries are trigonometric polynomials with frequencies 0, 1/2, 1 and period 4 pi; 8
    equispaced samples resolve up to frequency 3/2, and what is above 1 must vanish.
    """
    moved = op.to_mutable()
    start = float(op.params[slot])
    samples = []
    for k in range(_SAMPLES):
        moved.params = [*op.params[:slot], 4 * np.pi * k / _SAMPLES, *op.params[slot + 1 :]]
        try:
            samples.append(np.asarray(moved.to_matrix()))
        except (QiskitError, TypeError) as error:
            msg = f"the Qiskit gate {op.name!r} gives no matrix: {error}"
            raise FrontendError(msg) from error
    coefficients = np.fft.fft(np.stack(samples), axis=0) / _SAMPLES
    frequency = np.fft.fftfreq(_SAMPLES, 1 / _SAMPLES) / 2
    if np.max(np.abs(coefficients[np.abs(frequency) > 1])) > 1e-12:
        msg = f"the Qiskit gate {op.name!r} is no rotation in its angle {slot}; decompose it first"
        raise FrontendError(msg)
    return np.tensordot(1j * frequency * np.exp(1j * frequency * start), coefficients, axes=1)
