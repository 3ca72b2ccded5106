"""Checks of settings, and how large they may be."""

import sys

import numpy as np

from .errors import SettingError

#: The most that is drawn, and the most steps ahead, at once: as of the program. More would fill the memory.
MOST_SAMPLES, MOST_STEPS = 100_000_000, 1_000_000
#: Of states, the squares of which are kept; of the lags of a test, as of the program; of runs.
MOST_STATES, MOST_LAGS, MOST_RUNS = 10_000, 10_000, 1_000_000


def texts(name, values):
    """A list of texts; a text alone is one of them."""
    if isinstance(values, str):
        return [values]
    try:
        return [str(value) for value in values]
    except TypeError:
        raise SettingError(f"setting `{name}`: found {values!r}, expected a list of texts") from None


def whole(name, value, least, most=2**63 - 1):
    """A whole number, as settings are checked when they are used; unless said, up to what the compiled half takes."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise SettingError(f"setting `{name}`: found {value!r}, expected a whole number of at least {least}")
    if value > most:
        raise SettingError(f"setting `{name}`: found {value!r}, expected a whole number of at most {most}")
    return int(value)


def real(name, value, least):
    """A finite number, likewise."""
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not numeric or not least <= value <= sys.float_info.max:
        least = "" if least == -np.inf else f" of at least {least}"
        raise SettingError(f"setting `{name}`: found {value!r}, expected a finite number{least}")
    return float(value)


def jobs(n_jobs):
    """Threads by scikit-learn's ``n_jobs``, 0 for one a core: None is one, -1 one a core."""
    if n_jobs is None:
        return 1
    return 0 if n_jobs == -1 else whole("n_jobs", n_jobs, 1)
