"""Families of mutants: pairs that differ, most of them where a check is unlikely to look.

The difference of a mutated circuit is shown by ball arithmetic (:mod:`campaign.oracle`); that of a
mutated counterpart by construction: the original plus a term that is not zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from campaign import oracle
from campaign.equal import readable, readable_circuit
from campaign.subjects import Family, Subject, pick
from qrun_equiv import tolerances
from qrun_equiv.angle import Angle, read_constant
from qrun_equiv.circuit import Circuit, Observable
from qrun_equiv.counterpart import derive
from qrun_equiv.errors import SpectrumError
from qrun_equiv.mutants import RULES
from qrun_equiv.spectral import sections

#: Sizes of differences; the checks at sample points see the first two or three.
SIZES = (1.0, 1e-3, 1e-6, 1e-9, 1e-12)
SMALL = (1e-6, 1e-9, 1e-12)
Net = Callable[[Tensor, Tensor], Tensor]


def _maybe_given(rng: np.random.Generator, circuit: Circuit) -> dict[str, Any]:
    """Half of the mutants are compared at given parameters, where ``certified`` can be reached."""
    if rng.uniform() < 0.5:
        return {}
    return {"parameters": rng.uniform(-3, 3, circuit.n_parameters)}


def _differ(rng: np.random.Generator, one: Circuit, two: Circuit, options: dict[str, Any]) -> bool:
    """Truly different; at given parameters by more than a bound may let pass."""
    theta, seed = options.get("parameters"), int(rng.integers(2**31))
    if theta is None:
        return oracle.differ(one, two, seed=seed)
    allowed = tolerances.CERTIFIED * max(o.norm for o in (*one.observables, *two.observables))
    return max(oracle.gap(one, two, seed=seed + k, theta=theta)[0] for k in range(3)) > 2 * allowed


def _pair(rng: np.random.Generator, right: Circuit, wrong: Circuit, detail: str) -> Subject | None:
    """Either side may be the broken one."""
    options = _maybe_given(rng, right)
    if not readable(wrong) or not _differ(rng, right, wrong, options):
        return None
    one, two = (right, wrong) if rng.uniform() < 0.5 else (wrong, right)
    return Subject(one, derive(two), detail, options=options)


def _rule(name: str) -> Family:
    def family(rng: np.random.Generator) -> Subject | None:
        circuit = readable_circuit(rng)
        made = RULES[name](circuit, rng)
        return None if made is None else _pair(rng, circuit, made[1], made[0])

    return family


def _small_change(kind: str) -> Family:
    """One constant off by 1e-6, 1e-9 or 1e-12."""

    def family(rng: np.random.Generator) -> Subject | None:
        circuit, size = readable_circuit(rng), float(pick(rng, SMALL))
        size *= float(rng.choice([-1.0, 1.0]))
        if kind == "coefficient":
            wrong = replace(circuit, observables=tuple(
                Observable.of([(c * (1 + size), dict(word)) for c, word in o.terms])
                for o in circuit.observables
            ))  # fmt: skip
            return _pair(rng, circuit, wrong, f"coefficients (1 + {size:g})")
        places = [k for k, g in enumerate(circuit.gates) if g.angle is not None]
        place = int(rng.choice(places))
        gate = circuit.gates[place]
        assert gate.angle is not None
        if kind == "offset":
            angle = gate.angle + Angle.constant(size)
        else:  # the scale as a float, changed and read again
            angle = Angle.of({m: q * read_constant(1.0 + size).terms[0][1]
                              for m, q in gate.angle.terms})  # fmt: skip
        gates = (*circuit.gates[:place], replace(gate, angle=angle), *circuit.gates[place + 1 :])
        return _pair(rng, circuit, replace(circuit, gates=gates), f"gate {place}, {kind} {size:g}")

    return family


def _visible(circuit: Circuit, options: dict[str, Any], size: float) -> bool:
    """Whether a bound at given parameters may not let a difference of this size pass."""
    allowed = tolerances.CERTIFIED * max(o.norm for o in circuit.observables)
    return "parameters" not in options or size > 2 * allowed


def _small_weight(rng: np.random.Generator) -> Subject | None:
    """One weight or bias of a float64 layer before or after the circuit's formula is off."""
    circuit, size = readable_circuit(rng), float(pick(rng, SMALL))
    base, kind = derive(circuit), int(rng.integers(3))
    linear = torch.nn.Linear(circuit.n_outputs, circuit.n_outputs).double()
    with torch.no_grad():
        linear.weight.copy_(torch.eye(circuit.n_outputs))
        linear.bias.zero_()
        (linear.bias if kind else linear.weight)[0] += size

    def net(x: Tensor, theta: Tensor) -> Tensor:
        return linear(base(x, theta))

    options, seed = _maybe_given(rng, circuit), int(rng.integers(2**31))
    first, nothing = circuit.observables[:1], (Observable(()),)
    largest = 1.0 if kind else oracle.gap(
        replace(circuit, observables=first), replace(circuit, observables=nothing),
        seed=seed, theta=options.get("parameters"),
    )[0]  # fmt: skip
    if not largest or not _visible(circuit, options, size * largest):
        return None  # a weight on an output that is always zero
    return Subject(circuit, net, f"{'bias' if kind else 'weight'} {size:g}", options=options)


