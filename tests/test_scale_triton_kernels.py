"""The Triton kernels against float64: on a GPU, or in Triton's interpreter (a process of its own).

Inputs are new at every run; a failure prints the seed.
"""

from __future__ import annotations

import math
import os
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import piecewise, stencil
from qrun_equiv.scale.element import Parts, fused_element, parts_of, plain_element
from qrun_equiv.scale.piecewise import Grid, differentiate, evaluate

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = torch.device("cpu" if INTERPRETED else "cuda")
pytestmark = pytest.mark.skipif(
    not (INTERPRETED or torch.cuda.is_available()),
    reason="needs a GPU or TRITON_INTERPRET=1; test_scale_triton.py starts it so",
)
BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-6, torch.bfloat16: 1e-2, torch.float16: 1e-2}


class Draw:
    """Random numbers and choices from one seed."""

    def __init__(self, seed: int) -> None:
        print(f"seed {seed}")  # noqa: T201 (shown where a test fails)
        self.numbers = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        return int(self.numbers.integers(low, high + 1))

    def tensor(self, *shape: int, dtype=torch.float64) -> Tensor:
        return torch.from_numpy(self.numbers.standard_normal(shape)).to(DEVICE, dtype)


@pytest.fixture
def draw() -> Draw:
    return Draw(int.from_bytes(os.urandom(4), "little"))


def apart(found: Tensor, wanted: Tensor) -> float:
    found, wanted = found.detach().double(), wanted.detach().double()
    assert found.shape == wanted.shape
    return ((found - wanted).norm() / wanted.norm()).item()


# piecewise polynomials


def smooth(draw: Draw, grid: Grid, outputs: int) -> Tensor:
    """A table of waves, with the grid's period where it has one."""
    x = stencil.knots_of(grid, DEVICE)[:, None]
    rate = 2 * math.pi / grid.period if grid.period else 1.3
    waves = torch.arange(1, outputs + 1, device=DEVICE)
    return stencil.coefficients(torch.sin(rate * waves * x + draw.tensor(outputs)))[0]


