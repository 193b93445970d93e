"""What a pair's figures are drawn of: its sources, run natively again, and one point."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import points
from qrun_equiv.certificate import Verdict
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FrontendError, ReportError, UnsupportedCircuitError
from qrun_equiv.frontends.base import Array, CircuitSource, Sizes, Source
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.qasm import load
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.pair import Pair
from qrun_equiv.points import DEFAULT_RANGE, Domain
from qrun_equiv.scaling import Scale


@dataclass(frozen=True, slots=True)
class Subject:
    """A pair ready to be evaluated, and the point through which its figures are drawn.

    Attributes:
        circuits: the native circuits.
        counterpart: the classical side; ``None`` where a circuit stands alone.
        sizes: numbers of features and parameters.
        domain: of the features; ``None``: all reals.
        seed: the verdict's.
        neutral: a neutral form that passed its check in the verdict, if there is one.
        x: ``[n_features]``: the witness, else a seeded random point.
        theta: ``[n_parameters]``: the witness's, else the given, else the trained, else the first
            that was checked.
        feature: the feature that varies.
        output: the output that is shown.
        where: ``x`` and ``theta`` in words.
        epsilon: largest absolute difference that the pair allows; ``None``: equality.
        measured: the observables in words, where no one gave any.
    """

    circuits: Sequence[CircuitSource]
    counterpart: CounterpartSource | None
    sizes: Sizes
    domain: Domain
    seed: int
    neutral: Circuit | None
    x: Array
    theta: Array
    feature: int
    output: int
    where: str
    epsilon: float | None = None
    measured: str = ""

    @property
    def sources(self) -> list[Source]:
        """Circuits first, then the counterpart."""
        others = [] if self.counterpart is None else [self.counterpart]
        return [*self.circuits, *others]

    def scale(self, stacks: Mapping[str, Array]) -> Array:
        """Scale ``[n_outputs]`` that errors are relative to, from the circuits' values."""
        return Scale.of([stacks[c.name] for c in self.circuits], self.neutral).outputs


def subject(pair: Pair, verdict: Verdict) -> Subject:
    """Sources of the pair, and the point of its figures.

    Raises:
        ReportError: the circuit has no feature to draw along.
        QrunEquivError: the pair can't be evaluated as given.
    """
    circuits, sizes = circuit_sources(
        pair.circuits(), pair.observable, pair.n_features, pair.n_parameters
    )
    if not sizes.features:
        msg = "the circuit has no feature to draw along"
        raise ReportError(msg)
    domain = points.read_domain(pair.domain, sizes.features)
    neutral = _neutral(circuits, verdict)
    witness = verdict.counterexample
    if witness is not None:
        x, theta = np.array(witness.features), np.array(witness.parameters)
        names = ("the witness", "the witness's")
    else:
        x = _random_point(domain, sizes.features, verdict.seed)
        theta, whose = _parameters(pair, sizes, domain, verdict.seed)
        names = ("a seeded random point", whose)
    parts = [f"the other features fixed at {names[0]}"] if sizes.features > 1 else []
    parts += [f"{names[1]} parameters"] if sizes.parameters else []
    return Subject(
        circuits=circuits,
        counterpart=CounterpartSource(pair.counterpart, sizes),
        sizes=sizes,
        domain=domain,
        seed=verdict.seed,
        neutral=neutral,
        x=x,
        theta=theta,
        feature=_feature(verdict, neutral),
        output=witness.output if witness is not None else 0,
        where=" and ".join(parts),
        epsilon=pair.epsilon,
    )


def unverified(pair: Pair, *, parameters: Any = None, seed: int = 0) -> Subject:
    """A pair without a verdict: its neutral form is what a framework's circuit lowers to.

    Args:
        pair: the pair.
        parameters: ``theta``; else the pair's given, else its trained, else seeded random ones.
        seed: of the random parameters and of the values of features that are held fixed.

    Raises:
        QrunEquivError: the pair can't be evaluated as given.
    """
    circuits, sizes = circuit_sources(
        pair.circuits(), pair.observable, pair.n_features, pair.n_parameters
    )
    domain = points.read_domain(pair.domain, sizes.features)
    given = pair if parameters is None else replace(pair, parameters=parameters)
    theta, whose = _parameters(given, sizes, domain, seed)
    counterpart = CounterpartSource(pair.counterpart, sizes)
    made = _plain(circuits, counterpart, sizes, domain, theta, whose, seed)
    return replace(made, epsilon=pair.epsilon)


