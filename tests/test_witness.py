"""A witness is reported only where its replay stands on the same side."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qrun_equiv.certificate import FEATURES, OUTPUTS, Check
from qrun_equiv.checks import Finding, Place
from qrun_equiv.frontends.base import Gradient, Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.witness import replay

X, THETA = np.array([0.7]), np.zeros(0)


class Circuit:
    """A circuit that says cos(x), with a second simulator and a second method as given."""

    name = "circuit"

    def __init__(self, again=None, slope=None):
        self.again = np.cos(0.7) if again is None else again
        self.slope = -np.sin(0.7) if slope is None else slope

    def values(self, x, theta):
        return np.cos(x)

    def replay(self, x, theta):
        return "second simulator", np.array([self.again])

    def second_gradient(self, x, theta):
        return "second method", Gradient(np.array([[[self.slope]]]), np.zeros((1, 1, 0)))


def finding(kind, counterpart, circuit):
    check = Check(kind, ("counterpart", "circuit"), "", 1.0, 1e-9, 1, "failed")
    return Finding(check, Place(X, THETA, 0, "d/dx0", 0), (counterpart, circuit))


def counterpart(function):
    return CounterpartSource(function, Sizes.of(1, 0))


def test_an_output_is_confirmed_by_a_second_simulator():
    wrong = counterpart(lambda x: 2 * torch.cos(x))
    failed = finding(OUTPUTS, 2 * np.cos(0.7), np.cos(0.7))
    witness = replay(failed, [Circuit()], wrong)
    assert witness.replay["second simulator"] == pytest.approx(np.cos(0.7))
    assert replay(failed, [Circuit(again=2 * np.cos(0.7))], wrong) is None
    right = counterpart(torch.cos)  # row by row the counterpart does not differ
    assert replay(failed, [Circuit()], right) is None


def test_a_derivative_is_confirmed_by_a_second_method():
    wrong = counterpart(lambda x: torch.cos(x.detach()))
    failed = finding(FEATURES, 0.0, -np.sin(0.7))
    witness = replay(failed, [Circuit()], wrong)
    assert witness.replay["second method"] == pytest.approx(-np.sin(0.7))
    assert witness.replay["counterpart central differences"] == pytest.approx(-np.sin(0.7))
    assert "detached" in witness.diagnosis
    assert replay(failed, [Circuit(slope=0.0)], wrong) is None
