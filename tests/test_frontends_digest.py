"""What a function is: text that changes with everything of the user's that decides its numbers."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from qrun_equiv.frontends.digest import digest, fingerprint, weights

_numbers = itertools.count()

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Import source text as a user's module, each under a name of its own."""

    def from_text(text: str, name: str = "") -> ModuleType:
        name = name or f"users_module_{next(_numbers)}"
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)  # inspect finds classes by their module
        spec.loader.exec_module(module)
        return module

    return from_text


TORCH = "import torch\nfrom torch import nn\n"
NET = TORCH + "class Net(nn.Module):\n    def forward(self, x):\n        return {body}\n"

# Two texts that differ in one place {}; the thing compared is always called f.
CHANGES: dict[str, tuple[str, str, str]] = {
    "source": ("def f(x): return {} * x", "2", "3"),
    "lambda": ("f = lambda x: {} * x", "2", "3"),
    "global number": ("S = {}\ndef f(x): return S * x", "2.0", "2.0000000001"),
    "global list": ("S = [1, [2, {}]]\ndef f(x): return S[1][1] * x", "3", "4"),
    "global dict": ("S = {{'a': {}}}\ndef f(x): return S['a'] * x", "3", "4"),
    "global set": ("S = {{1, {}}}\ndef f(x): return len(S) * x", "3", "4"),
    "global array": (
        "import numpy as np\nS = np.array([1.0, {}])\ndef f(x): return S[1] * x",
        "2.0", "2.0000000001"),
    "global tensor": (
        TORCH + "S = torch.tensor([1.0, {}]).double()\ndef f(x): return S[1] * x", "2.0", "2.1"),
    "global scalar tensor": (
        TORCH + "S = torch.tensor({}, dtype=torch.float64)\ndef f(x): return S * x",
        "0.300000", "0.300001"),
    "dtype of a tensor": (
        TORCH + "S = torch.zeros(2, dtype=torch.{})\ndef f(x): return S * x",
        "float64", "complex64"),
    "shape of an array": (
        "import numpy as np\nS = np.zeros({})\ndef f(x): return S * x", "(2, 3)", "(3, 2)"),
    "helper": ("def h(x): return {} * x\ndef f(x): return h(x)", "2", "3"),
    "helper's helper": (
        "def g(x): return {} * x\ndef h(x): return g(x)\ndef f(x): return h(x)", "2", "3"),
    "helper's global": ("S = {}\ndef h(x): return S * x\ndef f(x): return h(x)", "2", "3"),
    "helper in a nested function": (
        "S = {}\ndef f(x):\n    def inner(y):\n        return S * y\n    return inner(x)",
        "2", "3"),
    "closure": ("def make(s):\n    def f(x): return s * x\n    return f\nf = make({})", "2", "3"),
    "function in a closure": (
        ("def make(g):\n    def f(x): return g(x)\n    return f\n"
        "def double(x): return {} * x\nf = make(double)"), "2", "3"),
    "default": ("S = {}\ndef f(x, s=S): return s * x\ndel S", "2", "3"),
    "keyword default": ("S = {}\ndef f(x, *, s=S): return s * x\ndel S", "2", "3"),
    "partial": (
        "import functools\ndef g(s, x): return s * x\nf = functools.partial(g, {})", "2", "3"),
    "keyword of a partial": (
        "import functools\ndef g(x, s): return s * x\nf = functools.partial(g, s={})", "2", "3"),
    "method": (
        ("class C:\n    def __init__(self, s): self.s = s\n"
        "    def g(self, x): return self.s * x\nf = C({}).g"), "2", "3"),
    "body of a method": ("class C:\n    def g(self, x): return {} * x\nf = C().g", "2", "3"),
    "callable instance": ("class C:\n    def __call__(self, x): return {} * x\nf = C()", "2", "3"),
    "instance's slot": (
        ("class C:\n    __slots__ = ('s',)\n    def __init__(self): self.s = {}\n"
        "    def __call__(self, x): return self.s * x\nf = C()"), "2", "3"),
    "global of a callable instance": (
        "S = {}\nclass C:\n    def __call__(self, x): return S * x\nf = C()", "2", "3"),
    "helper of a method": (
        "def h(x): return {} * x\nclass C:\n    def g(self, x): return h(x)\nf = C().g", "2", "3"),
    "base class of an instance": (
        "class B:\n    def __call__(self, x): return {} * x\nclass C(B): pass\nf = C()", "2", "3"),
    "property": (
        (
            "class C:\n    @property\n    def s(self): return {}\n"
            "    def __call__(self, x): return self.s * x\nf = C()"
        ), "2", "3"),
    "class method's helper": (
        (
            "def h(x): return {} * x\nclass C:\n    @classmethod\n"
            "    def g(cls, x): return h(x)\n    def __call__(self, x): return self.g(x)\nf = C()"
        ), "2", "3"),
    "class that is used": (
        "class C:\n    s = {}\ndef f(x): return C.s * x", "2", "3"),
    "cached helper": (
        (
            "import functools\n@functools.lru_cache\ndef h(x): return {} * x\n"
            "def f(x): return h(x)"
        ), "2", "3"),
    "decorator": (
        ("import functools\ndef times(g):\n    @functools.wraps(g)\n"
        "    def w(x): return {} * g(x)\n    return w\n@times\ndef f(x): return x"), "2", "3"),
    "class of a module": (NET + "f = Net()", "2 * x", "3 * x"),
    "global of a module": (
        "S = {}\n" + NET.format(body="S * x") + "f = Net()", "2.0", "3.0"),
    "helper of a module": (
        "def h(x): return {} * x\n" + NET.format(body="h(x)") + "f = Net()", "2.0", "3.0"),
    "base class of a module": (NET + "class Own(Net): pass\nf = Own()", "2 * x", "3 * x"),
    "part of a module": (NET + "f = nn.Sequential(nn.Identity(), Net())", "2 * x", "3 * x"),
    "function kept by a module": (
        NET.format(body="self.g(x)") + "def h(x): return {} * x\nf = Net()\nf.g = h", "2", "3"),
    "QNode": (
        ("import pennylane as qml\nS = {}\n@qml.qnode(qml.device('default.qubit'))\n"
        "def f(x):\n    qml.RX(S * x[0], 0)\n    return qml.expval(qml.Z(0))"), "2", "3"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "one", "two"), CHANGES.values(), ids=CHANGES)
