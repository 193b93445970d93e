"""The text of a certificate: a ``.v`` file that states a pair's identity and proves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from qrun_equiv.angle import Angle, Symbol, read_constant, root_two_multiple
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.coq import cuts, mirror
from qrun_equiv.coq.amplitudes import AmplitudePlanner
from qrun_equiv.coq.errors import CoqError
from qrun_equiv.coq.record import Node, Operation, Recorder, Tape
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.files import write_atomically
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.digest import digest, fingerprint
from qrun_equiv.pair import Pair

_FIXED = {"H": "Hadamard", "S": "PhaseS", "T": "PhaseT", "X": "Pauli SigmaX",
          "Y": "Pauli SigmaY", "Z": "Pauli SigmaZ"}  # fmt: skip
_ROTATIONS = {"RX", "RY", "RZ", "PhaseShift"}


@dataclass(frozen=True)
class Written:
    """A certificate as it was written.

    Attributes:
        name: of the module, and the beginning of the theorems' names.
        text: the file.
        theorems: names of the theorems, one for each output.
        gates: of the circuit.
        operations: of the counterpart's program.
    """

    name: str
    text: str
    theorems: tuple[str, ...]
    gates: int
    operations: int


def identifier(name: str) -> str:
    """A pair's name as Coq and its file system take it."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    return plain if plain[:1].isalpha() else f"pair_{plain}"


def certificate(
    name: str,
    circuit: Circuit,
    counterpart: CounterpartSource,
    *,
    origin: str = "",
    cut: bool = True,
) -> Written:
    """A certificate for all features and parameters.

    Theorem: proofs/coq/Certificate.v, certificate_sound.

    Args:
        name: of the pair.
        circuit: neutral form on one wire.
        counterpart: torch code; it is run on formal numbers.
        origin: where the circuit is from, for the reader.
        cut: compare both sides gate by gate, else written out in full.

    Raises:
        CoqError: the circuit has several wires, or a gate without a textbook matrix.
        FormalError: the counterpart or an angle is outside what the checker takes.
    """
    _refuse(circuit)
    algebra = Recorder()
    sizes = counterpart.sizes
    out = counterpart.formal(
        algebra, algebra.features(sizes.features), algebra.parameters(sizes.parameter_shape), 1
    )
    if out.shape != (1, circuit.n_outputs):
        msg = f"the counterpart has {out.shape[1]} outputs, the circuit {circuit.n_outputs}"
        raise CoqError(msg)
    outputs = [node.index for node in out.ravel() if isinstance(node, Node)]
    tape = algebra.tape
    try:
        bases, plans = _plans(tape, circuit, outputs, cut=cut)
    except RecursionError:  # a polynomial of enormous degree
        msg = "the counterpart is too deep to be written out"
        raise CoqError(msg) from None
    module = identifier(name)
    theorems = tuple(f"{module}_output_{k}" for k in range(len(outputs)))
    parts = [_head(name, module, origin, circuit, counterpart), _definitions(circuit, bases)]
    parts.append(_list("program", "operation", [_operation(o) for o in tape.operations]))
    for k, (index, plan) in enumerate(zip(outputs, plans, strict=True)):
        parts.append(_list(f"steps_{k}", "step", [" ".join(s) for s in plan]))
        parts.append(_theorem(theorems[k], k, index, bases))
    text = "\n\n".join(parts) + "\n"
    return Written(module, text, theorems, len(circuit.gates), len(tape.operations))


def _plans(
    tape: Tape, circuit: Circuit, outputs: Sequence[int], *, cut: bool
) -> tuple[Sequence[mirror.Base], list[list[cuts.Step]]]:
    """Base angles and steps: cut at Bloch vectors, or where these grow too large at amplitudes."""
    given = mirror.bases(cuts.angles(tape, circuit))
    planners: list[Callable[[], cuts.Planner]] = [
        partial(cuts.Planner, tape, circuit, given, cut=cut)
    ]
    if cut:
        planners += [partial(AmplitudePlanner, tape, circuit, waves=w) for w in (True, False)]
    first: mirror.TooLargeError | None = None
    for make in planners:
        try:
            return make().ring.bases, [make().plan(index) for index in outputs]
        except mirror.TooLargeError as error:
            first = first or error
    msg = (
        f"{first}. Coq can check it where the counterpart computes the circuit's Bloch vector or "
        "amplitudes gate by gate, the first gate first, or the coefficients of exp(ikx) in them"
    )
    raise mirror.TooLargeError(msg) from first


def of_pair(pair: Pair, *, cut: bool = True) -> Written:
    """The certificate of a pair, for its circuit with the fewest wires.

    Raises:
        CoqError: the pair claims no equality for all parameters, or see :func:`certificate`.
        QrunEquivError: the circuit has no neutral form.
    """
    if pair.parameters is not None or pair.claim == "approximates":
        msg = f"pair {pair.name!r} claims no identity for all parameters: nothing for Coq to check"
        raise CoqError(msg)
    sources = pair.sources()
    counterpart = next(s for s in sources.values() if isinstance(s, CounterpartSource))
    native = {
        name: s for name, s in sources.items() if s is not counterpart and hasattr(s, "lower")
    }
    if not native:
        msg = f"pair {pair.name!r} has no circuit"
        raise CoqError(msg)
    try:
        lowered = {name: s.lower() for name, s in native.items()}
        origin, circuit = min(lowered.items(), key=lambda named: named[1].n_wires)
        return certificate(pair.name, circuit, counterpart, origin=origin, cut=cut)
    except QrunEquivError as error:
        msg = f"pair {pair.name!r} has no Coq certificate: {error}"
        raise CoqError(msg) from error


