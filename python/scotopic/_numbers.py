"""What users have, as arrays of numbers: tables, lists, masked arrays, tensors."""

import inspect

import numpy as np

from .errors import DataError, SizeError

#: Of these Python or numpy makes numbers, or drops a part of them, without a word.
_NO_NUMBERS = (str, bytes, bytearray, complex, np.complexfloating, np.datetime64, np.timedelta64)
_MOMENTS = "take the time since a moment in a unit, (t - t[0]) / numpy.timedelta64(1, 'h')"
#: What to do about arrays of these kinds.
_INSTEAD = {
    "M": _MOMENTS,
    "m": "divide by a unit, t / numpy.timedelta64(1, 'h')",
    "c": "take X.real, X.imag or numpy.abs(X)",
    **dict.fromkeys("UST", "turn text into numbers first, X.astype(float)"),
}


def array_of(X, what):
    """A tensor that speaks DLPack alone as an array, in place where it can; a list of such as a list; all else as it is."""
    if isinstance(X, (list, tuple)):
        # A list that begins with a number is one of numbers, which may be long.
        plain = not X or isinstance(X[0], (float, int, np.generic, np.ndarray, list, tuple))
        return X if plain or not any(map(_is_tensor, X)) else [array_of(x, what) for x in X]
    if not _is_tensor(X):
        return X
    if hasattr(X, "detach"):
        X = X.detach().cpu()
    if hasattr(X, "__array__"):
        return X
    try:
        return np.from_dlpack(X)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"{what}: found a tensor that NumPy cannot read ({error}), expected one in the memory of the CPU") from None


def _is_tensor(X):
    return hasattr(X, "__dlpack__") and (hasattr(X, "detach") or not hasattr(X, "__array__"))


def numbers(X, what):
    """An array of float64 of any axes, NaN for what is missing; the very same array where it is one."""
    X = array_of(X, what)
    if isinstance(X, (list, tuple)) and any(isinstance(x, np.ma.MaskedArray) for x in X):
        X = np.ma.array(X)  # numpy.asarray would take what lies under the masks
    if isinstance(X, np.ma.MaskedArray):
        array = numbers(X.data, what)
        return np.where(np.ma.getmaskarray(X), np.nan, array) if X.mask.any() else array
    if hasattr(X, "to_numpy"):
        return _of_table(X, what)
    try:
        array = np.asarray(X)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise DataError(f"{what}: {error}") from None
        raise SizeError(
            f"{what}: found rows of different lengths, expected the same number of entries in each (several sequences are a "
            "list of arrays [T, D], or one array and lengths=...)"
        ) from None
    _check_kind(array.dtype, what)
    return _of_objects(array, what) if array.dtype.kind == "O" else array.astype(np.float64, copy=False)


def _of_table(X, what):
    """The numbers of a DataFrame, a series or an index of pandas, or of another package that is like it.

    Types are checked column by column: pandas makes numbers of dates and of text.
    """
    if "na_value" not in inspect.signature(X.to_numpy).parameters:  # as of polars
        if not hasattr(X, "columns"):
            return numbers(X.to_numpy(), what)
        columns = [numbers(X[name].to_numpy(), _column(what, name)) for name in X.columns]
        return np.column_stack(columns) if columns else np.zeros((len(X), 0))
    table = hasattr(X, "columns")
    kinds = {getattr(dtype, "kind", "O") for dtype in (X.dtypes if table else [X.dtype])}
    if kinds <= set("biuf"):
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    if not table:
        _check_kind(X.dtype, what)
        return _of_objects(X.to_numpy(dtype=object, na_value=np.nan), what)
    columns = [numbers(X.iloc[:, i], _column(what, name)) for i, name in enumerate(X.columns)]
    return np.column_stack(columns)


def _column(what, name):
    return f"{what}: column {name!r}"


def _check_kind(dtype, what):
    kind = getattr(dtype, "kind", "O")
    if kind in "biufO":
        return
    instead = f": {_INSTEAD[kind]}" if kind in _INSTEAD else ""
    found = "Complex data not supported: found" if kind == "c" else "found"
    raise DataError(f"{what}: {found} dtype {dtype}, expected numbers{instead}")


def _of_objects(array, what):
    """The numbers in an array of objects; ``pandas.NA`` is missing, as ``None`` is."""
    entries = array.ravel().tolist() if array.ndim else [array.item()]
    if any(np.ndim(entry) for entry in entries if hasattr(entry, "shape")):
        raise DataError(
            f"{what}: found an array of {len(entries)} objects that are arrays, expected numbers; several sequences are a list of "
            "arrays [T, D]: list(X)"
        )
    for entry in entries:
        if isinstance(entry, _NO_NUMBERS) or hasattr(entry, "isoformat"):
            instead = _MOMENTS if hasattr(entry, "isoformat") else "turn it into a number first"
            raise DataError(f"{what}: found {entry!r}, expected numbers: {instead}")
    if any(type(entry).__name__ == "NAType" for entry in entries):
        entries = [None if type(entry).__name__ == "NAType" else entry for entry in entries]
        array = np.array(entries, dtype=object).reshape(array.shape)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{what}: {error}, expected numbers") from None
