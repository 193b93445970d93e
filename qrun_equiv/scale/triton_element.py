# Kernels are no Python functions: their arguments have the types that a launch gives them.
# Triton can't unpack with a star, and its tuples change their length where loops are unrolled.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,import-untyped,no-untyped-call"
# mypy: disable-error-code="assignment,misc"
# ruff: noqa: ANN001, ANN202, RUF005

"""Triton kernels for :mod:`qrun_equiv.scale.element`: re-upload and MLP readout, fused.

A program holds the weights of the small MLP and takes block after block of elements: features and
hidden activations live in its registers and are computed again in the backward pass, so that per
element only the phase, the values and their gradients move through memory. The gradient of the
parameters is summed in registers, written once a program, and added over programs in float64, in a
fixed order: the same bits at every run.

Numbers: :mod:`qrun_equiv.scale.triton_functions`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from qrun_equiv.scale.triton_functions import INTERPRETED, activated, circle, product

if TYPE_CHECKING:
    from qrun_equiv.scale.element import Parts

_ROOMY = 160 << 10  # bytes of shared memory a program that large blocks of wide layers may need


@triton.jit
def _affine(
    start, D: tl.constexpr, DEPTH: tl.constexpr,
    ANGLES: tl.constexpr, HIDDEN: tl.constexpr, OUTPUTS: tl.constexpr,
):  # fmt: skip
    """Where layer D lies in the padded parameters: its weight transposed, and its bias."""
    ROWS: tl.constexpr = 2 * ANGLES if D == 0 else HIDDEN
    UNITS: tl.constexpr = OUTPUTS if D == DEPTH else HIDDEN
    before: tl.constexpr = ANGLES + (D > 0) * (2 * ANGLES + 1) * HIDDEN
    more: tl.constexpr = (D > 1) * (D - 1) * (HIDDEN + 1) * HIDDEN
    row, unit = tl.arange(0, ROWS)[:, None], tl.arange(0, UNITS)
    weight = start + (before + more) + row * UNITS + unit[None, :]
    return weight, start + (before + more + ROWS * UNITS) + unit


@triton.jit
def _layers(
    features, parameters, DEPTH: tl.constexpr,
    ANGLES: tl.constexpr, HIDDEN: tl.constexpr,
    OUTPUTS: tl.constexpr, TANH: tl.constexpr, PRECISION: tl.constexpr, EMULATE: tl.constexpr,
):  # fmt: skip
    """Inputs of all layers, and the last one's values: ``[B, OUTPUTS]``."""
    inputs = (features,)
    for d in tl.static_range(DEPTH):
        weight, bias = _affine(parameters, d, DEPTH, ANGLES, HIDDEN, OUTPUTS)
        sums = product(inputs[d], tl.load(weight), d > 0, PRECISION, EMULATE)
        sums += tl.load(bias)[None, :]
        inputs = inputs + (activated(sums, TANH),)
    weight, bias = _affine(parameters, DEPTH, DEPTH, ANGLES, HIDDEN, OUTPUTS)
    values = product(inputs[DEPTH], tl.load(weight), False, PRECISION, EMULATE)
    return inputs, values + tl.load(bias)[None, :]


