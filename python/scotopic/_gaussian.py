"""What all estimators of linear-Gaussian models share: their parameters, and what can be asked of them."""

import numpy as np

from . import _data, _scotopic
from ._estimator import Estimator, parameter, whole
from .results import Beliefs, Forecast


class GaussianEstimator(Estimator):
    """A linear-Gaussian state-space model, however it is fitted."""

    _PARAMETERS = ("transition_", "process_noise_", "observation_", "observation_noise_")
    _ALL = (*_PARAMETERS, "bias_", "offset_", "initial_mean_", "initial_covariance_", "diffuse_")

    transition_ = parameter("transition_", "F ``[n, n]``.")
    process_noise_ = parameter("process_noise_", "Q ``[n, n]``.")
    observation_ = parameter("observation_", "H ``[m, n]``.")
    observation_noise_ = parameter("observation_noise_", "R ``[m, m]``.")
    bias_ = parameter("bias_", "b ``[n]``.")
    offset_ = parameter("offset_", "d ``[m]``.")
    initial_mean_ = parameter("initial_mean_", "m0 ``[n]``.")
    initial_covariance_ = parameter("initial_covariance_", "P0 ``[n, n]``.")
    diffuse_ = parameter("diffuse_", "1 for an entry of x_1 that is diffuse, else 0 ``[n]``.")

    def _compile(self, values):
        h = np.asarray(values["observation_"])
        m, n = h.shape if h.ndim == 2 else (1, 1)
        given = {
            "bias_": np.zeros(n),
            "offset_": np.zeros(m),
            "initial_mean_": np.zeros(n),
            "initial_covariance_": np.eye(n),
            "diffuse_": np.zeros(n),
            **values,
        }
        *arrays, diffuse = (given[name] for name in self._ALL)
        compiled = _scotopic.LinearGaussian(*arrays, [bool(entry) for entry in diffuse.ravel()])
        for name in self._ALL:
            if name not in values:
                values[name] = given[name]
        return compiled

    def _take(self, model):
        self._values = {}
        for name in self._ALL:
            self._set_value(name, getattr(model, name[:-1]))
        self._compiled = model
        self.n_features_in_ = model.n_features
        return self

    # ---- inference

    def score(self, X, y=None, lengths=None):
        """ln p(X), nats: the sum over all sequences."""
        return self._model.log_evidence(self._read(X, lengths, y))

    def smooth(self, X, lengths=None, factorisation="reversed"):
        """Beliefs about the states given all observations of their sequence.

        Returns
        -------
        Beliefs
            ``means`` ``[T, n]``, ``covariances`` ``[T, n, n]``, ``elbo`` (nats: the log evidence where the
            factorisation is exact).
        """
        data = self._read(X, lengths)
        if factorisation == "reversed":
            return Beliefs(*self._model.smooth(data), title="Smoothed state")
        return Beliefs(*self._model.posterior(data, factorisation), title=f"State, {factorisation}")

    def filtered(self, X, lengths=None):
        """Beliefs about the states given the observations up to their time, likewise."""
        return Beliefs(*self._model.filter(self._read(X, lengths)), title="Filtered state")

    def predict(self, X, lengths=None, return_cov=False):
        """E[y_t | y_<t] ``[T, m]``, and its covariance ``[T, m, m]`` if asked for: one step ahead."""
        means, covariances = self._model.predict(self._read(X, lengths))
        return (means, covariances) if return_cov else means

    def transform(self, X, lengths=None):
        """The smoothed means of the state ``[T, n]``."""
        return self._model.smooth(self._read(X, lengths))[0]

    def fit_transform(self, X, y=None, lengths=None):
        """Fits, and the smoothed means of the state ``[T, n]``."""
        return self.fit(X, y, lengths=lengths).transform(X, lengths)

    def forecast(self, X, steps=1):
        """The ``steps`` observations after the last of one series.

        Returns
        -------
        Forecast
        """
        mean, covariance = self._model.forecast(self._read(X), whole("steps", steps, 0))
        return Forecast(mean, np.einsum("tii->ti", covariance).copy())

    def compare(self, X, factorisations=None):
        """Factorisations of the posterior beside each other on one series: a table (a DataFrame if pandas is there)."""
        from .comparison import compare

        return compare(self, X, factorisations)

    def sample(self, n_samples=1, random_state=None):
        """Draws a sequence: observations ``[n_samples, m]`` and states ``[n_samples, n]``."""
        return self._model.sample(whole("n_samples", n_samples, 0), _data.seed_of(random_state))
