"""Time and error of Fourier coefficients, ours beside others: ``python tests/campaign/spectra.py``.

The same circuits at the same parameters for all tools, one thread, in one run; errors against ball
arithmetic. qml-essentials lives in an environment of its own: ``--install FOLDER`` makes it there
from ``spectrum_peers.txt`` (and uses it again), ``--peer-python`` names one that is there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded

import matplotlib as mpl
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))  # tests/

from campaign import spectrum_tools as tools
from campaign.spectrum_tools import Case, serial, wide
from qrun_equiv.api import neutral
from qrun_equiv.files import write_atomically
from qrun_equiv.spectra.engine import SpectrumEngine

SECONDS, MOST = 1.0, 500  # of repeated calls
SIZES, FIT_FROM, CHECKED = (10, 30, 100, 300, 1000, 3000, 10_000), 100, 256
UNRELATED, PROBES = 16, 2000
LOOP, BROADCAST, ESSENTIALS = "PennyLane loop", "PennyLane broadcast", "qml-essentials"
TORCH, LAURENT, OURS = "torch loop + FFT", "Laurent, numpy", "ours"
TOOLS = (LOOP, BROADCAST, ESSENTIALS, TORCH, LAURENT, OURS)
ABSENT = "not installed"

Row = dict[str, Any]


def timed(call: Callable[[], Any], seconds: float = SECONDS) -> tuple[Any, Row]:
    """The first call alone, then the best of as many as fit into the time, three at least."""
    begun = time.perf_counter()
    found = call()
    first = time.perf_counter() - begun
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < (1 if first > 5 else 3) or (
        time.perf_counter() < until and len(times) < MOST
    ):
        begun = time.perf_counter()
        found = call()
        times.append(time.perf_counter() - begun)
    return found, {"first": first, "best": min(times), "calls": len(times) + 1}


def ours(case: Case, method: Any = "auto") -> tuple[np.ndarray, Row]:
    """Our engine; the first call includes its construction from the neutral form (best of two)."""
    circuit, theta = case.circuit(), torch.tensor(case.parameters.reshape(-1))
    first = []
    with torch.no_grad():
        for _ in range(2):
            begun = time.perf_counter()
            engine = SpectrumEngine(circuit, method=method)
            engine.coefficients(theta)
            first.append(time.perf_counter() - begun)
        found, row = timed(lambda: engine.coefficients(theta))
    table = np.zeros(case.shape, dtype=complex)
    index = np.rint(engine.values(theta)).astype(int)
    table[tuple(index.T)] = found[:, 0].numpy()
    return table, row | {"first": min(first), "method": engine.method}


def installed(folder: Path) -> Path:
    """The interpreter of an environment with qml-essentials, made in the folder where it is not."""
    python = folder.absolute() / "bin" / "python"
    wanted = Path(__file__).with_name("spectrum_peers.txt")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(wanted)], check=True)
    return python


def ask_peer(python: Path | None, cases: Sequence[Case]) -> tuple[str, list[Row]]:
    """All cases by qml-essentials in its own interpreter."""
    if python is None:
        return f"{ESSENTIALS}: {ABSENT}", [{"error": ABSENT} for _ in cases]
    asked = [
        {"name": c.name, "qubits": c.qubits, "layers": c.layers, "encodings": c.encodings,
         "parameters": c.parameters.tolist()}
        for c in cases
    ]  # fmt: skip
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("spectrum_peer.py"))],
        input=json.dumps({"cases": asked}), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(f"{python} can't run qml-essentials: see its message above\n")
        return f"{ESSENTIALS}: {ABSENT}", [{"error": ABSENT} for _ in cases]
    found = json.loads(done.stdout)
    return found["version"], found["rows"]


def measure(case: Case, peer: Row) -> Row:
    """Every tool on one case."""
    exact = tools.reference(case)
    calls: dict[str, Callable[[], Any]] = {
        LOOP: tools.pennylane(case, broadcast=False),
        BROADCAST: tools.pennylane(case, broadcast=True),
        TORCH: lambda: tools.torch_loop(case),
    }
    if case.qubits == 1:
        calls[LAURENT] = lambda: tools.laurent(case)
    row: Row = {"name": case.name, "coefficients": exact.size}
    for name, call in calls.items():
        found, row[name] = timed(call)
        row[name]["error"] = float(np.max(np.abs(np.asarray(found) - exact)))
    found, row[OURS] = ours(case)
    row[OURS]["error"] = float(np.max(np.abs(found - exact)))
    begun = time.perf_counter()
    neutral(lambda x: case.qnode().func(x), n_features=len(case.encodings), n_parameters=0)
    row[OURS]["translation"] = time.perf_counter() - begun
    if "error" in peer and "best" not in peer:
        row[ESSENTIALS] = peer
    else:
        theirs = np.array(peer["real"]) + 1j * np.array(peer["imag"])
        error = float(np.max(np.abs(theirs.reshape(peer["shape"]) - exact)))
        row[ESSENTIALS] = {"first": peer["first"], "best": peer["best"], "error": error}
    told = ", ".join(f"{t} {_seconds(row[t].get('best'))}" for t in TOOLS if t in row)
    sys.stderr.write(f"{case.name}: {told}\n")
    return row


def growth(sizes: Sequence[int]) -> Row:
    """The product tree against depth, with errors where a reference is within reach."""
    rows: list[Row] = []
    for layers in sizes:
        case = serial(layers)
        found, row = ours(case, "product-tree")
        x = np.random.default_rng(layers).uniform(-np.pi, np.pi, 3)
        direct = [tools.value(case, float(v)) for v in x]
        index = np.fft.fftfreq(len(found), 1 / len(found))
        near = (np.exp(1j * np.outer(x, index)) @ found).real
        row |= {"size": layers, "value error": float(np.max(np.abs(near - direct)))}
        product, row[LAURENT] = timed(lambda case=case: tools.laurent(case))
        row["against Laurent"] = float(np.max(np.abs(product - found)))
        if layers <= 1000:
            _, row[TORCH] = timed(lambda case=case: tools.torch_loop(case))
        rows.append(row)
        sys.stderr.write(
            f"L = {layers}: {_seconds(row['best'])} (first {_seconds(row['first'])}), "
            f"error {row['value error']:.1e}\n"
        )
    fitted = [r for r in rows if r["size"] >= FIT_FROM]
    checked = serial(CHECKED)
    error = float(np.max(np.abs(ours(checked, "product-tree")[0] - tools.reference(checked))))
    return {
        "rows": rows,
        "exponent": _slope(fitted, "best"),
        "exponent, first call": _slope(fitted, "first"),
        "checked": {"size": CHECKED, "error": error},
    }


def _slope(rows: Sequence[Row], what: str) -> float | None:
    if len(rows) < 2:
        return None
    return float(
        np.polyfit(np.log([r["size"] for r in rows]), np.log([r[what] for r in rows]), 1)[0]
    )


def unrelated(layers: int) -> Row:
    """All 3^L coefficients of L scales without a period, some against balls, and all by values."""
    circuit, theta = tools.unrelated(layers)
    with torch.no_grad():
        begun = time.perf_counter()
        engine = SpectrumEngine(circuit, limit=3**layers)
        built = time.perf_counter()
        found = engine.coefficients(torch.tensor(theta))[:, 0].numpy()
        ended = time.perf_counter()
    rates = engine.values(theta)[:, 0]
    order = np.argsort(rates)
    rng = np.random.default_rng(layers)
    error, matched = 0.0, 0.0
    for signs in rng.integers(-1, 2, (PROBES, layers)):
        rate = float(signs @ theta[:layers])
        place = np.searchsorted(rates, rate, sorter=order)
        near = order[np.clip([place - 1, place], 0, len(order) - 1)]
        k = near[np.argmin(np.abs(rates[near] - rate))]
        exact = tools.one_coefficient(theta, tuple(int(s) for s in signs))
        error = max(error, abs(found[k] - exact))
        matched = max(matched, abs(rates[k] - rate))
    values = 0.0
    for x in rng.uniform(-3, 3, 2):
        total = sum(
            complex(np.exp(1j * x * rates[k : k + 2**20]) @ found[k : k + 2**20])
            for k in range(0, len(rates), 2**20)
        )
        values = max(values, abs(total - tools.unrelated_value(theta, layers, float(x))))
    row = {
        "layers": layers, "coefficients": len(rates), "method": engine.method,
        "construction": built - begun, "seconds": ended - built, "error": float(error),
        "largest": float(np.max(np.abs(found))),
        "frequency error": float(matched), "value error": values, "probes": PROBES,
    }  # fmt: skip
    sys.stderr.write(f"{layers} unrelated scales: {row}\n")
    return row


# --- the report ----------------------------------------------------------------------------------


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 1e-3:
        return f"{1e6 * value:.0f} µs"
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def _cell(row: Row, tool: str, what: str) -> str:
    if tool not in row:
        return ""
    if "best" not in row[tool]:
        return str(row[tool]["error"])
    if what == "best":
        ratio = row[tool]["best"] / row[OURS]["best"]
        more = "" if tool == OURS else f" ({ratio:.3g} x)"
        return _seconds(row[tool]["best"]) + more
    return f"{row[tool]['error']:.0e}" if what == "error" else _seconds(row[tool]["first"])


def markdown(found: Row) -> str:
    """The report."""
    parts = [_INTRODUCTION, "Versions: " + "; ".join(found["versions"]) + ".\n"]
    for what, title in _TABLES:
        lines = ["| circuit | " + " | ".join(TOOLS) + " |", "|---|" + "--:|" * len(TOOLS)]
        lines += [
            f"| {r['name']} | " + " | ".join(_cell(r, t, what) for t in TOOLS) + " |"
            for r in found["cases"]
        ]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    translated = ", ".join(
        f"{_seconds(r[OURS]['translation'])} ({r['name']})" for r in found["cases"]
    )
    parts.append(
        "Ours starts from the neutral form of a circuit. To read that off a QNode, which includes "
        f"a comparison with the QNode at random points, takes once: {translated}.\n"
    )
    tree = found["growth"]
    heads = ["L", "ours", "ours, first call", "error of values", LAURENT, TORCH]
    lines = ["| " + " | ".join(heads) + " |", "|" + "--:|" * len(heads)]
    lines += [
        f"| {r['size']} | {_seconds(r['best'])} | {_seconds(r['first'])} | {r['value error']:.0e} "
        f"| {_seconds(r[LAURENT]['best'])} | {_seconds(r.get(TORCH, {}).get('best'))} |"
        for r in tree["rows"]
    ]
    exponents = [
        "none" if tree[k] is None else f"{tree[k]:.2f}"
        for k in ("exponent", "exponent, first call")
    ]
    parts.append(
        "## Depth: one qubit, the product tree\n\n" + "\n".join(lines) + "\n\n"
        f"Time grows as L to the power {exponents[0]} from L = {FIT_FROM} on ({exponents[1]} with "
        f"the first call). At L = {tree['checked']['size']} all coefficients are within "
        f"{tree['checked']['error']:.0e} of ball arithmetic; *error of values* is the largest at "
        "three points against 160-bit arithmetic.\n"
    )
    row = found["unrelated"]
    parts.append(
        f"## {row['layers']} scales without a common period\n\n"
        f"One qubit, RX of sqrt(2) x, sqrt(3) x, sqrt(5) x, ...: {row['coefficients']:,} "
        f"frequencies. Method {row['method']}, construction {_seconds(row['construction'])}, all "
        f"coefficients {_seconds(row['seconds'])}. Error of {row['probes']} random ones against "
        f"160-bit arithmetic: {row['error']:.0e} (the largest is {row['largest']:.0e}); of the "
        f"function that all of them give, at two points: {row['value error']:.0e}.\n"
    )
    return "\n".join(parts)


_TABLES = (
    ("best", "Best of repeated calls (and how many times ours)"),
    ("first", "First call: with construction, translation and compilation"),
    ("error", "Largest error of a coefficient against ball arithmetic"),
)
_INTRODUCTION = """# Fourier coefficients: time and error

