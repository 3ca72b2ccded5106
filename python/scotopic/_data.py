"""Data as users have them, as observations of the library."""

import numpy as np

from . import _scotopic
from ._numbers import array_of, numbers
from .errors import DataError, SettingError, SizeError


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
    X = array_of(X, what)
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
    return _with_given(whole, _whole_lengths(lengths), outputs.shape[1], exposure, alone)


def _whole_lengths(lengths):
    try:
        array = np.asarray(lengths)
    except ValueError:  # rows of different lengths
        array = np.zeros((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array < 0).any():
        found = f"{lengths!r}" if array.size <= 10 else f"an array of {array.dtype} of shape {list(array.shape)}"
        raise SettingError(f"setting `lengths`: found {found}, expected a list of whole numbers of rows, one a sequence")
    return array.tolist()


def sequences(X, lengths=None):
    """The arrays ``[T_i, D]`` of what is one array of several sequences one after the other, or a list of them."""
    X = array_of(X, "X")
    if _is_list_of_sequences(X):
        if lengths is not None:
            raise SettingError("setting `lengths`: found some, expected None for a list of sequences")
        return [rows(x, f"X[{i}]") for i, x in enumerate(X)]
    whole = rows(X)
    if lengths is None:
        return [whole]
    lengths = observations(whole, lengths).lengths
    return np.split(whole, np.cumsum(lengths)[:-1])


def one_series(X, why):
    """Refuses several series, observations or a list of arrays, where one is continued."""
    if isinstance(X, _scotopic.Observations):
        count = X.n_sequences
    else:
        X = array_of(X, "X")
        count = len(X) if _is_list_of_sequences(X) else 1
    if count > 1:
        raise SettingError(f"setting `sequences`: found {count}, expected one series: {why}")


def row(observation, names):
    """One observation, of a table with the columns ``names`` if it is of one: a row, by its labels, or a table of one row."""
    if isinstance(observation, (np.ndarray, float, int, list, tuple)) or observation is None:
        return observation
    observation = array_of(observation, "observation")
    if hasattr(observation, "columns"):
        check_names(names, observation)
        if len(observation) != 1:
            raise SizeError(
                f"observation: found a table of {len(observation)} rows, expected one observation at a time (extend takes rows)"
            )
        return numbers(observation, "observation")[0]
    if hasattr(observation, "to_numpy") and hasattr(observation, "index"):
        labels = list(observation.index)
        # A piece of the one column of a table has the labels of rows.
        of_column = len(names) == 1 and getattr(observation, "name", None) == names[0]
        if not of_column and all(isinstance(label, str) for label in labels):
            _same_names(names, labels)
    return observation


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
    if found is not None:
        _same_names(names, found)


def _same_names(names, found):
    if list(names) == list(found):
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
