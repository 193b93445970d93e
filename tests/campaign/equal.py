"""Families of equal pairs: derived, rewritten, re-parametrised, and written by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from campaign import handmade
from campaign.subjects import Family, Subject, encoding, pick, random_gate, scale, small_circuit
from qrun_equiv.angle import PI, Angle, Symbol, feature, parameter, read_constant
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.counterpart import derive
from qrun_equiv.errors import SpectrumError
from qrun_equiv.readout import Linear, Multilinear, Product, Readout
from qrun_equiv.readout import matrix_product as read_chain
from qrun_equiv.rewriting import rewrite


def readable(circuit: Circuit) -> bool:
    """Whether each constant of an angle is one float that is read back as what it was.

    ``0.4 - pi/3`` added up in floats is neither a simple rational nor a multiple of pi: exact
    arithmetic then compares two readings of a rounded number, and no identity can be expected.
    """
    for gate in circuit.gates:
        halved = gate.angle is not None and GATES[gate.name].controlled
        for factor in (1, 0.5) if halved else (1,):
            if gate.angle is not None and not _survives(gate.angle * factor):
                return False
    return True


def _survives(angle: Angle) -> bool:
    groups: dict[Any, Angle] = {}
    for monomial, coefficient in angle.terms:
        rest = tuple((s, p) for s, p in monomial if s.kind != "pi")
        power = sum(p for s, p in monomial if s.kind == "pi")
        groups[rest] = groups.get(rest, Angle()) + PI**power * coefficient
    return all(
        len(constant.terms) == 1
        and read_constant(float(constant.evaluate(np.zeros(0), np.zeros(0)))) == constant
        for constant in groups.values()
    )


def readable_circuit(rng: np.random.Generator, *, wires: int | None = None) -> Circuit:
    """A small random circuit whose constants survive floats."""
    while True:
        circuit = small_circuit(rng, wires=wires)
        if readable(circuit):
            return circuit


def derived(rng: np.random.Generator) -> Subject:
    """The matrix-product readout of the circuit itself."""
    circuit = readable_circuit(rng)
    return Subject(circuit, derive(circuit), circuit.describe())


def rewritten(rng: np.random.Generator) -> Subject | None:
    """Native circuit and derived counterpart some identities apart."""
    circuit = readable_circuit(rng)
    other, rules = rewrite(circuit, int(rng.integers(3, 13)), seed=int(rng.integers(2**31)))
    if not readable(other):
        return None
    one, two = (circuit, other) if rng.uniform() < 0.5 else (other, circuit)
    return Subject(one, derive(two), ", ".join(rules))


def rewritten_by_hand(rng: np.random.Generator) -> Subject | None:
    """A state vector in torch of the rewritten circuit."""
    circuit = readable_circuit(rng)
    other, rules = rewrite(circuit, int(rng.integers(2, 6)), seed=int(rng.integers(2**31)))
    if not readable(other):
        return None
    style = str(pick(rng, handmade.StateVector.STYLES))
    return Subject(circuit, handmade.StateVector(other, style), ", ".join(rules))


def reparametrised(rng: np.random.Generator) -> Subject | None:
    """New parameters, an affine map of the old ones; features permuted; on both sides."""
    circuit = readable_circuit(rng)
    size = circuit.n_parameters
    matrix = rng.permutation(np.eye(size)) * rng.choice([1.0, -1.0, 0.5, 2.0], size)
    matrix[0, -1] += float(pick(rng, (0.0, 1.0, 0.3)))
    shift = np.array([float(pick(rng, (0.0, 0.7, -0.25))) for _ in range(size)])
    order = [int(k) for k in rng.permutation(circuit.n_features)]
    mapping = {
        Symbol("theta", k): sum((parameter(j) * float(matrix[k, j]) for j in range(size)),
                                start=Angle.constant(float(shift[k])))
        for k in range(size)
    }  # fmt: skip
    mapping |= {Symbol("x", k): feature(order[k]) for k in range(circuit.n_features)}
    moved = replace(circuit, gates=tuple(
        g if g.angle is None else replace(g, angle=g.angle.replace(mapping)) for g in circuit.gates
    ))  # fmt: skip
    if not readable(moved):
        return None
    base, weight, bias = derive(circuit), torch.tensor(matrix), torch.tensor(shift)

    def counterpart(x: Tensor, theta: Tensor) -> Tensor:
        return base(x[:, order], weight @ theta + bias)

    return Subject(moved, counterpart, f"{matrix.tolist()} theta + {shift.tolist()}, x{order}")


def bloch(rng: np.random.Generator) -> Subject:
    """One wire as a chain of Bloch rotations."""
    style = str(pick(rng, handmade.Bloch.STYLES))
    circuit = readable_circuit(rng, wires=1)
    return Subject(circuit, handmade.Bloch(circuit, style), style)


def state_vector(rng: np.random.Generator) -> Subject:
    """A simulation in complex tensors."""
    style = str(pick(rng, handmade.StateVector.STYLES))
    circuit = readable_circuit(rng)
    return Subject(circuit, handmade.StateVector(circuit, style), style)


def _product_state(
    rng: np.random.Generator, observables: list[Observable], wires: int
) -> tuple[Circuit, list[Angle]] | None:
    angles = [encoding(rng, 2, 2) for _ in range(wires)]
    gates = tuple(Gate("RY", (w,), a) for w, a in enumerate(angles))
    circuit = Circuit(wires, gates, tuple(observables), 2, 2)
    return (circuit, angles) if readable(circuit) else None


def fourier_signs(rng: np.random.Generator) -> Subject | None:
    """A product of cosines as a sum of cosines."""
    wires, c = int(rng.integers(2, 5)), float(pick(rng, (1.0, 0.3, 0.5**0.5)))
    found = _product_state(rng, [Observable.of([(c, dict.fromkeys(range(wires), "Z"))])], wires)
    if found is None:
        return None
    return Subject(found[0], handmade.Signs(found[1], c), f"{wires} angles")


def _coefficients(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Floats as training leaves them: not simple, but each of them one number on both sides."""
    return rng.uniform(-1, 1, shape)


