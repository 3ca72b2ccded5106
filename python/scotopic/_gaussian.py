"""What all estimators of linear-Gaussian models share: their parameters, and what can be asked of them."""

from __future__ import annotations

import numpy as np

from . import _data, _scotopic
from ._estimator import Estimator, frozen, parameter
from ._settings import MOST_SAMPLES, MOST_STEPS, whole
from .errors import SettingError, UnsupportedError
from .results import Beliefs, Forecast


class GaussianEstimator(Estimator):
    """A linear-Gaussian state-space model, however it is fitted."""

    _PARAMETERS = ("transition_", "process_noise_", "observation_", "observation_noise_")
    _ALL = (*_PARAMETERS, "bias_", "offset_", "initial_mean_", "initial_covariance_", "diffuse_", "control_", "direct_")
    _HAS_INPUTS = "may"
    #: Names of the inputs, and the entries of H that are inputs.
    _inputs, _regressors = (), {}

    transition_ = parameter("transition_", "F ``[n, n]``.")
    process_noise_ = parameter("process_noise_", "Q ``[n, n]``.")
    observation_ = parameter("observation_", "H ``[m, n]``.")
    observation_noise_ = parameter("observation_noise_", "R ``[m, m]``.")
    bias_ = parameter("bias_", "b ``[n]``.")
    offset_ = parameter("offset_", "d ``[m]``.")
    initial_mean_ = parameter("initial_mean_", "m0 ``[n]``.")
    initial_covariance_ = parameter("initial_covariance_", "P0 ``[n, n]``.")
    diffuse_ = parameter("diffuse_", "1 for an entry of x_1 that is diffuse, else 0 ``[n]``.")
    control_ = parameter("control_", "B ``[n, M]``, what inputs add to the state.")
    direct_ = parameter("direct_", "D ``[m, M]``, what inputs add to the observation.")

    @property
    def inputs_(self):
        """The names of the inputs; x1, x2, ... where they have none."""
        return self._given_names()[0]

    @inputs_.setter
    def inputs_(self, names):
        self._inputs = [str(name) for name in names]
        self._changed()

    @property
    def regressors_(self):
        """The entries of H that are inputs: (row, column), both from 0, to the name of the input."""
        return dict(self._regressors)

    @regressors_.setter
    def regressors_(self, entries):
        self._regressors = {(int(i), int(j)): str(name) for (i, j), name in dict(entries).items()}
        self._changed()

    def _changed(self):
        self.__dict__.pop("_compiled", None)

    def _given_names(self):
        return list(getattr(self._model, "inputs", ())), None

    @property
    def _is_driven(self):
        return isinstance(self._model, _scotopic.DrivenGaussian)

    def _names_of_inputs(self, values):
        """The names that were given, or x1, x2, ... for the columns of B and D, or those of regressors."""
        if self._inputs:
            return list(self._inputs)
        columns = [np.shape(values[name])[1] for name in ("control_", "direct_") if np.ndim(values.get(name)) == 2]
        numbered = [f"x{i}" for i in range(1, 1 + max(columns, default=0))]
        return numbered or list(dict.fromkeys(self._regressors.values()))

    def _split(self, names):
        """Names of inputs that have effects, and of the column of times of a model of continuous time."""
        return names, None

    def _compile(self, values):
        h = np.asarray(values["observation_"])
        m, n = h.shape if h.ndim == 2 else (1, 1)
        names = self._names_of_inputs(values)
        own, time = self._split(names)
        given = {
            "bias_": np.zeros(n),
            "offset_": np.zeros(m),
            "initial_mean_": np.zeros(n),
            "initial_covariance_": np.eye(n),
            "diffuse_": np.zeros(n),
            "control_": np.zeros((n, len(own))),
            "direct_": np.zeros((m, len(own))),
            **values,
        }
        for name, rows in (("control_", n), ("direct_", m)):
            # Of no column: there were no inputs when it was stored.
            if np.shape(given[name]) == (rows, 0):
                given[name] = values[name] = frozen(np.zeros((rows, len(own))))
        *arrays, diffuse, control, direct = (given[name] for name in self._ALL)
        compiled = _scotopic.LinearGaussian(*arrays, [bool(entry) for entry in diffuse.ravel()])
        if names:
            entries = [(i, j, name) for (i, j), name in self._regressors.items()]
            compiled = _scotopic.DrivenGaussian(compiled, own, control, direct, entries, time)
        for name in self._ALL:
            if name not in values:
                values[name] = frozen(given[name])
        return compiled

    def _take(self, model):
        driven = isinstance(model, _scotopic.DrivenGaussian)
        base = model.base if driven else model
        self._values = {}
        for name, key in zip(self._ALL, GaussianEstimator._ALL):
            if key in ("control_", "direct_"):
                rows = base.n_states if key == "control_" else base.n_features
                self._set_value(name, getattr(model, key[:-1]) if driven else np.zeros((rows, 0)))
            else:
                self._set_value(name, getattr(base, key[:-1]))
        self._inputs = model.inputs if driven else []
        self._regressors = {(i, j): name for i, j, name in model.regressors} if driven else {}
        self._hold(model)
        self.n_features_in_ = model.n_features
        return self

    # ---- inference

    def score(self, X, y=None, lengths=None, *, inputs=None) -> float:
        """ln p(X), nats: the sum over all sequences; of a model with ``inputs`` ``[T, M]`` given these."""
        return self._model.log_evidence(self._read(X, lengths, y, inputs))

    def smooth(self, X, lengths=None, factorisation="reversed", *, inputs=None) -> Beliefs:
        """Beliefs about the states given all observations of their sequence.

        Parameters
        ----------
        X : array-like ``[T, m]``, or a list of arrays
        lengths : sequence of int, optional
        factorisation : str
            "reversed" is exact, and the only one of a model with inputs.
        inputs : array-like ``[T, M]``, or a list of arrays, optional
            What a model with inputs is given with each observation, none missing.

        Returns
        -------
        Beliefs
            ``means`` ``[T, n]``, ``covariances`` ``[T, n, n]``, ``elbo`` (nats: the log evidence where the
            factorisation is exact).
        """
        data = self._read(X, lengths, None, inputs)
        if factorisation == "reversed":
            return Beliefs(*self._model.smooth(data), title="Smoothed state")
        self._refuse_inputs("loose factorisations are of models without inputs: take 'reversed', which is exact")
        return Beliefs(*self._model.posterior(data, factorisation), title=f"State, {factorisation}")

    def filtered(self, X, lengths=None, *, inputs=None) -> Beliefs:
        """Beliefs about the states given the observations up to their time, likewise."""
        return Beliefs(*self._model.filter(self._read(X, lengths, None, inputs)), title="Filtered state")

    def predict(self, X, lengths=None, return_cov=False, *, inputs=None):
        """E[y_t | y_<t] ``[T, m]``, and its covariance ``[T, m, m]`` if asked for: one step ahead."""
        means, covariances = self._model.predict(self._read(X, lengths, None, inputs))
        return (means, covariances) if return_cov else means

    def transform(self, X, lengths=None, *, inputs=None) -> np.ndarray:
        """The smoothed means of the state ``[T, n]``."""
        return self._model.smooth(self._read(X, lengths, None, inputs))[0]

    def fit_transform(self, X, y=None, lengths=None, *, inputs=None) -> np.ndarray:
        """Fits, and the smoothed means of the state ``[T, n]``."""
        given = {} if inputs is None else {"inputs": inputs}
        return self.fit(X, y, lengths=lengths, **given).transform(X, lengths, **given)

    def forecast(
        self, X, steps=1, *, n_samples=0, random_state=None, inputs=None, future_inputs=None
    ) -> Forecast:
        """The ``steps`` observations after the last of one series.

        Parameters
        ----------
        X : array-like ``[T, m]``
        steps : int
            At most a million.
        n_samples : int
            Joint samples of them, at most 100 million numbers in all.
        random_state : int, numpy.random.Generator or RandomState, optional
            Of the samples; the model's own otherwise.
        inputs : array-like ``[T, M]``, optional
            Those of X, of a model with inputs.
        future_inputs : array-like ``[steps, M]``, optional
            Those of what is to come.

        Returns
        -------
        Forecast
            ``mean`` and ``variance`` ``[steps, m]``; ``quantile(p)``, ``interval(level)``; ``samples``.
        """
        _data.one_series(X, "a forecast continues it")
        filter = self.filter()
        filter.extend(self._read(X, None, None, inputs))
        random_state = getattr(self, "random_state", None) if random_state is None else random_state
        steps = whole("steps", steps, 0, MOST_STEPS)
        return filter._forecast(steps, n_samples, random_state, future_inputs, None, None, "future_")

    def compare(self, X, factorisations=None):
        """Factorisations of the posterior beside each other on one series: a table (a DataFrame if pandas is there)."""
        from .comparison import compare

        self._refuse_inputs("factorisations are compared of models without inputs")
        return compare(self, X, factorisations)

    def statistics(self, X, lengths=None, *, inputs=None, exposure=None):
        """The E-step: expected statistics of these sequences under this model, of one without inputs.

        Values of one model add up (``+``, ``sum``) and can be pickled, so that parts of the data can be seen by
        different processes or machines; ``maximise`` takes the sum.
        """
        self._refuse_inputs("a model with inputs is fitted by the gradient of ln p, not by expected statistics")
        return super().statistics(X, lengths, inputs=inputs, exposure=exposure)

    def _refuse_inputs(self, why):
        if self._is_driven:
            raise UnsupportedError(why)

    def sample(self, n_samples=None, random_state=None, *, inputs=None) -> tuple[np.ndarray, np.ndarray]:
        """Draws a sequence.

        Parameters
        ----------
        n_samples : int, optional
            1 unless given, at most 100 million; of a model with inputs, as many as there are rows of them.
        random_state : int, numpy.random.Generator or RandomState, optional
        inputs : array-like ``[n_samples, M]``, optional

        Returns
        -------
        X : ndarray ``[n_samples, m]``
        states : ndarray ``[n_samples, n]``
        """
        random_state = getattr(self, "random_state", None) if random_state is None else random_state
        seed, (names, _) = _data.seed_of(random_state), self._given_names()
        if not names and inputs is None:
            count = whole("n_samples", 1 if n_samples is None else n_samples, 0, MOST_SAMPLES)
            return self._model.sample(count, seed)
        given = _data.given_rows(names, None, inputs, None)
        if n_samples is not None and n_samples != len(given):
            raise SettingError(
                f"setting `n_samples`: found {n_samples!r}, expected {len(given)}, the rows that are given"
            )
        return self._model.sample(given, seed)
