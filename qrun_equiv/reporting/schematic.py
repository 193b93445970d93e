"""Drawings of classical networks: a module's own layers, or the network that equals a circuit.

What is drawn is the first of these that is there: the layers of a counterpart that is a
``torch.nn.Module``; the matrix-product readout with its numbers (:mod:`.network`) where the circuit
has one wire and few encoding gates; else that readout's plan: inputs, phases, cosines and sines,
cores, outputs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import Circuit
from qrun_equiv.counterpart import MAX_WIRES, MatrixProductCounterpart
from qrun_equiv.errors import ReportError
from qrun_equiv.pair import Pair
from qrun_equiv.reporting.network import (
    MOST,
    arrow,
    box,
    decimals,
    draw_network,
    frame,
    network_ratio,
    text,
)
from qrun_equiv.reporting.subject import Subject
from qrun_equiv.reporting.svg import COLOURS, canvas

#: Most rows of a plan (of more phases the first and the last are drawn), and of a module's layers.
ROWS, LAYERS = 6, 8
#: Longest formula of a phase.
_LONGEST = 24
#: Width of a plan, and where its cores stand.
_WIDE, _CORE = 9.0, 7.0


def network_figure(pair: Pair, what: Subject) -> tuple[Figure, str]:
    """The classical network of a pair, and what the drawing shows.

    Raises:
        ReportError: there is neither a module nor a neutral form to draw.
    """
    if isinstance(pair.counterpart, nn.Module):
        return _module(pair.counterpart, what), "The classical network as checked, layer by layer."
    circuit = what.neutral
    if circuit is None:
        msg = "the circuit has no neutral form, so no network is derived from it"
        raise ReportError(msg)
    gates = len(circuit.encoding_gates())
    if not gates:
        msg = "no gate reads a feature"
        raise ReportError(msg)
    about = "The network that equals this circuit: its matrix-product readout"
    if pair.claim != "equal":
        about = "The network that the circuit is (not the counterpart): its matrix-product readout"
    if circuit.n_wires == 1 and gates <= MOST:
        return _numbers(circuit, what), f"{about}, with its numbers at the parameters shown."
    bond = 4**circuit.n_wires
    size = f"{gates} cores of {bond} by {bond} numbers for 1, cos and sin"
    limit = "" if circuit.n_wires <= MAX_WIRES else f" (derived up to {MAX_WIRES} wires)"
    return _plan(circuit), f"{about}{limit}: {size}."


def _numbers(circuit: Circuit, what: Subject) -> Figure:
    network = MatrixProductCounterpart(circuit)
    width = 2.05 * len(circuit.encoding_gates()) + 2.6
    figure = canvas(width, width * network_ratio(circuit))
    axes = _whole(figure)
    draw_network(axes, network, what.theta, what.output, scale=0.66)
    return figure


def _whole(figure: Figure) -> Axes:
    return figure.add_axes((0, 0, 1, 1))


# --- the plan of a matrix-product readout ---------------------------------------------------------


def _plan(circuit: Circuit) -> Figure:
    angles = [g.angle for g in circuit.encoding_gates() if g.angle is not None]
    shown = _chosen(len(angles))
    height = 0.95 * len(shown) + 1.2
    figure = canvas(7.4, 7.4 * height / _WIDE)
    axes = _whole(figure)
    frame(axes, _WIDE, height)
    rows = {g: height - 1.15 - 0.95 * k for k, g in enumerate(shown)}
    _inputs(axes, angles, rows)
    bottom = min(rows.values())
    text(axes, _CORE, height - 0.25, "start", 10, "muted")
    arrow(axes, (_CORE, height - 0.45), (_CORE, height - 0.85))
    for gate, y in rows.items():
        if gate is None:
            for x in (2.75, _CORE):
                text(axes, x, y, "⋮", 13, "muted")
            text(axes, 5.2, y, f"{len(angles)} phases in all", 10, "muted")
            continue
        _phase(axes, gate, angles[gate], y)
        if y > bottom:
            arrow(axes, (_CORE, y - 0.3), (_CORE, y - 0.65))
    count = len(circuit.observables)
    outputs = "f" if count == 1 else f"f{_low(0)}, …, f{_low(count - 1)}"
    arrow(axes, (_CORE + 0.6, bottom), (_CORE + 0.95, bottom))
    text(axes, _CORE + (1.12 if count == 1 else 1.45), bottom, outputs, 11)
    bond = 4**circuit.n_wires
    legend = f"each core: A = B + cos φ C + sin φ D, matrices of {bond} by {bond}"
    text(axes, _WIDE / 2, bottom - 0.6, legend, 10, "muted")
    return figure


def _chosen(count: int) -> list[int | None]:
    if count <= ROWS:
        return list(range(count))
    return [*range(ROWS - 2), None, count - 1]


def _inputs(axes: Axes, angles: list[Angle], rows: dict[int | None, float]) -> None:
    """Boxes of the features that are read, and their lines to the phases drawn."""
    read = sorted({i for a in angles for i in a.features()})
    shown: list[int | None] = (
        list(read) if len(read) <= ROWS else [*read[: ROWS - 2], None, read[-1]]
    )
    top, bottom = max(rows.values()), min(rows.values())
    step = (top - bottom) / max(1, len(shown) - 1)
    for k, feature in enumerate(shown):
        y = top - step * k if len(shown) > 1 else (top + bottom) / 2
        if feature is None:
            text(axes, 0.5, y, "⋮", 13, "muted")
            continue
        for gate, other in rows.items():
            if gate is not None and feature in angles[gate].features():
                axes.plot([0.85, 1.3], [y, other], color=COLOURS["muted"], linewidth=0.7, zorder=1)
        box(axes, (0.5, y), (0.7, 0.55), "feature")
        text(axes, 0.5, y, f"x{_low(feature)}", 11)


def _phase(axes: Axes, index: int, angle: Angle, y: float) -> None:
    words = _plain(decimals(str(angle)))
    if len(words) > _LONGEST:
        read = [f"x{_low(i)}" for i in sorted(angle.features())]
        shown = read if len(read) < 4 else [read[0], "…", read[-1]]
        words = f"α({', '.join([*shown, *(['θ'] if 'θ' in words else [])])})"
    box(axes, (2.75, y), (2.9, 0.6), "feature")
    text(axes, 2.75, y, f"φ{_low(index)} = {words}", 10.5 if len(words) < 16 else 7.8)
    for name, shift in (("cos", 0.17), ("sin", -0.17)):
        axes.plot([4.2, 4.7], [y, y + shift], color=COLOURS["muted"], linewidth=0.7, zorder=1)
        text(axes, 5.2, y + 1.15 * shift, f"{name} φ{_low(index)}", 10)
        axes.plot(
            [5.7, _CORE - 0.6], [y + shift, y], color=COLOURS["muted"], linewidth=0.7, zorder=1
        )
    box(axes, (_CORE, y), (1.2, 0.6), "trained")
    text(axes, _CORE, y, f"A{_low(index)}", 11)


def _low(index: int) -> str:
    """An index as a subscript; plain characters are set in a tenth of a formula's time."""
    return str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _plain(angle: str) -> str:
    """``2*theta3*x0`` as a person writes it: ``2 θ₃ x₀``."""
    named = re.sub(r"(theta|x)(\d+)", lambda m: f"{m[1]}{_low(int(m[2]))}", angle)
    return named.replace("theta", "θ").replace("pi", "π").replace("*", " ").replace("^2", "²")


