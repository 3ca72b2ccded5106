"""Linear dynamical systems that are seen through counts or spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import _data, _scotopic
from ._compiled import stands_for
from ._estimator import Estimator, check_size, frozen, parameter
from ._settings import MOST_SAMPLES, MOST_STATES, MOST_STEPS, real, whole
from .errors import SettingError
from .results import Beliefs, Forecast

if TYPE_CHECKING:
    from typing_extensions import Self


class _CountLDS(Estimator):
    """A hidden vector with linear dynamics, and a law of observations given their linear predictors (eq. F70)."""

    _PARAMETERS = ("transition_", "process_noise_", "loadings_", "offset_")
    _ALL = (*_PARAMETERS, "bias_", "initial_mean_", "initial_covariance_")
    _POSITIVE = True
    _SHAPING = ("n_states", "exposure")

    transition_ = parameter("transition_", "F ``[n, n]``.")
    process_noise_ = parameter("process_noise_", "Q ``[n, n]``.")
    loadings_ = parameter("loadings_", "C ``[N, n]``.")
    offset_ = parameter("offset_", "d ``[N]``.")
    bias_ = parameter("bias_", "b ``[n]``.")
    initial_mean_ = parameter("initial_mean_", "m0 ``[n]``.")
    initial_covariance_ = parameter("initial_covariance_", "P0 ``[n, n]``.")

    def _compile(self, values):
        n = values["transition_"].shape[-1] if values["transition_"].ndim else 1
        check_size("transition_", n, "n_states", self.n_states)
        given = {"bias_": np.zeros(n), "initial_mean_": np.zeros(n), "initial_covariance_": np.eye(n), **values}
        compiled = _scotopic.Plds(self._LAW, *(given[name] for name in self._ALL), self._epsilon())
        values.update((name, frozen(value)) for name, value in given.items())
        return compiled

    def _epsilon(self):
        exposure = getattr(self, "exposure", 1.0)
        if not real("exposure", exposure, 0.0) > 0.0:
            raise SettingError(f"setting `exposure`: found {exposure!r}, expected a number above 0")
        return float(exposure)

    def _take(self, model):
        self._values = {}
        for name in self._ALL:
            self._set_value(name, getattr(model, name[:-1]))
        self._hold(model)
        self.n_features_in_ = model.n_features
        return self

    # ---- fitting

    def fit(self, X, y=None, lengths=None) -> Self:
        """Fits all parameters to sequences by variational expectation maximisation (eqs. F74-F76).

        Parameters
        ----------
        X : array-like ``[T, N]``, or a list of arrays ``[T_i, N]``
            Observations of N neurons, rows. An entry that is NaN is missing.
        y : ignored
            For scikit-learn's interface.
        lengths : sequence of int, optional
            Rows of each sequence, where X is one array of several sequences one after the other. The start of the state is
            learned from two sequences or more.

        Returns
        -------
        self
            With the parameters; ``history_`` (the smoother's bound before each iteration and at the end, nats), ``n_iter_``,
            ``converged_``, ``warnings_``.
        """
        n = whole("n_states", self.n_states, 1, MOST_STATES)
        if self.init not in ("guess", "parameters"):
            raise SettingError(f"setting `init`: found {self.init!r}, expected 'guess' or 'parameters'")
        start = self._model if self.init == "parameters" else None
        data = self._read_to_fit(X, lengths, y)
        model, history, converged = _scotopic.fit_plds(
            data,
            self._LAW,
            n,
            self._epsilon(),
            whole("n_iter", self.n_iter, 0),
            real("tol", self.tol, 0.0),
            start,
        )
        self._take_climb(model, X, history, len(history) - 1, converged)
        return self

    def statistics(self, X, lengths=None, *, inputs=None, exposure=None):
        """The E-step: what the smoother expects of these sequences under this model.

        Values of one model add up (``+``, ``sum``) and can be pickled, so that parts of the data can be seen by different
        processes or machines; ``maximise`` takes the sum. Loadings are found by Newton's method, from no sum: a value keeps
        the rows that were seen beside the beliefs about their states, N + n + n² numbers a row.
        """
        return self._model.statistics(self._read(X, lengths, None, inputs, exposure))

    def maximise(self, statistics) -> Self:
        """The M-step: this model with the parameters that are best for expected statistics.

        Parameters
        ----------
        statistics : PldsStatistics
            A value of ``self.statistics``, or a sum of such. The start of the state is learned from two sequences or more.

        Returns
        -------
        self
        """
        return self._take(self._model.maximise(statistics))

    # ---- inference

    def score(self, X, y=None, lengths=None) -> float:
        """The prequential score of the filter (eq. F73), nats: the sum over all sequences.

        A sum of lower bounds of the log of a forecast of each row from those before it: in expectation at most ln p(X). The
        bound of ``smooth(X).elbo`` never is above ln p(X).
        """
        return self._model.score(self._read(X, lengths, y))

    def smooth(self, X, lengths=None) -> Beliefs:
        """Beliefs about the states given all observations of their sequence (eq. F74).

        Returns
        -------
        Beliefs
            ``means`` ``[T, n]``, ``covariances`` ``[T, n, n]``, ``elbo``: a lower bound of ln p(X), nats.
        """
        return Beliefs(*self._model.smooth(self._read(X, lengths)), title="Smoothed state")

    def filtered(self, X, lengths=None) -> Beliefs:
        """Beliefs about the states given the observations up to their time, and the prequential score (eq. F73)."""
        return Beliefs(*self._model.filter(self._read(X, lengths)), title="Filtered state")

    def predict(self, X, lengths=None, return_var=False):
        """E[y_t | y_<t] ``[T, N]``, and its variance ``[T, N]`` if asked for: one step ahead."""
        means, variances = self._model.predict(self._read(X, lengths))
        return (means, variances) if return_var else means

    def transform(self, X, lengths=None) -> np.ndarray:
        """The smoothed means of the state ``[T, n]``."""
        return self._model.smooth(self._read(X, lengths))[0]

    def fit_transform(self, X, y=None, lengths=None) -> np.ndarray:
        """Fits, and the smoothed means of the state ``[T, n]``."""
        return self.fit(X, y, lengths=lengths).transform(X, lengths)

    def co_smoothing(self, X, lengths=None, *, folds=5, held_out=None) -> float:
        """How well neurons are predicted from the others (eq. F77), bits per spike: 0 is no better than their mean rates.

        Parameters
        ----------
        X, lengths
            As for ``fit``.
        folds : int
            Each neuron is held out once, together with those of the same number modulo ``folds``.
        held_out : sequence of int, optional
            Only these neurons, all at once, numbered from 0.

        Returns
        -------
        float
            NaN without a spike.
        """
        data = self._read(X, lengths)
        neurons = None if held_out is None else [whole("held_out", i, 0) for i in held_out]
        gain, spikes = self._model.co_smoothing(data, whole("folds", folds, 2), neurons)
        return gain / np.log(2.0) / spikes if spikes else float("nan")

    def forecast(self, X, steps=1, *, n_samples=0, random_state=None) -> Forecast:
        """The ``steps`` observations after the last of one series, and ``n_samples`` joint samples of them.

        Returns
        -------
        Forecast
        """
        _data.one_series(X, "a forecast continues it")
        filter = self.filter()
        filter.extend(self._read(X))
        steps = whole("steps", steps, 0, MOST_STEPS)
        return filter.forecast(steps, n_samples=n_samples, random_state=random_state)

    def sample(self, n_samples=1, random_state=None) -> tuple[np.ndarray, np.ndarray]:
        """Draws a sequence: observations ``[n_samples, N]`` and states ``[n_samples, n]``."""
        return self._model.sample(whole("n_samples", n_samples, 0, MOST_SAMPLES), _data.seed_of(random_state))

    def aic(self, X, lengths=None) -> float:
        """Akaike's information criterion of the smoother's bound, nats times 2; lower is better."""
        return -2.0 * self.smooth(X, lengths).elbo + 2.0 * self._model.free_parameters

    def bic(self, X, lengths=None) -> float:
        """The Bayesian information criterion of the smoother's bound, nats times 2; lower is better."""
        data = self._read(X, lengths)
        return -2.0 * self._model.smooth(data)[2] + self._model.free_parameters * np.log(data.n_seen)


class PLDS(_CountLDS):
    """A Poisson linear dynamical system: counts of N neurons that follow n latents.

    .. code-block:: text

        x_1 ~ N(m0, P0),   x_t = F x_{t-1} + b + N(0, Q),   y_ti ~ Poisson(exposure exp(c_i x_t + d_i))

    Parameters
    ----------
    n_states : int
        n, the latents.
    exposure : float
        What rates are multiplied by: the width of a bin in seconds, where ``offset_`` is to be the logarithm of spikes per
        second. 1 leaves it at counts per bin.
    n_iter : int
        At most so many iterations of EM; a fit that ends there warns.
    tol : float
        Converged when an iteration has gained less, in nats per observation.
    init : {"guess", "parameters"}
        Where a fit starts: from the moments of the data, or from the parameters as they are set.

    Attributes
    ----------
    transition_ : ndarray ``[n, n]``
        F.
    process_noise_ : ndarray ``[n, n]``
        Q.
    loadings_ : ndarray ``[N, n]``
        C; latents are known up to a change of basis.
    offset_ : ndarray ``[N]``
        d, logarithms of rates per unit of exposure.
    bias_, initial_mean_, initial_covariance_ : ndarray ``[n]``, ``[n]``, ``[n, n]``
        b, m0 and P0; 0, 0 and the identity unless set.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> truth = scotopic.PLDS(1)
    >>> truth.transition_, truth.process_noise_ = [[0.95]], [[0.1]]
    >>> truth.loadings_, truth.offset_ = [[1.0], [-0.8], [0.6]], [0.5, 0.5, 0.5]
    >>> counts, latent = truth.sample(500, random_state=0)
    >>> model = scotopic.PLDS(1).fit(counts)
    >>> model.smooth(counts).means.shape
    (500, 1)
    >>> bool(model.co_smoothing(counts, folds=3) > 0.05)  # bits per spike
    True
    >>> live = model.filter(learn=True)
    >>> nats = live.update([2, 0, 1])
    >>> live.forecast(3).mean.shape
    (3, 3)
    """

    _LAW = "poisson"

    def __init__(self, n_states=1, *, exposure=1.0, n_iter=200, tol=1e-5, init="guess"):
        self.n_states = n_states
        self.exposure = exposure
        self.n_iter = n_iter
        self.tol = tol
        self.init = init


class BLDS(_CountLDS):
    """A Bernoulli linear dynamical system: a spike or none of N neurons that follow n latents.

    .. code-block:: text

        x_1 ~ N(m0, P0),   x_t = F x_{t-1} + b + N(0, Q),   p(y_ti = 1) = 1 / (1 + exp(-c_i x_t - d_i))

    Parameters and attributes are those of :class:`PLDS`, without an exposure; ``offset_`` are logits.

    Examples
    --------
    >>> import scotopic
    >>> truth = scotopic.BLDS(1)
    >>> truth.transition_, truth.process_noise_ = [[0.9]], [[0.3]]
    >>> truth.loadings_, truth.offset_ = [[2.0], [-2.0], [1.5]], [0.0, 0.0, -1.0]
    >>> spikes, latent = truth.sample(400, random_state=0)
    >>> scotopic.BLDS(1, n_iter=20).fit(spikes).predict(spikes).shape
    (400, 3)
    """

    _LAW = "bernoulli"

    def __init__(self, n_states=1, *, n_iter=200, tol=1e-5, init="guess"):
        self.n_states = n_states
        self.n_iter = n_iter
        self.tol = tol
        self.init = init


def _standing(model):
    if model.law == "poisson":
        return PLDS(model.n_states, exposure=model.exposure)
    return BLDS(model.n_states)


stands_for("plds", _standing)
