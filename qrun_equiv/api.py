"""What a user calls on a native circuit besides ``verify``: neutral form, counterpart, spectrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from qrun_equiv import approximation as _approximation
from qrun_equiv import counterpart as _counterpart
from qrun_equiv import points, tolerances
from qrun_equiv.approximation import Approximation
from qrun_equiv.circuit import Circuit
from qrun_equiv.counterpart import FourierCounterpart, MatrixProductCounterpart, Readout
from qrun_equiv.errors import UnsupportedCircuitError
from qrun_equiv.exact import arcs
from qrun_equiv.fourier import MAX_FREQUENCIES, FourierSeries
from qrun_equiv.frontends.base import CircuitSource, Sizes
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra.black_box import double
from qrun_equiv.spectra.engine import SpectrumEngine
from qrun_equiv.spectra.expressivity import Expressivity
from qrun_equiv.spectra.expressivity import expressivity as _expressivity
from qrun_equiv.spectra.frequencies import FrequencySet
from qrun_equiv.spectra.frequencies import frequencies as _frequencies

_POINTS, _AGREES = 5, tolerances.LOWERING


def neutral(
    circuit: Any,
    *,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
) -> Circuit:
    """Neutral form of a native circuit; arguments as for :func:`qrun_equiv.verify`.

    A mapping of several circuits gives the form of its first. A neutral ``Circuit`` is returned as
    it is.

    Raises:
        UnsupportedCircuitError: there is no exact neutral form; the message says why.
        FrontendError: the circuit can't be evaluated as given.
    """
    if isinstance(circuit, Circuit):
        return circuit
    if isinstance(circuit, Mapping) and circuit:
        circuit = dict([next(iter(circuit.items()))])
    sources, sizes = circuit_sources(circuit, observable, n_features, n_parameters)
    form = sources[0].lower()
    _compare(form, sources[0], sizes)
    return form


def _compare(form: Circuit, source: CircuitSource, sizes: Sizes) -> None:
    """Hold a neutral form to its native circuit at a few random points."""
    rng = np.random.default_rng(19)
    x = rng.uniform(-6.0, 6.0, (_POINTS, sizes.features))
    x[:, sorted({arc.index for arc in arcs(form)})] /= 7.0  # where arccos has a value
    theta = rng.uniform(-6.0, 6.0, sizes.parameters)
    ours = expectations(form, torch.tensor(x), torch.tensor(theta)).numpy()
    native = source.values(x, theta)
    size = max([1.0, *(o.norm for o in form.observables)])
    if ours.shape != native.shape or not np.max(np.abs(ours - native)) <= _AGREES * size:
        msg = (
            f"{source.name} has no neutral form: the one that was read off near 0 does not hold at "
            "all points (a clipped or wrapped angle, or a branch on x?)"
        )
        raise UnsupportedCircuitError(msg)


def derive(
    circuit: Any,
    readout: Readout = "auto",
    *,
    parameters: Any = None,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
) -> MatrixProductCounterpart | FourierCounterpart:
    """Classical counterpart of a native (or neutral) circuit, up to 5 wires.

    Args:
        circuit: as for :func:`qrun_equiv.verify`.
        readout: ``"matrix-product"``: a module ``(x, theta) -> [batch, n_outputs]`` that equals the
            circuit for all inputs, differentiable in both; ``"fourier"``: a module ``x -> [batch,
            n_outputs]``, the Fourier series at given parameters; ``"auto"``: Fourier where
            parameters are given.
        parameters: ``theta`` for ``"fourier"``.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.

    Raises:
        DerivationError: more than 5 wires, an unknown readout, missing parameters.
        UnsupportedCircuitError: there is no exact neutral form.
    """
    form = neutral(circuit, n_features=n_features, n_parameters=n_parameters, observable=observable)
    if parameters is not None:
        parameters = points.vector(parameters, form.n_parameters, "parameters")
    return _counterpart.derive(form, readout, parameters=parameters)


def approximate(
    circuit: Any,
    readout: str = "mlp",
    *,
    parameters: Any = (),
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
    **options: Any,
) -> Approximation:
    """Fit the published layer's MLP readout to a circuit of one feature, and bound what is left.

    Args:
        circuit: as for :func:`qrun_equiv.verify`.
        readout: ``"mlp"``; the other readouts are exact, see :func:`derive`.
        parameters: ``theta [n_parameters]``, radians.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.
        options: ``interval``, ``hidden``, ``depth``, ``reuploads``, ``scales``, ``steps``,
            ``seed``, ``epsilon``: see :func:`qrun_equiv.approximation.approximate`.

    Raises:
        DerivationError: more than one feature, or another readout.
        UnsupportedCircuitError: there is no exact neutral form.
    """
    form = neutral(circuit, n_features=n_features, n_parameters=n_parameters, observable=observable)
    theta = points.vector(np.asarray(parameters), form.n_parameters, "parameters")
    return _approximation.approximate(form, readout=readout, parameters=theta, **options)


def spectrum(
    circuit: Any,
    parameters: Any = (),
    *,
    features: Sequence[int] | None = None,
    x: Any = None,
    degree: int | Sequence[int] | None = None,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
) -> FourierSeries:
    """Exact Fourier series of a circuit in its features, at given parameters and any real scales.

    No degree and no grid has to be known: both follow from the circuit, so nothing is aliased. For
    many parameters, or gradients, make a :func:`spectrum_engine` once.

    Args:
        circuit: as for :func:`qrun_equiv.verify`.
        parameters: ``theta [n_parameters]``, radians.
        features: the features that vary; all of them where left out.
        x: values ``[n_features]`` of the features that are held fixed.
        degree: a degree that you take to be enough; refused where the circuit has higher
            frequencies.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.

    Returns:
        Frequencies ``[n, n_features]`` and coefficients ``[n, n_outputs]`` with the convention
        ``f(x) = sum_w c_w exp(+i w . x)``; only frequencies that the circuit reaches.

    Raises:
        SpectrumError: no features, an angle that is not affine in them (``x0*x1``), a feature that
            no gate reads, too many frequencies, a degree that is too low, single precision.
        UnsupportedCircuitError: there is no exact neutral form.
    """
    form = neutral(circuit, n_features=n_features, n_parameters=n_parameters, observable=observable)
    theta = points.vector(parameters, form.n_parameters, "parameters")
    double(parameters, "parameters")  # refuses single precision
    engine = SpectrumEngine(form, features, limit=MAX_FREQUENCIES)
    if degree is not None:
        engine.check_degree(degree)
    return engine.fourier(theta, x)


def spectrum_engine(
    circuit: Any,
    features: Sequence[int] | None = None,
    *,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
    **options: Any,
) -> SpectrumEngine:
    """Fourier coefficients of a circuit as a fast, differentiable function of its parameters.

    Args:
        circuit: as for :func:`qrun_equiv.verify`.
        features: the features that vary; all of them where left out.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.
        options: ``method`` and ``limit`` of :class:`qrun_equiv.spectra.engine.SpectrumEngine`.

    Returns:
        The engine: ``engine.frequencies`` (exact), ``engine.coefficients(theta [..., n_parameters])
        -> complex128 [..., n, n_outputs]``, ``engine.series(theta)`` with an error estimate.

    Raises:
        SpectrumError: as for :func:`spectrum`.
        UnsupportedCircuitError: there is no exact neutral form.
    """
    form = neutral(circuit, n_features=n_features, n_parameters=n_parameters, observable=observable)
    return SpectrumEngine(form, features, **options)


def frequencies(
    circuit: Any,
    features: Sequence[int] | None = None,
    *,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
    **options: Any,
) -> FrequencySet:
    """The exact frequencies of a circuit: accessible ones, their degeneracy, and the effective.

    Args:
        circuit: as for :func:`qrun_equiv.verify`.
        features: the features that vary jointly; all of them where left out.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.
        options: ``limit`` and ``seed`` of :func:`qrun_equiv.spectra.frequencies.frequencies`.

    Raises:
        SpectrumError: as for :func:`spectrum`; a gate given by a matrix of floats.
        UnsupportedCircuitError: there is no exact neutral form.
    """
    form = neutral(circuit, n_features=n_features, n_parameters=n_parameters, observable=observable)
    return _frequencies(form, features, **options)


def expressivity(
    circuit: Any,
    features: Sequence[int] | None = None,
    *,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
    **options: Any,
) -> Expressivity:
    """Distribution of a circuit's Fourier coefficients over random parameters.

    Args:
        circuit: as for :func:`qrun_equiv.verify`.
        features: the features that vary; all of them where left out.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.
        options: of :func:`qrun_equiv.spectra.expressivity.expressivity` (``n_samples``, ``seed``).

    Returns:
        Means, variances and correlations of the coefficients, and the Fourier coefficient
        correlation (FCC).

    Raises:
        SpectrumError: as for :func:`spectrum`; a circuit without parameters.
        UnsupportedCircuitError: there is no exact neutral form.
    """
    form = neutral(circuit, n_features=n_features, n_parameters=n_parameters, observable=observable)
    return _expressivity(form, features, **options)
