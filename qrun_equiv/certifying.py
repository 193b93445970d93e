"""A bound on the difference of a circuit and a counterpart that holds for all features.

At given parameters both sides are written as trigonometric polynomials with ball coefficients: the
circuit from its neutral form, the counterpart by running its own code
(:mod:`qrun_equiv.trigonometric`, :mod:`qrun_equiv.formal`). Neither side's degree is anybody's
word: it is what the computation gives. The difference is then bounded over all features
(:mod:`qrun_equiv.bounds`). A counterpart that is none (a network with ``tanh``), of one feature, is
bounded by interval arithmetic and bisection over an interval (:mod:`qrun_equiv.bisection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qrun_equiv import bounds, tolerances, trigonometric
from qrun_equiv.approximation import bound_difference
from qrun_equiv.certificate import BOUND, Check
from qrun_equiv.checks import Place
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FormalError
from qrun_equiv.frontends.base import Array
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.points import REACH, Domain

NO_PARAMETERS = np.zeros(0)
_CLOSE = 0.05  # how near the two ends of an interval bound should be, relative
# Effort for an approximation; and for a network that is held to equality, which is hardly one.
_BOXES, _FEW_BOXES, _ROUNDING = 200_000, 4_000, 1e-11


@dataclass(frozen=True)
class InputBound:
    """What is known of one output's difference, the worst of all outputs.

    Attributes:
        upper: at least the largest difference.
        lower: at most the largest difference.
        allowed: the difference that passes.
        output: index of the output.
        points: grid points, or boxes.
        scope: for which features it holds, for a person.
        note: the enclosure, and how it was found.
        theta: the parameters.
        at: features of a point where the difference is ``lower`` at least, where one is known.
    """

    upper: float
    lower: float
    allowed: float
    output: int
    points: int
    scope: str
    note: str
    theta: Array
    at: Array | None = None

    @property
    def exceeds(self) -> bool:
        """Whether the two provably differ by more than they may."""
        return self.lower > self.allowed

    def check(self, counterpart: str, form: str) -> Check:
        """As a check: the error is the upper bound."""
        status = "passed" if self.upper <= self.allowed else "failed"
        between = (counterpart, form)
        return Check(
            BOUND, between, self.scope, self.upper, self.allowed, self.points, status, self.note
        )

    def place(self) -> Place | None:
        """Where the difference is known to be large."""
        return None if self.at is None else Place(self.at, self.theta, self.output)


def bound(
    circuit: Circuit,
    counterpart: CounterpartSource,
    theta: Array,
    domain: Domain,
    epsilon: float | None,
) -> InputBound:
    """Bound ``|circuit - counterpart|`` over the domain at given parameters.

    Theorem: proofs/coq/EhlichZeller.v, ehlich_zeller_features.

    Args:
        circuit: neutral form.
        counterpart: torch code, run unmodified on trigonometric polynomials or intervals.
        theta: parameters ``[n_parameters]``.
        domain: box of the features; ``None``: all reals.
        epsilon: the difference that passes; rounding of the observables' size where left out.

    Raises:
        FormalError: the counterpart is no trigonometric polynomial, and no function of one feature
            on a bounded interval that interval arithmetic can follow; or the budget is spent.
    """
    counterpart.check_rows()
    ours = trigonometric.of_circuit(circuit, theta.tolist())
    limits = [
        epsilon if epsilon is not None else tolerances.CERTIFIED * max(o.norm, 1e-300)
        for o in circuit.observables
    ]
    try:
        theirs = _trigonometric(counterpart, theta)
    except FormalError as error:
        return _by_intervals(circuit, counterpart, theta, domain, limits, str(error))
    difference = trigonometric.difference(ours, theirs)
    found = [
        _over_domain(delta, domain, counterpart.sizes.features, limit)
        for delta, limit in zip(difference, limits, strict=True)
    ]
    worst = max(range(len(found)), key=lambda k: found[k].upper / limits[k])
    best, at = found[worst], None
    if best.upper > limits[worst]:  # they may differ: where, inside the domain?
        reached, found_at = bounds.attained(difference[worst], domain)
        at = np.zeros(counterpart.sizes.features)
        at[: len(found_at)] = found_at  # features that neither side reads
        lower = reached if domain is not None else max(best.lower, reached)
        best = replace(best, lower=lower)
    return InputBound(
        best.upper,
        best.lower,
        limits[worst],
        worst,
        max(b.points for b in found),
        _scope(best.radius),
        f"the largest difference lies in [{best.lower:.3g}, {best.upper:.3g}]; derivatives differ "
        f"by {max(b.gradient_upper for b in found):.3g} and Fourier coefficients by "
        f"{max(b.coefficient_upper for b in found):.3g} at most; {best.method}",
        theta,
        at,
    )


def _trigonometric(counterpart: CounterpartSource, theta: Array) -> Any:
    algebra = trigonometric.Trigonometric()
    n = counterpart.sizes.features
    x = algebra.rearrange(algebra.features(n), lambda a: a.reshape(1, n))
    given = algebra.constant(theta.reshape(counterpart.sizes.parameter_shape))
    made = counterpart.formal(algebra, x, given, 1)
    return algebra.polynomials(made).reshape(-1)


def _over_domain(
    delta: trigonometric.TrigonometricPolynomial, domain: Domain, n_features: int, limit: float
) -> bounds.SupBound:
    """Over all reals; over a bounded domain where frequencies miss each other by a rounding."""
    found = bounds.sup_bound(delta)
    if found.upper <= limit and domain is None:
        return found
    if domain is None:
        radius: Sequence[float] = (REACH,) * n_features
    else:
        radius = tuple(max(abs(low), abs(high)) for low, high in domain)
    near = bounds.sup_bound(delta, radius=radius)
    return near if near.upper < found.upper else found


def _scope(radius: tuple[float, ...] | None) -> str:
    if radius is None:
        return "all real features, at the given parameters"
    widest = ", ".join(f"|x{j}| <= {r:g}" for j, r in enumerate(radius))
    return f"all features with {widest}, at the given parameters"


def _by_intervals(
    circuit: Circuit,
    counterpart: CounterpartSource,
    theta: Array,
    domain: Domain,
    limits: Sequence[float],
    reason: str,
) -> InputBound:
    if counterpart.sizes.features != 1 or domain is None:
        msg = (
            f"{reason}; interval bounds need one feature and domain=(low, high), got "
            f"{counterpart.sizes.features} feature(s) and domain={domain}"
        )
        raise FormalError(msg)
    (low, high), allowed = domain[0], min(limits)
    boxes = _BOXES if allowed > _ROUNDING else _FEW_BOXES
    found = bound_difference(
        counterpart.at(theta), circuit, theta, low, high, relative=_CLOSE, most_boxes=boxes
    )
    return InputBound(
        found.upper,
        found.lower,
        allowed,
        0,
        found.boxes,
        f"all features in [{low:g}, {high:g}], at the given parameters",
        f"the largest difference lies in [{found.lower:.3g}, {found.upper:.3g}]; interval "
        f"arithmetic on {found.boxes} boxes, ended by {found.ended}",
        theta,
        np.array([found.at]),
    )
