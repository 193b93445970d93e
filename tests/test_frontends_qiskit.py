"""Qiskit: the neutral form, values and gradients against plain ``Statevector`` calls."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import AnnotatedOperation, InverseModifier, Parameter, ParameterVector
from qiskit.circuit import library as gates
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp, Statevector, random_unitary

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.errors import FrontendError, QrunEquivError, UnsupportedCircuitError
from qrun_equiv.frontends import qiskit as frontend
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.qiskit import QiskitSource
from qrun_equiv.simulate import expectations

NATIVE = 1e-10  # two float64 simulations of at most some hundred gates
FINITE_DIFFERENCE = 1e-7  # fourth-order central differences at step 1e-3, angles scaled by up to 3
STEP = 1e-3

X, THETA = ParameterVector("x", 3), ParameterVector("theta", 3)
SIZES = Sizes.of(3, 3)
X0, X1, T0, T1 = feature(0), feature(1), parameter(0), parameter(1)


# --- circuits ----------------------------------------------------------------------------------


def circuit_of(build: Callable[[QuantumCircuit], object], n: int = 3) -> QuantumCircuit:
    """One thing of interest between turns that reveal it, on qubits without symmetry."""
    circuit = QuantumCircuit(n)
    for qubit in range(n):
        circuit.ry(0.3 + 0.4 * qubit, qubit)
        circuit.rz(0.9 - 0.3 * qubit, qubit)
    build(circuit)
    for qubit in range(n):
        circuit.rx(0.5 - 0.2 * qubit, qubit)
    return circuit


def observables_of(circuit: QuantumCircuit) -> list[SparsePauliOp]:
    """Labels are little-endian: the last letter is qubit 0."""
    rest = "I" * (circuit.num_qubits - 1)
    if not rest:
        return [SparsePauliOp("X"), SparsePauliOp.from_list([("Y", 0.5), ("Z", -2)])]
    two = SparsePauliOp.from_list([("X" + rest[1:] + "Y", 0.7), (rest + "Z", -1.1)])
    return [two, SparsePauliOp("ZX" + rest[1:]), SparsePauliOp(rest + "Y")]


def source_of(circuit: QuantumCircuit) -> QiskitSource:
    return QiskitSource(circuit, observables_of(circuit), SIZES)


def custom(circuit: QuantumCircuit) -> None:
    inner = QuantumCircuit(2, global_phase=0.3)
    a, b = Parameter("a"), Parameter("b")
    inner.rx(a * b, 0)
    inner.cx(0, 1)
    inner.rz(a - 0.5 * b, 1)
    circuit.append(inner.to_gate({a: X[0] + THETA[0], b: THETA[1]}), [2, 1])
    circuit.append(inner.to_gate({a: X[1], b: THETA[0]}).inverse(), [0, 2])


def nested(circuit: QuantumCircuit) -> None:
    inner = QuantumCircuit(1, name="inner")
    inner.ry(2 * X[0], 0)
    middle = QuantumCircuit(2, name="middle")
    middle.append(inner.to_gate(), [1])
    middle.cx(1, 0)
    circuit.append(middle.to_gate(), [2, 0])


def controlled_with_phase(circuit: QuantumCircuit) -> None:
    # A global phase becomes visible under a control.
    inner = QuantumCircuit(1, global_phase=0.3)
    inner.rx(X[0], 0)
    circuit.append(inner.to_gate().control(1, annotated=False), [2, 1])


def controlled_phase_alone(circuit: QuantumCircuit) -> None:
    inner = QuantumCircuit(1, global_phase=X[0])
    circuit.append(inner.to_gate().control(1, annotated=False), [2, 1])


def evolution(*terms: tuple[str, float], time: Any) -> gates.PauliEvolutionGate:
    return gates.PauliEvolutionGate(SparsePauliOp.from_list(terms), time)


def evolved_inside(circuit: QuantumCircuit, *terms: tuple[str, float], time: Any) -> None:
    inner = QuantumCircuit(2, name="evolved")
    inner.append(evolution(*terms, time=time), [1, 0])
    inner.rx(X[0], 0)
    circuit.append(inner.to_gate(), [2, 0])


def feature_map(circuit: QuantumCircuit) -> None:
    mapped = gates.zz_feature_map(3, reps=2)
    circuit.compose(mapped.assign_parameters(list(X)), inplace=True)


def ansatz(circuit: QuantumCircuit) -> None:
    trained = gates.real_amplitudes(3, reps=0).assign_parameters(list(THETA))
    circuit.rx(X[0], 0)
    circuit.compose(trained, inplace=True)


def matrices(circuit: QuantumCircuit) -> None:
    circuit.rx(X[0], 0)
    circuit.append(gates.UnitaryGate(random_unitary(4, seed=3)), [2, 0])
    circuit.ry(X[1], 2)
    circuit.append(gates.UnitaryGate(random_unitary(8, seed=4)), [1, 2, 0])


def clifford_and_more(circuit: QuantumCircuit) -> None:
    circuit.rx(X[0], 0)
    for qubit, name in enumerate(["h", "s", "t", "x", "y", "z", "sx", "sdg", "tdg", "sxdg", "id"]):
        getattr(circuit, name)(qubit % 3)
    for k, name in enumerate(["cx", "cy", "cz", "ch", "csx", "swap", "iswap", "ecr", "dcx"]):
        getattr(circuit, name)((2 * k) % 3, (2 * k + 1) % 3)
    circuit.ccx(2, 0, 1)
    circuit.cswap(1, 2, 0)
    circuit.rccx(0, 1, 2)
    circuit.barrier()
    circuit.append(gates.PermutationGate([2, 0, 1]), [2, 0, 1])
    circuit.append(gates.DiagonalGate([1, 1j, -1, 1]), [2, 0])
    circuit.append(gates.UCRXGate([0.1, 0.2]), [2, 0])


CASES: dict[str, Callable[[QuantumCircuit], object]] = {
    "rx ry rz p": lambda c: (c.rx(X[0], 0), c.ry(THETA[0], 1), c.rz(X[1], 2), c.p(X[2], 0)),
    "u": lambda c: c.u(X[0], THETA[0] * X[1], THETA[1] + X[2], 1),
    "u1": lambda c: c.append(gates.U1Gate(X[0]), [0]),
    "u2": lambda c: c.append(gates.U2Gate(X[0], THETA[0]), [0]),
    "u3": lambda c: c.append(gates.U3Gate(X[0], THETA[0], X[1]), [0]),
    "r": lambda c: c.r(X[0], THETA[0], 0),
    "cu": lambda c: c.cu(X[0], THETA[0] * X[1], THETA[1] + X[2], 2 * X[0], 2, 0),
    "cu3": lambda c: c.append(gates.CU3Gate(X[0], THETA[0], X[1]), [2, 0]),
    "crx": lambda c: c.crx(X[0], 2, 0),
    "cry": lambda c: c.cry(X[0] * THETA[0], 1, 0),
    "crz": lambda c: c.crz(X[0], 0, 2),
    "cp": lambda c: c.cp(X[0], 2, 1),
    "mcp": lambda c: c.mcp(X[0], [2, 0], 1),
    "rxx": lambda c: c.rxx(X[0], 2, 0),
    "ryy": lambda c: c.ryy(X[0], 1, 0),
    "rzz": lambda c: c.rzz(X[0], 0, 2),
    "rzx": lambda c: c.rzx(X[0], 2, 0),
    "xx+yy": lambda c: c.append(gates.XXPlusYYGate(X[0], THETA[0]), [2, 0]),
    "xx-yy": lambda c: c.append(gates.XXMinusYYGate(X[0], THETA[0]), [2, 0]),
    "ms": lambda c: c.append(gates.MSGate(2, X[0]), [2, 0]),
    "crx open": lambda c: c.append(gates.CRXGate(X[0], ctrl_state=0), [2, 0]),
    "cp open": lambda c: c.append(gates.CPhaseGate(X[0], ctrl_state=0), [2, 0]),
    "cx open": lambda c: (c.rx(X[0], 0), c.append(gates.CXGate(ctrl_state=0), [2, 0])),
    "ccx half open": lambda c: (c.rx(X[0], 0), c.append(gates.CCXGate(ctrl_state=1), [2, 0, 1])),
    "two controls, half open": lambda c: c.append(
        gates.RXGate(X[0]).control(2, ctrl_state=2, annotated=False), [2, 0, 1]),
    "matrices": matrices,
    "clifford and more": clifford_and_more,
    "evolution": lambda c: c.append(evolution(("XX", 0.3), ("ZZ", 0.7), time=X[0]), [2, 0]),
    "evolution inside": lambda c: evolved_inside(c, ("XX", 0.3), ("ZZ", 0.7), time=X[1]),
    "zz feature map": feature_map,
    "ansatz": ansatz,
    "custom": custom,
    "nested": nested,
    "controlled custom with a phase": controlled_with_phase,
    "controlled phase": controlled_phase_alone,
    "global phase": lambda c: (setattr(c, "global_phase", X[1]), c.rx(X[0], 0)),
    "delay": lambda c: (c.rx(X[0], 0), c.delay(3, 1)),
    "no parameters": lambda c: c.h(0),
}  # fmt: skip
# scipy's, in Qiskit's exponential of an evolution inside another gate: slow, and nothing else.
SPARSE = pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
ALL = pytest.mark.parametrize("build", CASES.values(), ids=CASES)


def numbers(circuit: QuantumCircuit, x: np.ndarray, theta: np.ndarray) -> dict[Parameter, float]:
    """By the names that Qiskit prints: x[2], theta[0]."""
    both = {"x": x, "theta": theta}
    named = ((p, *p.name.rstrip("]").split("[")) for p in circuit.parameters)
    return {p: float(both[kind][int(index)]) for p, kind, index in named}


def plain(source: QiskitSource, circuit: QuantumCircuit, x: np.ndarray, theta: np.ndarray):
    """Statevector and expectation_value, called by hand."""
    rows = []
    for row in np.atleast_2d(x):
        state = Statevector(circuit.assign_parameters(numbers(circuit, row, theta)))
        rows.append([state.expectation_value(o).real for o in source.observables])
    return np.array(rows)


def points(rows: int = 3, seed: int = 0, sizes: tuple[int, int] = (3, 3)):
    rng = np.random.default_rng(seed)
    return rng.uniform(-2, 2, (rows, sizes[0])), rng.uniform(-2, 2, sizes[1])


def differences(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Central differences of fourth order: ``[outputs, variables]``."""
    columns = []
    for direction in np.eye(len(at)) * STEP:
        near = function(at + direction) - function(at - direction)
        far = function(at + 2 * direction) - function(at - 2 * direction)
        columns.append((8 * near - far) / (12 * STEP))
    return np.stack(columns, axis=-1)


