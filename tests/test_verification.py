"""The front door: what each status needs, and what each check alone catches."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch
from helpers import serial_counterpart, serial_qiskit, serial_qnode
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import qrun_equiv as qe
from qrun_equiv import tolerances
from qrun_equiv.certificate import FEATURES, KINDS, OUTPUTS, PARAMETERS, SPECTRUM, Status
from qrun_equiv.errors import CounterpartError, DataError, FrontendError
from qrun_equiv.frontends.pennylane import PennyLaneSource

FLOAT_NOISE = 1e-12


def both():
    """PennyLane and Qiskit, and what verify needs beside them."""
    qiskit, observable = serial_qiskit()
    return {"pennylane": serial_qnode(), "qiskit": qiskit}, {"observable": observable}


def failed(verdict):
    """Kinds of checks between the counterpart and a circuit that failed."""
    return {c.name for c in verdict.checks if c.status == "failed"}


def test_an_equal_pair_is_sampled_against_both_simulators():
    circuits, options = both()
    verdict = qe.verify(circuits, serial_counterpart, **options)
    assert verdict.status is Status.PROVED
    assert verdict.equivalent
    compared = {(c.name, c.between) for c in verdict.checks if c.status == "passed"}
    for kind in KINDS:
        for circuit in circuits:
            assert (kind, ("counterpart", circuit)) in compared
        assert (kind, ("pennylane", "qiskit")) in compared
        assert verdict.worst(kind) < FLOAT_NOISE
    assert {c.name for c in verdict.checks} >= {"neutral form", "native gradients"}
    assert verdict.counterexample is None


def test_sizes_are_read_off_where_they_can_be():
    assert qe.verify(serial_qnode(), serial_counterpart).status is Status.PROVED
    circuit, observable = serial_qiskit()
    assert qe.verify(circuit, serial_counterpart, observable=observable).equivalent


def test_a_verdict_has_no_truth_value():
    verdict = qe.verify(serial_qnode(), serial_counterpart)
    with pytest.raises(TypeError, match=r"verdict\.equivalent"):
        bool(verdict)


# --- what each check alone catches: the set of failed checks is exact, so none can be removed


def test_a_constant_offset_fails_outputs_and_spectrum_only():
    verdict = qe.verify(serial_qnode(), lambda x, t: serial_counterpart(x, t) + 1e-6)
    assert verdict.status is Status.REFUTED
    assert failed(verdict) == {OUTPUTS, SPECTRUM}
    assert verdict.counterexample.kind == OUTPUTS


def test_detached_features_fail_the_feature_gradient_only():
    verdict = qe.verify(serial_qnode(), lambda x, t: serial_counterpart(x.detach(), t))
    assert failed(verdict) == {FEATURES}
    assert verdict.status is Status.REFUTED
    assert "detached" in verdict.counterexample.diagnosis
    assert verdict.counterexample.component == "d/dx0"


def test_detached_parameters_fail_the_parameter_gradient_only():
    def detached(x, theta):
        frozen = torch.cat([theta[:1], theta[1:2].detach(), theta[2:]])
        return serial_counterpart(x, frozen)

    verdict = qe.verify(serial_qnode(), detached)
    assert failed(verdict) == {PARAMETERS}
    assert verdict.counterexample.component == "d/dtheta1"


def test_a_wrong_custom_backward_is_refuted():
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * (1 + 1e-6)

    verdict = qe.verify(serial_qnode(), lambda x, t: serial_counterpart(Doubled.apply(x), t))
    assert failed(verdict) == {FEATURES}


def test_a_difference_on_the_spectrum_points_alone_is_caught(monkeypatch):
    """The spectrum's own points: with the output check looking elsewhere, it still refutes."""
    from qrun_equiv import comparison

    monkeypatch.setattr(comparison, "check_outputs", lambda *_: [])
    monkeypatch.setattr(comparison, "check_gradients", lambda *_: [])
    wrong = lambda x, t: serial_counterpart(x, t) + 1e-6 * torch.cos(2 * x)  # noqa: E731
    verdict = qe.verify(serial_qnode(), wrong)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample.kind == SPECTRUM
    assert "frequency (2)" in verdict.counterexample.component


def test_a_frequency_outside_the_accessible_set_is_named():
    wrong = lambda x, t: serial_counterpart(x, t) + 1e-5 * torch.sin(7 * x)  # noqa: E731
    verdict = qe.verify(serial_qnode(), wrong)
    outside = [c for c in verdict.checks if c.between[1] == "accessible frequencies"]
    assert {c.between[0] for c in outside if c.status == "failed"} == {"counterpart"}


