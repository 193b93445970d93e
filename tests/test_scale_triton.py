"""The Triton kernels without a GPU: interpreted, compiled ahead of time; what serves instead."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.func import vmap

from qrun_equiv import scale
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import element as element_module
from qrun_equiv.scale import piecewise
from qrun_equiv.scale.element import Parts, fused_element, obstacle, parts_of, plain_element
from qrun_equiv.scale.piecewise import Grid, evaluate

SHARED = {80: 163 << 10, 90: 227 << 10}  # bytes of shared memory a program may have


def test_the_kernels_in_the_interpreter() -> None:
    """All of test_scale_triton_kernels.py, in a process that imports Triton as an interpreter."""
    pytest.importorskip("triton")
    file = Path(__file__).with_name("test_scale_triton_kernels.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    environment = {**os.environ, "TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "skipped" not in run.stdout


# compiled ahead of time: what the interpreter tolerates, the compiler may refuse


@pytest.fixture(scope="session")
def compiler(tmp_path_factory):
    """Compiles a kernel for a GPU: registers, bytes of stack and of shared memory, and the PTX."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    if triton.knobs.runtime.interpret:
        pytest.skip("kernels are interpreted in this process")
    tools = Path(triton.__file__).parent / "backends/nvidia/bin"
    if not (tools / "ptxas").exists() or not (tools / "cuobjdump").exists():
        pytest.skip("no assembler beside Triton")
    folder = tmp_path_factory.mktemp("triton")

    def compile_(kernel, types: dict[str, str], constants: dict[str, object], capability: int):
        options = {
            "num_warps": constants.pop("num_warps", 4),
            "enable_fp_fusion": constants.pop("enable_fp_fusion", True),
        }
        signature = {name: types.get(name, "constexpr") for name in kernel.arg_names}
        with triton.knobs.cache.scope():
            triton.knobs.cache.dir = str(folder / "cache")
            aligned = {
                (kernel.arg_names.index(name),): [["tt.divisibility", 16]]
                for name, kind in types.items()
                if kind.startswith("*") and name in kernel.arg_names
            }
            source = ASTSource(kernel, signature, constants, aligned)
            made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
        binary = folder / "kernel.cubin"
        binary.write_bytes(made.asm["cubin"])
        listing = subprocess.run(
            [tools / "cuobjdump", "-res-usage", binary], capture_output=True, text=True, check=True
        ).stdout
        (stack,) = re.findall(r"STACK:(\d+)", listing)
        return int(stack), made.metadata.shared, made.asm["ptx"]

    return compile_


NUMBERS = dict.fromkeys(("rate", "period", "inverse"), "i64")
COUNTS = dict.fromkeys(("count", "first", "cells", "steps", "copies", "size"), "i32")


def piecewise_types(x: str, table: str) -> dict[str, str]:
    pointers = {"x_pointer": x, "table": table, "out": x, "grad": x, "slopes": x, "moments": table}
    return {**{name: f"*{kind}" for name, kind in pointers.items()}, **NUMBERS, **COUNTS}


PIECEWISE = [
    pytest.param(capability, *case, marks=pytest.mark.slow if capability == 80 and i else ())
    for capability in (80, 90)
    for i, case in enumerate(
        [
            ("fp32", "fp32", 2, False),
            ("fp64", "fp64", 2, True),
            ("bf16", "fp32", 2, True),
            ("fp16", "fp32", 1, False),
            ("fp32", "fp32", 3, False),
            ("fp32", "fp32", 16, False),
        ]
    )
]


