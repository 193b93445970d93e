"""Counterparts that no engine can look into: agreement everywhere earns no more than sampled.

The circuit has one feature; the comparison is at given parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor, nn

from campaign.equal import readable
from campaign.subjects import Family, Subject, pick, small_circuit
from qrun_equiv.angle import Symbol, feature
from qrun_equiv.circuit import Circuit
from qrun_equiv.simulate import expectations

_DOMAIN = (-3.0, 3.0)
_FIT, _RIDGE = 400, 1e-9  # without a cut-off the weights are huge and the sums lose digits
_EXACT = 1e-11  # a constant output is fitted to rounding: no mutant


def _one_feature(rng: np.random.Generator) -> tuple[Circuit, np.ndarray]:
    while True:
        made = small_circuit(rng, wires=int(rng.integers(1, 3)))
        mapping = {Symbol("x", 1): feature(0)}
        gates = tuple(
            g if g.angle is None else type(g)(g.name, g.wires, g.angle.replace(mapping), g.word)
            for g in made.gates
        )
        circuit = Circuit(made.n_wires, gates, made.observables[:1], 1, made.n_parameters)
        reads = any(g.angle is not None and g.angle.features() for g in gates)
        if reads and readable(circuit):
            return circuit, rng.uniform(-3, 3, circuit.n_parameters)


def _exactly(circuit: Circuit, theta: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def values(x: np.ndarray) -> np.ndarray:
        return expectations(circuit, torch.tensor(x.reshape(-1, 1)), torch.tensor(theta)).numpy()

    return values


class _Opaque(torch.autograd.Function):
    """A spline in numpy, with its derivative as the gradient: differentiable, and still opaque."""

    @staticmethod
    def forward(ctx, x: Tensor, spline: CubicSpline) -> Tensor:
        ctx.slope = torch.as_tensor(spline(x.detach().numpy()[:, 0], 1))
        return torch.as_tensor(spline(x.detach().numpy()[:, 0]))

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return (grad * ctx.slope)[:, None], None


def _black_box(rng: np.random.Generator) -> Subject:
    circuit, theta = _one_feature(rng)
    values, kind = _exactly(circuit, theta), int(rng.integers(4))
    n = int(pick(rng, (64, 1024, 20_000)))
    grid = np.linspace(*_DOMAIN, n)
    table = values(grid)[:, 0]
    spline = CubicSpline(grid, table)
    gradients: tuple[str, ...] = ()

    def linear(x: Tensor) -> Tensor:
        return torch.as_tensor(np.interp(x.detach().numpy()[:, 0], grid, table))

    def cubic(x: Tensor) -> Tensor:
        return torch.as_tensor(spline(x.detach().numpy()[:, 0]))

    def smooth(x: Tensor) -> Tensor:
        return _Opaque.apply(x, spline)

    def correct(x: Tensor) -> Tensor:
        return torch.as_tensor(values(x.detach().numpy()))

    if kind == 2:
        gradients = ("features",)
    options = {"parameters": theta, "gradients": gradients, "domain": _DOMAIN}
    detail = (f"linear table of {n}", f"cubic table of {n}", f"cubic table of {n} with gradient",
              "the circuit's own simulator")[kind]  # fmt: skip
    return Subject(circuit, (linear, cubic, smooth, correct)[kind], detail, options=options)


def _network(rng: np.random.Generator) -> Subject | None:
    """A tanh layer fitted by least squares; with ``epsilon``, one below its true error."""
    circuit, theta = _one_feature(rng)
    width = int(pick(rng, (20, 60, 120)))
    first, last = nn.Linear(1, width).double(), nn.Linear(width, 1).double()
    with torch.no_grad():
        first.weight.copy_(torch.tensor(rng.normal(0, 1.5, (width, 1))))
        first.bias.copy_(torch.tensor(rng.uniform(-4, 4, width)))
        x = torch.linspace(*_DOMAIN, _FIT, dtype=torch.float64)[:, None]
        hidden = torch.cat([torch.tanh(first(x)), torch.ones_like(x)], 1)
        target = torch.tensor(_exactly(circuit, theta)(x.numpy()))
        solved = torch.linalg.lstsq(hidden, target, rcond=_RIDGE, driver="gelsd").solution
        last.weight.copy_(solved[:-1].T)
        last.bias.copy_(solved[-1])
        error = float((hidden @ solved - target).abs().max())

    if error < _EXACT:
        return None

    def net(x: Tensor) -> Tensor:
        return last(torch.tanh(first(x)))

    options = {"parameters": theta, "gradients": ("features",), "domain": _DOMAIN}
    if rng.uniform() < 0.5:
        options["epsilon"] = 0.5 * error
    detail = f"width {width}, error {error:.1e}" + (", epsilon half of it" * ("epsilon" in options))
    return Subject(circuit, net, detail, options=options)


FAMILIES: dict[str, Family] = {
    "black box: table, spline or simulator": _black_box,
    "network: tanh fitted to the circuit": _network,
}
