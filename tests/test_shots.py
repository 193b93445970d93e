"""Shots: intervals that cover what they say, refutations at the stated error rate."""

from __future__ import annotations

import math
import re

import numpy as np
import pennylane as qml
import pytest
import torch
from helpers import serial_counterpart, serial_qiskit, serial_qnode
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from scipy.stats import binom

from qrun_equiv.errors import CounterpartError, FrontendError, UndecidedError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.pennylane import PennyLaneSource
from qrun_equiv.frontends.qiskit import QiskitSource
from qrun_equiv.points import Batch
from qrun_equiv.shots import (
    ALPHA,
    Tally,
    _digits,
    _seeded,
    check_shots,
    clopper_pearson,
    draw,
    hoeffding,
)

SIZES = Sizes.of(1, 3)
THETA = np.array([0.4, -1.1, 0.7])


def batch(rows, theta=THETA, features=1, seed=1):
    x = np.random.default_rng(seed).uniform(-3, 3, (rows, features))
    return Batch(x, theta, 1, "random")


def qiskit_source():
    circuit, observables = serial_qiskit()
    return QiskitSource(circuit, observables, SIZES)


def sources():
    return [qiskit_source(), PennyLaneSource(serial_qnode(), SIZES)]


def both(x, theta):
    return serial_counterpart(x, theta)


def at_least(rate, repetitions):
    """Five standard deviations below a rate: what a fair count of it still reaches."""
    return rate - 5 * np.sqrt(rate * (1 - rate) / repetitions)


# --- intervals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.1, 1e-3, 1e-9])
@pytest.mark.parametrize("trials", [1, 7, 1000, 100_000])
def test_clopper_pearson_inverts_the_binomial_tails(trials, alpha):
    hits = np.unique(np.linspace(0, trials, 9).astype(int))
    low, high = clopper_pearson(hits, np.full_like(hits, trials), alpha)
    inner = hits > 0
    assert np.allclose(binom.sf(hits - 1, trials, low)[inner], alpha / 2, rtol=1e-6, atol=0)
    inner = hits < trials
    assert np.allclose(binom.cdf(hits, trials, high)[inner], alpha / 2, rtol=1e-6, atol=0)
    assert low[0] == 0.0
    assert high[-1] == 1.0
    assert np.all(low <= hits / trials)
    assert np.all(high >= hits / trials)


@pytest.mark.parametrize("trials", [1, 20, 150])
def test_coverage_is_never_below_the_stated_one(trials):
    """Exact: the sum of the probabilities of the outcomes whose interval holds p."""
    hits = np.arange(trials + 1)
    for interval in (clopper_pearson, hoeffding):
        low, high = interval(hits, np.full_like(hits, trials), 0.1)
        for p in np.linspace(0, 1, 301):
            covered = binom.pmf(hits, trials, p)[(low <= p) & (p <= high)].sum()
            assert covered >= 0.9 - 1e-12, (interval, p)


def test_hoeffding_contains_clopper_pearson():
    hits = np.arange(301)
    for alpha in (0.5, 0.05, 1e-8):
        exact = clopper_pearson(hits, np.full(301, 300), alpha)
        wide = hoeffding(hits, np.full(301, 300), alpha)
        assert np.all(wide[0] <= exact[0] + 1e-12)
        assert np.all(wide[1] >= exact[1] - 1e-12)
        assert np.mean(wide[1] - wide[0]) > np.mean(exact[1] - exact[0])


def test_without_trials_nothing_is_known():
    for interval in (clopper_pearson, hoeffding):
        assert [float(v) for v in interval(np.array(0), np.array(0), 0.1)] == [0.0, 1.0]
    tally = Tally(np.array([0]), np.array([0]), np.array([[2.0]]), np.array([-1.0]))
    assert tally.estimate() == pytest.approx([0.0])
    low, high = tally.interval(0.1)
    assert low[0] == pytest.approx(-1, abs=1e-8)
    assert high[0] == pytest.approx(1, abs=1e-8)


