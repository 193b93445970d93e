"""A run that was admitted, ready to start: everything that can be refused is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch

from qrun_equiv.frontends.base import CircuitSource
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.pair import Pair
from qrun_equiv.streaming import gate, subsample
from qrun_equiv.streaming.evaluation import (
    Evaluate,
    Evaluator,
    choose_device,
    choose_dtype,
    device_name,
)
from qrun_equiv.streaming.options import Options
from qrun_equiv.streaming.output import Output
from qrun_equiv.streaming.rows import Rows, open_rows


@dataclass(frozen=True)
class Plan:
    """What is run, with what, on what, and what it is held to.

    Attributes:
        pair: the pair.
        options: how.
        rows: the input.
        output: the output.
        admission: what the certificate admits.
        evaluator: what evaluates.
        check: what the results are held to.
        chunk: rows of a chunk.
        identity: what a run must have in common with this one to continue it, as JSON.
    """

    pair: Pair
    options: Options
    rows: Rows
    output: Output
    admission: gate.Admission
    evaluator: Evaluator
    check: subsample.Subsample
    chunk: int
    identity: dict[str, Any]


def make_plan(
    pair: Pair,
    certificate: Path | None,
    data: Path | BinaryIO,
    target: Path,
    options: Options,
    *,
    evaluate: Evaluate | None = None,
    name: str,
) -> Plan:
    """Check everything, and evaluate a few rows.

    Raises:
        QrunEquivError: see :func:`qrun_equiv.streaming.run`.
    """
    files = [file for file in (data, certificate, pair.path) if isinstance(file, Path)]
    output = Output(target, *files)
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    digests = gate.digests(pair)  # before anything runs: a cache of the counterpart may fill up
    *circuits, counterpart = pair.sources().values()
    counterpart = cast(CounterpartSource, counterpart)
    admission = gate.admit(
        pair,
        counterpart.sizes,
        certificate,
        parameters=options.parameters,
        at_least=options.at_least,
        unverified=options.unverified,
    )
    rows = open_rows(data, counterpart.sizes.features, options.columns)
    check = subsample.make(
        counterpart,
        cast(CircuitSource, circuits[0]),
        admission.theta,
        admission.box,
        tolerance=options.tolerance or subsample.TOLERANCES[dtype],
        epsilon=admission.epsilon,
        fraction=options.check_fraction,
        native=options.native_rows,
        seed=options.seed,
    )
    evaluator = Evaluator(counterpart, admission.theta, device, dtype, evaluate)
    evaluator.probe(check.probes)
    chunk = options.rows_of_chunk(max(counterpart.sizes.features, check.outputs))
    identity = {
        "pair": pair.name,
        "digests": digests,
        "certificate": admission.record.get("sha256"),
        "unverified": bool(admission.unverified),
        "parameters": admission.theta.tolist(),
        "input": rows.identity,
        "output": [output.format, check.outputs],
        "evaluated by": name,
        "device": device_name(device),
        "dtype": dtype,
        "torch": str(torch.__version__),
        "chunk": chunk,
        "tolerance": check.bound.tolerance,
        "check fraction": check.fraction,
        "native rows": check.native,
        "seed": check.seed,
    }
    return Plan(pair, options, rows, output, admission, evaluator, check, chunk, identity)
