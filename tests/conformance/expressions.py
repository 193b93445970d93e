"""Cases that differ in the expression of an angle: factors, offsets, products, parentheses."""

from __future__ import annotations

import math

from conformance.building import Case, Natives, family, side, turned

PI, ROOT2, ROOT3 = math.pi, math.sqrt(2), math.sqrt(3)


def exchanged(first: float, second: float, measure: str) -> Natives:
    """Two re-uploads of one feature, each with its offset."""
    return side(
        ("RX", 0, lambda x, t: x[0] + first),
        ("RY", 0, lambda x, t: t[0]),
        ("RX", 0, lambda x, t: x[0] + second),
        measure=measure,
    )


OFFSETS: list[Case] = [
    *family(
        "offset-sign",
        turned(lambda x, t: x[0] - 0.5),
        equal=turned(lambda x, t: -(0.5 - x[0])),
        different=turned(lambda x, t: x[0] + 0.5),
        tiny=turned(lambda x, t: x[0] - (0.5 - 1e-12)),
    ),
    *family(
        "offset-as-a-gate",
        turned(lambda x, t: x[0] - 0.5),
        equal=turned(lambda x, t: x[0], lambda x, t: -0.5),
        different=[
            turned(lambda x, t: x[0], lambda x, t: 0.5),
            turned(lambda x, t: -x[0], lambda x, t: -0.5),
        ],
    ),
    *family(
        "offset-in-theta",
        turned(lambda x, t: x[0] + t[0]),
        equal=turned(lambda x, t: t[0] - (-x[0])),
        different=[turned(lambda x, t: x[0] - t[0]), turned(lambda x, t: x[0] + t[1])],
        tiny=turned(lambda x, t: x[0] + t[0] - 1e-12),
    ),
    *family(
        "offset-of-a-turn",
        turned(lambda x, t: x[0]),
        equal=[turned(lambda x, t: x[0] + 2 * PI), turned(lambda x, t: x[0] - 4 * PI)],
        different=[turned(lambda x, t: x[0] + PI), turned(lambda x, t: x[0] + 6.28)],
    ),
    *family(
        "offset-rounded-sum",
        turned(lambda x, t: x[0] + 0.3),
        equal=turned(lambda x, t: 0.1 + x[0], lambda x, t: 0.2),
        different=turned(lambda x, t: x[0] + (0.1 + 0.20001)),
        tiny=turned(lambda x, t: x[0] + (0.1 + 0.2)),  # 0.30000000000000004
    ),
    *family(
        "offsets-exchanged",  # both offsets are there, each at the other gate
        exchanged(-0.7, 0.7, "X0"),
        equal=side(
            ("RX", 0, lambda x, t: -(0.7 - x[0])),
            ("RY", 0, lambda x, t: t[0]),
            ("RX", 0, lambda x, t: 0.7 + x[0]),
            measure="X0",
        ),
        different=exchanged(0.7, -0.7, "X0"),
    ),
    *family(
        "offsets-exchanged-in-z",  # a circuit and its mirror image have one <Z>
        exchanged(-0.7, 0.7, "Z0"),
        equal=exchanged(0.7, -0.7, "Z0"),
        different=exchanged(0.7, 0.7, "Z0"),
    ),
]

