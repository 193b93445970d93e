"""The spectrum engine: its methods against simulation, exact balls, and each other."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from flint import acb, acb_mat, arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import FourierSeries, accessible
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra import choice, engine
from qrun_equiv.spectra.engine import SpectrumEngine
from qrun_equiv.trigonometric import of_circuit

ROUNDING = 1e-12  # float64, sums of some thousand terms of order one
EXAMPLES = settings(derandomize=True, database=None, deadline=None, max_examples=25)
METHODS = ("auto", "grid", "lifting", "product-tree")

X0, X1 = feature(0), feature(1)
Z0 = Observable.of([(1.0, {0: "Z"})])


def rotation(name: str, wire: int, angle: Angle) -> Gate:
    return Gate(name, (wire,), angle)


def layered(n_wires: int, scales, *, observables=(Z0,), n_features: int = 1) -> Circuit:
    """For each layer trainable turns on every wire, a ring of CNOTs, and RX(scale * x)."""
    gates: list[Gate] = []
    used = 0
    for layer in [*scales, None]:
        for wire in range(n_wires):
            for name in ("RZ", "RY"):
                gates.append(rotation(name, wire, parameter(used)))
                used += 1
        if layer is None:
            break
        ring = range(n_wires if n_wires > 2 else n_wires - 1)
        gates += [Gate("CNOT", (wire, (wire + 1) % n_wires)) for wire in ring]
        reads = [feature(wire % n_features) * layer for wire in range(n_wires)]
        gates += [rotation("RX", wire, angle) for wire, angle in enumerate(reads)]
    return Circuit(n_wires, tuple(gates), tuple(observables), n_features, used)


def engines(circuit: Circuit, features=None) -> list[SpectrumEngine]:
    """One engine for each method that applies; the grid and lifting always do."""
    found = [SpectrumEngine(circuit, features, method=m) for m in METHODS[:3]]
    with contextlib.suppress(SpectrumError):
        found.append(SpectrumEngine(circuit, features, method="product-tree"))
    return found


def random_input(seed: int):
    """A random circuit, the features in which it is a series, parameters and fixed features."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(1, 3))
    circuit = random_circuit(
        rng,
        n_wires=int(rng.integers(1, 4)),
        layers=int(rng.integers(1, 3)),
        n_features=n_features,
    )
    curved = any(g.angle.degree("x") > 1 for g in circuit.encoding_gates())
    read = sorted({i for g in circuit.encoding_gates() for i in g.angle.features()})
    features = read[:1] if curved else None
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    return circuit, features, theta, rng.uniform(-2, 2, n_features)


