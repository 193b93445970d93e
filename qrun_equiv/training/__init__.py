"""Training of networks of Q-RUN layers, and of the baselines beside them.

One code for a CPU, a GPU, and several GPUs and nodes under ``torchrun``, by Lightning Fabric::

    import qrun_equiv.training as training

    config = training.read_config("my.toml")
    outcome = training.train(config, "my-run")
    module = training.load("my-run")            # in the units of the data

The same as ``qrun-equiv train my.toml --out my-run``. ``example.toml`` beside this file shows the
format, :mod:`qrun_equiv.training.config` tells every key.
"""

from __future__ import annotations

from qrun_equiv.training.command import train_command
from qrun_equiv.training.config import Config, DataConfig, TrainConfig, make_config, read_config
from qrun_equiv.training.errors import ConfigError, TrainingError
from qrun_equiv.training.layers import build
from qrun_equiv.training.run import Outcome, train
from qrun_equiv.training.trained import Trained, load

__all__ = [
    "Config",
    "ConfigError",
    "DataConfig",
    "Outcome",
    "TrainConfig",
    "Trained",
    "TrainingError",
    "build",
    "load",
    "make_config",
    "read_config",
    "train",
    "train_command",
]
