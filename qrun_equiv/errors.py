"""Every error that the project raises on purpose: each names the offending thing and the remedy.

All are subclasses of :class:`QrunEquivError`, which is a ``ValueError``, so ``except ValueError``
in a caller's code keeps working. The command line prints the message alone, never a traceback.
"""

from __future__ import annotations


class QrunEquivError(ValueError):
    """Base of the project's errors."""


class AngleError(QrunEquivError):
    """A gate angle is no exact polynomial in features and parameters, or is used as if it were."""


class CircuitError(QrunEquivError):
    """A neutral circuit, gate or observable is not well formed."""


class UnsupportedCircuitError(QrunEquivError):
    """A native circuit has no exact neutral form (its numeric checks may still run)."""


class FrontendError(QrunEquivError):
    """A native circuit can't be evaluated as given: no observable, odd names, wrong shape."""


class CounterpartError(QrunEquivError):
    """A counterpart breaks its contract: wrong shape, dtype, type, or it raises."""


class UndecidedError(QrunEquivError):
    """A comparison can't be decided (non-finite values, a counterpart that is not a function)."""


class SpectrumError(QrunEquivError):
    """A Fourier spectrum was asked for where there is none, or from too few points."""


class DerivationError(QrunEquivError):
    """No counterpart of the kind asked for can be derived from this circuit."""


class PairError(QrunEquivError):
    """A pair file is missing, broken or holds no pair."""


class CertificateError(QrunEquivError):
    """A certificate is corrupt, of an unknown schema, or of another pair."""


class ReportError(QrunEquivError):
    """A report can't be written where it was asked for."""


class DataError(QrunEquivError):
    """A data set is missing or does not fit the pair."""


class FormalError(QrunEquivError):
    """Torch code does something that can't be followed on formal numbers or intervals."""
