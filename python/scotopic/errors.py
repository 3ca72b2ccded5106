"""Exceptions of the package. Their messages name what is wrong, where, and what was expected."""

import re


class ScotopicError(ValueError):
    """A problem with a model, an observation or a setting; the base of all exceptions of this package."""


class SizeError(ScotopicError):
    """An array has the wrong size. Attribute ``name``: the array."""


class ParameterError(ScotopicError):
    """An entry of a model is not what it can be. Attributes ``name`` and ``at``: the array and the place in it."""


class NotPositiveDefiniteError(ScotopicError):
    """A matrix that should be a covariance is not positive definite. Attribute ``name``: the matrix."""


class DependentColumnsError(ScotopicError):
    """Columns of the data do not vary, or one is a combination of others. Attribute ``columns``, from 0."""


class ObservationError(ScotopicError):
    """An observation is not one of this model. Attributes ``index`` and ``entry``, from 0."""


class DataError(ScotopicError, TypeError):
    """Data are not real numbers: text, dates, complex numbers, any other objects."""


class ImpossibleObservationError(ScotopicError):
    """No state that can be reached can have made the observation. Attribute ``index``, from 0."""


class NotFiniteError(ScotopicError, ArithmeticError):
    """A computation left the range of numbers. Attribute ``index``: the observation, from 0."""


class SettingError(ScotopicError):
    """A setting makes no sense. Attribute ``field``: its name."""

    def __init__(self, *said):
        super().__init__(*said)
        name = re.match(r"settings? `([^`]+)`", str(self))
        self.field = name[1] if name else None


class UnsupportedError(ScotopicError, NotImplementedError):
    """Something was asked that a factorisation or a model cannot do."""


class FileError(ScotopicError, OSError):
    """A file of a network or of a data set cannot be read or written. Attribute ``errno``, as of every ``OSError``."""


class NotFittedError(ScotopicError, AttributeError):
    """A model has no parameters yet: call ``fit``, or set them."""


class FitWarning(UserWarning):
    """Something about a fit that its user should know: it ended early, states are rare, its maximum was found once."""


def not_fitted(message):
    """The exception of a model without parameters; also one of scikit-learn's, where that is loaded."""
    import sys

    sklearn = sys.modules.get("sklearn.exceptions")
    if sklearn is None:
        return NotFittedError(message)
    both = type("NotFittedError", (NotFittedError, sklearn.NotFittedError), {"__module__": __name__})
    return both(message)
