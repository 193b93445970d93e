"""The figures of one pair's page, each tried by itself, and the arrays behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from qrun_equiv.certificate import Verdict
from qrun_equiv.errors import ReportError, SpectrumError
from qrun_equiv.pair import Pair
from qrun_equiv.reporting import curves, figures, fits, numbers, planes, spectra
from qrun_equiv.reporting.drawings import circuit_figure
from qrun_equiv.reporting.mathematics import Formulas, formulas
from qrun_equiv.reporting.schematic import network_figure
from qrun_equiv.reporting.subject import Subject, subject
from qrun_equiv.reporting.svg import SETTINGS, inline, save

#: Most outputs in small panels.
OUTPUTS = 8


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure in the page, or why there is none.

    Attributes:
        svg: the figure; empty where it could not be drawn.
        caption: what it shows.
        problem: why it could not be drawn, or why there is nothing to draw.
        wide: it scrolls rather than shrinks.
        files: names of the same figure's files, relative to the report's folder.
    """

    svg: Markup
    caption: str
    problem: str = ""
    wide: bool = False
    files: tuple[str, ...] = ()


class PairFigures:
    """The figures of one pair, each tried by itself, and the arrays that they were drawn of."""

    def __init__(
        self, pair: Pair, verdict: Verdict, name: str, exports: tuple[str, ...], folder: Path | None
    ) -> None:
        self.pair, self.verdict, self.name = pair, verdict, name
        self.exports, self.folder = exports, folder
        self.arrays: numbers.Arrays = {}
        self.about: dict[str, Any] = {}
        self.what = cache(self._subject)
        self.samples = cache(self._samples)
        self.derivatives = cache(self._derivatives)

    def _subject(self) -> Subject:
        what = subject(self.pair, self.verdict)
        self.arrays |= numbers.of_subject(what)
        self.about |= {"feature": what.feature, "output": what.output}
        return what

    def _samples(self) -> curves.Samples:
        samples = curves.sample(self.what(), self.verdict)
        self.arrays |= numbers.of_samples(samples)
        return samples

    def _derivatives(self) -> dict[str, curves.Line]:
        lines = curves.derivatives(self.what(), self.verdict, self.samples())
        self.arrays |= numbers.of_derivatives(lines)
        self.about |= {f"gradient_{kind}": line.quantity for kind, line in lines.items()}
        return lines

    def formulas(self) -> Formulas | None:
        """The claim as formulas; ``None`` where the pair can't be evaluated any more."""
        try:
            what = self.what()
            return formulas(self.pair, what.neutral, what.sizes.features, what.sizes.parameters)
        except Exception:  # noqa: BLE001 - the figures' places say why
            return None

    def groups(self) -> dict[str, tuple[Drawing, ...]]:
        """All figures, under the headings of the page."""
        label = self.pair.name
        draw = self._draw
        found = {
            "Circuit and network": [
                draw(self._circuit, "circuit", f"Circuit of {label}", wide=True),
                draw(self._network, "network", f"Network of {label}", wide=True),
            ],
            "Outputs and spectrum": [
                draw(self._outputs, "outputs", f"Outputs of {label}"),
                draw(self._spectrum, "spectrum", f"Spectrum of {label}"),
                *([draw(self._plane, "plane", f"Spectrum in two features of {label}")]
                  if self._two() else []),
                *([draw(self._panels, "panels", f"All outputs of {label}")]
                  if self._many() else []),
            ],
            "Gradients": [
                draw(self._derivative("x"), "gradient-x", f"Derivative of {label} in a feature"),
                *([draw(self._derivative("theta"), "gradient-theta",
                        f"Derivative of {label} in a parameter")] if self._trainable() else []),
            ],
        }  # fmt: skip
        if self.pair.trained is not None and fits.targets(self.pair) is not None:
            found["Data and fit"] = [draw(self._fit, "fit", f"Data and fit of {label}")]
        return {heading: tuple(made) for heading, made in found.items()}

    def _safely(self, question: Callable[[], bool]) -> bool:
        try:
            return question()
        except Exception:  # noqa: BLE001 - the other figures' places say why
            return False

    def _many(self) -> bool:
        return self._safely(lambda: next(iter(self.samples().stacks.values())).shape[1] > 1)

    def _two(self) -> bool:
        def read() -> bool:
            neutral = self.what().neutral
            gates = neutral.encoding_gates() if neutral else ()
            return len({i for g in gates if g.angle for i in g.angle.features()}) > 1

        return self._safely(read)

    def _trainable(self) -> bool:
        """Not where the claim is about given parameters only: then nothing is said of it."""
        return self._safely(lambda: "theta" in self.derivatives())

    def _draw(
        self, make: Callable[[], tuple[Figure, str]], kind: str, label: str, *, wide: bool = False
    ) -> Drawing:
        """One figure. No failure in it, which may be the user's own code, loses the report."""
        try:
            with mpl.rc_context(SETTINGS):
                figure, caption = make()
                svg = Markup(inline(figure, f"{self.name}-{kind}", label))  # noqa: S704 - our own SVG, its texts escaped by matplotlib
                return Drawing(svg, caption, wide=wide, files=self._export(figure, kind))
        except SpectrumError as error:
            where = " in two features" if kind == "plane" else ""
            return Drawing(Markup(), "", f"No spectrum{where}: {error}.")
        except ReportError as error:
            return Drawing(Markup(), "", f"No drawing: {error}.")
        except Exception as error:  # noqa: BLE001 - whatever failed, the page says so in its place
            return Drawing(Markup(), "", f"This figure could not be drawn: {reason(error)}.")

    def _export(self, figure: Figure, kind: str) -> tuple[str, ...]:
        if self.folder is None:
            return ()
        made = []
        for extension in self.exports:
            name = f"figures/{self.name}-{kind}.{extension}"
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            save(figure, path)
            made.append(name)
        return tuple(made)

    def _circuit(self) -> tuple[Figure, str]:
        return circuit_figure(self.pair, self.what)

    def _network(self) -> tuple[Figure, str]:
        return network_figure(self.pair, self.what())

    def _outputs(self) -> tuple[Figure, str]:
        return _curves(curves.outputs(self.what(), self.verdict, self.samples()))

    def _panels(self) -> tuple[Figure, str]:
        stacks = self.samples().stacks
        count = next(iter(stacks.values())).shape[1]
        lines = {
            k: curves.outputs(self.what(), self.verdict, self.samples(), k)
            for k in range(min(count, OUTPUTS))
        }
        apart = max(
            float(abs(a - b).max()) for a in stacks.values() for b in stacks.values() if a is not b
        )
        text = f"All {count} outputs; the largest difference of two sources here is {apart:.1e}."
        return figures.outputs_figure(lines, max(0, count - OUTPUTS)), text

    def _derivative(self, kind: str) -> Callable[[], tuple[Figure, str]]:
        return lambda: _curves(self.derivatives()[kind])

    def _spectrum(self) -> tuple[Figure, str]:
        found = spectra.spectrum(self.what(), self.verdict)
        self.arrays |= numbers.of_spectrum(found)
        return figures.spectrum_figure(found), _about_spectrum(found)

    def _plane(self) -> tuple[Figure, str]:
        found = spectra.plane(self.what(), self.verdict)
        self.arrays |= numbers.of_plane(found)
        first, second = found.features
        held = f", with {found.where}" if found.where else ""
        text = (
            f"|c| of output {found.output} at the {len(found.frequencies)} accessible frequencies "
            f"in x{first} and x{second}{held}; open squares are below {found.tolerance:.0e}."
        )
        return planes.plane_figure(found), text

    def _fit(self) -> tuple[Figure, str]:
        found = fits.fit(self.pair, self.what())
        self.arrays |= numbers.of_fit(found)
        apart, rows = found.difference
        text = (
            f"The counterpart at the trained parameters on all {len(found.target)} rows (training "
            f"rows included): {found.quality}. On {rows} of them the circuit differs by at most "
            f"{apart:.1e}."
        )
        return fits.fit_figure(found), text