# --- an extra term that vanishes where a check may look ------------------------------------------


def _extra(circuit: Circuit, term: Net, size: float) -> Net:
    base = derive(circuit)

    def net(x: Tensor, theta: Tensor) -> Tensor:
        return base(x, theta) + size * term(x, theta).unsqueeze(-1)

    return net


def _with_term(draw: Callable[[np.random.Generator, Circuit], tuple[Net, str] | None]) -> Family:
    def family(rng: np.random.Generator) -> Subject | None:
        circuit, size = readable_circuit(rng), float(pick(rng, SIZES))
        found = draw(rng, circuit)
        if found is None:
            return None
        options = _maybe_given(rng, circuit) | {"seed": int(rng.integers(1000))}
        x = torch.tensor(rng.uniform(-6, 6, (500, circuit.n_features)))
        theta = torch.tensor(options.get("parameters", np.ones(circuit.n_parameters)))
        if not _visible(circuit, options, size * float(found[0](x, theta).abs().max())):
            return None
        detail = f"{size:g} times {found[1]}"
        return Subject(circuit, _extra(circuit, found[0], size), detail, options=options)

    return family


def _clifford(rng: np.random.Generator, circuit: Circuit) -> tuple[Net, str]:
    """Zero wherever all features (and parameters) are multiples of pi/2."""
    j, k = int(rng.integers(circuit.n_features)), int(rng.integers(circuit.n_parameters))
    if rng.uniform() < 0.5:
        return lambda x, theta: torch.sin(2 * x[:, j]) ** 2, f"sin(2 x{j})^2"
    return (
        lambda x, theta: torch.sin(2 * x[:, j]) * torch.sin(2 * theta[k]) ** 2,
        f"sin(2 x{j}) sin(2 theta{k})^2",
    )


def _at_zero(rng: np.random.Generator, circuit: Circuit) -> tuple[Net, str]:
    """Zero at theta = 0, with its first derivatives."""
    power = int(rng.integers(1, 3))
    return (
        lambda x, theta: torch.prod(torch.sin(theta)) ** power * torch.cos(x[:, 0]),
        f"prod sin(theta)^{power} cos x0",
    )


def _equispaced(rng: np.random.Generator, circuit: Circuit) -> tuple[Net, str]:
    """Zero on the grid of N equispaced points of a period, from the origin."""
    n = int(pick(rng, (3, 4, 5, 8, 10, 16, 25, 32, 64, 100, 128, 256, 1024)))
    if n % 2:
        return lambda x, theta: torch.sin(n * x[:, 0]), f"sin({n} x0)"
    return lambda x, theta: torch.sin(n / 2 * x[:, 0]) * torch.cos(x[:, 0]), f"sin({n}/2 x0) cos x0"


