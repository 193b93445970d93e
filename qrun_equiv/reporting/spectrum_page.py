"""The spectrum of a pair or of one circuit: what is known of it, and its tables in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from qrun_equiv.errors import ReportError, SpectrumError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.pair import collect, select
from qrun_equiv.reporting import words
from qrun_equiv.reporting.spectra import Plane, Spectrum, plane, spectrum
from qrun_equiv.reporting.subject import Subject, of_qasm, unverified
from qrun_equiv.spectra.comparing import SpectrumComparison, compare_spectra
from qrun_equiv.spectra.engine import SpectrumEngine, SpectrumResult
from qrun_equiv.spectra.frequencies import FrequencySet, frequencies

#: Most features, and most rows of a printed or shown table.
FEATURES, ROWS = 4, 60


@dataclass(frozen=True, slots=True)
class Row:
    """One frequency from 0 up (or a coefficient outside the circuit's frequencies).

    Attributes:
        exact: the frequency as an angle; empty where the circuit can't have it.
        value: in radians per unit of the feature.
        degeneracy: pairs of the encoding's eigenvalues that have this difference.
        effective: whether the shown output's coefficient is not zero for all parameters.
        magnitudes: ``|c|`` by name of the source.
    """

    exact: str
    value: float
    degeneracy: int
    effective: bool
    magnitudes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FeatureSpectrum:
    """The spectrum along one feature.

    Attributes:
        spectrum: coefficients of the native sources.
        exact: the exact frequencies.
        engine: the exact coefficients of the neutral form, with their measured error.
        rows: the table.
        comparisons: the first source against every other one and against the engine.
    """

    spectrum: Spectrum
    exact: FrequencySet
    engine: SpectrumResult
    rows: tuple[Row, ...]
    comparisons: tuple[SpectrumComparison, ...]

    @property
    def period(self) -> str:
        """The common period in words."""
        found = self.exact.period()[0]
        return "none: the frequencies have no common base" if found is None else f"{found} radians"


@dataclass(frozen=True, slots=True)
class SpectrumPage:
    """Everything about the spectra of one pair or circuit.

    Attributes:
        name: of the pair, or of the file.
        subject: what was run, and at which point.
        features: one spectrum for each feature.
        plane: coefficients over the first two features, where there are two.
        problems: why something is missing.
    """

    name: str
    subject: Subject
    features: tuple[FeatureSpectrum, ...]
    plane: Plane | None
    problems: tuple[str, ...]

    @property
    def point(self) -> tuple[str, ...]:
        """What was run where: output, parameters, fixed features, seed; a line each."""
        what, shown = self.subject, self.features[0].spectrum.output
        circuit = what.neutral
        assert circuit is not None
        count = len(circuit.observables)
        of = f" of {count}, numbered from 0" if count > 1 else ""
        lines = [f"output {shown}{of}: {circuit.observables[shown]}"]
        if what.measured:
            lines.append(f"measured: {what.measured}")
        if what.sizes.parameters:
            lines.append(f"theta = {words.shortened(what.theta)}")
        if what.sizes.features > 1:
            lines.append(f"x = {words.shortened(what.x)}, but for the feature that varies")
        return (*lines, f"seed {what.seed}")

    @property
    def agree(self) -> bool:
        """Whether all spectra agree within their bounds."""
        return all(c.same for f in self.features for c in f.comparisons)


def spectrum_pages(
    path: str | Path,
    *,
    only: str | None = None,
    observable: Any = None,
    parameters: Any = None,
    features: Sequence[int] | None = None,
    output: int = 0,
    seed: int = 0,
) -> list[SpectrumPage]:
    """Spectra of the pairs of a file, or of an OpenQASM 3 circuit.

    Args:
        path: a pair file or a folder of them, or a ``.qasm`` file.
        only: pairs whose name contains this.
        observable: of a ``.qasm`` file: a Pauli label or several; Z of each qubit where left out.
        parameters: ``theta``; else the pair's own, else seeded random ones.
        features: those along which spectra are taken; the first four that a gate reads by default.
        output: index of the output that is shown.
        seed: of random parameters and of the values of the features that are held fixed.

    Raises:
        QrunEquivError: the file can't be read or evaluated.
        SpectrumError: no spectrum in a feature that was asked for, or in none at all. Of several
            pairs those without a spectrum are left out and named among the last page's problems.
    """
    if Path(path).suffix == ".qasm":
        subjects = {
            Path(path).stem: of_qasm(
                path, observable=observable, parameters=parameters, seed=seed
            )
        }  # fmt: skip
    else:
        if observable is not None:
            msg = "an observable is given with a .qasm file; a pair names its own"
            raise ReportError(msg)
        pairs = select(collect([path]), only)
        subjects = {p.name: unverified(p, parameters=parameters, seed=seed) for p in pairs}
    pages, without = [], []
    for name, what in subjects.items():
        try:
            pages.append(_page(name, what, features, output))
        except SpectrumError as error:
            if features is not None or len(subjects) == 1:
                raise
            without.append(str(error))
    if not pages:
        raise SpectrumError("; ".join(without))
    pages[-1] = replace(pages[-1], problems=(*pages[-1].problems, *without))
    return pages


def _page(
    name: str, what: Subject, features: Sequence[int] | None, output: int
) -> SpectrumPage:  # fmt: skip
    if what.neutral is None:
        msg = f"{name}: the circuit has no neutral form, so its frequencies are not known"
        raise SpectrumError(msg)
    _check_features(name, what, features)
    count = len(what.neutral.observables)
    if not 0 <= output < count:
        msg = f"{name}: there is no output {output}; the circuit has outputs 0 to {count - 1}"
        raise SpectrumError(msg)
    read = sorted({i for g in what.neutral.encoding_gates() if g.angle for i in g.angle.features()})
    chosen = read[:FEATURES] if features is None else list(features)
    made, problems = [], []
    for feature in chosen:
        try:
            made.append(_feature(replace(what, feature=feature, output=output)))
        except SpectrumError as error:
            if features is not None:
                raise
            problems.append(f"x{feature}: {error}")
    if not made:
        reasons = "; ".join(problems) or "no gate reads a feature"
        msg = f"{name} has no spectrum: {reasons}"
        raise SpectrumError(msg)
    if len(read) > len(chosen):
        problems.append(f"{len(read) - len(chosen)} more features are read; name them to see them")
    both = None
    if len(read) > 1 and features is None:
        try:
            both = plane(replace(what, feature=read[0], output=output))
        except SpectrumError as error:
            problems.append(f"x{read[0]} and x{read[1]} together: {error}")
    return SpectrumPage(name, what, tuple(made), both, tuple(problems))


def _check_features(name: str, what: Subject, features: Sequence[int] | None) -> None:
    count = what.sizes.features
    if not count:
        msg = f"{name} has no features, so no spectrum"
        raise SpectrumError(msg)
    for feature in features or ():
        if not 0 <= feature < count:
            span = "feature 0 alone" if count == 1 else f"features 0 to {count - 1}"
            msg = f"{name}: there is no feature {feature}; the circuit has {span}"
            raise SpectrumError(msg)


def _feature(what: Subject) -> FeatureSpectrum:
    assert what.neutral is not None
    found = spectrum(what)
    exact = frequencies(what.neutral, (what.feature,))
    engine = SpectrumEngine(what.neutral, (what.feature,)).series(what.theta, what.x)
    series = {name: _both_signs(found, name) for name in found.every}
    first, *others = series
    classical = None if what.counterpart is None else what.counterpart.name
    comparisons = [
        compare_spectra(
            series[first],
            series[n],
            names=(first, n),
            # Epsilon is about the counterpart: circuits are held to equality.
            tolerance=found.claimed if n == classical else found.tolerance,
        )
        for n in others
    ]
    comparisons.append(
        compare_spectra(
            engine, series[first], names=("exact", first), tolerance=found.tolerance
        )
    )  # fmt: skip
    return FeatureSpectrum(found, exact, engine, _rows(what, found, exact), tuple(comparisons))


def _both_signs(found: Spectrum, name: str) -> FourierSeries:
    """A real function's series from its half: ``c(-w)`` is the conjugate of ``c(w)``."""
    w, c = found.frequencies, found.every[name]
    negative = w > 0
    return FourierSeries(
        np.concatenate([-w[negative][::-1], w])[:, None],
        np.concatenate([c[negative][::-1].conj(), c]),
    )


def _rows(what: Subject, found: Spectrum, exact: FrequencySet) -> tuple[Row, ...]:
    """One row for each drawn frequency; angles that have the same value there are one."""
    values = exact.values(what.theta, what.x)[:, 0]
    size = float(np.max(np.abs(values), initial=0.0)) or 1.0
    rows = []
    for k, w in enumerate(found.frequencies):
        at = np.flatnonzero(np.abs(values - w) <= 1e-8 * size)
        rows.append(
            Row(
                exact=" or ".join(str(exact.accessible[i][0]) for i in at[:2]),
                value=float(w),
                degeneracy=sum(exact.degeneracy[i] for i in at),
                effective=found.effective is not None and bool(found.effective[k]),
                magnitudes={n: float(abs(c[k])) for n, c in found.coefficients.items()},
            )
        )
    return tuple(rows)


def print_spectrum(page: SpectrumPage, console: Console) -> None:
    """The tables and the verdicts of one page."""
    console.print(f"[bold]{escape(page.name)}[/bold]")
    for line in page.point:
        console.print(escape(line), soft_wrap=True)
    for one in page.features:
        found = one.spectrum
        console.print(escape(one.exact.describe()), soft_wrap=True)
        console.print(f"with {escape(found.where)}" if found.where else "", soft_wrap=True)
        table = Table(box=None, pad_edge=False)
        for head in ("frequency", "exact"):
            table.add_column(head, overflow="fold")
        for head in ("degeneracy", "effective", *(f"|c| {n}" for n in found.coefficients)):
            table.add_column(head, justify="right")
        for row in one.rows[:ROWS]:
            sizes = [_size(v, found.tolerance) for v in row.magnitudes.values()]
            cells = (f"{row.value:.6g}", escape(row.exact) or "not accessible")
            table.add_row(
                *cells, str(row.degeneracy), "yes" if row.effective else "no", *sizes
            )  # fmt: skip
        console.print(table)
        if len(one.rows) > ROWS:
            console.print(f"… {len(one.rows) - ROWS} more frequencies: see the files")
        for comparison in one.comparisons:
            colour = "green" if comparison.same else "red"
            console.print(f"[{colour}]{escape(comparison.verdict)}[/{colour}]", soft_wrap=True)
    for problem in page.problems:
        console.print(f"note: {escape(problem)}", soft_wrap=True)


def _size(value: float, tolerance: float) -> str:
    return f"{value:.6f}" if value > max(1e-5, tolerance) else f"{value:.1e}"
