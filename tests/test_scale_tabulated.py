"""Compiled layers and stacks: what runs, what is refused, and the bound of a whole stack."""

from __future__ import annotations

import copy
import math
import warnings
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.autograd import forward_ad
from torch.func import vmap
from torch.fx.experimental.proxy_tensor import make_fx

from qrun_equiv.errors import FormalError
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import piecewise
from qrun_equiv.scale.tabulated import compile_for_inference, restore
from qrun_equiv.scale.tabulated_bound import error_bound
from qrun_equiv.scale.tabulated_layer import TabulatedQRUN

SINGLE, DOUBLE = torch.float32, torch.float64
UNRELATED = [0.71, 1.93, math.e, math.pi]  # no short period


def layer_of(*sizes, seed=0, dtype=SINGLE, **options):
    torch.manual_seed(seed)
    options = {"hidden": 8} | options
    return QRUN(*(sizes or (5, 6)), dtype=dtype, **options)


def inputs(*shape, seed=1, dtype=SINGLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def exactly(layer, x):
    """A layer's real function, in float64, of the phases that it computes in its own dtype."""
    phi = layer.projection(x).double()
    return copy.deepcopy(layer).double().element(phi).flatten(-2).detach()


@pytest.mark.parametrize("backend", ["compiled", "torch"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(SINGLE, 3e-6), (DOUBLE, 1e-9)])
@pytest.mark.parametrize("kind", ["cubic", "septic"])
def test_a_compiled_layer_is_the_layer(backend, dtype, tolerance, kind):
    layer = layer_of(dtype=dtype)
    before = copy.deepcopy(layer.state_dict())
    compiled = compile_for_inference(layer, tolerance, kind=kind)
    assert compiled.bound <= tolerance
    assert error_bound(compiled).total == pytest.approx(compiled.bound)
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())
    assert all(p.requires_grad for p in layer.parameters())
    if backend == "compiled" and not piecewise.compiled():
        pytest.skip("no C++ compiler")
    hidden = mock.patch.object(piecewise, "_library", return_value=None)
    with hidden if backend == "torch" else warnings.catch_warnings():
        for shape in ((300, 5), (2, 3, 7, 5), (5,), (0, 5)):
            x = inputs(*shape, dtype=dtype)
            found = compiled(x)
            assert found.shape == (*shape[:-1], 6)
            assert found.dtype == dtype
            gap = (found.double() - exactly(layer, x)).abs().max() if found.numel() else 0.0
            assert gap <= compiled.bound
        spread = inputs(5, 40, dtype=dtype).T
        assert not spread.is_contiguous()
        assert (compiled(spread).double() - exactly(layer, spread)).abs().max() <= compiled.bound
    assert compiled.outside == 0


def test_one_output_an_element():
    layer = layer_of(5, 7, outputs_per_element=1, readout="linear")
    compiled = compile_for_inference(layer, 3e-6)
    x = inputs(50, 5)
    assert (compiled(x).double() - exactly(layer, x)).abs().max() <= compiled.bound


def test_phases_outside_are_exact():
    layer = layer_of(initial_scales=UNRELATED)
    x = inputs(400, 5)
    compiled = compile_for_inference(layer, 3e-6, observed=x)
    compiled(x)
    assert compiled.outside == 0
    phases = layer.projection(x).detach()
    facts = compiled.certificate
    width = float(phases.max() - phases.min())
    assert facts.low == pytest.approx(float(phases.min()) - 0.25 * width, rel=1e-5)
    assert facts.high == pytest.approx(float(phases.max()) + 0.25 * width, rel=1e-5)
    far = x * 50
    found, wanted = compiled(far), exactly(layer, far)
    phi = layer.projection(far).detach()
    outside = (phi < facts.low) | (phi > facts.high)
    assert compiled.outside == int(outside.sum()) > 100
    gap = (found.double() - wanted).abs()
    assert gap.max() <= compiled.bound
    mask = outside.repeat_interleave(2, -1)
    assert torch.equal(found[mask], wanted[mask].float())