def assert_gradients_right(circuit: QuantumCircuit, gradient: Any, x: Any, theta: Any) -> None:
    source = source_of(circuit)
    for k, row in enumerate(x):
        by_x = differences(lambda v: plain(source, circuit, v, theta)[0], row)
        by_theta = differences(lambda v, row=row: plain(source, circuit, row, v)[0], theta)
        np.testing.assert_allclose(gradient.features[k], by_x, rtol=0, atol=FINITE_DIFFERENCE)
        np.testing.assert_allclose(gradient.parameters[k], by_theta, rtol=0, atol=FINITE_DIFFERENCE)


def lowered(source: QiskitSource, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return expectations(source.lower(), torch.tensor(x), torch.tensor(theta)).numpy()


@SPARSE
@ALL
def test_neutral_form_and_values_are_the_native_circuit(build: Any) -> None:
    circuit = circuit_of(build)
    source = source_of(circuit)
    x, theta = points()
    native = plain(source, circuit, x, theta)
    assert source.n_outputs == 3
    np.testing.assert_allclose(source.values(x, theta), native, rtol=0, atol=NATIVE)
    np.testing.assert_allclose(lowered(source, x, theta), native, rtol=0, atol=NATIVE)
    name, replayed = source.replay(x[1], theta)
    assert "full unitary" in name
    np.testing.assert_allclose(replayed, native[1], rtol=0, atol=NATIVE)


@SPARSE
@ALL
def test_adjoint_gradients_against_differences_and_parameter_shift(build: Any) -> None:
    circuit = circuit_of(build)
    source = source_of(circuit)
    x, theta = points(rows=1, seed=1)
    gradient = source.gradients(x, theta)
    assert gradient.features.shape == gradient.parameters.shape == (1, 3, 3)
    assert_gradients_right(circuit, gradient, x, theta)
    name, second = source.second_gradient(x, theta)
    assert name == "qiskit parameter-shift"
    np.testing.assert_allclose(second.features, gradient.features, rtol=0, atol=NATIVE)
    np.testing.assert_allclose(second.parameters, gradient.parameters, rtol=0, atol=NATIVE)


def test_gradients_of_several_rows() -> None:
    source = source_of(circuit_of(custom))
    x, theta = points(rows=4)
    many = source.gradients(x, theta)
    for k, row in enumerate(x):
        one = source.gradients(row[None], theta)
        np.testing.assert_array_equal(many.features[k], one.features[0])
        np.testing.assert_array_equal(many.parameters[k], one.parameters[0])


def test_constants_of_the_four_term_shift_rule() -> None:
    # Exact for the constant and for frequencies 1/2 and 1: what a controlled rotation contains.
    shifts = np.array(frontend._SHIFTS)
    assert shifts.shape == (4, 2)
    assert np.sum(shifts[:, 1]) == pytest.approx(0, abs=1e-15)
    for w in (0.5, 1.0):
        assert np.sum(shifts[:, 1] * np.sin(w * shifts[:, 0])) == pytest.approx(w, abs=1e-15)
        assert np.sum(shifts[:, 1] * np.cos(w * shifts[:, 0])) == pytest.approx(0, abs=1e-15)


# --- order: of qubits, of parameters -----------------------------------------------------------


@pytest.mark.parametrize("label", ["IIX", "XII", "IYZ", "ZYI", "XYZ", "ZIY"])
def test_labels_are_little_endian(label: str) -> None:
    circuit = circuit_of(lambda c: (c.rx(X[0], 0), c.cx(0, 2), c.ry(X[1], 1)))
    source = QiskitSource(circuit, SparsePauliOp(label), SIZES)
    x, theta = points()
    native = plain(source, circuit, x, theta)
    np.testing.assert_allclose(source.values(x, theta), native, rtol=0, atol=NATIVE)
    np.testing.assert_allclose(lowered(source, x, theta), native, rtol=0, atol=NATIVE)
    reverse = QiskitSource(circuit, SparsePauliOp(label[::-1]), SIZES)
    assert np.max(np.abs(reverse.values(x, theta) - native)) > 0.01


def test_more_than_ten_parameters_are_numbered_not_sorted() -> None:
    # As text x[10] comes before x[2].
    x, theta = ParameterVector("x", 13), ParameterVector("theta", 12)
    circuit = QuantumCircuit(1)
    for k in range(13):
        circuit.rx((k + 1) * x[k] / 10, 0)
        if k < 12:
            circuit.rz(theta[k] + k / 7, 0)
    source = QiskitSource(circuit, "Y", Sizes.of(13, 12))
    points_x, points_theta = points(sizes=(13, 12))
    native = plain(source, circuit, points_x, points_theta)
    values = source.values(points_x, points_theta)
    np.testing.assert_allclose(values, native, rtol=0, atol=NATIVE)
    np.testing.assert_allclose(lowered(source, points_x, points_theta), native, rtol=0, atol=NATIVE)
    encoding = [g.angle for g in source.lower().gates if g.name == "RX"]
    assert encoding == [feature(k) * (k + 1) / 10 for k in range(13)]
    gradient = source.gradients(points_x[:1], points_theta)
    by_x = differences(lambda v: plain(source, circuit, v, points_theta)[0], points_x[0])
    np.testing.assert_allclose(gradient.features[0], by_x, rtol=0, atol=FINITE_DIFFERENCE)


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (["x"], [("x", 0)]),
        (["x0", "x7"], [("x", 0), ("x", 7)]),
        (["x_3", "theta_12"], [("x", 3), ("theta", 12)]),
        (["theta", "x[2]"], [("theta", 0), ("x", 2)]),
    ],
)
def test_single_parameters_by_name(names: list[str], places: list[tuple[str, int]]) -> None:
    circuit = QuantumCircuit(1)
    for name in names:
        circuit.rx(Parameter(name), 0)
    found = frontend.parameter_places(circuit)
    assert {p.name: place for p, place in found.items()} == dict(zip(names, places, strict=True))


