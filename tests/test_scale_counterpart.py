"""Fast exact counterparts: values, gradients, precision and bad input, compiled and by torch."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch

from qrun_equiv.angle import PI, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import derive
from qrun_equiv.errors import DerivationError, SpectrumError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.scale import chain, compiled, series
from qrun_equiv.scale.fast import FastCircuit, fast_counterpart
from qrun_equiv.scale.fast_series import FastSeries
from qrun_equiv.simulate import expectations

ROUNDING = 3e-14  # of values and gradients of order 1 to 10, after some fifty gates
X0, X1 = feature(0), feature(1)
CPU = Path("/proc/cpuinfo")
EACH = torch.float32, torch.float64


@pytest.fixture(params=["c++", "torch"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        monkeypatch.setattr(series, "_library", lambda: None)
        monkeypatch.setattr(chain, "_library", lambda: None)
    elif shutil.which("c++") is None and shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    return str(request.param)


def drawn(seed: int, *shape: int, width: float = 2.0) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(-width, width, shape))


def real_series(seed: int, frequencies: np.ndarray, outputs: int) -> FourierSeries:
    """A real function: coefficients of opposite frequencies are conjugate."""
    rng = np.random.default_rng(seed)
    c = rng.normal(size=(len(frequencies), outputs)) + 1j * rng.normal(
        size=(len(frequencies), outputs)
    )
    both = np.concatenate([np.zeros((1, frequencies.shape[1])), frequencies, -frequencies])
    constant = rng.normal(size=(1, outputs)).astype(complex)
    return FourierSeries(both, np.concatenate([constant, c, c.conj()]))


def serial(layers: int) -> Circuit:
    gates = []
    for k in range(layers):
        gates += [Gate("RY", (0,), parameter(2 * k)), Gate("RZ", (0,), parameter(2 * k + 1))]
        gates.append(Gate("RX", (0,), X0))
    return Circuit(1, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 1, 2 * layers)


# --- sums -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("scale", [1.0, 0.37, 2.9])
def test_large_arguments_cost_no_digits(backend, dtype, bound, scale) -> None:
    found = real_series(1, scale * np.arange(1.0, 17)[:, None], 1)
    module = fast_counterpart(found, dtype=dtype)
    assert module.backend == backend
    assert module.get_buffer("generators").tolist() == [[scale]]
    x = drawn(2, 100, 1, width=1e4).to(dtype)
    with mpmath.workprec(200):
        exact = [
            sum(
                mpmath.re(mpmath.mpc(c) * mpmath.expj(round(w / scale) * mpmath.mpf(scale) * v))
                for (w,), (c,) in zip(found.frequencies, found.coefficients, strict=True)
            )
            for v in x[:, 0].tolist()
        ]
    exact = np.array(exact, dtype=float)
    error = np.abs(module(x)[:, 0].double().numpy() - exact).max() / np.abs(exact).max()
    # no more than the rounding of the result, and of some forty additions
    assert error < min(bound, 8e-8 if dtype == torch.float32 else 5e-15)


@pytest.mark.parametrize("dtype", EACH)
@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("batch", [0, 1, 31, 64, 200])
def test_several_features_outputs_and_odd_sizes(backend, dtype, outputs, batch) -> None:
    """A box of whole frequencies in three features, some missing."""
    rng = np.random.default_rng([outputs, batch])
    box = np.stack(np.meshgrid(range(4), range(-2, 3), range(-3, 2), indexing="ij"), -1)
    kept = rng.permutation(np.unique(box.reshape(-1, 3), axis=0))[:40]
    found = real_series(3, kept * [1.0, 0.5, 0.3], outputs)
    module = fast_counterpart(found, dtype=dtype)
    assert module.get_buffer("generators").shape == (3, 3)
    x = drawn(4, batch, 3).to(dtype)
    values = module(x)
    assert values.dtype == dtype
    assert values.shape == (batch, outputs)
    tolerance = 2e-13 if dtype == torch.float64 else 2e-6  # the sum of 40 sizes is about 100
    np.testing.assert_allclose(values, found(x.double().numpy()), rtol=0, atol=tolerance)


def test_unrelated_frequencies_each_have_a_generator(backend) -> None:
    frequencies = np.sqrt(np.array([[2.0, 3.0], [5.0, 7.0], [11.0, 0.0], [0.0, 13.0]]))
    found = real_series(5, frequencies, 2)
    module = fast_counterpart(found, dtype=torch.float64)
    assert len(module.get_buffer("cosines")) == 5
    x = drawn(6, 77, 2)
    np.testing.assert_allclose(module(x), found(x.numpy()), rtol=0, atol=1e-13)


def test_near_multiples_are_not_snapped(backend) -> None:
    """1 and 2 + 1e-12 differ at x = 1e6 by a phase that is seen."""
    found = real_series(7, np.array([[1.0], [2.0 + 1e-9]]), 1)
    module = fast_counterpart(found, dtype=torch.float64)
    x = drawn(8, 50, 1, width=1e6)
    np.testing.assert_allclose(module(x), found(x.numpy()), rtol=0, atol=1e-8)


def test_a_function_that_is_not_real_loses_its_imaginary_part(backend) -> None:
    found = FourierSeries(np.array([[1.0], [-1.0], [2.0]]), np.array([[1 + 2j], [3 - 1j], [0.5j]]))
    x = drawn(9, 20, 1)
    values = fast_counterpart(found, dtype=torch.float64)(x)
    np.testing.assert_allclose(values, found(x.numpy()), rtol=0, atol=1e-14)


def test_negligible_terms_are_dropped_and_a_zero_series_is_zero(backend) -> None:
    frequencies = np.array([[0.0], [1.0], [2.0]])
    found = FourierSeries(frequencies, np.array([[1.0], [0.5], [1e-30]], dtype=complex))
    assert len(fast_counterpart(found).get_buffer("cosines")) == 2
    zero = FourierSeries(frequencies, np.zeros((3, 2), dtype=complex))
    assert torch.equal(fast_counterpart(zero)(torch.ones(4, 1)), torch.zeros(4, 2))


def test_strided_rows(backend) -> None:
    found = real_series(10, np.array([[1.0, 2.0], [3.0, -1.0]]), 1)
    module = fast_counterpart(found, dtype=torch.float64)
    wide = drawn(11, 4, 90)
    x = wide.T[:, 1:3]
    assert not x.is_contiguous()
    np.testing.assert_allclose(module(x), found(x.numpy()), rtol=0, atol=1e-13)


@pytest.mark.parametrize("outputs", [1, 3])
def test_gradients_of_everything_twice(backend, outputs) -> None:
    points = np.array([[0, 0], [1, 0], [2, -1], [0, 3], [1, 1]])
    plan, _, _ = series.plan_of(points)
    x = drawn(12, 3, 2).requires_grad_()
    cosines, sines = (drawn(s, 5, outputs).requires_grad_() for s in (13, 14))
    generators = drawn(15, 2, 2).requires_grad_()

    def function(*tensors: torch.Tensor) -> torch.Tensor:
        return series.evaluate(*tensors, plan)

    inputs = (x, cosines, sines, generators)
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


def test_gradients_in_one_pass_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = real_series(16, np.arange(1.0, 9)[:, None], 2)
    module = fast_counterpart(found, dtype=torch.float64)
    for buffer in module.buffers():
        buffer.requires_grad_()
    results = []
    for _ in range(2):
        x = drawn(17, 501, 1).requires_grad_()
        weights = drawn(18, 501, 2)
        wanted = [x, *module.buffers()]
        results.append(torch.autograd.grad((module(x) * weights).sum(), wanted))
        monkeypatch.setattr(series, "_library", lambda: None)
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-11)


def test_threads_do_not_change_values() -> None:
    found = real_series(19, np.arange(1.0, 9)[:, None], 1)
    module = fast_counterpart(found, dtype=torch.float64)
    x = drawn(20, 1001, 1)
    one = module(x)
    torch.set_num_threads(3)
    try:
        assert torch.equal(module(x), one)
        plan, cosines = module._plan, module.get_buffer("cosines").clone().requires_grad_()
        sines, generators = module.get_buffer("sines"), module.get_buffer("generators")
        three = torch.autograd.grad(
            series.evaluate(x, cosines, sines, generators, plan).sum(), cosines
        )
    finally:
        torch.set_num_threads(1)
    single = torch.autograd.grad(
        series.evaluate(x, cosines, sines, generators, plan).sum(), cosines
    )
    torch.testing.assert_close(three[0], single[0], rtol=1e-12, atol=1e-12)


def test_rows_that_are_no_numbers_stay_in_place(backend) -> None:
    module = fast_counterpart(real_series(21, np.array([[1.0], [2.0]]), 1), dtype=torch.float64)
    x = drawn(22, 70, 1)
    good = module(x)
    bad = {3: torch.nan, 40: torch.inf, 41: -torch.inf, 69: 1e16}
    for row, value in bad.items():
        x[row] = value
    values = module(x)
    assert torch.isnan(values[list(bad)]).all()
    rest = [i for i in range(70) if i not in bad]
    assert torch.equal(values[rest], good[rest])


@pytest.mark.parametrize("flags", [(), ("-mavx2", "-mfma"), ("-mavx2",)])
def test_narrow_registers_give_the_same(flags, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C++ is written once for registers of 2, 4 and 8 numbers, with fused products or not."""
    cpu = CPU.read_text() if CPU.exists() else ""
    if not compiled.library("series.cpp") or (flags and "avx2" not in cpu):
        pytest.skip("no compiler, or another processor")
    found = real_series(23, np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]), 2)
    module, circuit = fast_counterpart(found, dtype=torch.float64), fast_counterpart(serial(2))
    x, y = drawn(24, 100, 2, width=100), drawn(25, 100, 1).float()
    theta = drawn(26, 100, 4).float()
    wide = module(x), circuit(y, theta)
    monkeypatch.setattr(compiled, "_OPENMP", ("-fopenmp", "-nodefaultlibs", *flags))
    for m in (series, chain):
        monkeypatch.setattr(m, "library", compiled.library.__wrapped__)  # not the cached ones
        narrow = m._library.__wrapped__()
        assert narrow.lanes_of_a_register() == (4 if flags else 2)
        monkeypatch.setattr(m, "_library", lambda narrow=narrow: narrow)
    torch.testing.assert_close(module(x), wide[0], rtol=0, atol=1e-14)
    torch.testing.assert_close(circuit(y, theta), wide[1], rtol=0, atol=1e-7)