@triton.jit
def _forward(
    phases, parameters, out, count, steps,
    K: tl.constexpr, DEPTH: tl.constexpr, ANGLES: tl.constexpr, HIDDEN: tl.constexpr,
    OUTPUTS: tl.constexpr, TANH: tl.constexpr, PRECISION: tl.constexpr, EMULATE: tl.constexpr,
    SINE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Values ``[count, K]`` at ``phases [count]``."""
    real = parameters.dtype.element_ty
    angle, output = tl.arange(0, ANGLES), tl.arange(0, OUTPUTS)[None, :]
    scales = tl.load(parameters + angle)
    start, stride = tl.program_id(0).to(tl.int64) * BLOCK, tl.num_programs(0).to(tl.int64) * BLOCK
    for step in range(steps):
        at = start + step * stride + tl.arange(0, BLOCK)
        inside = at < count
        phi = tl.load(phases + at, mask=inside, other=0.0).to(real)
        cos, sin = circle(phi, scales)
        inputs, values = _layers(  # noqa: RUF059
            tl.interleave(cos, sin), parameters, DEPTH, ANGLES, HIDDEN, OUTPUTS,
            TANH, PRECISION, EMULATE,
        )  # fmt: skip
        if SINE:
            values = tl.sin(values)
        keep = inside[:, None] & (output < K)
        tl.store(out + at[:, None] * K + output, values.to(out.dtype.element_ty), mask=keep)


@triton.jit
def _backward(
    phases, parameters, grad, slopes, sums, count, steps, size,
    K: tl.constexpr, DEPTH: tl.constexpr, ANGLES: tl.constexpr, HIDDEN: tl.constexpr,
    OUTPUTS: tl.constexpr, TANH: tl.constexpr, PRECISION: tl.constexpr, EMULATE: tl.constexpr,
    SINE: tl.constexpr, SLOPE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients of the phases, and of all parameters: ``sums [programs, size]``."""
    real = parameters.dtype.element_ty
    angle, output = tl.arange(0, ANGLES), tl.arange(0, OUTPUTS)[None, :]
    scales = tl.load(parameters + angle)
    by_scale = tl.zeros_like(scales)
    by_weight = (tl.zeros((2 * ANGLES, HIDDEN), real),)
    by_bias = (tl.zeros((HIDDEN,), real),)
    for d in tl.static_range(DEPTH - 1):  # noqa: B007 (a name of its own: Triton types names)
        by_weight = by_weight + (tl.zeros((HIDDEN, HIDDEN), real),)
        by_bias = by_bias + (tl.zeros((HIDDEN,), real),)
    by_weight = by_weight + (tl.zeros((HIDDEN, OUTPUTS), real),)
    by_bias = by_bias + (tl.zeros((OUTPUTS,), real),)
    start, stride = tl.program_id(0).to(tl.int64) * BLOCK, tl.num_programs(0).to(tl.int64) * BLOCK
    for step in range(steps):
        at = start + step * stride + tl.arange(0, BLOCK)
        inside = at < count
        phi = tl.load(phases + at, mask=inside, other=0.0).to(real)
        cos, sin = circle(phi, scales)
        inputs, values = _layers(
            tl.interleave(cos, sin), parameters, DEPTH, ANGLES, HIDDEN, OUTPUTS,
            TANH, PRECISION, EMULATE,
        )  # fmt: skip
        keep = inside[:, None] & (output < K)
        error = tl.load(grad + at[:, None] * K + output, mask=keep, other=0.0).to(real)
        if SINE:
            error *= tl.cos(values)
        # errors run back through the layers; both tuples are built anew, from the last layer on
        new_weight, new_bias = (), ()
        for i in tl.static_range(DEPTH + 1):
            before = inputs[DEPTH - i]
            term = product(tl.trans(before), error, (i > 0) & (i < DEPTH), PRECISION, EMULATE)
            new_weight = (by_weight[DEPTH - i] + term,) + new_weight
            new_bias = (by_bias[DEPTH - i] + tl.sum(error, 0),) + new_bias
            weight, bias = _affine(parameters, DEPTH - i, DEPTH, ANGLES, HIDDEN, OUTPUTS)
            error = product(
                error, tl.trans(tl.load(weight)), (i > 0) & (i < DEPTH), PRECISION, EMULATE
            )
            if i < DEPTH:
                if TANH:
                    error *= 1.0 - before * before
                else:
                    error = tl.where(before > 0, error, 0.0)
        by_weight, by_bias = new_weight, new_bias
        of_cos, of_sin = tl.split(tl.reshape(error, (BLOCK, ANGLES, 2)))
        by_angle = of_sin * cos - of_cos * sin
        by_scale += tl.sum(by_angle * phi[:, None], 0)
        if SLOPE:
            slope = tl.sum(by_angle * scales[None, :], 1)
            tl.store(slopes + at, slope.to(slopes.dtype.element_ty), mask=inside)
    target = sums + tl.program_id(0).to(tl.int64) * size
    tl.store(target + angle, by_scale)
    for d in tl.static_range(DEPTH + 1):
        weight, bias = _affine(target, d, DEPTH, ANGLES, HIDDEN, OUTPUTS)
        tl.store(weight, by_weight[d])
        tl.store(bias, by_bias[d])


def forward(phi: Tensor, parts: Parts, precision: str) -> Tensor:
    """Values ``[n, k]`` at phases ``[n]``, in their dtype."""
    phi, count = phi.contiguous(), len(phi)
    constants, parameters, _ = _prepared(parts, phi, precision)
    values = phi.new_empty((count, constants["K"]))
    if count:
        programs, steps = _programs(phi, constants["BLOCK"], 8)
        with torch.cuda.device_of(phi):
            _forward[(programs,)](phi, parameters, values, count, steps, **constants)
    return values


def backward(
    phi: Tensor, parts: Parts, precision: str, grad: Tensor, *, slope: bool
) -> list[Tensor | None]:
    """Gradients of ``sum(grad * values)``: of the phases, then of ``parts.tensors``."""
    phi, grad, count = phi.contiguous(), grad.contiguous(), len(phi)
    constants, parameters, places = _prepared(parts, phi, precision)
    programs, steps = _programs(phi, constants["BLOCK"], 2)
    slopes = torch.empty_like(phi) if slope else None
    sums = parameters.new_empty((programs, len(parameters)))
    if count:
        with torch.cuda.device_of(phi):
            _backward[(programs,)](
                phi, parameters, grad, slopes, sums, count, steps, len(parameters),
                **constants, SLOPE=slope,
            )  # fmt: skip
    total = sums.sum(0, dtype=torch.float64)[places]
    pieces = total.split([t.numel() for t in parts.tensors])
    shaped = zip(pieces, parts.tensors, strict=True)
    return [slopes, *(piece.reshape(t.shape).to(t.dtype) for piece, t in shaped)]


def _prepared(parts: Parts, phi: Tensor, precision: str) -> tuple[dict[str, Any], Tensor, Tensor]:
    """What a kernel is compiled for, the padded parameters, and where each of them is in these."""
    sizes = len(parts.scales), len(parts.layers[0][1]), len(parts.layers[-1][1])
    depth = len(parts.layers) - 1
    angles, hidden, outputs = (
        max(least, int(triton.next_power_of_2(size)))
        for size, least in zip(sizes, (8, 16, 16), strict=True)  # products have sides of 16
    )
    places, size = _padding(*sizes, depth, angles, hidden, outputs, phi.device)
    real = torch.float64 if phi.dtype == torch.float64 else torch.float32
    parameters = torch.zeros(size, dtype=real, device=phi.device)
    parameters[places] = torch.cat([t.detach().reshape(-1).to(real) for t in parts.tensors])
    constants = {
        "K": sizes[2],
        "DEPTH": depth,
        "ANGLES": angles,
        "HIDDEN": hidden,
        "OUTPUTS": outputs,
        "TANH": parts.activation == "tanh",
        "SINE": parts.sine,
        "EMULATE": INTERPRETED,
        "PRECISION": precision,
        "BLOCK": _block(hidden, real, precision, phi.device),
        "num_warps": 8,
        "enable_fp_fusion": True,
    }
    return constants, parameters, places


@lru_cache(maxsize=64)
def _padding(
    scales: int, units: int, k: int, depth: int,
    angles: int, hidden: int, outputs: int, device: torch.device,
) -> tuple[Tensor, int]:  # fmt: skip
    """Where ``Parts.tensors``, in one row, lie in the padded parameters, and the length of these.

    Scales ``[angles]``, then of each layer the weight transposed, ``[inputs, units]``, and the
    bias, all with sides that are powers of two.
    """
    places, start = [torch.arange(scales)], angles
    for d in range(depth + 1):
        fan_in, rows = (2 * scales, 2 * angles) if d == 0 else (units, hidden)
        fan_out, columns = (k, outputs) if d == depth else (units, hidden)
        unit = torch.arange(fan_out)
        places.append((start + torch.arange(fan_in) * columns + unit[:, None]).reshape(-1))
        start += rows * columns
        places.append(start + unit)
        start += columns
    return torch.cat(places).to(device), start


def _block(hidden: int, real: torch.dtype, precision: str, device: torch.device) -> int:
    """Elements a step: as many as registers and shared memory hold."""
    if real == torch.float64 or (precision == "ieee" and hidden > 32):
        return 16
    if hidden <= 32 or device.type != "cuda":
        return 64
    properties = torch.cuda.get_device_properties(device)
    shared = getattr(properties, "shared_memory_per_block_optin", 0)
    return 64 if shared >= _ROOMY else 32


def _programs(phi: Tensor, block: int, each: int) -> tuple[int, int]:
    """Programs, so many a multiprocessor and no more than there are blocks; steps of each."""
    most = 3  # in the interpreter: enough to test the sum over programs
    if phi.device.type == "cuda":
        most = each * int(torch.cuda.get_device_properties(phi.device).multi_processor_count)
    blocks = int(triton.cdiv(len(phi), block))
    programs = min(most, blocks)
    return programs, -(-blocks // max(1, programs))
