"""The command line: ``qrun-equiv list | verify | report | spectrum | explore | recheck | ...``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from qrun_equiv import scale_commands
from qrun_equiv._version import __version__
from qrun_equiv.terminal import (
    complaints,
    console,
    figure_formats,
    interrupts,
    leave_at_once,
    loading,
    print_chapter,
    print_details,
    print_table,
    writable,
)

if TYPE_CHECKING:
    from qrun_equiv.certificate import Verdict
    from qrun_equiv.chain import Chapter, Result
    from qrun_equiv.pair import Pair

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Is the classical network really what the quantum circuit was?",
)
DEFAULT_FOLDER = Path("qrun-equiv-report")
#: What a repetition was, by status.
_REPEATED = {
    "proved": "again at its seed and over fresh primes",
    "certified": "again at its seed; the bound computed anew",
    "sampled": "again at its seed and at fresh points",
    "refuted": "the same witness again",
}
USAGE, INTERRUPTED = 2, 130

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Pair files or folders of them; the shipped catalogue where left out."),
]
Only = Annotated[str | None, typer.Option("--only", "-k", help="Pairs whose name contains this.")]
Seed = Annotated[int, typer.Option(help="Seed of all random points.", min=0)]
Open = Annotated[bool, typer.Option("--open", help="Show the page in the browser.")]
Figures = Annotated[
    str, typer.Option(help="Formats of figures for papers: pdf, png, both with a comma; or none.")
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes; 0: one a core.", min=0)]


def main() -> None:
    """Entry point: errors become one line and an exit code, never a traceback."""
    from qrun_equiv.errors import QrunEquivError

    try:
        app()
    except QrunEquivError as error:
        complaints.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        sys.exit(USAGE)
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != INTERRUPTED:  # typer's own exits
            raise
        complaints.print("interrupted; everything written so far is whole")
        leave_at_once(INTERRUPTED)
    except BrokenPipeError:  # `| head` closed the pipe
        leave_at_once(INTERRUPTED)


def _version(value: bool) -> None:
    if value:
        console.print(f"qrun-equiv {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Options before the command."""


def _pairs(paths: Sequence[Path] | None, only: str | None) -> list[Pair]:
    with loading():
        from qrun_equiv.pair import catalogue_folder, collect, select

        return select(collect(paths or [catalogue_folder()]), only)


@app.command("list")
def list_pairs(paths: Paths = None, only: Only = None) -> None:
    """The pairs, their claims and sources."""
    table = Table(box=None, pad_edge=False)
    for heading in ("pair", "claim", "circuits", "summary"):
        table.add_column(heading, overflow="fold")
    for pair in _pairs(paths, only):
        kinds = [k for k in ("pennylane", "qiskit", "qasm") if getattr(pair, k) is not None]
        row = (pair.name, pair.claim, ", ".join(kinds), pair.summary)
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


@app.command()
def verify(
    paths: Paths = None,
    only: Only = None,
    level: Annotated[
        str, typer.Option(help="Strength asked for: auto, sampled, certified or proved.")
    ] = "auto",
    seed: Seed = 0,
    jobs: Jobs = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every verdict to this file.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("--report", help="Folder of the report and the certificates.")
    ] = DEFAULT_FOLDER,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every check.")] = False,
    backend: scale_commands.Backend = "processes",
    scheduler: scale_commands.Scheduler = None,
    coq: Annotated[
        Path | None,
        typer.Option(help="Write Coq certificates of proved pairs here, and run Coq on them."),
    ] = None,
) -> None:
    """Verify pairs: exit code 0 all as claimed, 1 not so, 2 usage, 3 undecided."""
    pairs = _pairs(paths, only)
    writable(coq, None, "with --coq")
    remedy = "with --report (or --json), or leave the report out with --no-report"
    writable(None if no_report else folder, json_file, remedy)
    kept = None if no_report else folder
    results = _verify_all(pairs, level, seed, jobs, kept, backend=backend, scheduler=scheduler)
    print_table(results)
    print_details(results, verbose=verbose)
    from qrun_equiv.runner import exit_code

    if not no_report:
        _write_report(results, folder, jobs=jobs)
    if json_file is not None:
        from qrun_equiv.reporting import write_json

        console.print(f"json     {write_json(results, json_file)}", soft_wrap=True)
    code = exit_code(results)
    if coq is not None:
        from qrun_equiv.coq.command import certify

        with loading():
            refused = certify(
                results, coq, lambda line: console.print(line, markup=False, soft_wrap=True)
            )
        code = code or refused
    raise typer.Exit(code)


@app.command()
def report(
    paths: Paths = None,
    only: Only = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder.")] = DEFAULT_FOLDER,
    study: Annotated[
        Path | None, typer.Option(help="CSV of python -m qrun_equiv.study, drawn at the end.")
    ] = None,
    figures: Figures = "none",
    seed: Seed = 0,
    jobs: Jobs = 0,
    open_it: Open = False,
) -> None:
    """Verify pairs and write the report (the exit code says only whether it was written)."""
    formats = figure_formats(figures)
    writable(output)
    pairs = _pairs(paths, only)
    if study is not None:
        from qrun_equiv.study import read_csv

        read_csv(study)  # before the verdicts, which take a minute
    results = _verify_all(pairs, "auto", seed, jobs, output)
    page = _write_report(results, output, study, formats, jobs)
    if open_it:
        from qrun_equiv.reporting import open_page

        open_page(page)


