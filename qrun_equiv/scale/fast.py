"""Exact counterparts of circuits at full speed: the same functions as those of ``derive``.

At fixed parameters a circuit is a trigonometric sum of its features
(:mod:`qrun_equiv.scale.series`). With parameters that all rows share it is still one, with
coefficients that are functions of the parameters: computed once a batch, gradients flow through
them. Parameters that differ from row to row make a one-wire circuit a chain of rotations
(:mod:`qrun_equiv.scale.chain`); wider circuits are then simulated, by torch operations.

Numbers come in and go out in ``dtype``; in between all is float64, so float32 results are the exact
ones, rounded once.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from qrun_equiv import transfer
from qrun_equiv.angle import Angle, Monomial
from qrun_equiv.circuit import Circuit
from qrun_equiv.counterpart import (
    FourierCounterpart,
    MatrixProductCounterpart,
    fourier_series,
)
from qrun_equiv.errors import DerivationError, SpectrumError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.scale import chain, series
from qrun_equiv.scale.fast_series import FastSeries, backend_of, check_rows, folded
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra.engine import SpectrumEngine

Array = NDArray[np.float64]
Source = Circuit | MatrixProductCounterpart | FourierCounterpart | FourierSeries

_DTYPES = (torch.float32, torch.float64)


def fast_counterpart(
    source: Source, parameters: Any = None, *, dtype: torch.dtype = torch.float32
) -> FastSeries | FastCircuit:
    """The same function, evaluated at many rows quickly.

    Args:
        source: a neutral circuit, what :func:`qrun_equiv.derive` returned, or a Fourier series.
        parameters: ``theta [n_parameters]``, to fix them; without, the module takes them.
        dtype: float32 or float64, of inputs and outputs.

    Returns:
        A module ``x -> [batch, n_outputs]``, or ``(x, theta) -> [batch, n_outputs]``,
        differentiable in features and parameters to any order.

    Raises:
        TypeError: another source, or another dtype.
        DerivationError: parameters that do not fit.
        SpectrumError: fixed parameters, and an angle that is not affine in the features (a product
            of two of them): leave the parameters open.
    """
    if dtype not in _DTYPES:
        msg = f"dtype must be torch.float32 or torch.float64, got {dtype!r}"
        raise TypeError(msg)
    if isinstance(source, FourierCounterpart):
        source = source.series
    if isinstance(source, MatrixProductCounterpart):
        source = source.circuit
    if isinstance(source, FourierSeries):
        if parameters is not None:
            msg = "a Fourier series has no parameters left to fix: leave parameters= out"
            raise DerivationError(msg)
        return FastSeries.of(source, dtype=dtype)
    if not isinstance(source, Circuit):
        msg = (
            f"a neutral circuit, a derived counterpart or a FourierSeries is needed, got "
            f"{type(source).__name__}; make one with qrun_equiv.derive(circuit)"
        )
        raise TypeError(msg)
    module = FastCircuit(source, dtype=dtype)
    return module if parameters is None else module.at(parameters)


class FastCircuit(nn.Module):
    """A circuit: ``forward(x [batch, n_features], theta) -> [batch, n_outputs]``.

    ``theta`` is ``[n_parameters]`` (or any shape of that size), shared by all rows, or
    ``[batch, n_parameters]``.

    Attributes:
        circuit: neutral form.
        dtype: of features and outputs, and of parameters that differ from row to row.
        route: how the last call was computed, for a person.
    """

    def __init__(self, circuit: Circuit, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.circuit, self.dtype, self.route = circuit, dtype, "not called yet"
        self._engine: SpectrumEngine | None = None
        self._why = "it has no features"
        if circuit.n_features:
            try:
                self._engine = SpectrumEngine(circuit)
            except SpectrumError as error:
                self._why = str(error)
        if self._engine is not None:
            points = self._engine.lattice.integers()
            self._plan, self._index, self._sign = series.plan_of(points)
        # made here: in a function transform its constants could not be read
        self._chain = _chain_of(circuit) if circuit.n_wires == 1 else None

    def at(self, parameters: Any) -> FastSeries:
        """The sum at fixed parameters ``[n_parameters]``.

        Raises:
            SpectrumError: the circuit is no Fourier series in its features.
            DerivationError: a wrong number of parameters.
        """
        values = parameters.detach().cpu() if isinstance(parameters, Tensor) else parameters
        theta = self._shared(torch.as_tensor(np.asarray(values, dtype=np.float64)))
        if self._engine is None:
            if self.circuit.n_features:
                raise SpectrumError(self._why)
            return FastSeries.of(fourier_series(self.circuit, theta.numpy()), dtype=self.dtype)
        with torch.no_grad():
            coefficients = self._engine.coefficients(theta)
            generators = self._generators(theta)
        points = self._engine.lattice.integers()
        return FastSeries(generators, points, coefficients, dtype=self.dtype)

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]``; see the class.

        Raises:
            TypeError: features of another dtype than :attr:`dtype`.
            ValueError: a wrong shape.
        """
        check_rows(x, self.dtype, self.circuit.n_features)
        rows = theta.ndim == 2 and theta.shape == (len(x), self.circuit.n_parameters)
        if not rows:
            theta = self._shared(theta)
        elif theta.dtype != self.dtype and self.circuit.n_wires == 1:
            msg = f"theta is {theta.dtype}, x is {x.dtype}: rows of both must have one dtype"
            raise TypeError(msg)
        if self._engine is not None and not rows:
            self.route = f"one sum for all rows, by {backend_of(x.device)}"
            return self._sum(x, theta)
        why = "the parameters differ from row to row" if rows else self._why
        if self.circuit.n_wires == 1:
            by = backend_of(x.device)
            self.route = f"a chain of rotations, by {by}: {why}"
            return self._turned(x, theta)
        self.route = f"state vectors, by torch on the CPU: {why}"
        values = expectations(self.circuit, x.cpu().double(), theta.cpu().double())
        return values.to(x.device, self.dtype)

    def _shared(self, theta: Tensor) -> Tensor:
        if theta.numel() != self.circuit.n_parameters:
            msg = (
                f"theta has the shape {list(theta.shape)}, but the circuit has "
                f"{self.circuit.n_parameters} parameters: give [n_parameters], or one row each for "
                "every row of x"
            )
            raise DerivationError(msg)
        return theta.reshape(-1).double()

    def _sum(self, x: Tensor, theta: Tensor) -> Tensor:
        assert self._engine is not None
        coefficients = self._engine.coefficients(theta.cpu()).to(x.device)
        cosines, sines = folded(coefficients, self._plan, self._index, self._sign)
        generators = self._generators(theta).to(x.device)
        values: Tensor = series.evaluate(x, cosines, sines, generators, self._plan)
        return values

    def _generators(self, theta: Tensor) -> Tensor:
        assert self._engine is not None
        rows = [
            torch.stack([torch.as_tensor(a.evaluate((), theta), dtype=theta.dtype) for a in g])
            for g in self._engine.lattice.generators
        ]
        empty = torch.zeros((1, self.circuit.n_features), dtype=torch.float64)
        return torch.stack(rows) if rows else empty

    def _turned(self, x: Tensor, theta: Tensor) -> Tensor:
        assert self._chain is not None
        plan, products = self._chain
        if products:  # they must not be rounded to float32
            x, theta = x.double(), theta.double()
        found = [Angle(((m, Fraction(1)),)).evaluate(x, theta) for m in products]
        rows = [value.expand(len(x)) for value in found]
        more = torch.stack(rows, dim=1) if rows else x.new_empty((len(x), 0))
        one = torch.ones(1, dtype=torch.float64, device=x.device)
        values: Tensor = chain.evaluate(plan, [x, theta, more, one], x)
        return values.to(self.dtype)

    def extra_repr(self) -> str:
        """What it computes."""
        return f"{self.circuit.describe()}, {self.dtype}"


