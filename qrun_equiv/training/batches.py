"""Which rows a step sees: a function of the seed and the step, the same in every process.

An epoch is a permutation of the rows, cut into global batches; of each, a process takes its slice.
So neither the number of processes nor a restart changes what any step is computed from.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.training.data import Split


class Batches:
    """The rows of each step.

    Args:
        split: the training rows.
        size: rows of a global batch; all rows are taken in their order.
        seed: of the permutations.
        rank: this process.
        processes: how many there are.

    Attributes:
        per_epoch: steps of an epoch; the last one may be smaller.
    """

    def __init__(self, split: Split, size: int, seed: int, rank: int, processes: int) -> None:
        self._split, self.size, self._seed = split, size, seed
        self._rank, self._processes = rank, processes
        self.per_epoch = -(-len(split) // size)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def at(self, step: int) -> tuple[Tensor, Tensor, int]:
        """This process's ``x``, ``y`` of a step (from 0), and the rows of the whole batch."""
        epoch, number = divmod(step, self.per_epoch)
        rows = min(self.size, len(self._split) - number * self.size)
        start, end = (number * self.size + cut for cut in self._cuts(rows))
        if self.per_epoch == 1:
            return self._split.x[start:end], self._split.y[start:end], rows
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._permutation(epoch)
        index = self._order[start:end]
        return self._split.x[index], self._split.y[index], rows

    def _cuts(self, rows: int) -> tuple[int, int]:
        return rows * self._rank // self._processes, rows * (self._rank + 1) // self._processes

    def _permutation(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed_of(self._seed, epoch))
        return torch.randperm(len(self._split), generator=generator).to(self._split.x.device)


def seed_of(*parts: int) -> int:
    """One seed of several numbers, well mixed (NumPy's SeedSequence): 63 bits."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