def _read_out(
    rng: np.random.Generator, readout: Readout, observables: list[Observable], detail: str
) -> Subject | None:
    found = _product_state(rng, observables, readout.reuploads)
    if found is None:
        return None
    return Subject(found[0], handmade.Read(found[1], readout.double()), detail)


def _with(readout: Readout, **weights: np.ndarray) -> Readout:
    readout = readout.double()
    readout.load_state_dict({k: torch.tensor(v) for k, v in weights.items()})
    return readout


def linear_readout(rng: np.random.Generator) -> Subject | None:
    """A sum of local observables."""
    wires, outputs = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    weight, bias = _coefficients(rng, outputs, wires, 2), _coefficients(rng, outputs)
    observables = [
        Observable.of([(bias[k], {}), *((weight[k, w, j], {w: "ZX"[j]})
                      for w in range(wires) for j in range(2))])
        for k in range(outputs)
    ]  # fmt: skip
    readout = _with(Linear(wires, outputs=outputs), weight=weight, bias=bias)
    return _read_out(rng, readout, observables, f"{wires} angles, {outputs} outputs")


def product_readout(rng: np.random.Generator) -> Subject | None:
    """One Pauli word: a product of cosines and sines."""
    wires = int(rng.integers(1, 5))
    letters = [str(pick(rng, "ZX")) for _ in range(wires)]
    weight = np.array([[[float(p == "Z"), float(p == "X")] for p in letters]])
    weight[0, 0] *= (c := float(pick(rng, (1.0, -0.5, 1.37))))
    readout = _with(Product(wires, outputs=1), weight=weight)
    return _read_out(
        rng, readout, [Observable.of([(c, dict(enumerate(letters)))])], "".join(letters)
    )


def multilinear_readout(rng: np.random.Generator) -> Subject | None:
    """Any observable of a product state, dense."""
    wires = int(rng.integers(1, 4))
    weight = _coefficients(rng, 1, *(3,) * wires)
    terms = [
        (float(weight[0][index]), {w: "IZX"[i] for w, i in enumerate(index)})
        for index in itertools.product(range(3), repeat=wires)
    ]
    readout = _with(Multilinear(wires, outputs=1), weight=weight)
    return _read_out(rng, readout, [Observable.of(terms)], f"3^{wires} coefficients")


