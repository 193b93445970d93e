"""How far a Coq certificate goes: gates against seconds, with both kinds of cuts and without.

``python -m tests.campaign.coq_scaling`` writes ``reports/coq.md``.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch

from qrun_equiv import coq
from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import derive
from qrun_equiv.files import write_atomically
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource

LAYERS = (1, 2, 3, 4, 6, 8, 16, 32, 64, 128)
LONGEST = 60.0  # seconds; a method that took longer is not tried on deeper circuits


def serial(layers):
    """RX(x) between Rot blocks, as the catalogue's serial family has them."""
    gates = []
    for layer in range(layers + 1):
        if layer:
            gates.append(Gate("RX", (0,), feature(0)))
        for k, name in enumerate(("RZ", "RY", "RZ")):
            gates.append(Gate(name, (0,), parameter(3 * layer + k)))
    z = Observable.of([(1.0, {0: "Z"})])
    return Circuit(1, tuple(gates), (z,), 1, 3 * layers + 3)


def simulation(layers):
    """The state of the same circuit, by the textbook's matrices."""

    def counterpart(x, theta):
        a, b = torch.ones_like(x[:, 0]) + 0j, torch.zeros_like(x[:, 0]) + 0j
        for layer in range(layers + 1):
            if layer:
                c, s = torch.cos(x[:, 0] / 2), torch.sin(x[:, 0] / 2)
                a, b = c * a - 1j * s * b, c * b - 1j * s * a
            for k in range(3):
                half = theta[3 * layer + k] / 2
                c, s = torch.cos(half), torch.sin(half)
                if k == 1:
                    a, b = c * a - s * b, s * a + c * b
                else:
                    a, b = (c - 1j * s) * a, (c + 1j * s) * b
        return a.real**2 + a.imag**2 - b.real**2 - b.imag**2

    return counterpart


def measure(layers, counterpart, cut, library, folder):
    """Seconds to write and to check, or why not."""
    circuit = serial(layers)
    source = CounterpartSource(counterpart, Sizes(1, (circuit.n_parameters,)))
    begin = time.perf_counter()
    try:
        written = coq.certificate(f"serial-{layers}", circuit, source, cut=cut)
        path = write_atomically(folder / f"{written.name}.v", written.text)
        wrote = time.perf_counter() - begin
        checked = coq.check(path, library=library, timeout=LONGEST)
    except (coq.CoqError, ValueError) as error:
        return str(error).split(". ")[0], None
    return f"{wrote:.1f} + {checked.seconds:.1f} s", wrote + checked.seconds


def main():
    """Measure and write the table."""
    lines = [
        "# Coq certificates: gates against time",
        "",
        "Serial re-uploading circuits against two counterparts: the derived one, which turns the",
        "Bloch vector gate by gate, and a simulation of the state's two amplitudes. Seconds to",
        "write the certificate + for `coqc` to check it. Made by",
        "`python -m tests.campaign.coq_scaling`.",
        "",
        "| re-uploads | gates | written out in full | cut at Bloch vectors | cut at amplitudes |",
        "|---|---|---|---|---|",
    ]
    stopped = False
    with tempfile.TemporaryDirectory() as scratch:
        library = coq.compile_library(Path(scratch, "library"))
        for layers in LAYERS:
            derived = derive(serial(layers))
            cuts, _ = measure(layers, derived, True, library, Path(scratch))
            state, _ = measure(layers, simulation(layers), True, library, Path(scratch))
            full = "not tried: the circuit before it was too large"
            if not stopped:
                full, seconds = measure(layers, derived, False, library, Path(scratch))
                stopped = seconds is None or seconds > LONGEST
            lines.append(f"| {layers} | {4 * layers + 3} | {full} | {cuts} | {state} |")
            sys.stdout.write(lines[-1] + "\n")
    write_atomically(Path(__file__).parents[2] / "reports" / "coq.md", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
