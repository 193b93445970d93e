"""What a pair's figures are drawn of: its sources, run natively again, and one point."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qrun_equiv import points
from qrun_equiv.certificate import Verdict
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import ReportError
from qrun_equiv.frontends.base import Array, CircuitSource, Sizes, Source
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.pair import Pair
from qrun_equiv.points import DEFAULT_RANGE, Domain
from qrun_equiv.scaling import Scale


@dataclass(frozen=True, slots=True)
class Subject:
    """A pair ready to be evaluated, and the point through which its figures are drawn.

    Attributes:
        circuits: the native circuits.
        counterpart: the classical side.
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
    """

    circuits: Sequence[CircuitSource]
    counterpart: CounterpartSource
    sizes: Sizes
    domain: Domain
    seed: int
    neutral: Circuit | None
    x: Array
    theta: Array
    feature: int
    output: int
    where: str

    @property
    def sources(self) -> list[Source]:
        """Circuits first, then the counterpart."""
        return [*self.circuits, self.counterpart]

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
    )


def _neutral(circuits: Sequence[CircuitSource], verdict: Verdict) -> Circuit | None:
    passed = {
        c.between[1] for c in verdict.checks if c.name == "neutral form" and c.error is not None
    }
    return next((c.lower() for c in circuits if c.name in passed), None)


def _random_point(domain: Domain, n_features: int, seed: int) -> Array:
    """The base point of the spectrum check, for the same seed."""
    box = np.array(domain or [DEFAULT_RANGE] * n_features)
    return np.random.default_rng([seed, 2]).uniform(box[:, 0], box[:, 1])


def _parameters(pair: Pair, sizes: Sizes, domain: Domain, seed: int) -> tuple[Array, str]:
    if pair.parameters is not None:
        given = points.numbers(pair.parameters, "parameters")
        first = given[0] if given.ndim > 1 and given[0].size == sizes.parameters else given
        return points.vector(first, sizes.parameters, "parameters"), "the given"
    if pair.trained is not None:
        return points.vector(pair.trained, sizes.parameters, "trained"), "the trained"
    first = points.choose(
        sizes, domain=domain, parameters=None, data=None, trained=None, seed=seed
    )[0]
    return first.theta, "seeded random"


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