def dense_cores(rng: np.random.Generator) -> Subject:
    """Dense cores and the matrix-product readout of the library."""
    circuit = readable_circuit(rng, wires=1)
    base = derive(circuit, "matrix-product")

    def counterpart(x: Tensor, theta: Tensor) -> Tensor:
        return read_chain(base.features(x, theta), *base.cores(theta))

    return Subject(circuit, counterpart, circuit.describe())


def trained_scales(rng: np.random.Generator) -> Subject:
    """Scales and offsets with all their digits, on one wire and on several features."""
    n_features = int(rng.integers(1, 4))
    wires = int(pick(rng, (1, 2)))
    gates = []
    for k in range(int(rng.integers(2, 6))):
        angle = parameter(0) * (k == 0)
        for j in range(n_features):
            angle = angle + feature(j) * float(rng.normal())
        gates.append(Gate(str(pick(rng, ("RX", "RY", "RZ"))), (k % wires,), angle))
        gates.append(random_gate(rng, wires, None))
        gates.append(Gate("RY", ((k + 1) % wires,), parameter(1) + float(rng.normal())))
    observables = (Observable.of([(float(rng.normal()), {0: "Z"}), (0.5, {wires - 1: "X"})]),)
    circuit = Circuit(wires, tuple(gates), observables, n_features, 2)
    style = str(pick(rng, handmade.StateVector.STYLES))
    return Subject(circuit, handmade.StateVector(circuit, style), circuit.describe())


def rounded_constants(rng: np.random.Generator) -> Subject:
    """Constants that were added up in floats: equal up to rounding, so never refuted."""
    circuit = small_circuit(rng)
    gates = tuple(
        g if g.angle is None else replace(g, angle=g.angle * float(rng.uniform(0.5, 1.5)) + PI / 3)
        for g in circuit.gates
    )
    circuit = replace(circuit, gates=gates)
    other, rules = rewrite(circuit, 4, seed=int(rng.integers(2**31)))
    return Subject(other, derive(circuit), ", ".join(rules), "sampled")


def given_parameters(rng: np.random.Generator) -> Subject | None:
    """Float Fourier coefficients at given parameters: no identity, at best a bound."""
    circuit = readable_circuit(rng)
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    try:
        module = derive(circuit, "fourier", parameters=theta)
    except SpectrumError:  # a product of features has no Fourier series
        return None
    options = {"parameters": theta, "gradients": ("features",)}
    return Subject(circuit, module, f"{len(module.series.frequencies)} terms", "sampled", options)


def exact_scale(rng: np.random.Generator) -> Subject:
    """The double-angle formula and its kin, with formal scales."""
    s = scale(rng)
    angle = feature(0) * s
    circuit = Circuit(1, (Gate("RX", (0,), angle * 2),), (Observable.of([(1.0, {0: "Z"})]),), 1, 0)

    def squares(x: Tensor) -> Tensor:
        return 2 * torch.cos(angle.evaluate(x, None)) ** 2 - 1

    def difference(x: Tensor) -> Tensor:
        a = angle.evaluate(x, None)
        return (torch.cos(a) - torch.sin(a)) * (torch.cos(a) + torch.sin(a))

    return Subject(circuit, squares if rng.uniform() < 0.5 else difference, f"scale {s}")


FAMILIES: dict[str, Family] = {
    "derived": derived,
    "rewritten, derived": rewritten,
    "rewritten, state vector by hand": rewritten_by_hand,
    "re-parametrised": reparametrised,
    "Bloch chain by hand": bloch,
    "state vector by hand": state_vector,
    "product of cosines as a Fourier sum": fourier_signs,
    "linear readout": linear_readout,
    "product readout": product_readout,
    "multilinear readout": multilinear_readout,
    "dense matrix-product cores": dense_cores,
    "scales of all digits": trained_scales,
    "double angles": exact_scale,
    "constants rounded in floats": rounded_constants,
    "float coefficients at given parameters": given_parameters,
}