def test_interval_of_a_sum_adds_the_ends_by_sign():
    tally = Tally(
        np.array([30, 80]), np.array([100, 100]), np.array([[2.0], [-0.5]]), np.array([0.25])
    )
    low, high = clopper_pearson(tally.hits, tally.trials, 0.01)
    found = tally.interval(0.01)
    assert found[0][0] == pytest.approx(0.25 + 2 * low[0] - 0.5 * high[1], abs=1e-8)
    assert found[1][0] == pytest.approx(0.25 + 2 * high[0] - 0.5 * low[1], abs=1e-8)
    assert found[0][0] < tally.estimate()[0] < found[1][0]


def test_many_intervals_hold_together_by_the_correction():
    """2000 repetitions of 12 intervals at a family-wise error rate of 0.1."""
    rng = np.random.default_rng(5)
    p = rng.uniform(0, 1, 12)
    weights = rng.normal(size=(12, 2))
    trials = np.full(12, 60)
    truth = 0.3 + p @ weights
    held = 0
    for _ in range(2000):
        tally = Tally(rng.binomial(60, p), trials, weights, np.full(2, 0.3))
        low, high = tally.interval(0.1 / 12)
        held += bool(np.all((low <= truth) & (truth <= high)))
    assert held / 2000 >= at_least(0.9, 2000)


# --- drawing -----------------------------------------------------------------------------------


def test_native_shots_of_both_frameworks_cover_the_exact_value():
    """2000 independent repetitions of one point; each event's coverage is at least 0.9."""
    x = np.tile([[0.9]], (2000, 1))
    for source in sources():
        exact = source.values(x[:1], THETA)[0]
        tallies = draw(source, [Batch(x, THETA, 1, "random")], 40, np.random.default_rng(2))
        limits = np.array([t.interval(0.1) for t in tallies])
        held = (limits[:, 0] <= exact) & (exact <= limits[:, 1])
        assert held.shape == (2000, 2)
        assert np.all(held.mean(axis=0) >= at_least(0.9, 2000)), source.name
        # The draws follow the circuit: their mean is the exact value to five standard deviations.
        mean = np.mean([t.estimate() for t in tallies], axis=0)
        assert np.all(np.abs(mean - exact) < 5 / np.sqrt(40 * 2000))


def test_estimates_converge_on_every_kind_of_term():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(3)
    circuit.ry(x[0], 0)
    circuit.cx(0, 1)
    circuit.rx(theta[0] * x[0], 2)
    circuit.crz(theta[1], 1, 2)
    circuit.h(1)
    observables = [
        SparsePauliOp.from_list([("ZXY", 0.5), ("IIZ", -2.0), ("III", 0.7), ("YIX", 1.0)]),
        SparsePauliOp("III", 3.0),
        SparsePauliOp.from_list([("XYZ", 1.0), ("IIZ", 1.0), ("IIZ", 0.5)]),
    ]
    source = QiskitSource(circuit, observables, Sizes.of(1, 2))
    points = batch(3, np.array([0.6, 1.3]))
    exact = source.values(points.x, points.theta)
    tallies = draw(source, [points], 200_000, np.random.default_rng(3))
    found = np.array([t.estimate() for t in tallies])
    assert np.max(np.abs(found - exact)) < 0.03
    assert np.array_equal(found[:, 1], np.full(3, 3.0))
    limits = np.array([t.interval(1e-6) for t in tallies])
    assert np.all((limits[:, 0] <= exact) & (exact <= limits[:, 1]))
    assert np.all(limits[:, 1, 1] - limits[:, 0, 1] < 1e-7)


