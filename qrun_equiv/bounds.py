"""Rigorous bounds of a trigonometric polynomial over all features: how different two functions are.

:func:`sup_bound` encloses ``sup |f|``, bounds its partial derivatives and its coefficients; every
number is rounded outward. What it stands on:

- ``sup |f| <= sum_w |c_w|``, for any real frequencies;
- Ehlich and Zeller, Math. Z. 86, 41 (1964): a real trigonometric polynomial of degree ``K`` obeys
  ``max |p| <= max_j |p(x_j)| / cos(pi K / N)`` for ``N > 2K`` equispaced points of a period; on a
  tensor grid the factors multiply, one variable after the other;
- Bernstein: ``sup |df/dx_j| <= max_w |w_j| sup |f|``, for any real frequencies (Boas, Entire
  Functions, 1954, theorem 11.1.2);
- mean values of almost periodic functions, from below: ``sup |f|^2 >= sum_w |c_w|^2`` (Parseval)
  and, as ``|cos|`` has the mean ``2/pi``, ``sup |f| >= pi/2 |c_w|`` for ``w != 0``.

A frequency such as ``2*x0 - pi*x1`` counts ``x0`` and ``pi*x1`` as separate variables, each with
rational multiples and so with a period: where ``x0`` and ``pi*x0`` both occur, the line that they
run along is dense in the torus (Kronecker), and the supremum is the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from flint import acb, arb, fmpq
from numpy.typing import NDArray

from qrun_equiv.angle import Angle
from qrun_equiv.errors import SpectrumError
from qrun_equiv.trigonometric import TrigonometricPolynomial, ball, precise, slopes

Array = NDArray[np.float64]

#: Points of the largest grid, and multiplications for each of them: about a second.
GRID_POINTS, _WORK = 2**18, 64

_OVERSAMPLING = (16, 12, 8, 6, 5, 4, 3)  # points for each degree: factors 1.02 to 2 a variable
_NEGLIGIBLE = 1e-9  # of the sum of all: coefficients that are added, not put on the grid
_NEAR = 1e-9  # of the largest phase in the domain: frequencies that differ by a rounding
_UNIT = 2.0**-53
_TINY = 1e-290  # above anything that underflow loses
_READABLE = 10**6
_SEARCH_WORK = 2_000_000  # exponentials
_SEED, _SEARCHED, _KEPT = 20512, 2048, 4


@dataclass(frozen=True, slots=True)
class SupBound:
    """What is known of ``|f|`` over all features, or over ``|x_j| <= radius_j``.

    Attributes:
        upper: at least the supremum of ``|f|``.
        lower: at most that supremum.
        gradient_upper: at least the supremum of each ``|df/dx_j|``.
        coefficient_upper: at least each Fourier coefficient's absolute value (convention of
            :mod:`qrun_equiv.fourier`); where ``radius`` is set, frequencies that differ by a
            rounding count as one.
        points: points of the grid; 0 where only the sum of the coefficients was used.
        radius: half-widths of the domain, one for each feature, for which all this holds; None
            where it holds for all real features.
        method: how ``upper`` was found, for a person.
    """

    upper: float
    lower: float
    gradient_upper: float
    coefficient_upper: float
    points: int
    radius: tuple[float, ...] | None
    method: str


def round_up(value: arb) -> float:
    """Smallest float64 at least the ball's upper end; infinite where the ball is not finite."""
    if not value.is_finite():
        return math.inf
    with precise():  # else the upper end is rounded to the caller's precision
        mantissa, exponent = value.upper().man_exp()
    exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    try:
        nearest = float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -float(np.finfo(np.float64).max)
    return nearest if Fraction(nearest) >= exact else math.nextafter(nearest, math.inf)


def round_down(value: arb) -> float:
    """Largest float64 at most the ball's lower end; minus infinity where it is not finite."""
    with precise():
        return -round_up(-value)


def ehlich_zeller(values: Array, degrees: Sequence[int]) -> float:
    """Bound of ``max |p|`` from values on a tensor grid, rounded up.

    Theorem: proofs/coq/EhlichZeller.v, ehlich_zeller, ehlich_zeller_grid.

    Args:
        values: exact (or already enlarged by their error) values of a real trigonometric
            polynomial, shape ``[N_1, ..., N_m]``, at ``N_a`` equispaced points of each period.
        degrees: its degree in each variable.

    Raises:
        SpectrumError: too few points along a variable, or not one degree for each.
    """
    if np.ndim(values) != len(degrees):
        msg = f"values on a grid of {np.ndim(values)} variable(s), but {len(degrees)} degree(s)"
        raise SpectrumError(msg)
    with precise():
        largest = arb(float(np.max(np.abs(values))))
        return round_up(largest * _factor(np.shape(values), degrees))


