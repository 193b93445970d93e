# Kernels are no Python functions: their arguments have the types that a launch gives them.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,import-untyped"
# ruff: noqa: ANN001, ANN201, ANN202

"""What Triton kernels compute with: products at several precisions, cosine and sine, tanh.

**Angles.** ``s phi`` is formed and reduced to [-pi/4, pi/4] in float64: in float32 the product
alone would be off by ``6e-8 s phi`` radians. Cosine and sine of the rest are Cephes' polynomials
(Moshier, sinf.c), within an ulp or two; so are those of tanh (tanhf.c, tanh.c).

**Products** take float32 as it is (``"ieee"``, no tensor cores), in three parts or one of ten bits
(``"tf32x3"``, ``"tf32"``), or rounded to bfloat16 (``"bf16"``: those between hidden layers, the
others as tf32, for their errors are not averaged over many units); all sum in float32.

**In the interpreter** products know no precision and take bfloat16 for integers. With EMULATE the
operands are rounded as a GPU would, and multiplied in float32.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.runtime.jit import JITFunction


@triton.jit
def short(value, EMULATE: tl.constexpr):
    """The bfloat16 next to float32, or its value in float32."""
    rounded = value.to(tl.bfloat16)
    return rounded.to(tl.float32) if EMULATE else rounded


#: Whether kernels run in Triton's interpreter (``TRITON_INTERPRET=1`` before the first import).
INTERPRETED = not isinstance(short, JITFunction)


@triton.jit
def _tf32(x):
    """float32 to ten bits after the leading one, as tensor cores read it."""
    bits = x.to(tl.int32, bitcast=True)
    return ((bits + 0x1000) & -0x2000).to(tl.float32, bitcast=True)


@triton.jit
def product(a, b, INNER: tl.constexpr, PRECISION: tl.constexpr, EMULATE: tl.constexpr):
    """``a @ b``, INNER for layers between hidden ones."""
    OUTER: tl.constexpr = "tf32" if PRECISION == "bf16" else PRECISION
    if a.dtype == tl.float64:
        result = tl.dot(a, b, out_dtype=tl.float64)
    elif INNER and PRECISION == "bf16":
        result = tl.dot(short(a, EMULATE), short(b, EMULATE))
    elif EMULATE and OUTER == "tf32":
        result = tl.dot(_tf32(a), _tf32(b))
    else:
        result = tl.dot(a, b, input_precision=OUTER)
    return result


@triton.jit
def circle(phi, scales):
    """Cosines and sines of ``phi [B]`` times ``scales [L]``: twice ``[B, L]``."""
    angle = phi.to(tl.float64)[:, None] * scales.to(tl.float64)[None, :]
    if phi.dtype == tl.float64:
        c, s = tl.cos(angle), tl.sin(angle)
    else:
        quarters = tl.floor(angle * 0.6366197723675814 + 0.5)  # 2 / pi
        # pi / 2 is off by 6e-17, the angle itself by as much of its size
        r = (angle - quarters * 1.5707963267948966).to(tl.float32)
        z = r * r
        sin = r + r * z * ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1)
        cos = (2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2
        cos = 1.0 - 0.5 * z + z * z * cos
        turn = quarters - 4.0 * tl.floor(quarters * 0.25)
        swapped = (turn == 1.0) | (turn == 3.0)
        c, s = tl.where(swapped, sin, cos), tl.where(swapped, cos, sin)
        c = tl.where((turn == 1.0) | (turn == 2.0), -c, c)
        s = tl.where(turn >= 2.0, -s, s)
    return c, s


@triton.jit
def _tanh(x):
    """The hyperbolic tangent to a few ulp: a polynomial or rational function below 0.625."""
    size = tl.abs(x)
    decay = tl.exp(-2.0 * size)
    far = (1.0 - decay) / (1.0 + decay)
    z = x * x
    if x.dtype == tl.float64:
        top = -9.64399179425052238628e-1 * z - 9.92877231001918586564e1
        top = top * z - 1.61468768441708447952e3
        bottom = (z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3
        near = x + x * z * top / (bottom * z + 4.84406305325125486048e3)
    else:
        series = (-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2
        near = x + x * z * ((series * z + 1.33314422036e-1) * z - 3.33332819422e-1)
    return tl.where(size < 0.625, near, tl.where(x < 0, -far, far))


@triton.jit
def activated(x, TANH: tl.constexpr):
    """The hyperbolic tangent, or the positive part."""
    if TANH:
        return _tanh(x)
    return tl.where(x < 0, 0.0, x)  # NaN stays