@pytest.mark.parametrize("device", ["default.qubit", "lightning.qubit", "default.mixed"])
def test_every_measurement_of_pennylane(device):
    matrix = np.array([[0.3, 0.2 - 0.5j], [0.2 + 0.5j, -1.1]])

    @qml.qnode(qml.device(device, wires=["b", "a"]))
    def circuit(x, theta):
        qml.RY(x[0], wires="a")
        qml.CRX(theta[0], wires=["a", "b"])
        qml.RX(0.3, wires="b")
        return (
            qml.expval(0.4 * qml.X("a") @ qml.Y("b") - 2.0 * qml.Z("a") + 0.5 * qml.I("a")),
            qml.probs(wires=["a", "b"]),
            qml.expval(qml.Hermitian(matrix, wires="b")),
            qml.probs(op=qml.X("a")),
            qml.expval(qml.I("a")),
            qml.expval(qml.Projector([1], wires="a")),
        )

    source = PennyLaneSource(circuit, Sizes.of(1, 1))
    points = batch(2, np.array([1.2]))
    exact = source.values(points.x, points.theta)
    tallies = draw(source, [points], 100_000, np.random.default_rng(3))
    assert np.max(np.abs(np.array([t.estimate() for t in tallies]) - exact)) < 0.04
    limits = np.array([t.interval(1e-7) for t in tallies])
    assert np.all((limits[:, 0] <= exact) & (exact <= limits[:, 1]))


def test_probabilities_of_all_wires():
    def circuit(x, theta):
        qml.RY(x[0], wires=0)
        qml.RX(theta[0], wires=1)
        return qml.probs()

    source = PennyLaneSource(circuit, Sizes.of(1, 1))
    points = batch(2, np.array([0.5]))
    exact = source.values(points.x, points.theta)
    tallies = draw(source, [points], 50_000, np.random.default_rng(0))
    assert exact.shape == (2, 4)
    assert np.max(np.abs(np.array([t.estimate() for t in tallies]) - exact)) < 0.02


def test_the_seeded_device_keeps_wires_and_readout_errors():
    device = _seeded(qml.device("default.mixed", wires=["b", "a"], readout_prob=0.2), 3)
    assert device.readout_err == 0.2
    assert device.wires.tolist() == ["b", "a"]


def test_postselection_leaves_fewer_trials():
    def circuit(x):
        qml.RX(x[0], wires=0)
        qml.CNOT(wires=[0, 1])
        qml.measure(0, postselect=1)
        return qml.expval(qml.Z(1))

    source = PennyLaneSource(circuit, Sizes.of(1, 0))
    points = Batch(np.array([[1.0]]), np.zeros(0), 1, "random")
    (tally,) = draw(source, [points], 2000, np.random.default_rng(0))
    kept = np.sin(0.5) ** 2 * 2000
    assert tally.hits.tolist() == [0]
    assert abs(tally.trials[0] - kept) < 5 * np.sqrt(kept)


def test_a_circuit_without_symbols_is_drawn_anew_at_every_point():
    circuit = QuantumCircuit(1, 1)  # a bit that nothing writes
    circuit.h(0)
    source = QiskitSource(circuit, SparsePauliOp("Z"), Sizes.of(1, 0))
    tallies = draw(source, [batch(20, np.zeros(0))], 100, np.random.default_rng(0))
    hits = [int(t.hits[0]) for t in tallies]
    assert len(set(hits)) > 5
    assert abs(np.mean(hits) - 50) < 6


def test_seed_repeats_the_shots():
    for source in sources():
        first, again, other = (
            [t.hits.tolist() for t in draw(source, [batch(4)], 500, np.random.default_rng(s))]
            for s in (1, 1, 2)
        )
        assert first == again
        assert first != other


# --- the check ---------------------------------------------------------------------------------