FACTORS: list[Case] = [
    *family(
        "factor-near-one",
        turned(lambda x, t: x[0]),
        equal=turned(lambda x, t: 1.0 * x[0]),
        different=[
            turned(lambda x, t: 1.00003 * x[0]),
            turned(lambda x, t: 1.00000001 * x[0]),
            turned(lambda x, t: -x[0]),
        ],
        tiny=turned(lambda x, t: (1 + 1e-14) * x[0]),
    ),
    *family(
        "factor-rational",
        turned(lambda x, t: x[0] / 3 + x[1] / 10),
        equal=[
            turned(lambda x, t: x[0] * (1 / 3) + 0.1 * x[1]),
            turned(lambda x, t: (10 * x[0] + 3 * x[1]) / 30),
        ],
        different=[
            turned(lambda x, t: 0.3333333 * x[0] + 0.1 * x[1]),
            turned(lambda x, t: x[0] / 3 + x[1] / 9),
        ],
    ),
    *family(
        "factor-third-of-sum",
        turned(lambda x, t: (x[0] + t[0]) / 7),
        equal=turned(lambda x, t: x[0] / 7 + t[0] / 7),
        different=turned(lambda x, t: x[0] + t[0] / 7),
    ),
    *family(
        "factor-irrational",
        turned(lambda x, t: ROOT2 * (x[0] + t[0])),
        equal=turned(lambda x, t: ROOT2 * x[0] + t[0] * ROOT2),
        different=[
            turned(lambda x, t: 1.4142135 * (x[0] + t[0])),
            turned(lambda x, t: ROOT2 * x[0] + ROOT3 * t[0]),
            turned(lambda x, t: ROOT2 * x[0] + t[0]),
        ],
    ),
    *family(
        "factor-pi",
        turned(lambda x, t: PI * x[0]),
        equal=[turned(lambda x, t: PI * x[0] / 2 + x[0] * PI / 2), turned(lambda x, t: x[0] * PI)],
        different=[
            turned(lambda x, t: 22 / 7 * x[0]),
            turned(lambda x, t: 3.1415927 * x[0]),
            turned(lambda x, t: -PI * x[0]),
        ],
    ),
    *family(
        "factor-two-of-sum",
        turned(lambda x, t: 2 * (x[0] + t[0])),
        equal=turned(lambda x, t: 2 * x[0] + 2 * t[0]),
        different=[
            turned(lambda x, t: 2 * x[0] + t[0]),
            turned(lambda x, t: x[0] + t[0]),
            turned(lambda x, t: 2 * x[0] - 2 * t[0]),
        ],
    ),
    *family(
        "weight",  # trained weights as constants
        side(("RY", 0, lambda x, t: 0.7310585), ("RX", 0, lambda x, t: x[0]), measure=("Z0", "X0")),
        equal=side(
            ("RY", 0, lambda x, t: 0.7),
            ("RY", 0, lambda x, t: 0.0310585),
            ("RX", 0, lambda x, t: x[0]),
            measure=("Z0", "X0"),
        ),
        different=side(
            ("RY", 0, lambda x, t: 0.73105851),  # 1e-8 more
            ("RX", 0, lambda x, t: x[0]),
            measure=("Z0", "X0"),
        ),
        tiny=side(
            ("RY", 0, lambda x, t: 0.731058500001),
            ("RX", 0, lambda x, t: x[0]),
            measure=("Z0", "X0"),
        ),
    ),
]

