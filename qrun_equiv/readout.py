"""Readouts: what the observable of a circuit computes from the Q-RUN features of one element.

The *features* of one element are the cosines and sines of its ``L`` angles (radians), one tensor
of shape ``[..., L, 2]``: ``features[..., l, 0] = cos(angle_l)``, ``features[..., l, 1] =
sin(angle_l)``. These are ``<Z>`` and ``<X>`` of ``L`` qubits prepared by ``RY(angle_l)|0>``. A
readout maps them to ``[..., outputs]``. An expectation value is affine in ``(1, cos, sin)`` of each
encoding angle separately, so all readouts but the last are instances of

    f_k = sum over t in {0, 1, 2}^L of  T[k, t_1, ..., t_L] * prod_l (1, cos_l, sin_l)[t_l]

and form a ladder, each an exact counterpart of a class of circuits:

- :class:`Linear`: product state, a sum of single-qubit observables;
- :class:`Product`: product state, one product observable (``Z x Z x ... x Z``);
- :class:`MatrixProduct`: any data re-uploading circuit, its Pauli transfer matrices as cores;
- :class:`Multilinear`: product state of L qubits, any observable;
- :class:`MLP`: no circuit exactly; the readout of the published Q-RUN layer.

Initialisation: weights are drawn from torch's global generator. At *any* angles the outputs of the
four exact readouts have second moment exactly 1 over the draw, because each pair of features has
norm 1; those of the MLP have it about 1.

The forward passes use torch functions and arithmetic only, no tensor methods, so any object with
``__torch_function__`` and arithmetic (formal numbers, for instance) passes through them.

Sources: Schuld, Sweke and Meyer, PRA 103, 032430 (2021), for the expectation value as a partial
Fourier series; Qiao et al., arXiv:2512.20654, for the Q-RUN layer.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, TypedDict, Unpack

import torch
from torch import Tensor, nn

Activation = Literal["tanh", "relu"]
MAX_DENSE_REUPLOADS = 10  # 3^10 = 59 049 coefficients an output; each re-upload triples it

_ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


class Factory(TypedDict, total=False):
    """Where and in which floating type parameters are made: torch's two factory arguments."""

    device: torch.device | str | int | None
    dtype: torch.dtype | None


def check_factory(factory: Factory) -> None:
    """Raise a TypeError on other keywords than torch's two, or a dtype not real floating point."""
    unknown = sorted(factory.keys() - Factory.__annotations__.keys())
    if unknown:
        message = f"unexpected keyword argument {unknown[0]!r}"
        raise TypeError(message)
    dtype = factory.get("dtype")
    if dtype is not None and not dtype.is_floating_point:
        message = f"dtype must be real floating point, got {dtype}; use torch.float32 or float64"
        raise TypeError(message)