def test_equal_pair_is_consistent_and_says_what_it_leaves_open():
    counterpart = CounterpartSource(both, SIZES)
    findings = check_shots(sources(), counterpart, [batch(10), batch(1)], shots=4000)
    assert [f.check.between[1] for f in findings] == ["qiskit", "pennylane"]
    for finding in findings:
        check = finding.check
        assert check.status == "passed"
        assert check.error <= check.bound
        assert 0.02 < check.bound < 0.2
        assert check.evaluations == 11
        assert "44 clopper-pearson intervals" in check.note  # 2 circuits, 11 points, 2 words
        assert f"probability {ALPHA:g}" in check.note
        assert "not excluded" in check.note


def widest(check):
    return float(re.search(r"widest half width ([\d.e-]+)", check.note)[1])


def test_more_shots_leave_less_open():
    counterpart = CounterpartSource(both, SIZES)
    widths = [
        widest(check_shots([qiskit_source()], counterpart, [batch(3)], shots=n)[0].check)
        for n in (1_000, 100_000)
    ]
    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.2)


def test_equal_pair_is_not_refuted_in_200_seeds():
    source, points = qiskit_source(), batch(2)
    counterpart = CounterpartSource(both, SIZES)
    failed = sum(
        check_shots([source], counterpart, [points], shots=50, alpha=1e-3, seed=s)[0].check.status
        == "failed"
        for s in range(200)
    )
    assert failed == 0  # at most 0.2 are expected; one in 100 000 runs would see 4


def test_difference_of_five_half_widths_is_refuted():
    source, points = qiskit_source(), batch(6)
    shots = 2000
    passed = check_shots([source], CounterpartSource(both, SIZES), [points], shots=shots)
    half = passed[0].check.bound

    def shifted(x, theta):
        return both(x, theta) + torch.tensor([0.0, 5 * half])

    (finding,) = check_shots([source], CounterpartSource(shifted, SIZES), [points], shots=shots)
    check = finding.check
    assert check.status == "failed"
    assert check.error > 2 * check.bound
    assert "they differ by at least" in check.note
    assert finding.place.output == 1
    assert finding.values[0] - finding.values[1] == pytest.approx(5 * half, abs=half)


def test_error_rate_of_refutations_is_kept_at_a_coarse_alpha():
    """Equal pairs at alpha = 0.5: refuted in at most half of 100 runs, and in some."""
    circuit = QuantumCircuit(1)
    circuit.h(0)
    source = QiskitSource(circuit, SparsePauliOp("Z"), Sizes.of(1, 0))
    counterpart = CounterpartSource(lambda x: 0 * x[:, 0], Sizes.of(1, 0))
    failed = sum(
        check_shots([source], counterpart, [batch(3, np.zeros(0))], shots=5000, alpha=0.5, seed=s)[
            0
        ].check.status
        == "failed"
        for s in range(100)
    )
    assert 15 < failed <= 50 + 5 * 5


def test_what_the_note_claims_about_a_difference_holds():
    """A true difference of 0.4: not excluded where it passes, a lower bound below it where not."""
    circuit = QuantumCircuit(1)
    circuit.h(0)
    source = QiskitSource(circuit, SparsePauliOp("Z"), Sizes.of(1, 0))
    counterpart = CounterpartSource(lambda x: 0 * x[:, 0] + 0.4, Sizes.of(1, 0))
    statuses, wrong = set(), 0
    for seed in range(200):
        (finding,) = check_shots(
            [source], counterpart, [batch(1, np.zeros(0))], shots=30, alpha=0.1, seed=seed
        )
        check = finding.check
        statuses.add(check.status)
        claim = re.search(r"(up to|at least) ([\d.e-]+)", check.note.split(";")[-1])
        right = float(claim[2]) >= 0.4 if claim[1] == "up to" else float(claim[2]) <= 0.4
        wrong += not right
    assert statuses == {"passed", "failed"}
    assert wrong / 200 <= 1 - at_least(0.9, 200)


def test_claims_are_rounded_to_the_safe_side():
    assert _digits(0.0811, math.ceil) == "0.082"
    assert _digits(0.0819, math.floor) == "0.081"
    assert _digits(9.99, math.ceil) == "10"
    assert _digits(1.23e-7, math.ceil) == "1.3e-07"
    assert _digits(0.0, math.ceil) == "0"


