"""Fourier coefficients of a circuit: exact frequencies, three methods, differentiable.

``f_k(x) = sum_w c_wk exp(+i w . x)``, ``w`` in radians per unit of the feature. The frequencies
come from the circuit, never from the user, so nothing is aliased. The methods are described in
:mod:`~qrun_equiv.spectra.grid`, :mod:`~qrun_equiv.spectra.lifting` and
:mod:`~qrun_equiv.spectra.product_tree`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import FourierSeries, Frequency
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra.angle_table import AngleTable
from qrun_equiv.spectra.choice import Coefficients, Method, choose, chosen_features
from qrun_equiv.spectra.collecting import collected
from qrun_equiv.spectra.program import program

Array = NDArray[np.float64]

#: Most frequencies, where the caller does not say.
DEFAULT_LIMIT = 1_000_000

_CHUNK = 2**22  # bytes of a batch at once, where no gradient is recorded: some caches' size
_PROBES = 8
_ROUNDING = 2.0**-52  # of the observable's norm: a transform can't tell less from 0


@dataclass(frozen=True, slots=True)
class SpectrumResult:
    """A spectrum at given parameters.

    Attributes:
        series: frequencies ascending, those that are equal at these parameters merged.
        error: largest ``|series - direct simulation|`` at seeded points, absolute: an estimate.
        method: ``"grid"``, ``"lifting"`` or ``"product-tree"``.
        note: how it was computed and what the error means, for a person.
    """

    series: FourierSeries
    error: float
    method: str
    note: str


class SpectrumEngine:
    """Fourier coefficients of one circuit, for any parameters.

    Args:
        circuit: neutral form.
        features: the features that vary; the others are held fixed. All of them where left out.
        method: ``"grid"`` samples and transforms; ``"lifting"`` propagates Pauli words and suits
            scales that share no period; ``"product-tree"`` needs wires that never meet and one
            base frequency, and is for deep circuits. ``"auto"`` takes the cheapest.
        limit: the most frequencies.

    Attributes:
        method: the method that is used.
        features: the features that vary.
        lattice: the frequencies as integers over few exact generators; no list is needed for
            millions of them.

    Raises:
        SpectrumError: no Fourier series in these features, no gate that reads them, too many
            frequencies, or a method that does not apply.
    """

    def __init__(
        self,
        circuit: Circuit,
        features: Sequence[int] | None = None,
        *,
        method: Method = "auto",
        limit: int = DEFAULT_LIMIT,
    ) -> None:
        self.circuit = circuit
        self.features = chosen_features(circuit, features)
        with _no_collection():
            self._compile(method, limit)

    def _compile(self, method: Method, limit: int) -> None:
        circuit = self.circuit
        self._program = program(circuit, self.features, limit)
        self.lattice = self._program.lattice
        self._method: Coefficients
        self.method, self._method = choose(self._program, method)
        generators = [a for g in self.lattice.generators for a in g]
        self._generators = AngleTable(generators, [1.0] * len(generators), circuit.n_parameters)
        kept, sources, merged = self.lattice.kept, self.lattice.sources, self.lattice.merged
        self._kept = None if kept is None else torch.as_tensor(kept)
        self._sources = None if sources is None else torch.as_tensor(sources)
        self._merged = None if merged is None else torch.as_tensor(merged)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({self.method}, features={self.features}, {len(self.lattice)} frequencies)"

    @property
    def frequencies(self) -> tuple[Frequency, ...]:
        """Exact frequencies, in the order of the coefficients; closed under negation."""
        return self.lattice.frequencies

    def values(self, theta: Array | Tensor, x: Array | Tensor | None = None) -> Array:
        """Frequencies in radians per unit.

        Args:
            theta: ``[..., n_parameters]``.
            x: fixed features ``[..., n_features]``, where a scale reads one.

        Returns:
            float64 ``[..., n, d]``, ``d`` the number of features that vary.
        """
        flat, fixed, shape = self._inputs(theta, x)
        with torch.no_grad():
            generators = self._generators.evaluate(flat, fixed).numpy()
        count, d = len(self.lattice.generators), len(self.features)
        values = self.lattice.values(generators.reshape(len(flat), count, d))
        return values.reshape(*shape, *values.shape[1:])

    def coefficients(self, theta: Tensor, x: Tensor | None = None) -> Tensor:
        """Fourier coefficients, differentiable in ``theta`` and in the fixed features.

        Theorem: proofs/coq/FourierForm.v, fourier_form_features.

        Args:
            theta: float64 ``[..., n_parameters]``.
            x: fixed features, float64 ``[n_features]`` or ``[..., n_features]``; what stands at the
                features that vary is not read.

        Returns:
            complex128 ``[..., n, n_outputs]``.

        Raises:
            SpectrumError: wrong sizes, numbers that are not finite, or ``x`` is missing.
        """
        flat, fixed, shape = self._inputs(theta, x)
        if not len(flat):
            sizes = (*shape, len(self.lattice), self.circuit.n_outputs)
            return torch.zeros(sizes, dtype=torch.complex128)
        recorded = torch.is_grad_enabled() and (
            flat.requires_grad or (fixed is not None and fixed.requires_grad)
        )
        step = max(1, _CHUNK // max(1, self._method.memory))
        if recorded or len(flat) <= step:
            found = self._gathered(self._method.box(flat, fixed))
        else:
            parts = [
                self._gathered(
                    self._method.box(
                        flat[a : a + step], None if fixed is None else fixed[a : a + step]
                    )
                )
                for a in range(0, len(flat), step)
            ]
            found = torch.cat(parts)
        return found.reshape(*shape, *found.shape[1:])

    def _gathered(self, box: Tensor) -> Tensor:
        if self._merged is not None and self._sources is not None:
            total = box.new_zeros((box.shape[0], len(self.lattice), box.shape[2]))
            return total.index_add(1, self._merged, box[:, self._sources])
        return box if self._kept is None else box[:, self._kept]

    def check_degree(self, degree: int | Sequence[int]) -> None:
        """Refuse a degree that is too low, or that says nothing because scales are no integers.

        Args:
            degree: largest frequency that a transform on ``2 degree + 1`` points of ``[0, 2 pi)``
                would see; one for each feature that varies, or one for all.

        Theorem: proofs/coq/Unisolvence.v, unisolvence, sampling.

        Raises:
            SpectrumError: the circuit has higher frequencies (says how many points it needs) or
                frequencies that are no integers.
        """
        many = list(degree) if isinstance(degree, list | tuple | np.ndarray) else None
        degrees = [degree] * len(self.features) if many is None else many
        if any(isinstance(k, bool) or not isinstance(k, int | np.integer) for k in degrees):
            msg = f"degree must be a whole number, or one for each feature, got {degree!r}"
            raise SpectrumError(msg)
        if len(degrees) != len(self.features):
            msg = f"{len(degrees)} degrees for {len(self.features)} feature(s): one each is needed"
            raise SpectrumError(msg)
        for j, (index, given) in enumerate(zip(self.features, degrees, strict=True)):
            highest = self.lattice.highest(j)
            if highest is None:
                msg = (
                    f"feature x{index} has frequencies that are no integers: samples over "
                    "[0, 2 pi) leak at any degree; use the engine's own frequencies"
                )
                raise SpectrumError(msg)
            if highest > given:
                msg = (
                    f"degree {given} in x{index} is too low and would alias: the circuit has "
                    f"frequencies up to {highest}, so {2 * highest + 1} points are needed"
                )
                raise SpectrumError(msg)

    def series(
        self, theta: Array | Tensor, x: Array | Tensor | None = None, *,
        degree: int | Sequence[int] | None = None,
    ) -> SpectrumResult:  # fmt: skip
        """The spectrum at one set of parameters, with its error measured off the grid.

        Args:
            theta: ``[n_parameters]``.
            x: fixed features ``[n_features]``, where an angle reads one.
            degree: a degree that the caller takes to be enough; see :meth:`check_degree`.

        Raises:
            SpectrumError: as :meth:`coefficients`; a degree that is too low.
        """
        if degree is not None:
            self.check_degree(degree)
        series = self.fourier(theta, x)
        error = self._measured(series, *self._inputs(theta, x)[:2])
        note = (
            f"{self.method}: {len(self.lattice)} accessible frequencies in {len(self.features)} "
            f"feature(s); the error is the largest difference from direct simulation at {_PROBES} "
            "seeded points; each coefficient is a sum of rounded terms, good to some 1e-15 of the "
            "observable's norm, growing like the square root of the number of gates"
            + ("" if self.method == "lifting" else "; those below 2e-16 of it are left out")
        )
        return SpectrumResult(series, error, self.method, note)

    def fourier(self, theta: Array | Tensor, x: Array | Tensor | None = None) -> FourierSeries:
        """The series at one set of parameters, without measuring its error.

        Frequencies ascend; those that are equal at these parameters are merged. Coefficients that
        are exactly 0 are dropped, and with a transform those below the rounding of its sums.

        Args:
            theta: ``[n_parameters]``.
            x: fixed features ``[n_features]``, where an angle reads one.

        Raises:
            SpectrumError: as :meth:`coefficients`; a batch.
        """
        flat, fixed, shape = self._inputs(theta, x)
        if shape:
            msg = f"one set of parameters is needed, got a batch of shape {shape}"
            raise SpectrumError(msg)
        with torch.no_grad():
            coefficients = self.coefficients(flat, fixed)[0].numpy()
        if not np.all(np.isfinite(coefficients)):
            msg = "an angle overflows at these parameters: make theta (or the fixed x) smaller"
            raise SpectrumError(msg)
        floor = 0.0 if self.method == "lifting" else _ROUNDING * self._norm()
        kept = np.where(np.abs(coefficients) <= floor, 0.0, coefficients)
        return collected(FourierSeries(self.values(flat, fixed)[0], kept))

    def _norm(self) -> float:
        return max(o.norm for o in self.circuit.observables)

    def _measured(self, series: FourierSeries, theta: Tensor, x: Tensor | None) -> float:
        """Largest difference from direct simulation at seeded points."""
        rng = np.random.default_rng(0)
        rows = np.zeros((_PROBES, self.circuit.n_features))
        if x is not None:
            rows[:] = x.detach().numpy()
        varied = list(self.features)
        rows[:, varied] = rng.uniform(-np.pi, np.pi, (_PROBES, len(varied)))
        with torch.no_grad():
            direct = expectations(self.circuit, torch.as_tensor(rows), theta[0]).numpy()
        return float(np.abs(series(rows[:, varied]) - direct).max())

    def _inputs(
        self, theta: Array | Tensor, x: Array | Tensor | None
    ) -> tuple[Tensor, Tensor | None, tuple[int, ...]]:
        parameters = _vector("theta", theta, self.circuit.n_parameters, "parameters")
        shape = parameters.shape[:-1]
        flat = parameters.reshape(prod(shape), self.circuit.n_parameters)
        if x is None:
            if self._program.reads:
                names = ", ".join(f"x{i}" for i in sorted(self._program.reads))
                msg = f"angles read the fixed feature(s) {names}: give x [n_features]"
                raise SpectrumError(msg)
            return flat, None, tuple(shape)
        fixed = _vector("x", x, self.circuit.n_features, "features")
        if fixed.ndim > 1 and fixed.shape[:-1] != shape:
            msg = f"x has the batch shape {tuple(fixed.shape[:-1])}, theta has {tuple(shape)}"
            raise SpectrumError(msg)
        rows = fixed.expand(*shape, -1).reshape(len(flat), -1)
        return flat, rows, tuple(shape)


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for cycles while many small objects are made: half of the time, and none here."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _vector(name: str, values: Array | Tensor, size: int, what: str) -> Tensor:
    try:
        tensor = values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError) as error:
        msg = f"{name} must be an array of float64 numbers [..., {size}], one a {what[:-1]}"
        raise SpectrumError(msg) from error
    if tensor.is_complex():
        msg = f"{name} is complex: the circuit's {what} are real numbers, so give its real part"
        raise SpectrumError(msg)
    if tensor.is_floating_point() and tensor.dtype != torch.float64 and tensor.numel():
        msg = (
            f"{name} is {tensor.dtype}, which has too few digits (0.7 becomes 0.699999988): make "
            f"it in float64, or pass {name}.double() if these very numbers are meant"
        )
        raise SpectrumError(msg)
    tensor = tensor.to(torch.float64)
    if tensor.ndim == 0 or tensor.shape[-1] != size:
        msg = f"{name} has the shape {tuple(tensor.shape)}, but the circuit has {size} {what}"
        raise SpectrumError(msg)
    if not bool(torch.isfinite(tensor).all()):
        msg = f"{name} holds NaN or infinite numbers; every one must be finite"
        raise SpectrumError(msg)
    return tensor
