"""Data as users have them, as observations of the library."""

import inspect

import numpy as np

from . import _scotopic
from .errors import DataError, SettingError, SizeError

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


def observations(X, lengths=None, what="X", *, inputs=None, exposure=None, transition_inputs=None, alone=None):
    """Observations from an array ``[T, D]`` (or ``[T]``: one number each) or a list of such arrays.

    A C-contiguous array of float64 is not copied. An entry that is NaN (``None``, ``pandas.NA``, masked) is missing. What is
    given with each observation follows it in its row: inputs ``[T, M]``, the exposure ``[T]``, the inputs of the transitions
    ``[T, L]``; those rows are made anew. Inputs of transitions that are among ``inputs``, by their names in DataFrames or but
    for the places ``alone``, are the same columns and not there twice. A list of arrays of one axis, which may be rows or
    sequences, is refused.
    """
    given = inputs is not None or exposure is not None or transition_inputs is not None
    if transition_inputs is not None and alone is None:
        known = [*input_names(inputs), *([] if exposure is None else [name_of(exposure)])]
        alone = [i for i, name in enumerate(driving_names(transition_inputs)) if name not in known]
    if isinstance(X, _scotopic.Observations):
        if lengths is not None:
            raise SettingError("setting `lengths`: found some, expected None: these observations are cut already")
        if given:
            raise SettingError(
                "setting `inputs`: found some, expected None: what is given with these observations is theirs already, "
                "observations(X, inputs=..., exposure=...)"
            )
        return X
    if _is_list_of_sequences(X):
        if lengths is not None:
            raise SettingError("setting `lengths`: found some, expected None for a list of sequences")
        count = len(X)
        outputs = [rows(x, f"{what}[{i}]") for i, x in enumerate(X)]
        inputs, exposures = _each("inputs", inputs, count), _each("exposure", exposure, count)
        driving = _each("transition_inputs", transition_inputs, count)
        parts = [_beside(y, inputs[i], exposures[i], driving[i], alone, f"[{i}]") for i, y in enumerate(outputs)]
        widths = {part.shape[1] for part in parts}
        if len(widths) > 1:
            raise SizeError(f"{what}: found sequences of {sorted(widths)} columns, expected the same number in each")
        lengths = [len(part) for part in parts]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return _with_given(whole, lengths, outputs[0].shape[1], exposure, alone)
    outputs = rows(X, what)
    whole = _beside(outputs, inputs, exposure, transition_inputs, alone)
    if lengths is None:
        return _with_given(whole, None, outputs.shape[1], exposure, alone)
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 0).any():
        raise SettingError(f"setting `lengths`: found {lengths!r}, expected whole numbers of rows, one a sequence")
    return _with_given(whole, lengths.tolist(), outputs.shape[1], exposure, alone)


def _with_given(whole, lengths, outputs, exposure, alone):
    exposed, driving = exposure is not None, len(alone or ())
    return _scotopic.Observations(whole, lengths, whole.shape[1] - outputs - exposed - driving, exposed, driving)


def _each(name, values, count):
    """What is given of each of several sequences."""
    if values is None:
        return [None] * count
    if not isinstance(values, (list, tuple)) or len(values) != count:
        raise SettingError(f"setting `{name}`: expected a list of {count} arrays, one for each sequence of X")
    return values


def _beside(outputs, inputs, exposure, transition_inputs=None, alone=None, place=""):
    """Rows with what is given after the outputs; the very same rows where there is nothing."""
    columns = [outputs]
    for name, values in (("inputs", inputs), ("exposure", exposure), ("transition_inputs", transition_inputs)):
        if values is None:
            continue
        array = rows(values, name + place)
        if len(array) != len(outputs):
            raise SizeError(f"{name}{place}: found {len(array)} rows, expected {len(outputs)}, one an observation")
        if name == "exposure":
            _one_column(name + place, array)
        columns.append(array[:, alone] if name == "transition_inputs" else array)
    return outputs if len(columns) == 1 else _beside_each_other(columns)


def _beside_each_other(parts):
    """Columns of arrays, in rows one after the other: numpy keeps the order of what it joins, whatever that is."""
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def check_given(names, exposure_name, inputs, exposure, X=None, *, driving=(), transition_inputs=None, prefix=""):
    """Refuses what a model does not take, or the lack of what it takes.

    ``names`` of inputs, the name of an exposure, and names ``driving`` of inputs of transitions; ``prefix`` is before the names of
    arguments in errors.
    """
    for field, taken, given, shape in (
        ("inputs", names, inputs, f"[T, {len(names)}]"),
        ("exposure", [] if exposure_name is None else [exposure_name], exposure, "[T]"),
        ("transition_inputs", driving, transition_inputs, f"[T, {len(driving)}]"),
    ):
        if given is None and taken:
            raise SettingError(f"setting `{prefix}{field}`: found None, expected an array {shape} of {', '.join(taken)}")
        if given is not None and not taken:
            raise SettingError(f"setting `{prefix}{field}`: found some, expected None: this model has no {field}")
    for field, known, values in (("inputs", names, inputs), ("transition_inputs", driving, transition_inputs)):
        if values is None:
            continue
        for part in _each(field, values, len(X)) if _is_list_of_sequences(X) else [values]:
            found = feature_names(part)
            if found is not None and list(found) != list(known):
                raise SettingError(f"setting `{prefix}{field}`: found the columns {list(found)}, expected {list(known)}")
            columns = rows(part, prefix + field).shape[1]
            if columns != len(known):
                raise SizeError(f"{prefix}{field}: found {columns} columns, expected {len(known)}: {', '.join(known)}")


