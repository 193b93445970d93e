"""Q-RUN layers for inference: ``nn.Linear``, then a table with a certified error.

With shared scales a layer is ``nn.Linear`` followed by one function g of one variable
(:meth:`qrun_equiv.qrun.QRUN.element`). :func:`compile_for_inference` puts piecewise polynomials in
its place, over the phases that occur or over one period. Their error is bounded for *every* phase
in that range, rounding included, by :mod:`qrun_equiv.scale.certified_tables`; elsewhere (and for
NaN and infinity) g itself is evaluated, in float64.

:func:`qrun_equiv.scale.tabulated_bound.error_bound` follows the errors through a stack of layers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
from torch import Tensor, nn

from qrun_equiv.qrun import QRUN, Element
from qrun_equiv.readout import check_name, positive_integer
from qrun_equiv.scale.certified_choice import Certificate, Choice, Demand, tabulate
from qrun_equiv.scale.knots import common_period
from qrun_equiv.scale.tabulated_layer import DTYPES, TabulatedQRUN

MOST_CELLS = 1 << 18
_WORTH = 4  # a period is tabulated unless it is this many times as long as the observed range


def compile_for_inference(
    module: nn.Module,
    tolerance: float = 1e-6,
    *,
    observed: Tensor | Sequence[Tensor] | None = None,
    phase_range: tuple[float, float] | None = None,
    kind: Choice = "auto",
    margin: float = 0.25,
    most_cells: int = MOST_CELLS,
) -> nn.Module:
    """A copy of a module with its Q-RUN layers tabulated, for inference without gradients.

    A table covers one period of the layer's function where its scales have a short one: then it
    holds for all phases (up to a thousand turns and more, see ``certificate.high``). Otherwise it
    covers the phases of a calibration batch, widened; others are evaluated exactly, slowly.

    Args:
        module: a Q-RUN layer, or any module that has some inside; left as it is.
        tolerance: largest absolute error of a layer's outputs, given its phases.
        observed: a calibration batch: the module's input, or a sequence of its arguments.
        phase_range: ``(low, high)`` in radians instead, for all layers.
        kind: polynomials: ``"linear"``, ``"cubic"`` (Hermite), ``"septic"`` (degree 7), or
            ``"auto"``: septic, and linear where a ReLU makes kinks.
        margin: how far to widen the observed range, at both ends, over its width.
        most_cells: refuse tables with more cells.

    Returns:
        The copy, in evaluation mode, parameters frozen; its :class:`TabulatedQRUN` layers tell
        their ``bound``.

    Raises:
        TypeError: an argument of the wrong type, dtypes other than float32 and float64.
        ValueError: nothing to compile, scales per element, no range of phases, weights or phases
            that are not finite, a tolerance that can't be met.
        FormalError: a readout that does something that can't be bounded.
    """
    tolerance, margin = _number("tolerance", tolerance), _number("margin", margin)
    if not tolerance:
        msg = "tolerance must be above 0: a table has an error"
        raise ValueError(msg)
    check_name("kind", kind, get_args(Choice))
    most = positive_integer("most_cells", most_cells)
    compiled = copy.deepcopy(module).eval().requires_grad_(False)
    layers = _layers(compiled)
    given = None if phase_range is None else _range(phase_range)
    seen = {} if observed is None else _observe(compiled, layers, observed)
    replaced: dict[int, nn.Module] = {}
    for name, layer in layers.items():
        low, high, period, fastest = _phases(name, layer, given, seen.get(name), margin)
        exact = copy.deepcopy(Element(layer)).double()
        dtype = layer.projection.weight.dtype
        wanted = Demand(dtype, low, high, period, fastest, tolerance, kind, most)
        try:
            table, facts = tabulate(copy.deepcopy(exact).cpu(), wanted)
        except ValueError as error:
            raise type(error)(f"{_named(name)}: {error}") from error
        table = table.to(layer.projection.weight.device)
        replaced[id(layer)] = TabulatedQRUN(layer.projection, exact, table, facts)
    return _replace(compiled, replaced)


def restore(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """A compiled module from its saved state, without calibration or a new certificate.

    Args:
        module: the module that was compiled, or one like it; its weights don't matter.
        state: the ``state_dict()`` of what :func:`compile_for_inference` returned, for instance
            from ``safetensors.torch.load_file``.

    Returns:
        A compiled copy with the weights, tables and certificates of ``state``.

    Raises:
        ValueError: the module has no QRUN layer, or the state none of its tables.
        RuntimeError: the state is of another architecture.
    """
    compiled = copy.deepcopy(module).eval().requires_grad_(False)
    replaced: dict[int, nn.Module] = {}
    for name, layer in _layers(compiled).items():
        table = state.get(f"{name}.table".removeprefix("."))
        if table is None or table.ndim != 3:
            msg = f"{_named(name)}: the state has no table for it; compile the module first"
            raise ValueError(msg)
        empty = Certificate(1.0, 0, len(table), 0.0, 0.0, 0.0, math.inf, math.inf, math.inf)
        exact = copy.deepcopy(Element(layer)).double()
        replaced[id(layer)] = TabulatedQRUN(layer.projection, exact, table.clone(), empty)
    compiled = _replace(compiled, replaced)
    compiled.load_state_dict(dict(state))
    return compiled


def _named(name: str) -> str:
    return f"layer {name!r}" if name else "the layer"


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{name} must be a number, got {value!r}"
        raise TypeError(msg)
    if not 0 <= value < math.inf:
        msg = f"{name} must be finite and not negative, got {value!r}"
        raise ValueError(msg)
    return float(value)


def _range(given: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(end) for end in given)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        msg = f"phase_range must be two finite numbers low < high, got {given!r}"
        raise ValueError(msg)
    return low, high


def _layers(root: nn.Module) -> dict[str, QRUN]:
    """The QRUN layers by name, each fit to be compiled."""
    found = {name: layer for name, layer in root.named_modules() if isinstance(layer, QRUN)}
    if not found:
        msg = f"{type(root).__name__} has no QRUN layer to compile"
        raise ValueError(msg)
    for name, layer in found.items():
        _check(_named(name), layer)
    return found


def _check(name: str, layer: QRUN) -> None:
    if (type(layer).forward, type(layer).element) != (QRUN.forward, QRUN.element):
        msg = f"{name} is a {type(layer).__name__} with a forward of its own; compile a QRUN"
        raise TypeError(msg)
    if layer._forward_hooks or layer._forward_pre_hooks:  # noqa: SLF001 (no public question)
        msg = f"{name} has forward hooks, which its table would not call; remove them first"
        raise ValueError(msg)
    if layer.reuploading.mode == "per-element":
        msg = f"{name} has scales per element, so one function an element: share the scales"
        raise ValueError(msg)
    tensors = [*layer.parameters(), *layer.buffers()]
    dtypes = {tensor.dtype for tensor in tensors}
    if len(dtypes) > 1 or not dtypes <= set(DTYPES):
        listed = ", ".join(sorted(map(str, dtypes)))
        msg = f"{name} is of {listed}; tables are float32 or float64: cast it, layer.float()"
        raise TypeError(msg)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors):
        msg = f"{name} has weights that are not finite; there is nothing to tabulate"
        raise ValueError(msg)


def _observe(
    root: nn.Module, layers: dict[str, QRUN], observed: Tensor | Sequence[Tensor]
) -> dict[str, tuple[float, float]]:
    """Smallest and largest phase of each layer over a calibration batch."""
    found: dict[str, tuple[float, float]] = {}

    def watch(name: str, layer: QRUN) -> Any:
        def look(_: nn.Module, __: Any, phi: Tensor) -> None:
            if phi.numel():
                ends = [float(end) for end in torch.aminmax(phi)]
                low, high = found.get(name, (ends[0], ends[1]))
                found[name] = min(low, ends[0]), max(high, ends[1])
                if not math.isfinite(ends[1] - ends[0]):
                    msg = f"{_named(name)}: phases of the calibration batch are not finite"
                    raise ValueError(msg)

        return layer.projection.register_forward_hook(look)

    handles = [watch(name, layer) for name, layer in layers.items()]
    try:
        with torch.no_grad():
            root(observed) if isinstance(observed, Tensor) else root(*observed)
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        msg = "the calibration batch is empty, or reaches no QRUN layer; pass inputs of the module"
        raise ValueError(msg)
    return found


def _phases(
    name: str,
    layer: QRUN,
    given: tuple[float, float] | None,
    seen: tuple[float, float] | None,
    margin: float,
) -> tuple[float, float, float, float]:
    """What to cover: ``(low, high, period, fastest scale)``."""
    scales = layer.reuploading.scales
    fastest, period = float(scales.abs().max()), common_period(scales.tolist())
    if given is None and period and (seen is None or period <= _WORTH * (seen[1] - seen[0])):
        return -period / 2, period / 2, period, fastest
    if given is None and seen is None:
        msg = (
            f"{_named(name)} has scales without a short common period: pass observed=inputs "
            "(a calibration batch), or phase_range=(low, high) in radians"
        )
        raise ValueError(msg)
    low, high = given or seen or (0.0, 0.0)
    wider = 0.0 if given else margin * max(high - low, 1.0)
    dtype = layer.projection.weight.dtype
    ends = (float(torch.tensor(end, dtype=dtype)) for end in (low - wider, high + wider))
    return (*ends, 0.0, fastest)  # type: ignore[return-value]


def _replace(root: nn.Module, replaced: dict[int, nn.Module]) -> nn.Module:
    """Put modules in the place of others, wherever they occur."""
    for parent in list(root.modules()):
        for name, child in list(parent._modules.items()):  # noqa: SLF001 (children, repeats too)
            if id(child) in replaced:
                setattr(parent, name, replaced[id(child)])
    return replaced.get(id(root), root)
