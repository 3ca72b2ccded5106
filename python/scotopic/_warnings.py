"""Warnings of fits."""

import os
import sys
import warnings

from .errors import FitWarning

_HERE = os.path.dirname(__file__)


def told(what, said):
    """Gives what a fit of ``what`` has to say as warnings of the line that called this package."""
    for text in said:
        warnings.warn(f"{what}: {text}", FitWarning, stacklevel=_level())


def _level():
    """How far up the first caller outside this package is, as ``warnings.warn`` in :func:`told` counts."""
    frame, level = sys._getframe(1), 1
    while frame is not None and os.path.dirname(frame.f_code.co_filename) == _HERE:
        frame, level = frame.f_back, level + 1
    return level


def unfinished(estimator, *, tolerant=True):
    """What there is to say of a fit that has not converged; nothing of one that was asked for no iteration.

    ``tolerant``: whether its ``tol`` says when it has.
    """
    if estimator.converged_ or estimator.n_iter == 0:
        return []
    if estimator.n_iter_ < estimator.n_iter:
        return [
            f"ended after {_iterations(estimator)}, where no step raised it further, and had not converged: ln p may be flat "
            "there, or another start may lead further"
        ]
    now = "" if not tolerant or estimator.tol is None else f" (now {estimator.tol:g})"
    larger = f", or a larger tol{now}" if tolerant else ""
    return [
        f"ended after {_iterations(estimator)} and had not converged: give it more by n_iter (now {estimator.n_iter}){larger}"
    ]


def _iterations(estimator):
    return "1 iteration" if estimator.n_iter_ == 1 else f"{estimator.n_iter_} iterations"


def found_once(estimator):
    """What there is to say of a maximum that one start alone came to."""
    reached, of = estimator.found_by_
    if of == 1 or reached > 1:
        return []
    return [f"the best of {of} starts was reached by one alone: there may be a better one, more starts (n_init) would tell"]
