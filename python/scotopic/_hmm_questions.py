"""What can be asked of a hidden Markov model with parameters."""

from __future__ import annotations

import numpy as np

from . import _data, _scotopic
from ._estimator import Estimator
from ._settings import MOST_SAMPLES, MOST_STEPS, whole
from .errors import SettingError, UnsupportedError
from .results import Forecast, Posterior


class HmmQuestions(Estimator):
    """Inference, forecasts and samples of hidden Markov models, however they are fitted."""

    #: Names of the inputs of transitions.
    _driving = ()

    def _plain(self, asked):
        """Refuses what models with inputs of their transitions cannot."""
        if self._driving:
            raise UnsupportedError(f"a {type(self).__name__} with inputs of its transitions cannot {asked}")

    def score(self, X, y=None, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> float:
        """ln p(X), nats: the sum over all sequences."""
        return self._model.log_evidence(self._read(X, lengths, y, inputs, exposure, transition_inputs))

    def predict(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> np.ndarray:
        """The most probable path ``[T]`` of states, from 0 (Viterbi)."""
        return self._model.viterbi(self._read(X, lengths, None, inputs, exposure, transition_inputs))[0]

    def predict_proba(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> np.ndarray:
        """p(s_t | all observations of the sequence) ``[T, K]``."""
        return self._model.smooth(self._read(X, lengths, None, inputs, exposure, transition_inputs))[0]

    def filter_proba(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> np.ndarray:
        """p(s_t | observations up to t) ``[T, K]``: what can be known at the time."""
        return self._model.filter(self._read(X, lengths, None, inputs, exposure, transition_inputs))[0]

    def score_samples(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> tuple[float, np.ndarray]:
        """ln p(X), nats, and p(s_t | all observations) ``[T, K]``."""
        probabilities, log_evidence = self._model.smooth(
            self._read(X, lengths, None, inputs, exposure, transition_inputs)
        )
        return log_evidence, probabilities

    def log_predictive(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> np.ndarray:
        """ln p(o_t | o_<t) ``[T]``, nats; 0 for a missing observation. Their sum is ``score``."""
        return self._model.filter(self._read(X, lengths, None, inputs, exposure, transition_inputs))[1]

    def decode(
        self, X, lengths=None, algorithm="viterbi", *, inputs=None, exposure=None, transition_inputs=None
    ) -> tuple[float, np.ndarray]:
        """A path of states, and its logarithm, in hmmlearn's order.

        Parameters
        ----------
        algorithm : {"viterbi", "map"}
            The most probable path, or the most probable state at each time.

        Returns
        -------
        log_probability : float
            ln p(path, X), nats; for "map" the sum over time of the largest posterior probabilities, as in hmmlearn.
        states : ndarray of int ``[T]``
        """
        data = self._read(X, lengths, None, inputs, exposure, transition_inputs)
        if algorithm == "viterbi":
            path, log_probability = self._model.viterbi(data)
            return log_probability, path
        if algorithm == "map":
            probabilities, _ = self._model.smooth(data)
            return float(probabilities.max(axis=1).sum()), probabilities.argmax(axis=1)
        raise SettingError(f"setting `algorithm`: found {algorithm!r}, expected 'viterbi' or 'map'")

    def posterior(
        self, X, lengths=None, factorisation="reversed", *, inputs=None, exposure=None, transition_inputs=None
    ) -> Posterior:
        """Posterior probabilities of the states over time, which a notebook draws.

        Parameters
        ----------
        factorisation : str
            "reversed" is exact; "fully-factorised", "block-4", "decoupled-lag1", "frozen", "tied" are bounds.

        Returns
        -------
        Posterior
            With ``probabilities`` ``[T, K]``, ``elbo`` (nats) and ``gap`` (nats) to the log evidence.
        """
        data = self._read(X, lengths, None, inputs, exposure, transition_inputs)
        if factorisation == "reversed" and self._driving:
            probabilities, elbo = self._model.smooth(data)
            return Posterior(probabilities, elbo, 0.0, factorisation)
        self._plain(f"have the posterior {factorisation!r}: say 'reversed'")
        probabilities, elbo = self._model.posterior(data, factorisation)
        exact = elbo if factorisation == "reversed" else self._model.log_evidence(data)
        return Posterior(probabilities, elbo, exact - elbo, factorisation)

    def compare(self, X, factorisations=None, *, inputs=None, exposure=None):
        """Factorisations of the posterior beside each other on one series: a table (a DataFrame if pandas is there)."""
        from .comparison import compare

        self._plain("compare factorisations")
        return compare(self, self._read(X, None, None, inputs, exposure), factorisations)

    def statistics(self, X, lengths=None, *, inputs=None, exposure=None):
        """The E-step: expected statistics of these sequences under this model, without inputs of transitions.

        Values of one model add up (``+``, ``sum``) and can be pickled, so that parts of the data can be seen by
        different processes or machines; ``maximise`` takes the sum.
        """
        self._plain("give expected statistics: it is fitted by an ascent of the gradient")
        return super().statistics(X, lengths, inputs=inputs, exposure=exposure)

    def forecast(
        self,
        X,
        steps=1,
        *,
        n_samples=0,
        random_state=None,
        inputs=None,
        exposure=None,
        transition_inputs=None,
        future_inputs=None,
        future_exposure=None,
        future_transition_inputs=None,
    ) -> Forecast:
        """The ``steps`` observations after the last of one series.

        Parameters
        ----------
        X, inputs, exposure, transition_inputs
            As for ``fit``, of one series.
        steps : int
            At most a million.
        n_samples : int
            Joint samples of them, at most 100 million numbers in all.
        random_state : int, numpy.random.Generator or RandomState, optional
            Of the samples; the model's own otherwise.
        future_inputs : array-like ``[steps, M]``, optional
            The inputs of what is to come.
        future_exposure : array-like ``[steps]``, optional
            Its exposure.
        future_transition_inputs : array-like ``[steps, L]``, optional
            The inputs of the transitions to it.

        Returns
        -------
        Forecast
            ``mean`` and ``variance`` ``[steps, D]`` in the units of the data and their squares; ``probabilities`` of symbols;
            ``quantile(p)``, ``interval(level)``; ``samples``.
        """
        _data.one_series(X, "a forecast continues it")
        filter = self.filter()
        filter.extend(self._read(X, None, None, inputs, exposure, transition_inputs))
        future = {
            "inputs": future_inputs,
            "exposure": future_exposure,
            "transition_inputs": future_transition_inputs,
        }
        random_state = self.random_state if random_state is None else random_state
        steps = whole("steps", steps, 0, MOST_STEPS)
        return filter._forecast(steps, n_samples, random_state, **future, prefix="future_")

    def sample(
        self, n_samples=None, random_state=None, *, inputs=None, exposure=None, transition_inputs=None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draws a sequence.

        Parameters
        ----------
        n_samples : int, optional
            1 unless given, at most 100 million; of a model with inputs or an exposure, as many as there are rows of them.
        random_state : int, numpy.random.Generator or RandomState, optional
        inputs : array-like ``[n_samples, M]``, optional
        exposure : array-like ``[n_samples]``, optional
        transition_inputs : array-like ``[n_samples, L]``, optional
            Inputs of the transitions to each row; those of the first have no effect.

        Returns
        -------
        X : ndarray ``[n_samples, D]``
        states : ndarray of int ``[n_samples]``
        """
        random_state = self.random_state if random_state is None else random_state
        seed, names = _data.seed_of(random_state), self._given_names()
        driving = {"driving": self._driving_names(), "transition_inputs": transition_inputs}
        if inputs is None and exposure is None and transition_inputs is None:
            _data.check_given(*names, None, None, **driving)
            count = whole("n_samples", 1 if n_samples is None else n_samples, 0, MOST_SAMPLES)
            return self._model.sample(count, seed)
        given = _data.given_rows(*names, inputs, exposure, **driving)
        if n_samples is not None and n_samples != len(given):
            raise SettingError(
                f"setting `n_samples`: found {n_samples!r}, expected {len(given)}, the rows that are given"
            )
        if self._driving:
            return self._model.sample(given, seed)
        return self._model.sample(len(given), seed, given)

    def _repr_svg_(self):
        if not self.__sklearn_is_fitted__():
            return None
        a = np.asarray(self.transmat_, dtype=np.float32)
        return _scotopic.matrix_figure(
            a.ravel().tolist(), list(a.shape), f"{type(self).__name__}: transitions", "from state", "to state",
        )  # fmt: skip