def test_without_a_compiler_torch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert compiled.library.__wrapped__("series.cpp") is None
    monkeypatch.undo()
    monkeypatch.setenv("CXX", "false")  # a compiler that fails
    assert compiled.library.__wrapped__("series.cpp") is None


# --- circuits -------------------------------------------------------------------------------------


def compare(circuit: Circuit, module: FastCircuit, x: torch.Tensor, theta: torch.Tensor) -> None:
    """Values and gradients against the simulator, in float64."""
    x, theta = x.clone().requires_grad_(), theta.clone().requires_grad_()
    ours, theirs = module(x, theta), expectations(circuit, x, theta)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=ROUNDING)
    weights = drawn(99, *theirs.shape)
    results = [
        torch.autograd.grad(
            (v * weights).sum(), (x, theta), allow_unused=True, materialize_grads=True
        )
        for v in (ours, theirs)
    ]
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=20 * ROUNDING)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n_wires", [1, 2])
def test_random_circuits(backend, seed, n_wires) -> None:
    """Trained scales, products of features, all gates: each by the route that can do it."""
    circuit = random_circuit(np.random.default_rng([seed, n_wires]), n_wires=n_wires, layers=2)
    module = fast_counterpart(circuit, dtype=torch.float64)
    x, theta = drawn(seed, 41, 2), drawn(30 + seed, circuit.n_parameters)
    compare(circuit, module, x, theta)
    compare(circuit, module, x, drawn(60 + seed, 41, circuit.n_parameters))
    kind = "chain of rotations" if n_wires == 1 else "state vectors"
    assert kind in module.route
    assert "differ from row to row" in module.route
    fixed = fast_counterpart(circuit, dtype=torch.float64)
    assert isinstance(fixed, FastCircuit)
    if fixed._engine is None:
        with pytest.raises(SpectrumError, match="no Fourier series"):
            fixed.at(theta)
    else:
        expected = expectations(circuit, x, theta)
        torch.testing.assert_close(fixed.at(theta)(x), expected, rtol=0, atol=ROUNDING)
        fixed(x, theta)
        assert fixed.route.startswith(f"one sum for all rows, by {backend}")


