"""The numbers behind a page: as JSON for a person's script, as ``.npz`` for numpy."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.certificate import Verdict
from qrun_equiv.pair import Pair
from qrun_equiv.reporting.curves import Line, Samples
from qrun_equiv.reporting.fits import Fit
from qrun_equiv.reporting.spectra import Plane, Spectrum
from qrun_equiv.reporting.subject import Subject

#: Version of the layout.
SCHEMA = 1
UNITS = "radians; frequencies in radians per unit of the feature; f = sum c exp(+i w x)"

Arrays = dict[str, NDArray[Any]]


def of_subject(what: Subject) -> Arrays:
    """The point through which all curves go: ``x [n_features]``, ``theta [n_parameters]``."""
    return {"x": what.x, "theta": what.theta}


def of_samples(samples: Samples) -> Arrays:
    """``outputs/grid [points]`` and ``outputs/SOURCE [points, n_outputs]``."""
    stacks = {f"outputs/{name}": values for name, values in samples.stacks.items()}
    return {"outputs/grid": samples.grid, **stacks}


def of_derivatives(lines: Mapping[str, Line]) -> Arrays:
    """``gradient_x/grid``, ``gradient_x/SOURCE [points]``, and the same for ``gradient_theta``."""
    found: Arrays = {}
    for kind, line in lines.items():
        found[f"gradient_{kind}/grid"] = line.grid
        found |= {f"gradient_{kind}/{name}": values for name, values in line.values.items()}
    return found


def of_spectrum(spectrum: Spectrum) -> Arrays:
    """``spectrum/frequencies [n]`` from 0 up, ``spectrum/SOURCE [n, n_outputs]`` complex, flags."""
    found: Arrays = {
        "spectrum/frequencies": spectrum.frequencies,
        "spectrum/accessible": spectrum.accessible,
    }
    if spectrum.effective is not None:
        found["spectrum/effective"] = spectrum.effective
    return found | {f"spectrum/{name}": c for name, c in spectrum.every.items()}


def of_plane(plane: Plane) -> Arrays:
    """``plane/frequencies [n, 2]``, ``plane/SOURCE [n]`` complex."""
    found: Arrays = {"plane/frequencies": plane.frequencies}
    return found | {f"plane/{name}": c for name, c in plane.coefficients.items()}


def of_fit(fit: Fit) -> Arrays:
    """``data/target [rows]``, ``data/output [rows]`` of the counterpart."""
    return {"data/target": fit.target, "data/output": fit.output}


def to_json(pair: Pair, verdict: Verdict, arrays: Arrays, about: Mapping[str, Any]) -> str:
    """All arrays under their names; complex ones as ``{"re": ..., "im": ...}``, on a line each."""
    head = {
        "schema": SCHEMA,
        "pair": pair.name,
        "claim": pair.claim,
        "status": verdict.status.value,
        "seed": verdict.seed,
        "units": UNITS,
        **about,
    }
    return document([f"{json.dumps(name)}: {_text(value)}" for name, value in head.items()], arrays)


def document(lines: Sequence[str], arrays: Arrays) -> str:
    """A JSON object of ready entries, and of the arrays under ``"arrays"``, one a line."""
    rows = [f"  {json.dumps(name)}: {_text(_plain(value))}" for name, value in arrays.items()]
    inner = '"arrays": {\n' + ",\n".join(rows) + "\n}"
    return "{\n" + ",\n".join([*lines, inner]) + "\n}\n"


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def to_npz(arrays: Arrays) -> bytes:
    """The arrays as a compressed ``.npz``; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _plain(value: NDArray[Any]) -> Any:
    if np.iscomplexobj(value):
        return {"re": _plain(value.real), "im": _plain(value.imag)}
    # adding 0 takes the sign from a negative zero
    return _finite((value + 0.0 if value.dtype.kind == "f" else value).tolist())


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
