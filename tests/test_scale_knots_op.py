"""A compiled model keeps the quick path: the operator that a graph calls."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import vmap

from qrun_equiv.qrun import QRUN
from qrun_equiv.readout import MLP
from qrun_equiv.scale import knots_op
from qrun_equiv.scale.paths import exact_paths

READOUTS = ("mlp", "matrix-product", "linear", "product", "multilinear")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    torch._dynamo.reset()
    knots_op._state.cache_clear()


def model(seed: int = 0, **options) -> nn.Sequential:
    torch.manual_seed(seed)
    options = {"reuploads": 3, "hidden": 8, **options}
    return nn.Sequential(QRUN(8, 48, **options), nn.Linear(48, 3))


def inputs(rows: int = 500, dtype=torch.float32) -> Tensor:
    return torch.randn(rows, 8, generator=torch.Generator().manual_seed(1)).to(dtype)


def derivatives(function, module: nn.Module, x: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    values = function(x)
    wanted = [x, *(p for p in module.parameters() if p.requires_grad)]
    weights = torch.randn(values.shape, generator=torch.Generator().manual_seed(2))
    return [values.detach(), *torch.autograd.grad(values, wanted, weights.to(values.dtype))]


def apart(found: list[Tensor], wanted: list[Tensor]) -> float:
    pairs = zip(found, wanted, strict=True)
    return max(((f.double() - w).norm() / w.norm()).item() for f, w in pairs)


def exactly(module: nn.Sequential, x: Tensor) -> list[Tensor]:
    twin = copy.deepcopy(module).double()
    twin[0].path = "exact"
    return derivatives(twin, twin, x.double())


def routes() -> list[str]:
    """How the operator computed, for each of its states."""
    return [knots.last.path for knots in STATES if knots.last is not None]


STATES: list = []


@pytest.fixture(autouse=True)
def _watched(monkeypatch) -> None:
    STATES.clear()
    made = knots_op.Knots

    def watched(**options):
        STATES.append(made(**options))
        return STATES[-1]

    monkeypatch.setattr(knots_op, "Knots", watched)


@pytest.mark.parametrize("options", [{"readout": name} for name in READOUTS] + [
    {"outer": "sin", "scales": "shared-fixed"},
    {"activation": "tanh", "depth": 1, "outputs_per_element": 1},
])  # fmt: skip
def test_values_and_all_gradients_in_one_graph(options) -> None:
    module, x = model(**options), inputs()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    # the projection's phases are rounded, too
    assert apart(derivatives(compiled, module, x), exactly(module, x)) < 5e-6
    assert routes() == ["knots"]


def test_float64() -> None:
    module, x = model().double(), inputs(dtype=torch.float64)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    assert apart(derivatives(compiled, module, x), exactly(module, x)) < 1e-10
    assert routes() == ["knots"]


@pytest.mark.parametrize("scales", ["shared-trainable", "shared-fixed"])
def test_phases_of_many_turns(scales) -> None:
    """Derivatives with respect to trained scales have no period, although the values have one."""
    module, x = model(scales=scales), inputs(2000)
    with torch.no_grad():
        module[0].projection.weight.mul_(4.0)
        phi = module[0].projection(x)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    # the phases are rounded; a scale's gradient by the period would be another number altogether
    assert apart(derivatives(compiled, module, x), exactly(module, x)) < 1e-4
    assert routes() == ["knots"]
    (width,) = (knots.last.knots * knots.last.step for knots in STATES)
    turns = width / (2 * torch.pi)
    if scales == "shared-fixed":
        assert turns < 1.2  # one turn is tabulated
    else:
        assert width > float(phi.max() - phi.min()) > 4 * torch.pi


def test_training_follows_the_weights() -> None:
    """A graph holds no numbers of the layer: three steps are those of the layer itself."""
    losses = []
    for compiles in (False, True):
        module, x = model(), inputs()
        function = torch.compile(module, backend="aot_eager") if compiles else module
        optimiser = torch.optim.SGD(module.parameters(), 0.05)
        losses.append([])
        for _ in range(3):
            loss = (function(x) - x[:, :3]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses[-1].append(loss.item())
    assert losses[0][0] - losses[0][2] > 0.01
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


def test_rows_of_any_number() -> None:
    module = model()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager", dynamic=True)
    for rows in (400, 500, 600):
        x = inputs(rows)
        assert apart(derivatives(compiled, module, x), exactly(module, x)) < 5e-6
    assert routes() == ["knots"]


def test_few_elements_are_part_of_the_graph_and_exact() -> None:
    module, x = model(), inputs(7)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    module[0].path = "exact"
    assert torch.equal(compiled(x), module(x))
    assert STATES == []


def test_a_wild_function_is_exact() -> None:
    module, x = model(initial_scales=(1.0, 2.0, 3e5)), inputs()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    found = derivatives(compiled, module, x)
    module[0].path = "exact"
    assert apart(found, [t.double() for t in derivatives(module, module, x)]) < 1e-6
    assert routes() == ["exact"]


def test_a_block_of_exact_paths_holds_when_the_graph_runs() -> None:
    module, x = model(), inputs()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    quick = compiled(x)
    with exact_paths() as choices:
        exact = compiled(x)
    assert choices.withheld
    module[0].path = "exact"
    assert torch.equal(exact, module(x))
    assert not torch.equal(quick, exact)


def test_under_autocast() -> None:
    module, x = model(), inputs()
    compiled = torch.compile(module, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        found = derivatives(compiled, module, x)
    assert routes() == ["knots"]
    assert apart(found, exactly(module, x)) < 0.05


def test_other_readouts_are_exact() -> None:
    class Own(MLP):
        def forward(self, features):
            return 2 * super().forward(features)

    module, x = model(), inputs()
    module[0].observable.readout = Own(3, outputs=2, hidden=8)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    module[0].path = "exact"
    assert torch.equal(compiled(x), module(x))


def test_exported_graphs_hold_plain_operations() -> None:
    module, x = model().eval(), inputs()
    graph = torch.export.export(module, (x,))
    assert "qrun_equiv" not in str(graph.graph)
    module[0].path = "exact"
    assert torch.equal(graph.module()(x), module(x))


def test_function_transforms_inside_a_graph_are_exact() -> None:
    layer = model()[0]
    x = inputs(600 * 2).reshape(2, 600, 8)
    compiled = torch.compile(vmap(layer), backend="aot_eager")
    layer.path = "exact"
    torch.testing.assert_close(compiled(x), layer(x))


def test_the_operator_is_well_behaved() -> None:
    """torch's own checks: the shapes that it promises, autograd's registration, no mutation."""
    layer = model()[0]
    tensors = [t.detach().clone().requires_grad_() for t in
               (layer.reuploading.scales, *layer.observable.readout.parameters())]  # fmt: skip
    phi = torch.randn(3, 3000).requires_grad_()
    recipe = "mlp 3 2 8 2 tanh 1 none"
    torch.library.opcheck(
        knots_op.knots,
        (phi, tensors, recipe, 2, "trained"),
        test_utils=("test_schema", "test_autograd_registration", "test_faketensor"),
    )
