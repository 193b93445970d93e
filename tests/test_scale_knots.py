"""A layer's one function by knots: as exact as the exact path, in every derivative."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from unittest import mock

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import functional_call, jacrev, vmap

from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import interpolation, piecewise, stencil
from qrun_equiv.scale import knots as knots_module
from qrun_equiv.scale.compiled import library
from qrun_equiv.scale.interpolation import called
from qrun_equiv.scale.knots import MOST_KNOTS, Knots, common_period
from qrun_equiv.scale.piecewise import Grid, differentiate, evaluate, moments_of

BOUNDS = {torch.float32: 1e-6, torch.float64: 1e-10}
BACKENDS = ("compiled", "torch")


class Element(nn.Module):
    """The one function of a layer."""

    def __init__(self, layer: QRUN) -> None:
        super().__init__()
        self.reuploading, self.readout = layer.reuploading, layer.observable.readout
        self.sine = layer.outer == "sin"

    def forward(self, phi: Tensor) -> Tensor:
        values = self.readout(self.reuploading(phi))
        return torch.sin(values) if self.sine else values


class Wave(nn.Module):
    """``cos(rate x)`` and its absolute value."""

    def __init__(self, rate: float, *, kinked: bool = False) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(rate, dtype=torch.float64))
        self.kinked = kinked

    def forward(self, x: Tensor) -> Tensor:
        wave = torch.cos(self.rate * x)
        return torch.stack((wave, wave.abs() if self.kinked else -wave), -1)


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == "torch":
        with mock.patch.object(piecewise, "_library", return_value=None):
            yield
    else:
        if not piecewise.compiled():
            pytest.skip("no C++ compiler")
        yield


def element(readout: str = "mlp", dtype=torch.float64, seed: int = 0, **options) -> Element:
    torch.manual_seed(seed)
    options = {"reuploads": 3, "hidden": 8, **options}
    return Element(QRUN(4, 6, readout=readout, dtype=dtype, **options))


def phases(*shape: int, width: float = 1.0, dtype=torch.float64, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (width * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


def derivatives(function, module: nn.Module, phi: Tensor, weights: Tensor) -> list[Tensor]:
    """Values, and gradients with respect to the phases and every parameter."""
    phi = phi.clone().requires_grad_()
    values = function(phi)
    wanted = [phi, *module.parameters()]
    return [values.detach(), *torch.autograd.grad(values, wanted, weights.to(values.dtype))]


def apart(found: list[Tensor], wanted: list[Tensor]) -> float:
    """Largest relative distance of two lists of tensors."""
    pairs = zip(found, wanted, strict=True)
    return max(((f.double() - w).norm() / w.norm()).item() for f, w in pairs)


def against_float64(module: nn.Module, phi: Tensor, knots: Knots, period: float = 0.0) -> float:
    weights = phases(*phi.shape, 2, seed=9)
    found = derivatives(lambda p: knots(module, p, period), module, phi, weights)
    assert knots.last.path == "knots", knots.last
    exact = copy.deepcopy(module).double()
    return apart(found, derivatives(exact, exact, phi.double(), weights))


# the same function


@pytest.mark.parametrize("width", [1.0, 8.0])
@pytest.mark.parametrize("readout", ["mlp", "matrix-product", "product"])
@pytest.mark.parametrize("dtype", BOUNDS)
def test_values_and_all_gradients_are_those_of_float64(readout, dtype, width, backend) -> None:
    module = element(readout, dtype, hidden=16)
    phi = phases(200, 150, width=width, dtype=dtype)
    assert against_float64(module, phi, Knots(always=True)) < BOUNDS[dtype]


@pytest.mark.parametrize("dtype", BOUNDS)
def test_a_trained_network_with_wide_phases(dtype) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(QRUN(1, 32, hidden=9, outer="sin"), QRUN(32, 32, hidden=9, outer="sin"))
    x = torch.linspace(-3, 3, 400)[:, None]
    network.append(nn.Linear(32, 1))
    optimiser = torch.optim.Adam(network.parameters(), 0.03)
    losses = []
    for _ in range(150):
        loss = (network(x) - torch.sin(20 * x) * torch.cos(3 * x * x)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]  # it is trained
    network.to(dtype)
    x = torch.linspace(-3, 3, 2000, dtype=dtype)[:, None]
    for layer, given in ((network[0], x), (network[1], network[0](x))):
        phi = layer.projection(given).detach()
        assert (phi.amax() - phi.amin()).item() > 4
        assert against_float64(Element(layer), phi, Knots(always=True)) < BOUNDS[dtype]


def test_training_curves_agree() -> None:
    torch.manual_seed(0)
    layer, x = QRUN(8, 32, hidden=8, dtype=torch.float64), phases(600, 8)
    target, curves, routes = torch.sin(3 * phases(600, 32, seed=2)), [], set()
    for fast in (True, False):
        trained, knots = copy.deepcopy(layer), Knots()
        optimiser, curve = torch.optim.SGD(trained.parameters(), 0.05, momentum=0.9), []
        for _ in range(40):
            phi = trained.projection(x)
            values = knots(Element(trained), phi) if fast else Element(trained)(phi)
            loss = (values.flatten(-2) - target).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            curve.append(loss.item())
        curves.append(curve)
        if fast:
            routes.add(knots.last.path)
    assert routes == {"knots"}
    assert curves[1][-1] < 0.99 * curves[1][0]
    assert max(abs(a - b) for a, b in zip(*curves, strict=True)) < 1e-9


@pytest.mark.parametrize("shape", [(9000,), (30, 20, 15), (1, 9001)])
def test_any_shape_contiguous_or_not(shape, backend) -> None:
    module, knots, phi = element(), Knots(), phases(*shape).movedim(0, -1)
    found = knots(module, phi)
    assert knots.last.path == "knots"
    torch.testing.assert_close(found, module(phi), rtol=0, atol=1e-9)


def test_an_empty_batch_and_a_single_phase() -> None:
    module, knots = element(), Knots(always=True)
    assert knots(module, torch.empty(0, 3, dtype=torch.float64)).shape == (0, 3, 2)
    phi = torch.tensor(0.3, dtype=torch.float64)
    torch.testing.assert_close(knots(module, phi), module(phi), rtol=0, atol=1e-10)
    assert knots.last.path == "knots"


def test_equal_phases(backend) -> None:
    module, phi = element(), torch.full((9000,), 0.7, dtype=torch.float64)
    assert against_float64(module, phi, Knots()) < 1e-10


def test_a_constant_function() -> None:
    module = element(hidden=4)
    with torch.no_grad():
        module.readout.layers[-1].weight.zero_()
    phi, knots = phases(9000).requires_grad_(), Knots()
    found = knots(module, phi)
    assert knots.last.path == "knots"
    torch.testing.assert_close(found, module(phi), rtol=0, atol=1e-15)
    (slope,) = torch.autograd.grad(found.sum(), phi)
    assert slope.abs().max() < 1e-12


def test_a_function_that_hardly_varies_goes_the_exact_way() -> None:
    """Differences of its values would leave few digits of its slopes."""
    module, phi, knots = element(hidden=4), phases(9000), Knots()
    with torch.no_grad():
        module.readout.layers[-1].weight.mul_(1e-6)
        module.readout.layers[-1].bias.fill_(1)
    assert torch.equal(knots(module, phi), module(phi))
    assert "varies too little" in knots.last.reason


# derivatives


@pytest.mark.parametrize("readout", ["mlp", "linear"])
def test_first_and_second_derivatives_are_consistent(readout, backend) -> None:
    module = element(readout, hidden=3, depth=1, reuploads=2)
    names = [name for name, _ in module.named_parameters()]
    values = [p.detach().clone().requires_grad_() for p in module.parameters()]
    knots = Knots(always=True)

    def function(phi: Tensor, *parameters: Tensor) -> Tensor:
        module_now = Swapped(module, dict(zip(names, parameters, strict=True)))
        return knots(module_now, phi)

    phi = phases(3).requires_grad_()
    assert gradcheck(function, (phi, *values), atol=1e-6)
    assert knots.last.path == "knots"
    assert gradgradcheck(function, (phi, *values), atol=1e-5, fast_mode=True)


class Swapped(nn.Module):
    """A module with other tensors as its parameters, which stay in the graph."""

    def __init__(self, module: nn.Module, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.module, self.tensors = (module,), tensors

    def named_parameters(self, *args, **kwargs):
        return iter(self.tensors.items())

    def named_buffers(self, *args, **kwargs):
        return self.module[0].named_buffers()

    def forward(self, phi: Tensor) -> Tensor:
        return functional_call(self.module[0], self.tensors, (phi,))


@pytest.fixture(autouse=True)
def _swapped_in_place(monkeypatch) -> None:
    """Let the code under test call a :class:`Swapped` module with other tensors."""

    def call(module, tensors, x):
        return called(module.module[0] if isinstance(module, Swapped) else module, tensors, x)

    monkeypatch.setattr(knots_module, "called", call)
    monkeypatch.setattr(interpolation, "called", call)


@pytest.mark.parametrize("dtype", BOUNDS)
def test_second_derivatives_are_those_of_the_exact_path(dtype, backend) -> None:
    """A loss on the slopes, as for forces: every gradient of it."""
    module = element(dtype=dtype, hidden=8)
    phi, weights = phases(100, 90, dtype=dtype), phases(100, 90, 2, seed=3)

    def forces(function, module, phi):
        phi = phi.clone().requires_grad_()
        values = function(phi)
        (slope,) = torch.autograd.grad(
            (values * weights.to(phi.dtype)).sum(), phi, create_graph=True
        )
        loss = slope.square().sum() + values.square().sum()
        return [slope.detach(), *torch.autograd.grad(loss, [phi, *module.parameters()])]

    knots = Knots()
    found = forces(lambda p: knots(module, p), module, phi)
    assert knots.last.path == "knots"
    exact = copy.deepcopy(module).double()
    # the slopes are the module's own, so in float32 they are rounded as on the exact path
    bound = {torch.float32: 1e-4, torch.float64: 1e-10}[dtype]
    assert apart(found, forces(exact, exact, phi.double())) < bound


@pytest.mark.parametrize("which", ["phases", "parameters"])
def test_only_what_is_asked_for_is_differentiated(which, backend) -> None:
    module, phi = element(), phases(9000)
    knots = Knots()
    if which == "phases":
        module.requires_grad_(False)
        phi.requires_grad_()
    wanted = [phi] if which == "phases" else list(module.parameters())
    weights = phases(9000, 2, seed=4)
    found = torch.autograd.grad(knots(module, phi), wanted, weights)
    assert knots.last.path == "knots"
    expected = torch.autograd.grad(module(phi), wanted, weights)
    assert apart(list(found), list(expected)) < 1e-10


def test_a_weight_changed_before_the_backward_pass_is_refused() -> None:
    module, phi = element(), phases(9000).requires_grad_()
    values = Knots()(module, phi)
    with torch.no_grad():
        next(iter(module.parameters())).add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        values.sum().backward()


class Calling(nn.Module):
    """A module by knots."""

    def __init__(self, element: nn.Module, knots: Knots, period=0.0) -> None:
        super().__init__()
        self.element, self.knots, self.period = element, knots, period

    def forward(self, phi: Tensor) -> Tensor:
        return self.knots(self.element, phi, self.period)


def test_parameters_put_in_by_functional_call_are_the_ones_differentiated() -> None:
    module, phi = element(), phases(9000)

    fast = Calling(module, Knots(always=True))
    other = {n: (1.1 * p).detach().requires_grad_() for n, p in fast.named_parameters()}
    phi.requires_grad_()
    values = functional_call(fast, other, (phi,))
    assert fast.knots.last.path == "knots"
    (slope,) = torch.autograd.grad(values.sum(), phi, create_graph=True)
    found = torch.autograd.grad(slope.square().sum(), list(other.values()), allow_unused=True)
    stripped = {name.removeprefix("element."): t for name, t in other.items()}
    exact = functional_call(module, stripped, (phi,))
    (slope,) = torch.autograd.grad(exact.sum(), phi, create_graph=True)
    wanted = torch.autograd.grad(slope.square().sum(), list(other.values()), allow_unused=True)
    used = [(f, w) for f, w in zip(found, wanted, strict=True) if w is not None]
    assert len(used) > 4
    assert apart(*map(list, zip(*used, strict=True))) < 1e-10


# how many knots


def test_the_estimate_bounds_the_error_and_is_of_its_size() -> None:
    wave, x = Wave(3.0), phases(20_000, width=2.0).requires_grad_()
    for exponent in range(-4, 0):
        grid = Grid(2.0**exponent, -200, 400)
        knots = stencil.knots_of(grid, x.device)
        table, estimate, _ = stencil.coefficients(wave(knots).detach())
        values = evaluate(x.detach(), table, grid)
        (true,) = torch.autograd.grad(wave(x)[:, 0].sum(), x)
        one = torch.tensor([1.0, 0.0], dtype=torch.float64).expand(len(x), 2)
        slope, _ = differentiate(x.detach(), table, grid, one, slope=True, moments=False)
        in_values = (values - wave(x)).abs().max().item()
        in_slopes = ((slope - true).abs().max() / 3).item()
        assert in_values < estimate
        assert estimate / 4 < in_slopes < estimate


def test_a_tolerance_asked_for_is_kept_with_fewer_knots() -> None:
    module, phi, counts = element(), phases(9000), []
    for tolerance in (1e-3, 1e-6, 1e-9):
        knots = Knots(tolerance=tolerance)
        for _ in range(4):  # the step may widen from call to call
            found = knots(module, phi)
        assert knots.last.path == "knots"
        exact = module(phi)
        assert (found - exact).abs().max() < tolerance * exact.abs().max()
        counts.append(knots.last.knots)
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_frequency_that_vanishes_at_all_knots_is_seen() -> None:
    """cos(2 pi 16 x) is 1 at every multiple of 1/16, the first step."""
    wave, phi, knots = Wave(32 * math.pi), phases(2000), Knots(always=True)
    found = knots(wave, phi)
    assert knots.last.path == "knots"
    assert knots.last.step < 1 / 16
    torch.testing.assert_close(found, wave(phi), rtol=0, atol=1e-9)


def test_the_step_follows_the_function() -> None:
    wave, phi, knots = Wave(1.0), phases(50_000), Knots()
    steps = []
    for rate in (1.0, 60.0, 60.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        with torch.no_grad():
            wave.rate.fill_(rate)
        torch.testing.assert_close(knots(wave, phi), wave(phi), rtol=0, atol=1e-9)
        steps.append(knots.last.step)
    assert steps[1] == steps[2] < steps[0] == steps[-1]


def test_a_function_with_a_kink_goes_the_exact_way_and_says_so_once() -> None:
    wave, phi, knots = Wave(1.0, kinked=True), phases(20_000, width=2.0), Knots(most=2000)
    with pytest.warns(
        RuntimeWarning, match=r"knots over .* radians are more than the 2000 allowed"
    ):
        found = knots(wave, phi)
    assert torch.equal(found, wave(phi))
    assert knots.last.path == "exact"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            assert torch.equal(knots(wave, phi), wave(phi))
    wave.kinked = False
    paths = []
    for _ in range(10):  # and comes back, after a while, once it is smooth
        knots(wave, phi)
        paths.append(knots.last.path)
    assert paths[-1] == "knots"


def test_a_phase_far_away_goes_the_exact_way() -> None:
    module, phi, knots = element(), phases(9000), Knots()
    phi[17] = 1e6
    with pytest.warns(RuntimeWarning, match=f"more than the {MOST_KNOTS} allowed"):
        found = knots(module, phi)
    assert torch.equal(found, module(phi))
    knots(module, phi.clamp(-3, 3))
    assert knots.last.path == "knots"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_phases_that_are_not_finite_behave_as_on_the_exact_path(bad) -> None:
    module, phi, knots = element(), phases(9000), Knots()
    phi[5] = bad
    found = knots(module, phi)
    assert torch.equal(found.isnan().any(-1), phi.isfinite().logical_not())
    torch.testing.assert_close(found, module(phi), rtol=0, atol=0, equal_nan=True)


def test_weights_that_are_not_finite_behave_as_on_the_exact_path() -> None:
    module, phi, knots = element(), phases(9000), Knots()
    knots(module, phi)
    with torch.no_grad():
        module.readout.layers[0].weight[0, 0] = math.nan
    assert knots(module, phi).isnan().all()
    assert "not finite" in knots.last.reason


def test_few_elements_go_the_exact_way() -> None:
    module, phi, knots = element(), phases(100), Knots()
    assert torch.equal(knots(module, phi), module(phi))
    assert "100 elements are few" in knots.last.reason


# a period


@pytest.mark.parametrize("dtype", BOUNDS)
def test_a_period_needs_fewer_knots(dtype, backend) -> None:
    module = element(dtype=dtype, scales="shared-fixed", reuploads=3, hidden=8)
    period = common_period(module.reuploading.scales.tolist())
    assert period == 2 * math.pi
    phi, knots, without = (
        phases(200, 100, width=50.0, dtype=dtype),
        Knots(),
        Knots(always=True, most=1 << 19),
    )
    assert against_float64(module, phi, knots, period) < 2 * BOUNDS[dtype]
    asked = Knots()
    asked(module, phi, lambda: period)
    assert asked.last.knots == knots.last.knots
    without(module, phi)
    assert 10 * knots.last.knots < without.last.knots


@pytest.mark.parametrize(
    ("scales", "period"),
    [
        ([1, 2, 3], 2 * math.pi),
        ([0.5, 0.75], 8 * math.pi),
        ([0.0, 4.0], math.pi / 2),
        ([-2.0, 6.0], math.pi),
        ([1.0, 0.1], 0.0),
        ([1.0, 513.0], 0.0),
        ([0.0], 0.0),
    ],
)
def test_common_periods(scales, period) -> None:
    assert common_period(scales) == pytest.approx(period)


# where knots can't serve


def exactly(module: nn.Module, phi: Tensor, reason: str) -> None:
    knots = Knots(always=True)
    assert torch.equal(knots(module, phi), module(phi))
    assert knots.last.path == "exact"
    assert reason in knots.last.reason


@pytest.mark.parametrize(("dtype", "bound"), [(torch.bfloat16, 8e-3), (torch.float16, 1e-3)])
def test_short_numbers_are_rounded_once(dtype, bound, backend) -> None:
    """As good as float64 at the same short phases, weights and gradients: half an ulp each."""
    module = element(dtype=dtype, hidden=16)
    assert against_float64(module, phases(200, 150, dtype=dtype), Knots(always=True)) < bound


def test_under_autocast_knots_serve_and_are_better_than_the_exact_path() -> None:
    torch.manual_seed(0)
    layer = QRUN(16, 64)
    exact = copy.deepcopy(layer)
    exact.path = "exact"
    x, weights = phases(400, 16, dtype=torch.float32), phases(400, 64, seed=4)
    found = {}
    for name, module in (("knots", layer), ("exact", exact)):
        with torch.autocast("cpu", torch.bfloat16):
            values = module(x)
        assert values.dtype == torch.bfloat16
        wanted = list(module.observable.parameters())
        found[name] = [values, *torch.autograd.grad(values, wanted, weights.to(values.dtype))]
    assert layer.route.path == "knots"
    # the phases as autocast rounds them, everything else in float64
    with torch.autocast("cpu", torch.bfloat16):
        phi = layer.projection(x).double().detach()
    twin = copy.deepcopy(layer).double()
    right = twin.element(phi).flatten(-2)
    rest = torch.autograd.grad(right, list(twin.observable.parameters()), weights)
    reference = [right.detach(), *rest]
    assert apart(found["knots"], reference) < 8e-3
    assert apart(found["knots"], reference) < 0.5 * apart(found["exact"], reference)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_second_derivatives_of_short_numbers(dtype) -> None:
    """A gradient penalty under autocast: that of float64, up to rounding."""
    module, phi = element(dtype=dtype), phases(9000, dtype=dtype)

    def penalty(function, module, phi):
        phi = phi.clone().requires_grad_()
        (slopes,) = torch.autograd.grad(function(phi).sum(), phi, create_graph=True)
        *wanted, _ = phi, *module.parameters()  # the last bias has no part in slopes
        return list(torch.autograd.grad(slopes.square().mean(), wanted))

    knots = Knots()
    with torch.autocast("cpu", torch.bfloat16):
        found = penalty(lambda p: knots(module, p), module, phi)
    assert knots.last.path == "knots"
    exact = copy.deepcopy(module).double()
    assert apart(found, penalty(exact, exact, phi.double())) < 2e-2


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_forward_derivatives_go_the_exact_way() -> None:
    module, phi = element(), phases(20)
    with forward_ad.dual_level():
        exactly(module, forward_ad.make_dual(phi, torch.ones_like(phi)), "forward")


def test_function_transforms_and_compilation_go_the_exact_way() -> None:
    module, phi, knots = element(hidden=4), phases(6), Knots(always=True)
    expected = vmap(jacrev(module))(phi)
    torch.testing.assert_close(vmap(jacrev(lambda p: knots(module, p)))(phi), expected)
    stacked = {n: torch.stack((p, 2 * p)).detach() for n, p in module.named_parameters()}

    def period() -> float:  # no transformed tensor has numbers to read
        return common_period(module.reuploading.scales.tolist())

    def member(parameters: dict[str, Tensor]) -> Tensor:
        return functional_call(Calling(module, knots, period), parameters, (phi,))

    members = vmap(member)({f"element.{n}": t for n, t in stacked.items()})
    for k in range(2):
        one = functional_call(module, {n: t[k] for n, t in stacked.items()}, (phi,))
        torch.testing.assert_close(members[k], one)
    torch._dynamo.reset()
    compiled = torch.compile(lambda p: knots(module, p), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(phi), module(phi))


def test_meta_tensors_go_the_exact_way() -> None:
    module = element().to("meta")
    assert Knots(always=True)(module, torch.empty(5, device="meta", dtype=torch.float64)).shape == (
        5,
        2,
    )


@pytest.mark.parametrize("options", [{"tolerance": 0.0}, {"tolerance": 1e-15}, {"most": 3}])
def test_bad_options_are_refused(options) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be at least"):
        Knots(**options)


def test_copies_and_pickles() -> None:
    module, phi, knots = element(), phases(9000), Knots(tolerance=1e-6)
    wanted = knots(module, phi)
    for again in (copy.deepcopy(knots), pickle.loads(pickle.dumps(knots))):
        torch.testing.assert_close(again(module, phi), wanted, rtol=1e-6, atol=1e-6)
        assert again.last.path == "knots"


# memory, and the piecewise polynomials themselves


def test_little_is_kept_for_the_backward_pass() -> None:
    module, phi = element(dtype=torch.float32), phases(2000, 100, dtype=torch.float32)
    sizes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    knots = Knots()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        knots(module, phi.requires_grad_())
    assert knots.last.path == "knots"
    graph = knots.last.knots * 8 * (4 * 32 + 60)  # float64, two layers of 32, features, the table
    assert sum(sizes.values()) < phi.nbytes + 2 * graph


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("period", [0.0, 3.0])
@pytest.mark.parametrize("dtype", BOUNDS)
def test_piecewise_polynomials(outputs, period, dtype, backend) -> None:
    grid = Grid(0.25, -6, 12, period)
    table, x = phases(12, 8, outputs, dtype=dtype), phases(5001, dtype=dtype).clamp(-1.49, 1.49)
    weights = phases(5001, outputs, seed=3, dtype=dtype)
    if period:
        x = x + 3 * torch.arange(5001).remainder(5).to(dtype)
    leaf, coefficients = x.double().requires_grad_(), table.double().requires_grad_()
    reduced = leaf - period * torch.round(leaf.detach() / 3)
    cell = torch.floor(reduced.detach() / 0.25)
    t = reduced / 0.25 - cell - 0.5
    rows = coefficients[cell.long() + 6]
    expected = sum(rows[:, j] * t[:, None] ** j for j in range(8))
    slopes, moments = torch.autograd.grad(expected, [leaf, coefficients], weights.double())
    bound = 1e-5 if dtype == torch.float32 else 1e-12
    close = {"rtol": bound, "atol": 10 * bound}
    torch.testing.assert_close(evaluate(x, table, grid).double(), expected.detach(), **close)
    found = differentiate(x, table, grid, weights, slope=True, moments=True)
    torch.testing.assert_close(found[0].double(), slopes, rtol=bound, atol=100 * bound)
    torch.testing.assert_close(found[1], moments, rtol=bound, atol=100 * bound)
    torch.testing.assert_close(moments_of(x, grid, weights), moments, rtol=bound, atol=100 * bound)
    assert differentiate(x, table, grid, weights, slope=False, moments=False) == (None, None)


def forget() -> None:
    piecewise._library.cache_clear()
    library.cache_clear()


def test_without_a_compiler_torch_operations_serve(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    forget()
    try:
        assert not piecewise.compiled()
        module, phi = element(), phases(9000)
        assert against_float64(module, phi, Knots()) < 1e-10
    finally:
        forget()


def test_a_compiler_that_fails_is_no_compiler(monkeypatch, tmp_path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    forget()
    try:
        assert not piecewise.compiled()
    finally:
        forget()
