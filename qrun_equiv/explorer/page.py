"""The explorer page: a neutral circuit and the page's own arithmetic in one self-contained file.

The page simulates the circuit by state vectors, runs the network as a chain of Pauli transfer
matrices and lifts the Fourier series, in JavaScript (``templates/*.js``); state vectors and chain
share nothing but the circuit's JSON and its angles. ``window.qrunExplorer.evaluate(settings)``
gives the numbers.
"""

from __future__ import annotations

import json
import math
import shlex
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qrun_equiv import api, points
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import ReportError, SpectrumError, UnsupportedCircuitError
from qrun_equiv.files import write_atomically
from qrun_equiv.fourier import slopes
from qrun_equiv.pair import Pair

#: Most wires that the page simulates and draws: a core of three wires is 63 by 63.
MAX_WIRES = 3
#: Most sliders of one page (features, parameters and encoding gates) and most gates.
MAX_CONTROLS, MAX_GATES = 150, 400

_SCRIPTS = ("angles", "maths", "lifting", "settings", "drawing", "controls", "explorer")
_WIDEST = 40.0  # half-width of the axis, in units of the feature


def write(
    subject: Pair | Circuit | None, path: str | Path, *, parameters: Any = None, title: str = ""
) -> Path:
    """Write the explorer page of a circuit; see :func:`render`.

    Returns:
        Path of the page.

    Raises:
        ReportError: the circuit can't be explored, or ``path`` can't be written.
    """
    text = render(subject, parameters=parameters, title=title)
    try:
        return write_atomically(path, text)
    except OSError as error:
        reason = error.strerror or str(error)
        msg = f"can't write the page to {path} ({reason}); name a file that you may write"
        raise ReportError(msg) from error


def render(subject: Pair | Circuit | None, *, parameters: Any = None, title: str = "") -> str:
    """The explorer page as text, without any reference to the network.

    Args:
        subject: a pair (its first circuit with a neutral form) or a neutral circuit, of at most
            :data:`MAX_WIRES` wires; ``None``: the serial re-uploading template alone, which every
            page offers.
        parameters: ``theta [n_parameters]`` in radians to start from; a pair's given or trained
            ones where left out, else seeded random ones.
        title: of the page; the pair's name where left out.

    Raises:
        ReportError: no exact neutral form, too many wires or controls, or no feature to draw along.
        FrontendError: ``parameters`` do not fit.
    """
    name, summary, verify = title, "", ""
    circuits: list[dict[str, Any]] = []
    if isinstance(subject, Pair):
        name, summary = title or subject.name, subject.summary
        verify = _verify_command(subject)
    name = name or ("Circuit" if subject is not None else "Serial re-uploading")
    if subject is not None:
        circuit = _neutral(subject)
        embedded = _embedded(circuit, _start(subject, circuit, parameters))
        circuits = [{"name": name, "summary": summary, "verify": verify, **embedded}]
    environment = Environment(
        loader=PackageLoader("qrun_equiv.explorer", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [Markup(_source(f"{script}.js")) for script in _SCRIPTS]  # noqa: S704 - our own
    return environment.get_template("explorer.html.j2").render(
        title=name,
        css=Markup(_source("explorer.css")),  # noqa: S704 - our own
        theme=Markup(_source("theme.js")),  # noqa: S704 - our own
        data=_script_json({"circuits": circuits}),
        scripts=scripts,
    )


def _source(name: str) -> str:
    return (resources.files("qrun_equiv.explorer") / "templates" / name).read_text("utf-8")


def _script_json(value: Any) -> Markup:
    """JSON for a script element: a ``<`` in a name can't end the element."""
    text = json.dumps(value, allow_nan=False).replace("<", "\\u003c")
    return Markup(text)  # noqa: S704 - escaped above


def _verify_command(pair: Pair) -> str:
    """What compares the pair's own counterpart: the page does not run it."""
    return f"qrun-equiv verify {shlex.quote(pair.path.name) if pair.path else 'FILE'}"


def _neutral(subject: Pair | Circuit) -> Circuit:
    if isinstance(subject, Pair):
        circuit = _pair_neutral(subject)
        called = f"pair {subject.name!r}"
    else:
        circuit, called = subject, "the circuit"
    if circuit.n_wires > MAX_WIRES:
        msg = (
            f"{called} has {circuit.n_wires} wires; the explorer shows up to {MAX_WIRES}: choose a "
            "smaller member of the family"
        )
        raise ReportError(msg)
    encoding = len(circuit.encoding_gates())
    if not encoding:
        msg = f"{called} reads no feature: there is nothing to draw along"
        raise ReportError(msg)
    controls = encoding + circuit.n_features + circuit.n_parameters
    if controls > MAX_CONTROLS or len(circuit.gates) > MAX_GATES:
        msg = (
            f"{called} would need {controls} sliders for {len(circuit.gates)} gates; the explorer "
            f"shows up to {MAX_CONTROLS} sliders and {MAX_GATES} gates"
        )
        raise ReportError(msg)
    return circuit


def _pair_neutral(pair: Pair) -> Circuit:
    """Neutral form of the first of the pair's circuits that has one."""
    reasons = []
    for name, circuit in pair.circuits().items():
        try:
            return api.neutral(
                {name: circuit},
                n_features=pair.n_features,
                n_parameters=pair.n_parameters,
                observable=pair.observable,
            )
        except UnsupportedCircuitError as error:
            reasons.append(f"{name}: {error}")
    msg = (
        f"pair {pair.name!r} can't be explored: no exact neutral form ({'; '.join(reasons)}). "
        "The report shows its sampled curves"
    )
    raise ReportError(msg)


def _start(subject: Pair | Circuit, circuit: Circuit, parameters: Any) -> np.ndarray:
    """Parameters ``[n_parameters]`` that the page starts from."""
    given = parameters
    if given is None and isinstance(subject, Pair):
        given = subject.parameters if subject.parameters is not None else subject.trained
    if given is None:
        return np.random.default_rng(0).uniform(-math.pi, math.pi, circuit.n_parameters).round(2)
    values = points.numbers(given, "parameters")
    first = values[0] if values.ndim > 1 and values[0].size == circuit.n_parameters else values
    return points.vector(first, circuit.n_parameters, "parameters")


def _embedded(circuit: Circuit, theta: np.ndarray) -> dict[str, Any]:
    """What the page knows of a circuit: its JSON and where its sliders start."""
    angles = [g.angle for g in circuit.encoding_gates() if g.angle is not None]
    read = sorted(set().union(*(a.features() for a in angles)))
    arcs = {arc.index for a in angles for arc in a.arcs()}
    vary = next((i for i in read if i not in arcs), read[0])
    return {
        "circuit": circuit.to_json(),
        "theta": theta.tolist(),
        "x": [0.5] * circuit.n_features,
        "vary": vary,
        "half": _half_width(circuit, vary, theta) if vary not in arcs else 1.0,
    }


def _half_width(circuit: Circuit, vary: int, theta: np.ndarray) -> float:
    """A period of the slowest encoding gate, or pi where that is more; at most :data:`_WIDEST`."""
    try:
        found = [slope for (slope,), _ in slopes(circuit, [vary])]
    except SpectrumError:
        return math.pi
    x = np.full(circuit.n_features, 0.5)
    values = [abs(float(slope.evaluate(x, theta))) for slope in found]
    slowest = min((v for v in values if v > 1 / _WIDEST), default=1.0)
    return round(min(_WIDEST, max(math.pi, math.pi / slowest)), 2)
