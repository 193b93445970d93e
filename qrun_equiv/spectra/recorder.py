"""How a layer's spectrum and its leakage move while it is trained.

Scales that are trained too leave the circuit's frequencies at once: a layer with the scale 0.99 has
nothing at frequency 1, however well the two agree over a few periods. Its leakage says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array
from qrun_equiv.spectra.black_box import double
from qrun_equiv.spectra.layer_spectrum import (
    LayerSpectrum,
    inside_of,
    layer_spectrum,
    wanted_frequencies,
)
from qrun_equiv.spectra.sample_grid import distinct


class SpectrumRecorder:
    """Snapshots of a layer's spectrum during training: call it after each step.

    Args:
        layer: as for :func:`layer_spectrum`; it is read, never changed.
        circuit: as there; or
        frequencies: ``[n]`` the frequencies that the layer should have.
        parameters: of the circuit.
        watch: other frequencies to record, ``[m]``, outside the circuit's.
        scales: as for :func:`layer_spectrum`.
        every: take every so many-th call, the first included.

    Attributes:
        frequencies: ``[n + m]`` from 0 up: those recorded.
        inside: ``[n + m]``: whether it is one of the circuit's.

    Raises:
        SpectrumError: as for :func:`layer_spectrum`, or neither a circuit nor frequencies.
    """

    def __init__(
        self,
        layer: Any,
        *,
        circuit: Circuit | None = None,
        parameters: Any = (),
        frequencies: Any = None,
        watch: Any = (),
        scales: Sequence[float] | Tensor | None = None,
        every: int = 1,
    ) -> None:
        wanted = wanted_frequencies(circuit, parameters, frequencies)
        if wanted is None or every < 1:
            msg = "a recorder needs a circuit (or its frequencies) to look at, and every >= 1"
            raise SpectrumError(msg)
        self._layer, self._wanted, self._scales, self._every = layer, wanted, scales, every
        self._watch = double(watch, "watch").reshape(-1)
        both = np.concatenate([wanted, self._watch])
        self.frequencies: Array = distinct(both[:, None])[:, 0]
        self.inside = inside_of(self.frequencies, wanted)
        self._calls = 0
        self._taken: list[tuple[int, float, LayerSpectrum]] = []

    def __call__(self, loss: float | Tensor = math.nan) -> None:
        """Count a step, and take a snapshot where its turn has come."""
        if self._calls % self._every == 0:
            found = layer_spectrum(
                self._layer, frequencies=self._wanted, also=self._watch, scales=self._scales
            )
            value = loss.detach() if isinstance(loss, Tensor) else loss
            self._taken.append((self._calls, float(value), found))
        self._calls += 1

    def __len__(self) -> int:
        return len(self._taken)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything recorded, ready for ``numpy.savez``.

        Returns:
            ``steps [s]``, ``losses [s]``, ``frequencies [n]``, ``inside [n]``, ``coefficients [s,
            n, k]`` (complex), ``amplitudes [s, n]`` (root of the sum over outputs of ``|c|^2``),
            ``scales [s, L]``, ``leakage [s]`` (NaN where it was not found), ``rest [s]``.
        """
        spectra = [found for _, _, found in self._taken]
        coefficients = np.array([found.at(self.frequencies) for found in spectra])
        leaks = [math.nan if found.leakage is None else found.leakage for found in spectra]
        return {
            "steps": np.array([step for step, _, _ in self._taken]),
            "losses": np.array([loss for _, loss, _ in self._taken]),
            "frequencies": self.frequencies,
            "inside": self.inside,
            "coefficients": coefficients,
            "amplitudes": np.sqrt(np.sum(np.abs(coefficients) ** 2, axis=-1)),
            "scales": np.array([found.scales for found in spectra]),
            "leakage": np.array(leaks),
            "rest": np.array([found.rest for found in spectra]),
        }
