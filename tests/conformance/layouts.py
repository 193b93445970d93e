"""Cases that differ in gates, their wires or their order."""

from __future__ import annotations

import math

from conformance.building import AngleOf, Case, Natives, Op, family, side

PI = math.pi


def x0(x, t):
    return x[0]


def x1(x, t):
    return x[1]


def t0(x, t):
    return t[0]


def t1(x, t):
    return t[1]


def drqc(b: float, scale: float = 2.0) -> Natives:
    """Two re-uploads with offsets between trained rotations."""
    return side(
        ("RY", 0, t0),
        ("RX", 0, lambda x, t: x[0] + b),
        ("RY", 0, t1),
        ("RX", 0, lambda x, t: scale * x[0] - b),
    )


def many(order: list[int], second: AngleOf | None = None) -> Natives:
    """Features on one wire in the given order; RX and RY alternate, so order matters."""
    ops: list[Op] = [
        ("RX" if place % 2 == 0 else "RY", 0, lambda x, t, k=k: x[k])
        for place, k in enumerate(order)
    ]
    return side(*ops, *([("RX", 0, second)] if second else []))


def twelve_parameters(angle: AngleOf) -> Natives:
    """An angle of the trainable rotation; the last parameter has two digits."""
    return side(("RX", 0, x0), ("RY", 0, angle), ("RZ", 0, lambda x, t: t[11]), measure="X0")


TWELVE = list(range(12))
AS_TEXT = sorted(TWELVE, key=str)  # 0, 1, 10, 11, 2, ...
TWO_DIGITS = [1, 2, 10, 11]  # of twelve

REUPLOADS: list[Case] = [
    *family(
        "drqc-offsets",
        drqc(0.4),
        equal=drqc(2 / 5),
        different=[drqc(-0.4), drqc(0.4, 2.00003), drqc(0.40000001)],
        tiny=drqc(0.4 + 1e-12),
    ),
    *family(
        "repeated-parameter",
        side(("RX", 0, t0), ("RX", 0, t0), ("RX", 0, x0)),
        equal=[
            side(("RX", 0, lambda x, t: 2 * t[0] + x[0])),
            side(("RX", 0, t0), ("RX", 0, x0), ("RX", 0, t0)),
        ],
        different=[
            side(("RX", 0, t0), ("RX", 0, t1), ("RX", 0, x0)),
            side(("RX", 0, t0), ("RX", 0, x0)),
        ],
    ),
    *family(
        "order-of-rotations",
        side(("RX", 0, x0), ("RY", 0, t0), ("RZ", 0, x1), ("RX", 0, t1)),
        equal=side(
            ("RX", 0, x0), ("RY", 0, t0), ("RZ", 0, x1), ("Z", 0), ("RX", 0, lambda x, t: -t[1])
        ),
        different=[
            side(("RY", 0, t0), ("RX", 0, x0), ("RZ", 0, x1), ("RX", 0, t1)),
            side(("RX", 0, x0), ("RY", 0, t0), ("RX", 0, t1), ("RZ", 0, x1)),
            side(("RX", 0, x1), ("RY", 0, t0), ("RZ", 0, x0), ("RX", 0, t1)),
        ],
    ),
    *family(
        "two-digit-features",
        many(TWO_DIGITS),
        equal=many(TWO_DIGITS, lambda x, t: x[10] - x[10]),
        different=[many(sorted(TWO_DIGITS, key=str)), many([1, 10, 2, 11])],
        sizes=(12, 2),
    ),
    *family(
        "twelve-features-in-one-angle",
        side(("RX", 0, lambda x, t: sum((k + 1) * x[k] for k in TWELVE)), measure=("Z0", "Y0")),
        equal=side(
            ("RX", 0, lambda x, t: sum((k + 1) * x[k] for k in AS_TEXT)), measure=("Z0", "Y0")
        ),
        different=side(
            ("RX", 0, lambda x, t: sum((n + 1) * x[k] for n, k in enumerate(AS_TEXT))),
            measure=("Z0", "Y0"),
        ),
        sizes=(12, 2),
    ),
    *family(
        "twelve-parameters",
        twelve_parameters(lambda x, t: t[10] - t[2]),
        equal=twelve_parameters(lambda x, t: -(t[2] - t[10])),
        different=[
            twelve_parameters(lambda x, t: t[2] - t[10]),
            twelve_parameters(lambda x, t: t[10] - t[3]),
            twelve_parameters(lambda x, t: t[1] - t[2]),
        ],
        sizes=(1, 12),
    ),
]

