"""Commands for what passed: ``qrun-equiv run | sweep | train | bench``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qrun_equiv.errors import QrunEquivError
from qrun_equiv.terminal import console, loading

if TYPE_CHECKING:
    from qrun_equiv.pair import Pair

Collect = Callable[[Sequence[Path] | None, str | None], "list[Pair]"]
OnePair = Callable[[str, str | None], "Pair"]

Only = Annotated[str | None, typer.Option("--only", "-k", help="Pairs whose name contains this.")]
Backend = Annotated[
    str, typer.Option(help="Where the work is done: processes (here), dask or ray.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler or a Ray cluster.", metavar="ADDRESS"),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes; 0: one a core.", min=0)]


def register(app: typer.Typer, collect: Collect, one_pair: OnePair) -> None:
    """Add the commands to the command line."""
    _run(app, one_pair)
    _sweep(app, collect)
    app.command()(train)
    app.command()(bench)


def _run(app: typer.Typer, one_pair: OnePair) -> None:
    @app.command()
    def run(
        pair: Annotated[str, typer.Argument(help="A pair's file, or its name in the catalogue.")],
        output: Annotated[Path, typer.Option("--output", "-o", help="Outputs: .npy or .parquet.")],
        data: Annotated[
            str, typer.Option("--input", "-i", help="Rows: .npy, .parquet, or - (NPY piped in).")
        ] = "-",
        certificate: Annotated[
            Path | None, typer.Option("--certificate", "-c", help="The pair's certificate.")
        ] = None,
        only: Only = None,
        parameters: Annotated[
            Path | None, typer.Option(help="JSON list; the certificate's where left out.")
        ] = None,
        columns: Annotated[
            str | None, typer.Option(help="Columns that are the features, with commas.")
        ] = None,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
        dtype: Annotated[str, typer.Option(help="auto, float64, float32 or bfloat16.")] = "auto",
        chunk: Annotated[int | None, typer.Option(help="Rows at a time.", min=1)] = None,
        at_least: Annotated[
            str, typer.Option(help="Strength asked of the certificate.")
        ] = "sampled",
        unverified: Annotated[
            bool, typer.Option("--unverified", help="Run without; the manifest says so.")
        ] = False,
        allow_outside: Annotated[
            bool, typer.Option("--allow-outside", help="Also rows that it does not cover.")
        ] = False,
        check_fraction: Annotated[
            float, typer.Option(help="Part of the rows checked again in float64.")
        ] = 1e-3,
        tolerance: Annotated[
            float | None, typer.Option(help="Largest error, relative to the outputs' scale.")
        ] = None,
        seed: Annotated[int, typer.Option(help="Which rows are checked.", min=0)] = 0,
        restart: Annotated[
            bool, typer.Option("--restart", help="Begin anew, not where a kill left off.")
        ] = False,
        overwrite: Annotated[
            bool, typer.Option("--overwrite", help="Replace an output that exists.")
        ] = False,
        check: Annotated[
            bool, typer.Option("--check", help="Only hold the output to its manifest.")
        ] = False,
    ) -> None:
        """Evaluate a verified counterpart on rows of any number: resumable, checked as it goes."""
        with loading():
            from qrun_equiv.deriving import read_parameters
            from qrun_equiv.streaming import command
        if check:
            raise typer.Exit(command.check_command(output, console))
        chosen = one_pair(pair, only)
        options = {
            "parameters": None if parameters is None else read_parameters(parameters),
            "columns": columns,
            "device": device,
            "dtype": dtype,
            "chunk": chunk,
            "at_least": at_least,
            "unverified": unverified,
            "allow_outside": allow_outside,
            "check_fraction": check_fraction,
            "tolerance": tolerance,
            "seed": seed,
            "restart": restart,
            "overwrite": overwrite,
            "command": shlex.join(sys.argv),
        }
        raise typer.Exit(
            command.run_command(chosen, certificate, data, output, console=console, **options)
        )


def _sweep(app: typer.Typer, collect: Collect) -> None:
    @app.command()
    def sweep(
        paths: Annotated[
            list[Path] | None, typer.Argument(help="Pair files or folders; else the catalogue.")
        ] = None,
        only: Only = None,
        output: Annotated[
            Path, typer.Option("--output", "-o", help="Folder of the journal and the results.")
        ] = Path("qrun-equiv-sweep"),
        parameter_sets: Annotated[
            str | None, typer.Option(help="NPY file [sets, n_parameters], or how many at random.")
        ] = None,
        rows: Annotated[
            Path | None, typer.Option(help="NPY file of features: evaluate there, verify nothing.")
        ] = None,
        include: Annotated[
            list[Path] | None, typer.Option(help="A file that the pairs read, to be sent along.")
        ] = None,
        seed: Annotated[int, typer.Option(help="The first seed.", min=0)] = 0,
        seeds: Annotated[int, typer.Option(help="How many seeds.", min=1)] = 1,
        level: Annotated[
            str, typer.Option(help="Strength asked for: auto, sampled, certified or proved.")
        ] = "auto",
        jobs: Jobs = 0,
        backend: Backend = "processes",
        scheduler: Scheduler = None,
    ) -> None:
        """Verify pairs at many parameter sets and seeds, here or on a cluster; resumable."""
        pairs = collect(paths, only)
        from qrun_equiv.sweep.command import sweep_command

        code = sweep_command(
            pairs,
            output,
            parameter_sets=parameter_sets,
            seed=seed,
            seeds=seeds,
            level=level,
            rows=rows,
            include=include or (),
            jobs=jobs,
            backend=backend,
            scheduler=scheduler,
        )
        raise typer.Exit(code)


def train(
    file: Annotated[
        Path | None, typer.Argument(help="A TOML file: data, model, train.", show_default=False)
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="table.key=value, repeatable.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the run; FILE-run if left out.")
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a file to begin with, and stop.")
    ] = False,
) -> None:
    """Train a network of Q-RUN layers (or a baseline) as a TOML file says."""
    if example:
        typer.echo(files("qrun_equiv.training").joinpath("example.toml").read_text(), nl=False)
        raise typer.Exit
    if file is None:
        msg = "name a TOML file; `qrun-equiv train --example > train.toml` writes one"
        raise QrunEquivError(msg)
    with loading():
        from qrun_equiv.training.command import train_command
    outcome = train_command(
        file, overrides or (), device=device, resume=resume, out=out, console=console
    )
    raise typer.Exit(130 if outcome.stopped == "interrupted" else 0)


def bench(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, half a minute.")] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", help="torch.compile of the exact layer, too.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables to this file.")] = None,
) -> None:
    """Time layers and exact counterparts beside their peers, with the device's roofline."""
    with loading():
        from qrun_equiv import bench as benchmark
    raise typer.Exit(benchmark.command(device, quick, compiled, json_file, markdown))