def _own_grid(rng: np.random.Generator) -> Subject | None:
    """Zero on the very grid of the spectrum check, which the seed gives away."""
    circuit = readable_circuit(rng, wires=1)
    seed, size = int(rng.integers(1000)), float(pick(rng, SIZES))
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    try:
        found = sections(circuit, theta, None, seed)[0]
    except SpectrumError:
        return None
    if len(found.features) > 1:
        return None
    j = found.features[0]
    gaps = np.diff(found.points[:3, j])
    if not np.isclose(gaps[0], gaps[1]) or gaps[0] <= 0:
        return None
    first, step = float(found.points[0, j]), float(gaps[0])

    def term(x: Tensor, theta: Tensor) -> Tensor:
        return torch.sin((x[:, j] - first) * (math.pi / step))

    options: dict[str, Any] = {"seed": seed}
    options |= {"parameters": theta} if rng.uniform() < 0.5 else {}
    if not _visible(circuit, options, size):
        return None
    detail = f"{size:g} sin(pi (x{j} - {first:.3f}) / {step:.3f})"
    return Subject(circuit, _extra(circuit, term, size), detail, options=options)


def _bump(rng: np.random.Generator, circuit: Circuit) -> tuple[Net, str]:
    """A narrow bump of high degree."""
    power, at = int(pick(rng, (40, 200, 1000))), float(rng.uniform(-3, 3))
    return (
        lambda x, theta: ((1 + torch.cos(x[:, 0] - at)) / 2) ** power,
        f"((1 + cos(x0 - {at:.3f}))/2)^{power}",
    )


def _not_periodic(rng: np.random.Generator, circuit: Circuit) -> tuple[Net, str]:
    """A feature or parameter itself, outside any cosine."""
    if rng.uniform() < 0.5:
        return lambda x, theta: 1e-3 * x[:, 0], "x0/1000"
    return lambda x, theta: 1e-3 * theta[0] * torch.cos(x[:, 0]), "theta0 cos(x0)/1000"


# --- gradients -----------------------------------------------------------------------------------


