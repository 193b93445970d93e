"""The short script that replays the witness of a refutation, for a person to read and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
import torch
from qiskit.quantum_info import SparsePauliOp, Statevector

from qrun_equiv.certificate import FEATURES, OUTPUTS, PARAMETERS, Counterexample, Verdict
from qrun_equiv.errors import ReportError
from qrun_equiv.frontends.qiskit import bind
from qrun_equiv.pair import Pair

#: A plain call is used where it gives the recorded value to this, relative to max(1, |value|).
_SAME = 1e-12
_SIDES = ("left", "right")


def replay_script(pair: Pair, verdict: Verdict) -> str:
    """Source text of a script that evaluates both sides at the witness and prints the difference.

    Where plain calls of the QNode, of Qiskit's ``Statevector`` and of the counterpart give the
    recorded values, the script makes these calls; else it goes through the package's sources. A
    witness of a spectrum is replayed as the outputs at its point.

    Args:
        pair: a pair that was collected from a file.
        verdict: a refutation of it.

    Raises:
        ReportError: the verdict has no witness, or the pair comes from no file.
    """
    witness = verdict.counterexample
    if witness is None:
        msg = f"the verdict on {pair.name!r} is {verdict.status.value}: it has no witness to replay"
        raise ReportError(msg)
    if pair.path is None:
        msg = f"{pair.name!r} comes from no file: collect it from a pair file, then verify it again"
        raise ReportError(msg)
    plain = _plain(pair, witness) if witness.kind == OUTPUTS else None
    return plain or _by_sources(pair, witness)


def shown_path(path: Path) -> str:
    """The path from the current folder where it lies below it, else in full."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _script(
    pair: Pair, what: str, imports: set[str], lines: Sequence[str], sides: Sequence[str]
) -> str:
    """The lines, which set ``left`` and ``right``, between the imports and the printing."""
    if pair.path is None:
        msg = f"{pair.name!r} comes from no file"
        raise ReportError(msg)
    imports = {"import numpy as np", "from qrun_equiv.pair import load_pair", *imports}
    one, two = (f"{name} {{{side}:.17g}}" for name, side in zip(sides, _SIDES, strict=True))
    return "\n".join([
        f"# {what} of {' '.join(pair.name.split())} at the witness, by both sides.",
        *sorted(imports, key=lambda line: (line.startswith("from"), line)),
        "",
        f"pair = load_pair({shown_path(pair.path)!r}, {pair.name!r})",
        *lines,
        f'print(f"{one}, {two}, difference {{abs(left - right):.17g}}")',
        "",
    ])  # fmt: skip


# --- plain calls ---------------------------------------------------------------------------------


class _Call(NamedTuple):
    """One side as text, the imports of that text, and the same call to try it."""

    text: str
    imports: tuple[str, ...]
    call: Callable[[], Any]


def _plain(pair: Pair, witness: Counterexample) -> str | None:
    """The script of plain calls, or ``None`` where one of them does not give the recorded value."""
    calls = [_call(pair, witness, name) for name in witness.between]
    used = [c for c in calls if c is not None]
    if len(used) < 2:
        return None
    imports = {line for c in used for line in c.imports}
    lines = [
        f"x = np.array({list(witness.features)!r})",
        f"theta = np.array({list(witness.parameters)!r}){_reshape(pair)}",
        *(f"{side} = float({c.text})" for side, c in zip(_SIDES, used, strict=True)),
    ]
    return _script(pair, f"Output {witness.output}", imports, lines, witness.between)


def _reshape(pair: Pair) -> str:
    shape = pair.n_parameters
    return "" if shape is None or isinstance(shape, int) else f".reshape({tuple(shape)!r})"


def _call(pair: Pair, witness: Counterexample, name: str) -> _Call | None:
    """A plain call of one side if it gives the recorded value to rounding."""
    makers = {"pennylane": _pennylane, "qiskit": _qiskit, "counterpart": _counterpart}
    if name not in makers:
        return None
    shape = pair.n_parameters
    x, theta = np.array(witness.features), np.array(witness.parameters)
    theta = theta if shape is None or isinstance(shape, int) else theta.reshape(tuple(shape))
    try:
        made = makers[name](pair, x, theta, witness.output)
        results = np.ravel(np.asarray(made.call()))
        value = float(results[witness.output if len(results) > 1 else 0])
    except Exception:  # noqa: BLE001 - another calling convention: the sources know them all
        return None
    recorded = witness.values[name]
    if abs(value - recorded) <= _SAME * max(1.0, abs(recorded)):
        several = len(results) > 1
        return made._replace(text=f"np.ravel({made.text})[{witness.output}]") if several else made
    return None


def _pennylane(pair: Pair, x: np.ndarray, theta: np.ndarray, _: int) -> _Call:
    if isinstance(pair.pennylane, qml.QNode):
        return _Call("pair.pennylane(x, theta)", (), lambda: pair.pennylane(x, theta))
    text = 'qml.QNode(pair.pennylane, qml.device("default.qubit"))(x, theta)'
    qnode = qml.QNode(pair.pennylane, qml.device("default.qubit"))
    return _Call(text, ("import pennylane as qml",), lambda: qnode(x, theta))


def _counterpart(pair: Pair, x: np.ndarray, theta: np.ndarray, _: int) -> _Call:
    text = "pair.counterpart(torch.tensor(x[None]), torch.tensor(theta)).detach()"
    return _Call(
        text,
        ("import torch",),
        lambda: pair.counterpart(torch.tensor(x[None]), torch.tensor(theta)).detach(),
    )


def _qiskit(pair: Pair, x: np.ndarray, theta: np.ndarray, output: int) -> _Call:
    many = isinstance(pair.observable, list | tuple)
    observable = pair.observable[output] if many else pair.observable
    if not isinstance(observable, SparsePauliOp):
        msg = "the observable is a label"
        raise TypeError(msg)
    circuit = bind(pair.qiskit_circuit(), x, theta)
    which = f"pair.observable[{output}]" if many else "pair.observable"
    return _Call(
        f"Statevector(bind(pair.qiskit_circuit(), x, theta)).expectation_value({which}).real",
        (
            "from qiskit.quantum_info import Statevector",
            "from qrun_equiv.frontends.qiskit import bind",
        ),
        lambda: Statevector(circuit).expectation_value(observable).real,
    )


# --- through the package's sources ----------------------------------------------------------------


def _by_sources(pair: Pair, witness: Counterexample) -> str:
    """The script that evaluates through the sources which the checks themselves use."""
    left, right = _sides(pair, witness)
    what, part = f"Output {witness.output}", f"values(x, theta)[0, {witness.output}]"
    if witness.kind in (FEATURES, PARAMETERS):
        field = "features" if witness.kind == FEATURES else "parameters"
        index = int(witness.component.lstrip("d/xthea"))
        what = f"{witness.component} of output {witness.output}"
        part = f"gradients(x, theta).{field}[0, {witness.output}, {index}]"
    lines = [
        f"x = np.array([{list(witness.features)!r}])",
        f"theta = np.array({list(witness.parameters)!r})",
        "sources = pair.sources()",
        f"left = sources[{left!r}].{part}",
        f"right = sources[{right!r}].{part}",
    ]
    return _script(pair, what, set(), lines, (left, right))


def _sides(pair: Pair, witness: Counterexample) -> tuple[str, str]:
    """The two sources; where one side is a set of frequencies, another source stands for it."""
    known = [*pair.circuits(), "counterpart"]
    left, right = witness.between
    if left not in known:
        left = next(name for name in known if name != right)
    if right not in known:
        right = "counterpart" if left != "counterpart" else known[0]
    return left, right