def polynomials(draw: Draw, dtype, cells: int, outputs: int, count: int, period: float = 0.0):
    """Grid, table, arguments and weights, all in a dtype (the table in float32 at least)."""
    # on a cell's edge, which short types often hit, only a binary step tells which cell it is
    binary = dtype in {torch.bfloat16, torch.float16} or draw.integer(0, 1)
    step = 0.125 if binary else 0.11
    if period:
        step = period / (cells - 2)
        grid = Grid(step, -(cells // 2), cells, period)
        x = 40 * draw.tensor(count)
    else:
        grid = Grid(step, draw.integer(-cells, cells), cells)
        x = (grid.first + cells * torch.from_numpy(draw.numbers.random(count)).to(DEVICE)) * step
    table = smooth(draw, grid, outputs).to(dtype if dtype == torch.float64 else torch.float32)
    low, high = grid.first * step, (grid.first + cells) * step
    x = x.to(dtype)
    if not period:  # rounding may pass the ends
        x = x.clamp(low, math.nextafter(high, low)).to(dtype)
        x = torch.where((x >= low) & (x < high), x, torch.full_like(x, low + step / 2))
    return grid, table, x, draw.tensor(count, outputs, dtype=dtype)


def compare(grid: Grid, table: Tensor, x: Tensor, weights: Tensor) -> None:
    wide = x.double(), table.double(), grid
    values = evaluate(x, table, grid, using="triton")
    slopes, sums = differentiate(x, table, grid, weights, slope=True, moments=True, using="triton")
    expected = differentiate(*wide, weights.double(), slope=True, moments=True, using="torch")
    assert values.dtype == slopes.dtype == x.dtype
    assert sums.dtype == torch.float64
    bound = BOUNDS[x.dtype]
    assert apart(values, evaluate(*wide, using="torch")) < bound
    assert apart(slopes, expected[0]) < bound
    assert apart(sums, expected[1]) < min(bound, 1e-6)


@pytest.mark.parametrize("outputs", [1, 2, 3, 5, 16])
@pytest.mark.parametrize("dtype", BOUNDS)
def test_values_slopes_and_moments(dtype, outputs, draw) -> None:
    count, cells = draw.integer(1, 700), draw.integer(2, 200 if outputs < 16 else 40)
    compare(*polynomials(draw, dtype, cells, outputs, count))


@pytest.mark.parametrize("count", [1, 63, 64, 65, 512, 1025])
def test_sizes_around_those_of_a_program(count, draw) -> None:
    compare(*polynomials(draw, torch.float32, draw.integer(2, 130), 2, count))


@pytest.mark.parametrize("cells", [127, 128, 129, 255, 256])
def test_tables_around_the_limits(cells, draw) -> None:
    compare(*polynomials(draw, torch.float32, cells, 2, 600))


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_cells(dtype, deterministic, draw) -> None:
    """Atomic additions, or one-hot products by tiles."""
    before = torch.are_deterministic_algorithms_enabled()
    inputs = polynomials(draw, dtype, draw.integer(257, 400), 2, 900)
    torch.use_deterministic_algorithms(deterministic)
    try:
        compare(*inputs)
    finally:
        torch.use_deterministic_algorithms(before)


@pytest.mark.parametrize(
    ("dtype", "outputs"),
    [(torch.float32, 2), (torch.float64, 2), (torch.bfloat16, 1), (torch.float32, 3)],
)
def test_several_copies_are_added(dtype, outputs, draw, monkeypatch) -> None:
    """Atomic sums of many elements are spread over copies; here of few elements, too."""
    from qrun_equiv.scale import triton_piecewise

    made = []

    def watched(self, *shape, **options):
        made.append(shape[0])
        return zeros(self, *shape, **options)

    zeros = Tensor.new_zeros
    inputs = polynomials(draw, dtype, draw.integer(257, 300), outputs, 2000)
    monkeypatch.setattr(triton_piecewise, "_FILL", 1)
    monkeypatch.setattr(Tensor, "new_zeros", watched)
    compare(*inputs)
    assert max(size[0] for size in made) >= 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_period(dtype, draw) -> None:
    compare(*polynomials(draw, dtype, 70, 2, 500, period=2 * math.pi / draw.integer(1, 3)))


def test_float32_places_are_exact(draw) -> None:
    """Steps that are powers of two: as good as float64 places, far from zero, too."""
    grid = Grid(2.0**-3, 8 * 5000, 60)
    table = smooth(draw, grid, 2)
    x = (5000 + 7.5 * torch.from_numpy(draw.numbers.random(500)).to(DEVICE)).float()
    found = evaluate(x, table.float(), grid, using="triton")
    assert apart(found, evaluate(x.double(), table, grid, using="torch")) < 1e-7


def test_arguments_on_the_cells_edges_and_beyond(draw) -> None:
    grid, outputs = Grid(0.25, -4, 8), 2
    table = draw.tensor(8, 8, outputs)  # jumps from cell to cell
    edges = torch.arange(-6, 7, dtype=torch.float64, device=DEVICE) * 0.25
    for dtype in (torch.float32, torch.float64):
        x, t = edges.to(dtype), table.to(dtype)
        found = evaluate(x, t, grid, using="triton")
        assert apart(found, evaluate(x.double(), t.double(), grid, using="torch")) < BOUNDS[dtype]


def test_not_finite_arguments_touch_no_other(draw) -> None:
    grid, table, x, _ = polynomials(draw, torch.float32, 40, 2, 200)
    expected = evaluate(x, table, grid, using="triton")
    x[7], x[100], x[101], x[150] = math.nan, math.inf, -math.inf, 3e38
    with np.errstate(invalid="ignore", over="ignore"):
        found = evaluate(x, table, grid, using="triton")
    assert torch.isnan(found[7]).all()
    kept = [i for i in range(200) if i not in {7, 100, 101, 150}]
    assert torch.equal(found[kept], expected[kept])


def test_strides_and_empty(draw) -> None:
    grid, table, x, weights = polynomials(draw, torch.float32, 40, 2, 300)
    compare(grid, table, x[::3], weights[::3])
    compare(grid, table, x[:100], weights[:1].expand(100, 2))
    compare(grid, table.permute(2, 0, 1).contiguous().permute(1, 2, 0), x, weights)
    empty = x[:0], table, grid
    assert evaluate(*empty, using="triton").shape == (0, 2)
    for cells in (40, 300):
        slopes, sums = differentiate(
            x[:0], table.new_ones(cells, 8, 2), Grid(0.1, 0, cells), weights[:0],
            slope=True, moments=True, using="triton",
        )  # fmt: skip
        assert slopes.shape == (0,)
        assert sums.shape == (cells, 8, 2)
        assert not sums.any()


def test_only_what_is_wanted(draw) -> None:
    grid, table, x, weights = polynomials(draw, torch.float32, 40, 2, 700)
    both = differentiate(x, table, grid, weights, slope=True, moments=True, using="triton")
    for slope, moments in ((True, False), (False, True), (False, False)):
        found = differentiate(x, table, grid, weights, slope=slope, moments=moments, using="triton")
        for part, wanted, whole in zip(found, (slope, moments), both, strict=True):
            assert (part is not None) == wanted
            assert part is None or apart(part, whole) < 1e-6


def test_the_same_bits_at_every_run(draw) -> None:
    inputs = polynomials(draw, torch.float32, 200, 2, 2000)
    grid, table, x, weights = inputs
    runs = [
        differentiate(x, table, grid, weights, slope=True, moments=True, using="triton")
        for _ in range(2)
    ]
    assert torch.equal(runs[0][0], runs[1][0])
    assert torch.equal(runs[0][1], runs[1][1])


def test_products_with_the_one_hot_matrix_are_exact(draw) -> None:
    """One element a cell: its moments come out to the last bit, not to bfloat16's or tf32's."""
    grid = Grid(0.5, 0, 30)
    x = torch.arange(30, dtype=torch.float32, device=DEVICE) * 0.5 + 0.25  # t = 0
    weights = draw.tensor(30, 2, dtype=torch.float32)
    table = torch.zeros(30, 8, 2, device=DEVICE)
    _, sums = differentiate(x, table, grid, weights, slope=False, moments=True, using="triton")
    assert torch.equal(sums[:, 0].float(), weights)
    assert not sums[:, 1:].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_layer_by_knots(dtype, draw, monkeypatch) -> None:
    monkeypatch.setattr(piecewise, "backend", lambda device, outputs=2: "triton")
    torch.manual_seed(draw.integer(0, 10**6))
    layer = QRUN(5, 14, hidden=9, dtype=dtype, path="knots", outer="sin", device=DEVICE)
    x = draw.tensor(7, 3, 5, 11, dtype=dtype).movedim(2, -1)
    weights = draw.tensor(7, 3, 11, 14)
    exact = QRUN(5, 14, hidden=9, path="exact", outer="sin", dtype=torch.float64, device=DEVICE)
    exact.load_state_dict(layer.state_dict())
    results = []
    for module in (layer, exact):
        given = x.to(module.projection.weight.dtype).requires_grad_()
        values = module(given)
        wanted = [given, *module.parameters()]
        results.append([values, *torch.autograd.grad(values, wanted, weights.to(values.dtype))])
    assert layer.route.path == "knots"
    # the projection rounds, too
    bound = 5e-6 if dtype == torch.float32 else 1e-10
    assert max(apart(f, w) for f, w in zip(*results, strict=True)) < bound


def test_knots_know_few_programs() -> None:
    """The kernels sum over several programs here, or the test above shows nothing of it."""
    from qrun_equiv.scale import triton_piecewise

    assert triton_piecewise._programs(DEVICE) > 2


# re-upload and MLP, fused


def random_parts(draw: Draw, dtype=torch.float64, **sizes) -> Parts:
    """Parts as a layer starts with them, and biases."""
    chosen = {
        "scales": draw.integer(1, 6),
        "hidden": draw.integer(1, 40),
        "depth": draw.integer(1, 3),
        "outputs": draw.integer(1, 4),
        "activation": ("tanh", "relu")[draw.integer(0, 1)],
        "sine": bool(draw.integer(0, 1)),
        **sizes,
    }
    print(chosen)  # noqa: T201
    scales = torch.arange(1, chosen["scales"] + 1, device=DEVICE) + 0.1 * draw.tensor(1)
    widths = [2 * chosen["scales"], *[chosen["hidden"]] * chosen["depth"], chosen["outputs"]]
    tensors = [scales]
    for fan_in, fan_out in pairwise(widths):
        gain = math.sqrt(2) if fan_in == widths[0] else 1.5
        tensors += [draw.tensor(fan_out, fan_in) * gain / math.sqrt(fan_in)]
        tensors += [0.3 * draw.tensor(fan_out)]
    tensors = [t.to(dtype).requires_grad_() for t in tensors]
    layers = tuple(zip(tensors[1::2], tensors[2::2], strict=True))
    return Parts(tensors[0], layers, chosen["activation"], chosen["sine"])


def gradients(parts: Parts, phi: Tensor, weights: Tensor, **options) -> list[Tensor]:
    """Values, and gradients with respect to the phases and all parts."""
    phi = phi.clone().requires_grad_()
    values = fused_element(parts, phi, **options)
    assert values.dtype == phi.dtype
    found = torch.autograd.grad(values, (phi, *parts.tensors), weights.to(values.dtype))
    return [values, *found]


def distances(parts: Parts, phi: Tensor, weights: Tensor, **options) -> list[float]:
    """Of values and gradients, from plain float64.

    Relative to their sizes; a sum of terms that happen to cancel, to the root of the sum of their
    squares, which is what rounding follows.
    """
    wide = parts.replaced(tuple(t.detach().double().requires_grad_() for t in parts.tensors))
    if parts.activation == "relu":  # at a kink rounding decides which derivative it is
        smooth = away_from_kinks(wide, phi.double())
        phi, weights = phi[smooth], weights[smooth]
    wanted = gradients(wide, phi.double(), weights.to(phi.dtype).double(), using="torch")
    found = gradients(parts, phi, weights, using="triton", **options)

    def one(x: Tensor, weight: Tensor, *tensors: Tensor) -> Tensor:
        return (plain_element(wide.replaced(tensors), x) * weight).sum()

    tensors = tuple(t.detach() for t in wide.tensors)
    numbers = tuple(range(2, 2 + len(tensors)))
    apiece = vmap(grad(one, numbers), (0, 0, *(None for _ in tensors)))
    terms = apiece(phi.double(), weights.to(phi.dtype).double(), *tensors)
    sizes = [wanted[0].norm(), wanted[1].norm(), *(term.norm() for term in terms)]
    return [
        ((f.double() - w).norm() / max(w.norm(), size)).item()
        for f, w, size in zip(found, wanted, sizes, strict=True)
        if w.norm() > 0
    ]


def away_from_kinks(parts: Parts, phi: Tensor) -> Tensor:
    """Whether all hidden sums of an element are far from zero beside float32's rounding."""
    angles = phi[:, None] * parts.scales
    values = torch.stack((torch.cos(angles), torch.sin(angles)), -1).flatten(1)
    away = torch.ones_like(phi, dtype=torch.bool)
    for weight, bias in parts.layers[:-1]:
        values = torch.nn.functional.linear(values, weight, bias)
        away &= (values.abs() > 1e-5).all(1)
        values = torch.relu(values)
    return away


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_every_gradient(dtype, activation, depth, draw) -> None:
    hidden = draw.integer(2, 32 if dtype == torch.float64 else 64)
    parts = random_parts(draw, dtype, activation=activation, depth=depth, hidden=hidden)
    count, outputs = draw.integer(100, 500), len(parts.layers[-1][1])
    phi = draw.tensor(count, dtype=dtype)
    found = distances(parts, phi, draw.tensor(count, outputs))
    assert max(found) < (1e-6 if dtype == torch.float32 else 1e-12), found


@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64, 65, 200])
def test_numbers_of_elements_around_those_of_a_step(count, draw) -> None:
    parts = random_parts(draw, torch.float64, scales=2, hidden=5)
    phi = draw.tensor(count)
    assert max(distances(parts, phi, draw.tensor(count, len(parts.layers[-1][1])))) < 1e-11


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_phases(dtype, draw) -> None:
    parts = random_parts(draw, torch.float32)
    phi = draw.tensor(300, dtype=dtype)
    assert max(distances(parts, phi, draw.tensor(300, len(parts.layers[-1][1])))) < 1e-2


