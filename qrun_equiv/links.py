"""The links of one circuit to itself: neutral form to native, one derivative to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from qrun_equiv import tolerances
from qrun_equiv.certificate import Check
from qrun_equiv.checks import Finding
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FrontendError, QrunEquivError, UndecidedError
from qrun_equiv.frontends.base import Array, CircuitSource, Gradient
from qrun_equiv.points import Batch
from qrun_equiv.scaling import Scale
from qrun_equiv.simulate import expectations

NEUTRAL, DERIVATIVES = "neutral form", "native gradients"
# Steps of the differences, in radians of the angles, and where the angles are not known.
_STEP, _BLIND_STEP = 1e-3, 1e-4


def lower(source: CircuitSource, findings: list[Finding], notes: list[str]) -> Circuit | None:
    """Neutral form of one circuit, or a note why there is none."""
    try:
        return source.lower()
    except QrunEquivError as error:
        _no_form(source, str(error), findings, notes)
        return None


def check_neutral(
    source: CircuitSource,
    neutral: Circuit,
    batches: Sequence[Batch],
    native: Array,
    findings: list[Finding],
    notes: list[str],
) -> Circuit | None:
    """Compare a neutral form with its native circuit at all points; ``None`` where they differ."""
    values = np.concatenate([
        expectations(neutral, torch.tensor(b.x), torch.tensor(b.theta)).numpy() for b in batches
    ])  # fmt: skip
    if values.shape != native.shape or not np.all(np.isfinite(native)):
        _no_form(source, "it has another number of outputs, or is not finite", findings, notes)
        return None
    scale = Scale.of([values], neutral)
    full = np.concatenate([scale.at(b.x, b.theta) for b in batches])
    error = float(np.max(np.abs(values - native) / full, initial=0.0))
    if error > tolerances.EQUAL:
        reason = (
            "the form that was read off near 0 does not hold at all points (a clipped or wrapped "
            "angle, a branch on x, or an observable that depends on x or theta?)"
        )
        _no_form(source, reason, findings, notes)
        return None
    between = (NEUTRAL, source.name)
    scope = "all points of the output check"
    check = Check(NEUTRAL, between, scope, error, tolerances.EQUAL, len(native), "passed")
    findings.append(Finding(check))
    return neutral


def _no_form(source: CircuitSource, reason: str, findings: list[Finding], notes: list[str]) -> None:
    notes.append(f"no neutral form of {source.name}, so no stronger level: {reason}")
    findings.append(Finding(Check.skipped(NEUTRAL, (NEUTRAL, source.name), reason)))


def check_derivatives(
    source: CircuitSource, batch: Batch, scale: Scale, kinds: Sequence[str]
) -> list[Finding]:
    """A circuit's gradient at one point by a second method, and against its own values.

    Raises:
        UndecidedError: they disagree, so the native gradient can't be trusted.
    """
    x, theta = batch.x[:1], batch.theta
    first = source.gradients(x, theta)
    findings = [_differences(source, x, theta, first, scale, kinds)]
    try:
        method, second = source.second_gradient(x, theta)
    except FrontendError as error:
        between = (source.name, "second method")
        return [*findings, Finding(Check.skipped(DERIVATIVES, between, str(error)))]
    size = max(_EPS, *(float(np.max(np.abs(g), initial=0.0)) for g in first), *scale.outputs)
    off = max(
        float(np.max(np.abs(a - b), initial=0.0)) / size for a, b in zip(first, second, strict=True)
    )
    return [*findings, _finding(source, method, off)]


_EPS = float(np.finfo(np.float64).eps)


def _finding(source: CircuitSource, method: str, error: float) -> Finding:
    bound = tolerances.FINITE_DIFFERENCE
    if not error <= bound:
        msg = (
            f"{source.name}'s gradient disagrees with its {method} by {error:.1e}: it can't be "
            "trusted. Does the circuit convert x or theta (float(), .item(), numpy), or is it not "
            "differentiable there? gradients=() leaves gradients out"
        )
        raise UndecidedError(msg)
    check = Check(DERIVATIVES, (source.name, method), "one point", error, bound, 1, "passed")
    return Finding(check)


def _differences(
    source: CircuitSource,
    x: Array,
    theta: Array,
    gradient: Gradient,
    scale: Scale,
    kinds: Sequence[str],
) -> Finding:
    """Fourth-order differences of the native values along one random direction of each kind.

    A gradient that was cut off (a float() in the circuit) is seen by no differentiation method of
    the same framework: only the values show it.
    """
    rng = np.random.default_rng(len(theta))
    worst, step = 0.0, _BLIND_STEP if scale.neutral is None else _STEP
    for kind, symbol, size in (
        ("features", "x", x.shape[1]), ("parameters", "theta", len(theta)),
    ):  # fmt: skip
        if kind not in kinds or not size:
            continue
        slopes = scale.of_gradient(x, theta, symbol, np.zeros((len(scale.outputs), size)))
        steep = np.maximum(slopes[0].max(axis=0) / scale.outputs.max(), 1e-9)
        direction = rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.0, size)
        direction *= step / size / (steep / tolerances.SCALE_FLOOR)
        total = np.zeros(len(scale.outputs))
        for shift, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            move = shift * direction
            point, weights = (x + move, theta) if kind == "features" else (x, theta + move)
            total += weight * source.values(point, weights)[0]
        along = getattr(gradient, kind)[0] @ direction
        error = np.max(np.abs(total / 12 - along) / (scale.outputs * step))
        worst = max(worst, float(error))
    return _finding(source, "differences of its values", worst)
