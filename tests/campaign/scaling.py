"""Time of an exact proof against size, beside other ways: ``python tests/campaign/scaling.py``.

Each circuit is compared with a copy rewritten by identities of unitaries, and with that copy after
one angle is moved by 1e-9. Asked are the exact engine, MQT QCEC (which compares unitaries, so the
rewriting keeps them) and ``numpy.allclose`` at 1000 random points. Times are medians of three.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from qiskit.circuit import ParameterVector

sys.path.insert(0, str(Path(__file__).parent.parent))  # tests/

from qrun_equiv import exact
from qrun_equiv.angle import Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import derive
from qrun_equiv.files import write_atomically
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.export import to_qiskit
from qrun_equiv.proving import identity
from qrun_equiv.rewriting import UNITARY, rewrite
from qrun_equiv.simulate import expectations

GATES, QUBITS = (10, 30, 100, 300, 1000, 3000, 10_000), tuple(range(1, 11))
GATES_A_QUBIT, POINTS, REPEATS, LIMIT = 20, 1000, 3, 60.0
MOVED = 1e-9
EXACT, MODULE, QCEC, ALLCLOSE = "exact", "exact, torch", "MQT QCEC", "allclose"
# Sums of symbols and negated symbols are where MQT QCEC answers by the printed form.
RULES = tuple(name for name in UNITARY if name not in {"split", "merge", "Pauli"})
_EQUIVALENT = {"equivalent", "equivalent_up_to_global_phase", "equivalent_up_to_phase"}


@dataclass(frozen=True)
class Answer:
    """What one tool said about a pair, and how long it took (median, seconds)."""

    verdict: str
    seconds: float | None


def timed(ask: Callable[[], str], repeats: int = REPEATS) -> Answer:
    """Ask several times; once where it takes more than ten seconds."""
    seconds: list[float] = []
    verdict = ""
    while len(seconds) < repeats:
        begun = time.perf_counter()
        verdict = ask()
        seconds.append(time.perf_counter() - begun)
        if seconds[0] > 10.0:
            break
    return Answer(verdict, statistics.median(seconds))


def exactly(one: Circuit, two: Circuit) -> str:
    """The exact engine on two circuits."""
    return "equal" if exact.identical(one, two, seed=1) else "different"


def module(one: Circuit, two: Circuit) -> str:
    """The exact engine on a circuit and a torch module, derived from the other circuit."""
    sizes = Sizes(one.n_features, (one.n_parameters,))
    found = identity(one, CounterpartSource(derive(two), sizes), seed=1)
    return "equal" if found.equal else "different"


def allclose(one: Circuit, two: Circuit) -> str:
    """Outputs at random points with numpy's default tolerances."""
    rng = np.random.default_rng(3)
    x = torch.tensor(rng.uniform(-np.pi, np.pi, (POINTS, one.n_features)))
    theta = torch.tensor(rng.uniform(-np.pi, np.pi, (POINTS, one.n_parameters)))
    same = np.allclose(expectations(one, x, theta), expectations(two, x, theta))
    return "equal" if same else "different"


def qcec(one: Circuit, two: Circuit) -> str:
    """MQT QCEC with its default settings and a time limit."""
    from mqt import qcec as tool

    try:
        found = tool.verify(to_qiskit(one)[0], to_qiskit(two)[0], timeout=LIMIT)
    except Exception as error:  # noqa: BLE001 - what it can't read is an answer too
        return f"error: {type(error).__name__}"
    name = str(found.equivalence.name)
    if name in _EQUIVALENT:
        return "equal"
    return "different" if name == "not_equivalent" else name.replace("_", " ")


TOOLS: dict[str, Callable[[Circuit, Circuit], str]] = {
    EXACT: exactly, MODULE: module, QCEC: qcec, ALLCLOSE: allclose,
}  # fmt: skip


def serial(rng: np.random.Generator, n_gates: int, wires: int = 1) -> Circuit:
    """Re-uploads of one feature with typed scales, eight parameters, and CNOTs between wires."""
    gates: list[Gate] = []
    for k in range(n_gates):
        wire = int(rng.integers(wires))
        if wires > 1 and rng.uniform() < 0.2:
            gates.append(Gate("CNOT", (wire, (wire + 1) % wires)))
        elif k % 2:
            angle = feature(0) * round(float(rng.uniform(0.2, 2.0)), 2)
            gates.append(Gate("RX", (wire,), angle))
        else:
            name = "R" + "YZ"[int(rng.integers(2))]
            gates.append(Gate(name, (wire,), parameter(int(rng.integers(8)))))
    return Circuit(wires, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 1, 8)