def test_large_angles(draw) -> None:
    """Where float32 products ``s phi`` are off by 6e-5 radians."""
    parts = random_parts(draw, torch.float32, scales=4, activation="tanh", depth=1)
    phi = (250 * draw.tensor(300)).clamp(-400, 400).float()
    assert (phi.abs().max() * parts.scales.max()).item() > 1000
    weights = draw.tensor(300, len(parts.layers[-1][1]))
    assert max(distances(parts, phi, weights)) < 1e-6


@pytest.mark.parametrize(("precision", "bound"), [("tf32x3", 2e-6), ("tf32", 3e-3), ("bf16", 1e-2)])
def test_tensor_core_precisions(precision, bound, draw) -> None:
    parts = random_parts(draw, torch.float32, hidden=32, depth=2, activation="tanh", scales=4)
    phi, weights = draw.tensor(500, dtype=torch.float32), draw.tensor(500, len(parts.layers[-1][1]))
    found = distances(parts, phi, weights, precision=precision)
    assert found[0] < bound
    assert max(found) < 3 * bound, found
    if precision != "tf32x3":  # it is what it says
        assert found[0] > {"tf32": 5e-5, "bf16": 1e-3}[precision]


def test_any_shape_and_no_element(draw) -> None:
    parts = random_parts(draw, torch.float64, hidden=6)
    phi = draw.tensor(5, 7, 9).movedim(0, -1)[:, ::2]
    assert not phi.is_contiguous()
    weights = draw.tensor(1, 1, 1, len(parts.layers[-1][1])).expand(*phi.shape, -1)
    found = gradients(parts, phi, weights, using="triton")
    wanted = gradients(parts, phi, weights, using="torch")
    assert max(apart(f, w) for f, w in zip(found, wanted, strict=True) if w.norm()) < 1e-11
    empty = gradients(parts, phi[:0], weights[:0], using="triton")
    assert empty[0].shape == (0, *phi.shape[1:], weights.shape[-1])
    assert not any(g.any() for g in empty[1:])


