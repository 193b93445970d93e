"""The one table of tolerances: a name, a number and the reason for it.

Errors are relative to the scale of what is compared (the largest magnitude seen, output by output;
see :mod:`qrun_equiv.checks`), so observables of any size are held to the same standard.
"""

from __future__ import annotations

from typing import Final

#: Outputs, gradients and coefficients of an exact pair. Double precision on a circuit of some
#: hundred gates gives 1e-13; a constant that is off by 1e-6 gives 1e-7 or more: 1e-9 separates.
EQUAL: Final = 1e-9

#: Smallest scale that an error is divided by, as a part of the observable's one-norm: below it
#: cancellation noise (1e-16 of the norm) would count as a difference.
SCALE_FLOOR: Final = 1e-3

#: Rounding of the angles moves outputs by eps times their size; errors are held to no less than
#: this many times that.
ROUNDING: Final = 64.0

#: A counterpart called twice on the same rows, or row by row, must give the same numbers up to the
#: reordering of a matrix product's sums.
REPEAT: Final = 1e-12

#: A recovered angle against the native one at random points, relative to max(1, |angle|).
ANGLE: Final = 1e-12

#: The neutral form against the native circuit at random points (the lowering link).
LOWERING: Final = 1e-10

#: Finite differences (central, step 1e-4 of the fourth order) as a witness of a wrong gradient.
FINITE_DIFFERENCE: Final = 1e-6

#: Largest condition number of the least-squares system for Fourier coefficients; beyond it the
#: frequencies are too close to each other for the points at hand.
CONDITION: Final = 1e5

#: A certified difference that counts as equality, relative to the observable's one-norm: some
#: hundred roundings. What lies between this and EQUAL is sampled agreement with a stated bound.
CERTIFIED: Final = 2e-13

#: Our matrix of a gate against the frameworks', entry by entry.
DEFINITION: Final = 1e-13