@pytest.mark.parametrize(("capability", "x", "table", "outputs", "wide"), PIECEWISE)
def test_piecewise_kernels_compile(compiler, capability, x, table, outputs, wide) -> None:
    from qrun_equiv.scale import triton_piecewise as kernels

    grid = Grid(0.125, -20, 128, 6.0 if wide else 0.0)
    dtype = torch.float64 if table == "fp64" else torch.float32
    variant = kernels._variant(torch.empty(128, 8, outputs, dtype=dtype), grid)
    assert variant["WIDE"] == wide
    types = piecewise_types(x, table)
    block = kernels._TILED // (8 * variant["WIDTH"])
    stack, _, _ = compiler(kernels._evaluate, types, {**variant, "BLOCK": block}, capability)
    assert stack == 0
    for mode in (0, kernels._ONE_HOT, kernels._ATOMIC):
        shape = kernels._shape(variant, 128, mode)
        constants = {**variant, **shape, "SLOPE": True, "MOMENTS": mode, "EMULATE": False}
        types["moments"] = "*fp64" if mode == kernels._ONE_HOT else f"*{table}"
        stack, shared, ptx = compiler(kernels._differentiate, types, constants, capability)
        assert stack == 0, mode
        assert shared <= 99 << 10  # of the smallest GPUs
        if mode == kernels._ONE_HOT:
            assert ("f64.f64" if table == "fp64" else "f32.bf16.bf16") in ptx  # tensor cores
        if mode == kernels._ATOMIC:
            vector = r"\.v4" if capability >= 90 and table == "fp32" and outputs != 3 else ""
            kind = table.replace("fp", "f")
            assert re.search(rf"red\S*\.relaxed\S*\.add{vector}\.{kind}", ptx)


def test_piecewise_kernels_compile_where_an_argument_is_one(compiler) -> None:
    """A launch makes a constant of an integer that is 1: the first cell of positive phases is."""
    from qrun_equiv.scale import triton_piecewise as kernels

    variant = kernels._variant(torch.empty(128, 8, 2), Grid(0.125, 1, 128))
    ones = dict.fromkeys(("count", "first", "steps", "copies"), 1)
    types = {n: t for n, t in piecewise_types("fp32", "fp32").items() if n not in ones}
    given = {n: v for n, v in ones.items() if n in kernels._evaluate.arg_names}
    block = kernels._TILED // (8 * variant["WIDTH"])
    stack, _, _ = compiler(kernels._evaluate, types, {**variant, **given, "BLOCK": block}, 90)
    assert stack == 0
    for mode in (0, kernels._ONE_HOT, kernels._ATOMIC):
        constants = {**variant, **kernels._shape(variant, 128, mode), **ones, "SLOPE": True}
        types["moments"] = "*fp64" if mode == kernels._ONE_HOT else "*fp32"
        constants |= {"MOMENTS": mode, "EMULATE": False}
        stack, _, _ = compiler(kernels._differentiate, types, constants, 90)
        assert stack == 0, mode


def element_types(phases: str, real: str) -> dict[str, str]:
    pointers = {"phases": phases, "parameters": real, "out": phases, "grad": phases}
    pointers |= {"slopes": phases, "sums": real}
    return {**{name: f"*{kind}" for name, kind in pointers.items()}, **COUNTS}


def compile_element(compiler, capability, phases, hidden, depth, precision, **options) -> list:
    """Bytes of stack and of shared memory, forward and backward."""
    from qrun_equiv.scale import triton_element as kernels

    dtype = torch.float64 if phases == "fp64" else torch.float32
    layer = QRUN(4, 4, hidden=hidden, depth=depth, dtype=dtype, **options)
    constants, _, _ = kernels._prepared(parts_of(layer), torch.empty(1, dtype=dtype), precision)
    constants["EMULATE"] = False
    types, found = element_types(phases, "fp64" if phases == "fp64" else "fp32"), []
    for kernel, more in ((kernels._forward, {}), (kernels._backward, {"SLOPE": True})):
        stack, shared, ptx = compiler(kernel, types, {**constants, **more}, capability)
        found.append((stack, shared))
        assert shared <= SHARED[capability]
        if precision != "ieee":
            assert f".{'bf16' if precision == 'bf16' and depth > 1 else 'tf32'}" in ptx
        elif phases != "fp64":
            assert "mma" not in ptx
            assert ".tf32" not in ptx
        if phases == "fp32":  # the reduction of angles is in float64, with all of pi's digits
            assert "F921FB54442D18" in ptx  # of either sign
            assert "0d3FE45F306DC9C883" in ptx
    return found


