"""Hidden Markov models with scikit-learn's conventions, under the names that hmmlearn gives."""

from __future__ import annotations

import numpy as np

from . import _data, _scotopic
from ._compiled import stands_for
from ._estimator import check_size, parameter
from ._hmm import HMM, exposed
from ._settings import whole
from .errors import ObservationError, SettingError


class CategoricalHMM(HMM):
    """A hidden Markov model of symbols 0, 1, ….

    Parameters
    ----------
    n_components : int
        States K.
    n_init : int
        Starts in each round of a search, or runs of EM; the best is kept. A search ends when few maxima are expected unseen.
    n_iter : int
        At most so many evaluations of the gradient, or iterations of EM, in a run.
    tol : float, optional
        Nats per observation: a search ends when the gradient promises no more (1e-8), EM when an iteration changes the
        log evidence by no more (1e-6).
    pseudo_count : float
        Observations added that say nothing of a state: 0 is maximum likelihood.
    n_features : int, optional
        M, the number of symbols (of this model alone), where data may lack the last of them; one more than the largest symbol of
        the fit otherwise. Of a symbol that was not seen the probability is 0 by maximum likelihood, and above 0 with a
        ``pseudo_count``.
    init : {"guess", "parameters"}
        Where a fit starts: from guesses out of the data, or from the parameters as they are set.
    method : {"search", "em"}
        Many starts and a quasi-Newton ascent of the exact gradient, or expectation maximisation.
    n_jobs : int, optional
        Threads of a search; -1 is one a core. The result is the same, bit for bit.
    random_state : int, numpy.random.Generator or RandomState, optional
    verbose : bool
        How far a fit has come, by tqdm if it is there, else lines: iterations of EM, or evaluations of ln p, runs that
        ended and the best of them.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    emissionprob_ : ndarray ``[K, M]``
        p(symbol | state).

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> casino = scotopic.CategoricalHMM(2)
    >>> casino.startprob_, casino.transmat_ = [0.5, 0.5], [[0.95, 0.05], [0.1, 0.9]]
    >>> casino.emissionprob_ = [[1 / 6] * 6, [0.1] * 5 + [0.5]]
    >>> throws = np.array([5, 5, 2, 5, 5])
    >>> casino.predict(throws)
    array([1, 1, 1, 1, 1])
    >>> loaded = casino.filter()
    >>> for eyes in throws:
    ...     nats = loaded.update(eyes)
    >>> bool(loaded.belief[1] > 0.9)
    True
    """

    _KIND = "categorical"
    _FIELDS = {"emissionprob_": "probabilities"}
    _POSITIVE = True
    emissionprob_ = parameter("emissionprob_", "p(symbol | state) ``[K, M]``.")
    _SHAPING = ("n_components", "_symbols")

    def __init__(
        self,
        n_components=1,
        *,
        n_features=None,
        n_init=10,
        n_iter=500,
        tol=None,
        pseudo_count=0.0,
        init="guess",
        method="search",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        super().__init__(
            n_components,
            n_init=n_init,
            n_iter=n_iter,
            tol=tol,
            pseudo_count=pseudo_count,
            init=init,
            method=method,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_features = n_features

    @property
    def n_features(self):
        """M, the number of symbols: as it was set, or as many as the parameters have."""
        if self._symbols is None and "emissionprob_" in self._given():
            return self.emissionprob_.shape[-1]
        return self._symbols

    @n_features.setter
    def n_features(self, symbols):
        self._symbols = symbols

    def get_params(self, deep=True) -> dict:
        """The settings by name."""
        return {**super().get_params(deep), "n_features": self._symbols}

    def _compile(self, values):
        if self._symbols is not None:
            check_size("emissionprob_", f"{values['emissionprob_'].shape[-1]} symbols", "n_features", f"{self._symbols} symbols")
        return super()._compile(values)

    def _read_to_fit(self, X, lengths, *given):
        data = super()._read_to_fit(X, lengths, *given)
        if self._symbols is None:
            return data
        most = whole("n_features", self._symbols, 1, 1_000_000)
        if not isinstance(X, _scotopic.Observations):
            symbols = np.concatenate([part[:, 0] for part in _data.sequences(X, lengths)])
            for at in np.flatnonzero(symbols >= most)[:1]:
                raise _no_symbol(at, symbols[at], most)
        return data

    def _found(self, engine, data, **settings):
        found = engine(data, **settings)
        driven = isinstance(found[0], _scotopic.DrivenHmm)
        plain = found[0].base if driven else found[0]
        kind, fields = plain.emission
        known = fields["probabilities"]
        more = 0 if self._symbols is None else self._symbols - known.shape[1]
        if more < 0:
            raise SettingError(
                f"setting `n_features`: found {self._symbols}, expected at least {known.shape[1]}, as the data have symbols up to "
                f"{known.shape[1] - 1}"
            )
        if more == 0:
            return found
        table = np.concatenate([known, np.zeros((len(known), more))], axis=1)
        wider = _scotopic.Hmm(kind, plain.initial, plain.transition, {"probabilities": table})
        if driven:
            wider = _scotopic.DrivenHmm(wider, found[0].transition_inputs, found[0].weights, found[0].origin)
        elif settings["pseudo_count"] > 0.0:
            # Pseudo-observations are of every symbol: on to the maximum with those that were not seen.
            again = engine(data, **{**settings, "start": wider})
            # By how many runs of how many it was found was told of those that began anywhere.
            return (*again[:4], found[4], *again[5:]) if engine is _scotopic.search_hmm else again
        return (wider, *found[1:])


def _no_symbol(at, symbol, most):
    error = ObservationError(
        f"observation {at}, entry 0: found {symbol:g}, expected a symbol, a whole number from 0 to {most - 1} (n_features={most})"
    )
    error.index, error.entry = int(at), 0
    return error


class PoissonHMM(HMM):
    """A hidden Markov model of counts, independent given the state: spikes of D neurons in a bin.

    Parameters are those of :class:`CategoricalHMM`. ``fit``, ``score``, ``predict`` and all others take an ``exposure``
    ``[T]`` where counts are of different times or areas.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    lambdas_ : ndarray ``[K, D]``
        Expected counts per observation, or per unit of exposure.
    exposure_ : str or None
        The name of the exposure; set it where parameters are set by hand.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> counts = np.array([0, 1, 0, 9, 11, 8, 1, 0, 0, 1, 10, 9])
    >>> model = scotopic.PoissonHMM(2, random_state=0).fit(counts)
    >>> sorted(model.lambdas_.ravel().round(1).tolist())
    [0.4, 9.4]
    """

    _KIND = "poisson"
    _FIELDS = {"lambdas_": "rates"}
    _POSITIVE = True
    lambdas_ = parameter("lambdas_", "Rates ``[K, D]``, counts per observation or per unit of exposure.")
    _HAS_EXPOSURE = True
    exposure_ = exposed()


class GaussianHMM(HMM):
    """A hidden Markov model of vectors that are normal given the state.

    Parameters
    ----------
    n_components : int
        States K.
    covariance_type : {"diag", "full"}
        Whether entries are independent given the state.

    The other parameters are those of :class:`CategoricalHMM`.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    means_ : ndarray ``[K, D]``, in the units of the data
    covars_ : ndarray ``[K, D]`` (variances) or ``[K, D, D]``, in the units of the data squared

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> x = np.r_[np.zeros(50), np.full(50, 4.0)] + np.random.default_rng(0).normal(size=100)
    >>> x[20:25] = np.nan  # not seen
    >>> model = scotopic.GaussianHMM(2, random_state=0).fit(x)
    >>> model.predict(x)[[0, 22, 99]].tolist() in ([0, 0, 1], [1, 1, 0])
    True
    """

    def __init__(
        self,
        n_components=1,
        covariance_type="diag",
        *,
        n_init=10,
        n_iter=500,
        tol=None,
        pseudo_count=0.0,
        init="guess",
        method="search",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        super().__init__(
            n_components,
            n_init=n_init,
            n_iter=n_iter,
            tol=tol,
            pseudo_count=pseudo_count,
            init=init,
            method=method,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )
        self.covariance_type = covariance_type

    means_ = parameter("means_", "Means ``[K, D]``.")
    covars_ = parameter("covars_", "Variances ``[K, D]`` or covariances ``[K, D, D]``.")
    _SHAPING = ("n_components", "covariance_type")

    def _emission(self):
        self._fields()
        return f"{'full' if self.covariance_type == 'full' else 'diagonal'}-gaussian"

    def _fields(self):
        kinds = {"diag": "variances", "full": "covariances"}
        if not isinstance(self.covariance_type, str) or self.covariance_type not in kinds:
            raise SettingError(f"setting `covariance_type`: found {self.covariance_type!r}, expected 'diag' or 'full'")
        return {"means_": "means", "covars_": kinds[self.covariance_type]}

    def _set_value(self, name, value):
        if name == "covars_" and self.covariance_type == "diag":
            value = np.asarray(_data.numbers(value, name))
            # hmmlearn's getter gives diagonal matrices where its setter takes their diagonals.
            if value.ndim == 3 and value.shape[1] == value.shape[2]:
                variances = np.einsum("kii->ki", value)
                if not (value == variances[:, :, None] * np.eye(value.shape[1])).all():
                    raise SettingError("setting `covars_`: found covariances, expected variances (covariance_type='full')")
                value = variances
        super()._set_value(name, value)


stands_for("categorical", lambda model: CategoricalHMM(model.n_components))
stands_for("poisson", lambda model: PoissonHMM(model.n_components))
stands_for("diagonal-gaussian", lambda model: GaussianHMM(model.n_components, "diag"))
stands_for("full-gaussian", lambda model: GaussianHMM(model.n_components, "full"))