def test_only_some_gradients(draw) -> None:
    parts = random_parts(draw, torch.float64, hidden=6)
    phi = draw.tensor(40)
    wanted = gradients(parts, phi, torch.ones(40, len(parts.layers[-1][1])).to(DEVICE))
    values = fused_element(parts, phi, using="triton").sum()
    (found,) = torch.autograd.grad(values, parts.layers[0][0])
    assert apart(found, wanted[3]) < 1e-11
    fixed = parts.replaced(tuple(t.detach() for t in parts.tensors))
    moving = phi.clone().requires_grad_()
    (found,) = torch.autograd.grad(fused_element(fixed, moving, using="triton").sum(), moving)
    assert apart(found, wanted[1]) < 1e-11


def test_not_finite_phases_spoil_their_own_values_only(draw) -> None:
    parts = random_parts(draw, torch.float32, hidden=6, sine=False)
    phi = draw.tensor(100, dtype=torch.float32)
    expected = fused_element(parts, phi, using="triton")
    phi[3], phi[70] = math.nan, math.inf
    with np.errstate(invalid="ignore"):
        found = fused_element(parts, phi, using="triton")
    assert torch.isnan(found[[3, 70]]).all()
    kept = [i for i in range(100) if i not in {3, 70}]
    assert torch.equal(found[kept], expected[kept])


