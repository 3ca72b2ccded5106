"""Data as users have them, as observations of the library."""

import numpy as np

from . import _scotopic
from .errors import SettingError, SizeError


def observations(X, lengths=None, what="X"):
    """Observations from an array ``[T, D]`` (or ``[T]``: one number each) or a list of such arrays.

    A C-contiguous array of float64 is not copied. An entry that is NaN (``None``, ``pandas.NA``, masked) is missing.
    """
    if isinstance(X, _scotopic.Observations):
        if lengths is not None:
            raise SettingError("setting `lengths`: found some, expected None: these observations are cut already")
        return X
    if _is_list_of_sequences(X):
        if lengths is not None:
            raise SettingError("setting `lengths`: found some, expected None for a list of sequences")
        parts = [rows(x, f"{what}[{i}]") for i, x in enumerate(X)]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise SizeError(f"{what}: found sequences of {sorted(widths)} columns, expected the same number in each")
        lengths = [len(part) for part in parts]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return _scotopic.Observations(whole, lengths)
    whole = rows(X, what)
    if lengths is None:
        return _scotopic.Observations(whole, None)
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 0).any():
        raise SettingError(f"setting `lengths`: found {lengths!r}, expected whole numbers of rows, one a sequence")
    return _scotopic.Observations(whole, lengths.tolist())


def rows(X, what="X"):
    """A C-contiguous array ``[T, D]`` of float64, T and D at least 1; the very same array where it is one."""
    if hasattr(X, "tocsr"):
        raise TypeError(
            f"{what}: found a sparse matrix or array, expected a dense one (sparse input is not supported); use X.toarray()"
        )
    if isinstance(X, np.ma.MaskedArray):
        X = X.astype(np.float64).filled(np.nan)
    elif hasattr(X, "to_numpy"):
        X = X.to_numpy(dtype=np.float64, na_value=np.nan)
    array = np.asarray(X)
    if array.dtype.kind == "c":
        raise ValueError(f"{what}: Complex data not supported")
    if array.dtype.kind in "SUMmV":
        raise ValueError(f"{what}: found an array of dtype {array.dtype}, expected numbers")
    array = array.astype(np.float64, copy=False)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise SizeError(
            f"{what}: found an array of {array.ndim} axes, expected 2, rows of observations. Reshape your data: "
            "X.reshape(-1, 1) if there is one number an observation"
        )
    if array.shape[0] == 0:
        raise SizeError(f"{what}: Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.shape[1] == 0:
        raise SizeError(
            f"{what}: Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    return np.ascontiguousarray(array)


def _is_list_of_sequences(X):
    if not isinstance(X, (list, tuple)) or not X:
        return False
    return all(getattr(x, "ndim", None) == 2 for x in X)


def seed_of(random_state):
    """A seed from None (new each time), an int, a ``numpy.random.Generator`` or a ``RandomState``."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, (int, np.integer)):
        if random_state < 0:
            raise SettingError(f"setting `random_state`: found {random_state}, expected 0 or above")
        return int(random_state) % 2**64
    return int(np.random.default_rng(random_state).integers(2**63))


def feature_names(X):
    """The columns' names where all are strings, as scikit-learn keeps them."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.asarray(list(columns), dtype=object)
    return names if len(names) and all(isinstance(name, str) for name in names) else None
