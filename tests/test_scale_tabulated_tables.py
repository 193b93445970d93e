"""Certified tables: no float in the range violates the bound, and the bound is not loose."""

from __future__ import annotations

import copy
import math

import mpmath
import numpy as np
import pytest
import torch
from torch import nn

from qrun_equiv.errors import FormalError
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import certified_pieces
from qrun_equiv.scale.certified_choice import Demand, tabulate
from qrun_equiv.scale.certified_pieces import Model
from qrun_equiv.scale.certified_tables import _rounding, built, certified
from qrun_equiv.scale.knots import common_period
from qrun_equiv.scale.piecewise import TERMS, Grid, evaluate

SINGLE, DOUBLE = torch.float32, torch.float64
READOUTS = {
    "mlp": {},
    "mlp-sine": {"outer": "sin"},
    "linear": {"readout": "linear"},
    "product": {"readout": "product"},
    "matrix-product": {"readout": "matrix-product"},
    "multilinear": {"readout": "multilinear", "reuploads": 3},
}


def layer_of(dtype=DOUBLE, seed=0, **options):
    torch.manual_seed(seed)
    return QRUN(4, 8, dtype=dtype, **options).requires_grad_(False)


def demand(layer, tolerance, kind="auto", ends=None, most=1 << 18):
    scales = layer.reuploading.scales
    period = common_period(scales.tolist()) if ends is None else 0.0
    low, high = ends or (-period / 2, period / 2)
    dtype = layer.projection.weight.dtype
    low, high = (float(torch.tensor(end, dtype=dtype)) for end in (low, high))
    return Demand(dtype, low, high, period, float(scales.abs().max()), tolerance, kind, most)


def exact_of(layer):
    """The layer's function in float64, with its own floats as constants."""
    return copy.deepcopy(layer).double().element


def run(x, table, facts):
    """The table as it is evaluated, in its own dtype."""
    rows = (table.shape[0], TERMS - table.shape[1], table.shape[2])
    return evaluate(x, torch.cat((table, table.new_zeros(rows)), 1), facts.grid)


def observed_error(exact, x, table, facts):
    """Largest error at some places, then at all floats near the worst of them."""
    gaps = (run(x, table, facts).double() - exact(x.double())).abs().amax(1)
    worst = float(gaps.max())
    step = torch.finfo(x.dtype).eps
    for place in x[gaps.topk(8).indices]:
        shifts = torch.arange(-300, 301).to(x.dtype)
        edge = torch.round(place / facts.step) * facts.step  # between two cells
        for near in (place * (1 + step * shifts), edge + facts.step * step * shifts):
            inside = near[(near >= facts.low) & (near <= facts.high)]
            if len(inside):
                gap = run(inside, table, facts).double() - exact(inside.double())
                worst = max(worst, float(gap.abs().max()))
    return worst


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize(
    ("dtype", "kind", "tolerance"),
    [
        (SINGLE, "linear", 1e-4),
        (SINGLE, "cubic", 2e-6),
        (SINGLE, "septic", 2e-6),
        (DOUBLE, "cubic", 1e-8),
        (DOUBLE, "septic", 1e-9),
    ],
)
def test_no_phase_violates_the_bound(name, dtype, kind, tolerance):
    layer = layer_of(dtype, **READOUTS[name])
    exact = exact_of(layer)
    table, facts = tabulate(exact, demand(layer, tolerance, kind))
    assert table.dtype == dtype
    assert facts.bound <= tolerance
    half = facts.period / 2
    x = torch.cat((torch.linspace(-half, half, 30_000, dtype=DOUBLE),
                   torch.rand(20_000, dtype=DOUBLE) * 2 * half - half)).to(dtype)  # fmt: skip
    found = observed_error(exact, x, table, facts)
    assert found <= facts.bound
    assert facts.bound < (12 if kind == "septic" else 3) * found


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_many_turns_stay_within_the_bound(dtype):
    """Reduction by a rounded period is part of the bound, up to the very end of the range."""
    layer = layer_of(dtype, initial_scales=[0.5, 1.5, 3.0, 0.75])
    exact = exact_of(layer)
    table, facts = tabulate(exact, demand(layer, 1e-6 if dtype == SINGLE else 1e-9))
    assert facts.high > 100
    assert facts.low == -facts.high
    x = (torch.rand(20_000, dtype=DOUBLE) * 2 - 1) * facts.high
    x[:200] = facts.high * (1 - 1e-6 * torch.rand(200, dtype=DOUBLE))
    x = x.to(dtype)
    with mpmath.workdps(40):  # float64 can't reduce these either: angles by mpmath
        turn = 2 * mpmath.pi / mpmath.mpf("0.25")
        reduced = torch.tensor(
            [float(mpmath.fmod(mpmath.mpf(v), turn)) for v in x.tolist()[:3000]], dtype=DOUBLE
        )
    gap = run(x[:3000], table, facts).double() - exact(reduced.double())
    assert float(gap.abs().max()) <= facts.bound