@pytest.mark.parametrize("scales", ["harmonic", UNRELATED])
def test_what_is_not_finite_is_as_in_the_exact_path(scales):
    layer = layer_of(initial_scales=scales, path="exact")
    compiled = compile_for_inference(
        layer, 3e-6, phase_range=None if scales == "harmonic" else (-3, 3)
    )
    x = inputs(20, 5)
    x[2, 1], x[5, 0], x[7, 3], x[9] = math.nan, math.inf, -math.inf, 1e30
    with torch.no_grad():
        found, wanted = compiled(x), layer(x)
    assert torch.equal(torch.isnan(found), torch.isnan(wanted))
    assert torch.isnan(found).sum() >= 18
    rest = [k for k in range(20) if k not in (2, 5, 7, 9)]
    assert (found[rest] - wanted[rest]).abs().max() < 1e-5
    assert compiled.outside == 12
    assert compiled(x[rest]).isfinite().all()
    assert compiled.outside == 0


class Residual(nn.Module):
    """A model of one's own, with the same layer twice."""

    def __init__(self):
        super().__init__()
        self.first, self.inner = nn.Linear(3, 6), nn.ModuleDict({"q": layer_of(6, 6)})
        self.again = self.inner["q"]
        self.last = layer_of(6, 2, seed=3, initial_scales=UNRELATED)

    def forward(self, x, shift):
        x = torch.relu(self.first(x)) + shift
        return self.last(x + self.inner["q"](x) + self.again(2 * x))


def test_a_model_of_ones_own():
    torch.manual_seed(4)
    model = Residual().train()
    x, shift = inputs(200, 3), inputs(6, seed=8)
    compiled = compile_for_inference(model, 3e-6, observed=(x, shift))
    assert model.training
    assert not compiled.training
    assert isinstance(compiled.inner["q"], TabulatedQRUN)
    assert compiled.again is compiled.inner["q"]
    assert not any(isinstance(m, QRUN) for m in compiled.modules())
    with torch.no_grad():
        assert (compiled(x, shift) - model.double()(x.double(), shift.double())).abs().max() < 1e-4
    bound = error_bound(compiled)
    assert bound.total is None
    assert "Residual is no nn.Sequential" in bound.reason
    assert set(bound.layers) == {"inner.q", "last"}
    assert bound.layers["last"] == compiled.last.bound


def refused(module, *args, **options):
    with pytest.raises((ValueError, TypeError, RuntimeError)) as refusal:
        compile_for_inference(module, *args, **options)
    return refusal.type, str(refusal.value)


def test_refusals():
    layer = layer_of()
    unrelated = layer_of(initial_scales=UNRELATED)
    kind, text = refused(nn.Linear(2, 2))
    assert kind is ValueError
    assert "no QRUN layer" in text
    assert "share the scales" in refused(layer_of(scales="per-element"))[1]
    kind, text = refused(nn.Sequential(nn.ReLU(), unrelated))
    assert "layer '1'" in text
    assert "observed=inputs" in text
    assert "empty" in refused(unrelated, observed=inputs(0, 5))[1]
    assert "not finite" in refused(unrelated, observed=inputs(4, 5) * math.inf)[1]
    assert refused(layer.bfloat16()) == (
        TypeError,
        "the layer is of torch.bfloat16; tables are float32 or float64: cast it, layer.float()",
    )
    layer = layer_of()
    layer.projection.double()
    assert refused(layer)[0] is TypeError
    layer = layer_of()
    with torch.no_grad():
        layer.observable.readout.layers[0].bias[0] = math.nan
    assert "weights that are not finite" in refused(layer)[1]
    layer = layer_of()
    layer.register_forward_hook(lambda *_: None)
    assert "hooks" in refused(layer)[1]
    layer = layer_of()
    assert "below what float32 reaches" in refused(layer, 1e-9)[1]
    kind, text = refused(layer, 1e-6, kind="linear", most_cells=100)
    assert "the layer: a table of tolerance 1e-06" in text
    assert "limit is 100" in text
    for value in (0.0, -1.0, math.nan, math.inf):
        assert "tolerance" in refused(layer, value)[1]
    assert refused(layer, "1e-6")[0] is TypeError
    assert refused(layer, margin=-1.0)[0] is ValueError
    assert refused(layer, kind="quintic")[0] is ValueError
    assert refused(layer, most_cells=0)[0] is ValueError
    for ends in ((1.0, 1.0), (2.0, 1.0), (0.0, math.inf)):
        assert "phase_range" in refused(layer, phase_range=ends)[1]


