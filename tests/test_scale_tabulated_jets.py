"""Jets and models: the polynomials and remainders enclose the function, and are not loose."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch
from torch import nn

from qrun_equiv import formal
from qrun_equiv.errors import FormalError
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale.certified_jets import Jets, variable
from qrun_equiv.scale.certified_pieces import ORDER, Model, chebyshev_sum

LAYERS = {
    "mlp": {},
    "mlp-sine": {"outer": "sin"},
    "relu": {"activation": "relu", "depth": 1},
    "relu-deep-sine": {"activation": "relu", "outer": "sin"},
    "linear": {"readout": "linear"},
    "product": {"readout": "product"},
    "matrix-product": {"readout": "matrix-product", "initial_scales": [0.3, 1.7, -2.9, 4.1]},
    "multilinear": {"readout": "multilinear", "reuploads": 3},
    "one-output": {"outputs_per_element": 1, "hidden": 9},
}


def element_of(seed=0, **options):
    torch.manual_seed(seed)
    layer = QRUN(4, 8, dtype=torch.float64, **options).requires_grad_(False)
    return layer.element


def enclosure(function, centres, radius, order=ORDER):
    """Coefficients ``[order + 2, boxes]`` of ``function(x [n]) -> [n]`` by jets."""
    t = variable(centres, radius, order)
    jet = formal.run(
        lambda x: function(x[:, 0]), [t], Jets(), batch=len(centres), points=[centres[:, None]]
    )
    return jet.parts.lo[..., 0], jet.parts.hi[..., 0], jet.extra


FUNCTIONS = {
    "tanh": (lambda x: torch.tanh(2 * x - 0.3), lambda x: mpmath.tanh(2 * x - 0.3)),
    "waves": (
        lambda x: torch.sin(torch.cos(1.5 * x) * x),
        lambda x: mpmath.sin(mpmath.cos(1.5 * x) * x),
    ),
    "nested": (
        lambda x: torch.tanh(torch.cos(3 * x) + torch.sin(x) ** 2),
        lambda x: mpmath.tanh(mpmath.cos(3 * x) + mpmath.sin(x) ** 2),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_coefficients_are_those_of_mpmath(name):
    function, reference = FUNCTIONS[name]
    centres, radius = np.array([-1.2, 0.1, 0.9]), 0.125
    lo, hi, extra = enclosure(function, centres, radius)
    assert extra is None
    for box, centre in enumerate(centres):
        with mpmath.workdps(40):
            wanted = mpmath.taylor(reference, mpmath.mpf(centre), ORDER)
            for k, value in enumerate(wanted):
                scaled = value * mpmath.mpf(radius) ** k
                assert lo[k, box] <= scaled <= hi[k, box], k
                assert hi[k, box] - lo[k, box] <= 1e-12
            for x in np.linspace(centre - radius, centre + radius, 7):
                top = mpmath.taylor(reference, mpmath.mpf(x), ORDER + 1)[-1]
                scaled = top * mpmath.mpf(radius) ** (ORDER + 1)
                assert lo[-1, box] <= scaled <= hi[-1, box]


def test_the_remainder_has_the_order_claimed():
    sizes = []
    for radius in (0.25, 0.125, 0.0625):
        lo, hi, _ = enclosure(FUNCTIONS["tanh"][0], np.array([0.3]), radius)
        sizes.append(max(abs(lo[-1, 0]), abs(hi[-1, 0])))
    rates = np.log2(np.array(sizes[:-1]) / sizes[1:])
    assert np.all(rates > ORDER)


def test_structure_is_followed():
    matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]], dtype=torch.float64)

    def function(x):
        both = torch.stack((torch.cos(x), x * x), -1)
        grown = torch.matmul(both, matrix.mT) + 0.25
        pair = torch.matmul(torch.unsqueeze(grown, -2), torch.unsqueeze(grown, -1))
        return torch.sum(torch.cat((pair.reshape(-1, 1), -both), -1), -1)

    centres, radius = np.array([-0.7, 0.4]), 0.0625
    lo, hi, _ = enclosure(function, centres, radius)
    tau = np.linspace(-1, 1, 9)
    wanted = function(torch.from_numpy(centres[:, None] + radius * tau).reshape(-1))
    powers = tau[:, None] ** np.arange(ORDER + 2)
    for ends in (lo, hi):
        found = (powers @ ends).T.reshape(-1)
        np.testing.assert_allclose(found, wanted.numpy(), rtol=0, atol=1e-11)


def test_a_varying_vector_and_unknown_functions_are_refused():
    with pytest.raises(FormalError, match="varying vector"):
        enclosure(lambda x: torch.matmul(torch.eye(2, dtype=torch.float64), x), np.zeros(2), 0.1)
    with pytest.raises(FormalError, match="sigmoid"):
        enclosure(torch.sigmoid, np.zeros(2), 0.1)


def samples(model):
    """Each piece's polynomial, the places and the boxes' arguments: per level."""
    tau = np.linspace(-1, 1, 33)
    for level, pieces in model.levels.items():
        if len(pieces):
            x = (2 * pieces.index[:, None] + 1 + tau) * 2.0 ** (level - 1)
            powers = tau[:, None] ** np.arange(ORDER + 1)
            yield pieces, x, np.einsum("tj,njc->ntc", powers, pieces.coefs)


@pytest.mark.parametrize("name", LAYERS)
def test_models_enclose_and_slopes_bound(name):
    element = element_of(**LAYERS[name])
    model = Model(element, -2.0, 2.0, -2)
    model.refine(1e-8, -8 if "relu" in name else -20)
    assert model.kinked == ("relu" in name)
    worst, steepest, highest = 0.0, 0.0, 0.0
    for pieces, x, found in samples(model):
        points = torch.from_numpy(x).requires_grad_(True)
        wanted = element(points)
        gap = np.abs(found - wanted.detach().numpy()).max(axis=1)
        worst = max(worst, float((gap / pieces.rest).max()))
        for column in wanted.unbind(-1):
            (slope,) = torch.autograd.grad(column.sum(), points, retain_graph=True)
            steepest = max(steepest, float(slope.abs().max()))
        highest = max(highest, float(wanted.detach().abs().max()))
    assert worst <= 1
    loose = 2.5 if "relu" in name else 1.15
    assert steepest <= model.slope() <= loose * steepest
    assert highest * (1 - 1e-12) <= model.size() <= 1.15 * highest
    if "relu" not in name:
        assert max(float(p.missed.max(initial=0)) for p in model.levels.values()) <= 1e-8
    else:
        assert worst > 0.5  # the kinks' own error, to less than twice


def test_boxes_cover_once():
    model = Model(element_of(), -1.3, 0.9, -1)
    model.refine(1e-10, -12)
    spans = sorted(
        (i * 2.0**level, (i + 1) * 2.0**level)
        for level, pieces in model.levels.items()
        for i in pieces.index.tolist()
    )
    assert len(model.levels) > 2
    assert spans[0][0] <= -1.3 <= 0.9 <= spans[-1][1]
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_halves_are_the_same_polynomials():
    model = Model(element_of(), 0.0, 0.9, -3)
    (pieces,) = model.levels.values()
    halves = pieces.halves()
    assert halves.index.tolist() == [k for i in pieces.index.tolist() for k in (2 * i, 2 * i + 1)]
    tau = np.linspace(-1, 1, 21)
    powers = tau[:, None] ** np.arange(ORDER + 1)
    inner = np.concatenate([(tau - 1) / 2, (tau + 1) / 2])[:, None] ** np.arange(ORDER + 1)
    whole = np.einsum("tj,njc->ntc", inner, pieces.coefs)
    found = np.einsum("tj,njc->ntc", powers, halves.coefs)
    found = found.reshape(len(pieces), 42, -1)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-13)
    assert np.all(halves.rest >= np.repeat(pieces.rest, 2, axis=0))


def test_boxes_too_wide_for_a_bound_are_refined():
    torch.manual_seed(1)
    layer = QRUN(4, 8, hidden=16, dtype=torch.float64).requires_grad_(False)
    with torch.no_grad():
        for module in layer.observable.readout.layers:
            if isinstance(module, nn.Linear):
                module.weight.mul_(6)
    model = Model(layer.element, -1.0, 1.0, 2)
    assert model.size() > 1e3 * float(layer.element(torch.linspace(-1, 1, 999)).abs().max())
    model.refine(1e-6, -24)
    assert model.rest() < 2e-6


def test_chebyshev_sums():
    # T_5 = 16 t^5 - 20 t^3 + 5 t never exceeds 1
    coefs = np.zeros((1, 6, 1))
    coefs[0, [1, 3, 5], 0] = 5, -20, 16
    assert 1 <= chebyshev_sum(coefs)[0, 0] <= 1 + 1e-12
    random = np.random.default_rng(7).normal(size=(50, 13, 2))
    tau = np.linspace(-1, 1, 400)
    values = np.einsum("tj,njc->ntc", tau[:, None] ** np.arange(13), random)
    highest = np.abs(values).max(axis=1)
    assert np.all(chebyshev_sum(random) >= highest)
    assert np.median(chebyshev_sum(random) / highest) < 2.5


def test_a_constant_function():
    layer = QRUN(4, 8, initial_scales=[0.0] * 4, dtype=torch.float64).requires_grad_(False)
    model = Model(layer.element, -1.0, 1.0, 0)
    assert model.slope() <= 1e-10
    assert math.isclose(
        model.size(), float(layer.element(torch.zeros(1)).abs().max()), rel_tol=1e-9
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_slopes_on_both_sides_of_a_kink_count(sign):
    def element(phi):
        return torch.unsqueeze(torch.relu(sign * (torch.sin(phi) - 0.1)), -1)

    model = Model(element, 0.0, 0.2, -2)
    assert model.kinked
    assert [len(pieces) for pieces in model.levels.values()] == [1]
    assert math.cos(0.1) <= model.slope() <= 1.001
