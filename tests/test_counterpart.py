"""Derived counterparts against the native circuits, in values and in gradients."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp, Statevector

from qrun_equiv import derive
from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import (
    MAX_WIRES,
    FourierCounterpart,
    MatrixProductCounterpart,
    fourier_series,
)
from qrun_equiv.counterpart import derive as derive_neutral
from qrun_equiv.errors import DerivationError, FrontendError, SpectrumError
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.readout import matrix_product
from qrun_equiv.simulate import expectations

NATIVE = 1e-10  # two different float64 simulations of some fifty gates, and their gradients
ROUNDING = 1e-12  # the same numbers in another order of summation
SCALES = (0.7390851, np.sqrt(2), 2.6180339)  # no common period
X0, X1, T0 = feature(0), feature(1), parameter(0)


def rows(n_features: int, seed: int = 0, batch: int = 3) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(-2, 2, (batch, n_features)))


# --- native circuits that no permutation of wires or features leaves as they are --------------


def pennylane_circuit(n: int):
    """n wires, two features, 2n parameters of shape (2, n); two asymmetric outputs."""

    def circuit(x, theta):
        for wire in range(n):
            qml.RY(theta[0, wire], wires=wire)
            qml.RX(SCALES[wire % 3] * x[wire % 2] + 0.2 * wire, wires=wire)
        for wire in range(n - 1):
            qml.CNOT(wires=[wire, wire + 1])
        if n > 1:
            qml.CRX(x[0] - 0.3, wires=[n - 1, 0])
            qml.IsingXY(theta[1, 0] * x[1], wires=[0, n - 1])
        for wire in range(n):
            qml.RZ(theta[1, wire] * x[1 - wire % 2], wires=wire)
            qml.RY(0.3 + 0.1 * wire, wires=wire)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0) if n == 1 else qml.X(0) @ qml.Y(n - 1))

    return qml.QNode(circuit, qml.device("default.qubit", wires=n), interface="torch")


def jacobians(function, x: torch.Tensor, theta: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.functional.jacobian(function, (x, theta))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_matrix_product_is_the_pennylane_circuit(n: int) -> None:
    qnode = pennylane_circuit(n)
    counterpart = derive(qnode, n_features=2, n_parameters=(2, n))
    assert isinstance(counterpart, MatrixProductCounterpart)
    x, theta = rows(2, seed=n, batch=2), rows(n, seed=10 + n, batch=2)

    def native(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.stack(qnode(row, theta)) for row in x])

    torch.testing.assert_close(counterpart(x, theta), native(x, theta), rtol=0, atol=NATIVE)
    for ours, theirs in zip(
        jacobians(counterpart, x, theta), jacobians(native, x, theta), strict=True
    ):
        assert torch.max(torch.abs(theirs)) > 0.01
        torch.testing.assert_close(ours, theirs, rtol=0, atol=NATIVE)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_matrix_product_is_the_qiskit_circuit(n: int) -> None:
    x, theta = ParameterVector("x", 2), ParameterVector("theta", n)
    circuit = QuantumCircuit(n)
    for qubit in range(n):
        circuit.u(SCALES[qubit % 3] * x[qubit % 2], theta[qubit] - 0.5, x[0] * x[1], qubit)
    for qubit in range(n - 1):
        circuit.rzx(theta[qubit] * x[1], qubit + 1, qubit)
        circuit.cu(0.3, x[0], theta[0], 0.1 * x[1], qubit, qubit + 1)
    for qubit in range(n):
        circuit.ry(0.4 + 0.2 * qubit, qubit)
    label = "Y" if n == 1 else "Y" + "I" * (n - 2) + "X"  # Y on the last qubit, X on qubit 0
    observable = SparsePauliOp.from_list([(label, 0.5), ("I" * (n - 1) + "Z", -1.25)])
    counterpart = derive(circuit, observable=observable)
    points, weights = rows(2, seed=n), rows(n, seed=20 + n, batch=1)[0]
    got = counterpart(points, weights)
    for row, value in zip(points, got, strict=True):
        numbers = {p: float(row[p.index]) for p in x} | {p: float(weights[p.index]) for p in theta}
        bound = circuit.assign_parameters({p: numbers[p] for p in circuit.parameters})
        expected = Statevector(bound).expectation_value(observable).real
        assert float(value[0]) == pytest.approx(expected, abs=NATIVE)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_matrix_product_is_the_neutral_circuit(n: int, seed: int) -> None:
    rng = np.random.default_rng([seed, n])
    form = random_circuit(rng, n_wires=n, layers=2)
    x, theta = rows(2, seed=seed), torch.tensor(rng.uniform(-2, 2, form.n_parameters))
    expected = expectations(form, x, theta)
    torch.testing.assert_close(derive(form)(x, theta), expected, rtol=0, atol=ROUNDING)


def test_matrix_product_is_differentiable_twice() -> None:
    form = random_circuit(np.random.default_rng(2), n_wires=2, layers=1)
    x, theta = rows(2, batch=1), rows(form.n_parameters, batch=1)[0]
    inputs = (x.requires_grad_(True), theta.requires_grad_(True))
    assert torch.autograd.gradcheck(derive(form), inputs)
    assert torch.autograd.gradgradcheck(derive(form), inputs)


# --- cores and features ------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_cores_through_the_matrix_product_readout(n: int, seed: int) -> None:
    rng = np.random.default_rng([seed, n])
    form = random_circuit(rng, n_wires=n, layers=2)
    counterpart = derive_neutral(form)
    x, theta = rows(2, seed=seed), torch.tensor(rng.uniform(-2, 2, form.n_parameters))
    left, cores, right = counterpart.cores(theta)
    features = counterpart.features(x, theta)
    assert features.shape == (3, len(cores), 2)
    assert cores.shape[1:] == (3, 4**n, 4**n)
    value = matrix_product(features, left, cores, right)
    torch.testing.assert_close(value, counterpart(x, theta), rtol=0, atol=ROUNDING)


def test_features_are_cosines_and_sines_of_the_encoding_angles() -> None:
    gates = (
        Gate("RX", (0,), X0 * 2 - 1),
        Gate("RY", (0,), T0),
        Gate("CRZ", (0, 1), T0 * X1),
    )
    form = Circuit(2, gates, (Observable.of([(1.0, {0: "X"})]),), 2, 1)
    x, theta = rows(2), torch.tensor([0.6], dtype=torch.float64)
    half = 0.3 * x[:, 1]
    angles = torch.stack([2 * x[:, 0] - 1, half, -half], dim=1)
    expected = torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1)
    got = derive_neutral(form).features(x, theta)
    torch.testing.assert_close(got, expected, rtol=0, atol=ROUNDING)


def test_cores_are_differentiable_in_the_parameters() -> None:
    form = random_circuit(np.random.default_rng(4), n_wires=1, layers=2, n_features=1)
    counterpart, x = derive_neutral(form), rows(1)

    def through_cores(theta: torch.Tensor) -> torch.Tensor:
        return matrix_product(counterpart.features(x, theta), *counterpart.cores(theta))

    theta = rows(form.n_parameters, batch=1)[0]
    ours = torch.autograd.functional.jacobian(through_cores, theta)
    direct = torch.autograd.functional.jacobian(lambda t: counterpart(x, t), theta)
    torch.testing.assert_close(ours, direct, rtol=0, atol=ROUNDING)


def test_a_circuit_that_encodes_nothing_has_no_cores() -> None:
    form = Circuit(1, (Gate("RX", (0,), T0),), (Observable.of([(1.0, {0: "Z"})]),), 2, 1)
    counterpart, theta = derive_neutral(form), torch.tensor([0.4], dtype=torch.float64)
    left, cores, right = counterpart.cores(theta)
    features = counterpart.features(rows(2), theta)
    assert cores.shape == (0, 3, 4, 4)
    assert features.shape == (3, 0, 2)
    torch.testing.assert_close(
        matrix_product(features, left, cores, right), counterpart(rows(2), theta)
    )
    assert float(counterpart(rows(2), theta)[0, 0]) == pytest.approx(np.cos(0.4), abs=ROUNDING)


# --- Fourier counterparts ----------------------------------------------------------------------


def affine_circuit(n: int):
    """As :func:`pennylane_circuit`, with trained scales that have no common period."""

    def circuit(x, theta):
        for wire in range(n):
            qml.RY(0.4 + wire, wires=wire)
            qml.RX(SCALES[wire % 3] * x[wire % 2] + 0.2, wires=wire)
        for wire in range(n - 1):
            qml.CRY(theta[2] * x[0] - 1, wires=[wire + 1, wire])
        qml.RZ(theta[0] * x[0] + theta[1] * x[1], wires=n - 1)
        qml.RX(0.9, wires=n - 1)
        return qml.expval(qml.Y(n - 1)), qml.probs(wires=[0])

    return qml.QNode(circuit, qml.device("default.qubit", wires=n), interface="torch")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fourier_counterpart_at_unrelated_real_scales(n: int) -> None:
    qnode, theta = affine_circuit(n), torch.tensor([0.912, -1.733, np.e])
    counterpart = derive(qnode, n_features=2, n_parameters=3, parameters=theta)
    assert isinstance(counterpart, FourierCounterpart)
    # Far out too: a frequency that is off by 1e-12 would show at 1e3.
    x = torch.cat([rows(2, seed=n), 300 * rows(2, seed=5)])
    native = torch.stack([torch.cat([part.reshape(-1) for part in qnode(r, theta)]) for r in x])
    torch.testing.assert_close(counterpart(x), native, rtol=0, atol=NATIVE)
    inputs = x[:2].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(counterpart, (inputs,))


@pytest.mark.parametrize("seed", range(4))
def test_fourier_counterpart_equals_the_matrix_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    form = random_circuit(rng, n_wires=2, layers=2, n_features=1)
    theta = torch.tensor(rng.uniform(-2, 2, form.n_parameters))
    x = rows(1, seed=seed)
    fourier = derive(form, "fourier", parameters=theta)
    torch.testing.assert_close(fourier(x), derive(form)(x, theta), rtol=0, atol=NATIVE)


def test_equal_sums_of_scales_merge_before_the_numbers_come_in() -> None:
    gates = tuple(Gate("RX" if k % 2 else "RY", (0,), X0 * 0.1 * k) for k in (1, 2, 3))
    turned = tuple(g for gate in gates for g in (gate, Gate("RZ", (0,), Angle.constant(0.7))))
    form = Circuit(1, turned, (Observable.of([(1.0, {0: "X"})]),), 1, 0)
    frequencies = fourier_series(form, np.zeros(0)).frequencies[:, 0]
    tenths = np.round(10 * frequencies)
    np.testing.assert_allclose(frequencies, tenths / 10, rtol=0, atol=ROUNDING)
    assert len(frequencies) == len(set(tenths.tolist())) <= 13


@pytest.mark.parametrize("angle", [X0 * X1, X0**2, (PI - X0) * (PI - X1)])
def test_products_of_features_have_no_fourier_counterpart(angle: Angle) -> None:
    form = Circuit(1, (Gate("RX", (0,), angle),), (Observable.of([(1.0, {0: "Z"})]),), 2, 0)
    with pytest.raises(SpectrumError, match="no Fourier series in x0, x1 together"):
        derive(form, "fourier", parameters=[])
    # The matrix product needs no series.
    x = rows(2)
    value = derive(form)(x, torch.zeros(0))
    expected = torch.cos(angle.evaluate(x, torch.zeros(0)))[:, None]
    torch.testing.assert_close(value, expected, rtol=0, atol=ROUNDING)


def test_too_many_frequencies_are_refused() -> None:
    gates = tuple(Gate("RX" if k % 2 else "RY", (0,), X0 * 3**k) for k in range(6))
    form = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0)
    with pytest.raises(SpectrumError, match="more than 50 distinct frequencies"):
        fourier_series(form, np.zeros(0), limit=50)


def test_a_fourier_counterpart_of_a_circuit_without_features() -> None:
    form = Circuit(1, (Gate("RX", (0,), T0),), (Observable.of([(1.0, {0: "Z"})]),), 0, 1)
    value = derive(form, "fourier", parameters=[0.3])(torch.zeros((2, 0), dtype=torch.float64))
    np.testing.assert_allclose(value.numpy(), np.full((2, 1), np.cos(0.3)), rtol=0, atol=ROUNDING)


# --- what is refused ---------------------------------------------------------------------------


def wires(n: int) -> Circuit:
    return Circuit(n, (Gate("RX", (0,), X0 * T0),), (Observable.of([(1.0, {0: "Z"})]),), 1, 1)


def test_more_than_five_wires_are_refused() -> None:
    assert MAX_WIRES == 5
    derive(wires(5))
    with pytest.raises(DerivationError, match="6 wires needs 4096 Pauli words"):
        derive(wires(6))


def test_readouts_by_name() -> None:
    assert isinstance(derive(wires(1)), MatrixProductCounterpart)
    assert isinstance(derive(wires(1), parameters=[0.5]), FourierCounterpart)
    assert isinstance(
        derive(wires(1), "matrix-product", parameters=[0.5]), MatrixProductCounterpart
    )
    with pytest.raises(DerivationError, match="pass parameters=theta"):
        derive(wires(1), "fourier")
    with pytest.raises(DerivationError, match="unknown readout 'mps'"):
        derive(wires(1), "mps")  # type: ignore[arg-type]


@pytest.mark.parametrize("parameters", [[], [0.1, 0.2], [float("nan")]])
def test_parameters_that_do_not_fit_are_refused(parameters: list[float]) -> None:
    with pytest.raises(FrontendError, match="parameters"):
        derive(wires(1), "fourier", parameters=parameters)


def test_counterparts_say_what_they_are() -> None:
    assert "2 wire(s), 1 gates (1 encoding)" in repr(derive(wires(2)))
    assert "2 frequencies of 1 feature(s)" in repr(derive(wires(2), parameters=[0.5]))


def test_counterparts_have_no_trainable_weights() -> None:
    # Parameters come in as theta: a weight of its own would be trained twice.
    assert list(derive(wires(1)).parameters()) == []
    assert list(derive(wires(1), parameters=[0.5]).parameters()) == []
