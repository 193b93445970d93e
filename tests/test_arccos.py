"""Encodings by arccos and arcsin: exact angles, identities, and false identities that are seen."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pennylane as qml
import pytest
import sympy
import torch

import qrun_equiv as qe
from qrun_equiv import exact, field_arcs, trigonometric
from qrun_equiv.angle import PI, Angle, Symbol, feature, parameter
from qrun_equiv.certificate import IDENTITY, Status
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import AngleError, FormalError, SpectrumError
from qrun_equiv.field import Field
from qrun_equiv.fourier import accessible
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.export import to_pennylane, to_qiskit
from qrun_equiv.pair import catalogue_folder, collect
from qrun_equiv.proving import identity

X, ARC = feature(0), feature(0).arccos()
ARC_2 = (X * X).arccos()
HALF = Fraction(1, 2)
PAIRS = {p.name: p for p in collect([catalogue_folder()])}
LEARNING, TOWER = PAIRS["quantum-circuit-learning"], PAIRS["chebyshev-tower"]


def sizes(pair):
    return {"n_features": pair.n_features, "n_parameters": pair.n_parameters}


def source(function, features=1, parameters=0):
    return CounterpartSource(function, Sizes(features, (parameters,)))


def circuit(*gates, features=1, parameters=0, words=({0: "Z"},)):
    wires = 1 + max(w for g in gates for w in g.wires)
    observables = tuple(Observable.of([(1.0, word)]) for word in words)
    return Circuit(wires, gates, observables, features, parameters)


def ry(angle, wire=0):
    return Gate("RY", (wire,), angle)


# --- angles ---


@pytest.mark.parametrize(
    ("angle", "text", "value"),
    [
        (ARC, "arccos(x0)", np.arccos),
        (X.arcsin(), "-arccos(x0) + 1/2*pi", np.arcsin),
        ((X**3).arccos() * 2, "2*arccos(x0^3)", lambda x: 2 * np.arccos(x**3)),
        ((-X).arccos(), "-arccos(x0) + pi", lambda x: np.arccos(-x)),
        (ARC * ARC, "arccos(x0)^2", lambda x: np.arccos(x) ** 2),
    ],
)
def test_text_and_value(angle, text, value):
    x = np.linspace(-1, 1, 41)[:, None]
    assert str(angle) == text
    np.testing.assert_allclose(angle.evaluate(x, np.zeros(0)), value(x[:, 0]), atol=1e-14)
    tensor = torch.tensor(x[1:-1], requires_grad=True)
    values = angle.evaluate(tensor, None)
    np.testing.assert_allclose(values.detach(), angle.evaluate(x[1:-1], None), atol=1e-14)
    assert torch.isfinite(torch.autograd.grad(values.sum(), tensor)[0]).all()
    assert np.all(angle.magnitude(x, np.zeros(0)) >= abs(value(x[:, 0])) - 1e-14)


@pytest.mark.parametrize(("number", "angle"), [
    (1, Angle()), (HALF, PI / 3), (0, PI / 2), (-HALF, PI * Fraction(2, 3)), (-1, PI),
])  # fmt: skip
def test_arccos_of_constants(number, angle):
    assert Angle.constant(Fraction(number)).arccos() == angle
    assert np.isclose(float(angle.evaluate(None, None)), np.arccos(float(number)))


@pytest.mark.parametrize(
    "angle", [2 * X, X + 1, parameter(0), X * feature(1), Angle.constant(0.3), PI, ARC],
)  # fmt: skip
def test_arccos_of_anything_else_is_refused(angle):
    with pytest.raises(AngleError, match="arccos"):
        angle.arccos()


def test_symbols_features_and_slopes():
    angle = parameter(0) * (feature(1) ** 2).arccos() + X
    assert angle.features() == {0, 1}
    assert angle.arcs() == {Symbol("acos", 1, 2)}
    assert angle.derivative(Symbol("x", 0)) == Angle.constant(1)
    assert angle.derivative(Symbol("theta", 0)) == (feature(1) ** 2).arccos()
    with pytest.raises(AngleError, match="no polynomial"):
        angle.derivative(Symbol("x", 1))
    assert (X**2).arccos().replace({Symbol("x", 0): feature(3)}) == (feature(3) ** 2).arccos()
    assert ARC.replace({Symbol("x", 0): -X}) == PI - ARC
    with pytest.raises(AngleError, match="arccos"):
        ARC.replace({Symbol("x", 0): 2 * X})


def test_no_fourier_series():
    with pytest.raises(SpectrumError, match="arccos"):
        accessible(circuit(ry(ARC)))
    two = circuit(ry(ARC + 3 * feature(1)), features=2)
    assert len(accessible(two, [1])) == 3  # the other feature is held fixed
    with pytest.raises(SpectrumError, match="arccos"):
        accessible(two)


def test_a_cosine_of_an_arccos_is_no_trigonometric_polynomial():
    with pytest.raises(FormalError, match="not affine"):
        trigonometric.of_circuit(circuit(ry(ARC)), [])


@pytest.mark.parametrize("pair", [LEARNING, TOWER], ids=lambda p: p.name)
def test_the_frontends_read_the_same_angles_and_write_them(pair):
    one, two = (
        qe.neutral({name: native}, observable=pair.observable, **sizes(pair))
        for name, native in pair.circuits().items()
    )
    assert [g.angle for g in one.gates] == [g.angle for g in two.gates]
    qnode = qml.QNode(to_pennylane(one), qml.device("default.qubit", wires=one.n_wires))
    native, observable = to_qiskit(one)
    for circuits, words in (({"pennylane": qnode}, None), ({"qiskit": native}, observable)):
        found = qe.verify(
            circuits, pair.counterpart, observable=words, domain=pair.domain,
            **sizes(pair),
        )  # fmt: skip
        assert found.status is Status.PROVED, str(found)


# --- identities ---


@pytest.mark.parametrize("pair", [LEARNING, TOWER], ids=lambda p: p.name)
def test_the_catalogue_pairs_are_proved(pair):
    verdict = pair.verify()
    assert verdict.status is Status.PROVED, str(verdict)
    checks = [c for c in verdict.checks if c.name == IDENTITY]
    assert len(checks) == 2
    for check in checks:
        assert "x0 within [-1, 1]" in check.scope
        assert check.error < 1e-24


def learning(y=lambda x: x * (1 - x**4).sqrt(), z=lambda x: (1 - x**2).sqrt(),
             cube=lambda x: x**3, turn=1):  # fmt: skip
    def function(x, theta):
        x = x[:, 0]
        first = torch.sin(turn * theta[0]) * y(x) + torch.cos(theta[0]) * z(x)
        return torch.stack([first, cube(x)], dim=-1)

    return function


def tower(t3=lambda x: 4 * x**3 - 3 * x, sign=-1, turn=1):
    def function(x, theta):
        x = x[:, 0]
        root = torch.sqrt(1 - x**2)
        t, u = [x, 2 * x**2 - 1, t3(x)], [torch.ones_like(x), 2 * x, 4 * x**2 - 1]
        z = [
            torch.cos(theta[q]) * t[q] + sign * torch.sin(turn * theta[q]) * u[q] * root
            for q in range(3)
        ]
        return torch.stack([z[0] * z[1] * z[2], z[1]], dim=-1)

    return function


def by_arccos(first=torch.arcsin, second=lambda x: torch.arccos(x**2)):
    def function(x, theta):
        x = x[:, 0]
        a, b = first(x), second(x)
        bloch = torch.sin(a) * torch.cos(b), torch.sin(a) * torch.sin(b), torch.cos(a)
        one = torch.sin(theta[0]) * bloch[1] + torch.cos(theta[0]) * bloch[2]
        return torch.stack([one, bloch[0]], dim=-1)

    return function


TRUE = {
    "learning": (LEARNING, learning()),
    "learning, other root": (LEARNING, learning(z=lambda x: (4 - 4 * x**2).sqrt() / 2)),
    "learning by arccos": (LEARNING, by_arccos()),
    "tower": (TOWER, tower()),
}
FALSE = {
    "T_3": (TOWER, tower(t3=lambda x: 4 * x**3 - 2 * x)),
    "T_3, nearly": (TOWER, tower(t3=lambda x: 4 * x**3 - (3 + 1e-9) * x)),
    "sign of the root": (TOWER, tower(sign=1)),
    "sign of the angle": (TOWER, tower(turn=-1)),
    "z is negative": (LEARNING, learning(z=lambda x: -((1 - x**2).sqrt()))),
    "y is negative": (LEARNING, learning(y=lambda x: -x * (1 - x**4).sqrt())),
    "no root": (LEARNING, learning(y=lambda x: x * (1 - x**2))),
    "the other root": (LEARNING, learning(y=lambda x: x * (1 - x**2).sqrt())),
    "x^2 for x^3": (LEARNING, learning(cube=lambda x: x**2)),
    "sign of theta": (LEARNING, learning(turn=-1)),
    "2 arccos x for arccos x^2": (LEARNING, by_arccos(second=lambda x: 2 * torch.arccos(x))),
    "arccos for arcsin": (LEARNING, by_arccos(first=torch.arccos)),
    "arcsin for arccos": (LEARNING, by_arccos(second=lambda x: torch.arcsin(x**2))),
}


def neutral(pair):
    return qe.neutral(pair.circuits(), observable=pair.observable, **sizes(pair))


@pytest.mark.parametrize("name", TRUE)
def test_true_identities_are_proved(name):
    pair, function = TRUE[name]
    form = neutral(pair)
    for seed in range(20):
        found = identity(form, source(function, 1, form.n_parameters), seed=seed)
        assert found.equal
        assert found.error < 2.0**-80


@pytest.mark.parametrize("name", FALSE)
def test_false_identities_are_seen_every_time_and_refuted(name):
    pair, function = FALSE[name]
    form = neutral(pair)
    seen = [
        not identity(form, source(function, 1, form.n_parameters), seed=seed).equal
        for seed in range(200)
    ]
    assert sum(seen) == 200
    verdict = qe.verify(
        pair.circuits(), function, observable=pair.observable, domain=pair.domain,
        **sizes(pair),
    )  # fmt: skip
    nearly = name.endswith("nearly")  # below what sampling sees; never proved
    assert verdict.status is (Status.SAMPLED if nearly else Status.REFUTED), str(verdict)


def powers_at(seed, powers):
    drawn = Field.random(np.random.default_rng(seed))
    drawn.arcs({Symbol("acos", 0, k) for k in powers})
    return drawn


@pytest.mark.parametrize("powers", [(1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 4)])
def test_the_point_satisfies_every_relation_of_half_angles(powers):
    for seed in range(20):
        drawn = powers_at(seed, powers)
        p, x = drawn.prime, drawn.value(X)
        half, i = (p + 1) // 2, drawn.i
        sines = {}
        for k in powers:
            arc = (X**k).arccos()
            z = drawn.turn(arc * HALF)
            inverse = drawn.conjugate().turn(arc * HALF)
            assert z * inverse % p == 1
            cosine, sine = (z + inverse) * half % p, (z - inverse) * half * pow(i, -1, p) % p
            assert 2 * cosine * cosine % p == (1 + pow(x, k, p)) % p
            assert 2 * sine * sine % p == (1 - pow(x, k, p)) % p
            assert drawn.turn(arc) == z * z % p
            assert drawn.turn(PI - arc) == (p - pow(z, -2, p)) % p
            sines[k] = cosine, sine
        for k in powers:  # 1 - x^2k = (1 - x^k) (1 + x^k): the non-negative root of both sides
            if 2 * k in powers:
                cosine, sine = sines[k]
                assert sines[2 * k][1] == cosine * sine * drawn.root_two % p


@pytest.mark.parametrize("powers", [(2,), (1, 2), (3,), (2, 3), (1, 2, 3)])
def test_the_roots_generate_a_field_of_full_degree(powers):
    """No product of some psi_d is a square: each combination of signs occurs."""
    t = sympy.Symbol("t")
    divisors = sorted({d for k in powers for d in sympy.divisors(2 * k)})
    psi = [1 - t if d == 1 else sympy.cyclotomic_poly(d, t) for d in divisors]
    for k in powers:
        one = [q for d, q in zip(divisors, psi, strict=True) if k % d == 0]
        other = [q for d, q in zip(divisors, psi, strict=True) if (2 * k) % d == 0 and k % d]
        assert sympy.expand(sympy.prod(one) - (1 - t**k)) == 0
        assert sympy.expand(sympy.prod(other) - (1 + t**k)) == 0
    for n in range(1, len(psi) + 1):
        for some in itertools.combinations(psi, n):
            assert sympy.discriminant(sympy.prod(some), t) != 0
    x = np.linspace(-0.999, 0.999, 501)
    assert all(np.all(sympy.lambdify(t, q)(x) > 0) for q in psi)


def test_signs_of_the_roots_are_free_otherwise():
    """Neither root is tied to a square root that the field would choose by itself."""
    seen = set()
    for seed in range(40):
        drawn = powers_at(seed, (1, 2))
        p, x = drawn.prime, drawn.value(X)
        turned = [drawn.turn(a) for a in (ARC, ARC_2)]
        sines = [(z - pow(z, -1, p)) * pow(2 * drawn.i, -1, p) % p for z in turned]
        assert [s * s % p for s in sines] == [(1 - x**2) % p, (1 - x**4) % p]
        seen.add(tuple(s < p // 2 for s in sines))
    assert len(seen) == 4


def test_what_exact_arithmetic_can_not_do_is_said():
    drawn = powers_at(0, (1, 2))
    with pytest.raises(FormalError, match="whole multiples"):
        drawn.turn(ARC_2 * Fraction(1, 4))
    with pytest.raises(FormalError, match="one side only"):
        drawn.turn((X**3).arccos())
    with pytest.raises(FormalError, match="too many"):
        field_arcs.draw([60], drawn.prime, drawn.i, drawn.root_two, lambda n: n // 2)
    with pytest.raises(FormalError, match="too many"):
        field_arcs.draw([2, 3, 5, 7], drawn.prime, drawn.i, drawn.root_two, lambda n: n // 2)
    with pytest.raises(AssertionError):
        drawn.arcs({Symbol("acos", 0)})
    only = powers_at(0, (1,))  # any fraction: z is a point of the circle
    quarter = only.turn(ARC * Fraction(1, 4))
    assert pow(quarter, 4, only.prime) == only.turn(ARC)
    plain = circuit(ry(X))
    for function in (torch.arccos, lambda x: torch.sqrt(1 - x**2)):
        with pytest.raises(FormalError, match="arccos"):
            identity(plain, source(function))
    for function in (lambda x: torch.sqrt(x**2 - 1), lambda x: torch.sqrt(1 - x**3)):
        with pytest.raises(FormalError, match="sqrt"):
            identity(circuit(ry(ARC)), source(function))


def test_controlled_rotations_and_parameters_beside_an_arccos():
    gates = (Gate("H", (0,)), Gate("CRY", (0, 1), ARC), ry(parameter(0) * ARC, 0))
    one = circuit(*gates, parameters=1, words=({1: "Z"},))
    assert exact.compare(one, one).equal
    half = circuit(*gates[:2], words=({1: "Z"},))
    assert identity(half, source(lambda x: (1 + x) / 2)).equal
    assert not identity(half, source(lambda x: (1 + x**2) / 2)).equal
