"""What can be wrong with a training run."""

from __future__ import annotations

from qrun_equiv.errors import QrunEquivError


class ConfigError(QrunEquivError):
    """A training file says something that can't be."""


class TrainingError(QrunEquivError):
    """A training run can't start, go on or be read back."""


def missing(package: str, purpose: str) -> ConfigError:
    """The error for an optional package that is not installed."""
    command = "pip install -c constraints.txt 'qrun-equiv[scale]'"
    return ConfigError(f"{purpose} needs the package {package}: {command}")