@pytest.mark.parametrize("points", [5, 16, 64, 4096])
def test_agreement_on_an_equispaced_grid_is_not_enough(points):
    """sin(N x / 2) vanishes on N equispaced points of [0, 2 pi): only off-grid points see it."""

    def black_box(x, theta):
        return serial_counterpart(x, theta) + 1e-3 * torch.sin(points * x / 2)

    grid = 2 * math.pi * np.arange(points) / points
    at = torch.tensor(grid)[:, None], torch.zeros(3, dtype=torch.float64)
    # sin(N/2 * 2 pi j/N) = sin(pi j) = 0
    assert torch.allclose(black_box(*at), serial_counterpart(*at), atol=1e-12)
    assert qe.verify(serial_qnode(), black_box).status is Status.REFUTED


def test_agreement_on_every_equispaced_grid_is_not_enough():
    """Equal wherever x / pi is rational with a denominator up to 4096: all grids of that size."""
    from fractions import Fraction

    def black_box(x, theta):
        ratios = [Fraction(float(v) / math.pi).limit_denominator(4096) for v in x[:, 0]]
        off = [
            abs(float(r) * math.pi - float(v)) > 1e-12 for r, v in zip(ratios, x[:, 0], strict=True)
        ]
        return serial_counterpart(x, theta) + 1e-3 * torch.tensor(off)[:, None]

    verdict = qe.verify(serial_qnode(), black_box, gradients=())
    assert verdict.status is Status.REFUTED


def test_a_difference_far_out_is_seen():
    """Wrapped into one period of 2 pi, a half frequency is wrong beyond it."""

    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(x, theta):
        qml.Hadamard(0)
        qml.CRX(x[0], wires=[0, 1])
        return qml.expval(qml.X(0))

    exact = lambda x: torch.cos(x[:, 0] / 2)  # noqa: E731
    assert qe.verify(
        circuit, exact, n_features=1, n_parameters=1, gradients=("features",)
    ).equivalent
    wrapped = lambda x: torch.cos(torch.remainder(x[:, 0], 2 * math.pi) / 2)  # noqa: E731
    verdict = qe.verify(circuit, wrapped, n_features=1, n_parameters=1)
    assert verdict.status is Status.REFUTED


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_tolerance_follows_the_observable(scale):
    """The same relative mistake is refuted, and the same circuit passes, at every size."""

    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RX(x[0] + theta[0], wires=0)
        return qml.expval(qml.Hamiltonian([scale], [qml.Z(0)]))

    right = lambda x, t: scale * torch.cos(x[:, 0] + t[0])  # noqa: E731
    assert qe.verify(circuit, right).status is Status.PROVED
    wrong = lambda x, t: (1 + 1e-7) * right(x, t)  # noqa: E731
    assert qe.verify(circuit, wrong).status is Status.REFUTED


def test_each_output_has_its_own_scale():
    """A small output next to a large one is held to its own size."""

    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        return qml.expval(1e6 * qml.Z(0)), qml.expval(1e-6 * qml.Y(0))

    def wrong(x):
        return torch.stack([1e6 * torch.cos(x[:, 0]), -1.00001e-6 * torch.sin(x[:, 0])], 1)

    verdict = qe.verify(circuit, wrong, n_features=1, n_parameters=1)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample.output == 1


def test_an_identically_zero_output_is_no_noise():
    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        return qml.expval(qml.X(0))

    zero = lambda x: 0 * x[:, 0]  # noqa: E731
    assert qe.verify(circuit, zero, n_features=1, n_parameters=1).equivalent
    tiny = lambda x: 1e-8 * torch.cos(x[:, 0])  # noqa: E731
    assert not qe.verify(circuit, tiny, n_features=1, n_parameters=1).equivalent


# --- witnesses


def test_a_witness_is_replayed_in_a_second_simulator():
    verdict = qe.verify(serial_qnode(), lambda x, t: serial_counterpart(2 * x, t))
    witness = verdict.counterexample
    assert witness.between == ("counterpart", "pennylane")
    second = witness.replay["PennyLane lightning.qubit"]
    assert second == pytest.approx(witness.values["pennylane"], abs=FLOAT_NOISE)
    theta = np.array(witness.parameters)
    native = serial_qnode()(np.array(witness.features), theta)[witness.output]
    assert float(native) == pytest.approx(witness.values["pennylane"], abs=FLOAT_NOISE)
    assert witness.difference > tolerances.EQUAL


