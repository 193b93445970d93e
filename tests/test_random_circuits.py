"""A hundred random circuits: ``derive`` is what both simulators say, and none is refuted."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest

import qrun_equiv as qe
from qrun_equiv.certificate import FEATURES, OUTPUTS, PARAMETERS, SPECTRUM, Status
from qrun_equiv.frontends.export import to_pennylane, to_qiskit
from qrun_equiv.random_circuits import random_circuit

COUNT = 100
DERIVED = 1e-10
WORST: dict[str, float] = {}


MORE = [pytest.param(n, marks=pytest.mark.slow) for n in range(COUNT, 5 * COUNT)]


@pytest.mark.parametrize("number", [*range(COUNT), *MORE])
def test_derived_counterparts_of_random_circuits(number):
    """1 to 4 wires, 1 to 4 layers, unrelated real scales, products of features and parameters."""
    rng = np.random.default_rng([2026, number])
    n_wires, layers = 1 + number % 4, 1 + (number // 4) % 4
    drawn = random_circuit(rng, n_wires=n_wires, layers=layers)
    qiskit, observable = to_qiskit(drawn)
    device = qml.device("default.qubit", wires=n_wires)
    circuits = {"pennylane": qml.QNode(to_pennylane(drawn), device), "qiskit": qiskit}
    options = {
        "n_features": drawn.n_features,
        "n_parameters": drawn.n_parameters,
        "observable": observable,
    }
    # Each framework's own circuit is lowered and derived from, by turns.
    first = dict([list(circuits.items())[number % 2]])
    module = qe.derive(first, **options)
    verdict = qe.verify(circuits, module, seed=number, **options)
    assert verdict.status is Status.PROVED, str(verdict)
    for kind in (OUTPUTS, FEATURES, PARAMETERS):
        error = verdict.worst(kind) or 0.0
        assert error < DERIVED, f"{kind}: {error}"
        WORST[kind] = max(WORST.get(kind, 0.0), error)
    spectrum = verdict.worst(SPECTRUM)
    if spectrum is not None:
        WORST["circuits with a spectrum check"] = WORST.get("circuits with a spectrum check", 0) + 1


def test_the_worst_errors_are_printed(capsys):
    with capsys.disabled():
        print(f"\nrandom circuits, worst relative errors: {WORST}")  # noqa: T201 - the result
    assert WORST.get("circuits with a spectrum check", 0) >= COUNT / 4


def test_the_generator_is_seeded():
    one, two = (random_circuit(np.random.default_rng(3), n_wires=2, layers=2) for _ in range(2))
    assert one == two