def read(names, exposure_name, X, lengths=None, inputs=None, exposure=None, *, driving=(), transition_inputs=None):
    """Observations with what a model takes: ``names`` of inputs, the name of an exposure, names of inputs of transitions."""
    alone = _alone(names, exposure_name, driving)
    beside = {"transition_inputs": transition_inputs}
    if not isinstance(X, _scotopic.Observations):
        check_given(names, exposure_name, inputs, exposure, X, driving=driving, **beside)
        beside["alone"] = alone if driving else None
    data = observations(X, lengths, inputs=inputs, exposure=exposure, **beside)
    found, expected = (*data.given, data.driving), (len(names), exposure_name is not None, len(alone))
    if found != expected:
        driven = " and {} inputs of transitions" if data.driving or alone else ""
        said = [
            f"{count} inputs and {'an' if exposed else 'no'} exposure" + driven.format(more)
            for count, exposed, more in (found, expected)
        ]
        raise SettingError(f"setting `inputs`: found observations with {said[0]}, expected {said[1]}")
    return data


def _alone(names, exposure_name, driving):
    """The places of the inputs of transitions that an emission is not given as well."""
    return [i for i, name in enumerate(driving) if name not in (*names, exposure_name)]


def given_rows(names, exposure_name, inputs, exposure, *, driving=(), transition_inputs=None, prefix=""):
    """What is given of observations that are not there yet: rows of inputs, exposure and inputs of transitions."""
    driven = {"driving": driving, "transition_inputs": transition_inputs}
    check_given(names, exposure_name, inputs, exposure, **driven, prefix=prefix)
    parts = []
    for field, values in (("inputs", inputs), ("exposure", exposure), ("transition_inputs", transition_inputs)):
        if values is None:
            continue
        array = rows(values, prefix + field)
        if field == "exposure":
            _one_column(prefix + field, array)
        if field == "transition_inputs":
            array = array[:, _alone(names, exposure_name, driving)]
        if parts and len(array) != len(parts[0]):
            raise SizeError(f"{prefix}{field}: found {len(array)} rows, expected {len(parts[0])}, one an observation")
        parts.append(array)
    return observations(_beside_each_other(parts))


def _one_column(name, array):
    if array.shape[1] != 1:
        raise SizeError(f"{name}: found {array.shape[1]} columns, expected 1, a number an observation")


def rows(X, what="X"):
    """A C-contiguous array ``[T, D]`` of float64, T and D at least 1; the very same array where it is one."""
    if hasattr(X, "tocsr"):
        raise DataError(
            f"{what}: found a sparse matrix or array, expected a dense one (sparse input is not supported); use X.toarray()"
        )
    if isinstance(X, (list, tuple)) and any(getattr(x, "ndim", None) == 1 and np.size(x) > 1 for x in X):
        raise SizeError(
            f"{what}: found a {type(X).__name__} of arrays of one axis, which may be rows or sequences; give numpy.stack(X) for rows of "
            "one sequence, or [numpy.reshape(x, (-1, 1)) for x in X] for sequences of one number an observation"
        )
    array = numbers(X, what)
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


def numbers(X, what):
    """An array of float64 of any axes, NaN for what is missing; the very same array where it is one."""
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
        if random_state >= 2**64:
            raise SettingError(f"setting `random_state`: found {random_state}, expected a number below 2**64")
        return int(random_state)
    try:
        return int(np.random.default_rng(random_state).integers(2**63))
    except (TypeError, ValueError):
        expected = "None, a whole number, a numpy.random.Generator or a RandomState"
        raise SettingError(f"setting `random_state`: found {random_state!r}, expected {expected}") from None


def input_names(inputs, what="inputs"):
    """The names of the columns of inputs where those have any; the library numbers the others."""
    names = feature_names(inputs, what)
    return [] if names is None else names.tolist()


def driving_names(transition_inputs):
    """The names of the columns of inputs of transitions; v1, v2, ... where they have none."""
    names = input_names(transition_inputs, "transition_inputs")
    if names:
        return names
    several = isinstance(transition_inputs, (list, tuple)) and getattr(transition_inputs[0], "ndim", 0) > 0
    part = transition_inputs[0] if several else transition_inputs
    return [f"v{i}" for i in range(1, rows(part, "transition_inputs").shape[1] + 1)]


def name_of(exposure):
    """The name of a series of pandas, or what it is."""
    part = exposure[0] if isinstance(exposure, (list, tuple)) and exposure else exposure
    name = getattr(part, "name", None)
    return name if isinstance(name, str) and name else "exposure"


def check_names(names, X):
    """Refuses columns of other names, or in another order, than those that a model was fitted to, in scikit-learn's words."""
    found = None if names is None else feature_names(X)
    if found is None or list(names) == list(found):
        return
    missing = [name for name in names if name not in set(found)]
    unseen = [name for name in found if name not in set(names)]
    said = "The feature names should match those that were passed during fit.\n"
    if unseen:
        said += "Feature names unseen at fit time:\n" + "".join(f"- {name}\n" for name in unseen)
    if missing:
        said += "Feature names seen at fit time, yet now missing:\n" + "".join(f"- {name}\n" for name in missing)
    if not unseen and not missing:
        said += "Feature names must be in the same order as they were in fit.\n"
    raise SettingError(said)


def feature_names(X, what="X"):
    """The columns' names where all are strings, as scikit-learn keeps them; those of several sequences have to be the same."""
    if _is_list_of_sequences(X):
        known = None
        for i, names in enumerate(map(feature_names, X)):
            if names is not None and known is not None and list(names) != list(known):
                raise SettingError(f"{what}[{i}]: found the columns {list(names)}, expected {list(known)}, as in those before")
            known = names if known is None else known
        return known
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.asarray(list(columns), dtype=object)
    return names if len(names) and all(isinstance(name, str) for name in names) else None