@pytest.mark.parametrize(
    "name", ["RX", "RY", "RZ", "PhaseShift", "PauliRot", "H", "S", "T", "Unitary"]
)
def test_each_gate_in_a_chain(backend, name) -> None:
    turn = np.array([[0.6, 0.8j], [0.8j, 0.6]])
    extra = {
        "PauliRot": {"angle": X0 * 2 + PI / 3, "word": "Y"},
        "Unitary": {"matrix": tuple(map(tuple, turn.tolist()))},
    }.get(name, {} if name in "HST" else {"angle": X0 * 2 + PI / 3 - parameter(1) * X1})
    around = (Gate("RY", (0,), parameter(0)), Gate("RX", (0,), X1 + PI / 7))
    outputs = tuple(Observable.of([(0.7, {0: p}), (0.1, {})]) for p in "XYZ")
    circuit = Circuit(1, (*around, Gate(name, (0,), **extra), *around), outputs, 2, 2)
    module = fast_counterpart(circuit, dtype=torch.float64)
    compare(circuit, module, drawn(1, 67, 2), drawn(2, 67, 2))
    assert "chain" in module.route


def test_chain_is_differentiable_twice(backend) -> None:
    circuit = serial(2)
    module = fast_counterpart(circuit, dtype=torch.float64)
    inputs = drawn(3, 2, 1).requires_grad_(), drawn(4, 2, 4).requires_grad_()
    assert torch.autograd.gradcheck(module, inputs)
    assert torch.autograd.gradgradcheck(module, inputs)


