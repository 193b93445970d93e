"""Trainability: how large a circuit's gradients are, against wires and layers.

Where the variance of the gradients falls exponentially with the number of wires, training by
gradients needs exponentially many shots: a *barren plateau* (McClean et al., Nat. Commun. 9, 4812
(2018)). Shallow circuits have one with a global observable, not with a local one (Cerezo et al.,
Nat. Commun. 12, 1791 (2021)).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.simulate import expectations

#: A circuit for each number of wires and of layers.
Family = Callable[[int, int], Circuit]

_FEWEST = 10
_MEMORY = 2**28  # bytes that autograd may keep at once
_MOST = 2**33  # bytes that one point may take
_COPIES = 4  # states that autograd keeps a gate, roughly


@dataclass(frozen=True, slots=True)
class GradientVariance:
    """Variance of the gradient of one circuit's output over random parameters and features.

    Attributes:
        n_wires, layers, n_parameters: sizes of the circuit.
        variance: ``Var(df/dtheta_k)``, its mean over the parameters that were asked for.
        error: its standard error.
        largest: the largest variance of one of them.
    """

    n_wires: int
    layers: int
    n_parameters: int
    variance: float
    error: float
    largest: float


@dataclass(frozen=True, slots=True)
class Decay:
    """``variance ~ exp(-rate * n_wires)`` at one number of layers, fitted.

    Attributes:
        layers: the number of layers.
        rate: decay a wire, in natural units; ``log(2)`` halves the variance with each wire.
        error: its standard error, from the scatter of the points about the line and from their own
            errors, whichever is larger.
    """

    layers: int
    rate: float
    error: float


@dataclass(frozen=True, slots=True)
class Trainability:
    """Gradient variances of a family of circuits.

    Attributes:
        rows: one a circuit, in the order in which they were asked for.
        decays: one for each number of layers, from two or more numbers of wires.
        n_samples: random points a circuit.
        seed: of the points.
    """

    rows: tuple[GradientVariance, ...]
    decays: tuple[Decay, ...]
    n_samples: int
    seed: int

    def table(self) -> str:
        """The rows and the decay rates as text."""
        lines = ["wires  layers  parameters  Var(df/dtheta)      largest"]
        lines += [
            f"{r.n_wires:5d}  {r.layers:6d}  {r.n_parameters:10d}  "
            f"{r.variance:.3e} +- {r.error:.0e}  {r.largest:.3e}"
            for r in self.rows
        ]
        lines += [
            f"{d.layers} layer(s): variance ~ exp(-({d.rate:.3f} +- {d.error:.3f}) * wires)"
            for d in self.decays
        ]
        return "\n".join(lines)


def local_family(n_wires: int, layers: int) -> Circuit:
    """Hardware-efficient re-uploading, ``Z`` of the first wire is measured.

    Each layer: ``RX(x0)``, ``RY``, ``RZ`` on every wire, then a ladder of CZ on neighbours.
    """
    return _hardware_efficient(n_wires, layers, {0: "Z"})


def global_family(n_wires: int, layers: int) -> Circuit:
    """The circuits of :func:`local_family`, ``Z`` on all wires together is measured."""
    return _hardware_efficient(n_wires, layers, dict.fromkeys(range(n_wires), "Z"))


def _hardware_efficient(n_wires: int, layers: int, letters: dict[int, str]) -> Circuit:
    gates: list[Gate] = []
    count = itertools.count()
    for _ in range(layers):
        for wire in range(n_wires):
            gates.append(Gate("RX", (wire,), feature(0)))
            gates += [Gate(name, (wire,), parameter(next(count))) for name in ("RY", "RZ")]
        gates += [Gate("CZ", (wire, wire + 1)) for wire in range(n_wires - 1)]
    # RZ and CZ commute with Z: one more rotation, so that the last layer is seen.
    gates += [Gate("RX", (wire,), parameter(next(count))) for wire in range(n_wires)]
    observables = (Observable.of([(1.0, letters)]),)
    return Circuit(n_wires, tuple(gates), observables, 1, next(count))


def trainability(
    family: Family = local_family,
    *,
    wires: Sequence[int] = (2, 3, 4, 5, 6),
    layers: Sequence[int] = (1, 4),
    parameter_index: int | None = 0,
    n_samples: int = 200,
    seed: int = 0,
) -> Trainability:
    """Gradient variances of a family, and their decay with the number of wires.

    Args:
        family: makes the circuit for a number of wires and of layers; output 0 is differentiated.
        wires: numbers of wires.
        layers: numbers of layers.
        parameter_index: the gradient in this parameter, the first one as in McClean et al.;
            ``None`` for the mean over all, those outside the light cone counted with 0.
        n_samples: random points a circuit; parameters and features uniform on ``[0, 2 pi)``.
        seed: of the points.

    Raises:
        SpectrumError: nothing to vary, too few samples, or no such parameter.
    """
    if not wires or not layers or min(*wires, *layers) < 1:
        msg = f"wires={list(wires)}, layers={list(layers)}: name at least one of each, all positive"
        raise SpectrumError(msg)
    rows = tuple(
        gradient_variance(
            family(n, depth), n_wires=n, layers=depth, parameter_index=parameter_index,
            n_samples=n_samples, seed=seed,
        )
        for depth in layers for n in wires
    )  # fmt: skip
    decays = tuple(
        decay([r for r in rows if r.layers == depth]) for depth in layers if len(set(wires)) > 1
    )
    return Trainability(rows, decays, n_samples, seed)


def gradient_variance(
    circuit: Circuit,
    *,
    n_wires: int | None = None,
    layers: int = 1,
    parameter_index: int | None = 0,
    n_samples: int = 200,
    seed: int = 0,
) -> GradientVariance:
    """Variance of one circuit's gradient; see :func:`trainability` for the arguments."""
    if not circuit.n_parameters:
        msg = f"a circuit without parameters has no gradient: {circuit.describe()}"
        raise SpectrumError(msg)
    if n_samples < _FEWEST:
        msg = f"{n_samples} samples are too few for a variance; take at least {_FEWEST}"
        raise SpectrumError(msg)
    if parameter_index is not None and not 0 <= parameter_index < circuit.n_parameters:
        msg = f"no parameter {parameter_index}: the circuit has {circuit.n_parameters}"
        raise SpectrumError(msg)
    found = gradients(circuit, n_samples, seed)
    if parameter_index is not None:
        found = found[:, [parameter_index]]
    square = (found - found.mean(axis=0)) ** 2 * (n_samples / (n_samples - 1))
    each = square.mean(axis=1)  # of one point: so correlated gradients are no independent samples
    return GradientVariance(
        n_wires=circuit.n_wires if n_wires is None else n_wires,
        layers=layers,
        n_parameters=circuit.n_parameters,
        variance=float(each.mean()),
        error=float(each.std(ddof=1) / math.sqrt(n_samples)),
        largest=float(square.mean(axis=0).max()),
    )


