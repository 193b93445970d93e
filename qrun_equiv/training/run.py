"""A training run and its folder: start, go on, stop, and what is left in the end.

config.toml               the run as it was started, defaults filled in
log.csv                   losses, rate, gradient norm and speed, a row every ``log_every`` steps
checkpoints/last.safetensors, best.safetensors
metrics.json, curves.png, model.safetensors        written when the run ends
spectrum.npz, tensorboard/                         where asked for
"""

from __future__ import annotations

import contextlib
import json
import math
import platform
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from qrun_equiv._version import __version__
from qrun_equiv.training.checkpoint import Checkpoint, read, write
from qrun_equiv.training.config import Config
from qrun_equiv.training.data import Data, prepare
from qrun_equiv.training.devices import dtype_of, session
from qrun_equiv.training.errors import TrainingError
from qrun_equiv.training.loop import Trainer, clock
from qrun_equiv.training.records import Log, Spectra, draw_curves, read_log
from qrun_equiv.training.trained import Trained

Watch = Callable[[int, int, dict[str, float]], None]
LAST, BEST = "checkpoints/last.safetensors", "checkpoints/best.safetensors"
#: Keys that may differ when a run goes on: where the rows lie (they are compared themselves).
_FREE = {"data.file", "data.test_file"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        folder: where everything is.
        stopped: ``"completed"``, ``"early stop"`` or ``"interrupted"``.
        step: optimizer steps done.
        metrics: what ``metrics.json`` holds; empty for an interrupted run.
        main: whether this process is the one that writes.
    """

    folder: Path
    stopped: str
    step: int
    metrics: dict[str, Any]
    main: bool


def train(
    config: Config,
    folder: str | Path,
    *,
    device: str = "auto",
    resume: bool = False,
    watch: Watch | None = None,
) -> Outcome:
    """Train a network. SIGTERM and SIGINT end the run after the current step, with a checkpoint.

    Under ``torchrun`` every process calls this. In one process on a CPU with as many threads, a run
    that goes on ends with the same bits as an undisturbed one.

    Args:
        config: the run.
        folder: where to write; a new one, or with ``resume`` the run's.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        resume: go on from the last checkpoint.
        watch: called after each step with the step, how many there are, and the last row of the
            log; in the main process only.

    Raises:
        ConfigError: the network, the device or a package can't be had.
        DataError: the rows can't be had.
        TrainingError: a folder that has a run (or none to resume), another configuration or other
            rows than its, a loss that is not finite, a disk that is full.
    """
    folder = Path(folder)
    with session(device, config.train.precision) as fabric:
        saved = _opened(fabric, config, folder, resume=resume)
        data = prepare(config.data, dtype_of(config.train.precision))
        if saved is not None and saved.run["digest"] != data.digest:
            msg = f"the rows are not those that {folder} was started with; take a new folder"
            raise TrainingError(msg)
        torch.manual_seed(config.train.seed)
        trained = Trained.of(config.model, data, dtype_of(config.train.precision))
        trainer = Trainer(fabric, config.train, data, trained)
        if saved is not None:
            trainer.restore(saved)
        with _stop_signals() as stop:
            return _Run(trainer, config, data, folder).go(stop, watch)


def _opened(fabric: Any, config: Config, folder: Path, *, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from; all processes learn what the main one found."""
    found: tuple[str, bytes | None] = ("", None)
    if fabric.is_global_zero:
        try:
            found = ("", _content(folder, resume=resume))
        except TrainingError as error:
            found = (str(error), None)
    problem, content = fabric.broadcast(found)
    if problem:
        raise TrainingError(problem)
    if content is None:
        return None
    saved = Checkpoint.load(content, folder / LAST)
    _same(config, saved, folder)
    return saved


def _content(folder: Path, *, resume: bool) -> bytes | None:
    last = folder / LAST
    if resume:
        if not last.exists():
            msg = f"there is nothing to resume in {folder}: leave --resume out, or name its folder"
            raise TrainingError(msg)
        return read(last)
    if last.exists() or (folder / "log.csv").exists():
        msg = f"{folder} has a run already: continue it with --resume, or name another with --out"
        raise TrainingError(msg)
    return None


def _same(config: Config, saved: Checkpoint, folder: Path) -> None:
    if "config" not in saved.run:
        msg = f"{folder / LAST} holds weights and no run to go on with"
        raise TrainingError(msg)
    old, new = saved.run["config"], json.loads(json.dumps(config.flat()))
    keys = [k for k in {**old, **new} if k not in _FREE and old.get(k) != new.get(k)]
    if keys:
        changed = "; ".join(f"{k} was {old.get(k)!r}, is {new.get(k)!r}" for k in keys)
        msg = f"{folder} was started with another configuration: {changed}; "
        msg += "put that back, or begin another run (--out) without --resume"
        raise TrainingError(msg)


class _Run:
    """The loop around the trainer's steps: log, checkpoints, ends."""

    def __init__(self, trainer: Trainer, config: Config, data: Data, folder: Path) -> None:
        self.trainer, self.config, self.data, self.folder = trainer, config, data, folder
        self.progress = trainer.progress
        self.main: bool = trainer.fabric.is_global_zero
        self._saved = self.progress.step
        self._row: dict[str, float] = {}

    def go(self, stop: list[int], watch: Watch | None) -> Outcome:
        trainer, progress, train = self.trainer, self.progress, self.config.train
        log, spectra = self._start()
        tick = clock(progress)
        since, seen = progress.seconds, progress.samples
        try:
            while not progress.stopped:
                rate = trainer.step()
                logs = progress.step % trainer.log_every == 0 or progress.step == trainer.total
                saves = progress.step % trainer.checkpoint_every == 0
                stopping = self._look(stop, now=logs or saves)
                if spectra and progress.step % train.spectrum_every == 0:
                    spectra.add(progress.step, math.nan)
                best = False
                if logs:
                    tick()
                    speed = (progress.samples - seen) / max(progress.seconds - since, 1e-9)
                    best = self._log(log, rate, speed)
                    tick()
                    since, seen = progress.seconds, 0
                if progress.step == trainer.total:
                    progress.stopped = progress.stopped or "completed"
                if saves or best or stopping or progress.stopped:
                    tick()
                    self._save(spectra, best=best)
                if watch is not None and self.main:
                    watch(progress.step, trainer.total, self._row)
                if stopping and not progress.stopped:
                    return Outcome(self.folder, "interrupted", progress.step, {}, self.main)
            return self._finish()
        finally:
            if log is not None:
                log.close()

    def _start(self) -> tuple[Log | None, Spectra | None]:
        progress, train = self.progress, self.config.train
        if not self.main:
            if not progress.step:
                self._save(None, best=False)  # the main process needs all for its checkpoint
            return None, None
        spectra = None
        if train.spectrum_every:
            network = self.trainer.trained.network
            wanted = train.spectrum_frequencies
            spectra = Spectra(network, self.folder, wanted, progress.step)
            if not progress.step:
                spectra.add(0, math.nan)
        if not progress.step:
            self._save(spectra, best=False)
            write(self.folder / "config.toml", self.config.toml())
        return Log(self.folder, tensorboard=train.tensorboard, after=progress.step), spectra

    def _look(self, stop: list[int], *, now: bool) -> bool:
        try:
            return self.trainer.look(stop=bool(stop), now=now)
        except TrainingError as error:
            raise self._last_good(error) from error

    def _last_good(self, error: TrainingError) -> TrainingError:
        where = self.folder / LAST
        return TrainingError(f"{error}; the checkpoint of step {self._saved} is in {where}")

    def _log(self, log: Log | None, rate: float, speed: float) -> bool:
        trainer, progress = self.trainer, self.progress
        row = {
            "step": progress.step,
            "epoch": progress.step / trainer.per_epoch,
            "loss": trainer.mean_loss(),
            "learning_rate": rate,
            "gradient_norm": float(trainer.gradient_norm),
            "seconds": progress.seconds,
            "samples_per_second": speed,
        }
        best = False
        if "validation" in trainer.splits:
            found = trainer.evaluate("validation")
            try:
                best = trainer.judge(found["loss"])
            except TrainingError as error:
                raise self._last_good(error) from error
            row |= {f"validation_{n}": found[n] for n in ("loss", "accuracy") if n in found}
        self._row = row
        if log is not None:
            log.add(row)
        return best

    def _save(self, spectra: Spectra | None, *, best: bool) -> None:
        run = {"config": self.config.flat(), "digest": self.data.digest, "version": __version__}
        made = self.trainer.checkpoint(run)
        if not all(bool(t.isfinite().all()) for t in made.tensors.values()):
            what = TrainingError(f"a weight is not finite at step {self.progress.step}")
            raise self._last_good(what)
        if self.main:
            if spectra is not None:
                spectra.save()
            if best:
                made.save(self.folder / BEST)
            made.save(self.folder / LAST)
        self._saved = self.progress.step

    def _finish(self) -> Outcome:
        """Scores of the best weights (the last ones without validation), and all files."""
        trainer, progress = self.trainer, self.progress
        if progress.best_step:
            content = read(self.folder / BEST) if self.main else b""
            content = trainer.fabric.broadcast(content)
            best = Checkpoint.load(content, self.folder / BEST)
            trainer.trained.load_state_dict(best.tensors)
        scores = {name: trainer.evaluate(name) for name in trainer.splits}
        metrics = {
            "stopped": progress.stopped,
            "steps": progress.step,
            "weights_of_step": progress.best_step or progress.step,
            **scores,
            "parameters": sum(p.numel() for p in trainer.trained.network.parameters()),
            "rows": {name: len(split) for name, split in trainer.splits.items()},
            "seconds": progress.seconds,
            "processes": trainer.fabric.world_size,
            "device": _device_name(trainer.fabric.device),
            "precision": self.config.train.precision,
            "versions": {"qrun-equiv": __version__, "torch": torch.__version__},
        }
        if self.main:
            state = {n: t.detach() for n, t in trainer.trained.state_dict().items()}
            Checkpoint(trainer.trained.description, state).save(self.folder / "model.safetensors")
            body = json.dumps(metrics, indent=2, allow_nan=False)
            write(self.folder / "metrics.json", body + "\n")
            rows = read_log(self.folder / "log.csv")
            draw_curves(rows, progress.best_step, self.folder / "curves.png")
        return Outcome(self.folder, progress.stopped, progress.step, metrics, self.main)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Signals that arrived; a second one acts as it did before."""
    seen: list[int] = []
    old: dict[int, Any] = {}

    def remember(number: int, frame: object) -> None:
        del frame
        seen.append(number)
        signal.signal(number, old[number])

    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGINT, signal.SIGTERM):
            old[int(name)] = signal.signal(name, remember)
    try:
        yield seen
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