def test_sum_is_differentiable_twice_in_shared_parameters(backend) -> None:
    """Trained scale: the generator is a parameter, too."""
    gates = (Gate("RY", (0,), parameter(0)), Gate("RX", (0,), X0 * parameter(1)))
    circuit = Circuit(1, gates + gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 2)
    module = fast_counterpart(circuit, dtype=torch.float64)
    inputs = drawn(5, 2, 1).requires_grad_(), drawn(6, 2).requires_grad_()
    assert torch.autograd.gradcheck(module, inputs)
    assert torch.autograd.gradgradcheck(module, inputs)
    assert module.route.startswith("one sum")


@pytest.mark.parametrize("rows", [False, True])
def test_float32_is_the_exact_result_rounded(backend, rows) -> None:
    """Products of a feature and a parameter of 1000 radians must not be rounded to float32."""
    gates = (Gate("RY", (0,), X0 * X1 * parameter(0)), Gate("RX", (0,), X0 + parameter(1)))
    circuit = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 2, 2)
    x = drawn(7, 50, 2, width=30).float()
    theta = drawn(8, *(50,) * rows, 2).float()
    values = fast_counterpart(circuit)(x, theta)
    expected = expectations(circuit, x.double(), theta.double())
    assert values.dtype == torch.float32
    torch.testing.assert_close(values.double(), expected, rtol=0, atol=1e-7)


def test_arccos(backend) -> None:
    gates = (Gate("RY", (0,), X0.arccos()), Gate("RX", (0,), X0.arccos() * 2 + parameter(0)))
    circuit = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 1)
    module = fast_counterpart(circuit, dtype=torch.float64)
    compare(circuit, module, drawn(9, 33, 1, width=0.9), drawn(10, 1))
    assert torch.isnan(module(torch.full((1, 1), 1.5).double(), torch.zeros(1).double())).all()


def test_no_features_and_no_parameters(backend) -> None:
    z = (Observable.of([(1.0, {0: "Z"})]),)
    still = Circuit(1, (Gate("RY", (0,), parameter(0)),), z, 0, 1)
    values = fast_counterpart(still, [0.3], dtype=torch.float64)(torch.zeros(3, 0).double())
    torch.testing.assert_close(values, torch.full((3, 1), 0.3).double().cos(), rtol=0, atol=1e-7)
    open_ = fast_counterpart(still, dtype=torch.float64)
    theta = drawn(11, 3, 1)
    torch.testing.assert_close(open_(torch.zeros(3, 0).double(), theta), theta.cos())
    bare = Circuit(1, (Gate("RY", (0,), X0),), z, 1, 0)
    x = drawn(12, 5, 1)
    torch.testing.assert_close(fast_counterpart(bare, [], dtype=torch.float64)(x), x.cos())
    nothing = torch.zeros(0, dtype=torch.float64)
    torch.testing.assert_close(fast_counterpart(bare, dtype=torch.float64)(x, nothing), x.cos())


def test_derived_counterparts_are_taken_too() -> None:
    circuit = random_circuit(np.random.default_rng(40), n_wires=2, layers=1, n_features=1)
    theta = drawn(13, circuit.n_parameters)
    x = drawn(14, 30, 1)
    expected = expectations(circuit, x, theta)
    fourier = derive(circuit, parameters=theta.numpy())
    for module in (
        fast_counterpart(fourier, dtype=torch.float64),
        fast_counterpart(derive(circuit), theta, dtype=torch.float64),
    ):
        assert isinstance(module, FastSeries)
        torch.testing.assert_close(module(x), expected, rtol=0, atol=ROUNDING)
    shaped = fast_counterpart(derive(circuit), dtype=torch.float64)(x, theta.reshape(1, -1, 1))
    torch.testing.assert_close(shaped, expected, rtol=0, atol=ROUNDING)