def test_turns_beyond_the_usual_reach_cost_what_they_do():
    """At 10^9 radians the rounded period is the largest error: it is bounded, and seen."""
    layer = layer_of()
    table, facts = tabulate(layer.element, demand(layer, 1e-9))
    ends = facts.first * facts.step, (facts.first + facts.cells) * facts.step
    bound = certified(Model(layer.element, *ends, -6), table, facts.grid, 1e9)
    x = 1e9 * (1 - 1e-3 * torch.rand(500, dtype=DOUBLE))
    with mpmath.workdps(40):
        places = [float(mpmath.fmod(mpmath.mpf(v), 2 * mpmath.pi)) for v in x.tolist()]
    gap = run(x, table, facts) - layer.element(torch.tensor(places, dtype=DOUBLE))
    assert 1e-8 < float(gap.abs().max()) <= bound < 1e-4


@pytest.mark.parametrize(("dtype", "unit"), [(SINGLE, 2.0**-24), (DOUBLE, 2.0**-53)])
def test_each_rounding_counts(dtype, unit):
    """Horner's, the place's cast, the place in float64 and the reduction by the period."""
    grid, still = Grid(0.5, 0, 1, 7.0), Grid(0.5, 0, 1)
    for order in range(8):
        table = np.zeros((1, 8, 1))
        table[0, order] = 3.0
        height, steep = 3 * 0.5**order, 3 * order * 0.5 ** max(order - 1, 0)
        cast = 2.0**-26 if dtype == SINGLE else 2.0**-54  # half a unit below 1/2
        least = (2 * order + 1) * unit * height + cast * steep + 2.0**-52 * (steep + 5.0)
        found = float(_rounding(table, still, 100.0, 10.0, dtype)[0, 0])
        assert least <= found <= 4 * least
        turns = float(_rounding(table, grid, 100.0, 10.0, dtype)[0, 0]) - found
        assert 100 / 0.5 * 2.0**-51 * (steep + 5.0) * (1 - 1e-6) <= turns


def mlp_by_mpmath(layer, x):
    """The real function of an MLP layer, 40 digits."""
    scales = [mpmath.mpf(s) for s in layer.reuploading.scales.double().tolist()]
    values = [f(s * x) for s in scales for f in (mpmath.cos, mpmath.sin)]
    linears = [m for m in layer.observable.readout.layers if isinstance(m, nn.Linear)]
    for k, linear in enumerate(linears):
        weight, bias = linear.weight.double().tolist(), linear.bias.double().tolist()
        values = [
            mpmath.fsum(mpmath.mpf(w) * v for w, v in zip(row, values, strict=True)) + mpmath.mpf(b)
            for row, b in zip(weight, bias, strict=True)
        ]
        if k < len(linears) - 1:
            values = [mpmath.tanh(v) for v in values]
    return values


