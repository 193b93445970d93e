"""Derive a classical counterpart from a neutral circuit: torch only, no quantum framework.

``derive(circuit)`` gives the matrix-product readout that *any* data re-uploading circuit equals,
its cores the Pauli transfer matrices; ``derive(circuit, readout="fourier", parameters=theta)`` the
Fourier series at given parameters.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from qrun_equiv import transfer
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import DerivationError
from qrun_equiv.fourier import MAX_FREQUENCIES, FourierSeries
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra.engine import SpectrumEngine
from qrun_equiv.transfer import Fixed, Rotation, Step

#: Largest circuit that is derived: 4**5 = 1024 Pauli words.
MAX_WIRES = 5

Readout = Literal["auto", "matrix-product", "fourier"]


def derive(
    circuit: Circuit, readout: Readout = "auto", *, parameters: object = None
) -> MatrixProductCounterpart | FourierCounterpart:
    """Classical counterpart of a circuit.

    Args:
        circuit: neutral form, up to :data:`MAX_WIRES` wires.
        readout: ``"matrix-product"`` (differentiable in features and parameters), ``"fourier"``
            (at given parameters), or ``"auto"``: Fourier where parameters are given.
        parameters: ``theta [n_parameters]`` for ``"fourier"``.

    Raises:
        DerivationError: too many wires, an unknown readout, or missing parameters.
        SpectrumError: ``"fourier"`` where the output is no Fourier series in the features.
    """
    if circuit.n_wires > MAX_WIRES:
        msg = (
            f"a circuit on {circuit.n_wires} wires needs {4**circuit.n_wires} Pauli words; derive "
            f"goes up to {MAX_WIRES} wires"
        )
        raise DerivationError(msg)
    if readout == "auto":
        readout = "matrix-product" if parameters is None else "fourier"
    if readout == "matrix-product":
        return MatrixProductCounterpart(circuit)
    if readout == "fourier":
        if parameters is None:
            msg = 'readout="fourier" is for given parameters: pass parameters=theta'
            raise DerivationError(msg)
        return FourierCounterpart(fourier_series(circuit, np.asarray(parameters, dtype=float)))
    msg = f'unknown readout {readout!r}: "auto", "matrix-product" or "fourier"'
    raise DerivationError(msg)


class MatrixProductCounterpart(nn.Module):
    """The matrix-product readout that equals a circuit, for all features and parameters.

    ``forward(x [batch, n_features], theta [n_parameters] or any shape of that size) ->
    [batch, n_outputs]`` in float64. Size: a chain of ``4**n`` by ``4**n`` real cores, one for each
    gate, applied sparsely.

    Theorem: proofs/coq/Multilinear.v, matrix_product_readout.
    """

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.circuit = circuit
        self.steps = transfer.steps(circuit)
        self.register_buffer("start", transfer.start(circuit.n_wires))
        self.register_buffer("observables", transfer.readout(circuit.observables, circuit.n_wires))

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]``; see the class."""
        theta = theta.reshape(-1)
        r = self.get_buffer("start").expand(x.shape[0], -1)
        for step in self.steps:
            r = _apply(step, r, x, theta)
        return r @ self.get_buffer("observables")

    def features(self, x: Tensor, theta: Tensor) -> Tensor:
        """Q-RUN features ``(cos a_g, sin a_g)`` of the encoding gates: ``[batch, gates, 2]``."""
        rotations = [s for s in self.steps if isinstance(s, Rotation) and s.angle.features()]
        angles = [s.evaluate(x, theta.reshape(-1)) for s in rotations]
        if not angles:
            return x.new_zeros((x.shape[0], 0, 2))
        stacked = torch.stack(angles, dim=1)
        return torch.stack([torch.cos(stacked), torch.sin(stacked)], dim=-1)

    def cores(self, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same circuit as dense cores for :func:`qrun_equiv.readout.matrix_product`.

        Returns:
            ``left [4**n]``, ``cores [gates, 3, 4**n, 4**n]`` (for 1, cos, sin of each encoding
            gate's angle, each with the transfer matrix of the block before it), and
            ``right [4**n, n_outputs]``; differentiable in ``theta``.
        """
        theta = theta.reshape(-1)
        size = 4**self.circuit.n_wires
        none = torch.zeros((1, self.circuit.n_features), dtype=torch.float64)
        identity = torch.eye(size, dtype=torch.float64)
        block, cores = identity, []
        for step in self.steps:
            if isinstance(step, Rotation) and _encodes(step):
                one = block * (1.0 - step.anticommuting)
                cos = block * step.anticommuting
                sin = step.sign * block[:, step.source]
                cores.append(torch.stack([one, cos, sin]))
                block = identity
            else:
                block = _apply(step, block, none, theta)
        right = block @ self.get_buffer("observables")
        stacked = torch.stack(cores) if cores else torch.zeros((0, 3, size, size)).double()
        return self.get_buffer("start"), stacked, right

    def extra_repr(self) -> str:
        """What it was derived from."""
        return self.circuit.describe()


def _encodes(step: Step) -> bool:
    return isinstance(step, Rotation) and bool(step.angle.features())


def _apply(step: Step, r: Tensor, x: Tensor, theta: Tensor) -> Tensor:
    if isinstance(step, Fixed):
        return step.apply(r)
    angle = torch.as_tensor(step.evaluate(x, theta), dtype=torch.float64)[..., None]
    return step.apply(r, torch.cos(angle), torch.sin(angle))


class FourierCounterpart(nn.Module):
    """A Fourier series as a module: ``forward(x [batch, n_features]) -> [batch, n_outputs]``."""

    def __init__(self, series: FourierSeries) -> None:
        super().__init__()
        self.series = series
        self.register_buffer("frequencies", torch.as_tensor(series.frequencies))
        self.register_buffer("cosines", torch.as_tensor(series.coefficients.real.copy()))
        self.register_buffer("sines", torch.as_tensor(-series.coefficients.imag.copy()))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]`` in float64."""
        phase = x @ self.get_buffer("frequencies").T
        cosine = torch.cos(phase) @ self.get_buffer("cosines")
        return cosine + torch.sin(phase) @ self.get_buffer("sines")

    def extra_repr(self) -> str:
        """Sizes."""
        n, features = self.series.frequencies.shape
        return f"{n} frequencies of {features} feature(s)"


def fourier_series(
    circuit: Circuit, parameters: np.ndarray, *, limit: int = MAX_FREQUENCIES
) -> FourierSeries:
    """Exact Fourier series in all features at given parameters, for any real scales.

    Computed by :class:`~qrun_equiv.spectra.engine.SpectrumEngine`. Frequencies ascend; only those
    that the circuit reaches are kept.

    Theorem: proofs/coq/FourierForm.v, fourier_form_features.

    Raises:
        SpectrumError: an angle is not affine in the features, or there are too many frequencies.
    """
    theta = torch.as_tensor(parameters, dtype=torch.float64).reshape(-1)
    if circuit.n_features:
        return SpectrumEngine(circuit, limit=limit).fourier(theta)
    values = expectations(circuit, torch.zeros((1, 0), dtype=torch.float64), theta)
    return FourierSeries(np.zeros((1, 0)), values.detach().numpy().astype(complex))