def of_qasm(
    path: str | Path, *, observable: Any = None, parameters: Any = None, seed: int = 0
) -> Subject:
    """An OpenQASM 3 file alone; measured in Z of each qubit where no observable is given.

    Args:
        path: the file.
        observable: Pauli labels (little-endian, as Qiskit's), a ``SparsePauliOp``, or a list.
        parameters: ``theta``; seeded random ones where left out.
        seed: of the random parameters and of the values of features that are held fixed.

    Raises:
        QrunEquivError: the file can't be read or evaluated.
    """
    measured = ""
    if observable is None:
        measured = "Z of each qubit, as no observable is given: output k is Z of qubit k"
        wires = load(path).num_qubits
        observable = ["I" * (wires - 1 - k) + "Z" + "I" * k for k in range(wires)]
    circuits, sizes = circuit_sources(str(path), _operators(observable), None, None)
    if parameters is not None:
        theta, whose = points.vector(parameters, sizes.parameters, "parameters"), "the given"
    else:
        theta, whose = _first(sizes, None, seed), "seeded random"
    return replace(_plain(circuits, None, sizes, None, theta, whose, seed), measured=measured)


def _operators(observable: Any) -> Any:
    """Labels as operators; anything else as it is."""
    many = isinstance(observable, list | tuple)
    if not all(isinstance(o, str) for o in (observable if many else [observable])):
        return observable
    try:
        made = [SparsePauliOp(label) for label in (observable if many else [observable])]
    except QiskitError as error:
        msg = f"{observable!r} is no Pauli label such as 'ZI' (qubit 0 last): {error.message}"
        raise FrontendError(msg) from error
    return made if many else made[0]


def _plain(
    circuits: Sequence[CircuitSource],
    counterpart: CounterpartSource | None,
    sizes: Sizes,
    domain: Domain,
    theta: Array,
    whose: str,
    seed: int,
) -> Subject:
    parts = ["the other features fixed at a seeded random point"] if sizes.features > 1 else []
    parts += [f"{whose} parameters"] if sizes.parameters else []
    return Subject(
        circuits=circuits,
        counterpart=counterpart,
        sizes=sizes,
        domain=domain,
        seed=seed,
        neutral=_lowered(circuits),
        x=_random_point(domain, sizes.features, seed),
        theta=theta,
        feature=0,
        output=0,
        where=" and ".join(parts),
    )


def _lowered(circuits: Sequence[CircuitSource]) -> Circuit | None:
    for circuit in circuits:
        try:
            return circuit.lower()
        except UnsupportedCircuitError:
            continue
    return None


def _neutral(circuits: Sequence[CircuitSource], verdict: Verdict) -> Circuit | None:
    passed = {
        c.between[1] for c in verdict.checks if c.name == "neutral form" and c.error is not None
    }
    return next((c.lower() for c in circuits if c.name in passed), None)


def _random_point(domain: Domain, n_features: int, seed: int) -> Array:
    """The base point of the spectrum check, for the same seed."""
    box = np.array(domain or [DEFAULT_RANGE] * n_features).reshape(n_features, 2)
    return np.random.default_rng([seed, 2]).uniform(box[:, 0], box[:, 1])


def _parameters(pair: Pair, sizes: Sizes, domain: Domain, seed: int) -> tuple[Array, str]:
    if pair.parameters is not None:
        given = points.numbers(pair.parameters, "parameters")
        first = given[0] if given.ndim > 1 and given[0].size == sizes.parameters else given
        return points.vector(first, sizes.parameters, "parameters"), "the given"
    if pair.trained is not None:
        return points.vector(pair.trained, sizes.parameters, "trained"), "the trained"
    return _first(sizes, domain, seed), "seeded random"


def _first(sizes: Sizes, domain: Domain, seed: int) -> Array:
    """The first parameters that the checks would draw at this seed."""
    return points.choose(sizes, domain=domain, parameters=None, data=None, trained=None, seed=seed)[
        0
    ].theta


def _feature(verdict: Verdict, neutral: Circuit | None) -> int:
    kind, index = component(verdict)
    if kind == "x":
        return index
    read = (
        sorted(i for g in neutral.encoding_gates() if g.angle for i in g.angle.features())
        if neutral
        else []
    )
    return read[0] if read else 0


def component(verdict: Verdict) -> tuple[str, int]:
    """Which derivative a witness is about: ``("x" | "theta", index)``, or ``("", 0)``."""
    witness = verdict.counterexample
    found = re.fullmatch(r"d/d(x|theta)(\d+)", witness.component) if witness is not None else None
    return (found[1], int(found[2])) if found else ("", 0)