def _factor(points: Sequence[int], degrees: Sequence[int]) -> arb:
    factor = arb(1)
    for n, k in zip(points, degrees, strict=True):
        if n <= 2 * k:
            msg = (
                f"{n} points bound no trigonometric polynomial of degree {k}: at least {2 * k + 1} "
                "are needed"
            )
            raise SpectrumError(msg)
        factor /= arb.cos_pi_fmpq(fmpq(k, n))
    return factor


def bernstein(sup: float, slope: float) -> float:
    """Bound of ``|p'|`` for a bound of ``|p|`` and of its frequencies, rounded up.

    Theorem: proofs/coq/Bernstein.v, bernstein, bernstein_gradient.

    Raises:
        SpectrumError: a negative or undefined argument.
    """
    if not (sup >= 0 and slope >= 0):
        msg = f"Bernstein's inequality needs bounds that are not negative, got {sup} and {slope}"
        raise SpectrumError(msg)
    with precise():
        return round_up(arb(sup) * arb(slope)) if math.isfinite(sup * slope) else math.inf


def sup_bound(
    delta: TrigonometricPolynomial,
    *,
    radius: float | Sequence[float] | None = None,
    grid_points: int = GRID_POINTS,
) -> SupBound:
    """Rigorous bounds of a real trigonometric polynomial, such as a difference of two outputs.

    Theorem: proofs/coq/EhlichZeller.v, ehlich_zeller_features.

    Args:
        delta: the polynomial, in any number of features.
        radius: half-widths of the domain ``|x_j| <= radius_j``, one or one for each feature.
            Needed only where frequencies that were computed in floating point miss each other by a
            rounding: over all reals such waves drift apart, over a bounded domain hardly. Such
            frequencies (phases within 1e-9 of the largest over the domain) are then taken as one,
            and what that changes is added.
        grid_points: no larger grid is used; without a grid ``upper`` is the sum of coefficients.

    Raises:
        SpectrumError: a coefficient is not finite, or a radius is missing, negative or infinite.
    """
    if not all(c.is_finite() for c in delta.terms.values()):
        msg = "a coefficient of the trigonometric polynomial is not finite: there is no bound"
        raise SpectrumError(msg)
    with precise():
        if radius is not None:
            box = _box(delta, radius)
            merged = _merge(delta, box)
            if merged is not None:
                return _over_box(delta, *merged, box, grid_points)
        bound = _over_reals(delta, grid_points)
        if bound.points or bound.upper == 0:
            return bound
        found, _ = attained(delta)
        return replace(bound, lower=max(bound.lower, found))


def _over_reals(delta: TrigonometricPolynomial, grid_points: int) -> SupBound:
    sizes = {w: abs(c) for w, c in delta.terms.items()}
    total = _total(_twice(w, s) for w, s in sizes.items())
    best, method, points, lower = total, "sum of |coefficients|", 0, _mean_value_bound(sizes)
    try:
        upper, least, points = _grid_bound(delta, sizes, grid_points)
    except SpectrumError as error:
        method += f"; {error}"
    else:
        lower = max(lower, least)
        if round_up(upper) < round_up(best):
            best, method = upper, f"Ehlich-Zeller on {points} points"
    sup = round_up(best)
    return SupBound(
        upper=sup,
        lower=min(lower, sup),
        gradient_upper=_gradient_bound(sizes, sup),
        coefficient_upper=max((round_up(s) for s in sizes.values()), default=0.0),
        points=points,
        radius=None,
        method=method,
    )


def _total(parts: Iterable[arb]) -> arb:
    return sum(parts, start=arb(0))


def _twice(w: Angle, value: arb) -> arb:
    return 2 * value if w.terms else value  # w and -w


def _mean_value_bound(sizes: dict[Angle, arb]) -> float:
    squares = _total(_twice(w, s * s) for w, s in sizes.items())
    waves = [s * arb.pi() / 2 if w.terms else s for w, s in sizes.items()]
    # Negative only through the balls' widths; the square root of a lower end is a lower end.
    parseval = max(squares.lower(), arb(0)).sqrt()
    return max([0.0, round_down(parseval), *(round_down(v) for v in waves)])


