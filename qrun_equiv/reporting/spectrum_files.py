"""The spectrum of a pair or of one circuit as files: a page, figures, and every number."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from qrun_equiv.files import write_atomically
from qrun_equiv.reporting import figures, numbers, planes, words
from qrun_equiv.reporting.drawn import Drawing
from qrun_equiv.reporting.page import check_formats, check_writable, environment, move, staged
from qrun_equiv.reporting.spectra import Plane, Spectrum
from qrun_equiv.reporting.spectrum_page import ROWS, SpectrumPage
from qrun_equiv.reporting.svg import FORMATS, SETTINGS, inline, save


def write_spectra(
    pages: Sequence[SpectrumPage], folder: str | Path, *, exports: Sequence[str] = FORMATS
) -> Path:
    """Write ``spectrum.html`` and, for each page, its numbers and figures.

    One page's files are ``spectrum.json``, ``spectrum.npz``, ``spectrum-x0.pdf`` and so on; of
    several, ``spectrum-NAME.json`` and so on.

    Returns:
        Path of ``spectrum.html``.

    Raises:
        ReportError: the folder can't be written, or an unknown format.
    """
    target = Path(folder)
    check_formats(exports)
    check_writable(target)
    stems = ["spectrum"]
    if len(pages) != 1:
        stems = [f"spectrum-{words.file_stem(p.name)}" for p in pages]
    shown = []
    with staged(target) as staging:
        for page, stem in zip(pages, stems, strict=True):
            arrays = _arrays(page)
            write_atomically(staging / f"{stem}.json", _json(page, arrays))
            write_atomically(staging / f"{stem}.npz", numbers.to_npz(arrays))
            drawn = [_draw(one.spectrum, stem, staging, exports) for one in page.features]
            both = [] if page.plane is None else [_draw(page.plane, stem, staging, exports)]
            shown.append((page, stem, drawn, both))
        text = environment().get_template("spectrum.html.j2").render(pages=shown, rows=ROWS)
        move(staging, target)
        return write_atomically(target / "spectrum.html", text)


def _draw(what: Spectrum | Plane, stem: str, target: Path, exports: Sequence[str]) -> Drawing:
    make: Callable[[], Figure]
    if isinstance(what, Spectrum):
        kind, make = f"x{what.feature}", lambda: figures.spectrum_figure(what)
    else:
        kind, make = "plane", lambda: planes.plane_figure(what)
    with mpl.rc_context(SETTINGS):
        figure = make()
        svg = Markup(inline(figure, f"{stem}-{kind}", f"Spectrum, {kind}"))  # noqa: S704 - our own SVG
        files = []
        for extension in exports:
            files.append(f"{stem}-{kind}.{extension}")
            save(figure, target / files[-1])
    return Drawing(svg, "", files=tuple(files))


def _arrays(page: SpectrumPage) -> numbers.Arrays:
    found = numbers.of_subject(page.subject)
    for one in page.features:
        prefix = f"x{one.spectrum.feature}"
        found |= {f"{prefix}/{k}": v for k, v in numbers.of_spectrum(one.spectrum).items()}
        found[f"{prefix}/degeneracy"] = np.array([float(r.degeneracy) for r in one.rows])
        found[f"{prefix}/exact/frequencies"] = one.engine.series.frequencies[:, 0]
        found[f"{prefix}/exact/coefficients"] = one.engine.series.coefficients
    return found if page.plane is None else found | numbers.of_plane(page.plane)


def _json(page: SpectrumPage, arrays: numbers.Arrays) -> str:
    features = {
        f"x{one.spectrum.feature}": {
            "exact": [row.exact for row in one.rows],
            "effective": [row.effective for row in one.rows],
            "degeneracy": [row.degeneracy for row in one.rows],
            "period": one.period,
            "failure": one.exact.failure,
            "method": one.engine.method,
            "error": one.engine.error,
            "tolerance": one.spectrum.tolerance,
            "verdicts": [comparison.verdict for comparison in one.comparisons],
            "same": all(comparison.same for comparison in one.comparisons),
        }
        for one in page.features
    }
    head = {
        "schema": numbers.SCHEMA,
        "pair": page.name,
        "seed": page.subject.seed,
        "units": numbers.UNITS,
        "convention": "c(w) of exp(+i w x), radians; c(-w) is the conjugate of c(w)",
        "point": list(page.point),
        "output": page.features[0].spectrum.output,
        "problems": list(page.problems),
    }
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items()]
    lines.append(f'"features": {json.dumps(features, indent=1)}')
    return numbers.document(lines, arrays)