# --- expressions -------------------------------------------------------------------------------

ANGLES: dict[str, tuple[Any, Angle]] = {
    "x": (X[0], X0),
    "-x": (-X[0], -X0),
    "0.1 x": (0.1 * X[0], X0 / 10),
    "x/3": (X[0] / 3, X0 / 3),
    "x (1/3)": (X[0] * (1 / 3), X0 / 3),
    "1.00003 x": (1.00003 * X[0], X0 * 1.00003),
    "sqrt2 x": (math.sqrt(2) * X[0], X0 * math.sqrt(2)),
    "pi x": (np.pi * X[0], PI * X0),
    "x/pi": (X[0] / np.pi, X0 * (1 / np.pi)),
    "2 pi x/3": (2 * np.pi * X[0] / 3, 2 * PI * X0 / 3),
    "x - 0.5": (X[0] - 0.5, X0 - 0.5),
    "x + 0.5": (X[0] + 0.5, X0 + 0.5),
    "0.5 - x": (0.5 - X[0], Angle.constant(0.5) - X0),
    "x + 1e-12": (X[0] + 1e-12, X0 + 1e-12),
    "theta x": (THETA[0] * X[0], T0 * X0),
    "theta0 x0 + theta1": (THETA[0] * X[0] + THETA[1], T0 * X0 + T1),
    "2 (x + theta)": (2 * (X[0] + THETA[0]), 2 * X0 + 2 * T0),
    "2x + 2theta": (2 * X[0] + 2 * THETA[0], 2 * (X0 + T0)),
    "x^2": (X[0] ** 2, X0**2),
    "x^3 theta^2": (X[0] ** 3 * THETA[0] ** 2, X0**3 * T0**2),
    "x0 x1": (X[0] * X[1], X0 * X1),
    "(pi - x0)(pi - x1)": ((np.pi - X[0]) * (np.pi - X[1]), (PI - X0) * (PI - X1)),
    "2 (pi - x0)(pi - x1)": (2 * (np.pi - X[0]) * (np.pi - X[1]), 2 * (PI - X0) * (PI - X1)),
    "nested": (
        -(2 - (X[0] - 0.5) * (3 - (THETA[0] + X[1] / 4))) / 8,
        -(2 - (X0 - 0.5) * (3 - (T0 + X1 / 4))) / 8,
    ),
    "double negation": (-1 * -(X[0] - THETA[0]), X0 - T0),
    "(x + theta)^2": ((X[0] + THETA[0]) ** 2, (X0 + T0) ** 2),
    "number": (0.3, Angle.constant(0.3)),
    "integer": (2, Angle.constant(2)),
    "pi/7": (np.pi / 7, PI / 7),
}  # fmt: skip


