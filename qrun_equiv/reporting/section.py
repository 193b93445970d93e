"""What the page says about one pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from qrun_equiv.certificate import KINDS, STRENGTHS, Check, Counterexample, Verdict
from qrun_equiv.errors import SpectrumError
from qrun_equiv.pair import Pair
from qrun_equiv.reporting import curves, figures, spectra, words
from qrun_equiv.reporting.drawings import circuit_figure
from qrun_equiv.reporting.script import replay_script, shown_path
from qrun_equiv.reporting.subject import Subject, subject
from qrun_equiv.reporting.svg import SETTINGS, inline


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure in the page, or why there is none.

    Attributes:
        svg: the figure; empty where it could not be drawn.
        caption: what it shows.
        problem: why it could not be drawn, or why there is nothing to draw.
        wide: it scrolls rather than shrinks.
    """

    svg: Markup
    caption: str
    problem: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One pair: everything that the template shows."""

    id: str
    pair: Pair
    verdict: Verdict
    as_claimed: bool
    sentence: str
    worst: Mapping[str, float | None]
    file: str
    drawings: tuple[Drawing, ...]
    witness: Counterexample | None
    witness_words: str
    script: str
    no_script: str
    data_rows: int
    simulators: Mapping[str, str]

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that were made, what holds for every input first."""
        return tuple(sorted(self.verdict.checks, key=lambda c: c.name not in STRENGTHS))


def section(pair: Pair, verdict: Verdict, name: str) -> Section:
    """Everything about one pair; ``name`` is its id in the page."""
    witness = verdict.counterexample
    settings = verdict.certificate.settings
    script, no_script = _script(pair, verdict)
    return Section(
        id=name,
        pair=pair,
        verdict=verdict,
        as_claimed=pair.as_claimed(verdict.status),
        sentence=words.verdict(pair, verdict),
        worst={kind: verdict.worst(kind) for kind in KINDS},
        file=shown_path(pair.path) if pair.path is not None else "",
        drawings=_drawings(pair, verdict, name),
        witness=witness,
        witness_words=words.witness(witness) if witness is not None else "",
        script=script,
        no_script=no_script,
        data_rows=len(settings.get("data") or ()),
        simulators=settings.get("simulators") or {},
    )


def _script(pair: Pair, verdict: Verdict) -> tuple[str, str]:
    if verdict.counterexample is None:
        return "", ""
    try:
        return replay_script(pair, verdict), ""
    except Exception as error:  # noqa: BLE001 - it runs the user's code; the page says so
        return "", _reason(error)


# --- figures -------------------------------------------------------------------------------------


def _drawings(pair: Pair, verdict: Verdict, name: str) -> tuple[Drawing, ...]:
    @cache
    def what() -> Subject:
        return subject(pair, verdict)

    def circuit() -> tuple[Figure, str]:
        return circuit_figure(pair, what)

    def outputs() -> tuple[Figure, str]:
        return _curves(curves.outputs(what(), verdict))

    def derivative() -> tuple[Figure, str]:
        return _curves(curves.derivative(what(), verdict))

    def spectrum() -> tuple[Figure, str]:
        return _spectrum(spectra.spectrum(what(), verdict))

    label = pair.name
    made = [
        _draw(circuit, f"{name}-circuit", f"Circuit of {label}", wide=True),
        _draw(outputs, f"{name}-curves", f"Outputs of {label}"),
    ]
    if curves.is_about_gradient(verdict):
        made.append(_draw(derivative, f"{name}-derivative", f"Derivative of {label}"))
    return (*made, _draw(spectrum, f"{name}-spectrum", f"Spectrum of {label}"))


def _draw(
    make: Callable[[], tuple[Figure, str]], prefix: str, label: str, *, wide: bool = False
) -> Drawing:
    """One figure. No failure in it, which may be the user's own code, loses the report."""
    try:
        with mpl.rc_context(SETTINGS):
            figure, caption = make()
            return Drawing(Markup(inline(figure, prefix, label)), caption, wide=wide)  # noqa: S704 - our own SVG, its texts escaped by matplotlib
    except SpectrumError as error:
        return Drawing(Markup(), "", f"No spectrum: {error}.")
    except Exception as error:  # noqa: BLE001 - whatever failed, the page says so in its place
        return Drawing(Markup(), "", f"This figure could not be drawn: {_reason(error)}.")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _curves(line: curves.Line) -> tuple[Figure, str]:
    held = f", with {line.where}" if line.where else ""
    zeros = (
        f" Differences of less than {figures.FLOOR:g} are drawn there."
        if (figures.has_zeros(line.values))
        else ""
    )
    what = line.quantity.capitalize() if line.quantity.startswith("output") else line.quantity
    text = f"{what} along x{line.feature}{held}."
    return figures.curves_figure(line), text + zeros


def _spectrum(found: spectra.Spectrum) -> tuple[Figure, str]:
    held = f", with {found.where}" if found.where else ""
    zeros = (
        f" Differences of less than {figures.FLOOR:g} are drawn there."
        if (figures.has_zeros(found.coefficients))
        else ""
    )
    text = (
        f"Fourier coefficients of output {found.output} in x{found.feature} at the circuit's "
        f"{2 * len(found.frequencies) - 1} accessible frequencies (ticks){held}; c(−ω) is the "
        "conjugate of c(ω)."
    )
    return figures.spectrum_figure(found), text + zeros