def test_every_change_shows(load: Load, text: str, one: str, two: str) -> None:
    key = "{body}" if "{body}" in text else "{}"
    texts = [text.replace(key, value).replace("{{", "{").replace("}}", "}") for value in (one, two)]
    first, second = (load(t).f for t in texts)
    again = load(texts[0]).f
    assert fingerprint(first) == fingerprint(again), "the same text must be the same function"
    assert fingerprint(first) != fingerprint(second)


def test_two_functions_on_one_line(load: Load) -> None:
    # Both have the whole line as their source.
    module = load("f, g = (lambda x: x), (lambda x: 2 * x)")
    assert fingerprint(module.f) != fingerprint(module.g)


def test_a_helper_in_another_module_of_the_users(load: Load) -> None:
    def made_with(helper: str) -> str:
        load(helper, "users_helper")
        return fingerprint(load("import users_helper\ndef f(x): return users_helper.h(x)").f)

    two = made_with("def h(x): return 2 * x")
    assert made_with("def h(x): return 2 * x") == two
    assert made_with("def h(x): return 33 * x") != two


def test_functions_without_a_source_are_told_apart() -> None:
    made = []
    for text in ("def f(x): return 2 * x", "def f(x): return 3 * x"):
        space: dict[str, Any] = {}
        exec(text, space)
        made.append(fingerprint(space["f"]))
    assert made[0] != made[1]


# --- modules -----------------------------------------------------------------------------------


