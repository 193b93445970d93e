"""The training loop: one code for a CPU, a GPU, and all processes of ``torchrun``.

A step is a function of the weights, the optimizer's state and its own number: the order of the
rows, dropout and the learning rate follow from the seed and the step. So a run that was killed goes
on from its checkpoint to the same bits (in one process, on a CPU, with as many threads).

In several processes each takes its slice of the same global batch. Data parallelism averages their
gradients, so each multiplies its share ``sum_own / rows`` of the mean loss by their number: the
average is the gradient of the mean over the global batch, the last, smaller one included.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qrun_equiv.training.batches import Batches, seed_of
from qrun_equiv.training.checkpoint import Checkpoint, knots_state, restore_knots
from qrun_equiv.training.config import TrainConfig
from qrun_equiv.training.data import Data, Split
from qrun_equiv.training.errors import TrainingError
from qrun_equiv.training.optimizers import learning_rate, make_optimizer, total_steps
from qrun_equiv.training.trained import Trained

_ROWS = 200  # of a log, by default
_POLL = 50  # steps between looks at a GPU's losses: each one waits for it
_CHUNK = 4096  # rows evaluated at once, at least


@dataclass
class Progress:
    """Where a run is; part of its checkpoints.

    Attributes:
        step: optimizer steps done.
        loss_sum: of the losses of all rows seen since the last row of the log.
        samples: number of those rows.
        best: smallest validation loss so far.
        best_step: its step; 0 for none.
        stale: validations since then.
        seconds: time spent, restarts included.
        stopped: why it ended: ``"completed"``, ``"early stop"``, or empty.
    """

    step: int = 0
    loss_sum: float = 0.0
    samples: int = 0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0
    stopped: str = ""


class Trainer:
    """Weights, optimizer and progress of one run, and what a step does to them.

    Args:
        fabric: a launched Fabric.
        config: ``[train]``.
        data: all rows; moved to Fabric's device.
        trained: the network, trained in place.

    Attributes:
        progress: where it is.
        per_epoch: steps of an epoch.
        total: steps of the training.
        log_every: steps between rows of the log.
        checkpoint_every: steps between checkpoints.
        gradient_norm: of the last step, before it was clipped.
        splits: the rows by their part's name, on the device.
    """

    def __init__(self, fabric: Any, config: TrainConfig, data: Data, trained: Trained) -> None:
        self.fabric, self.config, self.trained = fabric, config, trained
        self.progress = Progress()
        self._labels = bool(data.classes)
        size = _batch_size(config.batch, len(data.train))
        ranks = (fabric.global_rank, fabric.world_size)
        parts = {"train": data.train, "validation": data.validation, "test": data.test}
        self.splits = {n: _on(part, fabric.device) for n, part in parts.items() if part is not None}
        self._batches = Batches(self.splits["train"], size, config.seed, *ranks)
        self.per_epoch = self._batches.per_epoch
        self.total = total_steps(config, self.per_epoch)
        usual = max(self.per_epoch, -(-self.total // _ROWS))
        self.log_every = config.log_every or usual
        self.checkpoint_every = config.checkpoint_every or self.log_every
        self._weights = list(trained.network.parameters())
        if not self._weights:
            msg = "the network has no weights to train"
            raise TrainingError(msg)
        self._random = any(isinstance(m, nn.Dropout) for m in trained.network.modules())
        self.optimizer = make_optimizer(config, self._weights)
        self._model, self._stepper = fabric.setup(trained.network, self.optimizer)
        device = fabric.device
        self.gradient_norm = torch.zeros((), device=device)
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self._bad = torch.zeros((), dtype=torch.int64, device=device)  # first step not finite
        self._poll = 1 if device.type == "cpu" else _POLL

    def step(self) -> float:
        """One optimizer step; returns its learning rate."""
        done = self.progress.step
        rate = learning_rate(self.config, done, self.per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        x, y, rows = self._batches.at(done)
        if not self.trained.network.training:
            self._model.train()
        if self._random:
            torch.manual_seed(seed_of(self.config.seed, done, self.fabric.global_rank))

        def closure() -> Tensor:
            self._stepper.zero_grad()
            own = self._loss_of(self._model(x), y)
            self.fabric.backward(own * (self.fabric.world_size / rows))
            self.gradient_norm = self._clipped()
            # the line search of L-BFGS must see the same loss in every process
            return self._sum(own.detach()) / rows

        loss = self._stepper.step(closure)
        self.progress.step += 1
        self.progress.samples += rows
        self._loss_sum += loss.double() * rows
        finite = torch.isfinite(loss) & torch.isfinite(self.gradient_norm)
        self._bad = torch.where((self._bad == 0) & ~finite, self.progress.step, self._bad)
        return rate

    def look(self, *, stop: bool, now: bool) -> bool:
        """Whether any process was asked to stop; every few steps on a GPU, unless ``now``.

        Raises:
            TrainingError: a loss or a gradient was not finite.
        """
        if not now and self.progress.step % self._poll:
            return False
        state = torch.stack([self._bad, torch.tensor(int(stop), device=self._bad.device)])
        if self.fabric.world_size > 1:
            state = self.fabric.all_reduce(state, reduce_op="max")
        bad, stopped = (int(v) for v in state)
        if bad:
            raise _diverged(f"the loss or its gradient is not finite at step {bad}")
        return bool(stopped)

    def mean_loss(self) -> float:
        """Mean over the rows since the last call, which starts anew."""
        total, samples = float(self._loss_sum), self.progress.samples
        self.progress.samples = 0
        self._loss_sum.zero_()
        return total / samples if samples else math.nan

    def evaluate(self, name: str) -> dict[str, float]:
        """Mean loss over a part; the share of right labels, or the squared error in data units.

        Also ``r2``, the share of the variance explained, of a regression.
        """
        split, network = self.splits[name], self.trained.network
        rank, processes, count = self.fabric.global_rank, self.fabric.world_size, len(split)
        first, end = count * rank // processes, count * (rank + 1) // processes
        sums = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        network.eval()
        size = max(_CHUNK, self._batches.size)
        with torch.no_grad(), self.fabric.strategy.precision.forward_context():
            for start in range(first, end, size):
                part = slice(start, min(end, start + size))
                out, y = network(split.x[part]).to(split.x.dtype), split.y[part]
                sums[0] += self._loss_of(out, y).double()
                sums[1] += self._score(out, y)
        loss, score = (float(v) / count for v in self._sum(sums))
        if self._labels:
            return {"loss": loss, "accuracy": score}
        errors = {"loss": loss, "mean_squared_error": score}
        variance = float(((split.y - split.y.mean(0)).double() / self._unit()).square().mean())
        return errors | ({"r2": 1 - score / variance} if variance else {})

    def judge(self, loss: float) -> bool:
        """Take a validation loss into account; whether it is the best so far.

        Raises:
            TrainingError: it is not finite.
        """
        if not math.isfinite(loss):
            raise _diverged(f"the validation loss is {loss} at step {self.progress.step}")
        if loss < self.progress.best:
            self.progress.best, self.progress.best_step = loss, self.progress.step
            self.progress.stale = 0
            return True
        self.progress.stale += 1
        if 0 < self.config.patience <= self.progress.stale:
            self.progress.stopped = "early stop"
        return False

    def checkpoint(self, run: dict[str, Any]) -> Checkpoint:
        """All that going on needs; every process must call this, and one of them saves it."""
        self.progress.loss_sum = float(self._loss_sum)
        own = knots_state(self.trained.network).to(self.fabric.device)
        knots = own.new_zeros(self.fabric.world_size, *own.shape)
        knots[self.fabric.global_rank] = own
        if len(own):
            knots = self._sum(knots)
        return Checkpoint(
            model=self.trained.description,
            tensors=self.trained.state_dict(),
            run=run | {"progress": asdict(self.progress)},
            optimizer=self.optimizer.state_dict(),
            knots=knots,
        )

    def restore(self, saved: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.trained.load_state_dict(saved.tensors)
        self.optimizer.load_state_dict(saved.optimizer)
        self.progress = Progress(**saved.run["progress"])
        self._loss_sum.fill_(self.progress.loss_sum)
        if saved.knots is not None:
            own = saved.knots[self.fabric.global_rank % len(saved.knots)]
            restore_knots(self.trained.network, own)

    def _clipped(self) -> Tensor:
        if self.config.clip:
            return nn.utils.clip_grad_norm_(self._weights, self.config.clip)
        return nn.utils.get_total_norm([w.grad for w in self._weights if w.grad is not None])

    def _loss_of(self, out: Tensor, y: Tensor) -> Tensor:
        """Sum over rows: of cross entropies (nats), or of squared errors' means over outputs."""
        if self._labels:
            return nn.functional.cross_entropy(out, y, reduction="sum")
        return (out - y).square().sum() / out.shape[-1]

    def _score(self, out: Tensor, y: Tensor) -> Tensor:
        if self._labels:
            return (out.argmax(-1) == y).sum().double()
        return ((out - y).double() / self._unit()).square().sum() / out.shape[-1]

    def _unit(self) -> Tensor:
        return self.trained.factor_y.to(self.fabric.device)

    def _sum(self, value: Tensor) -> Tensor:
        if self.fabric.world_size == 1:
            return value
        total: Tensor = self.fabric.all_reduce(value.clone(), reduce_op="sum")
        return total


def clock(progress: Progress) -> Callable[[], float]:
    """Keeps ``progress.seconds``; each call gives the seconds since the one before."""
    last = time.perf_counter()

    def tick() -> float:
        nonlocal last
        now = time.perf_counter()
        passed, last = now - last, now
        progress.seconds += passed
        return passed

    return tick


def _on(split: Split, device: torch.device) -> Split:
    return Split(split.x.to(device), split.y.to(device))


def _batch_size(batch: int, rows: int) -> int:
    if batch > rows:
        msg = f"train.batch={batch} is larger than the {rows} training rows: 0 takes all of them"
        raise TrainingError(msg)
    return batch or rows


def _diverged(what: str) -> TrainingError:
    return TrainingError(f"{what}; lower train.lr or set train.clip")