def write(pair: Pair, folder: str | Path) -> Path:
    """Write the certificate of a pair into a folder; see :func:`of_pair`."""
    written = of_pair(pair)
    return write_atomically(Path(folder, f"{written.name}.v"), written.text)


def _refuse(circuit: Circuit) -> None:
    if circuit.n_wires != 1:
        msg = f"Coq certificates are for circuits on one wire; this one has {circuit.n_wires}"
        raise CoqError(msg)
    for gate in circuit.gates:
        if gate.name not in _FIXED and gate.name not in _ROTATIONS and gate.name != "PauliRot":
            msg = f"Coq certificates have no gate {gate.name}"
            raise CoqError(msg)


def _symbol(symbol: Symbol | None) -> str:
    if symbol is None:
        return "RootTwo"
    names = {"x": "Feature", "theta": "Theta", "acos": "Arccos"}
    if symbol.kind == "pi":
        return "PiNumber"
    power = f" {symbol.power}" if symbol.kind == "acos" else ""
    return f"{names[symbol.kind]} {symbol.index}{power}"


def _formula(value: Angle, root: Fraction | None = None) -> str:
    terms = [
        f"({q.numerator}#{q.denominator}, [{'; '.join(map(_symbol, symbols))}])"
        for q, symbols in cuts.coefficient(value, root)
    ]
    return f"[{'; '.join(terms)}]"


def _gate(gate: Gate) -> str:
    if gate.angle is None:
        return _FIXED[gate.name]
    name = f"R{gate.word}" if gate.name == "PauliRot" else gate.name
    return f"{name} {_formula(gate.angle)}"


def _operation(o: Operation) -> str:
    if o.name == "Number":
        return f"Number {_formula(o.number, o.root)}"
    return " ".join([o.name, *map(str, o.arguments)])


def _observable(observable: Observable) -> str:
    terms = []
    for value, word in observable.terms:
        root = root_two_multiple(value)
        coefficient = _formula(read_constant(value), root)
        terms.append(f"({coefficient}, {'Sigma' + word[0][1] if word else 'IdentityOp'})")
    return f"[{'; '.join(terms)}]"


def _list(name: str, kind: str, entries: Sequence[str]) -> str:
    body = ";\n  ".join(_wrapped(entries))
    return f"Definition {name} : list {kind} :=\n [{body}]."


def _wrapped(entries: Iterable[str]) -> list[str]:
    """Several short entries to a line."""
    lines: list[str] = []
    for entry in entries:
        if lines and len(lines[-1]) + len(entry) < 90:
            lines[-1] += f"; {entry}"
        else:
            lines.append(entry)
    return lines


def _definitions(circuit: Circuit, bases: Sequence[mirror.Base]) -> str:
    found = [_formula(Angle.of(dict(b.terms))) for b in bases]
    parts = [_list("circuit", "gate", [_gate(g) for g in circuit.gates])]
    parts += [
        f"Definition observable_{k} : list (formula * pauli) :=\n  {_observable(o)}."
        for k, o in enumerate(circuit.observables)
    ]
    parts.append(_list("bases", "base", found))
    return "\n\n".join(parts)


def statement(name: str, k: int, output: int, bases: Sequence[mirror.Base]) -> str:
    """The theorem about one output, in full."""
    arcs = sorted({arc[0][1] for b in bases if (arc := b.arc)})
    domain = "".join(f" -1 <= x {j}%N <= 1 ->" for j in arcs)
    return (
        f"Theorem {name} : forall x theta : N -> R,{domain}\n"
        f"  counterpart x theta program {output} = expectation x theta circuit observable_{k}."
    )


def _theorem(name: str, k: int, output: int, bases: Sequence[mirror.Base]) -> str:
    return (
        statement(name, k, output, bases) + "\nProof.\n  intros. apply certificate_sound"
        f" with (bases := bases) (steps := steps_{k})."
        "\n  - lazy [inside bases]. tauto.\n  - vm_compute. reflexivity.\nQed."
    )


def _head(
    name: str, module: str, origin: str, circuit: Circuit, counterpart: CounterpartSource
) -> str:
    identity = digest(fingerprint(counterpart.counterpart))
    angles = "\n".join(
        f"     {g.name}{f' of {g.angle}' if g.angle is not None else ''}" for g in circuit.gates
    )
    where = f" of the {_safe(origin)} circuit" if origin else ""
    comment = f"""(** The pair {_safe(name)!r}: the classical counterpart equals the circuit for all
    real features x 0, x 1, .. and parameters theta 0, theta 1, ..

    To check: coqc -Q proofs/coq QrunEquiv {module}.v
    Counterpart (SHA-256): {identity}
    Circuit (SHA-256):     {circuit.digest()}

    [circuit] is the neutral form{where}, first gate first, on the state |0>;
    angles in radians:
{_safe(angles)}
    [program] is what the counterpart's torch code does to one row of features, recorded line by
    line; constants are read as the simplest rational, multiple of pi or of sqrt 2 (the latter not
    inside an angle). [steps] only guides the checker: a wrong one proves nothing. *)"""
    return (
        comment
        + """

Require Import Reals QArith List.
From QrunEquiv Require Import Polynomial Certificate.
Import ListNotations.
Open Scope Q_scope.
Open Scope N_scope.
Open Scope R_scope."""
    )


def _safe(text: str) -> str:
    return text.replace("(*", "( *").replace("*)", "* )").replace('"', "'")
