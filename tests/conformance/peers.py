"""What MQT QCEC answers on the same pairs: ``python tests/conformance/peers.py [--write]``.

Prints a table; ``--write`` records the answers in ``peers.json``. MQT QCEC compares unitaries up to
a global phase, so its answer is held against that: the two circuits' full unitaries at random
points. Where the unitaries differ and what is measured does not (or the other way round, by the
observable), MQT QCEC answers another question than ours.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

sys.path.insert(0, str(Path(__file__).parent.parent))  # tests/

from conformance.building import Case
from conformance.suite import CASES, PEERS
from qrun_equiv.frontends.qiskit import bind, parameter_places

POINTS, SAME = 3, 1e-10
MISSING = "mqt.qcec is not installed; this table needs it: pip install 'mqt.qcec==3.11.*'\n"
EQUIVALENT = {"equivalent", "equivalent_up_to_global_phase", "equivalent_up_to_phase"}


def answer(left: QuantumCircuit, right: QuantumCircuit) -> str:
    """MQT QCEC's criterion with its default settings, or the error that it raises."""
    from mqt import qcec

    try:
        return str(qcec.verify(left, right).equivalence.name)
    except Exception as error:  # noqa: BLE001 - what it can't read is an answer too
        return f"error: {type(error).__name__}"


def same_unitary(case: Case, left: QuantumCircuit, right: QuantumCircuit) -> bool:
    """Whether the unitaries agree up to a global phase at random points."""
    rng = np.random.default_rng(23)
    for _ in range(POINTS):
        x, theta = rng.uniform(-3, 3, case.n_features), rng.uniform(-3, 3, case.n_parameters)
        one, other = (Operator(bind(circuit, x, theta)).data for circuit in (left, right))
        if one.shape != other.shape:
            return False
        largest = np.unravel_index(np.argmax(np.abs(one)), one.shape)
        phase = np.exp(1j * (np.angle(one[largest]) - np.angle(other[largest])))
        if np.max(np.abs(one - phase * other)) > SAME:
            return False
    return True


def same_names(left: QuantumCircuit, right: QuantumCircuit) -> bool:
    """Whether no input has two names, such as ``x[0]`` and ``x0``: two inputs to MQT QCEC."""
    names = [{place: p.name for p, place in parameter_places(c).items()} for c in (left, right)]
    return all(names[0][place] == names[1][place] for place in names[0].keys() & names[1].keys())


def judged(case: Case, said: str, *, same: bool, named: bool) -> str:
    """The answer against the unitaries, and what that means for the outputs."""
    if case.claim == "tiny":
        return "difference below rounding"
    equal = said in EQUIVALENT
    if said.startswith(("error", "no_information")):
        return "no answer"
    if not named:
        return "another question: one input has two names"
    if equal != same:
        return "WRONG: different called equal" if equal else "WRONG: equal called different"
    if equal == (case.claim == "equal"):
        return "right"
    return (
        f"another question: {'the observable differs' if equal else 'only the outputs are equal'}"
    )


def main() -> None:
    """Measure, print, and with ``--write`` record."""
    try:
        from mqt.qcec import __version__
    except ImportError:
        sys.exit(MISSING)
    answers, counts = {}, Counter[str]()
    for case in CASES:
        if "qiskit" not in case.frameworks:
            continue
        left, right = case.left["qiskit"]().circuit, case.right["qiskit"]().circuit
        said = answer(left, right)
        same, named = same_unitary(case, left, right), same_names(left, right)
        verdict = judged(case, said, same=same, named=named)
        answers[case.name] = said
        counts[verdict] += 1
        sys.stdout.write(f"{case.name:44} {said:30} {verdict}\n")
    sys.stdout.write("\n")
    for verdict, count in counts.most_common():
        sys.stdout.write(f"{count:4} {verdict}\n")
    if "--write" in sys.argv[1:]:
        record = {"tool": f"MQT QCEC {__version__}", "answers": answers}
        PEERS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