`python tests/campaign/spectra.py --install PEER`. Random parameters, one thread for
all; only ratios within this run mean something. *torch loop + FFT*: a plain loop over the gates for
all points of the grid at once; *Laurent, numpy*: products of Laurent polynomials, layer by layer,
for one qubit. Both are written in the script, and both are told the degree, as are PennyLane and
qml-essentials; ours reads it off the circuit. An engine of ours computes batches of parameters and
gradients too, which the loops written here do not. qml-essentials runs in float64.

![Times](spectra.png)
"""


def draw(found: Row, path: Path) -> None:
    """Times of the cases, and times against depth."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    styles = dict(zip(TOOLS, ("#0072B2 o", "#56B4E9 s", "#CC79A7 D", "#E69F00 ^", "#009E73 v",
                              "#000000 *"), strict=True))  # fmt: skip
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4.4), layout="constrained", width_ratios=(1.25, 1)
    )
    names = [r["name"] for r in found["cases"]]
    for tool in TOOLS:
        colour, marker = styles[tool].split()
        points = [
            (r[tool]["best"], k) for k, r in enumerate(found["cases"]) if "best" in r.get(tool, {})
        ]
        if points:
            left.plot(*zip(*points, strict=True), marker, color=colour, label=tool,
                      markersize=11 if tool == OURS else 7)  # fmt: skip
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.5)
    left.set_xlabel("seconds, best of repeated calls")
    left.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.42, 1.17), ncols=3)
    rows = found["growth"]["rows"]
    for tool in (TORCH, LAURENT, OURS):
        colour, marker = styles[tool].split()
        points = [
            (r["size"], r["best"] if tool == OURS else r[tool]["best"])
            for r in rows if tool == OURS or tool in r
        ]  # fmt: skip
        right.plot(*zip(*points, strict=True), marker + "-", color=colour, label=tool, linewidth=1)
    right.set_yscale("log")
    right.set_xlabel("L, one qubit")
    right.set_ylabel("seconds, best of repeated calls")
    right.legend(frameon=False, fontsize=9)
    for axis in (left, right):
        axis.set_xscale("log")
        axis.grid(visible=True, which="major", alpha=0.3)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def write(found: Row, folder: Path) -> None:
    """Numbers, report and figure."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "spectra.json", (json.dumps(found, indent=1) + "\n").encode())
    write_atomically(folder / "spectra.md", markdown(found).encode())
    draw(found, folder / "spectra.png")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("reports"))
    peer = parser.add_mutually_exclusive_group()
    peer.add_argument("--install", type=Path, metavar="FOLDER",
                      help="environment for qml-essentials, made where there is none")  # fmt: skip
    peer.add_argument("--peer-python", type=Path, help="interpreter that has qml-essentials")
    parser.add_argument("--most-layers", type=int, default=SIZES[-1], help="of the growth table")
    parser.add_argument("--most-cases", type=int, default=5)
    parser.add_argument("--unrelated", type=int, default=UNRELATED, metavar="L")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cases = [
        *(serial(layers) for layers in (8, 32, 128)),
        wide(2, 3, ("RX", "RY"), "2 qubits, 2 inputs, degree (6, 6)"),
        wide(4, 2, ("RX",), "4 qubits x 2 layers"),
    ][: given.most_cases]
    python = installed(given.install) if given.install else given.peer_python
    named, peers = ask_peer(python, cases)
    found: Row = {
        "versions": [
            f"Python {sys.version.split()[0]}",
            *(f"{p} {version(p)}" for p in ("qrun-equiv", "torch", "numpy", "pennylane")),
            named,
        ],
        "cases": [measure(c, p) for c, p in zip(cases, peers, strict=True)],
        "growth": growth([n for n in SIZES if n <= given.most_layers]),
        "unrelated": unrelated(given.unrelated),
    }
    write(found, given.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