PRODUCTS: list[Case] = [
    *family(
        "square",
        turned(lambda x, t: x[0] * x[0]),
        equal=turned(lambda x, t: x[0] ** 2),
        different=[
            turned(lambda x, t: 2 * x[0]),
            turned(lambda x, t: x[0]),
            turned(lambda x, t: x[0] * x[1]),
        ],
    ),
    *family(
        "square-as-power",
        turned(lambda x, t: x[0] ** 2),
        equal=turned(lambda x, t: (-x[0]) ** 2),
        different=[
            turned(lambda x, t: 2 * x[0]),
            turned(lambda x, t: x[0] ** 3),
            turned(lambda x, t: -(x[0] ** 2)),
        ],
    ),
    *family(
        "vanishing-on-a-lattice",  # at 0 and 1, at 0, 1 and 2, at every whole number
        turned(lambda x, t: x[0]),
        equal=turned(lambda x, t: x[0] + t[0] * (t[0] - 1) - t[0] ** 2 + t[0]),
        different=[
            turned(lambda x, t: x[0] + t[0] * (t[0] - 1)),
            turned(lambda x, t: x[0] + t[0] * (t[0] - 1) * (t[0] - 2)),
            turned(lambda x, t: x[0] + 2 * PI * t[0]),
            turned(lambda x, t: x[0] + t[0] * t[1]),
        ],
    ),
    *family(
        "symbols",
        turned(lambda x, t: t[0] * x[0]),
        equal=turned(lambda x, t: x[0] * t[0]),
        different=[
            turned(lambda x, t: x[0]),
            turned(lambda x, t: t[0]),
            turned(lambda x, t: t[0] + x[0]),
            turned(lambda x, t: t[0] * x[1]),
        ],
    ),
    *family(
        "square-of-sum",
        turned(lambda x, t: (x[0] + t[0]) ** 2),
        equal=turned(lambda x, t: x[0] * x[0] + 2 * x[0] * t[0] + t[0] * t[0]),
        different=turned(lambda x, t: x[0] * x[0] + t[0] * t[0]),
    ),
    *family(
        "difference-of-squares",
        turned(lambda x, t: (x[0] - x[1]) * (x[0] + x[1])),
        equal=turned(lambda x, t: x[0] ** 2 - x[1] ** 2),
        different=[
            turned(lambda x, t: (x[0] - x[1]) * (x[0] - x[1])),
            turned(lambda x, t: x[1] ** 2 - x[0] ** 2),
        ],
    ),
    *family(
        "feature-map",
        turned(lambda x, t: (PI - x[0]) * (PI - x[1])),
        equal=turned(lambda x, t: PI * PI - PI * x[0] - PI * x[1] + x[0] * x[1]),
        different=[
            turned(lambda x, t: (PI - x[0]) * (PI + x[1])),
            turned(lambda x, t: 9 - PI * x[0] - PI * x[1] + x[0] * x[1]),
        ],
    ),
    *family(
        "three-symbols",
        turned(lambda x, t: t[0] * x[0] * x[1]),
        equal=turned(lambda x, t: x[1] * (x[0] * t[0])),
        different=turned(lambda x, t: t[0] * x[0] + x[1]),
    ),
]

PARENTHESES: list[Case] = [
    *family(
        "nested",
        turned(lambda x, t: 3 * (x[0] - 2 * (t[0] - (x[1] + t[1])))),
        equal=turned(lambda x, t: 3 * x[0] - 6 * t[0] + 6 * x[1] + 6 * t[1]),
        different=[
            turned(lambda x, t: 3 * x[0] - 6 * t[0] - 6 * x[1] - 6 * t[1]),
            turned(lambda x, t: 3 * x[0] - 2 * t[0] + 2 * x[1] + 2 * t[1]),
            turned(lambda x, t: 3 * (x[0] - 2 * (t[0] - (x[1] - t[1])))),
        ],
    ),
    *family(
        "minus-before-a-sum",
        turned(lambda x, t: x[0] - (t[0] + t[1])),
        equal=turned(lambda x, t: (x[0] - t[0]) - t[1]),
        different=turned(lambda x, t: x[0] - t[0] + t[1]),
    ),
    *family(
        "quotient-of-a-product",
        turned(lambda x, t: x[0] * (t[0] + 1) / 2),
        equal=turned(lambda x, t: (x[0] * t[0] + x[0]) / 2),
        different=[
            turned(lambda x, t: x[0] * t[0] + 1 / 2),
            turned(lambda x, t: x[0] * (t[0] + 1 / 2)),
        ],
    ),
    *family(
        "cancelled-parameter",
        turned(lambda x, t: x[0]),
        equal=[
            turned(lambda x, t: x[0] + t[0] - t[0]),
            turned(lambda x, t: (t[0] - t[0]) * x[1] + x[0]),
            turned(lambda x, t: x[0] * (1 + t[0]) - t[0] * x[0]),
        ],
        different=[
            turned(lambda x, t: x[0] + t[0] - t[1]),
            turned(lambda x, t: x[0] * (1 + t[0]) - t[1] * x[0]),
        ],
    ),
]

EXPRESSIONS: list[Case] = [*OFFSETS, *FACTORS, *PRODUCTS, *PARENTHESES]