def gradients(circuit: Circuit, n_samples: int, seed: int) -> NDArray[np.float64]:
    """Gradients of output 0, float64 ``[n_samples, n_parameters]``, at random points.

    Parameters and features are uniform on ``[0, 2 pi)``; batches keep autograd within memory.
    """
    each = 16 * 2**circuit.n_wires * max(1, len(circuit.gates)) * _COPIES
    if each > _MOST:
        msg = (
            f"the gradient of {circuit.n_wires} wires and {len(circuit.gates)} gates takes about "
            f"{each / 2**30:.3g} GiB a point, more than {_MOST // 2**30} GiB: take fewer wires"
        )
        raise SpectrumError(msg)
    rng = np.random.default_rng(seed)
    theta = torch.as_tensor(rng.uniform(0, 2 * math.pi, (n_samples, circuit.n_parameters)))
    x = torch.as_tensor(rng.uniform(0, 2 * math.pi, (n_samples, circuit.n_features)))
    size = max(1, _MEMORY // each)
    parts = []
    for start in range(0, n_samples, size):
        batch = theta[start : start + size].clone().requires_grad_()
        outputs = expectations(circuit, x[start : start + size], batch)
        # A sum of its own entries, times 0, so that parameters that no gate reads have a gradient.
        (part,) = torch.autograd.grad(outputs[:, 0].sum() + 0.0 * batch.sum(), batch)
        parts.append(part)
    return np.asarray(torch.cat(parts).numpy())


def decay(rows: Sequence[GradientVariance]) -> Decay:
    """Least-squares line through ``log(variance)`` against the number of wires.

    Raises:
        SpectrumError: fewer than two numbers of wires, or a variance that is 0.
    """
    wires = np.array([r.n_wires for r in rows], dtype=np.float64)
    if len(set(wires)) < 2:
        msg = "a decay needs two or more numbers of wires"
        raise SpectrumError(msg)
    if any(r.variance <= 0 for r in rows):
        msg = "a gradient is 0 everywhere: this output does not depend on the parameters asked for"
        raise SpectrumError(msg)
    logs = np.log([r.variance for r in rows])
    weights = (wires - wires.mean()) / np.sum((wires - wires.mean()) ** 2)
    slope = float(weights @ logs)
    spread = logs - logs.mean() - slope * (wires - wires.mean())
    own = math.sqrt(
        sum((w * r.error / r.variance) ** 2 for w, r in zip(weights, rows, strict=True))
    )
    free = len(rows) - 2
    scatter = math.sqrt(float(spread @ spread) / free * float(weights @ weights)) if free else 0.0
    return Decay(rows[0].layers, -slope, max(own, scatter))