def test_first_and_second_derivatives_by_differences(draw) -> None:
    parts = random_parts(
        draw, torch.float64, scales=2, hidden=2, depth=2, outputs=2, activation="tanh"
    )
    phi = draw.tensor(3).requires_grad_()

    def function(phi: Tensor, *tensors: Tensor) -> Tensor:
        return fused_element(parts.replaced(tensors), phi, using="triton")

    assert torch.autograd.gradcheck(function, (phi, *parts.tensors))
    assert torch.autograd.gradgradcheck(function, (phi, *parts.tensors))


def test_the_same_bits_of_gradients_at_every_run(draw) -> None:
    parts, phi = random_parts(draw, torch.float32), draw.tensor(500, dtype=torch.float32)
    weights = draw.tensor(500, len(parts.layers[-1][1]))
    runs = [gradients(parts, phi, weights, using="triton") for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


def test_the_tanh_of_small_and_large_arguments() -> None:
    """One unit that sees the argument itself: ``sin(phi)`` small, times a weight."""
    size = torch.logspace(-6, 1.5, 400, dtype=torch.float64, device=DEVICE)
    for dtype, bound in ((torch.float32, 4e-7), (torch.float64, 1e-15)):
        one, zero = torch.ones(1, 1), torch.zeros(1)
        scale = 1e-3
        layers = ((torch.tensor([[0.0, 1 / scale]]), zero), (one, zero))
        layers = tuple((w.to(DEVICE, dtype), b.to(DEVICE, dtype)) for w, b in layers)
        parts = Parts(torch.full((1,), scale, dtype=dtype, device=DEVICE), layers)
        phi = torch.cat((size, -size)).to(dtype)
        found = fused_element(parts, phi, using="triton")[:, 0].double()
        wide = parts.replaced(tuple(t.double() for t in parts.tensors))
        wanted = fused_element(wide, phi.double(), using="torch")[:, 0]
        assert ((found - wanted).abs() / wanted.abs()).max().item() < bound


def test_cosine_and_sine_everywhere(draw) -> None:
    """Read through units that are linear here: relu of 2 and more."""
    one, two = torch.eye(2, device=DEVICE), torch.full((2,), 2.0, device=DEVICE)
    parts = Parts(torch.ones(1, device=DEVICE), ((one, two), (one, -two)), "relu")
    near = torch.linspace(-7, 7, 2000, device=DEVICE)
    phi = torch.cat((near, 1000 * draw.tensor(2000, dtype=torch.float32)))
    found = fused_element(parts, phi, using="triton").double()
    wanted = torch.stack((torch.cos(phi.double()), torch.sin(phi.double())), -1)
    assert (found - wanted).abs().max().item() < 2.5e-7  # 1.2e-7 of it for adding 2


def test_a_layer_and_its_parts(draw) -> None:
    layer = QRUN(3, 8, hidden=12, depth=3, activation="relu", outer="sin", dtype=torch.float64)
    layer = layer.to(DEVICE)
    phi = draw.tensor(50)
    found = fused_element(layer, phi, using="triton")
    assert apart(found, layer.element(phi)) < 1e-12
    assert torch.equal(found, fused_element(parts_of(layer), phi, using="triton"))


def test_which_backend_serves() -> None:
    if INTERPRETED:
        assert piecewise.backend(DEVICE) != "triton"  # never by default
    else:
        assert piecewise.backend(DEVICE) == "triton", piecewise.obstacle(DEVICE)
