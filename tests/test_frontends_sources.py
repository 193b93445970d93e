"""From what a user passes to sources: kinds, names, and sizes that are read off or asked for."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qml
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import neutral
from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import FrontendError, UnsupportedCircuitError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.pennylane import PennyLaneSource
from qrun_equiv.frontends.qiskit import QiskitSource
from qrun_equiv.frontends.sources import RESERVED, circuit_sources

ROUNDING = 1e-12  # float64, two gates


def function(x, theta):
    qml.RY(theta[0] * x[1], wires=0)
    qml.RX(x[0] + theta[2], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit() -> QuantumCircuit:
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0] * x[1], 0)
    circuit.rx(x[0] + theta[2], 0)
    return circuit


QASM = """OPENQASM 3.0;
include "stdgates.inc";
input float[64] x0; input float[64] x1; input float[64] theta0; input float[64] theta2;
qubit q;
ry(theta0*x1) q;
rx(x0 + theta2) q;
"""


@pytest.fixture
def circuits(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "circuit.qasm"
    path.write_text(QASM)
    return {
        "function": function,
        "qnode": qml.QNode(function, qml.device("default.qubit", wires=1)),
        "qiskit circuit": qiskit_circuit(),
        "file": path,
        "name of a file": str(path),
    }


def test_every_kind_alone(circuits: dict[str, Any]) -> None:
    names = ["pennylane", "pennylane", "qiskit", "qasm", "qasm"]
    for circuit, name in zip(circuits.values(), names, strict=True):
        observable = None if name == "pennylane" else "Z"
        (source,), sizes = circuit_sources(circuit, observable, None, None)
        assert source.name == name
        assert sizes == Sizes(2, (3,))


def test_a_mapping_keeps_names_and_order_and_all_agree(circuits: dict[str, Any]) -> None:
    sources, sizes = circuit_sources(circuits, "Z", None, None)
    assert [s.name for s in sources] == list(circuits)
    kinds = [PennyLaneSource] * 2 + [QiskitSource] * 3
    assert [type(s) for s in sources] == kinds
    rng = np.random.default_rng(0)
    x, theta = rng.uniform(-2, 2, (3, 2)), rng.uniform(-2, 2, 3)
    expected = (np.cos(theta[0] * x[:, 1]) * np.cos(x[:, 0] + theta[2]))[:, None]
    for source in sources:
        np.testing.assert_allclose(source.values(x, theta), expected, rtol=0, atol=ROUNDING)
        angles = [gate.angle for gate in source.lower().gates]
        assert angles == [parameter(0) * feature(1), feature(0) + parameter(2)]
    assert sizes.parameters == 3
    for one, two in itertools.combinations(sources[1:4], 2):
        assert one.fingerprint() != two.fingerprint()


def test_an_observable_for_a_circuit_that_has_its_own_is_refused() -> None:
    with pytest.raises(FrontendError, match="a QNode returns its own observables"):
        circuit_sources(function, "X", None, None)


def shaped(x, theta):
    qml.RX(x[0] * theta[1, 1], wires=0)
    return qml.expval(qml.Z(0))


def test_given_sizes_are_kept() -> None:
    (source,), sizes = circuit_sources(shaped, None, 5, (2, 2))
    assert sizes == Sizes(5, (2, 2))
    assert sizes.parameters == 4
    assert source.values(np.zeros((1, 5)), np.zeros(4)) == pytest.approx(1.0)


def test_one_size_given_the_other_read_off() -> None:
    assert circuit_sources(function, None, 4, None)[1] == Sizes(4, (3,))
    assert circuit_sources(function, None, None, 7)[1] == Sizes(2, (7,))


def test_the_largest_size_of_several_circuits_counts() -> None:
    def smaller(x, theta):
        qml.RX(x[0] * theta[0], wires=0)
        return qml.expval(qml.Z(0))

    sizes = circuit_sources({"a": smaller, "b": function}, None, None, None)[1]
    assert sizes == Sizes(2, (3,))


class Circuits:
    def method(self, x, theta):
        return function(x, theta)


@pytest.mark.parametrize(
    ("circuit", "expected"),
    [
        (Circuits().method, Sizes(2, (3,))),
        (functools.partial(lambda k, x, theta: function(x, theta), 1), Sizes(2, (3,))),
        (lambda x: (qml.RX(x[1], 0), qml.expval(qml.Z(0)))[-1], Sizes(2, (0,))),
        (lambda x, theta: (qml.RX(0.3, 0), qml.expval(qml.Z(0)))[-1], Sizes(0, (0,))),
    ],
    ids=["method", "partial", "x alone", "constant"],
)
def test_sizes_that_are_read_off(circuit: Any, expected: Sizes) -> None:
    assert circuit_sources(circuit, None, None, None)[1] == expected


def slices(x, theta):
    for value in x[:2]:
        qml.RX(value, wires=0)
    return qml.expval(qml.Z(0))


def loops(x, theta):
    for value in x:
        qml.RX(value, wires=0)
    return qml.expval(qml.Z(0))


def last(x, theta):
    qml.RX(x[-1], wires=0)
    return qml.expval(qml.Z(0))


def embeds(x, theta):
    qml.AngleEmbedding(x, wires=[0])
    return qml.expval(qml.Z(0))


def counts(x, theta):
    for k in range(len(x)):
        qml.RX(x[k], wires=0)
    return qml.expval(qml.Z(0))


@pytest.mark.parametrize("circuit", [slices, loops, last, embeds, counts])
def test_sizes_that_cannot_be_read_off_are_asked_for(circuit: Any) -> None:
    with pytest.raises(FrontendError, match=r"n_features can't be read off.*pass n_features="):
        circuit_sources(circuit, None, None, None)
    (source,), _ = circuit_sources(circuit, None, 1, 0)
    assert source.values(np.array([[0.3]]), np.zeros(0)) == pytest.approx(np.cos(0.3))


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (3, "must be a PennyLane QNode.*; got int"),
        (None, "got NoneType"),
        ([function], "got list"),
        ({}, "mapping of circuits is empty"),
        ({1: function}, "can't be named 1"),
        ({"counterpart": function}, "can't be named 'counterpart'"),
        ({"neutral form": function}, "can't be named 'neutral form'"),
        ({"a": function, "b": 3}, "got int"),
        ("no/such/file.qasm", "can't read the OpenQASM file"),
    ],
)
def test_what_is_no_circuit_is_refused(circuit: Any, message: str) -> None:
    with pytest.raises(FrontendError, match=message):
        circuit_sources(circuit, "Z", 1, 1)


def test_every_name_that_verdicts_use_is_reserved() -> None:
    for name in RESERVED:
        with pytest.raises(FrontendError, match="names are strings other than"):
            circuit_sources({name: function}, None, 2, 3)


# --- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "parameters", "expected"),
    [
        (2, 3, Sizes(2, (3,))),
        (0, 0, Sizes(0, (0,))),
        (1, (2, 3), Sizes(1, (2, 3))),
        (1, [2, 3], Sizes(1, (2, 3))),
        (1, (), Sizes(1, ())),
        # What numpy's own functions give: np.prod(shape), array.size.
        (np.int64(2), np.int64(3), Sizes(2, (3,))),
        (1, tuple(np.array([2, 3])), Sizes(1, (2, 3))),
    ],
)
def test_sizes(features: Any, parameters: Any, expected: Sizes) -> None:
    assert Sizes.of(features, parameters) == expected


@pytest.mark.parametrize(
    ("features", "parameters", "message"),
    [
        (-1, 0, "n_features must be a whole number from 0 up"),
        (True, 0, "n_features"),
        (1.0, 0, "n_features"),
        ("1", 0, "n_features"),
        (1, -2, "n_parameters must be a whole number"),
        (1, (2, -3), "got -3"),
        (1, (2, True), "got True"),
        (1, (2, 1.5), "got 1.5"),
        (1, "ab", "n_parameters must be a whole number"),
        (1, 2.5, "n_parameters must be a whole number"),
        (1, True, "n_parameters"),
    ],
)
def test_other_sizes_are_refused(features: Any, parameters: Any, message: str) -> None:
    with pytest.raises(FrontendError, match=message):
        Sizes.of(features, parameters)


def test_no_shape_is_one_parameter() -> None:
    assert Sizes.of(1, ()).parameters == 1


# --- the neutral form of anything --------------------------------------------------------------


def test_neutral_form_of_every_kind(circuits: dict[str, Any]) -> None:
    own = {"function", "qnode"}
    forms = [
        neutral(circuit, observable=None if name in own else "Z")
        for name, circuit in circuits.items()
    ]
    assert all(form == forms[0] for form in forms)
    # Of a mapping the first; the observable is for the others.
    assert neutral(circuits, observable="Z") == forms[0]
    assert neutral(forms[0]) is forms[0]


def test_neutral_form_takes_the_arguments_of_verify() -> None:
    form = neutral(shaped, n_features=3, n_parameters=(2, 2))
    assert (form.n_features, form.n_parameters) == (3, 4)
    operator = SparsePauliOp.from_list([("X", 0.5), ("Z", -1.0)])
    measured = neutral(qiskit_circuit(), observable=[operator, "Y"])
    assert measured.observables == (
        Observable.of([(0.5, {0: "X"}), (-1.0, {0: "Z"})]),
        Observable.of([(1.0, {0: "Y"})]),
    )


def test_a_neutral_form_that_is_wrong_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    other = neutral(lambda x, theta: function(x, -theta), n_features=2, n_parameters=3)
    monkeypatch.setattr(PennyLaneSource, "lower", lambda self: other)
    with pytest.raises(UnsupportedCircuitError, match="pennylane has no neutral form"):
        neutral(function)


def test_neutral_form_of_nothing_is_refused() -> None:
    with pytest.raises(FrontendError, match="empty"):
        neutral({})
    with pytest.raises(FrontendError, match="got int"):
        neutral(3)


def test_a_neutral_circuit_needs_no_sizes() -> None:
    gates = (Gate("RX", (0,), feature(0)),)
    form = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0)
    assert neutral(form, n_features=9) is form
