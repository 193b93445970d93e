"""Identity of a circuit and a torch counterpart, for all features and parameters.

Both sides are evaluated at random points of random prime fields: the circuit from its neutral form
(:mod:`qrun_equiv.exact`), the counterpart by running its own code (:mod:`qrun_equiv.formal`). If
they differ anywhere they are different functions; if they agree they are one, but for the stated
probability (:mod:`qrun_equiv.field`).
"""

from __future__ import annotations

import numpy as np

from qrun_equiv import exact
from qrun_equiv.angle import Symbol, feature
from qrun_equiv.circuit import Circuit, Gate
from qrun_equiv.errors import FormalError
from qrun_equiv.exact import Identity, Outcome
from qrun_equiv.field import Field
from qrun_equiv.field_arrays import FieldAlgebra, FieldArray
from qrun_equiv.frontends.base import Array
from qrun_equiv.frontends.counterpart import CounterpartSource

#: Rows of the batches that are proved: a row alone, and rows beside each other.
BATCHES = (1, 2)
#: State vectors over the field take about a microsecond an amplitude and gate.
MAX_WORK = 40_000_000


def identity(
    circuit: Circuit,
    counterpart: CounterpartSource,
    *,
    theta: Array | None = None,
    seed: int | None = 0,
) -> Identity:
    """Whether a counterpart's outputs are a circuit's, for all features and parameters.

    Theorem: proofs/coq/SchwartzZippel.v, schwartz_zippel.

    Args:
        circuit: neutral form.
        counterpart: torch code, run unmodified on formal numbers.
        theta: parameters ``[n_parameters]`` to prove at, read as exact constants; formal (that is,
            all of them) where left out.
        seed: of primes and points; ``None`` for fresh ones.

    Raises:
        FormalError: the counterpart does something outside the ring (``tanh``, a comparison of
            values), or the circuit is too large.
        UnsupportedCircuitError: the circuit has a gate given by a matrix of floats.
    """
    work = len(circuit.gates) * 2**circuit.n_wires
    if work > MAX_WORK:
        msg = f"{len(circuit.gates)} gates on {circuit.n_wires} wires are too much exact arithmetic"
        raise FormalError(msg)
    counterpart.check_rows()
    fixed = circuit if theta is None else exact.replace(circuit, theta.tolist())
    rows = [_row(fixed, counterpart.sizes.features, k) for k in range(max(BATCHES))]

    def trial(drawn: Field) -> Outcome:
        drawn.arcs(exact.arcs(*rows))
        algebra = FieldAlgebra(drawn)
        made = [_run(counterpart, algebra, batch, theta) for batch in BATCHES]
        wanted = [exact.evaluate(row, drawn) for row in rows]
        differs = None
        for value, batch in zip(made, BATCHES, strict=True):
            if value.values.shape != (batch, circuit.n_outputs):
                msg = f"the counterpart gives shape {value.values.shape} for {batch} row(s)"
                raise FormalError(msg)
            for k in range(circuit.n_outputs):
                if any(value.values[b, k] != wanted[b][k] for b in range(batch)):
                    differs = k
        atoms = max(exact.degree(fixed), *(v.atoms for v in made))
        height = exact.height(fixed) + max(v.height for v in made) + 1.0
        return Outcome(differs, atoms, height)

    return exact.decide(trial, seed=seed)


def _run(
    counterpart: CounterpartSource, algebra: FieldAlgebra, batch: int, theta: Array | None
) -> FieldArray:
    shape = counterpart.sizes.parameter_shape
    given = (
        algebra.parameters(shape)
        if theta is None
        else algebra.constant(np.asarray(theta, dtype=np.float64).reshape(shape))
    )
    x = algebra.features(batch, counterpart.sizes.features)
    out = counterpart.formal(algebra, x, given, batch)
    assert isinstance(out, FieldArray)
    return out


def _row(circuit: Circuit, n_features: int, row: int) -> Circuit:
    """The circuit of one row of a batch: with the features that this row has."""
    if not row:
        return circuit
    shift = row * n_features
    mapping = {Symbol("x", k): feature(shift + k) for k in range(n_features)}
    gates = tuple(
        g if g.angle is None else Gate(g.name, g.wires, g.angle.replace(mapping), g.word, g.matrix)
        for g in circuit.gates
    )
    n = circuit.n_features + shift
    return Circuit(circuit.n_wires, gates, circuit.observables, n, circuit.n_parameters)