# --- a module -------------------------------------------------------------------------------------


def _module(module: nn.Module, what: Subject) -> Figure:
    layers = list(_layers(module))
    if len(layers) > LAYERS:
        cut = LAYERS // 2
        left_out = len(layers) - 2 * cut
        layers = [*layers[:cut], (f"… {left_out} more", ""), *layers[-cut:]]
    step, width = 0.98, 6.4
    height = step * (len(layers) + 2)
    figure = canvas(width * 0.78, height * 0.55)
    axes = _whole(figure)
    frame(axes, width, height)
    boxes = [
        (f"x: {_number(what.sizes.features, 'feature')}", "", "feature"),
        *((title, detail, "trained") for title, detail in layers),
        (f"{_number(_outputs(what), 'output')}", "", "readout"),
    ]
    for k, (title, detail, face) in enumerate(boxes):
        y = height - step * (k + 0.5)
        box(axes, (width / 2, y), (width - 0.4, 0.66), face)
        text(axes, width / 2, y + (0.14 if detail else 0), title, 8.5)
        if detail:
            text(axes, width / 2, y - 0.16, detail, 7, "muted")
        if k:
            arrow(axes, (width / 2, y + step - 0.33), (width / 2, y + 0.33))
    return figure


def _layers(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Layers in the order of the flow: title and details. A Q-RUN layer projects first."""
    flow = ("projection", "reuploading", "observable")
    children = dict(module.named_children())
    if set(flow) <= set(children):
        children = {name: children[name] for name in flow}
    if not children:
        yield type(module).__name__, _detail(module)
    for name, child in children.items():
        if isinstance(child, nn.Sequential):
            yield from _layers(child)
        else:
            yield f"{name}: {type(child).__name__}", _detail(child)


def _detail(module: nn.Module) -> str:
    shapes = ", ".join(
        f"{name} {'×'.join(map(str, p.shape)) or '1'}" for name, p in module.named_parameters()
    )
    shown = shapes or " ".join(module.extra_repr().split())
    return shown if len(shown) <= 72 else f"{_number(_size(module), 'weight')}"


def _size(module: nn.Module) -> int:
    return sum(math.prod(p.shape) for p in module.parameters())


def _outputs(what: Subject) -> int:
    assert what.counterpart is not None
    with torch.no_grad():
        return int(what.counterpart.values(what.x[None], what.theta).shape[1])


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