@pytest.mark.parametrize(("expression", "angle"), ANGLES.values(), ids=ANGLES)
def test_expressions_are_read_exactly(expression: Any, angle: Angle) -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(expression, 0)
    (rotation,) = QiskitSource(circuit, "Z", SIZES).lower().gates
    assert rotation.angle == angle


def test_a_parameter_that_cancels_is_not_taken_for_the_one_that_stays() -> None:
    # Qiskit 2.6 remembers both, and its sympify() names either, by the order of a set.
    for _ in range(20):
        x, theta = ParameterVector("x", 3), ParameterVector("theta", 3)
        circuit = QuantumCircuit(1)
        circuit.rx(x[0] - x[0] + theta[0], 0)
        source = QiskitSource(circuit, "Z", SIZES)
        assert source.lower().gates[0].angle == T0
        assert "Symbol('x[0]')" not in source.fingerprint()


UNSUPPORTED = {
    "sin": X[0].sin(), "cos": X[0].cos(), "tan": X[0].tan(), "exp": X[0].exp(), "log": X[0].log(),
    "arctan": X[0].arctan(), "abs": X[0].abs(), "sign": X[0].sign(), "quotient": X[0] / THETA[0],
    "root": X[0] ** 0.5, "inverse": X[0] ** -1, "inside": 2 * (1 + X[0].sin()) * THETA[0],
}  # fmt: skip


