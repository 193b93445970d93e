"""Cases that differ in what is measured, or only in what is not."""

from __future__ import annotations

from conformance.building import Case, Op, family, side
from conformance.layouts import t0, t1, x0, x1

# Two wires, entangled; the cases below append to it.
BASE: tuple[Op, ...] = (("RX", 0, x0), ("RY", 1, t0), ("CX", (0, 1)), ("RX", 1, x1), ("RY", 0, t1))

MEASURED: list[Case] = [
    *family(
        "final-rz",
        side(*BASE, measure=("Z0", "Z1")),
        equal=[
            side(*BASE, ("RZ", 0, x0), ("RZ", 1, lambda x, t: t[0] * x[1]), measure=("Z0", "Z1")),
            side(*BASE, ("P", 0, x0), ("S", 1), measure=("Z0", "Z1")),
        ],
        different=[
            side(*BASE, ("RX", 0, x0), measure=("Z0", "Z1")),
            side(*BASE, ("RZ", 0, x0), ("H", 0), ("H", 0), measure=("X0", "Z1")),
        ],
    ),
    *family(
        "final-rz-before-x",
        side(*BASE, measure="X0"),
        equal=side(*BASE, ("RX", 0, x1), measure="X0"),
        different=side(*BASE, ("RZ", 0, x1), measure="X0"),
    ),
    *family(
        "global-phase",
        side(("H", 0), ("RZ", 0, x0), ("RX", 0, t0)),
        equal=[
            side(("H", 0), ("P", 0, x0), ("RX", 0, t0)),
            side(("H", 0), ("X", 0), ("Y", 0), ("Z", 0), ("RZ", 0, x0), ("RX", 0, t0)),
        ],
        different=side(("H", 0), ("P", 0, lambda x, t: -x[0]), ("RX", 0, t0)),
    ),
    *family(
        "light-cone",
        side(("RX", 0, x0), ("CX", (0, 1)), ("RX", 0, t0), measure="Z0"),
        equal=[
            side(("RX", 0, x0), ("CX", (0, 1)), ("RX", 0, t0), ("RX", 1, x1), measure="Z0"),
            side(
                ("RX", 0, x0),
                ("CX", (0, 1)),
                ("RX", 1, t1),
                ("RX", 0, t0),
                ("CX", (0, 1)),
                measure="Z0",
            ),
        ],
        different=[
            side(("RX", 0, x0), ("RX", 0, t0), ("RX", 1, x1), measure="Z0"),
            side(
                ("RX", 0, x0),
                ("CX", (0, 1)),
                ("RX", 0, t0),
                ("RX", 1, x1),
                ("CX", (1, 0)),
                measure="Z0",
            ),
        ],
    ),
    *family(
        "swap-relabelled",
        side(*BASE, measure=("Z0", "X1")),
        equal=side(*BASE, ("SWAP", (0, 1)), measure=("Z1", "X0")),
        different=[
            side(*BASE, ("SWAP", (0, 1)), measure=("Z0", "X1")),
            side(*BASE, measure=("Z1", "X0")),
        ],
    ),
    *family(
        "observable",
        side(*BASE, measure="0.5 Z0 + 2 X0 Z1"),
        equal=side(*BASE, measure="2 Z1 X0 + 0.25 Z0 + 0.25 Z0"),
        different=[
            side(*BASE, measure="0.5 Z1 + 2 X0 Z1"),
            side(*BASE, measure="0.5 Z0 + 2 Z0 X1"),
            side(*BASE, measure="0.5 Z0 + 2.00003 X0 Z1"),
            side(*BASE, measure="0.5 Z0 + 2 X0 Z1 + 0.01 I0"),
            side(*BASE, measure="0.5 Z0 + -2 X0 Z1"),
        ],
        tiny=side(*BASE, measure="0.5 Z0 + 2.000000000001 X0 Z1"),
    ),
    *family(
        "order-of-outputs",
        side(*BASE, measure=("Z0", "Z1")),
        equal=side(*BASE, measure=("1.0 Z0", "Z1")),
        different=side(*BASE, measure=("Z1", "Z0")),
    ),
]
