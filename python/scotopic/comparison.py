"""Factorisations of the posterior beside each other."""

import numpy as np

from . import _data, _scotopic
from ._settings import texts
from .errors import UnsupportedError

#: What is compared where no factorisations are asked for.
_COMPARED = {
    _scotopic.Hmm: (
        "reversed",
        "forward-markov",
        "block-8",
        "block-4",
        "block-2",
        "fully-factorised",
        "decoupled-lag1",
        "frozen",
        "tied",
    ),
    _scotopic.LinearGaussian: (
        "reversed",
        "temporal-mean-field",
        "diagonal",
        "decoupled",
        "frozen-mean-field",
        "jelbo",
    ),
}


def compare(model, X, factorisations=None):
    """What each factorisation of the posterior costs on one series, on one free-energy scale.

    Parameters
    ----------
    model : estimator
        An HMM or a linear-Gaussian model with parameters.
    X : array-like ``[T, D]`` or Observations
        One series; of a model with inputs ``observations(X, inputs=...)``.
    factorisations : list of str, optional
        All of the kind of model otherwise, but for those that have no finite bound for this one.

    Returns
    -------
    pandas.DataFrame or dict of ndarray
        Columns ``factorisation``; ``online`` (whether it can be kept up to date one observation at a time);
        ``free_energy`` (nats); ``gap`` (ln p less the bound, nats); ``marginal_error`` (mean absolute difference of the
        marginals from the exact ones: probabilities, or units of the state); ``microseconds`` per observation. It is
        printed with all its columns. A dict where pandas is not installed.
    """
    compiled = model._model if hasattr(type(model), "_model") else model
    _data.check_names(getattr(model, "feature_names_in_", None), X)
    data = _data.observations(X)
    if type(compiled) not in _COMPARED:
        raise UnsupportedError(
            f"factorisations are compared of hidden Markov and linear-Gaussian models, not of a {type(model).__name__}"
        )
    names = _COMPARED[type(compiled)] if factorisations is None else texts("factorisations", factorisations)
    rows = []
    for name in names:
        try:
            rows.append(_scotopic.compare(compiled, data, [name]))
        except UnsupportedError:
            # Some have no bound for some models: that is an error where they were asked for.
            if factorisations is not None:
                raise
    table = {column: np.concatenate([np.asarray(row[column]) for row in rows]) for column in rows[0]} if rows else {}
    try:
        from ._table import Table
    except ImportError:
        return table
    return Table(table)
