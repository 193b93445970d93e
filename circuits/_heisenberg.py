"""Heisenberg's picture for a few qubits: the observable is pulled back through the gates.

An observable is a mapping from Pauli words, one letter a qubit and qubit 0 first, to coefficients
(numbers or tensors). Gates are undone from the last to the first, ``Q -> U^dagger Q U``:

- a rotation ``exp(-i a P / 2)`` leaves the words that commute with P alone, and sends the others
  to ``cos(a) Q - i sin(a) Q P``;
- CNOT and CZ permute the words up to a sign.

In the end only words of I and Z have an expectation value in ``|0...0>``, and it is 1.
"""

import torch

# Products of Pauli letters: (left, right) -> (power of i, letter).
_PRODUCT = {(a, a): (0, "I") for a in "IXYZ"}
_PRODUCT |= {("I", a): (0, a) for a in "XYZ"} | {(a, "I"): (0, a) for a in "XYZ"}
_PRODUCT |= {("X", "Y"): (1, "Z"), ("Y", "Z"): (1, "X"), ("Z", "X"): (1, "Y")}
_PRODUCT |= {("Y", "X"): (3, "Z"), ("Z", "Y"): (3, "X"), ("X", "Z"): (3, "Y")}

# (control, target) -> (sign, control, target); each table is its own inverse.
_CNOT = {
    "II": (1, "II"), "IX": (1, "IX"), "IY": (1, "ZY"), "IZ": (1, "ZZ"),
    "XI": (1, "XX"), "XX": (1, "XI"), "XY": (1, "YZ"), "XZ": (-1, "YY"),
    "YI": (1, "YX"), "YX": (1, "YI"), "YY": (-1, "XZ"), "YZ": (1, "XY"),
    "ZI": (1, "ZI"), "ZX": (1, "ZX"), "ZY": (1, "IY"), "ZZ": (1, "IZ"),
}  # fmt: skip
_CZ = {
    "II": (1, "II"), "IX": (1, "ZX"), "IY": (1, "ZY"), "IZ": (1, "IZ"),
    "XI": (1, "XZ"), "XX": (1, "YY"), "XY": (-1, "YX"), "XZ": (1, "XI"),
    "YI": (1, "YZ"), "YX": (-1, "XY"), "YY": (1, "XX"), "YZ": (1, "YI"),
    "ZI": (1, "ZI"), "ZX": (1, "IX"), "ZY": (1, "IY"), "ZZ": (1, "ZZ"),
}  # fmt: skip


def _add(observable, word, coefficient):
    observable[word] = observable[word] + coefficient if word in observable else coefficient


def rotation(observable, generator, angle):
    """Undo ``exp(-i angle P / 2)``, P a word such as ``"ZZI"``."""
    c, s = torch.cos(angle), torch.sin(angle)
    result = {}
    for word, coefficient in observable.items():
        factors = [_PRODUCT[pair] for pair in zip(word, generator, strict=True)]
        power = sum(power for power, _ in factors) % 4
        if power % 2 == 0:  # they commute
            _add(result, word, coefficient)
        else:  # Q P = i^power R, and -i i^power is 1 or -1
            _add(result, word, coefficient * c)
            turned = coefficient * s
            _add(result, "".join(a for _, a in factors), turned if power == 1 else -turned)
    return result


def rot(observable, qubit, angles):
    """Undo ``Rot(phi, theta, omega) = RZ(omega) RY(theta) RZ(phi)`` on one qubit."""
    n = len(next(iter(observable)))
    for letter, angle in (("Z", angles[2]), ("Y", angles[1]), ("Z", angles[0])):
        word = "I" * qubit + letter + "I" * (n - qubit - 1)
        observable = rotation(observable, word, angle)
    return observable


def cnot(observable, control, target):
    return _permute(observable, control, target, _CNOT)


def cz(observable, control, target):
    return _permute(observable, control, target, _CZ)


def _permute(observable, first, second, table):
    result = {}
    for word, coefficient in observable.items():
        sign, letters = table[word[first] + word[second]]
        moved = list(word)
        moved[first], moved[second] = letters
        _add(result, "".join(moved), coefficient if sign == 1 else -coefficient)
    return result


def in_zero_state(observable):
    """Expectation value in ``|0...0>``."""
    return sum(c for word, c in observable.items() if set(word) <= {"I", "Z"})
