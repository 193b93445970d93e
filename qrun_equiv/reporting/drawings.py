"""Circuit drawings: Qiskit's own where the pair has a Qiskit circuit, else PennyLane's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import pennylane as qml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.visualization import circuit_drawer

from qrun_equiv.errors import ReportError
from qrun_equiv.frontends.pennylane import PennyLaneSource
from qrun_equiv.frontends.qasm import load
from qrun_equiv.pair import Pair
from qrun_equiv.reporting.subject import Subject
from qrun_equiv.reporting.svg import COLOURS, canvas

#: Columns in one row of a drawing, and its scale against Qiskit's own size.
FOLD, SCALE = 34, 0.8
#: Longest text of an angle in a drawing.
LONGEST_ANGLE = 28
#: Qiskit's factor from its layout's units to inches.
_INCHES = 0.8361111

_STYLE: dict[str, Any] = {
    "name": "bw",
    "backgroundcolor": COLOURS["paper"],
    "gatefacecolor": COLOURS["paper"],
    "margin": [1.6, 0.1, 0.1, 0.1],
    **dict.fromkeys(
        ("textcolor", "gatetextcolor", "subtextcolor", "linecolor", "edgecolor"), COLOURS["ink"]
    ),
}

_SHRINK = 0.6
_PENNYLANE: Any = {
    "figure.facecolor": COLOURS["paper"],
    "axes.facecolor": COLOURS["paper"],
    "patch.facecolor": COLOURS["paper"],
    "patch.edgecolor": COLOURS["ink"],
    "patch.force_edgecolor": True,
    "patch.linewidth": 1.2,
    "lines.color": COLOURS["ink"],
    "lines.linewidth": 1.0,
    "text.color": COLOURS["ink"],
}


def circuit_figure(pair: Pair, what: Callable[[], Subject]) -> tuple[Figure, str]:
    """The pair's circuit and a caption; angles are symbols where it is Qiskit's or OpenQASM's.

    Raises:
        ReportError: no library draws it.
    """
    if pair.qiskit is not None or pair.qasm is not None:
        native = pair.circuits()
        shown = _shortened(native["qiskit"] if "qiskit" in native else load(native["qasm"]))
        abbreviated = any(p.name.startswith("f(") for p in shown.parameters)
        remark = " f(…) stands for an angle that is too long to print." if abbreviated else ""
        return qiskit_figure(shown), f"The circuit, drawn by Qiskit.{remark}"
    source = what().circuits[0]
    if not isinstance(source, PennyLaneSource):
        msg = f"no drawing of {type(source).__name__}"
        raise ReportError(msg)
    figure = pennylane_figure(source.tape(what().x, what().theta))
    return figure, (
        "The circuit, drawn by PennyLane, with the angles (radians) of a point of the figures."
    )


def qiskit_figure(circuit: QuantumCircuit) -> Figure:
    """A Qiskit circuit in Qiskit's drawing, at the size that its layout asks for."""
    probe = _whole(canvas(4, 4))
    _draw(circuit, probe, -1)
    columns = probe.get_xlim()[1]
    rows = math.ceil(columns / (FOLD + 3))
    fold = -1 if rows == 1 else math.ceil(columns / rows)
    if rows > 1:
        probe = _whole(canvas(4, 4))
        _draw(circuit, probe, fold)
    (left, right), (low, high) = probe.get_xlim(), probe.get_ylim()
    unit = _INCHES**2 * SCALE
    figure = canvas((right - left) * unit, (high - low) * unit)
    _draw(circuit, _whole(figure), fold)
    return figure


def _whole(figure: Figure) -> Axes:
    return figure.add_axes((0, 0, 1, 1))


def _draw(circuit: QuantumCircuit, axes: Axes, fold: int) -> None:
    """Qiskit's drawing inside given axes, without the global phase: no output depends on it."""
    shown = circuit.copy()
    shown.global_phase = 0
    circuit_drawer(shown, output="mpl", style=_STYLE, fold=fold, ax=axes, plot_barriers=False)


def _shortened(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with angles that are too long to print as ``f(x)`` or ``f(x, theta)``."""
    shown = circuit.copy_empty_like()
    names: dict[str, Parameter] = {}

    def short(value: Any) -> Any:
        if not isinstance(value, ParameterExpression) or len(str(value)) <= LONGEST_ANGLE:
            return value
        kinds = {
            kind for kind in ("x", "theta") for p in value.parameters if p.name.startswith(kind)
        }
        name = f"f({', '.join(sorted(kinds, reverse=True))})"
        return names.setdefault(name, Parameter(name))

    for item in circuit.data:
        operation = item.operation
        if any(isinstance(p, ParameterExpression) for p in operation.params):
            operation = operation.to_mutable()
            operation.params = [short(p) for p in operation.params]
        shown.append(operation, item.qubits)
    return shown


def pennylane_figure(tape: qml.tape.QuantumScript) -> Figure:
    """A PennyLane tape in PennyLane's drawing."""
    figure = canvas(4, 4)
    with mpl.rc_context(_PENNYLANE):
        qml.drawer.tape_mpl(tape, style="rcParams", fig=figure, fontsize=8, decimals=2)
        width, height = figure.get_size_inches()
        figure.set_size_inches(width * _SHRINK, height * _SHRINK)
    return figure
