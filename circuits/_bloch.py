"""The Bloch vector of one qubit under rotations, written out.

A vector ``(X, Y, Z)`` holds the expectation values of the three Pauli operators, each a number or
a tensor; ``|0>`` is ``(0, 0, 1)``. A rotation ``exp(-i a P / 2)`` turns it about the axis of P by
the angle a, right-handed (Nielsen and Chuang, exercise 4.6).
"""

import torch

ZERO_STATE = (0.0, 0.0, 1.0)


def rx(vector, angle):
    x, y, z = vector
    c, s = torch.cos(angle), torch.sin(angle)
    return x, c * y - s * z, s * y + c * z


def ry(vector, angle):
    x, y, z = vector
    c, s = torch.cos(angle), torch.sin(angle)
    return c * x + s * z, y, c * z - s * x


def rz(vector, angle):
    x, y, z = vector
    c, s = torch.cos(angle), torch.sin(angle)
    return c * x - s * y, s * x + c * y, z


def rot(vector, angles):
    """``Rot(phi, theta, omega) = RZ(omega) RY(theta) RZ(phi)``: RZ(phi) comes first in time."""
    return rz(ry(rz(vector, angles[0]), angles[1]), angles[2])