class _Scaled(torch.autograd.Function):
    """Identity whose backward multiplies one entry's gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, entry: int, factor: float) -> Tensor:
        ctx.entry, ctx.factor = entry, factor
        return values.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        grad = grad.clone()
        grad[..., ctx.entry] *= ctx.factor
        return grad, None, None


def _reads(circuit: Circuit, kind: str) -> list[int]:
    """Indices of the symbols that the outputs depend on, by ball arithmetic."""
    found = []
    symbols = {s for g in circuit.gates if g.angle for s in g.angle.symbols() if s.kind == kind}
    for symbol in sorted(symbols):
        moved = replace(circuit, gates=tuple(
            g if g.angle is None else
            replace(g, angle=g.angle.replace({symbol: Angle.of({((symbol, 1),): 1}) + 0.5}))
            for g in circuit.gates
        ))  # fmt: skip
        if oracle.differ(circuit, moved, seed=symbol.index):
            found.append(symbol.index)
    return found


def _gradient(rng: np.random.Generator) -> Subject | None:
    """Outputs equal; the gradient of one parameter or feature is not."""
    circuit = readable_circuit(rng)
    kind = str(pick(rng, ("theta", "x")))
    entries = _reads(circuit, kind)
    if not entries:
        return None
    entry, way = int(rng.choice(entries)), int(rng.integers(4))
    base = derive(circuit)
    factor = float(pick(rng, (0.0, -1.0, 2.0, 1.001, 1 + 1e-6)))

    def broken(values: Tensor) -> Tensor:
        if way == 0:
            return _Scaled.apply(values, entry, factor)
        parts = [values[..., k] for k in range(values.shape[-1])]
        if way == 1:
            parts[entry] = parts[entry].detach()
        elif way == 2:  # straight through: the value of one, the gradient of two
            parts[entry] = 2 * parts[entry] - parts[entry].detach()
        else:
            with torch.no_grad():
                parts[entry] = parts[entry] * 1.0
        return torch.stack(parts, dim=-1)

    def net(x: Tensor, theta: Tensor) -> Tensor:
        return base(x, broken(theta)) if kind == "theta" else base(broken(x), theta)

    ways = (f"custom backward times {factor:g}", "detach", "straight-through", "no_grad")
    return Subject(circuit, net, f"{kind}{entry}: {ways[way]}", options=_maybe_given(rng, circuit))


# --- code that is another function when it is looked at ------------------------------------------


def _caught(x: Tensor) -> bool:
    try:
        float(x.detach()[0, 0])
    except Exception:  # noqa: BLE001 - that it catches everything is the point
        return False
    return True


def _seen_as_numpy(x: Tensor) -> bool:
    try:
        x.detach().numpy()
    except Exception:  # noqa: BLE001
        return False
    return True


def _repeats(x: Tensor) -> bool:
    try:
        return bool(torch.equal(x, x))
    except Exception:  # noqa: BLE001
        return False


#: Whether the code adds its error: true for tensors, false for formal ones, if it can tell.
TELLS: dict[str, Callable[[Tensor], bool]] = {
    "try float(x)": _caught,
    "try x.numpy()": _seen_as_numpy,
    "try torch.equal": _repeats,
    "type(x) is Tensor": lambda x: type(x) is Tensor,
    "hasattr(x, 'cell')": lambda x: not hasattr(x, "cell"),
    "class name": lambda x: type(x).__name__ == "Tensor",
    "repr": lambda x: "Formal" not in repr(x),
    "__torch_function__": lambda x: type(x).__torch_function__ == Tensor.__torch_function__,
    "rows above 2": lambda x: x.shape[0] > 2,
    "rows above 8": lambda x: x.shape[0] > 8,
    "rows = 24": lambda x: x.shape[0] == 24,
}


def _trick(rng: np.random.Generator) -> Subject | None:
    """A difference that the code hides from the exact engine, or from small batches."""
    circuit = readable_circuit(rng)
    name, size = str(pick(rng, list(TELLS))), float(pick(rng, SIZES))
    base, tells = derive(circuit), TELLS[name]

    def net(x: Tensor, theta: Tensor) -> Tensor:
        out = base(x, theta)
        return out + size * torch.cos(x[:, :1]) if tells(x) else out

    options = _maybe_given(rng, circuit)
    if not _visible(circuit, options, size):
        return None
    return Subject(circuit, net, f"{name}, {size:g}", options=options)


def _position(rng: np.random.Generator) -> Subject | None:
    """An error in one row of a batch only, or one that other rows cause."""
    circuit, size, kind = readable_circuit(rng), float(pick(rng, SIZES)), int(rng.integers(4))
    base = derive(circuit)

    def net(x: Tensor, theta: Tensor) -> Tensor:
        out = base(x, theta)
        if kind == 0:
            weight = torch.zeros(x.shape[0], 1, dtype=torch.float64)
            weight[-1] = size
        elif kind == 1:
            weight = torch.arange(x.shape[0], dtype=torch.float64)[:, None] * size
        elif kind == 2:
            weight = size * torch.cos(x).mean(0)[:1] * torch.ones_like(out[:, :1])
        else:
            weight = size * torch.cos(torch.roll(x, 1, 0))[:, :1]
        return out + weight

    detail = ("last row", "row number", "mean over rows", "row before")[kind]
    options = _maybe_given(rng, circuit)
    if not _visible(circuit, options, size):
        return None
    return Subject(circuit, net, f"{detail}, {size:g}", options=options)


FAMILIES: dict[str, Family] = {
    **{f"circuit: {name}": _rule(name) for name in RULES},
    "constant: angle + 1e-6 ... 1e-12": _small_change("offset"),
    "constant: scale (1 + 1e-6 ... 1e-12)": _small_change("scale"),
    "constant: observable (1 + 1e-6 ... 1e-12)": _small_change("coefficient"),
    "constant: weight or bias + 1e-6 ... 1e-12": _small_weight,
    "term: zero at Clifford angles": _with_term(_clifford),
    "term: zero at theta = 0": _with_term(_at_zero),
    "term: zero on equispaced grids": _with_term(_equispaced),
    "term: zero on the check's own grid": _own_grid,
    "term: narrow bump of high degree": _with_term(_bump),
    "term: not periodic": _with_term(_not_periodic),
    "gradient of one entry": _gradient,
    "code: hides from the exact engine or small batches": _trick,
    "code: rows are not separate": _position,
}
