"""Fitted readouts and the bounds of their errors, against simulation and against known spectra."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import torch
from torch import nn

from qrun_equiv.angle import PI, feature, parameter
from qrun_equiv.approximation import (
    Approximation,
    approximate,
    bound_difference,
    enclosed_circuit,
)
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import derive
from qrun_equiv.errors import DerivationError, FormalError, SpectrumError
from qrun_equiv.fitting import least_squares
from qrun_equiv.intervals import boxes, points
from qrun_equiv.leakage import common_period, leakage
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations
from qrun_equiv.study import (
    draw,
    entangled,
    main,
    random_observable,
    read_csv,
    study,
    write_csv,
)

X = feature(0)
Z = Observable.of([(1.0, {0: "Z"})])


def serial(slopes, *, observables=(Z,), n_features=1) -> Circuit:
    """One wire: RX encodings with these slopes between trainable rotations."""
    gates, used = [], 0
    for slope in (None, *slopes):
        if slope is not None:
            gates.append(Gate("RX", (0,), X * slope))
        for name in ("RZ", "RY"):
            gates.append(Gate(name, (0,), parameter(used)))
            used += 1
    return Circuit(1, tuple(gates), observables, n_features, used)


def angles(circuit: Circuit, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-3, 3, circuit.n_parameters)


def simulated(circuit: Circuit, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    return expectations(circuit, torch.tensor(x[:, None]), torch.tensor(theta)).numpy()


def one_feature(seed: int) -> tuple[Circuit, np.ndarray]:
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, n_wires=1 + seed % 2, layers=2, n_features=1)
    return circuit, rng.uniform(-3, 3, circuit.n_parameters)


@pytest.mark.parametrize("seed", range(12))
def test_the_circuit_in_intervals_holds_the_simulated_circuit(seed):
    circuit, theta = one_feature(seed)
    t = np.random.default_rng(seed).uniform(-10, 10, 50)
    exact, values = enclosed_circuit(circuit, theta), simulated(circuit, theta, t)
    found = exact(points(t))
    assert np.all(found.hi - found.lo < 1e-12)  # so narrow that an error of 1e-12 would show
    rounding = 1e-13
    assert np.all((found.lo - rounding <= values) & (values <= found.hi + rounding))
    wide = exact(boxes(t, t + 0.01))
    later = simulated(circuit, theta, t + 0.005)
    assert np.all((wide.lo - rounding <= later) & (later <= wide.hi + rounding))
    quotient = (later - values) / 0.005
    assert np.all((wide.dlo - 1e-9 <= quotient) & (quotient <= wide.dhi + 1e-9))


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_holds_and_is_tight_for_random_circuits(seed):
    circuit, theta = one_feature(seed)
    state = torch.get_rng_state()
    model = approximate(
        circuit, parameters=theta, hidden=4 + seed, depth=1 + seed % 2, steps=15, reuploads=2
    )
    assert torch.equal(state, torch.get_rng_state())
    x = np.linspace(-math.pi, math.pi, 4001)
    values = model(torch.tensor(x[:, None])).detach().numpy()
    assert values.shape == (4001, circuit.n_outputs)
    observed = np.max(np.abs(values - simulated(circuit, theta, x)))
    assert model.bound.ended == "relative"
    assert observed <= model.bound.upper + 1e-13
    assert model.bound.upper <= 1.1 * observed
    at = np.array([model.bound.at])
    there = model(torch.tensor(at[:, None])).detach().numpy() - simulated(circuit, theta, at)
    assert np.max(np.abs(there)) == pytest.approx(model.bound.lower, rel=1e-6)
    assert model.leakage is not None
    assert 0 <= model.leakage <= 1


def test_training_makes_the_error_small_and_the_bound_follows():
    circuit = serial([1, 1, 1])
    theta = angles(circuit)
    errors = [
        approximate(circuit, parameters=theta, hidden=6, steps=steps).bound.upper
        for steps in (1, 20, 60)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-3


def test_a_bound_over_a_period_holds_everywhere():
    circuit = serial([2, 3])
    theta = angles(circuit)
    model = approximate(circuit, parameters=theta, interval="period", hidden=6, steps=20)
    assert model.everywhere
    assert model.interval[1] - model.interval[0] >= 2 * math.pi
    assert model.reuploading.scales.tolist() == [2.0, 3.0]  # the circuit's own
    x = np.random.default_rng(3).uniform(-900, 900, 20_000)
    off = model(torch.tensor(x[:, None])).detach().numpy() - simulated(circuit, theta, x)
    assert np.max(np.abs(off)) <= model.bound.upper * (1 + 1e-9)
    short = approximate(circuit, parameters=theta, interval=(-1, 2), hidden=6, steps=20)
    assert not short.everywhere
    assert short.interval == (-1.0, 2.0)
    beyond = short(torch.tensor(x[:, None])).detach().numpy() - simulated(circuit, theta, x)
    assert np.max(np.abs(beyond)) > short.bound.upper  # why the interval is part of the claim


def test_epsilon_is_proved_disproved_or_left_open():
    circuit = serial([1, 2])
    options = {"parameters": angles(circuit), "hidden": 5, "steps": 20}
    known = approximate(circuit, **options)
    assert known.within is None
    lower, upper = known.bound.lower, known.bound.upper
    assert approximate(circuit, epsilon=2 * upper, **options).within is True
    assert approximate(circuit, epsilon=0.5 * lower, **options).within is False
    middle = approximate(circuit, epsilon=1.0001 * lower, most_boxes=100, **options)
    assert middle.within is None
    assert "worst at" in repr(known)


def test_the_seed_decides_the_weights():
    circuit = serial([1])
    options = {"parameters": angles(circuit), "hidden": 3, "steps": 2}
    first, again, other = (approximate(circuit, seed=s, **options) for s in (1, 1, 2))
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
    assert not torch.equal(first.readout.layers[0].weight, other.readout.layers[0].weight)


class Bumped(nn.Module):
    """An exact counterpart with a bump of height 0.01 and width 1e-7 that no sample hits."""

    def __init__(self, exact: nn.Module, at: float):
        super().__init__()
        self.exact, self.at = exact, at

    def forward(self, x):
        step = torch.tanh(1e7 * (x - self.at))
        return self.exact(x) + 0.01 * (1 - step**2)


def test_a_bump_that_no_sample_hits_is_bounded():
    circuit = serial([1, 2])
    theta = angles(circuit)
    exact = derive(circuit, "fourier", parameters=theta)
    x = torch.linspace(-3, 3, 100_000, dtype=torch.float64)[:, None]
    bumped = Bumped(exact, 0.123456789)
    assert torch.max(torch.abs(bumped(x) - exact(x))) < 1e-9
    assert bound_difference(exact, circuit, theta, -3, 3, most_boxes=50_000).upper < 1e-6
    bound = bound_difference(bumped, circuit, theta, -3, 3)
    assert 0.0095 < bound.lower <= bound.upper < 0.0106
    assert bound.at == pytest.approx(0.123456789, abs=1e-7)


@pytest.mark.parametrize("scale", [1 + 1e-9, 0.5, -1.0])
def test_another_function_is_never_bounded_by_less_than_it_differs(scale):
    circuit = serial([1, 2])
    theta = angles(circuit)
    exact = derive(circuit, "fourier", parameters=theta)
    bound = bound_difference(lambda x: exact(scale * x), circuit, theta, -3, 3)
    x = torch.linspace(-3, 3, 5001, dtype=torch.float64)[:, None]
    observed = float(torch.max(torch.abs(exact(scale * x) - exact(x))))
    assert 0.5 * observed < bound.lower
    assert observed <= bound.upper * (1 + 1e-5) + 1e-14


def test_leakage_of_known_spectra():
    def module(x):  # energies 1/2, 0.02 and 0.0032
        return torch.cos(x) + 0.2 * torch.sin(5 * x) + 0.08 * torch.cos(2 * x)

    expected = 0.02 / (0.5 + 0.02 + 0.0032)
    circuit = serial([1, 1])
    period = common_period(circuit, np.zeros(6), [1.0, 2.5])
    assert period is not None
    assert (period.base, period.fastest, period.exact) == (0.5, 5, True)
    frequencies = np.array([0.0, 1, -1, 2, -2])
    assert leakage(module, frequencies, period) == pytest.approx(expected, rel=1e-9)
    assert leakage(module, frequencies, None) == pytest.approx(expected, rel=0.05)
    within = np.arange(-5.0, 6)
    assert leakage(module, within, period) < 1e-28
    assert leakage(module, within, None) < 1e-20
    assert leakage(module, np.arange(-600.0, 601), None) is None


def test_common_periods():
    theta = np.zeros(6)
    assert common_period(serial([1, math.sqrt(2)]), theta, [1.0]) is None
    tenths = common_period(serial([0.1, 0.2]), theta, [0.3])
    assert tenths is not None
    assert tenths.base == pytest.approx(0.1)
    assert not tenths.exact  # the float 0.3 is not three tenths
    assert not tenths.covered_by(-1e3, 1e3)
    turns = common_period(serial([PI, PI * 2]), theta, [math.pi])
    assert turns is not None
    assert turns.upper == pytest.approx(2)
    assert not turns.exact
    assert common_period(serial([1, PI]), theta, [1.0]) is None
    ones = common_period(serial([1]), np.zeros(4), [2.0])
    assert ones is not None
    assert ones.covered_by(0.0, ones.upper)
    assert not ones.covered_by(-math.pi, math.pi)  # the float pi is less than pi


def test_scales_without_a_period_are_fitted_over_a_window():
    circuit = serial([1, math.sqrt(2)])
    model = approximate(circuit, parameters=angles(circuit), hidden=6, steps=30)
    assert model.leakage_over == "window"
    assert model.reuploading.scales.tolist() == [1.0, math.sqrt(2)]
    assert not model.everywhere
    assert model.leakage < 0.1


def test_a_circuit_without_encoding_is_a_constant():
    circuit = serial([])
    model = approximate(circuit, parameters=angles(circuit), hidden=3, steps=30)
    assert model.bound.upper < 1e-6


def test_what_can_not_be_approximated_is_refused():
    circuit = serial([1, 2])
    theta = angles(circuit)
    two = serial([1], n_features=2)
    refused = [
        (two, {"parameters": angles(two)}, "2 features"),
        (circuit, {"readout": "linear"}, "'linear' is no approximation"),
        (circuit, {"interval": (1.0, 1.0)}, "low < high"),
        (circuit, {"interval": (0.0, math.inf)}, "low < high"),
        (circuit, {"scales": [1.0], "reuploads": 2}, "1 scales for reuploads=2"),
        (circuit, {"epsilon": 0.0}, "positive number"),
        (serial([1, math.sqrt(2)]), {"interval": "period"}, "no .* common period"),
    ]
    for given, options, message in refused:
        with pytest.raises(DerivationError, match=message):
            approximate(given, **{"parameters": theta, **options})
    square = Circuit(1, (Gate("RX", (0,), X * X),), (Z,), 1, 0)
    with pytest.raises(SpectrumError, match="no Fourier series"):
        approximate(square)
    with pytest.raises(ValueError, match="parameters: the circuit has"):
        approximate(circuit, parameters=[0.1])
    with pytest.raises(DerivationError, match="3 output"):
        bound_difference(lambda x: torch.cat([x, x, x], 1), circuit, theta, 0, 1)
    with pytest.raises(FormalError, match="erfinv"):
        bound_difference(torch.erfinv, circuit, theta, 0.1, 0.2)


def test_least_squares_solves_a_linear_problem_and_stops():
    torch.manual_seed(0)
    x = torch.randn(40, 3, dtype=torch.float64)
    y = x @ torch.randn(3, 2, dtype=torch.float64) + 1
    module = nn.Linear(3, 2, dtype=torch.float64)
    assert least_squares(module, x, y, 50) < 1e-25
    assert torch.allclose(module(x), y, atol=1e-12)


def test_the_result_is_a_plain_module():
    circuit = serial([1], observables=(Z, Observable.of([(0.5, {0: "X"})])))
    model = approximate(circuit, parameters=angles(circuit), hidden=3, steps=5)
    assert isinstance(model, Approximation)
    x = torch.rand(7, 1, dtype=torch.float64, requires_grad=True)
    out = model(x)
    assert out.shape == (7, 2)
    out.sum().backward()
    assert x.grad is not None
    assert all(p.requires_grad for p in model.parameters())


def test_the_study_gives_rows_a_table_and_a_figure(tmp_path):
    kinds = ("observable", "entangled-2")
    rows = list(study(kinds=kinds, widths=(2, 6), reuploads=(2,), seeds=(0,)))
    assert [(r.kind, r.width) for r in rows] == [(k, w) for k in kinds for w in (2, 6)]
    for narrow, wide in (rows[:2], rows[2:]):
        assert 0 < wide.lower <= wide.upper < narrow.lower
        assert wide.leakage < narrow.leakage
        assert wide.weights > narrow.weights
    write_csv(rows, tmp_path / "study.csv")
    with (tmp_path / "study.csv").open(encoding="utf-8") as stream:
        read = list(csv.DictReader(stream))
    assert [float(r["upper"]) for r in read] == pytest.approx([r.upper for r in rows], rel=1e-5)
    assert [r.kind for r in read_csv(tmp_path / "study.csv")] == [r.kind for r in rows]
    above, below = np.reshape(draw(rows).axes, (2, 2))
    for axes, what in ((above, "upper"), (below, "leakage")):
        for column, kind in enumerate(kinds):
            (line,) = axes[column].lines
            expected = [getattr(r, what) for r in rows if r.kind == kind]
            assert list(line.get_ydata()) == pytest.approx(expected)


def test_the_study_writes_its_files(tmp_path):
    main(["--quick", "--output", str(tmp_path)])
    assert len(read_csv(tmp_path / "study.csv")) == 12
    assert (tmp_path / "study.png").stat().st_size > 10_000
    assert "<svg" in (tmp_path / "study.svg").read_text(encoding="utf-8")


def test_the_circuits_of_the_study_have_the_degrees_that_they_say():
    rng = np.random.default_rng(0)
    for circuit, degree in (
        (random_observable(rng, 3), 1 + 2 + 3),
        (entangled(2, 3), 2 * 3 - 1),  # one encoding is outside the light cone
        (entangled(3, 2), 3 * 2 - 1),
    ):
        theta = rng.uniform(-3, 3, circuit.n_parameters)
        series = derive(circuit, "fourier", parameters=theta).series
        size = np.max(np.abs(series.coefficients), axis=1)
        assert np.max(np.abs(series.frequencies[size > 1e-12])) == degree
