"""The verdict ``proved``: outputs by identity, the code's own gradients by autograd."""

from __future__ import annotations

import pennylane as qml
import pytest
import torch

import qrun_equiv as qe
from qrun_equiv.certificate import Status


@qml.qnode(qml.device("default.qubit", wires=1))
def circuit(x, theta):
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    return qml.expval(qml.Z(0))


def right(x, theta):
    return torch.cos(x[:, 0]) * torch.cos(theta[0])


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.cos(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -2 * torch.sin(x) * grad


def test_the_right_function_is_proved():
    assert qe.verify(circuit, right, level="proved").status == Status.PROVED


@pytest.mark.parametrize(
    "counterpart",
    [
        lambda x, theta: right(x.detach(), theta),
        lambda x, theta: right(x, theta.detach()),
        lambda x, theta: right(x, theta) + (x.detach() - x)[:, 0],
        lambda x, theta: WrongBackward.apply(x[:, 0]) * torch.cos(theta[0]),
        torch.no_grad()(right),
    ],
)
def test_a_wrong_gradient_of_right_outputs_is_refuted(counterpart):
    assert qe.verify(circuit, counterpart, level="proved").status == Status.REFUTED


@pytest.mark.parametrize(
    "counterpart",
    [
        lambda x, theta: torch.cos(torch.remainder(x[:, 0], 2 * torch.pi)) * torch.cos(theta[0]),
        lambda x, theta: right(x, theta) * (1 + 1e-12),
        lambda x, theta: right(torch.where(x > 1e6, 2 * x, x), theta),
    ],
)
def test_agreement_without_an_identity_is_not_proved(counterpart):
    assert qe.verify(circuit, counterpart).status != Status.PROVED
    assert qe.verify(circuit, counterpart, level="proved").status != Status.PROVED


@pytest.mark.parametrize("level", ["auto", "proved"])
def test_a_refusal_inside_no_grad_leaves_gradients_on(level):
    def refused(x, theta):
        with torch.no_grad():
            torch.tanh(x)  # no polynomial: left by an exception that the code doesn't see
        return right(x, theta)

    verdict = qe.verify(circuit, refused, level=level)
    assert torch.is_grad_enabled()
    assert verdict.status == (Status.SAMPLED if level == "auto" else Status.UNDECIDED)