GATES: list[Case] = [
    *family(
        "sign-seen-in-z",  # the cosine does not tell x from -x, the sine does
        side(("RX", 0, x0), measure="Z0"),
        equal=side(("RX", 0, lambda x, t: -x[0]), measure="Z0"),
        different=side(("RX", 0, lambda x, t: -x[0]), measure="0.9 Z0 + 0.1 Y0"),
    ),
    *family(
        "half-turn-as-pauli",
        side(("RX", 0, lambda x, t: x[0] + PI), ("RY", 0, t0)),
        equal=[
            side(("X", 0), ("RX", 0, x0), ("RY", 0, t0)),
            side(("Y", 0), ("RX", 0, x0), ("RY", 0, t0)),  # X and Y flip |0> alike
        ],
        different=[
            side(("Z", 0), ("RX", 0, x0), ("RY", 0, t0)),
            side(("RX", 0, x0), ("RY", 0, t0)),
        ],
    ),
    *family(
        "conjugated-rotation",
        side(("RX", 0, x0), ("RY", 0, t0)),
        equal=[
            side(("H", 0), ("H", 0), ("H", 0), ("RZ", 0, x0), ("H", 0), ("RY", 0, t0)),
            side(
                ("RZ", 0, lambda x, t: PI / 2),
                ("RY", 0, x0),
                ("RZ", 0, lambda x, t: -PI / 2),
                ("RY", 0, t0),
            ),
        ],
        different=side(("H", 0), ("RZ", 0, x0), ("RY", 0, t0)),
    ),
    *family(
        "entangler-direction",
        side(("RX", 0, x0), ("RY", 1, t0), ("CX", (0, 1)), ("RX", 1, x1), measure=("Z0", "Z1")),
        equal=side(
            ("RX", 0, x0),
            ("RY", 1, t0),
            ("H", 1),
            ("CZ", (1, 0)),
            ("H", 1),
            ("RX", 1, x1),
            measure=("Z0", "Z1"),
        ),
        different=[
            side(("RX", 0, x0), ("RY", 1, t0), ("CX", (1, 0)), ("RX", 1, x1), measure=("Z0", "Z1")),
            side(("RX", 0, x0), ("RY", 1, t0), ("CZ", (0, 1)), ("RX", 1, x1), measure=("Z0", "Z1")),
        ],
    ),
    *family(
        "controlled-turn",  # 2 pi is a sign, which a control makes visible; 4 pi is nothing
        side(("RY", 0, t0), ("RY", 1, t1), ("CRX", (0, 1), x0), measure=("X0", "Z1")),
        equal=side(
            ("RY", 0, t0),
            ("RY", 1, t1),
            ("CRX", (0, 1), lambda x, t: x[0] + 4 * PI),
            measure=("X0", "Z1"),
        ),
        different=[
            side(
                ("RY", 0, t0),
                ("RY", 1, t1),
                ("CRX", (0, 1), lambda x, t: x[0] + 2 * PI),
                measure=("X0", "Z1"),
            ),
            side(("RY", 0, t0), ("RY", 1, t1), ("CRX", (1, 0), x0), measure=("X0", "Z1")),
        ],
    ),
    *family(
        "controlled-phase",  # RZ and P differ by a phase only, until they are controlled
        side(("RY", 0, t0), ("H", 1), ("CP", (0, 1), x0), ("RX", 1, x1), measure=("X0", "Z1")),
        equal=side(
            ("RY", 0, t0), ("H", 1), ("CP", (1, 0), x0), ("RX", 1, x1), measure=("X0", "Z1")
        ),
        different=side(
            ("RY", 0, t0), ("H", 1), ("CRZ", (0, 1), x0), ("RX", 1, x1), measure=("X0", "Z1")
        ),
    ),
    *family(
        "two-wire-rotation",
        side(
            ("RY", 0, t0),
            ("RY", 1, t1),
            ("RZZ", (0, 1), x0),
            ("H", 0),
            ("RX", 1, x1),
            measure=("Z0", "Z1"),
        ),
        equal=side(
            ("RY", 0, t0),
            ("RY", 1, t1),
            ("CX", (0, 1)),
            ("RZ", 1, x0),
            ("CX", (0, 1)),
            ("H", 0),
            ("RX", 1, x1),
            measure=("Z0", "Z1"),
        ),
        different=[
            side(
                ("RY", 0, t0),
                ("RY", 1, t1),
                ("CX", (0, 1)),
                ("RZ", 0, x0),
                ("CX", (0, 1)),
                ("H", 0),
                ("RX", 1, x1),
                measure=("Z0", "Z1"),
            ),
            side(
                ("RY", 0, t0),
                ("RY", 1, t1),
                ("RXX", (0, 1), x0),
                ("H", 0),
                ("RX", 1, x1),
                measure=("Z0", "Z1"),
            ),
            side(
                ("RY", 0, t0),
                ("RY", 1, t1),
                ("RYY", (0, 1), x0),
                ("H", 0),
                ("RX", 1, x1),
                measure=("Z0", "Z1"),
            ),
        ],
    ),
    *family(
        "eighth-turns",
        side(("H", 0), ("S", 0), ("RY", 0, x0)),
        equal=[
            side(("H", 0), ("T", 0), ("T", 0), ("RY", 0, x0)),
            side(("H", 0), ("T", 0), ("RZ", 0, lambda x, t: PI / 4), ("RY", 0, x0)),
        ],
        different=side(("H", 0), ("T", 0), ("RY", 0, x0)),
    ),
    *family(
        "small-rotation",  # its share of the outcome is quadratic, 5e-13
        side(("RX", 0, lambda x, t: 1e-6), ("RZ", 0, x0)),
        equal=side(("RX", 0, lambda x, t: 1e-6)),
        different=side(("RX", 0, lambda x, t: 1e-3), ("RZ", 0, x0)),
        tiny=side(("RZ", 0, x0)),
    ),
]

LAYOUTS: list[Case] = [*REUPLOADS, *GATES]