@app.command()
def spectrum(
    path: Annotated[Path, typer.Argument(help="A pair file, a folder of them, or a .qasm file.")],
    only: Only = None,
    feature: Annotated[
        list[int] | None, typer.Option(help="Along this feature; repeat it for several.", min=0)
    ] = None,
    number: Annotated[int, typer.Option("--output-index", help="Which output.", min=0)] = 0,
    observable: Annotated[
        list[str] | None, typer.Option(help="Of a .qasm file: a Pauli label, as ZI; repeatable.")
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option(help='JSON list of parameters, or {"parameters": [...]}.')
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the page, numbers and figures.")
    ] = Path("qrun-equiv-spectrum"),
    figures: Figures = "pdf,png",
    seed: Seed = 0,
    open_it: Open = False,
) -> None:
    """Fourier spectra of circuits and counterparts: exit code 1 where they differ."""
    formats = figure_formats(figures)
    writable(output)
    with loading():
        from qrun_equiv import deriving, reporting
    theta = None if parameters is None else deriving.read_parameters(parameters)
    made = reporting.spectrum_pages(
        path,
        only=only,
        observable=observable,
        parameters=theta,
        features=feature,
        output=number,
        seed=seed,
    )
    for one in made:
        reporting.print_spectrum(one, console)
    page = reporting.write_spectra(made, output, exports=formats)
    console.print(f"page     {page}", soft_wrap=True)
    if open_it:
        reporting.open_page(page)
    raise typer.Exit(0 if all(one.agree for one in made) else 1)


@app.command()
def derive(
    path: Annotated[Path, typer.Argument(help="A pair file.")],
    only: Only = None,
    readout: Annotated[str, typer.Option(help="auto, matrix-product or fourier.")] = "auto",
    parameters: Annotated[
        Path | None, typer.Option(help='JSON list of parameters, or {"parameters": [...]}.')
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the weights (.safetensors).")
    ] = None,
) -> None:
    """Derive a classical counterpart from each pair's circuit, and verify it."""
    pairs = _pairs([path], only)
    from qrun_equiv import deriving
    from qrun_equiv.errors import PairError

    if output is not None and len(pairs) != 1:
        msg = f"{path} has {len(pairs)} pairs; name the one that {output} is for with --only"
        raise PairError(msg)
    theta = None if parameters is None else deriving.read_parameters(parameters)
    for pair in pairs:
        module, verdict = deriving.derive_pair(pair, readout, theta)
        console.print(f"[bold]{escape(pair.name)}[/bold]: {escape(str(module))}", soft_wrap=True)
        console.print(escape(str(verdict)), soft_wrap=True)
        if output is not None:
            written = deriving.save(module, theta, output)
            console.print(f"weights  {written}", soft_wrap=True)


@app.command()
def recheck(
    certificates: Annotated[list[Path], typer.Argument(help="Certificate files (JSON).")],
    pair_paths: Annotated[
        list[Path] | None, typer.Option("--pair", help="Where the pairs are; else the catalogue.")
    ] = None,
) -> None:
    """Check certificates again, from the file and the pair alone."""
    from qrun_equiv.certificate import Certificate
    from qrun_equiv.errors import CertificateError

    loaded = [(path, Certificate.load(path)) for path in certificates]
    pairs = {p.name: p for p in _pairs(pair_paths, None)}
    from qrun_equiv.rechecking import recheck_pair

    refused = 0
    for path, certificate in loaded:
        try:
            if not certificate.pair:
                msg = "a verify() in Python made it: qrun_equiv.recheck(FILE, circuit, network)"
                raise CertificateError(msg)  # noqa: TRY301
            if certificate.pair not in pairs:
                where = ", ".join(map(str, pair_paths)) if pair_paths else "the catalogue"
                msg = f"its pair {certificate.pair!r} is not in {where}; name its file with --pair"
                raise CertificateError(msg)  # noqa: TRY301
            pair = pairs[certificate.pair]
            verdict = recheck_pair(certificate, pair)
            how = _REPEATED.get(verdict.status.value, "again at its seed and at a fresh one")
            console.print(
                f"[green]ok[/green]       {path}: {verdict.status.value}, {how}", soft_wrap=True
            )
        except CertificateError as error:
            refused += 1
            console.print(f"[red]refused[/red]  {path}: {escape(str(error))}", soft_wrap=True)
    raise typer.Exit(1 if refused else 0)


