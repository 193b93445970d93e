"""Optimizers and the learning rate as a function of the step alone."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from qrun_equiv.training.config import TrainConfig


def make_optimizer(
    config: TrainConfig, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """The optimizer of ``[train]``."""
    weights = list(parameters)
    if config.optimizer == "lbfgs":
        return torch.optim.LBFGS(weights, lr=config.lr, line_search_fn="strong_wolfe")
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            weights, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
    cls = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return cls(weights, lr=config.lr, weight_decay=config.weight_decay)


def total_steps(config: TrainConfig, per_epoch: int) -> int:
    """Number of steps of the whole training."""
    return config.steps or config.epochs * per_epoch


def learning_rate(config: TrainConfig, step: int, per_epoch: int) -> float:
    """Rate of step ``step``, counted from 0; nothing else decides it, so nothing is to be saved.

    Cosine annealing is Loshchilov and Hutter, arXiv:1608.03983, equation 5, without restarts, over
    the steps after the warm-up.
    """
    unit = per_epoch if config.epochs else 1
    warmup = config.warmup * unit
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    if config.schedule == "cosine":
        done = (step - warmup) / (total_steps(config, per_epoch) - warmup)
        return config.lr_min + (config.lr - config.lr_min) * 0.5 * (1 + math.cos(math.pi * done))
    if config.schedule == "step":
        return config.lr * config.decay ** ((step - warmup) // (config.decay_every * unit))
    return config.lr