def positive_integer(name: str, value: object) -> int:
    """Return ``value`` as an int of at least 1; a TypeError or ValueError names it otherwise."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        message = f"{name} must be an integer, got {value!r}"
        raise TypeError(message)
    number = operator.index(value)
    if number < 1:
        message = f"{name} must be at least 1, got {number}"
        raise ValueError(message)
    return number


def check_name(what: str, value: object, valid: Iterable[str]) -> None:
    """Raise a ValueError that lists the valid names unless ``value`` is one of them."""
    names = tuple(valid)
    if value not in names:
        message = f"unknown {what} {value!r}; choose one of {', '.join(map(repr, names))}"
        raise ValueError(message)


def check_tensor(value: object, tail: tuple[int, ...], what: str) -> None:
    """Raise unless ``value`` is a real floating tensor whose shape ends with ``tail``.

    Objects that implement ``__torch_function__`` without being tensors are let through.

    Raises:
        TypeError: not a tensor, or its dtype is not real floating point.
        ValueError: its last axes differ from ``tail``.
    """
    if isinstance(value, Tensor):
        if not value.is_floating_point():
            message = f"{what} must be real floating point, got {value.dtype}; cast it: x.float()"
            raise TypeError(message)
        if value.ndim < len(tail) or value.shape[value.ndim - len(tail) :] != tail:
            expected = ", ".join(map(str, tail))
            message = f"{what}: expected shape [..., {expected}], got {list(value.shape)}"
            raise ValueError(message)
    elif not hasattr(type(value), "__torch_function__"):
        message = f"{what} must be a torch.Tensor, got {type(value).__name__}"
        raise TypeError(message)


def matrix_product(
    features: Tensor, left: Tensor, cores: Tensor | Sequence[Tensor], right: Tensor
) -> Tensor:
    """Evaluate ``f_k = left^T prod_l (C_l0 + cos_l C_l1 + sin_l C_l2) right_k``, l from 1 to L.

    With the initial Pauli vector as ``left``, (transposed) Pauli transfer matrices as cores and
    the Pauli vectors of the observables as columns of ``right`` this is any data re-uploading
    circuit of n qubits, with a bond of at most ``4^n``. All arguments may be functions of trainable
    parameters. No core at all is the constant ``left^T right_k``.

    Theorem: proofs/coq/Multilinear.v, matrix_product_readout.

    Args:
        features: cosines and sines of the L angles, ``[..., L, 2]``.
        left: boundary row, ``[D_1]``.
        cores: one core an angle, ``[L, 3, D, D]`` or a sequence of L tensors ``[3, D_l, D_{l+1}]``
            whose bonds may differ; the axis of length 3 goes with 1, cos, sin.
        right: one boundary column an output, ``[D_{L+1}, outputs]``.

    Returns:
        ``[..., outputs]``.

    Raises:
        ValueError: the number of cores is not L.
    """
    angles = torch.unbind(features, -2)
    if len(angles) != len(cores):
        message = f"{len(cores)} cores for features of {len(angles)} angles; pass one core an angle"
        raise ValueError(message)
    if not angles:
        return torch.matmul(left, right).expand(*features.shape[:-2], -1)
    row = left
    for angle, core in zip(angles, cores, strict=True):
        cos, sin = torch.split(angle, 1, -1)
        row = row @ core[0] + cos * (row @ core[1]) + sin * (row @ core[2])
    return row @ right


class Readout(nn.Module, ABC):
    """What the readouts share: sizes, the check of the input, the dense form. Abstract.

    Attributes:
        reuploads: L, the number of angles of one element.
        outputs: the number of values that the readout gives for one element.
    """

    def __init__(self, reuploads: int, outputs: int, factory: Factory) -> None:
        """Check the arguments that all readouts have, and keep the two sizes."""
        super().__init__()
        check_factory(factory)
        self.reuploads = positive_integer("reuploads", reuploads)
        self.outputs = positive_integer("outputs", outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Read floating ``features [..., L, 2]`` out to ``[..., outputs]`` of the same dtype."""
        check_tensor(features, (self.reuploads, 2), "features (cos, sin)")
        return self._read(features)

    @abstractmethod
    def _read(self, features: Tensor) -> Tensor:
        """What ``forward`` gives for features that were checked."""

    @abstractmethod
    def reset_parameters(self) -> None:
        """Draw the parameters anew, from torch's global generator."""

    def coefficients(self) -> Tensor:
        """The dense tensor T of an exact readout, ``[outputs, 3, ..., 3]``, differentiable.

        A multilinear function is known from its values where each pair of features is one of
        (0, 0), (1, 0) and (0, 1); T are the differences against (0, 0) along every axis.

        Theorem: proofs/coq/Multilinear.v, affine_in_each_gate.

        Raises:
            ValueError: more than ten re-uploads.
            TypeError: an MLP, which is not multilinear.
        """
        self._check_dense()
        weight = next(self.parameters())
        corners = torch.tensor([[0, 0], [1, 0], [0, 1]], dtype=weight.dtype, device=weight.device)
        choices = torch.cartesian_prod(*[torch.arange(3)] * self.reuploads)
        values = self(corners[choices.reshape(-1, self.reuploads)])
        dense: Tensor = values.mT.reshape(self.outputs, *(3,) * self.reuploads)
        for axis in range(1, self.reuploads + 1):
            base, cos, sin = torch.split(dense, 1, axis)
            dense = torch.cat((base, cos - base, sin - base), axis)
        return dense

    def _check_dense(self) -> None:
        if self.reuploads > MAX_DENSE_REUPLOADS:
            message = (
                f"{self.reuploads} re-uploads have 3^{self.reuploads} = {3**self.reuploads} dense "
                f"coefficients an output and the limit is 3^{MAX_DENSE_REUPLOADS}; use the "
                "matrix-product readout, which grows linearly, or fewer re-uploads"
            )
            raise ValueError(message)

    def extra_repr(self) -> str:
        """Name the sizes, for printing."""
        return f"reuploads={self.reuploads}, outputs={self.outputs}"


