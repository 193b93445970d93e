"""The claim of a pair as MathML, which browsers set without any library.

Formulas break between factors: each factor of a product is a ``<math>`` of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.pair import Pair

#: Most gates of a circuit and terms of an observable that are written out.
GATES, TERMS, OBSERVABLES = 28, 6, 4
#: Longest angle that is written out; longer ones are an alpha of what they read.
LONGEST = 60

_TOKEN = re.compile(
    r"(?P<name>theta|x|arccos|pi)(?P<index>\d*)|(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<sign>\S)"
)
REALS = "\N{DOUBLE-STRUCK CAPITAL R}"
_NAMES = {"theta": "θ", "pi": "π"}


@dataclass(frozen=True, slots=True)
class Formulas:
    """Formulas of one pair as MathML.

    Attributes:
        claim: what is claimed about ``f`` and ``g``.
        domain: for which features and parameters.
        named: ``U(x, theta) =``.
        unitary: factors of ``U``, the last applied first as in a product; empty where too long.
        observables: ``O_k = ...``; those beyond :data:`OBSERVABLES` are left out.
        more: what was left out, in words.
    """

    claim: Markup
    domain: Markup
    named: Markup
    unitary: tuple[Markup, ...]
    observables: tuple[Markup, ...]
    more: str


def formulas(pair: Pair, circuit: Circuit | None, n_features: int, n_parameters: int) -> Formulas:
    """The claim, its domain, and the circuit written out where it is short."""
    unitary: tuple[Markup, ...] = ()
    observables: tuple[Markup, ...] = ()
    more = []
    if circuit is not None:
        if len(circuit.gates) <= GATES:
            unitary = tuple(_math(_gate(g)) for g in reversed(circuit.gates))
            if any(g.angle is not None and len(str(g.angle)) > LONGEST for g in circuit.gates):
                more.append("an angle too long to print is an α")
        else:
            more.append(f"U has {len(circuit.gates)} gates: see the drawing")
        shown = circuit.observables[:OBSERVABLES]
        several = len(circuit.observables) > 1
        observables = tuple(
            _math(_observable(o, k if several else None)) for k, o in enumerate(shown)
        )
        if len(circuit.observables) > OBSERVABLES:
            more.append(f"{len(circuit.observables) - OBSERVABLES} more observables")
    return Formulas(
        claim=_claim(pair, several=circuit is not None and len(circuit.observables) > 1),
        domain=_domain(pair, n_features, n_parameters),
        named=_math(f"{_i('U')}{_arguments()}{_o('=')}"),
        unitary=unitary,
        observables=observables,
        more="; ".join(more),
    )


def angle(value: Angle) -> str:
    """An exact angle as MathML without the ``<math>`` around it; a long one as ``α(x, θ)``."""
    text = str(value)
    if len(text) <= LONGEST:
        return _expression(text)
    read = [sign for sign, kind in (("x", "x"), ("θ", "theta")) if kind in text]
    return _i("α") + _bracket(_o(",").join(_i(name) for name in read))


# --- the claim -----------------------------------------------------------------------------------


def _claim(pair: Pair, *, several: bool) -> Markup:
    index = "k" if several else ""
    value = (
        f"{_call('f', index)}{_o('=')}{_o('⟨')}{_n('0')}{_o('|')}<msup>{_i('U')}{_o('†')}</msup>"
        f"{_arguments()}{_sub('O', index)}{_i('U')}{_arguments()}{_o('|')}{_n('0')}{_o('⟩')}"
    )
    other = _call("g", index)
    if pair.claim == "approximates":
        apart = f"{_o('|')}{_call('f', index)}{_o('−')}{other}{_o('|')}"
        epsilon = f"{_o('≤')}{_number(pair.epsilon)}{_o(',')}<mspace width='1em'/>"
        parts = (apart + epsilon, value)
    else:
        parts = (value, f"{_o('=' if pair.claim == 'equal' else '≠')}{other}")
    # A narrow page breaks the line between them.
    return Markup(" ").join(_math(part, display=True) for part in parts)


def _domain(pair: Pair, n_features: int, n_parameters: int) -> Markup:
    features = _space("x", n_features)
    box = pair.domain
    if box is not None and _plain_interval(box):
        low, high = box
        power = f"<msup>{_interval(low, high)}{_n(str(n_features))}</msup>"
        features = f"{_i('x')}{_o('∈')}{_interval(low, high) if n_features == 1 else _group(power)}"
    parts = [features]
    if n_parameters:
        given = pair.parameters is not None
        parts.append(
            f"{_i('θ')}<mspace width='0.3em'/><mtext>as given</mtext>"
            if given
            else _space("θ", n_parameters)
        )
    return _math(f"{_o(',')}<mspace width='0.6em'/>".join(parts))


def _plain_interval(box: object) -> bool:
    return (
        isinstance(box, Sequence) and len(box) == 2 and all(isinstance(v, int | float) for v in box)
    )


def _interval(low: float, high: float) -> str:
    return _group(f"{_o('[')}{_number(low)}{_o(',')}{_number(high)}{_o(']')}")


def _space(name: str, size: int) -> str:
    power = f"<msup>{_i(REALS)}{_n(str(size))}</msup>" if size != 1 else _i(REALS)
    return f"{_i(name)}{_o('∈')}{power}"


# --- the circuit ---------------------------------------------------------------------------------


def _gate(gate: Gate) -> str:
    at = _bracket(_n(",".join(map(str, gate.wires))))
    name = {"PhaseShift": "P", "Unitary": "V"}.get(gate.name, gate.name)
    head = _i("R") if name.startswith("R") and gate.angle is not None else f"<mi>{name}</mi>"
    letter = name[1:] if head == _i("R") else ""
    if gate.name == "PauliRot":
        head, letter = _i("R"), gate.word
    named = f"<msubsup>{head}<mi>{letter}</mi>{at}"
    shown = f"{named}</msubsup>"
    if not letter:
        shown = f"<msup>{head}{at}</msup>"
    return shown + ("" if gate.angle is None else _bracket(angle(gate.angle)))


def _observable(observable: Observable, index: int | None) -> str:
    terms = []
    for position, (coefficient, word) in enumerate(observable.terms[:TERMS]):
        letters = "".join(f"<msub>{_i(p)}{_n(str(w))}</msub>" for w, p in word) or _i("I")
        sign = "−" if coefficient < 0 else "+" if position else ""
        size = "" if abs(coefficient) == 1 else _number(abs(coefficient))
        terms.append(f"{_o(sign) if sign else ''}{size}{letters}")
    if len(observable.terms) > TERMS:
        terms.append(f"{_o('+')}{_o('…')}")
    return f"{_sub('O', '' if index is None else str(index))}{_o('=')}{''.join(terms) or _n('0')}"


# --- MathML --------------------------------------------------------------------------------------


def _math(body: str, *, display: bool = False) -> Markup:
    kind = ' displaystyle="true"' if display else ""
    return Markup(f"<math{kind}><mrow>{body}</mrow></math>")  # noqa: S704 - built of escaped parts


def _i(name: str) -> str:
    return f"<mi>{escape(name)}</mi>"


def _n(number: str) -> str:
    return f"<mn>{escape(number)}</mn>"


def _o(sign: str) -> str:
    tight = ' lspace="0" rspace="0"' if sign in "|⟨⟩" else ""
    # Left to themselves brackets grow with the room that fonts leave around indices.
    fixed = ' stretchy="false"' if sign in "|⟨⟩()[]" else ""
    return f"<mo{tight}{fixed}>{escape(sign)}</mo>"


def _group(body: str) -> str:
    return f"<mrow>{body}</mrow>"


def _bracket(body: str) -> str:
    return _group(f"{_o('(')}{body}{_o(')')}")


def _sub(name: str, index: str) -> str:
    if not index:
        return _i(name)
    return f"<msub>{_i(name)}{_n(index) if index.isdigit() else _i(index)}</msub>"


def _arguments() -> str:
    return _bracket(f"{_i('x')}{_o(',')}{_i('θ')}")


def _call(name: str, index: str) -> str:
    return _sub(name, index) + _arguments()


def _number(value: float | None) -> str:
    """A number; a power of ten where it is written with an exponent."""
    text = f"{value:g}"
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return _n(text.replace("-", "−"))
    power = f"<msup>{_n('10')}{_n(str(int(exponent)).replace('-', '−'))}</msup>"
    return power if mantissa == "1" else f"{_n(mantissa)}{_o('×')}{power}"


def _expression(text: str) -> str:
    """``2*theta3*x0 + 2/3*pi^2`` as MathML; products by juxtaposition."""
    made: list[str] = []
    power = False
    for match in _TOKEN.finditer(text):
        if match["sign"]:
            sign = match["sign"]
            power = sign == "^"
            if sign not in "*^":
                made.append(_o("−" if sign == "-" else sign))
            continue
        name, index = match["name"], match["index"]
        if name:
            token = _sub(_NAMES.get(name, name), index) if index else _i(_NAMES.get(name, name))
        else:
            token = _n(match["number"])
        if power:
            made.append(f"<msup>{made.pop()}{token}</msup>")
            power = False
        else:
            made.append(token)
    return _group("".join(made))
