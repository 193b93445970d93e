"""Bytes that must move and operations that must be done: what a roofline needs, on paper.

A layer ``n -> m`` is a matrix product (``nn.Linear``) and an element-wise pass. Every pass reads
its operands and writes its results once; small things that stay in a cache (the MLP's weights, the
table at the knots) move no bytes. An operation is an addition, a multiplication or a comparison; a
division, an exponential, a sine count as many as their polynomials have. With a bandwidth and a
rate, a pass takes at least the longer of its two times (Williams, Waterman and Patterson, Commun.
ACM 52, 65, 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Path = Literal["knots", "exact", "gelu"]
_PLACE = 6  # scale, floor, subtract, clamp, subtract
_CIRCLE = 40  # cosine and sine of one angle: reduction, two polynomials, the quadrant
_TANH = 20
_GELU = 25  # x times half of 1 + erf
_TERMS = 8  # coefficients a cell


@dataclass(frozen=True, slots=True)
class Shape:
    """A layer and its batch.

    Attributes:
        n: features in.
        m: features out.
        batch: rows.
        outputs: values an element, k.
        reuploads: L.
        hidden: width of the MLP.
        depth: its hidden layers.
        itemsize: bytes a number.
    """

    n: int
    m: int
    batch: int
    outputs: int = 2
    reuploads: int = 4
    hidden: int = 32
    depth: int = 2
    itemsize: int = 4


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over memory.

    Attributes:
        name: what it does.
        bytes: that must move.
        operations: that must be done.
        products: of these, those of matrix products.
    """

    name: str
    bytes: int
    operations: int
    products: int = 0


def passes(shape: Shape, path: Path, *, training: bool = False) -> tuple[Pass, ...]:
    """The passes of one call, or of one training step.

    Args:
        shape: the layer and its batch.
        path: ``"knots"`` interpolates (:mod:`qrun_equiv.scale.knots`); ``"exact"`` is re-upload
            and MLP, fused (:mod:`qrun_equiv.scale.element`), computed again in the backward pass;
            ``"gelu"`` is ``nn.Linear`` of the same widths and GELU.
        training: backward, too, with gradients of inputs and all parameters.

    Raises:
        ValueError: an unknown path.
    """
    if path not in get_args(Path):
        choices = ", ".join(map(repr, get_args(Path)))
        msg = f"unknown path {path!r}; choose one of {choices}"
        raise ValueError(msg)
    outputs = 1 if path == "gelu" else shape.outputs
    units = shape.m // outputs
    elements, size = shape.batch * units, shape.itemsize
    x, weight, z = (size * c for c in (shape.batch * shape.n, units * shape.n, elements))
    bias, out = size * units, size * elements * outputs
    product = 2 * elements * shape.n
    forward, backward, mlp = _element(shape, path)
    found = [
        Pass("linear", x + weight + bias + z, product + elements, product),
        Pass("element", z + out, elements * forward, elements * mlp),
    ]
    if training:
        found += [
            # reads the phases and the gradients of the values, writes those of the phases
            Pass("element backward", z + out + z, elements * backward, 3 * elements * mlp),
            Pass("input gradient", z + weight + x, product, product),
            Pass("weight gradient", z + x + weight + bias, product + elements, product),
        ]
    return tuple(found)


def bytes_moved(shape: Shape, path: Path, *, training: bool = False) -> int:
    """Bytes that must move, all passes together."""
    return sum(part.bytes for part in passes(shape, path, training=training))


def operations(shape: Shape, path: Path, *, training: bool = False) -> int:
    """Operations that must be done, all passes together."""
    return sum(part.operations for part in passes(shape, path, training=training))


def saved_bytes(shape: Shape, path: Path) -> int:
    """Activations kept for the backward pass: inputs, and phases (GELU: its arguments)."""
    units = shape.m if path == "gelu" else shape.m // shape.outputs
    return shape.itemsize * shape.batch * (shape.n + units)


def seconds(
    shape: Shape,
    path: Path,
    *,
    bandwidth: float,
    rate: float,
    product_rate: float | None = None,
    training: bool = False,
) -> float:
    """Least time of a device.

    Args:
        shape: the layer and its batch.
        path: see :func:`passes`.
        bandwidth: bytes a second.
        rate: operations a second.
        product_rate: operations a second in matrix products, where it differs (tensor cores).
        training: backward, too.
    """
    total = 0.0
    for part in passes(shape, path, training=training):
        rest = (part.operations - part.products) / rate
        total += max(part.bytes / bandwidth, part.products / (product_rate or rate) + rest)
    return total


def _element(shape: Shape, path: Path) -> tuple[int, int, int]:
    """Operations an element, forward and backward, and those of the MLP's products, once."""
    k = shape.outputs
    if path == "gelu":
        return _GELU, 2 * _GELU, 0
    if path == "knots":
        # Horner; slopes and their sum; powers, and a term of each of 8 k moments
        forward = _PLACE + 2 * (_TERMS - 1) * k
        slope = _PLACE + 2 * (_TERMS - 2) * k + 2 * k
        return forward, slope + (_TERMS - 2) + 2 * _TERMS * k, 0
    inputs, hidden, depth = 2 * shape.reuploads, shape.hidden, shape.depth
    mlp = 2 * (inputs * hidden + (depth - 1) * hidden**2 + hidden * k)
    units = hidden * depth
    forward = mlp + shape.reuploads * _CIRCLE + units * (1 + _TANH) + k
    # again forward; errors through the activations; sums of biases, scales and the phase
    backward = forward + 2 * mlp + 3 * units + units + k + 7 * shape.reuploads
    return forward, backward, mlp
