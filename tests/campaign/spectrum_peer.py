"""qml-essentials in an interpreter of its own: reads cases as JSON, prints times and coefficients.

Run by ``spectra.py --peer-python PATH``; needs the packages of ``spectrum_peers.txt`` and nothing
of this project. ``{"cases": [{"qubits", "layers", "encodings", "parameters"}]}`` on stdin.
"""
# ruff: noqa: E402 - threads and precision are set before jax and its users are loaded

from __future__ import annotations

import json
import logging
import os
import sys
import time
from importlib.metadata import version

os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # one thread, as the others
)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
logging.disable(logging.WARNING)

from qml_essentials.ansaetze import Block, DeclarativeCircuit
from qml_essentials.coefficients import Coefficients
from qml_essentials.gates import Gates
from qml_essentials.model import Model
from qml_essentials.topologies import Topology

SECONDS, MOST = 1.0, 200


class Turns(DeclarativeCircuit):
    """Rot on every wire."""

    @classmethod
    def structure(cls):
        return (Block(gate=Gates.Rot),)


class Stairs(DeclarativeCircuit):
    """Rot on every wire, then CNOT from each wire to the next."""

    @classmethod
    def structure(cls):
        stairs = Block(gate=Gates.CX, topology=Topology.stairs, reverse=False, mirror=False)
        return (Block(gate=Gates.Rot), stairs)


def measure(case):
    """Times in seconds, and coefficients in the order of numpy's FFT."""
    names = case["encodings"]
    begun = time.perf_counter()
    model = Model(
        n_qubits=case["qubits"],
        n_layers=case["layers"],
        circuit_type=Turns if case["qubits"] == 1 else Stairs,
        encoding=names if len(names) > 1 else names[0],
        observables=[0],
    )
    parameters = jnp.array(case["parameters"]).reshape(1, case["layers"] + 1, -1)
    if model.params.shape != parameters.shape:
        return {"error": f"shape {model.params.shape}, expected {parameters.shape}"}

    def call():
        return jax.block_until_ready(Coefficients.get_spectrum(model, params=parameters)[0])

    found = call()
    first = time.perf_counter() - begun
    times, until = [], time.perf_counter() + SECONDS
    while len(times) < 3 or (time.perf_counter() < until and len(times) < MOST):
        begun = time.perf_counter()
        found = call()
        times.append(time.perf_counter() - begun)
    flat = found.reshape(-1)
    return {
        "first": first,
        "best": min(times),
        "shape": list(found.shape),
        "real": flat.real.tolist(),
        "imag": flat.imag.tolist(),
    }


def main():
    """One answer a case."""
    rows = []
    for case in json.load(sys.stdin)["cases"]:
        try:
            rows.append(measure(case))
        except Exception as error:  # noqa: BLE001 - what it can't do is an answer too
            rows.append({"error": f"{type(error).__name__}: {error}"[:200]})
        sys.stderr.write(f"qml-essentials: {case['name']}\n")
    named = f"qml-essentials {version('qml-essentials')} (jax {version('jax')}, float64)"
    sys.stdout.write(json.dumps({"version": named, "rows": rows}))


if __name__ == "__main__":
    main()