def moved(circuit: Circuit) -> Circuit:
    """One angle of the first half moved by 1e-9 where that changes the output."""
    for k in range(len(circuit.gates)):
        gate = circuit.gates[k]
        if gate.angle is None:
            continue
        other = replace(gate, angle=gate.angle + Angle.constant(MOVED))
        made = replace(circuit, gates=(*circuit.gates[:k], other, *circuit.gates[k + 1 :]))
        if not exact.identical(circuit, made):
            return made
    msg = "no angle of this circuit matters"
    raise AssertionError(msg)


def measure(size: int, circuit: Circuit, tools: Sequence[str]) -> dict[str, Any]:
    """All tools on the equal and the moved pair."""
    steps = max(3, len(circuit.gates) // 10)
    other, _ = rewrite(circuit, steps, seed=size, rules=RULES)
    wrong = moved(other)
    row: dict[str, Any] = {"size": size, "gates": [len(circuit.gates), len(other.gates)]}
    for name in tools:
        equal = timed(lambda name=name: TOOLS[name](circuit, other))
        broken = timed(lambda name=name: TOOLS[name](circuit, wrong), 1)
        row[name] = {"equal": asdict(equal), "moved": asdict(broken)}
        sys.stderr.write(f"{size} {name}: {equal} {broken}\n")
    return row


# --- pairs that are easy to get wrong ------------------------------------------------------------


def _on_a_plus(*gates: Gate) -> Circuit:
    first = Gate("RY", (0,), Angle.constant(0.7))
    return Circuit(1, (first, *gates), (Observable.of([(1.0, {0: "Z"})]),), 1, 1)


def _rx(angle: Angle) -> Circuit:
    return _on_a_plus(Gate("RX", (0,), angle))


X, T = feature(0), parameter(0)
#: Two circuits and whether they measure the same.
KNOWN: dict[str, tuple[Circuit, Circuit, bool]] = {
    "RX(x - 0.5), RX(x + 0.5)": (_rx(X - 0.5), _rx(X + 0.5), False),
    "RX(theta x), RX(x)": (_rx(T * X), _rx(X), False),
    "RX(x^2), RX(2x)": (_rx(X * X), _rx(X * 2), False),
    "RX(x), RX(1.00003 x)": (_rx(X), _rx(X * 1.00003), False),
    "RX(x + 0.3), RX(x + 0.30000001)": (_rx(X + 0.3), _rx(X + 0.30000001), False),
    "RX(2 (x + theta)), RX(2x + 2 theta)": (_rx(2 * (X + T)), _rx(2 * X + 2 * T), True),
    "RX(x), RX(x) RZ(theta), measured in Z": (
        _rx(X), _on_a_plus(Gate("RX", (0,), X), Gate("RZ", (0,), T)), True,
    ),
    "RX(x) RX(theta), RX(x + theta)": (
        _on_a_plus(Gate("RX", (0,), X), Gate("RX", (0,), T)), _rx(X + T), True,
    ),
}  # fmt: skip


def known() -> list[dict[str, Any]]:
    """Every tool's answer to the pairs above."""
    rows = []
    for name, (one, two, equal) in KNOWN.items():
        answers = {tool: TOOLS[tool](one, two) for tool in (EXACT, ALLCLOSE)}
        answers[QCEC] = _qcec_known(name, one, two)
        rows.append({"pair": name, "truth": "equal" if equal else "different", **answers})
    return rows


# MQT QCEC reads the printed form of an expression: these are written as the name has them.
WRITTEN: dict[str, Callable[[Any, Any], Any]] = {
    "RX(x^2), RX(2x)": lambda x, theta: x**2,
    "RX(2 (x + theta)), RX(2x + 2 theta)": lambda x, theta: 2 * (x + theta),
}


def _qcec_known(name: str, one: Circuit, two: Circuit) -> str:
    from mqt import qcec as tool

    if name not in WRITTEN:
        return qcec(one, two)
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    left = to_qiskit(_on_a_plus())[0]
    left.rx(WRITTEN[name](x[0], theta[0]), 0)
    found = str(tool.verify(left, to_qiskit(two)[0]).equivalence.name)
    return "equal" if found in _EQUIVALENT else "different"


# --- the report ----------------------------------------------------------------------------------


def draw(found: dict[str, Any], path: Path) -> None:
    """Two panels, logarithmic times."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    styles = {EXACT: ("#0b6", "o"), MODULE: ("#075", "s"), QCEC: ("#c40", "^"),
              ALLCLOSE: ("#777", "x")}  # fmt: skip
    labels = {
        EXACT: "exact proof, circuit against circuit",
        MODULE: "exact proof, circuit against torch module",
        QCEC: "MQT QCEC (compares unitaries)",
        ALLCLOSE: "allclose at 1000 points (no proof)",
    }
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
    titles = ("gates on one qubit", f"qubits, {GATES_A_QUBIT} gates each")
    for axis, key, title in zip(axes, ("gates", "qubits"), titles, strict=True):
        for name, (colour, marker) in styles.items():
            rows = [r for r in found[key] if name in r]
            if rows:
                axis.plot(
                    [r["size"] for r in rows],
                    [r[name]["equal"]["seconds"] for r in rows],
                    color=colour, marker=marker, markersize=4, label=labels[name],
                )  # fmt: skip
        axis.set_xlabel(title)
        axis.set_yscale("log")
        axis.grid(visible=True, which="major", alpha=0.3)
    axes[0].set_xscale("log")
    axes[1].set_xticks(QUBITS)
    axes[0].set_ylabel("seconds for an equal pair (median of 3)")
    lines, names = axes[0].get_legend_handles_labels()
    axes[1].legend(lines, names, frameon=False, fontsize=9, loc="upper left")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _cell(row: dict[str, Any], name: str) -> str:
    if name not in row:
        return "| not run | "
    equal, broken = row[name]["equal"], row[name]["moved"]
    return f"| {_seconds(equal['seconds'])} | {equal['verdict']} / {broken['verdict']} "


def _seconds(value: float) -> str:
    return f"{1e3 * value:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def markdown(found: dict[str, Any]) -> str:
    """The report."""
    parts = [_INTRODUCTION]
    for key, title, tools in (
        ("gates", "Gates on one qubit", (EXACT, MODULE, QCEC, ALLCLOSE)),
        ("qubits", f"Qubits, {GATES_A_QUBIT} gates each", (EXACT, QCEC, ALLCLOSE)),
    ):
        heads = "".join(f"| {name} | equal / moved " for name in tools)
        lines = [f"| {key} {heads}|", "|--:" + "|--:|---" * len(tools) + "|"]
        lines += [f"| {r['size']} {''.join(_cell(r, name) for name in tools)}|" for r in found[key]]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    lines = [f"| pair | truth | {EXACT} | {QCEC} | {ALLCLOSE} |", "|---|---|---|---|---|"]
    lines += [
        f"| {r['pair']} | {r['truth']} | "
        + " | ".join(r[t] + ("" if r[t] == r["truth"] else " (!)") for t in (EXACT, QCEC, ALLCLOSE))
        + " |"
        for r in found["known"]
    ]
    parts.append(f"## Pairs that are easy to get wrong\n\n{_KNOWN}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


_INTRODUCTION = f"""# Time of an exact proof

`python tests/campaign/scaling.py`. Random re-uploading circuits of one feature and eight parameters
against copies rewritten by identities (a tenth as many as gates), and against the same copies with
one angle moved by {MOVED:g}. *exact* compares two circuits over random prime fields, for all
inputs; *exact, torch* compares a circuit with the torch module derived from the copy, its own code
run on field elements; *allclose* runs both circuits at {POINTS} random points in a vectorised
simulator. Medians of three (one where it takes over ten seconds), on 2 cores; only ratios mean
something. *equal / moved*: the verdicts on the two pairs; right is *equal / different*.

MQT QCEC is an excellent tool for another question: whether two circuits are the same *unitary*, as
a compiler must keep it. It does not look at what is measured, and small angles are below the
tolerance that it needs for circuits in floats. The identities used here keep unitaries, and neither
add symbols up nor negate one alone, so that the pairs are ones that both can do.

![Time against gates and qubits](scaling.png)
"""
_KNOWN = (
    "Truth is about what is measured; `(!)` marks an answer that is not. MQT QCEC reads the "
    "printed form of an expression. A last RZ before Z is measured changes the unitary, so there "
    "*different* is the right answer to its own question."
)


def write(found: dict[str, Any], folder: Path) -> None:
    """Numbers, report and figure."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "scaling.json", (json.dumps(found, indent=1) + "\n").encode())
    write_atomically(folder / "scaling.md", markdown(found).encode())
    draw(found, folder / "scaling.png")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("reports"))
    parser.add_argument("--most-gates", type=int, default=GATES[-1])
    parser.add_argument("--most-module-gates", type=int, default=GATES[-1], help="torch is slow")
    parser.add_argument("--most-qubits", type=int, default=QUBITS[-1])
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rng = np.random.default_rng(11)
    found: dict[str, Any] = {"known": known()}
    found["gates"] = []
    for n in (n for n in GATES if n <= given.most_gates):
        tools = [t for t in TOOLS if t != MODULE or n <= given.most_module_gates]
        found["gates"].append(measure(n, serial(rng, n), tools))
    found["qubits"] = [
        measure(n, serial(rng, GATES_A_QUBIT * n, n), (EXACT, QCEC, ALLCLOSE))
        for n in QUBITS if n <= given.most_qubits
    ]  # fmt: skip
    write(found, given.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