class Net(nn.Module):
    """One of everything that a module holds."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 3).double()
        self.drop = nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.tensor(0.3, dtype=torch.float64))
        self.register_buffer("shift", torch.zeros(3, dtype=torch.float64))
        self.register_buffer("unit", torch.tensor(1.0, dtype=torch.float64))
        self.power = 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.linear(x) + self.shift) ** self.power * self.scale * self.unit


def net() -> Net:
    torch.manual_seed(0)
    return Net()


def add(name: str, amount: float) -> Callable[[Net], object]:
    def change(module: Net) -> None:
        with torch.no_grad():
            module.get_parameter(name).view(-1)[-1] += amount

    return change


MODULE_CHANGES: dict[str, Callable[[Net], object]] = {
    "weight": add("linear.weight", 1e-15),
    "bias": add("linear.bias", 1e-15),
    "scalar weight": add("scale", 1e-9),
    "buffer": lambda m: m.shift.add_(1e-9),
    "scalar buffer": lambda m: m.unit.add_(1e-9),
    "mode": lambda m: m.eval(),
    "mode of a part": lambda m: m.drop.eval(),
    "attribute": lambda m: setattr(m, "power", 3),
    "attribute of a part": lambda m: setattr(m.drop, "p", 0.1),
    "part replaced": lambda m: setattr(m, "drop", nn.Identity()),
    "hook": lambda m: m.linear.register_forward_hook(lambda *a: 2 * a[-1]),
}


@pytest.mark.parametrize("change", MODULE_CHANGES.values(), ids=MODULE_CHANGES)
def test_every_change_of_a_module_shows(change: Callable[[Net], object]) -> None:
    module = net()
    before = fingerprint(module)
    assert before == fingerprint(net())
    assert before == fingerprint(module)
    change(module)
    assert fingerprint(module) != before


@pytest.mark.parametrize("name", ["weight", "bias", "scalar weight", "buffer", "scalar buffer"])
def test_weights_see_every_change_of_a_tensor(name: str) -> None:
    module = net()

    def held(x: torch.Tensor) -> torch.Tensor:
        return module(x)

    things = [module, module.forward, held]
    before = [weights(thing) for thing in things]
    assert before == [weights(thing) for thing in things]
    MODULE_CHANGES[name](module)
    after = [weights(thing) for thing in things]
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_weights_leave_logs_and_caches_out() -> None:
    log: list[int] = []

    def logging(x: torch.Tensor) -> torch.Tensor:
        log.append(len(x))
        return x

    before = weights(logging)
    logging(torch.zeros(3))
    assert weights(logging) == before == ""
    assert weights(3) == ""


def test_weights_of_tensors_and_globals() -> None:
    array = np.array([1.0, 2.0])
    assert weights(array) != weights(np.array([1.0, 2.0000000001]))
    assert weights(torch.tensor(array)) == weights(torch.tensor(array.copy()))


# --- stability ---------------------------------------------------------------------------------


class Point:
    def __init__(self, value: float) -> None:
        self.value = value


def reader(points: list[Any]) -> Callable[[float], float]:
    def function(x: float) -> float:
        return x + sum(p.value for p in points)

    return function


def test_temporaries_with_reused_identities_are_told_apart() -> None:
    # Dictionaries of attributes are made on the way and freed: their ids come again.
    def make(*values: float) -> str:
        return fingerprint(reader([Point(v) for v in values]))

    values = [float(k) for k in range(60)]
    assert make(*values) == make(*values)
    for changed in (0, 30, 59):
        others = values.copy()
        others[changed] += 0.5
        assert make(*others) != make(*values)
    assert make(1.0, 2.0) != make(2.0, 1.0)
    assert make(1.0, 1.0) != make(1.0)


def test_structures_that_contain_themselves_end() -> None:
    loop: list[Any] = [1]
    loop.append(loop)

    def function(x: float) -> float:
        return function(x - 1) if x > loop[0] else x

    assert fingerprint(function) == fingerprint(function)


def test_addresses_are_no_part_of_it() -> None:
    class Opaque:
        pass

    def make() -> Callable[[], Any]:
        thing, lock, iterator = Opaque(), functools.lru_cache(len), object()
        return lambda: (thing, lock, iterator)

    assert fingerprint(make()) == fingerprint(make())


STABLE = """
import functools
import numpy as np
import torch
from torch import nn

NAMES = {"alpha", "beta", "gamma", "delta", "epsilon"}
TABLE = {"b": 2, "a": {1, 2, 3}, ("t", 1): frozenset("xyz")}
ARRAY = np.arange(5.0)


class Thing:
    def __init__(self):
        self.names = set(NAMES)
        self.function = functools.partial(helper, 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        nn.init.constant_(self.linear.weight, 0.25)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x):
        return helper(1.5, self.linear(x))


def helper(scale, x):
    return scale * x + len(NAMES) + ARRAY.sum()


def make():
    thing, net = Thing(), Net()

    def f(x, options=(1, "two", None)):
        return thing.function(x), net(x), TABLE, object

    return f


f = make()
"""


def test_stable_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "users_stable.py").write_text(STABLE)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import users_stable\n"
        "from qrun_equiv.frontends.digest import fingerprint, digest\n"
        "sys.stdout.write(digest(fingerprint(users_stable.f), fingerprint(users_stable.f)))"
    )
    # The order of a set of strings follows the hash seed.
    found = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert len(found.pop()) == 64


# --- digests -----------------------------------------------------------------------------------


def test_digest_is_sha256_of_texts_with_their_lengths() -> None:
    expected = hashlib.sha256(b"2:ab3:\xe2\x82\xac").hexdigest()
    assert digest("ab", "€") == expected
    # Moving a letter from one text to the next is a change.
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")
