"""What holds for every spectrum: sign, conjugates, energy, derivatives; by every method."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_spectra_engine import engines, layered
from torch import Tensor

from qrun_equiv.angle import Angle, feature
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra.sampled import sample

ROUNDING = 1e-12
EXAMPLES = settings(derandomize=True, database=None, deadline=None, max_examples=20)

SEEDS = st.integers(0, 2**32 - 1)
FRACTIONS = st.fractions(Fraction(-4), Fraction(4), max_denominator=6).filter(bool)
REAL = st.floats(0.05, 4, allow_subnormal=False).map(lambda v: round(v, 6))
SCALES = st.lists(
    st.one_of(FRACTIONS.map(Angle.constant), REAL.map(Angle.constant)), min_size=1, max_size=3
)
OBSERVABLES = (
    Observable.of([(1.0, {0: "Z"})]),
    Observable.of([(0.7, {0: "X"}), (-0.4, {0: "Y"}), (0.3, {})]),
)


def some(seed: int, scales: list[Angle], n_wires: int, n_features: int) -> tuple[Circuit, Tensor]:
    """A circuit with two outputs, and its parameters."""
    n_features = min(n_features, n_wires)  # each is read by a wire
    circuit = layered(n_wires, scales, observables=OBSERVABLES, n_features=n_features)
    theta = np.random.default_rng(seed).uniform(-3, 3, circuit.n_parameters)
    return circuit, torch.as_tensor(theta)


CIRCUITS = {
    "seed": SEEDS,
    "scales": SCALES,
    "n_wires": st.integers(1, 2),
    "n_features": st.integers(1, 2),
}


@EXAMPLES
@given(scale=st.one_of(FRACTIONS, REAL.map(Fraction)), phase=st.floats(-math.pi, math.pi))
def test_a_sine_has_minus_half_i_at_its_frequency(scale: Fraction, phase: float) -> None:
    """``sin(s x + p)``: ``c_s = -i/2 exp(ip)`` and ``c_-s`` its conjugate, for either sign of s."""
    gate = Gate("RY", (0,), feature(0) * Angle.constant(scale) + Angle.constant(phase))
    circuit = Circuit(1, (gate,), (Observable.of([(1.0, {0: "X"})]),), 1, 0)
    expected = -0.5j * np.exp(1j * phase)
    s = float(scale)
    series = [made.fourier([]) for made in engines(circuit)]
    series.append(sample(lambda x: np.sin(s * x[:, 0] + phase), frequencies=[s]).series)
    for found in series:
        for w, c in ((s, expected), (-s, expected.conjugate())):
            (k,) = np.flatnonzero(np.abs(found.frequencies[:, 0] - w) < 1e-9 * abs(s))
            assert abs(found.coefficients[k, 0] - c) < ROUNDING


@EXAMPLES
@given(**CIRCUITS)
def test_opposite_frequencies_have_conjugate_coefficients(
    seed: int, scales: list[Angle], n_wires: int, n_features: int
) -> None:
    circuit, theta = some(seed, scales, n_wires, n_features)
    for made in engines(circuit):
        table = dict(zip(made.frequencies, made.coefficients(theta), strict=True))
        for w, c in table.items():
            opposite = table[tuple(-a for a in w)]
            torch.testing.assert_close(opposite, c.conj(), rtol=0, atol=ROUNDING)


@EXAMPLES
@given(seed=SEEDS, scales=st.lists(FRACTIONS, min_size=1, max_size=3), n_wires=st.integers(1, 2))
def test_the_energy_of_the_spectrum_is_the_mean_square(
    seed: int, scales: list[Fraction], n_wires: int
) -> None:
    """Parseval: ``sum |c|^2`` is the mean of ``f^2`` over a period, for each output."""
    circuit, theta = some(seed, [Angle.constant(s) for s in scales], n_wires, 1)
    unit = math.lcm(*(s.denominator for s in scales))
    top = 2 * n_wires * int(sum(abs(s) * unit for s in scales))  # of the square
    x = 2 * math.pi * unit / (top + 1) * torch.arange(top + 1, dtype=torch.float64)
    mean = (expectations(circuit, x[:, None], theta) ** 2).mean(dim=0)
    for made in engines(circuit):
        energy = (made.coefficients(theta).abs() ** 2).sum(dim=0)
        torch.testing.assert_close(energy, mean, rtol=0, atol=ROUNDING)


@EXAMPLES
@given(**CIRCUITS)
def test_derivatives_of_the_spectrum_are_those_of_the_outputs(
    seed: int, scales: list[Angle], n_wires: int, n_features: int
) -> None:
    """The gradient of the coefficients, summed up at any point, is autograd's through the gates.

    So is the derivative in a feature, whose coefficients are ``i w c``.
    """
    circuit, theta = some(seed, scales, n_wires, n_features)
    rng = np.random.default_rng([seed, 1])
    x = torch.as_tensor(rng.uniform(-9, 9, (1, circuit.n_features)))
    output = int(rng.integers(len(OBSERVABLES)))

    def function(at: Tensor, parameters: Tensor) -> Tensor:
        return expectations(circuit, at, parameters)[0, output]

    by_x, by_theta = torch.autograd.functional.jacobian(function, (x, theta))
    for made in engines(circuit):
        w = made.values(theta)
        waves = torch.exp(1j * (torch.as_tensor(w) @ x[0]))

        def summed(parameters: Tensor, made=made, waves=waves) -> Tensor:
            return (waves * made.coefficients(parameters)[:, output]).sum().real

        gradient = torch.autograd.functional.jacobian(summed, theta)
        torch.testing.assert_close(gradient, by_theta, rtol=0, atol=10 * ROUNDING)
        c = made.coefficients(theta).numpy()[:, [output]]
        for k in range(circuit.n_features):
            slope = FourierSeries(w, 1j * w[:, [k]] * c)(x.numpy())[0, 0]
            assert abs(slope - float(by_x[0, k])) < 1e2 * ROUNDING
