"""Stream many rows through a verified pair, kill the run with SIGKILL, and continue it.

``python tests/campaign/streaming.py`` writes an input of ``--rows`` rows (10^8: 0.8 GB), runs the
pair ``serial-1`` on it undisturbed, then again with ``--kills`` kills, each at a seeded row, and
compares the two outputs byte by byte. A run on a hundredth of the rows tells whether memory grows
with the rows. Exit code 1 where the outputs differ, a row is lost or twice, or memory grows.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_BLOCK = 1 << 20
#: How much more memory a hundred times the rows may take (the allocator's own, mostly).
GROWTH = 32 << 20


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    if options.child:
        return _child(options)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        return _campaign(options, Path(folder))


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10**8)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=2**18)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=("npy", "parquet"), default="npy")
    parser.add_argument("--folder", type=Path, help="where the files are written, for a while")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds after each chunk")
    parser.add_argument("--commit", type=float, default=1.0, help="seconds between commits")
    parser.add_argument("--child", nargs=3, metavar=("CERTIFICATE", "INPUT", "OUTPUT"),
                        help=argparse.SUPPRESS)  # fmt: skip
    return parser.parse_args(argv)


def _child(options: argparse.Namespace) -> int:
    """One run, in a process of its own, that may be killed."""
    import torch

    from qrun_equiv.pair import catalogue_folder, load_pair
    from qrun_equiv.streaming import run

    torch.set_num_threads(1)
    pair = load_pair(catalogue_folder() / "serial_reuploading.py", "serial-1")
    made = run(
        pair,
        *options.child,
        parameters=np.linspace(0.3, 1.3, 6),
        chunk=options.chunk,
        commit_seconds=options.commit,
        progress=lambda *_: time.sleep(options.pause),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"peak": peak, "seconds": made["seconds"]}) + "\n")
    return 0


def _campaign(options: argparse.Namespace, folder: Path) -> int:
    from qrun_equiv.pair import catalogue_folder, load_pair
    from qrun_equiv.streaming import verify_manifest

    certificate = folder / "certificate.json"
    pair = load_pair(catalogue_folder() / "serial_reuploading.py", "serial-1")
    pair.verify().certificate.save(certificate)
    few, many = folder / "few.npy", folder / "rows.npy"
    write_rows(few, max(1, options.rows // 100), options.seed)
    write_rows(many, options.rows, options.seed)

    small = finish(options, certificate, few, folder / f"small.{options.format}")
    whole, killed = (folder / f"{name}.{options.format}" for name in ("whole", "killed"))
    large = finish(options, certificate, many, whole)
    stops = []
    rng = np.random.default_rng(options.seed)
    for k in range(options.kills):  # somewhere in each of as many equal parts
        part = options.rows / (options.kills + 1)
        stops.append(
            kill(options, certificate, many, killed, int(part * (k + rng.uniform(0.2, 1))))
        )
    finish(options, certificate, many, killed)
    manifest = verify_manifest(killed)

    grown = large["peak"] - small["peak"]
    same = same_bytes(whole, killed)
    shape = [options.rows, 1]
    good = same and grown <= GROWTH and manifest["output"]["shape"] == shape
    good = good and manifest["resumed"] == options.kills == len(stops)
    _say(f"rows               {options.rows:,} ({many.stat().st_size / 1e9:.2f} GB), chunks of "
         f"{options.chunk:,}")  # fmt: skip
    _say(f"speed              {options.rows / large['seconds']:,.0f} rows/s, one thread")
    _say(f"peak memory        {large['peak'] / 2**20:.0f} MiB; {small['peak'] / 2**20:.0f} MiB "
         f"for {max(1, options.rows // 100):,} rows")  # fmt: skip
    _say(f"killed after row   {', '.join(f'{row:,}' for row in stops)}; resumed "
         f"{manifest['resumed']} times")  # fmt: skip
    _say(f"identical          {'yes' if same else 'NO'}, SHA-256 {manifest['output']['sha256']}")
    return 0 if good else 1


def write_rows(path: Path, rows: int, seed: int) -> None:
    """Uniform rows ``[rows, 1]`` in [-2 pi, 2 pi), block by block."""
    rng = np.random.default_rng(seed)
    described = {"descr": "<f8", "fortran_order": False, "shape": (rows, 1)}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, described)
        for first in range(0, rows, _BLOCK):
            count = min(_BLOCK, rows - first)
            stream.write(rng.uniform(-2 * np.pi, 2 * np.pi, count).data)


def _start(
    options: argparse.Namespace, certificate: Path, data: Path, output: Path
) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--chunk", str(options.chunk), "--pause",
               str(options.pause), "--commit", str(options.commit), "--child", str(certificate),
               str(data), str(output)]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(options: argparse.Namespace, certificate: Path, data: Path, output: Path) -> dict:
    """A run to its end: its peak memory (bytes) and seconds."""
    with _start(options, certificate, data, output) as process:
        text, _ = process.communicate()
    if process.returncode:
        message = f"the run of {output.name} ended with code {process.returncode}"
        raise RuntimeError(message)
    return json.loads(text)


def kill(options: argparse.Namespace, certificate: Path, data: Path, output: Path, row: int) -> int:
    """SIGKILL a run once its journal has reached a row; where it stood then."""
    with _start(options, certificate, data, output) as process:
        while (done := rows_done(output)) < row:
            if process.poll() is not None:
                message = f"the run ended before row {row}; take more rows, or a longer --pause"
                raise RuntimeError(message)
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return done


def rows_done(output: Path) -> int:
    """What the journal's last whole line says."""
    journal = output.with_name(output.name + ".journal")
    if not journal.exists():
        return -1
    lines = journal.read_text(encoding="utf-8").split("\n")[1:-1]
    return json.loads(lines[-1].split(" ", 1)[1])["rows"] if lines else -1


def same_bytes(one: Path, two: Path) -> bool:
    """Whether two files are alike."""
    with one.open("rb") as first, two.open("rb") as second:
        while True:
            left, right = first.read(_BLOCK), second.read(_BLOCK)
            if left != right:
                return False
            if not left:
                return True


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