def _gradient_bound(sizes: dict[Angle, arb], sup: float) -> float:
    sums: dict[int, arb] = {}
    largest: dict[int, float] = {}
    for w, size in sizes.items():
        for j, slope in slopes(w).items():
            length = abs(ball(slope))
            sums[j] = sums.get(j, arb(0)) + 2 * length * size
            largest[j] = max(largest.get(j, 0.0), round_up(length))
    return max((min(round_up(sums[j]), bernstein(sup, largest[j])) for j in sums), default=0.0)


def _grid_bound(
    delta: TrigonometricPolynomial, sizes: dict[Angle, arb], grid_points: int
) -> tuple[arb, float, int]:
    """Upper bound by Ehlich and Zeller, largest value on the grid from below, points.

    Raises:
        SpectrumError: the grid would be larger than ``grid_points``, or the values too small.
    """
    kept, rest = _split_negligible(sizes)
    steps = _lattice(kept)
    if not steps.size:
        msg = "a constant needs no grid"
        raise SpectrumError(msg)
    degrees = [int(np.abs(column).max()) for column in steps.T]
    shape = _grid_shape(degrees, steps, grid_points)
    exact = [c if not w.terms else 2 * c for w, c in ((w, delta.terms[w]) for w in kept)]
    weights = np.array([complex(float(c.real.mid()), float(c.imag.mid())) for c in exact])
    # How far the floats are from the coefficients: radii and one rounding each.
    missed = _total(abs(c - acb(v.real, v.imag)) for c, v in zip(exact, weights, strict=True))
    values, relative = _evaluate(weights, steps, shape)
    mass = _total(abs(acb(v.real, v.imag)) for v in weights)
    error = mass * relative + missed + arb(_TINY)
    largest = arb(float(np.max(np.abs(values))))
    upper = (largest + error) * _factor(shape, degrees) + rest
    return upper, max(0.0, round_down(largest - error - rest)), math.prod(shape)


def _split_negligible(sizes: dict[Angle, arb]) -> tuple[list[Angle], arb]:
    """Frequencies that matter, and the sum of the others' ``|coefficients|``.

    Coefficients that cancelled leave balls around zero; they would only raise the degree.
    """
    order = sorted(sizes, key=lambda w: float(sizes[w].mid()), reverse=True)
    tail = [0.0]
    for w in reversed(order):
        tail.append(tail[-1] + 2 * float(sizes[w].mid()))
    count = sum(t > _NEGLIGIBLE * tail[-1] for t in tail[1:]) if tail[-1] else 0
    return order[:count], _total(_twice(w, sizes[w]) for w in order[count:])