@pytest.mark.parametrize("expression", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_other_expressions_are_refused(expression: Any) -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(expression, 0)
    with pytest.raises(UnsupportedCircuitError, match="no polynomial in x and theta: it contains"):
        QiskitSource(circuit, "Z", SIZES).lower()


def test_native_values_and_gradients_of_an_expression_that_is_no_polynomial() -> None:
    circuit = circuit_of(lambda c: c.rx(X[0].sin() * THETA[0].exp(), 0))
    source = source_of(circuit)
    x, theta = points()
    native = plain(source, circuit, x, theta)
    np.testing.assert_allclose(source.values(x, theta), native, rtol=0, atol=NATIVE)
    assert_gradients_right(circuit, source.gradients(x[:1], theta), x[:1], theta)


# --- right or refused --------------------------------------------------------------------------


def measured_inside(circuit: QuantumCircuit) -> None:
    inner = QuantumCircuit(1, 1)
    inner.measure(0, 0)
    circuit.add_register(ClassicalRegister(1))
    circuit.append(inner.to_instruction(), [0], [0])


ODD: dict[str, Callable[[QuantumCircuit], object]] = {
    "evolution inside that does not commute": lambda c: evolved_inside(
        c, ("XX", 0.3), ("ZI", 0.7), time=X[1]),
    "fixed evolution inside that does not commute": lambda c: evolved_inside(
        c, ("XX", 0.3), ("ZI", 0.7), time=0.8),
    "evolution that does not commute": lambda c: c.append(
        evolution(("XX", 0.3), ("ZI", 0.7), time=X[0]), [2, 0]),
    "evolution of a list": lambda c: c.append(
        gates.PauliEvolutionGate([SparsePauliOp("XX"), SparsePauliOp("ZZ")], X[0]), [2, 0]),
    "evolution under control": lambda c: c.append(
        evolution(("XX", 0.3), time=X[0]).control(1, annotated=False), [2, 0, 1]),
    "annotated control": lambda c: c.append(
        gates.RXGate(X[0]).control(2, annotated=True), [2, 0, 1]),
    "annotated inverse": lambda c: c.append(
        AnnotatedOperation(gates.RXGate(X[0]), [InverseModifier()]), [1]),
    "rv": lambda c: c.append(gates.RVGate(X[0], 0.1, 0.2), [1]),
    "hamiltonian": lambda c: c.append(
        gates.HamiltonianGate(np.array([[1, 0.3], [0.3, -1]]), X[0]), [1]),
    "initialize": lambda c: (c.rx(X[0], 0), c.initialize([0.6, 0.8], 1)),
    "state preparation": lambda c: (c.rx(X[0], 0), c.prepare_state([0.6, 0.8j], 1)),
    "measured inside": measured_inside,
    "sign": lambda c: c.rx(X[0].sign(), 0),
    "root": lambda c: c.rx(X[0] ** 0.5, 0),
}  # fmt: skip


@SPARSE
@pytest.mark.parametrize("build", ODD.values(), ids=ODD)
@pytest.mark.parametrize("what", ["values", "gradients", "lower"])
def test_odd_instructions_are_refused_in_words_or_right(build: Any, what: str) -> None:
    circuit = circuit_of(build)
    x, theta = points(rows=1, seed=2)
    with contextlib.suppress(QrunEquivError):  # a refusal is right, another exception is not
        source = source_of(circuit)
        if what == "gradients":
            gradient = source.gradients(x, theta)
            assert_gradients_right(circuit, gradient, x, theta)
        else:
            values = (source.values if what == "values" else lambda *p: lowered(source, *p))(
                x, theta
            )
            native = plain(source, circuit, x, theta)
            np.testing.assert_allclose(values, native, rtol=0, atol=NATIVE)


def test_a_matrix_on_five_qubits_is_refused() -> None:
    circuit = QuantumCircuit(5)
    circuit.append(gates.UnitaryGate(random_unitary(32, seed=1)), range(5))
    source = QiskitSource(circuit, "ZIIIX", Sizes.of(0, 0))
    with pytest.raises(UnsupportedCircuitError, match="on 5 wires has no definition; at most 4"):
        source.lower()


def test_an_evolution_that_does_not_commute_is_refused_with_the_reason() -> None:
    circuit = circuit_of(ODD["evolution that does not commute"])
    with pytest.raises(FrontendError, match="do not commute is Trotterised"):
        source_of(circuit)


def branching(circuit: QuantumCircuit) -> None:
    circuit.add_register(ClassicalRegister(1))
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda c: c.measure_all(), "'measure'"),
        (lambda c: c.reset(1), "'reset'"),
        (branching, "'if_else'"),
    ],
)
def test_circuits_without_a_state_vector_are_refused(build: Any, name: str) -> None:
    circuit = circuit_of(lambda c: None)
    build(circuit)
    with pytest.raises(FrontendError, match=f"contains {name}.*remove_final_measurements"):
        source_of(circuit)