@pytest.mark.parametrize(("dtype", "tolerance"), [(SINGLE, 2e-6), (DOUBLE, 2e-12)])
def test_the_bound_is_of_the_real_function(dtype, tolerance):
    """Against 40 digits: float64 is no reference for a bound of 1e-12."""
    layer = layer_of(dtype, hidden=6)
    table, facts = tabulate(exact_of(layer), demand(layer, tolerance, ends=(-1.5, 2.5)))
    rng = torch.Generator().manual_seed(5)
    x = (torch.rand(300, dtype=DOUBLE, generator=rng) * 4 - 1.5).to(dtype).clamp(-1.5, 2.5)
    found = run(x, table, facts).double()
    with mpmath.workdps(40):
        gaps = [
            abs(mpmath.mpf(value) - wanted)
            for place, row in zip(x.double().tolist(), found.tolist(), strict=True)
            for value, wanted in zip(row, mlp_by_mpmath(layer, mpmath.mpf(place)), strict=True)
        ]
    assert max(gaps) <= facts.bound
    assert facts.bound < (5 if dtype == SINGLE else 25) * max(gaps)


@pytest.mark.parametrize(("kind", "order"), [("linear", 2), ("cubic", 4), ("septic", 8)])
def test_the_order_is_the_one_claimed(kind, order):
    layer = layer_of()
    model = Model(layer.element, -2.0, 2.0, -3)
    model.refine(1e-13, -12)
    bounds = []
    for exponent in (-3, -4, -5) if kind == "septic" else (-5, -6, -7):
        grid = Grid(2.0**exponent, -(2 ** (1 - exponent)), 4 * 2**-exponent)
        bounds.append(certified(model, built(layer.element, kind, grid), grid, math.inf))
    rates = np.log2(np.array(bounds[:-1]) / bounds[1:])
    assert np.all(rates > order - 0.8), rates
    assert np.all(rates < order + 0.8), rates


@pytest.mark.parametrize("kind", ["linear", "cubic", "septic"])
def test_tables_meet_at_the_knots(kind):
    layer = layer_of()
    grid = Grid(0.125, -4, 8)
    table = built(layer.element, kind, grid)
    powers = 0.5 ** torch.arange(table.shape[1], dtype=DOUBLE)[:, None]
    signs = (-1.0) ** torch.arange(table.shape[1], dtype=DOUBLE)[:, None]
    right, left = (table * powers).sum(1), (table * powers * signs).sum(1)
    knots = torch.arange(-4, 5, dtype=DOUBLE) * 0.125
    wanted = layer.element(knots)
    torch.testing.assert_close(left, wanted[:-1], rtol=0, atol=1e-12)
    torch.testing.assert_close(right, wanted[1:], rtol=0, atol=1e-12)
    if kind == "cubic":  # slopes meet, too
        order = torch.arange(4, dtype=DOUBLE)[:, None]
        slopes = [(order * table * (powers * 2) * s).sum(1) for s in (1.0, -signs)]
        torch.testing.assert_close(slopes[0][:-1], slopes[1][1:], rtol=0, atol=1e-12)