def _chain_of(circuit: Circuit) -> tuple[chain.Chain, list[Monomial]]:
    """A one-wire circuit as a chain, and the products that its angles read.

    Its tables are the features, the parameters, those products and the number 1.
    """
    angles: dict[Angle, int] = {}
    steps: list[tuple[int, int]] = []
    matrices: list[Array] = []
    for step in transfer.steps(circuit):
        if isinstance(step, transfer.Fixed):
            steps.append((chain.FIXED, len(matrices)))
            matrices.append(step.matrix.numpy()[1:, 1:])
        else:
            axis = int(np.flatnonzero(step.anticommuting.numpy()[1:] == 0)[0])
            steps.append((axis, angles.setdefault(step.angle, len(angles))))
    columns: dict[Monomial, tuple[int, int]] = {}
    products: list[Monomial] = []
    entries = []
    for angle, index in angles.items():
        for free, rate in map(_without_pi, angle.terms):
            if free not in columns:
                columns[free] = _place(free, products)
            entries.append((index, list(columns).index(free), rate))
    rates = np.zeros((len(angles), len(columns)))
    for index, column, rate in entries:
        rates[index, column] += rate
    observables = np.ascontiguousarray(transfer.readout(circuit.observables, 1).numpy().T)
    plan = chain.Chain.of(list(columns.values()), rates, steps, matrices, observables)
    return plan, products


def _place(monomial: Monomial, products: list[Monomial]) -> tuple[int, int]:
    """Table and position of a monomial; a product is added to the list."""
    if not monomial:
        return 3, 0
    (symbol, power), *more = monomial
    if not more and power == 1 and symbol.kind in {"x", "theta"}:
        return (0 if symbol.kind == "x" else 1), symbol.index
    products.append(monomial)
    return 2, len(products) - 1


def _without_pi(term: tuple[Monomial, Fraction]) -> tuple[Monomial, float]:
    monomial, q = term
    constant = tuple(p for p in monomial if p[0].kind == "pi")
    free = tuple(p for p in monomial if p[0].kind != "pi")
    return free, float(Angle(((constant, q),)).evaluate((), ()))
