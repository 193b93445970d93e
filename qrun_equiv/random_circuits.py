"""Random re-uploading circuits in neutral form: for soundness tests over many structures."""

from __future__ import annotations

import numpy as np

from qrun_equiv.angle import Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable

_ONE_WIRE = ("RX", "RY", "RZ", "PhaseShift")
_TWO_WIRES = ("CRX", "CRY", "CRZ", "PauliRot")
_FIXED_ONE, _FIXED_TWO = ("H", "S", "T", "X", "Y", "Z"), ("CNOT", "CZ", "SWAP")


def random_circuit(
    rng: np.random.Generator, *, n_wires: int, layers: int, n_features: int = 2
) -> Circuit:
    """A circuit of alternating trainable, entangling and encoding gates with unrelated real scales.

    ``layers`` times: a trainable rotation on each wire, a fixed gate, an encoding gate on each wire
    whose angle is ``a * x_i + b``, ``theta_k * x_i`` or ``a * x_0 * x_1``, on one or two wires.
    One to three random Pauli sums are measured.
    """
    gates: list[Gate] = []
    used = 0
    for _ in range(layers):
        for wire in range(n_wires):
            gates.append(Gate(str(rng.choice(_ONE_WIRE[:3])), (wire,), parameter(used)))
            used += 1
        gates.append(_fixed(rng, n_wires))
        for wire in range(n_wires):
            angle = _encoding(rng, n_features, used)
            used += any(s.kind == "theta" and s.index == used for s in angle.symbols())
            gates.append(_encoder(rng, n_wires, wire, angle))
    observables = tuple(_observable(rng, n_wires) for _ in range(int(rng.integers(1, 4))))
    return Circuit(n_wires, tuple(gates), observables, n_features, used)


def _encoding(rng: np.random.Generator, n_features: int, free: int) -> Angle:
    x = feature(int(rng.integers(n_features)))
    scale = float(rng.uniform(0.3, 3.0))
    kind = int(rng.integers(4))
    if kind == 0:
        return parameter(free) * x
    if kind == 1 and n_features > 1:
        return feature(0) * feature(1) * scale
    return x * scale + float(rng.uniform(-1, 1)) * (kind == 2)


def _encoder(rng: np.random.Generator, n_wires: int, wire: int, angle: Angle) -> Gate:
    if n_wires == 1 or rng.uniform() < 0.5:
        return Gate(str(rng.choice(_ONE_WIRE)), (wire,), angle)
    other = int(rng.choice([w for w in range(n_wires) if w != wire]))
    name = str(rng.choice(_TWO_WIRES))
    word = "".join(rng.choice(list("XYZ"), 2)) if name == "PauliRot" else ""
    return Gate(name, (wire, other), angle, word)


def _fixed(rng: np.random.Generator, n_wires: int) -> Gate:
    if n_wires > 1 and rng.uniform() < 0.7:
        one, two = (int(w) for w in rng.choice(n_wires, 2, replace=False))
        return Gate(str(rng.choice(_FIXED_TWO)), (one, two))
    return Gate(str(rng.choice(_FIXED_ONE)), (int(rng.integers(n_wires)),))


def _observable(rng: np.random.Generator, n_wires: int) -> Observable:
    terms = []
    for _ in range(int(rng.integers(1, 4))):
        letters = {w: str(rng.choice(list("IXYZ"))) for w in range(n_wires)}
        letters[int(rng.integers(n_wires))] = str(rng.choice(list("XYZ")))
        terms.append((float(rng.uniform(-1, 1)), letters))
    return Observable.of(terms)
