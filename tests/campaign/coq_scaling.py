"""How far a Coq certificate goes: gates against seconds, with cuts and written out in full.

``python -m tests.campaign.coq_scaling`` writes ``reports/coq.md``.
"""

import sys
import tempfile
import time
from pathlib import Path

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


def measure(layers, cut, library, folder):
    """Seconds to write and to check, or why not."""
    circuit = serial(layers)
    source = CounterpartSource(derive(circuit), Sizes(1, (circuit.n_parameters,)))
    begin = time.perf_counter()
    try:
        written = coq.certificate(f"serial-{layers}", circuit, source, cut=cut)
        path = write_atomically(folder / f"{written.name}.v", written.text)
        wrote = time.perf_counter() - begin
        checked = coq.check(path, library=library, timeout=LONGEST)
    except coq.CoqError as error:
        return str(error), None
    except ValueError as error:
        return str(error), None
    return f"{wrote:.1f} + {checked.seconds:.1f} s", wrote + checked.seconds


def main():
    """Measure and write the table."""
    lines = [
        "# Coq certificates: gates against time",
        "",
        "Serial re-uploading circuits against their derived counterparts. Seconds to write the",
        "certificate + for `coqc` to check it. Made by `python -m tests.campaign.coq_scaling`.",
        "",
        "| re-uploads | gates | written out in full | with cuts |",
        "|---|---|---|---|",
    ]
    stopped = False
    with tempfile.TemporaryDirectory() as scratch:
        library = coq.compile_library(Path(scratch, "library"))
        for layers in LAYERS:
            cuts, _ = measure(layers, True, library, Path(scratch))
            full = "not tried: the circuit before it was too large"
            if not stopped:
                full, seconds = measure(layers, False, library, Path(scratch))
                stopped = seconds is None or seconds > LONGEST
            lines.append(f"| {layers} | {4 * layers + 3} | {full} | {cuts} |")
            sys.stdout.write(lines[-1] + "\n")
    write_atomically(Path(__file__).parents[2] / "reports" / "coq.md", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
