"""Wrong pairs that once came out equal, right ones that were refused, and what crashed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pennylane as qml
import pytest
import torch
from helpers import PAIR_FILE
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import (
    PauliEvolutionGate,
    efficient_su2,
    real_amplitudes,
    zz_feature_map,
)
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp

import qrun_equiv as qe
from qrun_equiv.certificate import PARAMETERS, Status
from qrun_equiv.errors import (
    CertificateError,
    CounterpartError,
    DataError,
    FrontendError,
    UnsupportedCircuitError,
)
from qrun_equiv.pair import load_pair
from qrun_equiv.rechecking import recheck_pair

ONE = {"n_features": 1, "n_parameters": 1}
NONE = {"n_features": 1, "n_parameters": 0}


def base(x, theta):
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    return qml.expval(qml.Z(0))


def good(x, theta):
    return torch.cos(x[:, 0]) * torch.cos(theta[0])


def qnode(function, device=None, **options):
    return qml.QNode(function, device or qml.device("default.qubit"), **options)


# --- wrong pairs ---


def clamped(x, theta):
    return torch.cos(x[:, 0].clamp(-30, 30)) * torch.cos(theta[0])


class Averaged(torch.autograd.Function):
    """A backward pass that averages over the batch where it should add."""

    @staticmethod
    def forward(ctx, x, theta):
        ctx.save_for_backward(x, theta)
        return good(x, theta)

    @staticmethod
    def backward(ctx, grad):
        x, theta = ctx.saved_tensors
        by_x = -grad * torch.sin(x[:, 0]) * torch.cos(theta[0])
        by_theta = -grad * torch.cos(x[:, 0]) * torch.sin(theta[0])
        return by_x[:, None], by_theta.mean()[None]


class Dropped(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = torch.nn.Dropout(1e-6)

    def forward(self, x, theta):
        return self.drop(good(x, theta)) * (1 - 1e-6)


@pytest.mark.parametrize(
    "counterpart",
    [
        clamped,
        Averaged.apply,
        Dropped(),
        lambda x, t: good(x, t) + (0.1 if x.requires_grad else 0.0),
        lambda x, t: torch.where(torch.rand(()) < 1e-6, 0.0, 1.0) * good(x, t),
        lambda x, t: good(x, t) + 0 * float(np.random.rand()),  # noqa: NPY002
    ],
    ids=["clamped", "averaged", "dropout", "requires grad", "rare", "numpy random"],
)
def test_wrong_counterparts_are_not_equal(counterpart):
    assert not qe.verify(qnode(base), counterpart, **ONE).equivalent


def test_parameters_wrapped_into_one_period_are_wrong_where_they_are_scales():
    def circuit(x, theta):
        qml.RX(theta[0] * x[0], wires=0)
        return qml.expval(qml.Z(0))

    def wrapped(x, theta):
        turn = torch.remainder(theta[0] + 2 * math.pi, 4 * math.pi) - 2 * math.pi
        return torch.cos(turn * x[:, 0])

    assert qe.verify(qnode(circuit), wrapped, **ONE).status is Status.REFUTED


def test_a_slow_frequency_is_no_constant():
    def circuit(x, theta):
        qml.RX(1e-6 * x[0], wires=0)
        return qml.expval(qml.Z(0))

    assert qe.verify(qnode(circuit), lambda x: torch.cos(1e-6 * x[:, 0]), **NONE).equivalent
    constant = qe.verify(qnode(circuit), lambda x: torch.ones_like(x[:, 0]), **NONE)
    assert constant.status is Status.REFUTED


def test_a_batch_as_long_as_there_are_features_is_tried():
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        qml.RY(x[1], wires=1)
        qml.CNOT(wires=[0, 1])
        return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))

    def transposing(x):
        x = x.T if x.shape[0] == 2 else x
        return torch.stack([torch.cos(x[:, 0]), torch.cos(x[:, 0]) * torch.cos(x[:, 1])], 1)

    verdict = qe.verify(qnode(circuit), transposing, n_features=2, n_parameters=0)
    assert verdict.status is Status.UNDECIDED
    assert "batches of 2" in verdict.reason


def test_a_gradient_that_the_circuit_cuts_off_is_not_trusted():
    def cut(x, theta):
        qml.RX(float(x[0]), wires=0)
        return qml.expval(qml.Z(0))

    verdict = qe.verify(qnode(cut), lambda x: torch.cos(x[:, 0].detach()), **NONE)
    assert verdict.status is Status.UNDECIDED
    assert "float()" in verdict.reason
    right = qe.verify(qnode(cut), lambda x: torch.cos(x[:, 0]), gradients=(), **NONE)
    assert right.status is Status.PROVED


class Stretched(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y):
        return y.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * 1.0003


def test_a_small_derivative_next_to_a_large_one_has_its_own_scale():
    def circuit(x, theta):
        qml.RX(3**12 * x[0], wires=0)
        qml.RY(x[1], wires=0)
        return qml.expval(qml.Z(0))

    def wrong(x):
        return torch.cos(3**12 * x[:, 0]) * torch.cos(Stretched.apply(x[:, 1]))

    verdict = qe.verify(qnode(circuit), wrong, n_features=2, n_parameters=0)
    assert verdict.status is Status.REFUTED


def test_a_constant_offset_hides_nothing():
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        return qml.expval(1e6 * qml.Identity(0) + qml.Z(0))

    right = qe.verify(qnode(circuit), lambda x: 1e6 + torch.cos(x[:, 0]), **NONE)
    assert right.status is Status.PROVED
    wrong = qe.verify(qnode(circuit), lambda x: 1e6 + 1.0009 * torch.cos(x[:, 0]), **NONE)
    assert wrong.status is Status.REFUTED


# --- right pairs ---


@pytest.mark.parametrize("seed", range(6))
def test_rounding_of_large_angles_refutes_nothing(seed):
    circuit = zz_feature_map(3, reps=1, parameter_prefix="x")
    zero = lambda x: 0 * x.sum(1)  # noqa: E731
    observable = SparsePauliOp("ZZI")
    assert qe.verify(circuit, zero, observable=observable, seed=seed).status is Status.PROVED


def test_rounding_at_large_data_refutes_nothing():
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        qml.RX(0.1 * x[0], wires=0)
        return qml.expval(qml.Z(0))

    data = [[1e9 + 0.1], [2e8]]
    verdict = qe.verify(qnode(circuit), lambda x: torch.cos(1.1 * x[:, 0]), data=data, **NONE)
    assert verdict.status is Status.PROVED


@pytest.mark.parametrize(
    "options",
    [
        {"diff_method": "finite-diff"},
        {"interface": "autograd", "diff_method": "parameter-shift"},
        {"interface": "autograd", "diff_method": "adjoint"},
        {"diff_method": "spsa"},
        {"diff_method": None},
    ],
    ids=str,
)
def test_the_qnodes_own_settings_do_not_matter(options):
    assert qe.verify(qnode(base, **options), good, **ONE).status is Status.PROVED


def test_default_mixed_has_no_derivative_at_the_origin_by_backpropagation():
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        qml.RY(theta[0], wires=1)
        qml.CNOT(wires=[0, 1])
        return qml.expval(qml.Z(1))

    device = qml.device("default.mixed", wires=2)
    assert qe.verify(qnode(circuit, device), good, **ONE).status is Status.PROVED


def test_lightning_in_double_precision():
    device = qml.device("lightning.qubit", wires=1)
    assert qe.verify(qnode(base, device), good, **ONE).worst("gradient wrt features") < 1e-12


def test_observables_that_depend_on_parameters_or_features():
    def trainable(x, theta):
        qml.RX(x[0], wires=0)
        return qml.expval(theta[0] * qml.Z(0) + theta[1] * qml.Y(0))

    right = lambda x, t: t[0] * torch.cos(x[:, 0]) - t[1] * torch.sin(x[:, 0])  # noqa: E731
    verdict = qe.verify(qnode(trainable), right, n_features=1, n_parameters=2)
    assert verdict.status is Status.SAMPLED, str(verdict)
    assert any("observable depends" in note for note in verdict.notes)

    def scaled(x, theta):
        qml.RX(x[0], wires=0)
        return qml.expval(x[0] * qml.Z(0))

    by_feature = qe.verify(qnode(scaled), lambda x: x[:, 0] * torch.cos(x[:, 0]), **NONE)
    assert by_feature.status is Status.SAMPLED, str(by_feature)


def test_numpy_functions_inside_the_circuit():
    def circuit(x, theta):
        qml.RX(x[0], wires=0)
        qml.RY(qml.numpy.sin(theta[0]), wires=0)
        return qml.expval(qml.Z(0))

    right = lambda x, t: torch.cos(x[:, 0]) * torch.cos(torch.sin(t[0]))  # noqa: E731
    assert qe.verify(qnode(circuit), right, **ONE).status is Status.SAMPLED


def test_circuits_without_features():
    def circuit(x, theta):
        qml.RX(theta[0], wires=0)
        return qml.expval(qml.Z(0))

    right = lambda x, t: torch.cos(t[0]).expand(x.shape[0])  # noqa: E731
    verdict = qe.verify(qnode(circuit), right, n_features=0, n_parameters=1)
    assert verdict.status is Status.PROVED
    amplitudes = real_amplitudes(2, reps=1)  # its parameters are called θ
    module = qe.derive(amplitudes, observable=SparsePauliOp("ZI"))
    assert qe.verify(amplitudes, module, observable=SparsePauliOp("ZI")).equivalent
    assert qe.neutral(efficient_su2(2), observable=SparsePauliOp("ZI")).n_parameters == 16


def test_probabilities_in_the_order_of_the_device():
    for wires in (["b", "a"], [1, 0], None):
        first, second = wires or [0, 1]

        def circuit(x, theta, first=first, second=second):
            qml.RX(x[0], wires=second)
            qml.RY(0.3, wires=first)
            return qml.probs()

        node = qnode(circuit, qml.device("default.qubit", wires=wires))
        module = qe.derive(node, **NONE)
        x = np.array([0.7])
        ours = module(torch.tensor(x[None]), torch.zeros(0).double())[0].numpy()
        assert ours == pytest.approx(node(x, np.zeros(0)), abs=1e-12)
        assert qe.verify(node, module, **NONE).status is Status.PROVED


def test_refuting_probabilities_with_idle_wires():
    def circuit(x, theta):
        qml.RX(x[0], wires=2)
        qml.RY(0.3, wires=0)
        return qml.probs()

    node = qnode(circuit, qml.device("default.qubit", wires=3))
    wrong = lambda x: x[:, :1].expand(-1, 8)  # noqa: E731
    assert qe.verify(node, wrong, **NONE).status is Status.REFUTED


def test_features_of_very_different_units():
    def circuit(x, theta):
        qml.RX(1e11 * x[0], wires=0)
        qml.RY(x[1], wires=0)
        return qml.expval(qml.Z(0))

    right = lambda x: torch.cos(1e11 * x[:, 0]) * torch.cos(x[:, 1])  # noqa: E731
    domain = [(1e-12, 1e-10), (1, 6)]
    verdict = qe.verify(qnode(circuit), right, n_features=2, n_parameters=0, domain=domain)
    assert verdict.status is Status.PROVED, str(verdict)


class Scaled(torch.nn.Module):
    def forward(self, x, scale=1.0):
        return scale * torch.cos(x[:, 0])


class Alone(torch.nn.Module):
    def forward(self, x):
        return torch.cos(x[:, 0])


@pytest.mark.parametrize(
    "counterpart", [Scaled(), Alone(), torch.compile(Alone(), backend="eager")], ids=str
)
def test_modules_that_take_x_alone(counterpart):
    def circuit(x):
        qml.RX(x[0], wires=0)
        return qml.expval(qml.Z(0))

    assert qe.verify(qnode(circuit), counterpart, **NONE).status is Status.PROVED


def test_a_sub_circuit_may_be_called_like_a_gate():
    inner = QuantumCircuit(1, name="u")
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    inner.rx(x[0], 0)
    inner.ry(theta[0], 0)
    circuit = QuantumCircuit(1)
    circuit.append(inner.to_gate(), [0])
    assert qe.verify(circuit, good, observable=Pauli("Z")).status is Status.PROVED
    as_operator = Operator(np.diag([1.0, -1.0]))
    assert qe.verify(circuit, good, observable=as_operator).status is Status.PROVED


def test_evolutions_whose_terms_do_not_commute_are_refused_at_any_depth():
    x = ParameterVector("x", 1)
    inner = QuantumCircuit(1)
    inner.append(PauliEvolutionGate(SparsePauliOp(["X", "Z"], [1.0, 0.5]), time=x[0]), [0])
    circuit = QuantumCircuit(1)
    circuit.append(inner.to_gate(), [0])
    with pytest.raises(FrontendError, match="do not commute"):
        qe.verify(circuit, lambda x: x[:, 0], observable="Z")


def test_a_gate_without_decomposition_leaves_the_numeric_checks():
    def circuit(x, theta):
        qml.evolve(qml.X(0) + 0.5 * qml.Z(0), coeff=x[0])
        return qml.expval(qml.Z(0))

    size = math.sqrt(1.25)
    right = lambda x: (0.25 + torch.cos(2 * size * x[:, 0])) / 1.25  # noqa: E731
    verdict = qe.verify(qnode(circuit), right, **NONE)
    assert verdict.status in {Status.SAMPLED, Status.UNDECIDED}
    assert qe.verify(qnode(circuit), right, gradients=(), **NONE).status is Status.SAMPLED


# --- certificates ---


def test_a_certificate_made_with_weaker_settings_is_not_the_pairs(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PAIR_FILE)
    pair = load_pair(path, "mine")
    honest = pair.verify().certificate
    assert recheck_pair(honest, pair).status is Status.PROVED
    for weaker in ({"gradients": ()}, {"domain": (-1, 1)}, {"data": [[1.0]]}):
        forged = replace(pair, **weaker).verify().certificate
        with pytest.raises(CertificateError, match="another"):
            recheck_pair(forged, pair)
    with pytest.raises(CertificateError, match="of the pair 'mine'"):
        recheck_pair(honest, load_pair(path, "mine-doubled"))


def test_a_witness_edited_in_any_field_is_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PAIR_FILE)
    pair = load_pair(path, "mine-doubled")
    honest = pair.verify().certificate
    witness = honest.counterexample
    swapped = dict(zip(witness.values, reversed(witness.values.values()), strict=True))
    for change in (
        {"kind": "spectrum"},
        {"output": 3},
        {"component": "d/dx0"},
        {"relative": 1.0},
        {"replay": {}},
        {"diagnosis": "no reason"},
        {"values": swapped},
    ):
        edited = replace(honest, counterexample=replace(witness, **change))
        with pytest.raises(CertificateError, match="counterexample"):
            recheck_pair(edited, pair)
    for field, value, why in (
        ("notes", ("all is well",), "reason or notes"),
        ("reason", "none", "has a reason for being undecided"),
    ):
        with pytest.raises(CertificateError, match=why):
            recheck_pair(replace(honest, **{field: value}), pair)
    zeroed = replace(honest, checks=tuple(replace(c, error=0.0) for c in honest.checks))
    with pytest.raises(CertificateError, match=r"failed with the error 0\.0"):
        recheck_pair(zeroed, pair)
    lowered = (replace(c, error=1.5) if c.name == PARAMETERS else c for c in honest.checks)
    with pytest.raises(CertificateError, match="records the error"):
        recheck_pair(replace(honest, checks=tuple(lowered)), pair)


@pytest.mark.parametrize(
    "settings", [{}, {"seed": "0"}, {"seed": True}, {"seed": 0, "n_parameters": None}], ids=str
)
def test_broken_settings_are_one_line(settings, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PAIR_FILE)
    pair = load_pair(path, "mine")
    broken = replace(pair.verify().certificate, settings=settings)
    with pytest.raises(CertificateError):
        qe.recheck(broken, pair.circuits(), pair.counterpart)
    with pytest.raises(CertificateError):
        recheck_pair(broken, pair)


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"parameters": ["a"]}, FrontendError),
        ({"parameters": np.zeros((0, 1))}, FrontendError),
        ({"data": [["a"]]}, FrontendError),
        ({"data": [[1.0], [1.0, 2.0]]}, FrontendError),
        ({"data": [[1j]]}, FrontendError),
        ({"data": [[5.0]], "domain": (-1, 1)}, DataError),
        ({"gradients": None}, FrontendError),
        ({"gradients": [["features"]]}, FrontendError),
        ({"n_parameters": 2.0}, FrontendError),
        ({"observable": SparsePauliOp("Z")}, FrontendError),
    ],
    ids=str,
)
def test_bad_options_are_named(options, error):
    with pytest.raises(error):
        qe.verify(qnode(base), good, **{**ONE, **options})


def test_integers_and_tensors_of_the_libraries_are_taken():
    trained = torch.nn.Parameter(torch.tensor([0.3], dtype=torch.float64))
    verdict = qe.verify(
        qnode(base), good, n_features=np.int64(1), n_parameters=np.prod((1, 1)), seed=np.int64(3),
        trained=trained, data=torch.ones((2, 1), requires_grad=True),
    )  # fmt: skip
    assert verdict.status is Status.PROVED


def test_broadcast_outputs_and_inputs_changed_in_place():
    with pytest.raises(CounterpartError, match=r"broadcast to \[batch, batch\]"):
        qe.verify(qnode(base), lambda x, t: torch.cos(x) * torch.cos(x[:, 0]), **ONE)

    def in_place(x, theta):
        x.mul_(2.0)
        return good(x / 2, theta)

    with pytest.raises(CounterpartError, match="in place"):
        qe.verify(qnode(base), in_place, gradients=(), **ONE)


def test_exits_are_errors():
    def leaving(x, theta):
        raise SystemExit(0)

    with pytest.raises(CounterpartError, match="SystemExit"):
        qe.verify(qnode(base), leaving, **ONE)


def test_odd_circuits_are_named(tmp_path):
    with pytest.raises(FrontendError, match="dictionary"):
        qe.verify(qnode(lambda x, theta: {"a": base(x, theta)}), good, **ONE)
    with pytest.raises(FrontendError, match="no Pauli label"):
        qe.verify(QuantumCircuit(1), good, observable="Q", **ONE)
    old = tmp_path / "old.qasm"
    old.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\n')
    with pytest.raises(FrontendError, match="OpenQASM 2"):
        qe.verify(old, good, observable="Z", **ONE)
    with pytest.raises(FrontendError, match="can't read"):
        qe.verify("OPENQASM 3.0;\ninput float x0;\nqubit q;\nrx(x0) q;\n" * 9, good, observable="Z")

    def clipped(x, theta):
        qml.RX(qml.math.clip(x[0], -3.0, 3.0), wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(UnsupportedCircuitError, match="no polynomial"):
        qe.derive(qnode(clipped), **NONE)