def test_qiskit_alone_is_replayed_through_its_unitary():
    circuit, observable = serial_qiskit()
    verdict = qe.verify(circuit, lambda x, t: -serial_counterpart(x, t), observable=observable)
    assert "Qiskit Operator (full unitary)" in verdict.counterexample.replay


def test_an_unconfirmed_difference_is_undecided(monkeypatch):
    """A simulator that contradicts itself row by row is no ground for a refutation."""
    plain = PennyLaneSource.values

    def batch_is_off(self, x, theta):
        return plain(self, x, theta) + (1e-3 if len(x) > 1 else 0.0)

    monkeypatch.setattr(PennyLaneSource, "values", batch_is_off)
    verdict = qe.verify(serial_qnode(), serial_counterpart, gradients=())
    assert verdict.status is Status.UNDECIDED
    assert "did not confirm" in verdict.reason


def test_simulators_that_disagree_are_undecided(monkeypatch):
    monkeypatch.setattr(
        PennyLaneSource,
        "replay",
        lambda self, x, theta: ("other", self.values(x[None], theta)[0] + 1),
    )
    verdict = qe.verify(serial_qnode(), lambda x, t: -serial_counterpart(x, t))
    assert verdict.status is Status.UNDECIDED


def test_native_differentiation_methods_that_disagree_are_undecided(monkeypatch):
    def off(self, x, theta):
        gradient = self.gradients(x, theta)
        return "broken", gradient._replace(features=gradient.features + 1e-3)

    monkeypatch.setattr(PennyLaneSource, "second_gradient", off)
    verdict = qe.verify(serial_qnode(), serial_counterpart)
    assert verdict.status is Status.UNDECIDED
    assert "disagree" in verdict.reason


def test_two_circuits_must_agree_with_each_other():
    """A little-endian slip in the Qiskit label: the counterpart is right, one circuit is not."""

    @qml.qnode(qml.device("default.qubit", wires=2))
    def pennylane(x, theta):
        qml.RX(x[0], wires=0)
        return qml.expval(qml.Z(0))

    x = ParameterVector("x", 1)
    qiskit = QuantumCircuit(2)
    qiskit.rx(x[0], 0)
    right = lambda x: torch.cos(x[:, 0])  # noqa: E731
    options = {"n_features": 1, "n_parameters": 1}
    circuits = {"pennylane": pennylane, "qiskit": qiskit}
    assert qe.verify(circuits, right, observable=SparsePauliOp("IZ"), **options).equivalent
    slip = qe.verify(circuits, right, observable=SparsePauliOp("ZI"), **options)
    assert slip.status is Status.REFUTED
    assert "qiskit" in slip.counterexample.between


# --- undecided, and errors


@pytest.mark.parametrize(
    ("counterpart", "reason"),
    [
        (lambda x, t: serial_counterpart(x, t) + 1e-3 * torch.rand(1).double(), "deterministic"),
        (lambda x, t: serial_counterpart(x, t) / 0, "non-finite"),
        (lambda x, t: serial_counterpart(x, t) + 0 * torch.sin(x) / x, "non-finite"),
        (lambda x, t: serial_counterpart(x, t) + 1e-6 * x.mean(), "other rows"),
        (lambda x, t: serial_counterpart(x, t) + 1e-6 * (len(x) > 1), "other rows"),
    ],
    ids=["random", "infinite", "nan at the origin", "batch mean", "batch size"],
)
def test_what_is_no_function_is_undecided(counterpart, reason):
    verdict = qe.verify(serial_qnode(), counterpart)
    assert verdict.status is Status.UNDECIDED
    assert reason in verdict.reason


def test_a_counterpart_that_changes_its_state_is_undecided():
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x, theta):
            self.calls += 1
            return serial_counterpart(x, theta)

    verdict = qe.verify(serial_qnode(), Counting())
    assert verdict.status is Status.UNDECIDED
    assert "state" in verdict.reason


def test_a_non_finite_circuit_is_undecided():
    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RX(theta[0] * np.sqrt(x[0]), wires=0)
        return qml.expval(qml.Z(0))

    right = lambda x, t: torch.cos(t[0] * torch.sqrt(x[:, 0].abs()))  # noqa: E731
    with np.errstate(invalid="ignore"):
        verdict = qe.verify(circuit, right, gradients=())
    assert verdict.status is Status.UNDECIDED
    assert "pennylane has a non-finite value" in verdict.reason
    assert verdict.reason.endswith("bound them with domain=")