def test_a_layer_with_a_forward_of_its_own_is_refused():
    class Other(QRUN):
        def forward(self, x):
            return 2 * super().forward(x)

    kind, text = refused(Other(5, 6))
    assert kind is TypeError
    assert "Other" in text


def test_readouts_that_cannot_be_followed_name_the_layer():
    layer = layer_of()
    layer.observable.readout.layers[1] = nn.Softsign()
    with pytest.raises(FormalError, match=r"layer '0':"):
        compile_for_inference(nn.Sequential(layer))


def test_other_dtypes_and_gradients_are_refused_when_called():
    compiled = compile_for_inference(layer_of(), 3e-6)
    x = inputs(9, 5)
    with pytest.raises(RuntimeError, match="no gradients"):
        compiled(x.requires_grad_(True))
    with torch.no_grad():
        wanted = compiled(x)
    with pytest.raises(TypeError, match="float64"):
        copy.deepcopy(compiled).double()(x.detach().double())
    with pytest.raises(TypeError, match="bfloat16"), torch.autocast("cpu", torch.bfloat16):
        compiled(x.detach())
    with pytest.raises(TypeError, match=r"bound holds for torch.float32.* cast the input back"):
        compiled(x.detach().bfloat16())
    with pytest.raises(ValueError, match="in_features"):
        compiled(x[:, :4].detach())
    with pytest.raises(TypeError, match="floating"):
        compiled(torch.ones(3, 5, dtype=torch.int64))
    assert torch.equal(copy.deepcopy(compiled)(x.detach()), wanted)


def test_constant_phases_and_zero_scales():
    layer = layer_of(initial_scales=UNRELATED)
    x = inputs(1, 5).expand(30, 5)
    single = compile_for_inference(layer_of(5, 2, initial_scales=UNRELATED), 3e-6, observed=x)
    assert single(x).isfinite().all()
    assert single.outside == 0
    with torch.no_grad():
        layer.reuploading.scales.zero_()
    flat = compile_for_inference(layer, 3e-6, observed=x)
    assert (flat(x).double() - exactly(layer, x)).abs().max() <= flat.bound


def test_a_long_period_gives_way_to_the_observed_range():
    layer = layer_of(initial_scales=[0.03125, 0.0625, 0.09375, 0.125])
    assert compile_for_inference(layer, 3e-6).certificate.period == pytest.approx(64 * math.pi)
    assert compile_for_inference(layer, 3e-6, observed=inputs(9, 5)).certificate.period == 0
    short = layer_of()
    assert compile_for_inference(short, 3e-6, observed=inputs(200, 5)).certificate.period > 0
    assert compile_for_inference(short, 3e-6, phase_range=(-1, 1)).certificate.period == 0


# --- stacks -------------------------------------------------------------------------------------


def stack(dtype, seed=0):
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(8, dtype=dtype)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):
            tensor.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    return nn.Sequential(
        nn.Linear(5, 5, dtype=dtype),
        layer_of(5, 8, seed=seed, dtype=dtype),
        nn.Sequential(norm, nn.Tanh(), nn.Dropout(0.3)),
        layer_of(8, 6, seed=seed + 1, dtype=dtype, initial_scales=UNRELATED),
        nn.GELU(),
        nn.Identity(),
        nn.Linear(6, 6, dtype=dtype),
        nn.ReLU(),
        layer_of(6, 4, seed=seed + 2, dtype=dtype, readout="linear"),
        nn.Sigmoid(),
        nn.Flatten(),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(SINGLE, 3e-6), (DOUBLE, 1e-10), (SINGLE, 1e-4)])
def test_the_bound_of_a_stack_holds(dtype, tolerance):
    model = stack(dtype).eval().requires_grad_(False)
    x = inputs(3000, 5, dtype=dtype)
    compiled = compile_for_inference(model, tolerance, observed=x, kind="cubic")
    bound = error_bound(compiled)
    assert bound.reason == ""
    assert bound.layers["1"] <= tolerance
    found = compiled(x).double()
    assert all(m.outside == 0 for m in compiled.modules() if isinstance(m, TabulatedQRUN))
    # the same first phases, then real arithmetic
    exact = copy.deepcopy(model).double()
    first = model[1].projection(model[0](x)).double()
    values = exact[1].element(first).flatten(-2)
    for module in exact[2:]:
        values = module(values)
    worst = float((found - values).abs().max())
    assert worst <= bound.total
    # products of row sums and slopes at their largest: two to three orders for three layers
    assert bound.total < 3000 * worst