def test_copies_and_compiled_callers() -> None:
    module = fast_counterpart(serial(2), [0.1, 0.2, 0.3, 0.4])
    x = drawn(15, 40, 1).float()
    assert torch.equal(copy.deepcopy(module)(x), module(x))
    assert torch.equal(torch.compile(module, backend="eager")(x), module(x))
    assert "3 terms, 1 output(s)" in repr(module)
    assert "backend=" in repr(module)


def test_training_recovers_parameters() -> None:
    """Shared parameters trained in float32 on the outputs of a circuit."""
    circuit = serial(2)
    x, truth = drawn(16, 256, 1).float(), drawn(17, 4).float()
    module = fast_counterpart(circuit)
    target = module(x, truth)
    theta = (truth + 0.3).requires_grad_()
    optimiser = torch.optim.Adam([theta], lr=0.05)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (module(x, theta) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 1e-3 * losses[0]


# --- bad input ------------------------------------------------------------------------------------


def test_bad_input_is_named() -> None:
    circuit = serial(2)
    module = fast_counterpart(circuit)
    fixed = fast_counterpart(circuit, [0.0] * 4)
    x, theta = torch.zeros(5, 1), torch.zeros(4)
    with pytest.raises(TypeError, match=r"torch\.float64, this counterpart takes torch\.float32"):
        fixed(x.double())
    with pytest.raises(TypeError, match="x is list"):
        fixed([[1.0]])
    with pytest.raises(ValueError, match=r"shape \[5, 2\]; \[batch, 1\]"):
        fixed(torch.zeros(5, 2))
    with pytest.raises(ValueError, match=r"shape \[5\]"):
        module(torch.zeros(5), theta)
    with pytest.raises(DerivationError, match=r"\[3\], but the circuit has 4 parameters"):
        module(x, theta[:3])
    with pytest.raises(DerivationError, match="4 parameters"):
        fast_counterpart(circuit, [0.0] * 5)
    with pytest.raises(TypeError, match="rows of both must have one dtype"):
        module(x, torch.zeros(5, 4).double())
    with pytest.raises(TypeError, match=r"float32 or torch\.float64, got torch\.float16"):
        fast_counterpart(circuit, dtype=torch.float16)
    with pytest.raises(TypeError, match="got str"):
        fast_counterpart("circuit")
    with pytest.raises(DerivationError, match="no parameters left"):
        fast_counterpart(real_series(1, np.array([[1.0]]), 1), [0.0])
    many = np.random.default_rng(0).normal(size=(4100, 1))
    with pytest.raises(SpectrumError, match="4100 frequencies that are no multiples"):
        fast_counterpart(FourierSeries(many, np.ones((4100, 1), dtype=complex)))
    with pytest.raises(TypeError, match=r"cast to torch\.float32"):
        fixed.float()(x)
    squared = Circuit(1, (Gate("RX", (0,), X0 * X0),), circuit.observables, 1, 0)
    with pytest.raises(SpectrumError, match="no Fourier series"):
        fast_counterpart(squared, [])


def test_sizes_that_do_not_fit_never_reach_the_kernels() -> None:
    plan, _, _ = series.plan_of(np.array([[0], [1], [2]]))
    x, weights, generators = drawn(1, 4, 1), drawn(2, 3, 2), drawn(3, 1, 1)
    series.evaluate(x, weights, weights, generators, plan)
    for wrong in (
        (x, weights[:2], weights[:2], generators),
        (x, weights, weights[:, :1], generators),
        (x, weights, weights, drawn(4, 2, 1)),
        (x[:, [0, 0]], weights, weights, generators),
        (x[:, 0], weights, weights, generators),
        (x.half(), weights, weights, generators),
        (x, weights.float(), weights.float(), generators),
    ):
        with pytest.raises(ValueError, match="do not fit a plan"):
            series.evaluate(*wrong, plan)
    steps, observables = [(0, 0)], np.eye(4)[3:]
    turn = chain.Chain.of([(0, 0), (1, 2)], np.ones((1, 2)), steps, [], observables)
    chain.evaluate(turn, [x, drawn(5, 4, 3)], x)
    for other in (drawn(5, 4, 2), drawn(5, 3, 3), drawn(5, 4, 3).float(), drawn(5, 3).float()):
        with pytest.raises(ValueError, match="table 1"):
            chain.evaluate(turn, [x, other], x)


@pytest.mark.slow
def test_speed_on_one_thread() -> None:
    """Far below what is measured, far above what simulators do."""
    import time

    if not series.compiled():
        pytest.skip("no C++ compiler")
    module = fast_counterpart(serial(8), drawn(1, 16))
    x = drawn(2, 1 << 20, 1).float()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        module(x)
        times.append(time.perf_counter() - start)
    assert len(x) / min(times) > 20e6