def test_a_wrong_table_is_noticed():
    """Whatever the coefficients are, their error is bounded, and by little more than it is."""
    layer = layer_of()
    table, facts = tabulate(layer.element, demand(layer, 1e-9))
    ends = facts.first * facts.step, (facts.first + facts.cells) * facts.step
    model = Model(layer.element, *ends, -3)
    model.refine(1e-12, -20)
    right = certified(model, table, facts.grid, facts.period)
    assert right <= facts.bound * 1.1
    for cell, order in ((0, 0), (3, 1), (facts.cells - 1, 7), (facts.cells // 2, 4)):
        wrong = table.clone()
        wrong[cell, order, 1] += 1e-5
        found = certified(model, wrong, facts.grid, facts.period)
        assert 1e-5 * 0.5**order <= found <= 1.01e-5 * 0.5**order + right


@pytest.mark.parametrize(("kind", "exponent"), [("septic", -3), ("cubic", -6)])
def test_boxes_larger_and_smaller_than_cells_agree(kind, exponent):
    layer = layer_of()
    count = 2 ** (1 - exponent)
    grid = Grid(2.0**exponent, -count // 2, count)
    table = built(layer.element, kind, grid)
    models = [Model(layer.element, -1.0, 1.0, level) for level in (-5, -8)]
    found = [certified(model, table, grid, math.inf) for model in models]
    assert found[0] == pytest.approx(found[1], rel=0.1)


def test_a_model_that_leaves_cells_out_is_no_ground_for_a_bound():
    layer = layer_of()
    grid = Grid(0.125, -8, 16)
    model = Model(layer.element, -1.0, 0.5, -3)
    with pytest.raises(AssertionError, match="cells"):
        certified(model, built(layer.element, "cubic", grid), grid, math.inf)


def trained(seed, steps=60, **options):
    """A layer fitted to a wiggly curve from wide phases: scales and weights move."""
    torch.manual_seed(seed)
    layer = QRUN(1, 2, outputs_per_element=2, dtype=SINGLE, path="exact", **options)
    with torch.no_grad():
        layer.projection.weight.fill_(3.0)
    x = torch.linspace(-3, 3, 200)[:, None]
    y = torch.cat((torch.sin(5 * x) + (x > 0), torch.cos(x * x)), 1)
    optimizer = torch.optim.Adam(layer.parameters(), 2e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(layer(x), y).backward()
        optimizer.step()
    return layer.requires_grad_(False), x


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_bounds_of_trained_layers_are_close(seed):
    layer, x = trained(seed)
    phases = layer.projection(x)
    ends = float(phases.min()) - 1, float(phases.max()) + 1
    assert ends[1] - ends[0] > 15
    exact = exact_of(layer)
    for kind, tolerance, most in (("cubic", 1e-5, 3), ("septic", 1e-5, 10), ("linear", 1e-3, 3)):
        table, facts = tabulate(exact, demand(layer, tolerance, kind, ends))
        places = torch.rand(50_000) * (facts.high - facts.low) + facts.low
        places = places.clamp(facts.low, facts.high)
        found = observed_error(exact, places, table, facts)
        assert found <= facts.bound < most * found


@pytest.mark.parametrize(("depth", "loose"), [(1, 1.3), pytest.param(2, 8, marks=pytest.mark.slow)])
def test_kinks_are_bounded_by_lines(depth, loose):
    layer = layer_of(SINGLE, activation="relu", hidden=8, depth=depth)
    exact = exact_of(layer)
    table, facts = tabulate(exact, demand(layer, 2e-4))
    assert table.shape[1] == 2  # what "auto" takes
    x = torch.linspace(facts.first * facts.step + facts.step, 3.1, 400_000)
    gaps = (run(x, table, facts).double() - exact(x.double())).abs()
    assert float(gaps.max()) <= facts.bound < loose * float(gaps.max())


def test_refusals_name_what_is_needed():
    layer = layer_of(SINGLE)
    with pytest.raises(ValueError, match=r"below what float32 reaches.*float64"):
        tabulate(exact_of(layer), demand(layer, 1e-8))
    with pytest.raises(ValueError, match="below what float64 reaches") as refusal:
        tabulate(layer_of().element, demand(layer_of(), 1e-15))
    assert "compile the module" not in str(refusal.value)
    wanted = demand(layer, 1e-6, "linear", most=1000)
    with pytest.raises(ValueError, match="the limit is 1000") as refusal:
        tabulate(exact_of(layer), wanted)
    needed = int(str(refusal.value).split("about ")[1].split()[0])
    _, facts = tabulate(exact_of(layer), demand(layer, 1e-6, "linear"))
    assert facts.cells / 4 <= needed <= 4 * facts.cells
    with pytest.raises(ValueError, match="the limit is"):
        tabulate(exact_of(layer), demand(layer, 1e-6, ends=(-1e9, 1e9)))
    kinked = layer_of(activation="relu")
    with pytest.raises(ValueError, match="limit is 4096"):
        tabulate(kinked.element, demand(kinked, 1e-9, most=4096))


def test_a_readout_that_cannot_be_followed_is_refused():
    layer = layer_of()
    layer.observable.readout.layers[1] = nn.SiLU()
    with pytest.raises(FormalError, match="silu"):
        tabulate(layer.element, demand(layer, 1e-6))


def test_a_function_too_wild_is_refused(monkeypatch):
    monkeypatch.setattr(certified_pieces, "_MOST_BOXES", 500)
    layer = layer_of(hidden=8)
    with torch.no_grad():
        for module in layer.observable.readout.layers:
            if isinstance(module, nn.Linear):
                module.weight.mul_(1e3)
    with pytest.raises(FormalError, match="too wild"):
        tabulate(layer.element, demand(layer, 1e-6))
