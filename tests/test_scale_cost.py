"""Bytes and operations on paper, against sums by hand and tensors that are there."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from qrun_equiv.qrun import QRUN
from qrun_equiv.scale.cost import (
    Shape,
    bytes_moved,
    operations,
    passes,
    saved_bytes,
    seconds,
)

SMALL = Shape(n=10, m=6, batch=100, reuploads=3, hidden=8, depth=2)


def test_bytes_by_hand() -> None:
    x, weight, bias, z, out = 1000, 30, 3, 300, 600
    assert bytes_moved(SMALL, "knots") == 4 * (x + weight + bias + z + z + out)
    backward = 4 * (z + out + z + z + weight + x + z + x + weight + bias)
    step = bytes_moved(SMALL, "knots") + backward
    assert bytes_moved(SMALL, "knots", training=True) == step
    assert bytes_moved(SMALL, "exact", training=True) == step  # nothing between moves
    x, weight, bias, z = 1000, 60, 6, 600
    assert bytes_moved(SMALL, "gelu") == 4 * (x + weight + bias + z + z + z)


def test_products_are_those_that_torch_counts() -> None:
    layer = QRUN(10, 6, reuploads=3, hidden=8, path="exact")
    x = torch.randn(100, 10, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        values = layer(x)
        forward = counter.get_total_flops()
        values.sum().backward()
    assert sum(p.products for p in passes(SMALL, "exact")) == forward
    # ours computes the MLP again, and torch's needs no gradient of the layer's first features less
    element = passes(SMALL, "exact")[1].products
    step = sum(p.products for p in passes(SMALL, "exact", training=True))
    assert step == counter.get_total_flops() + element


@pytest.mark.parametrize("path", ["knots", "exact", "gelu"])
def test_operations_scale_with_the_batch(path) -> None:
    twice = Shape(**{**{f: getattr(SMALL, f) for f in SMALL.__slots__}, "batch": 200})
    assert operations(twice, path, training=True) == 2 * operations(SMALL, path, training=True)
    assert operations(SMALL, path, training=True) > 2 * operations(SMALL, path)


def test_orders_of_magnitude() -> None:
    shape = Shape(512, 512, 4096)
    assert operations(shape, "knots") < operations(shape, "gelu") < operations(shape, "exact")
    assert saved_bytes(shape, "knots") < saved_bytes(shape, "gelu")
    assert saved_bytes(SMALL, "knots") == 4 * (1000 + 300)


def test_seconds_take_the_longer_of_two() -> None:
    slow_memory = seconds(SMALL, "gelu", bandwidth=1.0, rate=1e30)
    assert slow_memory == pytest.approx(bytes_moved(SMALL, "gelu"))
    slow_numbers = seconds(SMALL, "gelu", bandwidth=1e30, rate=1.0, training=True)
    assert slow_numbers == pytest.approx(operations(SMALL, "gelu", training=True))
    cores = seconds(SMALL, "exact", bandwidth=1e30, rate=1.0, product_rate=1e30)
    assert cores == pytest.approx(
        sum(p.operations - p.products for p in passes(SMALL, "exact")), rel=1e-9
    )


def test_an_unknown_path() -> None:
    with pytest.raises(ValueError, match="unknown path 'relu'; choose one of 'knots'"):
        passes(SMALL, "relu")