class Linear(Readout):
    """``f_k = a_k + sum_l (b_kl cos_l + c_kl sin_l)``: product state, sum of local observables.

    ``outputs (2 L + 1)`` parameters: ``weight [outputs, L, 2]`` (b, c) and ``bias [outputs]`` (a).

    Theorem: proofs/coq/Ladder.v, linear_readout.
    """

    def __init__(self, reuploads: int, *, outputs: int = 2, **factory: Unpack[Factory]) -> None:
        """Make the readout of ``reuploads`` angles; ``device`` and ``dtype`` as in torch."""
        super().__init__(reuploads, outputs, factory)
        self.weight = nn.Parameter(torch.empty(self.outputs, self.reuploads, 2, **factory))
        self.bias = nn.Parameter(torch.empty(self.outputs, **factory))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights from N(0, 1/L) and zero the bias."""
        nn.init.normal_(self.weight, std=self.reuploads**-0.5)
        nn.init.zeros_(self.bias)

    def _read(self, features: Tensor) -> Tensor:
        return nn.functional.linear(
            torch.flatten(features, -2), torch.flatten(self.weight, 1), self.bias
        )


class Product(Readout):
    """``f_k = prod_l (b_kl cos_l + c_kl sin_l)``: product state and product observable.

    One traceless observable ``b Z + c X`` a qubit, ``Z x Z x ... x Z`` for instance; there is no
    constant (for factors ``a + b cos + c sin``, the identity included, take a
    :class:`MatrixProduct` of bond 1 an output). ``2 L outputs`` parameters:
    ``weight [outputs, L, 2]``.

    Theorem: proofs/coq/Ladder.v, product_readout.
    """

    def __init__(self, reuploads: int, *, outputs: int = 2, **factory: Unpack[Factory]) -> None:
        """Make the readout of ``reuploads`` angles; ``device`` and ``dtype`` as in torch."""
        super().__init__(reuploads, outputs, factory)
        self.weight = nn.Parameter(torch.empty(self.outputs, self.reuploads, 2, **factory))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw each (b, c) uniformly from the circle of radius sqrt 2.

        Products are heavy-tailed: the second moment is 1, the typical value shrinks with L.
        """
        with torch.no_grad():
            direction = torch.empty_like(self.weight[..., 0]).uniform_(0, 2 * math.pi)
            self.weight.copy_(math.sqrt(2) * torch.stack((direction.cos(), direction.sin()), -1))

    def _read(self, features: Tensor) -> Tensor:
        # multiplied one by one: the gradient of torch.prod looks for zeros, which stalls a GPU
        pairs = zip(torch.unbind(features, -2), torch.unbind(self.weight, 1), strict=True)
        factors = [nn.functional.linear(angle, weight) for angle, weight in pairs]
        return math.prod(factors[1:], start=factors[0])


