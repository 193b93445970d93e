"""The Q-RUN layer: its formula, its redundancies, its published sizes and its life as a module."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from qrun_equiv.qrun import QRUN, ElementwiseObservable, ReadoutName
from qrun_equiv.readout import MLP, Linear
from qrun_equiv.reuploading import DataReuploading, InitialScales, ScaleMode

READOUTS = get_args(ReadoutName)
MODES = get_args(ScaleMode)
ROUNDING = 1e-12  # float64, outputs of order one


def layer(*sizes: int, **options: Any) -> QRUN:
    torch.manual_seed(0)
    return QRUN(*sizes, **{"dtype": torch.float64, **options})


def inputs(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


# what the layer computes


@pytest.mark.parametrize("outer", ["none", "sin"])
def test_published_layer_is_its_formula(outer: str) -> None:
    """Number by number, element by element, in the order of the published flattening."""
    module, x = layer(3, 6, reuploads=2, hidden=4, outer=outer), inputs(3)
    weight, bias = module.projection.weight.tolist(), module.projection.bias.tolist()
    scales = module.reuploading.scales.tolist()
    dense = [
        (p.weight.tolist(), p.bias.tolist()) for p in module.modules() if type(p) is nn.Linear
    ][1:]
    assert [len(w) for w, _ in dense] == [4, 4, 2]
    expected = []
    for w_j, b_j in zip(weight, bias, strict=True):
        phi = sum(w * v for w, v in zip(w_j, x.tolist(), strict=True)) + b_j
        values = [f(s * phi) for s in scales for f in (math.cos, math.sin)]
        for depth, (w, b) in enumerate(dense):
            values = [
                sum(map(math.prod, zip(row, values, strict=True))) + c
                for row, c in zip(w, b, strict=True)
            ]
            values = [math.tanh(v) for v in values] if depth < 2 else values
        expected += [math.sin(v) for v in values] if outer == "sin" else values
    assert module(x).tolist() == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_layer_is_linear_then_its_element_function(name: str, outputs: int) -> None:
    module, x = layer(5, 6, readout=name, outputs_per_element=outputs, outer="sin"), inputs(7, 5)
    phi, result = x @ module.projection.weight.mT + module.projection.bias, module(x)
    for j, k in itertools.product(range(6 // outputs), range(outputs)):
        expected = module.element(phi[:, j])[:, k]
        torch.testing.assert_close(result[:, outputs * j + k], expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("shape", [(), (4,), (0,), (2, 3)])
def test_element_takes_phases_of_any_shape(shape: tuple[int, ...]) -> None:
    assert layer(3, 4).element(inputs(*shape)).shape == (*shape, 2)


def test_per_element_scales_scale_each_element_by_itself() -> None:
    module, x = layer(3, 4, scales="per-element", reuploads=2), inputs(5, 3)
    with torch.no_grad():
        module.reuploading.scales.copy_(torch.tensor([[1.0, -2.0], [0.5, 7.0]]))
    for j, scales in enumerate([[1.0, -2.0], [0.5, 7.0]]):
        shared = copy.deepcopy(module)
        shared.reuploading = DataReuploading(2, initial_scales=scales, dtype=torch.float64)
        expected = shared(x)[:, 2 * j : 2 * j + 2]
        torch.testing.assert_close(module(x)[:, 2 * j : 2 * j + 2], expected, rtol=0, atol=ROUNDING)
    with pytest.raises(ValueError, match="scales='per-element' has one function an element"):
        module.element(x)


def harmonics(module: QRUN) -> set[int]:
    """Frequencies present in the element function, from 64 points of a period."""
    phi = torch.arange(64, dtype=torch.float64) * (2 * math.pi / 64)
    spectrum = torch.fft.rfft(module.element(phi)[:, 0]).abs() / 64
    return set(torch.nonzero(spectrum > 1e-10).flatten().tolist())


@pytest.mark.parametrize(
    ("name", "scales", "expected"),
    [
        ("linear", "equal", {1}),
        ("product", "equal", {1, 3}),
        ("matrix-product", "equal", {0, 1, 2, 3}),
        ("multilinear", "equal", {0, 1, 2, 3}),
        ("linear", "shared-fixed", {1, 2, 3}),
        ("product", "shared-fixed", {0, 2, 4, 6}),
        ("multilinear", "shared-fixed", set(range(7))),
    ],
)
def test_harmonics_of_an_element(name: str, scales: str, expected: set[int]) -> None:
    """Equal scales enrich the layer only where the readout multiplies the copies."""
    assert harmonics(layer(1, 2, reuploads=3, readout=name, scales=scales)) == expected


@pytest.mark.parametrize("name", ["mlp", "linear"])
def test_equal_scales_before_an_affine_layer_are_redundant(name: str) -> None:
    many = layer(3, 8, reuploads=5, scales="equal", readout=name)
    one = layer(3, 8, reuploads=1, scales="equal", readout=name)
    first = "layers.0.weight" if name == "mlp" else "weight"
    state = many.state_dict()
    key = f"observable.readout.{first}"
    columns = state[key].reshape(state[key].shape[0], 5, 2)
    state[key] = columns.sum(1).reshape(one.state_dict()[key].shape)
    state["reuploading.scales"] = torch.ones(1)
    one.load_state_dict(state)
    x = 4 * inputs(50, 3)
    torch.testing.assert_close(many(x), one(x), rtol=0, atol=ROUNDING)
    # and it is not so when the scales differ
    assert (layer(3, 8, reuploads=5, readout=name)(x) - one(x)).abs().max() > 0.1


# scales


def test_initial_scales() -> None:
    assert DataReuploading(3).scales.tolist() == [1, 2, 3]
    assert DataReuploading(4, initial_scales="exponential").scales.tolist() == [1, 3, 9, 27]
    assert DataReuploading(2, initial_scales=[0.5, -1]).scales.tolist() == [0.5, -1]
    assert DataReuploading(3, scales="equal").scales.tolist() == [1, 1, 1]
    per_element = DataReuploading(2, scales="per-element", elements=3)
    assert per_element.scales.tolist() == [[1, 2]] * 3
    torch.manual_seed(0)
    normal = DataReuploading(40, scales="per-element", elements=50, initial_scales="normal").scales
    assert abs(normal.mean().item()) < 0.1
    assert abs(normal.std().item() - 1) < 0.1


@pytest.mark.parametrize("mode", MODES)
def test_which_scales_are_trained_and_saved(mode: ScaleMode) -> None:
    module = layer(3, 4, scales=mode)
    trained = "reuploading.scales" in dict(module.named_parameters())
    assert trained == (mode in ("shared-trainable", "per-element"))
    assert "reuploading.scales" in module.state_dict()


# published sizes


def implicit_network() -> nn.Module:
    return nn.Sequential(
        nn.Linear(1, 28),
        QRUN(28, 28, reuploads=2, hidden=9, scales="equal", outer="sin"),
        nn.Linear(28, 1),
    )


def density_network() -> nn.Module:
    first = QRUN(1, 32, initial_scales="normal", outer="sin")
    return nn.Sequential(
        first, QRUN(32, 32, initial_scales="normal", outer="sin"), nn.Linear(32, 1)
    )


def low_rank_adapters() -> nn.Module:
    """Rank 4, on the query and value maps (768 to 768) of the six blocks of DistilBERT."""

    def adapter() -> nn.Module:
        options: dict[str, Any] = {"reuploads": 2, "hidden": 16, "scales": "equal"}
        down = QRUN(768, 4, outputs_per_element=1, bias=False, **options)
        return nn.Sequential(down, nn.Linear(4, 768, bias=False))

    return nn.ModuleList(adapter() for _ in range(12))


def language_block() -> nn.Module:
    options: dict[str, Any] = {"reuploads": 3, "depth": 1, "activation": "relu", "scales": "equal"}
    return nn.Sequential(QRUN(768, 3072, **options), QRUN(3072, 768, **options))


def time_series_block() -> nn.Module:
    options: dict[str, Any] = {"reuploads": 2, "hidden": 64, "scales": "equal"}
    return nn.Sequential(QRUN(512, 2048, **options), QRUN(2048, 512, **options))


@pytest.mark.parametrize(
    ("network", "published", "rounding"),
    [
        (implicit_network, 646, 0),
        (density_network, 3421, 0),
        (low_rank_adapters, 78_156, 0),
        (language_block, 2_360_000, 5_000),  # published as 2.36 M
        (time_series_block, 1_060_000, 5_000),  # published as 1.06 M
    ],
)
def test_published_parameter_counts(
    network: Callable[[], nn.Module], published: int, rounding: int
) -> None:
    with torch.device("meta"):
        module = network()
    assert abs(sum(p.numel() for p in module.parameters()) - published) <= rounding


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "readout_size"),
    [
        ("mlp", 7 * 5 + 2 * 6 * 5 + 6 * 2),
        ("linear", 7 * 2),
        ("product", 2 * 3 * 2),
        ("matrix-product", 2 + 3 * 3 * 4 + 2 * 2),
        ("multilinear", 27 * 2),
    ],
)
def test_parameter_count(name: str, readout_size: int, mode: str, bias: bool) -> None:
    options: dict[str, Any] = {"reuploads": 3, "hidden": 5, "depth": 3, "bond": 2, "bias": bias}
    module = layer(7, 8, readout=name, scales=mode, **options)
    scales = {"shared-trainable": 3, "per-element": 12}.get(mode, 0)
    assert module.parameter_count() == (7 + bias) * 4 + scales + readout_size


# a module among modules


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("leading", [(), (3,), (0,), (2, 0, 3), (2, 3, 4)])
def test_any_leading_shape(name: str, mode: str, leading: tuple[int, ...]) -> None:
    module, x = layer(5, 6, readout=name, scales=mode), inputs(*leading, 5).requires_grad_()
    result = module(x)
    assert result.shape == (*leading, 6)
    (gradient,) = torch.autograd.grad(result.sum(), [x])
    assert gradient.shape == x.shape
    for index in itertools.product(*map(range, leading)):
        torch.testing.assert_close(result[index], module(x[index]), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_gradients(name: str, mode: str) -> None:
    options: dict[str, Any] = {"reuploads": 2, "hidden": 2, "bond": 2, "outer": "sin"}
    module = layer(2, 4, readout=name, scales=mode, **options)
    x = inputs(2, 2).requires_grad_()
    names, values = zip(*module.named_parameters(), strict=True)

    def call(x: Tensor, *parameters: Tensor) -> Tensor:
        state = dict(zip(names, parameters, strict=True))
        result: Tensor = functional_call(module, state, (x,))
        return result

    assert torch.autograd.gradcheck(call, (x, *values))
    assert torch.autograd.gradgradcheck(module, (x,))


@pytest.mark.parametrize("mode", MODES)
def test_an_optimiser_trains_every_parameter(mode: str) -> None:
    module, x = layer(3, 4, scales=mode), inputs(64, 3)
    target = torch.stack([torch.sin(2 * x[:, 0])] * 4, -1)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimiser, losses = torch.optim.Adam(module.parameters(), 1e-2), []
    for _ in range(30):
        loss = (module(x) - target).square().mean()
        losses.append(loss.item())
        for parameter, gradient in zip(
            module.parameters(), torch.autograd.grad(loss, list(module.parameters())), strict=True
        ):
            parameter.grad = gradient
        optimiser.step()
    assert losses[-1] < losses[0] / 2
    assert all((p - before[name]).abs().min() > 0 for name, p in module.named_parameters())


def test_takes_the_place_of_linear_and_its_activation() -> None:
    old = nn.Linear(5, 8, bias=True, device="cpu", dtype=torch.float32)
    new = QRUN(5, 8, bias=True, device="cpu", dtype=torch.float32)
    assert (new.in_features, new.out_features) == (old.in_features, old.out_features)
    network = nn.Sequential(new, nn.LayerNorm(8), QRUN(8, 6), nn.Linear(6, 1))
    assert network(torch.randn(4, 5)).shape == (4, 1)
    assert QRUN(5, 8, bias=False).projection.bias is None


@pytest.mark.parametrize("name", READOUTS)
def test_outputs_of_a_fresh_layer_have_order_one(name: ReadoutName) -> None:
    """Unit-variance inputs, 64 to 64: spread over the inputs, over 60 draws of the layer."""
    spreads, phases = [], []
    for seed in range(60):
        torch.manual_seed(seed)
        module, x = QRUN(64, 64, readout=name), torch.randn(256, 64)
        spreads.append(module(x).var(0).mean().item())
        phases.append(module.projection(x).std().item())
    spread = torch.tensor(spreads).sqrt()
    assert 0.55 < sum(phases) / 60 < 0.61  # nn.Linear's: sqrt(1/3 + 1/192) = 0.582
    assert 0.75 < spread.square().mean().sqrt() < 1.1
    assert 0.2 < spread.quantile(0.05) < spread.quantile(0.95) < 1.7


@pytest.mark.parametrize("name", READOUTS)
def test_reset_parameters_draws_anew_and_follows_the_seed(name: str) -> None:
    module = layer(3, 4, readout=name, initial_scales="normal")
    before = {key: value.clone() for key, value in module.state_dict().items()}
    module.reset_parameters()
    biases = ("readout.bias", "layers.0.bias", "layers.2.bias", "layers.4.bias")  # start at zero
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key]) == key.endswith(biases)
    torch.manual_seed(5)
    module.reset_parameters()
    first = module.state_dict()["projection.weight"].clone()
    torch.manual_seed(5)
    module.reset_parameters()
    assert torch.equal(module.projection.weight, first)


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_a_layer_made_on_the_meta_device_can_be_filled_in(name: str, mode: str) -> None:
    module = layer(3, 4, readout=name, scales=mode, device="meta").to_empty(device="cpu")
    module.reset_parameters()
    scales = module.reuploading.scales
    assert torch.equal(scales, layer(3, 4, scales=mode).reuploading.scales)
    assert module(inputs(2, 3)).isfinite().all()


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_state_goes_through_safetensors(name: str, mode: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"readout": name, "scales": mode}
    if mode != "equal":
        options["initial_scales"] = "normal"
    saved, x = layer(3, 4, **options), inputs(5, 3)
    fresh = QRUN(3, 4, dtype=torch.float64, **options)
    assert not torch.equal(saved(x), fresh(x))
    save_file(saved.state_dict(), tmp_path / "layer.safetensors")
    fresh.load_state_dict(load_file(tmp_path / "layer.safetensors"))
    assert torch.equal(saved(x), fresh(x))
    assert torch.equal(saved(x), pickle.loads(pickle.dumps(saved))(x))  # also a deep copy's path


def test_printed_form() -> None:
    text = repr(QRUN(5, 8, outer="sin", scales="equal", reuploads=2))
    assert "in_features=5, out_features=8, outer='sin'" in text
    assert "scales='equal' [2], initial_scales='harmonic'" in text
    assert "MLP(" in text


@pytest.mark.parametrize("name", READOUTS)
def test_compiles_without_a_graph_break(name: str) -> None:
    torch._dynamo.reset()
    module, x = layer(5, 6, readout=name, outer="sin"), inputs(7, 5).requires_grad_()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    result, expected = compiled(x), module(x)
    torch.testing.assert_close(result, expected, rtol=0, atol=ROUNDING)
    got = torch.autograd.grad(result.square().sum(), [x, *module.parameters()])
    want = torch.autograd.grad(expected.square().sum(), [x, *module.parameters()])
    torch.testing.assert_close(got, want, rtol=0, atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
def test_compiles_in_every_scale_mode(mode: str) -> None:
    torch._dynamo.reset()
    module, x = layer(5, 6, scales=mode), inputs(7, 5)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), module(x), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float16, 2e-2), (torch.bfloat16, 0.15)]
)
def test_short_floats_stay_near_float64(name: str, dtype: torch.dtype, tolerance: float) -> None:
    short = layer(8, 16, readout=name, dtype=dtype)
    x = inputs(200, 8).to(dtype)
    reference = copy.deepcopy(short).double()
    result = short(x)
    assert result.dtype == dtype
    error = (result.double() - reference(x.double())).abs().max().item()
    assert 0 < error < tolerance


@pytest.mark.parametrize("name", READOUTS)
def test_autocast_stays_near_float32(name: str) -> None:
    module, x = layer(8, 16, readout=name, dtype=torch.float32), inputs(200, 8).float()
    with torch.autocast("cpu", torch.bfloat16):
        result = module(x)
    assert 0 < (result.float() - module(x)).abs().max().item() < 0.15


def test_function_transforms_see_a_function() -> None:
    module, x = layer(3, 4), inputs(5, 3).requires_grad_()
    jacobian, result = vmap(jacrev(module))(x), module(x)
    for k in range(4):
        (expected,) = torch.autograd.grad(result[:, k].sum(), [x], retain_graph=True)
        torch.testing.assert_close(jacobian[:, k], expected, rtol=0, atol=ROUNDING)


class Boxed:
    """No tensor, but ``__torch_function__`` and arithmetic, as formal numbers have."""

    def __init__(self, value: Tensor) -> None:
        self.value = value

    @classmethod
    def __torch_function__(
        cls,
        function: Callable[..., Any],
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        def unbox(value: Any) -> Any:
            if isinstance(value, (list, tuple)):
                return type(value)(map(unbox, value))
            return value.value if isinstance(value, Boxed) else value

        result = function(*unbox(args), **(kwargs or {}))
        return tuple(map(cls, result)) if isinstance(result, tuple) else cls(result)

    def __getitem__(self, index: Any) -> Boxed:
        return Boxed(self.value[index])

    def __mul__(self, other: Any) -> Any:
        return type(self).__torch_function__(torch.mul, (), (self, other))

    def __add__(self, other: Any) -> Any:
        return type(self).__torch_function__(torch.add, (), (self, other))

    def __matmul__(self, other: Any) -> Any:
        return type(self).__torch_function__(torch.matmul, (), (self, other))


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_runs_unmodified_on_objects_that_are_no_tensors(name: str, mode: str) -> None:
    module, x = layer(3, 4, readout=name, scales=mode, outer="sin"), inputs(5, 3)
    result = module(Boxed(x))
    assert isinstance(result, Boxed)
    assert torch.equal(result.value, module(x))


# refusals


def test_outputs_that_do_not_divide_into_elements_are_refused_with_a_remedy() -> None:
    message = "out_features=7 is no multiple of outputs_per_element=2: take out_features=8, or out"
    with pytest.raises(ValueError, match=message):
        QRUN(3, 7)
    assert QRUN(3, 7, outputs_per_element=1)(torch.zeros(3)).shape == (7,)


@pytest.mark.parametrize(
    ("option", "value", "valid"),
    [
        ("scales", "shared", MODES),
        ("readout", "MLP", READOUTS),
        ("initial_scales", "linear", get_args(InitialScales)),
        ("outer", "cos", ("none", "sin")),
        ("activation", "gelu", ("tanh", "relu")),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(
    option: str, value: str, valid: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=f"unknown {option} '{value}'") as caught:
        layer(3, 4, **{option: value})
    assert str(caught.value).endswith(", ".join(map(repr, valid)))


SIZES = ["in_features", "out_features", "reuploads", "hidden", "depth", "outputs_per_element"]


@pytest.mark.parametrize("option", SIZES)
def test_sizes_are_positive_integers(option: str) -> None:
    sizes: dict[str, Any] = {"in_features": 3, "out_features": 4}
    for value in (0, -2):
        with pytest.raises(ValueError, match=f"{option} must be at least 1, got {value}"):
            QRUN(**{**sizes, option: value})
    for wrong in (2.0, True, "2"):
        with pytest.raises(TypeError, match=f"{option} must be an integer, got {wrong!r}"):
            QRUN(**{**sizes, option: wrong})


def test_initial_scales_are_checked() -> None:
    for wrong in ([1.0, 2.0], [1.0, 2.0, math.inf], [1.0, 2.0, math.nan]):
        with pytest.raises(ValueError, match="initial_scales must be 3 finite numbers"):
            QRUN(3, 4, reuploads=3, initial_scales=wrong)
    with pytest.raises(TypeError, match="must be a name or a sequence of numbers, got 3"):
        QRUN(3, 4, initial_scales=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scales='equal' sets every scale to 1"):
        QRUN(3, 4, scales="equal", initial_scales="normal")
    with pytest.raises(ValueError, match="elements is needed with scales='per-element'"):
        DataReuploading(3, scales="per-element")
    with pytest.raises(ValueError, match="elements is needed with scales='per-element'"):
        DataReuploading(3, elements=3)


def test_options_are_keywords_and_types_are_checked() -> None:
    with pytest.raises(TypeError, match="positional"):
        QRUN(3, 4, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"real floating point, got torch\.complex64"):
        QRUN(3, 4, dtype=torch.complex64)
    with pytest.raises(TypeError, match="unexpected keyword argument 'elemnts'"):
        DataReuploading(3, elemnts=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"readout must be a qrun_equiv\.readout\.Readout"):
        ElementwiseObservable(nn.Linear(4, 2))  # type: ignore[arg-type]


def test_wrong_inputs_are_refused() -> None:
    module = QRUN(5, 4)
    for shape in ((3, 4), (5, 1), ()):
        with pytest.raises(
            ValueError, match=r"in_features.*: expected shape \[\.\.\., 5\], got \["
        ):
            module(torch.zeros(shape))
    for dtype in (torch.int64, torch.bool, torch.complex64):
        with pytest.raises(TypeError, match=f"real floating point, got {dtype}"):
            module(torch.zeros(3, 5, dtype=dtype))
    with pytest.raises(ValueError, match=r"phases: expected shape \[\.\.\., 3\]"):
        DataReuploading(2, scales="per-element", elements=3)(torch.zeros(4))


def test_the_parts_compose_to_the_layer() -> None:
    module, x = layer(3, 8, reuploads=2), inputs(5, 3)
    features = module.reuploading(module.projection(x))
    assert features.shape == (5, 4, 2, 2)
    torch.testing.assert_close(features.square().sum(-1), torch.ones(5, 4, 2).double())
    observable = ElementwiseObservable(module.observable.readout)
    assert torch.equal(observable(features), module(x))
    assert isinstance(module.observable.readout, MLP)
    three = ElementwiseObservable(Linear(2, outputs=3, dtype=torch.float64))
    assert three(features).shape == (5, 12)