def direct(circuit: Circuit, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return expectations(circuit, torch.as_tensor(x), torch.as_tensor(theta)).numpy()


# --- against simulation and each other ---------------------------------------------------------


@EXAMPLES
@given(seed=st.integers(0, 10**6))
def test_every_method_is_the_function(seed: int) -> None:
    circuit, features, theta, fixed = random_input(seed)
    rows = np.tile(fixed, (7, 1))
    varied = list(range(circuit.n_features)) if features is None else features
    rows[:, varied] = np.random.default_rng(seed).uniform(-20, 20, (7, len(varied)))
    expected = direct(circuit, rows, theta)
    found = engines(circuit, features)
    assert len(found) >= 3
    coefficients = [e.coefficients(torch.as_tensor(theta), torch.as_tensor(fixed)) for e in found]
    for one, values in zip(found, coefficients, strict=True):
        raw = FourierSeries(one.values(theta, fixed), values.numpy())
        np.testing.assert_allclose(raw(rows[:, varied]), expected, rtol=0, atol=ROUNDING)
        result = one.series(theta, fixed)
        assert result.error < ROUNDING
        collected = result.series(rows[:, varied])
        np.testing.assert_allclose(collected, expected, rtol=0, atol=ROUNDING)
        torch.testing.assert_close(values, coefficients[0], rtol=0, atol=ROUNDING)
        # A real function: opposite frequencies have conjugate coefficients.
        table = dict(zip(one.frequencies, values, strict=True))
        for w, c in table.items():
            opposite = table[tuple(-a for a in w)]
            torch.testing.assert_close(opposite, c.conj(), rtol=0, atol=ROUNDING)


def unitary(rng: np.random.Generator, wires: int):
    square = rng.normal(size=(2**wires,) * 2) + 1j * rng.normal(size=(2**wires,) * 2)
    return tuple(map(tuple, np.linalg.qr(square)[0].tolist()))


@pytest.mark.parametrize("seed", range(4))
def test_every_gate_on_five_wires(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gates: list[Gate] = []
    for k in range(3):
        a, b, c, d, e = (int(w) for w in rng.permutation(5))
        theta = parameter(k)
        gates += [Gate("H", (a,)), rotation("RY", b, theta), rotation("RX", c, 0.3 * theta + 0.4)]
        gates += [Gate("S", (b,)), Gate("T", (c,)), Gate("Y", (d,)), Gate("X", (e,))]
        gates += [Gate("SWAP", (a, b)), Gate("CZ", (b, c)), Gate("CNOT", (d, c))]
        gates += [Gate("Unitary", (c, a, e)[: 1 + k], matrix=unitary(rng, 1 + k))]
        gates += [Gate("PauliRot", (a, d, e), theta * 0.7, "XYZ"), Gate("CRY", (b, e), theta)]
        gates += [Gate("PauliRot", (e, b, a), X0 * (k + 1) + theta, "YZX")]
        gates += [Gate("CRX", (d, a), X0 - theta), rotation("PhaseShift", c, PI / 3 * X0)]
    words = [
        [(1.0, {0: "X", 3: "Z"}), (-0.5, {4: "Y"})],
        [(0.3, {}), (0.7, {1: "Y", 2: "Z", 4: "X"})],
    ]
    circuit = Circuit(5, tuple(gates), tuple(map(Observable.of, words)), 1, 3)
    theta = rng.uniform(-3, 3, 3)
    x = rng.uniform(-9, 9, (5, 1))
    for method in ("grid", "lifting"):
        series = SpectrumEngine(circuit, method=method).fourier(theta)
        np.testing.assert_allclose(series(x), direct(circuit, x, theta), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("n_wires", [3, 4])
def test_rings_of_gates_that_do_not_commute(n_wires: int) -> None:
    observable = Observable.of([(1.0, {0: "X", 1: "Y"}), (0.5, {n_wires - 1: "Z"})])
    circuit = layered(n_wires, (1, 2), observables=[observable], n_features=2)
    ring = [Gate("SWAP", (0, 1)), Gate("CNOT", (1, 2)), Gate("CZ", (0, 2)), Gate("CNOT", (2, 0))]
    circuit = replace(circuit, gates=(*circuit.gates, *ring, rotation("RY", 0, parameter(0))))
    rng = np.random.default_rng(n_wires)
    theta, x = rng.uniform(-3, 3, circuit.n_parameters), rng.uniform(-9, 9, (5, 2))
    expected = direct(circuit, x, theta)
    assert np.abs(expected).max() > 0.1
    for method in ("grid", "lifting"):
        series = SpectrumEngine(circuit, method=method).fourier(theta)
        np.testing.assert_allclose(series(x), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("method", METHODS)
def test_sine_has_minus_half_i_at_plus_one(method) -> None:
    observable = Observable.of([(1.0, {0: "X"})])
    found = SpectrumEngine(Circuit(1, (rotation("RY", 0, X0),), (observable,), 1, 0), method=method)
    assert found.frequencies == ((Angle.constant(-1),), (Angle(),), (Angle.constant(1),))
    coefficients = found.coefficients(torch.zeros(0)).numpy()[:, 0]
    np.testing.assert_allclose(coefficients, [0.5j, 0, -0.5j], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("n_wires", [1, 2])
def test_frequencies_and_coefficients_against_exact_balls(n_wires: int) -> None:
    scales = (1, Angle.constant(0.5), PI, 2)
    circuit = layered(n_wires, scales[: 4 if n_wires == 1 else 3])
    theta = np.random.default_rng(1).uniform(-3, 3, circuit.n_parameters)
    (exact,) = of_circuit(circuit, theta)
    for found in engines(circuit):
        coefficients = found.coefficients(torch.as_tensor(theta)).numpy()[:, 0]
        seen = 0
        for (w,), c in zip(found.frequencies, coefficients, strict=True):
            key = w * X0
            if key.terms and key.terms[0][1] < 0:
                continue
            ball = exact.terms.get(key, acb(0))
            assert abs(complex(float(ball.real), float(ball.imag)) - c) < ROUNDING
            seen += key in exact.terms
        assert seen == len(exact.terms)


@EXAMPLES
@given(seed=st.integers(0, 10**6))
def test_parseval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = layered(2, [int(rng.integers(1, 4)) for _ in range(2)])
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    found = SpectrumEngine(circuit)
    power = (found.coefficients(torch.as_tensor(theta)).abs() ** 2).sum()
    points = 4 * found.lattice.degrees[0] * 3 + 1  # the square has twice the degree
    x = 2 * np.pi * np.arange(points)[:, None] / points
    mean = np.mean(direct(circuit, x, theta) ** 2)
    assert float(power) == pytest.approx(mean, abs=ROUNDING)


# --- frequencies -------------------------------------------------------------------------------


def test_scales_of_one_two_and_three_tenths_give_thirteen_frequencies() -> None:
    found = SpectrumEngine(layered(1, (0.1, 0.2, 0.3)))
    assert [w for (w,) in found.frequencies] == [Angle.constant(k) / 10 for k in range(-6, 7)]
    np.testing.assert_allclose(
        found.values(np.zeros(8))[:, 0], np.arange(-6, 7) / 10, rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize(
    "scales",
    [
        (0.7318, 1.2219, 1.9537, 0.11),  # the third is the sum of the first two
        (1, 1000, 1001),
        (1, 1100, 1102),  # 1 + 1100 = 1102 - 1
        (parameter(0), parameter(1), parameter(0) + parameter(1)),
        (parameter(0), 2 * parameter(0), PI, 3 * PI),
        (parameter(0) * parameter(1), parameter(0) ** 2, 0.3),
    ],
)
def test_equal_frequencies_are_merged_exactly(scales) -> None:
    gates = []
    for k, scale in enumerate(scales):
        gates += [rotation("RY", 0, parameter(k)), rotation("RX", 0, X0 * scale + 0.2)]
    circuit = Circuit(1, (*gates, rotation("RY", 0, Angle.constant(0.4))), (Z0,), 1, 4)
    theta = np.array([0.7, -1.3, 0.4, 2.1])
    x = np.random.default_rng(0).uniform(-5, 5, (6, 1))
    for found in engines(circuit):
        assert len(set(found.frequencies)) == len(found.frequencies)
        assert set(found.frequencies) == set(accessible(circuit))
        assert found.series(theta).error < ROUNDING
        raw = FourierSeries(found.values(theta), found.coefficients(torch.tensor(theta)).numpy())
        np.testing.assert_allclose(raw(x), direct(circuit, x, theta), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("seed", range(6))
def test_the_frequencies_are_the_accessible_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scales = [float(rng.uniform(0.3, 2)), 1, 2, Angle.constant(1) / 3][: 2 + seed % 2]
    observable = Observable.of([(1.0, dict.fromkeys(range(2), "Y"))])
    circuit = layered(2, scales, observables=[observable], n_features=1 + seed % 2)
    for found in engines(circuit):
        assert set(found.frequencies) == set(accessible(circuit))


def test_frequencies_that_meet_at_given_parameters_are_one_row() -> None:
    gates = [rotation("RY", 0, Angle.constant(0.7))]
    for k in range(3):
        gates += [rotation("RX", 0, X0 * parameter(k)), rotation("RY", 0, Angle.constant(1.1))]
    found = SpectrumEngine(Circuit(1, tuple(gates), (Z0,), 1, 3))
    assert len(found.frequencies) == 27
    result = found.series(np.array([0.3, 0.3, 0.3]))
    assert result.series.frequencies[:, 0] == pytest.approx(0.3 * np.arange(-3, 4), abs=ROUNDING)
    assert result.error < ROUNDING
    assert len(found.series(np.zeros(3)).series.frequencies) == 1


def test_turning_back_collapses_the_spectrum() -> None:
    gates = (rotation("RX", 0, X0 + 0.3), rotation("RX", 0, 0.7 - X0))
    found = SpectrumEngine(Circuit(1, gates, (Z0,), 1, 0))
    assert found.frequencies == ((Angle(),),)
    assert found.coefficients(torch.zeros(0))[0, 0].item() == pytest.approx(np.cos(1), abs=ROUNDING)


def test_what_no_output_sees_has_no_frequency() -> None:
    gates = (rotation("RX", 0, X0), rotation("RX", 1, X1), rotation("RX", 2, X0 * 7))
    found = SpectrumEngine(Circuit(3, gates, (Z0,), 2, 0))
    one = Angle.constant(1)
    assert found.frequencies == ((-one, Angle()), (Angle(), Angle()), (one, Angle()))
    constant = Circuit(2, gates[:2], (Observable.of([(0.3, {})]), Observable.of([])), 2, 0)
    for method in METHODS:
        values = SpectrumEngine(constant, method=method).coefficients(torch.zeros(0))
        torch.testing.assert_close(values, torch.tensor([[0.3 + 0j, 0j]]).to(values.dtype))


# --- many unrelated scales ---------------------------------------------------------------------


def exact_coefficient(theta: np.ndarray, digits: np.ndarray) -> complex:
    """One coefficient of ``layered(1, scales)`` with unrelated scales: one path, in balls.

    RX(a) turns (Y, Z): its part at ``exp(+- i a)`` is ``(1/2) [[1, +-i], [-+i, 1]]`` there, and its
    constant part keeps X.
    """

    def turn(first: int, second: int, angle: float) -> acb_mat:
        matrix = acb_mat([[int(i == j) for j in range(3)] for i in range(3)])
        sine, cosine = arb(float(angle)).sin_cos()
        matrix[first, first] = matrix[second, second] = acb(cosine)
        matrix[first, second], matrix[second, first] = acb(-sine), acb(sine)
        return matrix

    i = acb(0, 1)
    vector = acb_mat([[0], [0], [1]])
    for layer in range(len(digits) + 1):
        vector = turn(0, 1, theta[2 * layer]) * vector  # RZ turns X to Y
        vector = turn(2, 0, theta[2 * layer + 1]) * vector  # RY turns Z to X
        if layer == len(digits):
            break
        sign = int(digits[layer])
        if sign == 0:
            part = acb_mat([[1, 0, 0], [0, 0, 0], [0, 0, 0]])
        else:
            part = acb_mat(
                [[0, 0, 0], [0, acb(1) / 2, i * sign / 2], [0, -i * sign / 2, acb(1) / 2]]
            )
        vector = part * vector
    value = vector[2, 0]
    return complex(float(value.real), float(value.imag))


@pytest.mark.parametrize("count", [6, 16])
def test_unrelated_scales_against_high_precision(count: int) -> None:
    # 3**16 = 43 million frequencies: none of them is merged, sampled or left out.
    rng = np.random.default_rng(3)
    circuit = layered(1, rng.uniform(0.3, 3.0, count).tolist())
    found = SpectrumEngine(circuit, limit=3**16, method="lifting")
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    with torch.no_grad():
        coefficients = found.coefficients(torch.as_tensor(theta))
    assert coefficients.shape == (3**count, 1)
    assert found.lattice.degrees == (1,) * count
    digits = rng.integers(-1, 2, (60, count))
    places = np.ravel_multi_index(tuple((digits + 1).T), (3,) * count)
    before = ctx.prec
    ctx.prec = 200
    try:
        exact = np.array([exact_coefficient(theta, row) for row in digits])
    finally:
        ctx.prec = before
    assert np.abs(coefficients[places, 0].numpy() - exact).max() < 1e-15
    values = found.values(theta)[:, 0]
    x = 0.37
    at = torch.dot(torch.exp(1j * x * torch.as_tensor(values)), coefficients[:, 0])
    assert abs(complex(at) - direct(circuit, np.array([[x]]), theta)[0, 0]) < ROUNDING
    if count == 16:
        with pytest.raises(SpectrumError, match="43046721 exact frequencies would fill memory"):
            _ = found.frequencies


# --- gradients and batches ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_the_spectrum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, n_wires=1 + seed % 2, layers=2, n_features=2)
    theta = torch.tensor(rng.uniform(-2, 2, circuit.n_parameters), requires_grad=True)
    x = torch.tensor(rng.uniform(-2, 2, 2), requires_grad=True)
    read = {i for g in circuit.encoding_gates() for i in g.angle.features()}
    for found in engines(circuit, [min(read)]):

        def spectrum(t, y, found=found):
            return torch.view_as_real(found.coefficients(t, y))

        assert torch.autograd.gradcheck(spectrum, (theta, x))
        # Second derivatives of one number that mixes all coefficients.
        weights = torch.as_tensor(rng.normal(size=spectrum(theta, x).shape))
        assert torch.autograd.gradgradcheck(
            lambda t, y, w=weights, s=spectrum: (w * s(t, y) ** 2).sum(), (theta, x)
        )


@pytest.mark.parametrize("n_wires", [1, 2])
def test_batches(monkeypatch, n_wires: int) -> None:
    circuit = layered(n_wires, (1, 2))
    theta = torch.as_tensor(np.random.default_rng(0).normal(size=(2, 3, circuit.n_parameters)))
    for found in engines(circuit):
        whole = found.coefficients(theta)
        assert whole.shape == (2, 3, len(found.lattice), 1)
        for i in range(2):
            for j in range(3):
                alone = found.coefficients(theta[i, j])
                torch.testing.assert_close(whole[i, j], alone, rtol=0, atol=ROUNDING)
        assert found.coefficients(theta[:0]).shape == (0, 3, len(found.lattice), 1)
        assert found.values(theta[:0]).shape == (0, 3, len(found.lattice), 1)
        monkeypatch.setattr(engine, "_CHUNK", 2 * found._method.memory)
        torch.testing.assert_close(found.coefficients(theta), whole, rtol=0, atol=ROUNDING)
        monkeypatch.undo()


def test_fixed_features_come_in_batches_too() -> None:
    gates = (
        rotation("RY", 0, parameter(0) + X1**2),
        rotation("RX", 0, X0 * X1),
        rotation("RZ", 0, PI * X1 * parameter(0)),
        rotation("RX", 0, X0),
        rotation("RY", 0, Angle.constant(0.3)),
    )
    circuit = Circuit(1, gates, (Z0,), 2, 1)
    rng = np.random.default_rng(0)
    theta, x = rng.normal(size=(4, 1)), rng.normal(size=(4, 2))
    for found in engines(circuit, [0]):
        whole = found.coefficients(torch.as_tensor(theta), torch.as_tensor(x))
        values = found.values(theta, x)
        for k in range(4):
            series = FourierSeries(values[k], whole[k].numpy())
            rows = np.array([[v, x[k, 1]] for v in (-2.0, 0.3, 5.0)])
            expected = direct(circuit, rows, theta[k])
            np.testing.assert_allclose(series(rows[:, :1]), expected, rtol=0, atol=ROUNDING)


# --- which method ------------------------------------------------------------------------------


def test_auto_takes_the_method_that_fits() -> None:
    assert SpectrumEngine(layered(1, (1,) * 40)).method == "product-tree"
    assert SpectrumEngine(layered(3, (1, 1))).method == "grid"
    unrelated = np.random.default_rng(0).uniform(0.3, 3.0, 11).tolist()
    assert SpectrumEngine(layered(1, unrelated)).method == "lifting"
    # A few unrelated scales, repeated: the box of their multiples is small.
    assert SpectrumEngine(layered(1, (1.0, 2**0.5) * 5)).lattice.shape == (11, 11)


def test_a_method_that_does_not_apply_is_refused() -> None:
    with pytest.raises(SpectrumError, match="wires that never meet"):
        SpectrumEngine(layered(2, (1,)), method="product-tree")
    with pytest.raises(SpectrumError, match="base frequencies: use auto"):
        SpectrumEngine(layered(1, (1, 2**0.5)), method="product-tree")
    with pytest.raises(SpectrumError, match="lifting carries"):
        SpectrumEngine(layered(7, (1, 1)), method="lifting")
    with pytest.raises(SpectrumError, match="unknown method 'fft'"):
        SpectrumEngine(layered(1, (1,)), method="fft")


# --- what is refused ---------------------------------------------------------------------------


def test_too_many_frequencies_are_refused_at_once() -> None:
    scales = np.random.default_rng(0).uniform(0.3, 3.0, 40).tolist()
    with pytest.raises(SpectrumError, match=r"more than 1000000 distinct .* about 10\^19.*limit="):
        SpectrumEngine(layered(1, scales))
    tripled = layered(1, [3**k for k in range(6)])
    assert len(SpectrumEngine(tripled, limit=729).frequencies) == 729
    with pytest.raises(SpectrumError, match="more than 728 distinct frequencies"):
        SpectrumEngine(tripled, limit=728)
    # The box is larger than the set: the set counts.
    sparse = layered(1, (1, 100))
    assert len(SpectrumEngine(sparse, limit=9).frequencies) == 9


def test_too_much_memory_is_refused_with_an_estimate(monkeypatch) -> None:
    circuit = layered(2, (1, 2))
    for method, name in (("grid", "the grid"), ("lifting", "lifting")):
        monkeypatch.setattr(choice, "_MOST", 100)
        with pytest.raises(SpectrumError, match=f"{name} needs about .* GiB for one set"):
            SpectrumEngine(circuit, method=method)


def test_a_degree_that_is_too_low_is_refused_with_the_number_of_points() -> None:
    found = SpectrumEngine(layered(1, (1, 2, 3)))
    found.check_degree(6)
    with pytest.raises(SpectrumError, match="frequencies up to 6, so 13 points are needed"):
        found.series(np.zeros(8), degree=5)
    real = SpectrumEngine(layered(1, (2**0.5,)))
    with pytest.raises(SpectrumError, match="no integer"):
        real.check_degree(100)
    # x0 + 3 x1 and 5 x1: degrees are those of each feature.
    gates = (rotation("RX", 0, X0 + 3 * X1), rotation("RY", 0, 5 * X1))
    two = SpectrumEngine(Circuit(1, gates, (Z0,), 2, 0))
    two.check_degree((1, 8))
    two.check_degree(8)
    with pytest.raises(SpectrumError, match="degree 7 in x1 is too low"):
        two.check_degree((1, 7))
    with pytest.raises(SpectrumError, match=r"1 degrees for 2 feature\(s\)"):
        two.check_degree((8,))


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([0.1], "theta has the shape"),
        ([0.1] * 9, "the circuit has 8 parameters"),
        (0.3, "theta has the shape"),
        ([np.nan] + [0.0] * 7, "NaN or infinite"),
        ([np.inf] + [0.0] * 7, "NaN or infinite"),
    ],
)
def test_parameters_that_do_not_fit(theta, message: str) -> None:
    found = SpectrumEngine(layered(1, (1, 2, 3)))
    for ask in (found.coefficients, found.series, found.values, found.fourier):
        with pytest.raises(SpectrumError, match=message):
            ask(torch.tensor(theta, dtype=torch.float64))


def test_features_that_do_not_fit() -> None:
    circuit = Circuit(1, (rotation("RX", 0, X0 * parameter(0)),), (Z0,), 2, 1)
    with pytest.raises(SpectrumError, match="no gate reads feature x1"):
        SpectrumEngine(circuit, [1])
    with pytest.raises(SpectrumError, match="feature x2 does not exist"):
        SpectrumEngine(circuit, [2])
    for features in ([0, 0], []):
        with pytest.raises(SpectrumError, match="each once, and at least one"):
            SpectrumEngine(circuit, features)
    bare = Circuit(1, (rotation("RX", 0, parameter(0)),), (Z0,), 0, 1)
    with pytest.raises(SpectrumError, match="the circuit has no features"):
        SpectrumEngine(bare)
    product = Circuit(1, (rotation("RX", 0, X0 * X1),), (Z0,), 2, 0)
    with pytest.raises(SpectrumError, match="no Fourier series in x0, x1 together"):
        SpectrumEngine(product)
    found = SpectrumEngine(product, [0])
    for ask in (found.coefficients, found.series, found.values):
        with pytest.raises(SpectrumError, match=r"read the fixed feature\(s\) x1"):
            ask(torch.zeros(0))
    with pytest.raises(SpectrumError, match="x has the shape"):
        found.series(np.zeros(0), np.zeros(3))
    with pytest.raises(SpectrumError, match="x has the batch shape"):
        found.coefficients(torch.zeros(3, 0), torch.zeros(2, 2).double())
    with pytest.raises(SpectrumError, match="got a batch"):
        found.series(np.zeros((3, 0)), np.zeros(2))
    for curved in (X0**2, X0.arccos()):
        with pytest.raises(SpectrumError, match="no Fourier series in x0"):
            SpectrumEngine(Circuit(1, (rotation("RX", 0, curved),), (Z0,), 1, 0))


def test_a_wrong_series_shows_in_the_error(monkeypatch) -> None:
    # The estimate is worth something only if it sees a method that is wrong.
    found = SpectrumEngine(layered(2, (1, 2)))
    theta = np.random.default_rng(0).uniform(-3, 3, found.circuit.n_parameters)
    right = found._method.box
    monkeypatch.setattr(found._method, "box", lambda t, x: right(t, x).conj().resolve_conj())
    assert found.series(theta).error > 1e-3


def test_an_arccos_of_a_fixed_feature_is_an_arccos():
    angle = X1.arccos() * 2 + parameter(0)
    gates = (rotation("RY", 0, angle), rotation("RX", 0, X0), rotation("RY", 0, parameter(0)))
    circuit = Circuit(1, gates, (Z0,), 2, 1)
    for made in engines(circuit, [0]):
        series = made.series([0.4], [0.0, 0.3])
        turn = 2 * np.arccos(0.3) + 0.4
        for x in (0.0, 0.9, -2.1):
            z, y = np.cos(turn) * np.cos(x), np.sin(turn)
            expected = z * np.cos(0.4) - y * np.sin(0.4)
            assert series.series(np.array([[x]]))[0, 0] == pytest.approx(expected, abs=1e-14)
        with pytest.raises(SpectrumError, match=r"x1 in \[-1, 1\]"):
            made.coefficients(
                torch.tensor([0.4], dtype=torch.float64), torch.tensor([0.0, 2.0]).double()
            )


def test_a_slow_frequency_beside_a_fast_one_is_kept():
    slow, fast = Angle.constant(1e-7), Angle.constant(1e6)
    gates = (rotation("RX", 0, X0 * fast), rotation("RX", 1, X0 * slow))
    z1 = Observable.of([(1.0, {1: "Z"})])
    found = SpectrumEngine(Circuit(2, gates, (z1,), 1, 0)).fourier([])
    assert found(np.array([[1e7]]))[0, 0] == pytest.approx(np.cos(1.0), abs=1e-9)
    both = Circuit(2, gates, (Z0, z1), 1, 0)
    for made in engines(both):
        assert made.fourier([])(np.array([[1e7]]))[0, 1] == pytest.approx(np.cos(1.0), abs=1e-9)


def test_frequencies_that_meet_are_one_and_stay_opposite():
    gates = (rotation("RX", 0, X0 * parameter(0)), rotation("RY", 0, X0 * parameter(1)))
    found = SpectrumEngine(Circuit(1, gates, (Z0,), 1, 2)).fourier([0.1 + 0.2, 0.3])
    w = found.frequencies[:, 0]
    assert 0.0 in w  # not 5.6e-17
    assert np.array_equal(w, -w[::-1])


@pytest.mark.parametrize(
    ("theta", "reason"),
    [([0.3 + 0.5j], "complex"), (["a"], "array of float64"), (None, "array of float64"),
     ([[1.0], [1.0, 2.0]], "array of float64"), (torch.tensor([1j]), "complex")],
)  # fmt: skip
def test_numbers_that_are_not_real_are_refused(theta, reason):
    made = SpectrumEngine(Circuit(1, (rotation("RX", 0, X0 + parameter(0)),), (Z0,), 1, 1))
    for ask in (made.coefficients, made.series, made.values):
        with pytest.raises(SpectrumError, match=reason):
            ask(theta)


def test_an_angle_that_overflows_is_refused():
    square = rotation("RY", 0, parameter(0) * parameter(0))
    made = SpectrumEngine(Circuit(1, (square, rotation("RX", 0, X0)), (Z0,), 1, 1))
    with pytest.raises(SpectrumError, match="overflows"):
        made.fourier([1e200])


@pytest.mark.parametrize("degree", [float("nan"), [float("nan")], 1.5, "3", True, [None]])
def test_a_degree_that_is_no_whole_number_is_refused(degree):
    made = SpectrumEngine(Circuit(1, (rotation("RX", 0, X0),), (Z0,), 1, 0))
    with pytest.raises(SpectrumError, match="degree must be a whole number"):
        made.check_degree(degree)


@pytest.mark.parametrize("features", [0, "0", [0.5], [None]])
def test_features_that_are_no_whole_numbers_are_refused(features):
    with pytest.raises(SpectrumError, match="features must be a sequence of whole numbers"):
        SpectrumEngine(Circuit(1, (rotation("RX", 0, X0),), (Z0,), 1, 0), features)