def test_each_rule_is_a_bound_and_close():
    """One module behind one table: differences are the module's own."""
    torch.manual_seed(3)
    norm = nn.BatchNorm1d(6).eval()
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.01, 0.02)
    wide = nn.Linear(6, 6)
    with torch.no_grad():
        wide.weight.mul_(10)
    layer = layer_of()
    compiled = compile_for_inference(layer, 1e-3, kind="linear")
    x = inputs(20_000, 5)
    start, exact = compiled(x), exactly(layer, x)
    alone = float((start.double() - exact).abs().max())
    for module in (norm, wide, nn.Tanh(), nn.GELU(), nn.GELU("tanh"), nn.ReLU(), nn.Sigmoid()):
        bound = error_bound(nn.Sequential(compiled, module)).total
        gap = module(start).double() - copy.deepcopy(module).double()(exact)
        found = float(gap.detach().abs().max())
        assert found <= bound, module
        assert bound <= 10 * found, module
    assert alone <= compiled.bound < 3 * alone


def test_activations_have_the_slopes_and_roundings_assumed():
    x = torch.linspace(-12, 12, 400_001, dtype=DOUBLE).requires_grad_(True)
    for module, most in (
        (nn.GELU(), 1.13),
        (nn.GELU("tanh"), 1.13),
        (nn.Tanh(), 1),
        (nn.Sigmoid(), 0.25),
    ):
        values = module(x)
        (slope,) = torch.autograd.grad(values.sum(), x)
        assert 0.99 * most < slope.abs().max() <= most
        single = x.detach().float()
        gap = (module(single).double() - module(single.double())).abs()
        height = (
            single.double().abs().clamp(min=1e-3) if isinstance(module, nn.GELU) else values.abs()
        )
        assert bool((gap <= 16 * 2.0**-24 * height.detach().clamp(max=12)).all())


def test_reasons_for_no_bound():
    layer = compile_for_inference(layer_of(5, 6), 1e-4)
    last = compile_for_inference(
        layer_of(6, 6, initial_scales=UNRELATED), 1e-4, phase_range=(-2, 2)
    )

    def reason(*modules):
        bound = error_bound(nn.Sequential(*modules))
        assert bound.total is None
        return bound.reason

    assert "LayerNorm" in reason(layer, nn.LayerNorm(6))
    assert error_bound(nn.Sequential(nn.LayerNorm(5), layer)).total == pytest.approx(layer.bound)
    assert "Dropout" in reason(layer, nn.Dropout(0.5).train())
    assert "BatchNorm1d" in reason(layer, nn.BatchNorm1d(6).train())
    assert "bfloat16" in reason(layer, nn.Linear(6, 6, dtype=torch.bfloat16))
    hooked = nn.Tanh()
    hooked.register_forward_hook(lambda *_: None)
    assert "hooks" in reason(layer, hooked)
    grown = nn.Linear(6, 6)
    with torch.no_grad():
        grown.weight.mul_(1e4)
    assert "smaller tolerance" in reason(layer, grown, last)

    class Twice(nn.Sequential):
        def forward(self, x):
            return 2 * super().forward(x)

    assert "Twice" in error_bound(Twice(layer)).reason
    with pytest.raises(ValueError, match="no compiled layer"):
        error_bound(nn.Linear(2, 2))


# --- saving, export -----------------------------------------------------------------------------


def test_states_are_restored_without_a_new_certificate(tmp_path):
    model = nn.Sequential(layer_of(), nn.Tanh(), layer_of(6, 4, initial_scales=UNRELATED))
    x = inputs(50, 5)
    compiled = compile_for_inference(model, 3e-6, observed=x, kind="cubic")
    save_file(compiled.state_dict(), tmp_path / "model.safetensors")
    fresh = nn.Sequential(layer_of(seed=9), nn.Tanh(), layer_of(6, 4, seed=9))
    again = restore(fresh, load_file(tmp_path / "model.safetensors"))
    assert torch.equal(again(x), compiled(x))
    assert again[0].certificate == compiled[0].certificate
    assert again[2].certificate == compiled[2].certificate
    assert error_bound(again) == error_bound(compiled)
    alone = compile_for_inference(layer_of(dtype=DOUBLE), 1e-9)
    torch.save(alone.state_dict(), tmp_path / "layer.pt")
    state = torch.load(tmp_path / "layer.pt", weights_only=True)
    assert restore(layer_of(dtype=DOUBLE, seed=5), state).certificate == alone.certificate
    # into a module that was compiled with other cells
    other = compile_for_inference(layer_of(dtype=DOUBLE, seed=5), 1e-4, kind="linear")
    other.load_state_dict(state)
    places = inputs(50, 5, dtype=DOUBLE)
    assert torch.equal(other(places), alone(places))
    assert other.bound == alone.bound


