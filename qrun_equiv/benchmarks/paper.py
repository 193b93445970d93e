"""What a GPU can do at best, on paper: the table of docs/gpu.md, by ``python -m`` this module.

Ceilings are the makers' (dense rates, without sparsity); bytes and operations those of
:mod:`qrun_equiv.scale.cost`. ``qrun-equiv bench --device cuda`` measures both sides instead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from qrun_equiv.benchmarks.tables import Cell, Column, Table
from qrun_equiv.scale import cost

#: Width and batch, as :data:`qrun_equiv.bench.SIZES` for CUDA.
SHAPES = ((512, 65536), (4096, 65536))


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU by its datasheet.

    Attributes:
        name: as its maker calls it.
        bandwidth: bytes a second of its memory.
        rate: float32 operations a second.
        tensor_rate: operations a second of products in tf32, on tensor cores.
    """

    name: str
    bandwidth: float
    rate: float
    tensor_rate: float


#: NVIDIA's datasheets of the A100 80GB, the H100 and the H200, SXM.
DEVICES = (
    Device("A100 80GB", 2.039e12, 19.5e12, 156e12),
    Device("H100", 3.35e12, 67e12, 494.7e12),
    Device("H200", 4.8e12, 67e12, 494.7e12),
)
COLUMNS = (
    Column("device", "device"),
    Column("layer", "layer"),
    Column("knots", "Q-RUN by knots, step\nat least ms", ".3g"),
    Column("gelu", "Linear + GELU, step\nat least ms", ".3g"),
    Column("knots_infer", "Q-RUN, inference\nat least ms", ".3g"),
    Column("gelu_infer", "Linear + GELU, inference\nat least ms", ".3g"),
    Column("saved", "saved, / Linear\n+ GELU", ".2f"),
)


def on_paper(devices: Sequence[Device] = DEVICES) -> Table:
    """Least times of training steps and inference, products in float32 and in tf32."""
    rows: list[dict[str, Cell]] = []
    for device in devices:
        for width, batch in SHAPES:
            shape = cost.Shape(width, width, batch)
            for kind, products in (("float32", device.rate), ("tf32", device.tensor_rate)):
                row: dict[str, Cell] = {
                    "device": device.name,
                    "layer": f"{width} -> {width}, batch {batch}, {kind} products",
                    "saved": cost.saved_bytes(shape, "knots") / cost.saved_bytes(shape, "gelu"),
                }
                for path in ("knots", "gelu"):
                    for training, ending in ((True, ""), (False, "_infer")):
                        row[path + ending] = 1e3 * cost.seconds(
                            shape, path, training=training, bandwidth=device.bandwidth,
                            rate=device.rate, product_rate=products,
                        )  # fmt: skip
                rows.append(row)
    notes = ("From datasheets and counts, nothing measured; see qrun_equiv/scale/cost.py.",)
    return Table("Least times on paper", COLUMNS, rows, notes)


if __name__ == "__main__":
    sys.stdout.write(on_paper().markdown())