class MatrixProduct(Readout):
    """:func:`matrix_product` with trainable cores: any data re-uploading circuit has this form.

    ``bond + 3 L bond^2 + bond outputs`` parameters: ``left [bond]``, ``cores [L, 3, bond, bond]``,
    ``right [bond, outputs]``. A bond of 4 holds all circuits of one qubit, ``4^n`` of n qubits.

    Theorem: proofs/coq/Universality.v, universality_matrix_product.
    """

    def __init__(
        self, reuploads: int, *, outputs: int = 2, bond: int = 4, **factory: Unpack[Factory]
    ) -> None:
        """Make the readout of ``reuploads`` angles; ``device`` and ``dtype`` as in torch."""
        super().__init__(reuploads, outputs, factory)
        self.bond = positive_integer("bond", bond)
        shape = (self.reuploads, 3, self.bond, self.bond)
        self.left = nn.Parameter(torch.empty(self.bond, **factory))
        self.cores = nn.Parameter(torch.empty(shape, **factory))
        self.right = nn.Parameter(torch.empty(self.bond, self.outputs, **factory))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw left of norm 1, cores of random rotations over sqrt 2, right from N(0, 1).

        Rotations spread the output's size over the draws less than normal entries do.
        """
        shape, device = self.cores.shape, self.cores.device
        with torch.no_grad():
            self.left.copy_(nn.functional.normalize(torch.randn(self.bond, device=device), dim=0))
            # in float32 at least: half types have no QR; the signs make the rotations uniform
            rotations, upper = torch.linalg.qr(torch.randn(shape, device=device))
            signs = upper.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
            self.cores.copy_(rotations * signs / math.sqrt(2))
            self.right.normal_()

    def _read(self, features: Tensor) -> Tensor:
        return matrix_product(features, self.left, self.cores, self.right)

    def extra_repr(self) -> str:
        """Name the sizes, for printing."""
        return f"{super().extra_repr()}, bond={self.bond}"


class Multilinear(Readout):
    """The dense form: any observable of L qubits in a product state; ``weight`` is T itself.

    ``outputs 3^L`` parameters, ``weight [outputs, 3, ..., 3]``. The monomials of the two halves of
    the angles meet in one matrix product: an element takes memory of order ``outputs 3^(L/2)``.

    Theorem: proofs/coq/Ladder.v, dense_readout, dense_readout_of_observable.
    """

    def __init__(self, reuploads: int, *, outputs: int = 2, **factory: Unpack[Factory]) -> None:
        """Make the readout of ``reuploads`` angles, ten at most (ValueError above)."""
        super().__init__(reuploads, outputs, factory)
        self._check_dense()
        shape = (self.outputs, *(3,) * self.reuploads)
        self.weight = nn.Parameter(torch.empty(shape, **factory))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw coefficients from N(0, 2^-L): the squares of all monomials add to 2^L."""
        nn.init.normal_(self.weight, std=2 ** (-self.reuploads / 2))

    def _read(self, features: Tensor) -> Tensor:
        half = self.reuploads // 2
        angles, rows = torch.unbind(features, -2), 3**half
        matrix = torch.reshape(self.weight, (self.outputs * rows, 3 ** (self.reuploads - half)))
        contracted = nn.functional.linear(_monomials(angles[half:]), matrix)
        if not half:
            return contracted
        contracted = torch.unflatten(contracted, -1, (self.outputs, rows))
        return torch.sum(contracted * torch.unsqueeze(_monomials(angles[:half]), -2), -1)


def _monomials(angles: Sequence[Tensor]) -> Tensor:
    """All products of (1, cos, sin) of at least one angle: n tensors [..., 2] to [..., 3^n]."""
    triples = [torch.cat((torch.ones_like(angle[..., :1]), angle), -1) for angle in angles]
    result = triples[0]
    for triple in triples[1:]:
        result = torch.flatten(torch.unsqueeze(result, -1) * torch.unsqueeze(triple, -2), -2)
    return result


class MLP(Readout):
    """The published readout: ``2L -> hidden -> ... -> hidden -> outputs``, affine with tanh.

    ``depth`` hidden layers; the paper has two with tanh, and one with ReLU (6-32-2) in its language
    task. With h = hidden, ``(2L + 1) h + (depth - 1)(h + 1) h + (h + 1) outputs`` parameters. Its
    inputs are ordered cos_1, sin_1, cos_2, ... For the initialisation of the published code, call
    ``reset_parameters`` of each ``nn.Linear`` in ``layers``; its outputs are small, about 0.1.
    """

    def __init__(
        self,
        reuploads: int,
        *,
        hidden: int = 32,
        depth: int = 2,
        outputs: int = 2,
        activation: Activation = "tanh",
        **factory: Unpack[Factory],
    ) -> None:
        """Make the readout of ``reuploads`` angles; ``device`` and ``dtype`` as in torch."""
        super().__init__(reuploads, outputs, factory)
        self.hidden = positive_integer("hidden", hidden)
        self.depth = positive_integer("depth", depth)
        check_name("activation", activation, _ACTIVATIONS)
        self.activation = activation
        widths = [2 * self.reuploads, *[self.hidden] * self.depth, self.outputs]
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            layers += [nn.Linear(fan_in, fan_out, **factory), _ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers[:-1])
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw normal weights and zero the biases.

        The variance is 1/L in the first layer (its inputs have squared norm L) and gain^2/hidden
        in the others, with torch's gain of the activation.
        """
        gain = math.sqrt(2)
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=gain * layer.in_features**-0.5)
                nn.init.zeros_(layer.bias)
                gain = nn.init.calculate_gain(self.activation)

    def _read(self, features: Tensor) -> Tensor:
        values: Tensor = self.layers(torch.flatten(features, -2))
        return values

    def _check_dense(self) -> None:
        message = "an MLP is not multilinear and has no dense form; ask an exact readout"
        raise TypeError(message)
