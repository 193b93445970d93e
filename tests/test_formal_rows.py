"""Code that decides by the number of rows is not proved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import serial_counterpart, serial_qnode

import qrun_equiv as qe
from qrun_equiv.certificate import Status
from qrun_equiv.errors import FormalError
from qrun_equiv.formal_rows import ROWS, check

X = np.linspace(-1.0, 1.0, 2 * ROWS).reshape(ROWS, 2)


def chosen(condition):
    return lambda x: x[:, 0] * (2 if condition(x) else 1)


HONEST = {
    "sizes": lambda x: x[:, 0] + torch.zeros(x.shape[0], dtype=x.dtype),
    "reshape": lambda x: x.reshape(x.shape[0], -1).sum(1),
    "columns": chosen(lambda x: x.shape[1] == 2),
    "axes": chosen(lambda x: x.ndim == 2),
    "a loop over rows": lambda x: torch.stack([x[i].sum() for i in range(x.size(0))]),
    "the same rows": chosen(lambda x: x.shape == torch.cos(x).shape),
    "an observable's layer": qe.QRUN(
        2, 1, outputs_per_element=1, dtype=torch.float64, path="exact"
    ),
}
DECIDING = {
    "equal": lambda x: x.shape[0] == 24,
    "swapped": lambda x: 24 == x[:, 0].shape[0],  # noqa: SIM300
    "greater": lambda x: x.size(0) > 8,
    "whole shape": lambda x: x.shape == (24, 2),
    "unpacked": lambda x: list(x.shape)[0] < 3,  # noqa: RUF015
    "numel": lambda x: x.numel() // 2 == 24,
    "odd": lambda x: x.shape[0] % 2 == 1,
    "transposed": lambda x: x.T.shape[-1] >= 24,
    "hashed": lambda x: {24: True}.get(x.shape[0], False),
    "truth": lambda x: x.shape[0] - 24,
    "len": lambda x: len(x) == 24,
    "min": lambda x: min(x.shape[0], 5) == 5,
}


@pytest.mark.parametrize("name", HONEST)
def test_computing_with_the_number_of_rows_is_fine(name):
    check(HONEST[name], [X])


@pytest.mark.parametrize("name", DECIDING)
def test_deciding_by_it_is_not(name):
    with pytest.raises(FormalError, match="number of rows"):
        check(chosen(DECIDING[name]), [X])


def test_an_error_of_the_code_is_told():
    with pytest.raises(FormalError, match="ZeroDivisionError"):
        check(lambda x: x / (1 // 0), [X])


@pytest.mark.parametrize("rows", [24, 72, 1000])
def test_such_a_counterpart_is_never_proved(rows):
    def wrong(x, theta):
        return serial_counterpart(x, theta) + (1.0 if x.shape[0] == rows else 0.0)

    for options in ({}, {"parameters": [0.1, 0.2, 0.3]}):
        verdict = qe.verify(serial_qnode(), wrong, gradients=(), **options)
        assert verdict.status not in {Status.PROVED, Status.CERTIFIED}
