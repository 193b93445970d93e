"""Torch on formal numbers: every function that is followed gives what torch gives, or refuses."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from formal_cases import PROGRAMS, SHAPES, expressions

from qrun_equiv import formal, formal_runner
from qrun_equiv.errors import FormalError

CLOSE = 1e-12
NAMES = list(SHAPES)
RANDOM_PROGRAMS = 200
#: Names that some versions of torch give to calls which others name as on the right.
SYNONYMS = {
    "__add__": "add", "__radd__": "add", "__mul__": "mul", "__rmul__": "mul", "__sub__": "sub",
    "__truediv__": "div", "__matmul__": "matmul", "__iter__": "unbind",
}  # fmt: skip


class Floats:
    """The algebra of plain float64 arrays, with the arithmetic of numpy."""

    purpose = "arithmetic of floats"
    FUNCTIONS: ClassVar = {
        "reciprocal": np.reciprocal, "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "relu": lambda v: np.maximum(v, 0), "softplus": lambda v: np.log1p(np.exp(v)),
        "rsqrt": lambda v: 1 / np.sqrt(v), "atan": np.arctan, "asin": np.arcsin,
        "acos": np.arccos, "silu": lambda v: v / (1 + np.exp(-v)),
        "erf": lambda v: torch.erf(torch.from_numpy(np.array(v))).numpy(),
    }  # fmt: skip

    def constant(self, values):
        return np.asarray(values, dtype=np.float64)

    def shape(self, a):
        return np.shape(a)

    def add(self, a, b):
        return np.asarray(a + b)

    def multiply(self, a, b):
        return np.asarray(a * b)

    def negative(self, a):
        return np.asarray(-a)

    def matmul(self, a, b):
        return np.asarray(np.matmul(a, b))

    def total(self, a, axes):
        return np.asarray(np.sum(a, axis=axes))

    def rearrange(self, a, move):
        moved = np.asarray(move(a))
        assert np.isin(moved, a).all()
        return moved

    def join(self, parts, put):
        return np.asarray(put(list(parts)))

    def function(self, name, a):
        call = self.FUNCTIONS.get(name) or getattr(np, name)
        return np.asarray(call(a))


def points(seed: int = 0):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(0.2, 0.9, SHAPES[n])) for n in NAMES]


def names(values):
    """The names that the expressions use."""
    import torch.nn.functional as F  # noqa: N812

    given = dict(zip(NAMES, values, strict=True))
    a, b, c, q = (given[n] for n in "abcq")
    more = {
        "z": torch.complex(a, b), "z2": torch.complex(b, a * 2), "zc": torch.complex(c, c * c),
        "zq": torch.complex(q, q.T),
    }  # fmt: skip
    return given | more | {"torch": torch, "F": F, "np": np, "cos": torch.cos, "sin": torch.sin}


def flat(result, shapes):
    """All numbers of a result as one row; its shapes are noted."""
    many = result if isinstance(result, tuple | list) else [result]
    parts = []
    for one in many:
        shapes.append((tuple(one.shape), one.is_complex()))
        parts += [one.real, one.imag] if one.is_complex() else [one]
    return torch.cat([p.reshape(-1) for p in parts])[None]


def compare(code, values=None):
    """Formal and native numbers and shapes of ``code(values)``."""
    values = points() if values is None else values
    found, wanted = [], []

    def formally(*given):
        found.clear()
        return flat(code(given), found)

    out = formal.run(formally, values, Floats(), batch=1)
    native = flat(code([torch.from_numpy(v.copy()) for v in values]), wanted)
    assert found == wanted
    assert out.shape == tuple(native.shape)
    np.testing.assert_allclose(out, native.detach().numpy(), rtol=CLOSE, atol=CLOSE)


def expression(text):
    compiled = compile(text, "case", "eval")
    return lambda given: eval(compiled, names(given))


def program(function):
    return lambda given: function(given[NAMES.index("a")], given[NAMES.index("b")])


@pytest.mark.parametrize("text", expressions())
def test_an_expression_is_what_torch_computes(text):
    compare(expression(text))


@pytest.mark.parametrize("function", PROGRAMS)
def test_writing_in_place_is_what_torch_does(function):
    compare(program(function))


def test_every_handler_is_exercised(monkeypatch):
    for other, name in SYNONYMS.items():
        assert formal_runner.HANDLERS[other] is formal_runner.HANDLERS[name]
    used = set()

    def watched(name, handler):
        def call(*args, **kwargs):
            used.add(name)
            return handler(*args, **kwargs)

        return call

    table = {name: watched(name, handler) for name, handler in formal_runner.HANDLERS.items()}
    monkeypatch.setattr(formal_runner, "HANDLERS", table)
    for case in (*map(expression, expressions()), *map(program, PROGRAMS)):
        try:
            compare(case)
        except (AssertionError, FormalError):  # told by the tests above
            continue
    assert sorted(set(table) - used - set(SYNONYMS)) == []


# --- random programs ---

UNARY = [
    "y.cos()", "y.sin()", "-y", "y ** 2", "2 * y - 1", "y / 3", "1 - y", "y.T", "y.flip(1)",
    "y.roll(1, 0)", "y.permute(1, 0)", "y.reshape(3, 3)", "y.cumsum(1)", "y @ q", "q @ y",
    "y + c", "y * c[:, None]", "y.mean(0) + y", "y - y.sum(1, keepdim=True)", "y[[2, 0, 1]]",
    "torch.einsum('ij,kj->ik', y, q)", "torch.einsum('ij,ij,k->ik', y, q, c)", "torch.tril(y)",
    "torch.where(torch.eye(3, dtype=torch.bool), y, q)", "F.linear(y, q, c)",
    "torch.stack([y[0], c, y[:, 1]])", "torch.cat([y[1:], c[None]])", "y.unsqueeze(1).squeeze(1)",
    "torch.stack(y.unbind(1))", "torch.cat(y.split(2), 0)", "torch.kron(y, c)[:, :3]",
    "torch.complex(y, q).conj().imag + y", "(torch.complex(y, q) * 1j).real",
    "torch.outer(y[0], c) + y", "y.diagonal().expand(3, 3)", "torch.addmm(y, y, q)",
    "torch.index_select(y, 1, torch.tensor([1, 1, 0]))", "y[:, [0, 2, 1]]", "u[0] * y",
    "torch.linalg.multi_dot([y, q, q])",
    "y.gather(1, torch.tensor([[0, 2], [2, 0], [1, 0]])) @ m[:2, :3]",
]  # fmt: skip
WRITES = ["y += q", "y *= c", "y[0] = c", "y[:, 1] = y[:, 0] * 2", "y[1, 2] = s", "y -= 1"]


def random_program(seed: int):
    rng = np.random.default_rng(seed)
    lines = ["y = q * 1"]
    for _ in range(rng.integers(5, 11)):
        if rng.random() < 0.25:
            lines += ["y = y.clone()", str(rng.choice(WRITES))]
        else:
            lines.append(f"y = {rng.choice(UNARY)}")
        lines.append("y = y / 2")
    text = "\n".join(lines)
    compiled = compile(text, f"program {seed}", "exec")

    def code(given):
        known = names(given)
        exec(compiled, known)
        return known["y"]

    return code


@pytest.mark.parametrize("seed", range(RANDOM_PROGRAMS))
def test_a_random_program_is_what_torch_computes(seed):
    compare(random_program(seed), points(seed))