def test_states_that_do_not_fit_are_refused():
    compiled = compile_for_inference(layer_of(), 3e-6)
    with pytest.raises(ValueError, match="no table"):
        restore(layer_of(), layer_of().state_dict())
    with pytest.raises(RuntimeError, match="projection"):
        restore(layer_of(7, 6), compiled.state_dict())
    state = compiled.state_dict()
    state["_extra_state"] = torch.zeros(3)
    with pytest.raises(ValueError, match="float64 tensor"):
        restore(layer_of(), state)


@pytest.mark.parametrize("kind", [pytest.param("cubic", marks=pytest.mark.slow), "septic"])
def test_export_gives_the_same_numbers(kind):
    model = nn.Sequential(layer_of(), nn.Tanh(), layer_of(6, 4, initial_scales=UNRELATED)).eval()
    x = inputs(60, 5)
    compiled = compile_for_inference(model, 1e-4, observed=x, kind=kind)
    batch = torch.export.Dim("batch")
    program = torch.export.export(compiled, (x,), dynamic_shapes=({0: batch},)).module()
    strange = inputs(23, 5, seed=6)
    strange[3], strange[4, 1], strange[5] = 40.0, math.nan, math.inf
    for given in (x, strange, inputs(2, 5)):
        found, wanted = program(given), compiled(given)
        torch.testing.assert_close(found, wanted, rtol=0, atol=2e-6, equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_a_trace_by_dispatch_holds_the_operations():
    layer = layer_of(initial_scales=UNRELATED)
    compiled = compile_for_inference(layer, 1e-5, phase_range=(-4, 4))
    traced = make_fx(compiled)(inputs(9, 5))
    x = inputs(9, 5, seed=2)
    assert (traced(x) - compiled(x)).abs().max() <= 1e-6


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own
def test_forward_derivatives_are_refused():
    compiled = compile_for_inference(layer_of(), 1e-5)
    x = inputs(9, 5)
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match="has no gradients"):
        compiled(forward_ad.make_dual(x, x))


def test_function_transforms_are_refused():
    compiled = compile_for_inference(layer_of(), 3e-6)
    with pytest.raises(RuntimeError, match="whole batches"):
        vmap(compiled)(inputs(6, 4, 5))


@pytest.mark.filterwarnings("ignore")  # of the exporter's own making
def test_onnx_runs_elsewhere(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    model = nn.Sequential(layer_of(), nn.Tanh(), layer_of(6, 4, initial_scales=UNRELATED)).eval()
    x = inputs(60, 5)
    compiled = compile_for_inference(model, 3e-6, observed=x)
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        compiled, (x,), dynamo=True, verbose=False, dynamic_shapes=({0: batch},)
    )
    program.save(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert {node.domain for node in program.model.graph} <= {""}  # no custom operators
    strange = inputs(23, 5, seed=6)
    strange[3], strange[4, 1], strange[5] = 9.0, math.nan, math.inf
    for given in (x, strange, inputs(1, 5)):
        (found,) = session.run(None, {session.get_inputs()[0].name: given.numpy()})
        wanted = compiled(given)
        torch.testing.assert_close(
            torch.from_numpy(found), wanted, rtol=0, atol=5e-6, equal_nan=True
        )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("dtype", "tolerance"), [(SINGLE, 3e-6), (DOUBLE, 1e-9)])
def test_on_a_gpu(dtype, tolerance):
    layer = layer_of(32, 64, dtype=dtype).cuda()
    compiled = compile_for_inference(layer, tolerance)
    x = inputs(5000, 32, dtype=dtype).cuda()
    x[7, 3] = math.nan
    found, wanted = compiled(x), exactly(layer, x)
    assert torch.isnan(found[7]).all()
    keep = torch.arange(5000) != 7
    assert float((found[keep].double() - wanted[keep]).abs().max()) <= compiled.bound