ELEMENT = [
    pytest.param(capability, *case, marks=pytest.mark.slow if (capability == 90) == (i > 2) else ())
    for capability in (80, 90)
    for i, case in enumerate(
        [
            ("fp32", 32, 2, "ieee", {}),
            ("bf16", 32, 2, "bf16", {}),
            ("fp32", 16, 1, "tf32x3", {}),
            ("fp32", 9, 1, "ieee", {"activation": "relu", "outer": "sin"}),
            ("fp32", 32, 2, "tf32", {}),
            ("fp64", 16, 2, "ieee", {}),
        ]
    )
]


@pytest.mark.parametrize(
    ("capability", "phases", "hidden", "depth", "precision", "options"), ELEMENT
)
def test_element_kernels_compile(
    compiler, capability, phases, hidden, depth, precision, options
) -> None:
    (forward, _), _ = compile_element(
        compiler, capability, phases, hidden, depth, precision, **options
    )
    assert forward <= 40  # bytes: those of float64's sine for huge angles


@pytest.mark.slow
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("precision", ["ieee", "tf32x3", "tf32", "bf16"])
@pytest.mark.parametrize("depth", [2, 3])
def test_wide_element_kernels_compile(compiler, capability, depth, precision) -> None:
    compile_element(compiler, capability, "fp32", 64, depth, precision)


# what serves where the kernels can't


def test_the_backends_of_a_cpu() -> None:
    assert piecewise.backend("cpu") == ("compiled" if piecewise.compiled() else "torch")
    assert piecewise.obstacle("cpu") == "" or "compiler" in piecewise.obstacle("cpu")
    assert piecewise.backend("meta") == "torch"
    assert "meta" in piecewise.obstacle("meta")
    assert "17 outputs" in piecewise.obstacle("cuda", outputs=17)


def test_without_cuda_torch_serves_and_says_why() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is CUDA")
    assert piecewise.backend("cuda") == "torch"
    if piecewise.find_spec("triton") is not None:
        assert "there is no CUDA device" in piecewise.obstacle("cuda")
    assert piecewise.obstacle("cuda")


def test_without_triton_the_command_that_installs_it(monkeypatch) -> None:
    for name in ("triton_piecewise", "triton_element"):
        monkeypatch.delattr(scale, name, raising=False)
        monkeypatch.setitem(sys.modules, f"qrun_equiv.scale.{name}", None)
    monkeypatch.setattr(piecewise, "find_spec", lambda name: None)
    piecewise.triton_fault.cache_clear()
    try:
        assert "pip install" in piecewise.obstacle("cuda")
    finally:
        piecewise.triton_fault.cache_clear()
    with pytest.raises(ImportError, match="pip install"):
        evaluate(torch.zeros(1), torch.zeros(2, 8, 1), Grid(0.5, 0, 2), using="triton")
    with pytest.raises(ImportError, match="pip install"):
        fused_element(parts(), torch.zeros(1), using="triton")


def test_an_old_triton(monkeypatch) -> None:
    monkeypatch.setattr(pytest.importorskip("triton"), "__version__", "3.2.0+cu124")
    piecewise.triton_fault.cache_clear()
    try:
        assert "triton 3.2.0+cu124 is too old" in piecewise.obstacle("cuda")
    finally:
        piecewise.triton_fault.cache_clear()