@app.command()
def explore(
    pair: Annotated[
        str | None,
        typer.Argument(help="A pair's name, or a pair file; a serial template where left out."),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", "-k", help="Of a file: the pair whose name has this.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The page; else PAIR-explorer.html.")
    ] = None,
    open_it: Open = False,
) -> None:
    """Write an interactive page: sliders move circuit, network, curves and spectra together."""
    chosen = None if pair is None else _one_pair(pair, only)
    with loading():
        from qrun_equiv.explorer import write
        from qrun_equiv.reporting import open_page
        from qrun_equiv.reporting.words import file_stem
    name = "serial" if chosen is None else file_stem(chosen.name)
    page = write(chosen, output or Path(f"{name}-explorer.html"))
    console.print(f"page     {page}", soft_wrap=True)
    if open_it:
        open_page(page)


def _one_pair(name: str, only: str | None) -> Pair:
    """A pair by its file (and its name there), or by its name in the catalogue."""
    from qrun_equiv.errors import QrunEquivError

    is_file = Path(name).suffix == ".py" or Path(name).exists()
    found = _pairs([Path(name)], only) if is_file else _pairs(None, name)
    exact = [p for p in found if p.name == (only if is_file else name)] or found
    if len(exact) != 1:
        names = ", ".join(p.name for p in exact)
        msg = f"{name!r} is {len(exact)} pairs ({names}); name one of them"
        msg += " with --only" if is_file else ""
        raise QrunEquivError(msg)
    return exact[0]


@app.command()
def proofs(
    chapter: Annotated[int | None, typer.Option("--chapter", help="This chapter only.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every link to this file.")
    ] = None,
) -> None:
    """Run the derivation, link by link: exit code 0 only if each is as its chapter claims."""
    writable(None, json_file)
    with loading():
        from qrun_equiv import chain

        found = chain.chapters(only=chapter)
    results: list[tuple[Chapter, Result]] = []
    for one in found:
        made = list(one.run())
        results += [(one, result) for result in made]
        print_chapter(one, made, first=one is found[0])
    right = sum(result.as_claimed for _, result in results)
    seconds = sum(result.seconds for _, result in results)
    console.print(f"\n{right} of {len(results)} links as claimed ({seconds:.1f} s)")
    if json_file is not None:
        console.print(f"json     {chain.write_json(results, json_file)}", soft_wrap=True)
    raise typer.Exit(0 if right == len(results) else 1)


@app.command()
def doctor() -> None:
    """Versions, devices, what is missing and the command that installs it."""
    from qrun_equiv import doctor as checks

    with loading():
        rows = checks.examine()
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "remedy"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        mark = "[green]ok[/green]" if row.ok else ("[red]missing[/red]" if row.needed else "-")
        table.add_row(mark, row.name, escape(row.found), escape(row.remedy))
    console.print(table)
    raise typer.Exit(0 if all(row.ok for row in rows if row.needed) else 1)


def _verify_all(
    pairs: Sequence[Pair],
    level: str,
    seed: int,
    jobs: int,
    folder: Path | None,
    *,
    backend: str = "processes",
    scheduler: str | None = None,
) -> list[tuple[Pair, Verdict]]:
    """Run with progress; each certificate is written as soon as it exists."""
    from qrun_equiv.errors import QrunEquivError
    from qrun_equiv.reporting.words import file_stem
    from qrun_equiv.runner import run
    from qrun_equiv.verification import LEVELS

    if level not in LEVELS:
        msg = f"unknown --level {level!r}; one of {', '.join(LEVELS)}"
        raise QrunEquivError(msg)
    if backend in {"processes", "loky"}:  # of a cluster, 0 is all workers
        jobs = jobs or _processes(len(pairs))
    where: dict[str, Any] = {"backend": backend, "scheduler": scheduler}
    results: dict[str, tuple[Pair, Verdict]] = {}
    with interrupts() as check:
        for pair, verdict in run(pairs, level=level, seed=seed, jobs=jobs, **where):
            check()
            results[pair.name] = (pair, verdict)
            if folder is not None:
                verdict.certificate.save(folder / "certificates" / f"{file_stem(pair.name)}.json")
            mark = "" if pair.as_claimed(verdict.status) else "  NOT AS CLAIMED"
            console.print(
                f"[{len(results)}/{len(pairs)}] {escape(pair.name)}: {verdict.status.value} "
                f"({verdict.seconds:.1f} s){mark}",
                style="dim" if not mark else "red",
                soft_wrap=True,
            )
    return [results[p.name] for p in pairs]


def _write_report(
    results: Sequence[Any],
    folder: Path,
    study: Path | None = None,
    figures: Sequence[str] = (),
    jobs: int = 0,
) -> Path:
    from qrun_equiv.reporting import report as write

    jobs = jobs or _processes(len(results))
    waiting = console.status("drawing the report") if console.is_terminal else nullcontext()
    with waiting:
        page = write(results, folder, study=study, exports=figures, jobs=jobs)
    console.print(f"report   {page}", soft_wrap=True)
    console.print(f"verdicts {folder / 'verdicts.json'}", soft_wrap=True)
    console.print(f"recheck  {folder / 'certificates'} (qrun-equiv recheck FILE)", soft_wrap=True)
    return page


def _processes(pairs: int) -> int:
    """Processes for so many pairs: starting one takes seconds."""
    return min(os.cpu_count() or 1, max(1, pairs // 8))


scale_commands.register(app, _pairs, _one_pair)

if __name__ == "__main__":
    main()