def test_certain_outcomes_are_not_refuted_by_rounding():
    def circuit(x):
        qml.RX(0 * x[0], wires=0)
        return qml.expval(0.1 * qml.Z(0) + 0.2 * qml.I(0))

    sizes = Sizes.of(1, 0)
    counterpart = CounterpartSource(lambda x: 0 * x[:, 0] + 0.3 * (1 + 1e-13), sizes)
    points = batch(3, np.zeros(0))
    (finding,) = check_shots([PennyLaneSource(circuit, sizes)], counterpart, [points], shots=1000)
    assert finding.check.status == "passed"


def test_hoeffding_is_wider():
    counterpart = CounterpartSource(both, SIZES)
    kinds = [
        check_shots([qiskit_source()], counterpart, [batch(3)], shots=500, kind=kind)[0].check
        for kind in ("clopper-pearson", "hoeffding")
    ]
    assert kinds[0].status == kinds[1].status == "passed"
    assert widest(kinds[0]) < widest(kinds[1])
    assert "hoeffding" in kinds[1].note


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shots", [0, -3, 1.5, True, None, "many"])
def test_bad_shots(shots):
    counterpart = CounterpartSource(both, SIZES)
    with pytest.raises(FrontendError, match="shots must be a whole number"):
        check_shots([qiskit_source()], counterpart, [batch(1)], shots=shots)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan"), "small"])
def test_bad_alpha(alpha):
    counterpart = CounterpartSource(both, SIZES)
    with pytest.raises(FrontendError, match="alpha"):
        check_shots([qiskit_source()], counterpart, [batch(1)], shots=10, alpha=alpha)


def test_unknown_kind():
    counterpart = CounterpartSource(both, SIZES)
    with pytest.raises(FrontendError, match="clopper-pearson, hoeffding"):
        check_shots([qiskit_source()], counterpart, [batch(1)], shots=10, kind="wald")


def test_another_number_of_outputs():
    counterpart = CounterpartSource(lambda x, theta: torch.cos(x[:, 0]), SIZES)
    with pytest.raises(CounterpartError, match=r"1 output\(s\), the sampled circuit has 2"):
        check_shots([qiskit_source()], counterpart, [batch(2)], shots=10)


def test_values_that_are_not_finite_are_undecided():
    counterpart = CounterpartSource(lambda x, theta: both(x, theta) / 0.0, SIZES)
    with pytest.raises(UndecidedError, match="non-finite"):
        check_shots([qiskit_source()], counterpart, [batch(2)], shots=10)


def test_a_source_that_is_no_circuit():
    counterpart = CounterpartSource(both, SIZES)
    with pytest.raises(FrontendError, match="not from counterpart"):
        check_shots([counterpart], counterpart, [batch(2)], shots=10)


def test_a_device_whose_shots_have_no_seed():
    source = PennyLaneSource(serial_qnode(), SIZES)
    source.qnode = source.qnode.update(device=qml.device("reference.qubit", wires=1))
    with pytest.raises(FrontendError, match=r"reference\.qubit can't be seeded"):
        draw(source, [batch(1)], 10, np.random.default_rng(0))


def test_a_simulator_that_fails_is_named():
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        qml.AmplitudeDamping(theta[0], wires=0)  # no unitary: default.qubit can't
        return qml.expval(qml.Z(0))

    source = PennyLaneSource(
        qml.QNode(circuit, qml.device("default.mixed", wires=1)), Sizes.of(1, 1)
    )
    source.qnode = source.qnode.update(device=qml.device("default.qubit"))
    with pytest.raises(FrontendError, match="can't be sampled with shots=10"):
        draw(source, [batch(1, np.array([0.2]))], 10, np.random.default_rng(0))
