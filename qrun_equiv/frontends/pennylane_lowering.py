"""PennyLane tapes to the neutral form: decompose, recover the angles, verify them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.measurements import ProbabilityMP

from qrun_equiv.angle import PI, Angle
from qrun_equiv.circuit import MAX_UNITARY_WIRES, Circuit, Gate, Observable
from qrun_equiv.errors import UnsupportedCircuitError
from qrun_equiv.frontends.base import Array, Sizes
from qrun_equiv.frontends.pennylane_tapes import plain, standard_order
from qrun_equiv.frontends.pennylane_tracing import sharpen
from qrun_equiv.frontends.recover import recover_angles

_FIXED = {
    "Hadamard": "H",
    "S": "S",
    "T": "T",
    "PauliX": "X",
    "PauliY": "Y",
    "PauliZ": "Z",
    "CNOT": "CNOT",
    "CZ": "CZ",
    "SWAP": "SWAP",
}
_ROTATIONS = {name: name for name in ("RX", "RY", "RZ", "PhaseShift", "CRX", "CRY", "CRZ")}
_ISING = {"IsingXX": "XX", "IsingYY": "YY", "IsingZZ": "ZZ"}
_IGNORED = {"Identity", "GlobalPhase", "Barrier"}
_ADJOINT = {"Adjoint(S)": -PI / 2, "Adjoint(T)": -PI / 4}
_GATE_SET = {
    *_FIXED, *_ROTATIONS, *_ISING, *_IGNORED, *_ADJOINT, "PauliRot", "MultiRZ", "QubitUnitary",
}  # fmt: skip

TapeFunction = Callable[[Any, Any], qml.tape.QuantumScript]


@np.errstate(invalid="ignore")  # probes outside the domain of arccos
def lower(
    tape_at: TapeFunction,
    sizes: Sizes,
    device_wires: Any = None,
    trace: Callable[[], qml.tape.QuantumScript] | None = None,
) -> Circuit:
    """Neutral form of the tapes that ``tape_at(x, theta)`` gives.

    Args:
        tape_at: the user's tape at one point, with numbers for angles.
        sizes: numbers of features and parameters.
        device_wires: the device's wires, whose order numbers the neutral wires; the tape's own
            order where the device has none.
        trace: gives the tape on symbols; see :mod:`qrun_equiv.frontends.pennylane_tracing`.

    Raises:
        UnsupportedCircuitError: a mid-circuit measurement, a noise channel, a structure or a matrix
            that depends on ``x`` or ``theta``, or an angle that is no polynomial in them.
    """
    rng = np.random.default_rng(11)
    probe = rng.uniform(0.2, 1.4, sizes.features), rng.uniform(0.2, 1.4, sizes.parameters)
    original = tape_at(*probe)
    _refuse_what_is_not_unitary(original)
    tape = _decomposed(original)
    wires = {w: i for i, w in enumerate(device_wires or tape.wires)}
    structure = _structure(tape)

    def angles_at(x: Array, theta: Array) -> Array:
        try:
            other = _decomposed(tape_at(x, theta))
        except Exception as error:
            msg = f"the circuit can't be built at x={x.tolist()}: {error}"
            raise UnsupportedCircuitError(msg) from error
        if _structure(other) != structure:
            msg = "the circuit's gates change with x or theta, so it has no single neutral form"
            raise UnsupportedCircuitError(msg)
        return np.array([float(o.parameters[0]) for o in _with_angles(other)])

    _refuse_moving_matrices(tape, tape_at, rng, sizes)
    exact = recover_angles(angles_at, sizes.features, sizes.parameters)
    if trace is not None:
        exact = sharpen(exact, lambda: _with_angles(_decomposed(trace())), angles_at, sizes)
    angles = iter(_named(exact, _with_angles(tape)))
    gates = [g for o in tape.operations for g in _gate(o, wires, angles)]
    observables = _fixed_observables(tape, tape_at, sizes, wires, ordered=bool(device_wires))
    return Circuit(
        max(len(wires), 1), tuple(gates), tuple(observables), sizes.features, sizes.parameters
    )


def _fixed_observables(
    tape: qml.tape.QuantumScript,
    tape_at: TapeFunction,
    sizes: Sizes,
    wires: Mapping[Any, int],
    *,
    ordered: bool,
) -> list[Observable]:
    """Observables of the tape, the same at another point."""

    def read(one: qml.tape.QuantumScript) -> list[Observable]:
        return [o for m in one.measurements for o in _observables(m, wires, ordered=ordered)]

    found = read(tape)
    rng = np.random.default_rng(17)
    x, theta = rng.uniform(0.2, 1.4, sizes.features), rng.uniform(0.2, 1.4, sizes.parameters)
    if read(tape_at(x, theta)) != found:
        msg = "an observable depends on x or theta"
        raise UnsupportedCircuitError(msg)
    return found


def _refuse_what_is_not_unitary(tape: qml.tape.QuantumScript) -> None:
    for operation in tape.operations:
        if isinstance(operation, qml.operation.Channel):
            msg = f"the noise channel {operation.name} is not unitary: no exact neutral form"
            raise UnsupportedCircuitError(msg)
        if "Measure" in operation.name or operation.name == "Conditional":
            msg = "a mid-circuit measurement has no exact neutral form; defer it to the end"
            raise UnsupportedCircuitError(msg)


def _decomposed(tape: qml.tape.QuantumScript) -> qml.tape.QuantumScript:
    def stop(operation: qml.operation.Operator) -> bool:
        return operation.name in _GATE_SET

    try:
        (result,), _ = qml.devices.preprocess.decompose(
            plain(tape), stopping_condition=stop, skip_initial_state_prep=False, name="qrun-equiv"
        )
    except Exception as error:
        msg = f"PennyLane can't decompose a gate: {' '.join(str(error).split())[:200]}"
        raise UnsupportedCircuitError(msg) from error
    return result


def _structure(tape: qml.tape.QuantumScript) -> list[tuple[Any, ...]]:
    return [(o.name, tuple(o.wires), o.hyperparameters.get("pauli_word")) for o in tape.operations]


def _with_angles(tape: qml.tape.QuantumScript) -> list[qml.operation.Operator]:
    return [
        o
        for o in tape.operations
        if o.num_params and o.name not in _IGNORED and o.name != "QubitUnitary"
    ]


def _named(
    angles: Sequence[Angle | None], operations: Sequence[qml.operation.Operator]
) -> list[Angle]:
    named = []
    for angle, operation in zip(angles, operations, strict=True):
        if angle is None:
            msg = (
                f"the angle of {operation.name} on wire(s) {list(operation.wires)} is no "
                "polynomial of low degree in x and theta (an opaque function such as arccos?)"
            )
            raise UnsupportedCircuitError(msg)
        named.append(angle)
    return named


def _refuse_moving_matrices(
    tape: qml.tape.QuantumScript, tape_at: TapeFunction, rng: np.random.Generator, sizes: Sizes
) -> None:
    if not any(o.name == "QubitUnitary" for o in tape.operations):
        return
    other = _decomposed(
        tape_at(rng.uniform(0.2, 1.4, sizes.features), rng.uniform(0.2, 1.4, sizes.parameters))
    )
    for one, two in zip(tape.operations, other.operations, strict=False):
        if one.name == "QubitUnitary" == two.name and not np.array_equal(
            one.parameters[0], two.parameters[0]
        ):
            msg = f"the matrix of QubitUnitary on wires {list(one.wires)} depends on x or theta"
            raise UnsupportedCircuitError(msg)


def _gate(operation: qml.operation.Operator, wires: Mapping[Any, int], angles: Any) -> list[Gate]:
    name, on = operation.name, tuple(wires[w] for w in operation.wires)
    if name in _IGNORED:
        return []
    if name in _FIXED:
        return [Gate(_FIXED[name], on)]
    if name in _ADJOINT:
        return [Gate("PhaseShift", on, _ADJOINT[name])]
    if name == "QubitUnitary":
        if len(on) > MAX_UNITARY_WIRES:
            msg = f"a QubitUnitary on {len(on)} wires; at most {MAX_UNITARY_WIRES}"
            raise UnsupportedCircuitError(msg)
        matrix = np.asarray(operation.parameters[0], dtype=complex)
        return [Gate("Unitary", on, matrix=tuple(tuple(map(complex, r)) for r in matrix))]
    angle = next(angles)
    if name in _ROTATIONS:
        return [Gate(_ROTATIONS[name], on, angle)]
    word = _ISING.get(name) or operation.hyperparameters.get("pauli_word") or "Z" * len(on)
    kept = [(w, letter) for w, letter in zip(on, word, strict=True) if letter != "I"]
    if not kept:
        return []
    return [Gate("PauliRot", tuple(w for w, _ in kept), angle, "".join(p for _, p in kept))]


def _observables(measurement: Any, wires: Mapping[Any, int], *, ordered: bool) -> list[Observable]:
    if isinstance(measurement, ProbabilityMP):
        every = list(wires) if ordered else standard_order(list(wires))
        return _projectors([wires[w] for w in (measurement.wires or every)])
    operator = measurement.obs
    sentence = operator.pauli_rep
    if sentence is None:
        try:
            matrix = qml.matrix(operator, wire_order=operator.wires)
        except Exception as error:
            msg = f"the observable {operator} has no matrix: {error}"
            raise UnsupportedCircuitError(msg) from error
        sentence = qml.pauli_decompose(
            np.asarray(matrix), wire_order=operator.wires, pauli=True, check_hermitian=True
        )
    terms = []
    for word, coefficient in sentence.items():
        if abs(complex(coefficient).imag) > 1e-12:
            msg = f"the observable {operator} is not Hermitian"
            raise UnsupportedCircuitError(msg)
        terms.append((complex(coefficient).real, {wires[w]: p for w, p in word.items()}))
    return [Observable.of(terms)]


def _projectors(on: Sequence[int]) -> list[Observable]:
    """``|b><b|`` for every bit string: the product of ``(1 + (-1)^b Z) / 2``."""
    result = []
    for bits in itertools.product((0, 1), repeat=len(on)):
        terms = []
        for chosen in itertools.product((0, 1), repeat=len(on)):
            sign = (-1) ** sum(b * c for b, c in zip(bits, chosen, strict=True))
            word = {w: "Z" for w, c in zip(on, chosen, strict=True) if c}
            terms.append((sign / 2 ** len(on), word))
        result.append(Observable.of(terms))
    return result