def _lattice(frequencies: Sequence[Angle]) -> NDArray[np.object_]:
    """Frequencies as integer multiples ``[n, m]`` of a base for each monomial that occurs."""
    axes = sorted({m for w in frequencies for m, _ in w.terms})
    steps = np.zeros((len(frequencies), len(axes)), dtype=object)
    for a, monomial in enumerate(axes):
        column = [dict(w.terms).get(monomial, Fraction(0)) for w in frequencies]
        scale = math.lcm(*(q.denominator for q in column))
        whole = [int(q * scale) for q in column]
        divisor = math.gcd(*whole)
        steps[:, a] = [k // divisor for k in whole]
    return steps


def _grid_shape(
    degrees: Sequence[int], steps: NDArray[np.object_], grid_points: int
) -> tuple[int, ...]:
    """Points along each variable: as many as the limits allow, at least three times the degree."""
    unique = [len(set(column)) for column in steps.T]
    for factor in _OVERSAMPLING:
        shape = tuple(factor * k for k in degrees)
        stages = [math.prod(shape[: a + 1]) * math.prod(unique[a:]) for a in range(len(shape))]
        tables = sum(n * u for n, u in zip(shape, unique, strict=True))
        largest = max([math.prod(shape), *(s // u for s, u in zip(stages, unique, strict=True))])
        dense = math.prod(unique)
        if max(largest, dense) <= grid_points and sum(stages) + tables <= _WORK * grid_points:
            return shape
    needed = math.prod(3 * k for k in degrees)
    msg = (
        f"a grid for the degree(s) {', '.join(map(_short, degrees))} needs at least "
        f"{_short(needed)} points (limit {grid_points})"
    )
    raise SpectrumError(msg)


def _short(count: int) -> str:
    return str(count) if count < _READABLE else f"1e{math.floor(math.log10(count))}"


def _evaluate(
    weights: NDArray[np.complex128], steps: NDArray[np.object_], shape: tuple[int, ...]
) -> tuple[Array, arb]:
    """``Re sum_k weights_k exp(2 pi i sum_a steps_ka j_a / N_a)`` on the grid, and its error.

    Returns:
        Values ``[N_1, ..., N_m]``, and the largest error as a multiple of ``sum |weights|``.

    One variable after the other, by products of real matrices. A sum of ``n`` products in any order
    (fused or not) errs by ``n u / (1 - n u)`` times the sum of their absolute values (Higham,
    Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1); the table of exponentials
    errs by ``2 u`` an entry. BLAS is taken not to use Strassen's method; Higham's bound does not
    hold for that.
    """
    places = [sorted(set(column)) for column in steps.T]
    dense = np.zeros(tuple(len(p) for p in places), dtype=np.complex128)
    index = tuple(
        np.array([p.index(k) for k in column], dtype=np.intp)
        for p, column in zip(places, steps.T, strict=True)
    )
    dense[index] = weights
    growth = arb(1)
    real, imaginary = dense.real.copy(), dense.imag.copy()
    for n, place in zip(shape, places, strict=True):
        cosine, sine = _exponentials(n, place)
        flat_r, flat_i = (v.reshape(len(place), -1) for v in (real, imaginary))
        tail = real.shape[1:]
        # The new variable goes last, so after all of them the order is that of shape.
        real, imaginary = (
            (cosine @ flat_r - sine @ flat_i).T.reshape(*tail, n),
            (cosine @ flat_i + sine @ flat_r).T.reshape(*tail, n),
        )
        operations = 2 * len(place) + 2
        rounding = arb(operations * _UNIT) / (1 - arb(operations * _UNIT))
        growth *= 1 + 2 * rounding + 4 * arb(_UNIT)  # 2 > sqrt(2): real and imaginary part
    return real, growth - 1


def _exponentials(n: int, place: Sequence[int]) -> tuple[Array, Array]:
    """``cos`` and ``sin`` of ``2 pi k j / n`` as ``[n, len(place)]``, each within one ulp."""
    both = [arb.sin_cos_pi_fmpq(fmpq(2 * j, n)) for j in range(n)]
    table = np.array([[float(s.mid()), float(c.mid())] for s, c in both])
    turns = np.array([k % n for k in place], dtype=np.int64)
    where = np.arange(n, dtype=np.int64)[:, None] * turns % n  # exact: n**2 < 2**63
    return table[where, 1], table[where, 0]


def _box(delta: TrigonometricPolynomial, radius: float | Sequence[float]) -> tuple[float, ...]:
    count = 1 + max((j for w in delta.terms for j in w.features()), default=0)
    box = (float(radius),) * count if isinstance(radius, int | float) else tuple(map(float, radius))
    if len(box) < count or not all(r >= 0 and math.isfinite(r) for r in box):
        msg = f"radius {radius}: one finite half-width for each of {count} feature(s) is needed"
        raise SpectrumError(msg)
    return box


def _merge(
    delta: TrigonometricPolynomial, box: Sequence[float]
) -> tuple[TrigonometricPolynomial, arb, list[arb]] | None:
    """Frequencies that differ by a rounding as one; bounds of what that changes within the box.

    None where there are no such frequencies.

    ``|exp(i w.x) - exp(i v.x)| <= sum_j |w_j - v_j| R_j`` =: D. Its derivative along ``x_k`` is at
    most ``|w_k - v_k| + |w_k| D``.
    """
    order = sorted(delta.terms, key=_length)  # the simplest of a cluster stands for it
    vectors = np.array([_numeric(w, len(box)) for w in order]).reshape(-1, len(box))
    sides = np.array(box)
    near = _NEAR * max(1.0, (np.abs(vectors) @ sides).max(initial=0.0))
    chosen, rows = [Angle()], np.zeros((len(order) + 1, len(box)))
    terms: dict[Angle, acb] = {Angle(): acb(0)}
    drift, gradient = arb(0), [arb(0) for _ in box]
    for w, vector in zip(order, vectors, strict=True):
        c, known = delta.terms[w], rows[: len(chosen)]
        same, opposite = (
            np.flatnonzero(np.abs(known - v) @ sides <= near) for v in (vector, -vector)
        )
        if not len(same) and not len(opposite):
            rows[len(chosen)] = vector
            chosen.append(w)
            terms[w] = c
            continue
        v, sign = (chosen[same[0]], 1) if len(same) else (chosen[opposite[0]], -1)
        folded = w.terms and not v.terms  # w and -w both fall on 0
        terms[v] += acb(2 * c.real) if folded else c if sign == 1 else c.conjugate()
        gaps = {j: abs(ball(q)) for j, q in slopes(w - v * sign).items()}
        turned = _total(gap * box[j] for j, gap in gaps.items())
        size = _twice(w, abs(c))
        drift += size * turned
        lengths = {j: abs(ball(q)) for j, q in slopes(w).items()}
        for j in gaps.keys() | lengths.keys():
            gradient[j] += size * (gaps.get(j, arb(0)) + lengths.get(j, arb(0)) * turned)
    if len(chosen) == len(delta.terms) + (Angle() not in delta.terms):
        return None
    kept = {w: c for w, c in terms.items() if not c.is_zero()}
    return TrigonometricPolynomial(kept), drift, gradient


def _length(w: Angle) -> int:
    return sum(q.numerator.bit_length() + q.denominator.bit_length() for _, q in w.terms)


def _numeric(w: Angle, n_features: int) -> Array:
    vector = np.zeros(n_features)
    for j, slope in slopes(w).items():
        vector[j] = float(ball(slope).mid())
    return vector


def _over_box(
    delta: TrigonometricPolynomial,
    merged: TrigonometricPolynomial,
    drift: arb,
    gradient_drift: list[arb],
    box: tuple[float, ...],
    grid_points: int,
) -> SupBound:
    bound = _over_reals(merged, grid_points)
    upper = round_up(arb(bound.upper) + drift)
    slope = max(round_up(g) for g in gradient_drift)
    return replace(
        bound,
        upper=upper,
        lower=min(attained(delta, [(-r, r) for r in box], guide=merged)[0], upper),
        gradient_upper=round_up(arb(bound.gradient_upper) + arb(slope)),
        radius=box,
        method=f"{bound.method}; frequencies that differ by a rounding taken as one",
    )


def attained(
    delta: TrigonometricPolynomial,
    domain: Sequence[tuple[float, float]] | None = None,
    *,
    guide: TrigonometricPolynomial | None = None,
) -> tuple[float, Array]:
    """A point where ``|delta|`` is large, and a lower bound of its value there, rounded down.

    Args:
        delta: the polynomial.
        domain: box of the features, ``(low, high)`` for each; a wide one where left out.
        guide: polynomial with nearly the same values, to search on.

    Returns:
        The bound, by ball arithmetic, and the features ``[n_features]``, as exactly these floats.
        The points are found in float64: where they are does not matter to soundness.
    """
    guide = delta if guide is None else guide
    sides = np.array(_wide(delta) if domain is None else domain, dtype=np.float64).reshape(-1, 2)
    low, high = sides.T
    frequencies = np.array([_numeric(w, len(sides)) for w in guide.terms]).reshape(-1, len(sides))
    both = ((2 * c if w.terms else c) for w, c in guide.terms.items())
    weights = np.array([complex(float(c.real.mid()), float(c.imag.mid())) for c in both])

    def best(points: Array) -> Array:
        sizes = np.abs((np.exp(1j * points @ frequencies.T) @ weights).real)
        return points[np.argsort(sizes)[-_KEPT:]]

    rng = np.random.default_rng(_SEED)
    count = max(64, min(_SEARCHED, _SEARCH_WORK // max(len(weights), 1)))
    found = best(rng.uniform(low, high, (count, len(sides))))
    fastest = np.abs(frequencies).max(axis=0, initial=_TINY)
    reach = np.minimum(high - low, 4 / fastest)
    for scale in (0.5, 0.2, 0.05, 0.02, 0.005):
        moves = reach * scale * rng.uniform(-1, 1, (64, 1, len(sides)))
        around = np.concatenate([found[None], found + moves]).reshape(-1, len(sides))
        found = best(np.clip(around, low, high))
    values = [round_down(abs(v)) for v in delta.enclosures(found)]
    return max(0.0, *values), found[int(np.argmax(values))]


def _wide(delta: TrigonometricPolynomial) -> list[tuple[float, float]]:
    """A box of some hundred periods, to search for large values."""
    count = 1 + max((j for w in delta.terms for j in w.features()), default=0)
    rows = np.array([_numeric(w, count) for w in delta.terms]).reshape(-1, count)
    speeds = np.abs(rows).max(axis=0, initial=0.0)
    return [(-1000 / s, 1000 / s) if s else (-1.0, 1.0) for s in speeds]
