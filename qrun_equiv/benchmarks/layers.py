"""One Q-RUN layer beside ``nn.Linear`` and an activation of the same width."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from qrun_equiv.benchmarks.tables import Cell, Column, Table
from qrun_equiv.benchmarks.timing import (
    Progress,
    Times,
    interleaved,
    release,
    saved_bytes,
    silent,
    why,
)
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale.element import fused_element, obstacle

BASE, GELU, KNOTS, WIDE, EXACT = (
    "Linear + ReLU",
    "Linear + GELU",
    "Q-RUN by knots",
    "Q-RUN by knots, phases x 8",
    "Q-RUN exact",
)
COMPILED, FUSED = "Q-RUN exact, torch.compile", "Q-RUN exact, fused kernels"
TABLE = "Q-RUN tabulated"
_ROWS = 1024  # of the comparison with float64

COLUMNS = (
    Column("name", "layer"),
    Column("train", "training\nstep ms", ".2f"),
    Column("train_ratio", "/ Linear\n+ ReLU", ".2f"),
    Column("infer", "inference\nms", ".2f"),
    Column("infer_ratio", "/ Linear\n+ ReLU", ".2f"),
    Column("gelu_ratio", "/ Linear\n+ GELU", ".2f"),
    Column("saved", "saved\nMiB", ".1f"),
    Column("saved_ratio", "/ Linear\n+ ReLU", ".2f"),
    Column("values", "error of\nvalues", ".1e"),
    Column("gradients", "error of\ngradients", ".1e"),
    Column("own", "of exact\nfloat32", ".1e"),
    Column("note", "how"),
)


def layers(
    width: int,
    batch: int,
    device: torch.device,
    *,
    compile: bool = False,  # noqa: A002 (the name of the option)
    repeats: int = 9,
    seed: int = 0,
    progress: Progress = silent,
) -> Table:
    """Time, memory and accuracy of one ``width -> width`` layer in float32.

    Args:
        width: features in and out, even.
        batch: rows.
        device: CPU or CUDA.
        compile: ``torch.compile`` of the exact path too (a minute).
        repeats: timed calls of each; the layers take turns.
        seed: of weights and inputs.
        progress: told what runs.
    """
    torch.manual_seed(seed)
    x = torch.randn(batch, width, device=device)
    weights = torch.randn(batch, width, device=device)
    modules = _modules(width, device, x, compile=compile)
    timed = {n: m for n, m in modules.items() if not isinstance(m, str)}
    leaf = x.clone().requires_grad_()
    training = {n: _training(m, leaf, weights) for n, m in timed.items() if n != TABLE}
    inference = {n: _inference(m, x) for n, m in timed.items()}
    options: dict[str, Any] = {"repeats": repeats}
    train = interleaved(
        training, device, progress=lambda s: progress(f"training step: {s}"), **options
    )
    infer = interleaved(
        inference, device, progress=lambda s: progress(f"inference: {s}"), **options
    )
    rows = []
    for name, module in modules.items():
        progress(f"accuracy and memory: {name}")
        row: dict[str, Cell] = {"name": name}
        if isinstance(module, str):
            row["note"] = module
        else:
            row |= _measured(name, module, x, weights, train.get(name), infer[name])
        rows.append(row)
    _add_ratios(rows)
    title = f"Layers: {width} -> {width}, batch {batch}, float32, {device.type}"
    return Table(title, COLUMNS, rows, _NOTES)


_NOTES = (
    "Times are medians of calls taken in turn; the JSON file has the shortest, too.",
    "A training step is forward and backward, the input's gradient included.",
    "Saved: what autograd keeps for the backward pass, parameters aside.",
    "Errors: `||out - ref|| / ||ref||` against the exact path in float64; the worst gradient's.",
    "Of exact float32: the same of the exact path in float32, which rounds phases and sums, too.",
)


def _modules(
    width: int,
    device: torch.device,
    x: Tensor,
    *,
    compile: bool,  # noqa: A002
) -> dict[str, nn.Module | str]:
    """The alternatives; a sentence instead of those that are missing."""
    linear = nn.Linear(width, width, device=device)
    layer = QRUN(width, width, device=device)
    exact = _with_path(layer, "exact")
    wide = copy.deepcopy(layer)
    with torch.no_grad():
        wide.projection.weight.mul_(8.0)
    found: dict[str, nn.Module | str] = {
        BASE: nn.Sequential(linear, nn.ReLU()),
        GELU: nn.Sequential(copy.deepcopy(linear), nn.GELU()),
        KNOTS: layer,
        WIDE: wide,
        EXACT: exact,
    }
    if compile:
        found[COMPILED] = torch.compile(copy.deepcopy(exact))  # type: ignore[assignment]
    if device.type == "cuda":
        with torch.no_grad():
            reason = obstacle(exact, exact.projection(x[:1]))
        found[FUSED] = reason or _Fused(copy.deepcopy(exact))
    found[TABLE] = _tabulated(layer, x)
    return found


class _Fused(nn.Module):
    """A layer whose function is evaluated at every element by the fused kernels."""

    def __init__(self, layer: QRUN) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """As the layer."""
        return fused_element(self.layer, self.layer.projection(x)).flatten(-2)


def _tabulated(layer: QRUN, x: Tensor) -> nn.Module | str:
    try:
        from qrun_equiv.scale.tabulated import compile_for_inference
    except ImportError:
        return "not part of this version"
    try:
        compiled: nn.Module = compile_for_inference(layer, tolerance=1e-6, observed=x)
    except (ValueError, RuntimeError) as error:
        return why(error)
    return compiled


def _with_path(layer: QRUN, path: str) -> QRUN:
    twin = copy.deepcopy(layer)
    twin.path = path  # type: ignore[assignment]
    return twin


def _training(module: nn.Module, leaf: Tensor, weights: Tensor) -> Callable[[], object]:
    def step() -> None:
        module.zero_grad()
        leaf.grad = None
        module(leaf).backward(weights)

    return step


def _inference(module: nn.Module, x: Tensor) -> Callable[[], object]:
    def step() -> Tensor:
        with torch.no_grad():
            result: Tensor = module(x)
        return result

    return step


def _measured(
    name: str,
    module: nn.Module,
    x: Tensor,
    weights: Tensor,
    train: Times | str | None,
    infer: Times | str,
) -> dict[str, Cell]:
    row: dict[str, Cell] = {}
    for key, times in (("train", train), ("infer", infer)):
        if isinstance(times, Times):
            row |= {key: 1e3 * times.median, f"{key}_best": 1e3 * times.best}
        elif times is not None:
            row |= {key: times}
    if isinstance(train, Times):
        row["saved"] = saved_bytes(module, x.clone().requires_grad_()) / 2**20
        release(x.device)
    route = getattr(module, "route", None)
    if route is not None and name in {KNOTS, WIDE}:
        row["note"] = f"{route.knots} knots" if route.path == "knots" else route.reason
    source = getattr(module, "_orig_mod", getattr(module, "layer", module))
    if name == TABLE:
        row["note"] = _bound(module)
    elif isinstance(source, QRUN):
        exact, some, weight = _with_path(source, "exact"), x[:_ROWS], weights[:_ROWS]
        row["own"] = errors(exact, copy.deepcopy(exact).double(), some, weight)["gradients"]
        row |= errors(module, exact.double(), some, weight)
    return row


def _bound(module: nn.Module) -> str:
    bound = getattr(module, "bound", None)
    return f"certified to {bound:.1e}" if isinstance(bound, float) else "certified table"


def errors(module: nn.Module, exact: nn.Module, x: Tensor, weights: Tensor) -> dict[str, Cell]:
    """Relative errors of values and gradients against a float64 twin of the same module."""
    results = []
    for each in (module, exact):
        dtype = next(exact.parameters() if each is exact else module.parameters()).dtype
        leaf = x.detach().to(dtype).requires_grad_()
        values = each(leaf)
        inputs = [leaf, *(p for p in each.parameters() if p.requires_grad)]
        results.append((values.detach(), torch.autograd.grad(values, inputs, weights.to(dtype))))
    (values, gradients), (wanted, right) = results
    pairs = zip(gradients, right, strict=True)
    return {"values": _distance(values, wanted), "gradients": max(_distance(*p) for p in pairs)}


def _distance(found: Tensor, wanted: Tensor) -> float:
    return float((found.double() - wanted).norm() / wanted.norm())


def _add_ratios(rows: Sequence[dict[str, Cell]]) -> None:
    by_name = {row["name"]: row for row in rows}
    for row in rows:
        for key, ratio, base in (
            ("train", "train_ratio", BASE),
            ("infer", "infer_ratio", BASE),
            ("infer", "gelu_ratio", GELU),
            ("saved", "saved_ratio", BASE),
        ):
            value, reference = row.get(key), by_name[base].get(key)
            if isinstance(value, float) and isinstance(reference, float):
                row[ratio] = value / reference