def _curves(line: curves.Line) -> tuple[Figure, str]:
    held = f", with {line.where}" if line.where else ""
    what = line.quantity.capitalize() if line.quantity.startswith("output") else line.quantity
    claimed = "" if line.tolerance is not None else " The verdict does not compare it."
    text = f"{what} along x{line.feature}{held}.{claimed}"
    return figures.curves_figure(line), text


def _about_spectrum(found: spectra.Spectrum) -> str:
    held = f", with {found.where}" if found.where else ""
    known = found.accessible
    count = 2 * int(known.sum()) - 1
    text = (
        f"Fourier coefficients of output {found.output} in x{found.feature}{held}. The circuit can "
        f"have {count} frequencies"
    )
    used = None if found.effective is None else found.frequencies[known & found.effective]
    effective = None if used is None else 2 * len(used) - (0.0 in used)
    if effective is None:
        text += " (ticks)"
    elif effective == count:
        text += " (ticks), all of them effective"
    else:
        text += (
            f"; {effective} of them (ticks) are effective, and at the others (crosses) the "
            "coefficient is 0 whatever the parameters"
        )
    text += f". Grey: below {found.tolerance:.0e}. c(−ω) is the conjugate of c(ω)."
    text += f" Note: {found.note}." if found.note else ""
    for name, size in found.outside.items():
        if size > found.tolerance:
            text += f" Up to {size:.1e} of {name} lies at none of these frequencies."
    return text


def reason(error: Exception) -> str:
    """An error in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