@pytest.mark.parametrize("level", ["certified", "proved"])
def test_a_level_that_is_not_reached_is_undecided(level):
    def opaque(x, t):  # right, but its values leave torch
        return torch.as_tensor(serial_counterpart(x, t).detach().numpy())

    verdict = qe.verify(serial_qnode(), opaque, level=level, gradients=())
    assert verdict.status is Status.UNDECIDED
    assert level in verdict.reason
    assert any("numpy" in note for note in verdict.notes)
    wrong = qe.verify(serial_qnode(), lambda x, t: -serial_counterpart(x, t), level=level)
    assert wrong.status is Status.REFUTED


@pytest.mark.parametrize(
    ("counterpart", "message"),
    [
        (lambda x, t: serial_counterpart(x, t).float(), "float32"),
        (lambda x, t: serial_counterpart(x, t).numpy(force=True), "ndarray"),
        (lambda x, t: serial_counterpart(x, t)[:, :1], "1 output"),
        (lambda x, t: serial_counterpart(x, t).sum(), "shape"),
        (lambda x, t: serial_counterpart(x, t)[:-1], "shape"),
        (lambda x, t: serial_counterpart(x[:, 3], t), "IndexError"),
        (lambda: 0, "takes no argument"),
        (3, "callable"),
        (torch.nn.Linear(1, 2), "double"),
    ],
)
def test_a_counterpart_that_breaks_its_contract_is_an_error(counterpart, message):
    with pytest.raises(CounterpartError, match=message):
        qe.verify(serial_qnode(), counterpart)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_features": -1}, FrontendError, "n_features"),
        ({"n_features": True}, FrontendError, "n_features"),
        ({"n_parameters": 2}, FrontendError, "n_parameters"),
        ({"domain": (1, 0)}, FrontendError, "domain"),
        ({"domain": "everywhere"}, FrontendError, "domain"),
        ({"parameters": [1.0, 2.0]}, FrontendError, "parameters"),
        ({"parameters": [1.0, 2.0, np.nan]}, FrontendError, "finite"),
        ({"trained": [1.0]}, FrontendError, "trained"),
        ({"data": np.zeros((3, 2))}, DataError, "shape"),
        ({"data": np.array([[np.inf]])}, DataError, "row 0"),
        ({"level": "certain"}, FrontendError, "level"),
        ({"seed": -1}, FrontendError, "seed"),
        ({"seed": 1.5}, FrontendError, "seed"),
        ({"gradients": "features"}, FrontendError, "gradients"),
        ({"gradients": ("x",)}, FrontendError, "gradients"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        qe.verify(serial_qnode(), serial_counterpart, **options)


@pytest.mark.parametrize(
    "circuit", [3, None, {}, {"counterpart": serial_qnode()}, {1: serial_qnode()}]
)
def test_what_is_no_circuit_is_named(circuit):
    with pytest.raises(FrontendError):
        qe.verify(circuit, serial_counterpart)


# --- options


def test_given_parameters_are_the_only_ones():
    theta = np.array([0.1, -0.7, 2.0])
    series = qe.derive(serial_qnode(), parameters=theta)
    fixed = qe.verify(serial_qnode(), series, parameters=theta, gradients=("features",))
    assert fixed.status is Status.CERTIFIED
    free = qe.verify(serial_qnode(), series, gradients=("features",))
    assert free.status is Status.REFUTED


def test_a_difference_on_the_data_rows_alone_is_refuted():
    """Right everywhere but at one row of the data."""
    row = 0.123456789

    def wrong(x, theta):
        hit = (torch.abs(x[:, :1] - row) < 1e-9).double()
        return serial_counterpart(x, theta) + 1e-3 * hit

    data = np.array([[1.0], [row], [2.0]])
    assert qe.verify(serial_qnode(), wrong).equivalent
    verdict = qe.verify(serial_qnode(), wrong, data=data)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample.features == (row,)


def test_a_difference_at_the_trained_parameters_alone_is_refuted():
    trained = np.array([0.5, 0.25, -1.0])

    def wrong(x, theta):
        hit = float(torch.all(torch.abs(theta - torch.tensor(trained)) < 1e-9))
        return serial_counterpart(x, theta) + 1e-3 * hit

    data = np.array([[1.0], [2.0]])
    assert qe.verify(serial_qnode(), wrong, data=data).equivalent
    assert not qe.verify(serial_qnode(), wrong, data=data, trained=trained).equivalent


def test_a_domain_bounds_the_points():
    seen = []

    def watched(x, theta):
        seen.append(x.detach().numpy())
        return serial_counterpart(x, theta)

    qe.verify(serial_qnode(), watched, domain=(0.5, 0.75))
    points = np.concatenate(seen)
    assert points.min() >= 0.5
    assert points.max() <= 0.75


def test_the_seed_decides_the_points_and_is_recorded():
    one, two = (qe.verify(serial_qnode(), serial_counterpart, seed=s) for s in (0, 0))
    assert one.certificate == two.certificate
    other = qe.verify(serial_qnode(), serial_counterpart, seed=5)
    assert other.seed == 5
    assert [c.error for c in other.checks] != [c.error for c in one.checks]


def test_parameters_may_have_a_shape():
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(x, weights):
        qml.AngleEmbedding(x, wires=[0, 1])
        qml.StronglyEntanglingLayers(weights, wires=[0, 1])
        return qml.expval(qml.Z(0))

    shape = (2, 2, 3)
    module = qe.derive(circuit, n_features=2, n_parameters=shape)
    seen = []

    def counterpart(x, weights):
        seen.append(tuple(weights.shape))
        return module(x, weights)

    verdict = qe.verify(circuit, counterpart, n_features=2, n_parameters=shape)
    assert verdict.status is Status.PROVED
    assert set(seen) == {shape}


def test_an_opaque_circuit_is_still_checked_numerically():
    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RY(qml.math.sin(x[0]), wires=0)
        qml.RX(theta[0], wires=0)
        return qml.expval(qml.Z(0))

    right = lambda x, t: torch.cos(torch.sin(x[:, 0])) * torch.cos(t[0])  # noqa: E731
    verdict = qe.verify(circuit, right, domain=(-0.9, 0.9))
    assert verdict.status is Status.SAMPLED
    assert any("RY" in note and "stronger level" in note for note in verdict.notes)
    assert verdict.worst(SPECTRUM) is None
    wrong = lambda x, t: torch.cos(torch.sin(x[:, 0])) * torch.cos(t[0] + 1e-6)  # noqa: E731
    assert qe.verify(circuit, wrong, domain=(-0.9, 0.9)).status is Status.REFUTED


def test_an_angle_that_is_polynomial_near_zero_only_has_no_neutral_form():
    """Clipping at 2000 is beyond what the angle was verified at, but not beyond the far rows."""

    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RX(qml.math.clip(x[0], -2e3, 2e3), wires=0)
        return qml.expval(qml.Z(0))

    right = lambda x: torch.cos(torch.clip(x[:, 0], -2e3, 2e3))  # noqa: E731
    verdict = qe.verify(circuit, right, n_features=1, n_parameters=1)
    assert verdict.status is Status.SAMPLED
    assert any("read off near 0" in note for note in verdict.notes)
    assert verdict.worst(SPECTRUM) is None


def test_no_parameters_and_no_features():
    @qml.qnode(qml.device("default.qubit", wires=1))
    def constant(x, theta):
        qml.RX(0.3, wires=0)
        return qml.expval(qml.Z(0))

    value = lambda x, t: math.cos(0.3) + 0 * x[:, 0]  # noqa: E731
    verdict = qe.verify(constant, value, n_features=1, n_parameters=0)
    assert verdict.status is Status.CERTIFIED
    assert any("no gate reads a feature" in note for note in verdict.notes)
    assert not qe.verify(
        constant, lambda x, t: value(x, t) + 1e-6, n_features=1, n_parameters=0
    ).equivalent


def test_a_counterpart_of_x_alone_at_given_parameters_has_no_gradient_wrt_them():
    import pennylane as qml

    import qrun_equiv as qe

    @qml.qnode(qml.device("default.qubit"))
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        qml.RY(theta[0], wires=0)
        return qml.expval(qml.Z(0))

    derived = qe.derive(circuit, parameters=[0.3])
    verdict = qe.verify(circuit, derived, parameters=[0.3])
    assert verdict.status is Status.CERTIFIED
    assert verdict.certificate.settings["gradients"] == ["features"]
    assert "no gradient wrt parameters: the counterpart takes x alone" in verdict.certificate.notes
    assert any("off by their rounding make one, too" in note for note in verdict.notes)
    assert qe.recheck(verdict.certificate, circuit, derived).status is Status.CERTIFIED
    assert qe.verify(circuit, derived, parameters=[0.31]).status is Status.REFUTED
    assert qe.verify(circuit, derived).status is Status.REFUTED