def test_short_arguments_on_a_cpu() -> None:
    """float32 arithmetic, rounded once."""
    torch.manual_seed(0)
    x, table = torch.rand(1000).bfloat16(), torch.randn(8, 8, 2)
    grid, weights = Grid(0.125, 0, 8), torch.randn(1000, 2).bfloat16()
    wide = x.float(), table, grid
    for using in ("compiled", "torch") if piecewise.compiled() else ("torch",):
        wanted = piecewise.differentiate(
            *wide, weights.float(), slope=True, moments=True, using=using
        )
        values = evaluate(x, table, grid, using=using)
        assert torch.equal(values, evaluate(*wide, using=using).bfloat16())
        found = piecewise.differentiate(
            x, table, grid, weights, slope=True, moments=True, using=using
        )
        assert torch.equal(found[0], wanted[0].bfloat16())
        assert torch.equal(found[1], wanted[1])


def parts(dtype=torch.float32, **options) -> Parts:
    torch.manual_seed(0)
    return parts_of(QRUN(4, 6, **{"hidden": 5, "reuploads": 3, **options}, dtype=dtype))


@pytest.mark.parametrize("outer", ["none", "sin"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_plain_operations_are_the_layer(depth, activation, outer) -> None:
    torch.manual_seed(depth)
    options = {"depth": depth, "activation": activation, "outer": outer, "hidden": 5}
    layer = QRUN(4, 6, **options, dtype=torch.float64, path="exact")
    phi = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    found, wanted = fused_element(layer, phi), layer.element(phi)
    torch.testing.assert_close(found, wanted, rtol=1e-14, atol=1e-14)
    inputs = [phi, layer.reuploading.scales, *layer.observable.parameters()]
    pairs = zip(
        torch.autograd.grad(found.sum(), inputs),
        torch.autograd.grad(wanted.sum(), inputs),
        strict=True,
    )
    for got, expected in pairs:
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_derivatives_of_the_fallback() -> None:
    chosen = parts(torch.float64)
    phi = torch.randn(4, dtype=torch.float64, requires_grad=True)

    def function(phi, *tensors):
        return fused_element(chosen.replaced(tensors), phi)

    assert torch.autograd.gradcheck(function, (phi, *chosen.tensors))
    assert torch.autograd.gradgradcheck(function, (phi, *chosen.tensors))


def test_short_phases_of_the_fallback() -> None:
    chosen, phi = parts(), torch.randn(100)
    found = fused_element(chosen, phi.bfloat16())
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, plain_element(chosen, phi.bfloat16().float()).bfloat16())


def test_the_reason_of_a_fallback(monkeypatch) -> None:
    phi = torch.zeros(3)
    assert "cpu" in obstacle(parts(), phi)
    monkeypatch.setattr(element_module, "triton_fault", lambda device: "")
    assert obstacle(parts(), phi) == ""
    cases = [
        (parts(hidden=65), phi, "65 hidden units"),
        (parts(depth=4), phi, "4 hidden layers"),
        (parts(reuploads=17), phi, "17 re-uploads"),
        (parts(torch.float64, hidden=33), phi.double(), "33|more than 32"),
        (parts(torch.float64), phi, "float64 and phases are not"),
        (parts(device="meta"), phi, "different devices"),
    ]
    for chosen, given, pattern in cases:
        assert re.search(pattern, obstacle(chosen, given)), pattern
        with pytest.raises(ValueError, match="the kernels can't serve"):
            fused_element(chosen, given, using="triton")
    reasons, chosen = [], parts()
    vmap(lambda p: reasons.append(obstacle(chosen, p)) or p)(phi)
    assert "transformed" in reasons[0]


def test_what_is_no_layer() -> None:
    with pytest.raises(TypeError, match="expected a QRUN layer, got Linear"):
        fused_element(nn.Linear(2, 2), torch.zeros(3))
    with pytest.raises(ValueError, match="MatrixProduct is no MLP"):
        fused_element(QRUN(2, 2, readout="matrix-product"), torch.zeros(3))
    with pytest.raises(ValueError, match="from element to element"):
        fused_element(QRUN(2, 4, scales="per-element"), torch.zeros(3))
    with pytest.raises(TypeError, match="real floating point"):
        fused_element(parts(), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="unknown precision 'fp8'"):
        fused_element(parts(), torch.zeros(3), precision="fp8")
