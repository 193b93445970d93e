"""Pairs, certificates and inputs that the tests of streaming share."""

from __future__ import annotations

import os
import signal
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import pennylane as qml
import torch

from qrun_equiv.pair import Pair
from qrun_equiv.streaming import run

THETA = [0.3, -0.7]


def circuit(x, theta):
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    qml.RX(theta[1] + x[1], wires=1)
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def counterpart(x, theta):
    first = torch.cos(x[:, 0]) * torch.cos(theta[0])
    return torch.stack([first, torch.cos(theta[1] + x[:, 1])], dim=1)


def expected(x, theta=THETA):
    """What the pair is, in numpy."""
    return np.stack([np.cos(x[:, 0]) * np.cos(theta[0]), np.cos(theta[1] + x[:, 1])], axis=1)


def make_pair(name="two", **changed):
    given = {
        "pennylane": circuit,
        "counterpart": counterpart,
        "n_features": 2,
        "n_parameters": 2,
        "trained": THETA,
    }
    return Pair(name=name, **(given | changed))


def rows(count, seed=0, features=2):
    return np.random.default_rng(seed).uniform(-6, 6, (count, features))


def forked(*args, pause=0.0, **options):
    """The process id of a run in a process of its own, that can be killed at any time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forking beside threads: the child uses none of them
        number = os.fork()
    if number:
        return number
    code = 1
    try:
        run(*args, progress=lambda *_: time.sleep(pause), **options)
        code = 0
    except BaseException:  # noqa: BLE001 - this process ends here
        traceback.print_exc()
    finally:
        os._exit(code)


def kill_when(number: int, reached) -> None:
    """SIGKILL a process as soon as ``reached()``."""
    deadline = time.monotonic() + 30
    while not reached():
        done, status = os.waitpid(number, os.WNOHANG)
        assert not done, f"the run ended before it was killed (status {status})"
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.001)
    os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def beside(output: Path, name: str) -> Path:
    return output.with_name(f"{output.name}.{name}")
