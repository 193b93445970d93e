"""A re-uploading circuit as a polynomial in exp(ix): quantum signal processing.

Sources: Low and Chuang, Phys. Rev. Lett. 118, 010501 (2017); Haah, Quantum 3, 190 (2019), for the
form with Laurent polynomials; Yu et al., arXiv:2205.07848, for its use on re-uploading circuits.

Mathematics. Encodings ``RZ(x) = diag(e^(-ix/2), e^(ix/2))`` only shift powers: the amplitudes of
the qubit are ``e^(-iLx/2) (P(z), Q(z))``, polynomials in ``z = e^(ix)`` of degree at most L, whose
coefficients follow the recursion

    (P, Q)  ->  W_l (P, z Q),      W_l = RY(b_l) RX(a_l), trainable,

from ``(P, Q) = W_0 (1, 0)``. Then ``<Z> = |P|^2 - |Q|^2`` and ``|P|^2 = sum_k r_k e^(ikx)`` with
the autocorrelation ``r_k`` of the coefficients. The counterpart computes coefficients once, for
all x.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

LAYERS = 5


def pennylane_circuit(x, theta):
    for layer in range(LAYERS + 1):
        if layer:
            qml.RZ(x[0], wires=0)
        qml.RX(theta[2 * layer], wires=0)
        qml.RY(theta[2 * layer + 1], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2 * LAYERS + 2)
    circuit = QuantumCircuit(1)
    for layer in range(LAYERS + 1):
        if layer:
            circuit.rz(x[0], 0)
        circuit.rx(theta[2 * layer], 0)
        circuit.ry(theta[2 * layer + 1], 0)
    return circuit


def block(p, q, a, b):
    """``RY(b) RX(a)`` on the coefficients of both polynomials."""
    c, s = torch.cos(a / 2), torch.sin(a / 2)
    p, q = c * p - 1j * s * q, c * q - 1j * s * p
    c, s = torch.cos(b / 2), torch.sin(b / 2)
    return c * p - s * q, s * p + c * q


def counterpart(x, theta):
    p = torch.ones(1, dtype=torch.complex128)
    q = torch.zeros(1, dtype=torch.complex128)
    p, q = block(p, q, theta[0], theta[1])
    zero = torch.zeros(1, dtype=torch.complex128)
    for layer in range(1, LAYERS + 1):
        p, q = torch.cat([p, zero]), torch.cat([zero, q])  # (P, z Q), one degree higher
        p, q = block(p, q, theta[2 * layer], theta[2 * layer + 1])
    total = torch.zeros_like(x[:, 0])
    for k in range(LAYERS + 1):
        n = LAYERS + 1 - k
        r = torch.sum(p[k:] * p[:n].conj() - q[k:] * q[:n].conj())
        if k == 0:
            total = total + r.real
        else:
            total = total + 2 * (r.real * torch.cos(k * x[:, 0]) - r.imag * torch.sin(k * x[:, 0]))
    return total


pair = Pair(
    name="signal-processing",
    summary="Five RZ encodings as polynomials in exp(ix), coefficients by recursion.",
    mathematics="<Z> = sum_k (p*p - q*q)_k e^(ikx), (P, Q) -> W_l (P, zQ), z = e^(ix)",
    source="Low, Chuang, Phys. Rev. Lett. 118, 010501 (2017); Haah, Quantum 3, 190 (2019)",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=2 * LAYERS + 2,
)
