"""What errors are relative to."""

from __future__ import annotations

import numpy as np
import pytest

from qrun_equiv import tolerances
from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.scaling import Scale, smallest_slopes

Z = {0: "Z"}
X0 = np.zeros((1, 1))
THETA = np.zeros(1)


def circuit(*angles, terms=((1.0, Z),)):
    gates = tuple(Gate("RX", (0,), a) for a in angles)
    return Circuit(1, gates, (Observable.of(list(terms)),), 1, 1)


def test_outputs_are_measured_from_their_constant_part():
    with_offset = circuit(feature(0), terms=((1.0, Z), (1e6, {})))
    scale = Scale.of([np.array([[1e6 + 0.5], [1e6 - 0.25]])], with_offset)
    assert scale.outputs == pytest.approx([0.5])
    assert scale.offsets == [1e6]
    assert scale.norms == [1.0]
    # The constant's own rounding is the least that is held to.
    assert scale.at(X0, THETA)[0, 0] >= 1e6 * 2e-16 * tolerances.ROUNDING / tolerances.EQUAL


def test_a_zero_output_has_the_observables_floor():
    scale = Scale.of([np.zeros((3, 1))], circuit(feature(0), terms=((4.0, Z),)))
    assert scale.outputs == [4.0 * tolerances.SCALE_FLOOR]
    unknown = Scale.of([np.zeros((3, 2))], None)
    assert unknown.outputs.tolist() == [tolerances.SCALE_FLOOR] * 2


def test_rounding_grows_with_the_angles():
    scale = Scale.of([np.ones((1, 1))], circuit(feature(0) * 3))
    near, far = scale.at(np.array([[1.0], [1e9]]), THETA)[:, 0]
    assert near == 1.0
    assert far == pytest.approx(3e9 * 2.2e-16 * tolerances.ROUNDING / tolerances.EQUAL, rel=0.01)


def test_each_derivative_has_its_own_scale():
    two = Circuit(
        1,
        (Gate("RX", (0,), feature(0) * 1e5), Gate("RY", (0,), feature(1))),
        (Observable.of([(1.0, Z)]),),
        2,
        0,
    )
    scale = Scale.of([np.ones((1, 1))], two)
    peak = np.array([[1e5, 1.0]])
    found = scale.of_gradient(np.zeros((1, 2)), np.zeros(0), "x", peak)
    assert found[0, 0].tolist() == [1e5, 1.0]
    floor = scale.of_gradient(np.zeros((1, 2)), np.zeros(0), "x", np.zeros((1, 2)))
    assert floor[0, 0] == pytest.approx([1e5 * tolerances.SCALE_FLOOR, tolerances.SCALE_FLOOR])


def test_smallest_slopes():
    theta = np.array([0.5])
    angles = (feature(0) * 3, feature(0) * parameter(0), parameter(0))
    assert smallest_slopes(circuit(*angles), theta).tolist() == [0.5]
    assert smallest_slopes(circuit(parameter(0)), theta).tolist() == [1.0]