# --- messages ----------------------------------------------------------------------------------


def small(*parameters: Parameter) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    for p in parameters:
        circuit.rx(p, 0)
    return circuit


@pytest.mark.parametrize(
    ("observable", "message"),
    [
        (None, "has no observable: pass observable=SparsePauliOp"),
        ([], "empty list of observables"),
        (SparsePauliOp("Z"), "is on 1 wires, the circuit 'qiskit' has 2"),
        ("ZZZ", "is on 3 wires"),
        (["ZZ", "Z"], "is on 1 wires"),
        (SparsePauliOp("ZZ", 1j), "complex coefficients: it must be Hermitian"),
        ("QZ", "is no Pauli label"),
        (np.eye(4), "must be a SparsePauliOp, got ndarray"),
        (3, "must be a SparsePauliOp, got int"),
    ],
)
def test_observables_that_do_not_fit_are_refused(observable: Any, message: str) -> None:
    with pytest.raises(FrontendError, match=message):
        QiskitSource(small(X[0]), observable, SIZES)


@pytest.mark.parametrize(
    ("parameters", "sizes", "message"),
    [
        ([Parameter("phi")], (1, 1), "'phi' is neither a feature nor a trainable parameter"),
        ([Parameter("x_")], (1, 1), "'x_' is neither"),
        ([Parameter("xx0")], (1, 1), "'xx0' is neither"),
        ([Parameter("x"), Parameter("x0")], (1, 1), r"two Qiskit parameters stand for x\[0\]"),
        ([X[2]], (2, 0), r"reads x\[2\], but n_features is 2: it must be at least 3"),
        ([THETA[1]], (2, 1), r"reads theta\[1\], but n_parameters is 1"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    parameters: list[Parameter], sizes: tuple[int, int], message: str
) -> None:
    with pytest.raises(FrontendError, match=message):
        QiskitSource(small(*parameters), "ZZ", Sizes.of(*sizes))


def test_labels_paulis_matrices_and_lists_are_observables() -> None:
    matrix = Operator(np.kron(np.diag([1, -1]), np.array([[0, -2j], [2j, 0]])))  # 2 Z Y
    given = ["IZ", SparsePauliOp("ZI"), Pauli("IY"), matrix]
    source = QiskitSource(small(X[0]), given, SIZES)
    values = source.values(np.full((1, 3), 0.4), np.zeros(3))
    expected = [[np.cos(0.4), 1.0, -np.sin(0.4), -2 * np.sin(0.4)]]
    np.testing.assert_allclose(values, expected, rtol=0, atol=NATIVE)
    lower = lowered(source, np.full((1, 3), 0.4), np.zeros(3))
    np.testing.assert_allclose(lower, expected, rtol=0, atol=NATIVE)
    assert "Statevector" in source.simulator


def test_the_users_circuit_is_left_alone() -> None:
    circuit = circuit_of(lambda c: c.append(evolution(("XX", 0.3), time=X[0]), [2, 0]))
    before = circuit.copy()
    source = source_of(circuit)
    x, theta = points()
    source.values(x, theta)
    source.gradients(x, theta)
    source.second_gradient(x[:1], theta)
    source.lower()
    assert circuit == before


# --- identity ----------------------------------------------------------------------------------


def one_gate(name: str, angle: Any = X[0]) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    getattr(circuit, name)(angle, 0)
    return circuit


def wrapped(gate: str, name: str | None = None, angle: Any = X[0]) -> QuantumCircuit:
    inner = QuantumCircuit(1, name=name)
    getattr(inner, gate)(angle, 0)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_gate(), [0])
    return circuit


def matrix_gate(angle: float) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(gates.UnitaryGate(np.diag([1, np.exp(1j * angle)])), [0])
    return circuit


def controlled(state: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(gates.CRXGate(X[0], ctrl_state=state), [0, 1])
    return circuit


def fingerprint(circuit: QuantumCircuit, observable: Any = "ZX") -> str:
    return QiskitSource(circuit, observable, SIZES).fingerprint()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (one_gate("rx"), one_gate("ry")),
        (one_gate("rx"), one_gate("rx", X[1])),
        (one_gate("rx", X[0] - 0.5), one_gate("rx", X[0] + 0.5)),
        (one_gate("rx", 0.3), one_gate("rx", 0.3 + 1e-15)),
        (one_gate("rx", 0.3 * X[0]), one_gate("rx", (0.3 + 1e-15) * X[0])),
        (one_gate("rx", X[0] ** 0.5), one_gate("rx", X[0] ** 0.25)),
        (controlled(0), controlled(1)),
        (matrix_gate(0.3), matrix_gate(0.3 + 1e-10)),
        (wrapped("rx", "block"), wrapped("ry", "block")),
        (wrapped("rx", "block", 2 * X[0]), wrapped("rx", "block", X[0])),
    ],
    ids=[
        "gate",
        "feature",
        "sign",
        "ulps",
        "scale",
        "root",
        "control",
        "matrix",
        "definition",
        "inner angle",
    ],
)
def test_fingerprints_of_different_circuits_differ(one: Any, two: Any) -> None:
    assert fingerprint(one) != fingerprint(two)


@pytest.mark.parametrize(
    "make",
    [lambda: one_gate("rx"), lambda: wrapped("rx", "block"), lambda: wrapped("rx")],
    ids=["plain", "named block", "unnamed block"],
)
def test_fingerprints_of_the_same_circuit_agree(make: Callable[[], QuantumCircuit]) -> None:
    # Qiskit numbers unnamed circuits as they are made: the number is no part of the circuit.
    assert fingerprint(make()) == fingerprint(make())


def test_fingerprint_names_the_observable() -> None:
    circuit = one_gate("rx")
    others = ["XZ", SparsePauliOp("ZX", 0.5), ["ZX", "XZ"]]
    assert len({fingerprint(circuit), *(fingerprint(circuit, o) for o in others)}) == 4
