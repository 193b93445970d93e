"""``qrun-equiv bench``: what layers and exact counterparts cost on this machine.

Three kinds of tables: a Q-RUN layer beside ``nn.Linear``, exact counterparts beside simulators, and
the device's roofline. All alternatives take turns in one run.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from qrun_equiv.benchmarks.circuits import DEGREES, circuits, one_thread
from qrun_equiv.benchmarks.layers import layers
from qrun_equiv.benchmarks.roofline import ceilings, roofline, sums_roofline
from qrun_equiv.benchmarks.tables import Table
from qrun_equiv.benchmarks.timing import Progress, release, silent
from qrun_equiv.errors import QrunEquivError, ReportError
from qrun_equiv.files import write_atomically
from qrun_equiv.scale import piecewise, series

#: Width and batch of the layers.
SIZES = {"cpu": ((512, 4096),), "cuda": ((512, 65536), (4096, 65536))}
_QUICK = {"cpu": ((128, 1024),), "cuda": ((512, 8192),)}
_CPU = torch.device("cpu")
_PACKAGES = (
    "torch", "triton", "numpy", "pennylane", "pennylane-lightning", "qiskit", "qiskit-aer",
)  # fmt: skip


@dataclass(frozen=True)
class BenchResult:
    """All measurements of one run.

    Attributes:
        machine: device, processor, threads, versions: name -> text.
        tables: in order.
    """

    machine: dict[str, str]
    tables: Sequence[Table]

    def table(self, start: str) -> Table:
        """The first table whose title starts so.

        Raises:
            KeyError: there is none.
        """
        for table in self.tables:
            if table.title.startswith(start):
                return table
        raise KeyError(start)

    def to_json(self) -> dict[str, Any]:
        """Numbers unrounded."""
        return {"machine": self.machine, "tables": [table.to_json() for table in self.tables]}

    def markdown(self) -> str:
        """A page: the machine, then the tables."""
        lines = ["# Benchmark", "", "`qrun-equiv bench` on this machine:", ""]
        lines += [f"- {name}: {text}" for name, text in self.machine.items()]
        return "\n".join([*lines, "", *(table.markdown() for table in self.tables)])


def run(
    device: str = "auto",
    *,
    quick: bool = False,
    compile: bool = False,  # noqa: A002 (the name of the option)
    progress: Progress = silent,
) -> BenchResult:
    """Measure everything.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, or ``"auto"``: CUDA where there is one.
        quick: small sizes and short calls, to see that it works: half a minute.
        compile: ``torch.compile`` of the exact layer too.
        progress: told what runs.

    Raises:
        QrunEquivError: CUDA asked for where there is none, or another kind of device.
    """
    place = chosen(device)

    shrink = 4 if quick else 1
    measured = ceilings(place, shrink=shrink, progress=progress)
    found: dict[tuple[int, int], Table] = {}
    for width, batch in (_QUICK if quick else SIZES)[place.type]:
        found[width, batch] = layers(
            width, batch, place, compile=compile, repeats=3 if quick else 15, progress=progress
        )
        release(place)
    measured = measured.best(ceilings(place, shrink=shrink, progress=progress))
    tables = [t for size, table in found.items() for t in (table, roofline(table, *size, measured))]
    with one_thread():
        single = ceilings(_CPU, shrink=4 if quick else 2, progress=progress)
        sums = circuits(
            seconds=0.05 if quick else 1.0, repeats=3 if quick else 5, progress=progress
        )
        single = single.best(ceilings(_CPU, shrink=4 if quick else 2, progress=progress))
    tables += [*sums, sums_roofline(dict(zip(DEGREES, sums, strict=True)), single)]
    return BenchResult(machine(place), [*tables, measured.table(place)])


def chosen(device: str) -> torch.device:
    """The device of that name; see :func:`run`."""
    available = torch.cuda.is_available()
    if device == "auto":
        return torch.device("cuda" if available else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        msg = f'unknown device {device!r}: "auto", "cpu", "cuda" or "cuda:1"'
        raise QrunEquivError(msg) from error
    if place.type not in SIZES:
        msg = f'the benchmark runs on "cpu" or "cuda", not on {device!r}'
        raise QrunEquivError(msg)
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        built = torch.version.cuda or "none"
        msg = (
            f"no device {device!r} here ({torch.cuda.device_count()} CUDA device(s); torch "
            f"{torch.__version__} is built for CUDA {built}): take --device cpu, or install a "
            "torch with CUDA"
        )
        raise QrunEquivError(msg)
    return place


def machine(place: torch.device) -> dict[str, str]:
    """What the numbers belong to."""
    name = torch.cuda.get_device_name(place) if place.type == "cuda" else _processor()
    found = {
        "device": f"{place} ({name})",
        "processor": _processor(),
        "threads": f"{torch.get_num_threads()} (circuits: 1)",
        "python": platform.python_version(),
        "kernels": f"layers by {piecewise.backend(place)}, sums by "
        + ("c++" if series.compiled() else "torch"),
    }
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = f"not installed: pip install -c constraints.txt {package}"
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def command(
    device: str = "auto",
    quick: bool = False,  # noqa: FBT001, FBT002 (the command's flags)
    compile: bool = False,  # noqa: A002, FBT001, FBT002
    json_file: Path | None = None,
    markdown: Path | None = None,
) -> int:
    """What the command does: measure, print, write. Returns the exit status.

    Raises:
        QrunEquivError: as :func:`run`.
        ReportError: a file can't be written; found out before the work.
    """
    for path in (json_file, markdown):
        _check(path)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    with _shown() as progress:
        result = run(device, quick=quick, compile=compile, progress=progress)
    console.print(", ".join(f"{k} {v}" for k, v in result.machine.items()), soft_wrap=True)
    for table in result.tables:
        console.print()
        console.print(table.rich())
        for note in table.notes:
            console.print(note, style="dim")
    if json_file is not None:
        text = json.dumps(result.to_json(), indent=1) + "\n"
        write_atomically(json_file, text.encode())
    if markdown is not None:
        write_atomically(markdown, result.markdown().encode())
    return 0


@contextmanager
def _shown() -> Iterator[Progress]:
    """Progress on the terminal, if there is one."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield silent
        return
    with console.status("") as status:
        yield lambda message: status.update(message.replace("[", r"\["))


def _check(path: Path | None) -> None:
    if path is None:
        return
    if path.is_dir():
        msg = f"can't write to {path}: it is a folder; name a file"
        raise ReportError(msg)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"can't write to {path}: {error.strerror or error}; name another file"
        raise ReportError(msg) from error
