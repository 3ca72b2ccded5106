"""Filters: data that come one at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from . import _data, _scotopic
from ._compiled import estimator_of
from ._settings import MOST_SAMPLES, MOST_STEPS, whole
from .errors import ParameterError, ScotopicError, SettingError, SizeError, UnsupportedError
from .results import Filtered, Forecast

if TYPE_CHECKING:
    from typing_extensions import Self


class Filter(_scotopic.Filter):
    """A belief about a hidden state that takes in one observation at a time, in constant memory.

    Parameters
    ----------
    model : estimator, Nonlinear, Generalised, compiled model, or str
        A model of this package with parameters, or the text of a model file of the program (all kinds: ``hmm``,
        ``linear-gaussian``, ``plds``, ``slds``, ``generalised``, ``ar1-poisson``, ``sin-quadratic``, ``stochastic-volatility``,
        ``diagonal-linear``).
    factorisation : str, default "reversed"
        HMMs: "reversed" (exact), "decoupled-lag1", "frozen", "tied". Linear-Gaussian models: "reversed" (exact),
        "diagonal", "decoupled", "frozen-mean-field", "jelbo". Nonlinear models: "reversed", "jelbo", "vjf".
    learn : str or bool, optional
        A learning rule, or True for the default of the kind of model. HMMs: "block-online-em", "rmle"; "dirichlet" of all but
        autoregressions and regressions; "online-em" and "fixed-lag" of symbols, counts, answers (Bernoulli) and normal vectors.
        Linear-Gaussian models: "block-online-em", "online-em", "rmle". PLDS, BLDS: "block-online-em". HMMs with inputs of
        their transitions, linear-Gaussian models with inputs, of continuous time or with a diffuse start (structural models
        without ``initial_variance``) and functions of Python do not learn.
    lag : int, default 0
        How many observations back ``smooth`` can look: of HMMs but autoregressions and those with inputs of their
        transitions, and of linear-Gaussian and structural models without inputs; exact, and of a filter that does not learn.
    **settings
        Of the learning rule, by name: ``block``, ``gain={"exponent": 0.8, "offset": 1000}``, ``pseudo_count``, …

    Attributes
    ----------
    belief : ndarray
        Probabilities ``[K]`` of a discrete state, the mean ``[n]`` of another.
    covariance : ndarray ``[n, n]`` or None
    elbo : float
        ln p of all observations so far, or its bound, nats.
    n_observations : int
    given : tuple
        Names of the inputs of the model, and of its exposure or None. ``update(y, inputs=..., exposure=...)`` takes a number
        for each; they may be left out where y is None.
    transition_inputs : list of str
        Names of the inputs of the transitions of a hidden Markov model; ``update(y, transition_inputs=...)`` takes a number
        for each, with the first observation perhaps none.

    Examples
    --------
    >>> import scotopic
    >>> walk = scotopic.LinearGaussian.local_level(process_noise=0.1, observation_noise=1.0)
    >>> level = walk.filter()
    >>> for y in [0.3, 0.1, None, 0.4]:
    ...     nats = level.update(y)
    >>> level.n_observations
    4
    >>> saved = level.snapshot()
    >>> scotopic.Filter.restore(saved).elbo == level.elbo
    True
    """

    def __new__(cls, model, factorisation="reversed", *, learn=None, lag=0, **settings):
        """A filter that has seen nothing."""
        if settings and not learn:
            raise ScotopicError(f"settings of a learning rule ({', '.join(settings)}) but no rule: give learn=True")
        if not isinstance(factorisation, str):
            raise SettingError(
                f"setting `factorisation`: found {type(factorisation).__name__}, expected a factorisation by name: a filter takes its "
                "observations one at a time, by update(x)"
            )
        if not (learn is None or isinstance(learn, (bool, str, np.bool_))):
            raise SettingError(f"setting `learn`: found {learn!r}, expected a rule by name, True or None")
        rule = learn if isinstance(learn, str) else "" if learn else None
        lag = whole("lag", lag, 0)
        if learn and hasattr(model, "_held") and any(model._held()):
            raise UnsupportedError(
                "a rule that learns while it filters chooses whole matrices: it cannot hold `fixed` and `tied` entries; fit does"
            )
        if hasattr(type(model), "_equation"):
            if learn or lag:
                what = "learn" if learn else "look back (lag)"
                raise UnsupportedError(f"a filter of Python functions, of a {type(model).__name__}, cannot {what}")
            compiled = model._equation(factorisation)
        else:
            compiled = model._model if hasattr(type(model), "_model") else model
        if rule == "dirichlet" and isinstance(compiled, _scotopic.Hmm) and compiled.emission[0] == "autoregression":
            raise UnsupportedError(
                "an autoregression cannot be learned by 'dirichlet': that takes whole rows, and the first of a series have no "
                "lags; learn='block-online-em' and learn='rmle' learn it"
            )
        names = getattr(model, "feature_names_in_", None)
        if cls is Filter and names is not None:
            cls = NamedFilter
        try:
            new = super().__new__(cls, compiled, factorisation, rule, _json(settings), lag)
        except SettingError as error:
            if error.field != "rule":
                raise
            said = str(error).replace("`rule`", "`learn`").replace("expected", "expected a rule that learns it:")
            raise SettingError(said) from None
        new._names = names
        return new

    @classmethod
    def restore(cls, snapshot) -> Self:
        """The filter that ``snapshot`` was taken of, here or by ``scotopic filter --save``.

        A snapshot has no names of columns: what is pickled or copied keeps them.
        """
        return super().__new__(cls, bytes(snapshot))

    #: The names of the columns that its model was fitted to.
    _names = None

    def _read(self, X, inputs, exposure, transition_inputs):
        _data.one_series(X, "a filter follows it; give each series a filter of its own, model.filter()")
        _data.check_names(self._names, X)
        driving = {"driving": self.transition_inputs, "transition_inputs": transition_inputs}
        return _data.read(*self.given, X, None, inputs, exposure, **driving)

    def extend(self, X, *, inputs=None, exposure=None, transition_inputs=None) -> Filtered:
        """Takes in rows ``[T, D]``, as ``update`` would one after the other; a failure leaves the filter as it was.

        Parameters
        ----------
        X : array-like ``[T, D]``
            The next rows of one series; several are refused.
        inputs : array-like ``[T, M]``, optional
            What a regression is given with each observation.
        exposure : array-like ``[T]``, optional
            What counts are of.
        transition_inputs : array-like ``[T, L]``, optional
            What the transition to each observation depends on.

        Returns
        -------
        Filtered
            The belief after each, and ln p(o_t | o_<t).
        """
        return Filtered(*super().extend(self._read(X, inputs, exposure, transition_inputs)))

    def partial_fit(self, X, y=None, *, inputs=None, exposure=None, transition_inputs=None) -> Self:
        """Takes in rows ``[T, D]``, with what they are given as in ``extend``; the filter itself."""
        super().extend(self._read(X, inputs, exposure, transition_inputs))
        return self

    def forecast(
        self, steps=1, *, n_samples=0, random_state=None, inputs=None, exposure=None, transition_inputs=None
    ) -> Forecast:
        """The next ``steps`` observations, if nothing is seen on the way.

        Parameters
        ----------
        steps : int
            At most a million.
        n_samples : int
            Joint samples of them, at most 100 million numbers in all.
        random_state : int, numpy.random.Generator or RandomState, optional
            Of the samples.
        inputs : array-like ``[steps, M]``, optional
            The inputs of what is to come.
        exposure : array-like ``[steps]``, optional
            Its exposure.
        transition_inputs : array-like ``[steps, L]``, optional
            The inputs of the transitions to it.

        Returns
        -------
        Forecast
        """
        steps = whole("steps", steps, 0, MOST_STEPS)
        return self._forecast(steps, n_samples, random_state, inputs, exposure, transition_inputs, "")

    def _forecast(self, steps, n_samples, random_state, inputs, exposure, transition_inputs, prefix):
        """The same, with what is given called ``prefix`` and its name in errors."""
        each = max(1, steps * self.n_features)
        count = whole("n_samples", n_samples, 0, MOST_SAMPLES // each)
        given = self._future(steps, inputs, exposure, transition_inputs, prefix)
        found = super().forecast(steps, given)
        if count:
            rows = super().simulate(steps, count, _data.seed_of(random_state), given)
            found["samples"] = rows.reshape(count, steps, -1)
        return Forecast(**found)

    def _future(self, steps, inputs, exposure, transition_inputs, prefix):
        """What is given with the next ``steps`` observations; None of a model that is given nothing."""
        names, exposed = self.given
        driving = {"driving": self.transition_inputs, "transition_inputs": transition_inputs}
        if not (names or driving["driving"]) and exposed is None and inputs is exposure is transition_inputs is None:
            return None
        given = _data.given_rows(names, exposed, inputs, exposure, prefix=prefix, **driving)
        if len(given) != steps:
            told = {"inputs": inputs, "exposure": exposure, "transition_inputs": transition_inputs}
            name = next((name for name, values in told.items() if values is not None), "inputs")
            raise SizeError(f"{prefix}{name}: found {len(given)} rows, expected {steps}, one a step")
        return given

    def smooth(self, back):
        """The belief about the state ``back`` observations ago, given all since; of a filter with a ``lag``.

        Parameters
        ----------
        back : int

        Returns
        -------
        ndarray, or a pair of them
            Probabilities ``[K]`` of a discrete state; the mean ``[n]`` and the covariance ``[n, n]`` of another.
        """
        back = whole("back", back, 0)
        try:
            return super().smooth(back)
        except SettingError as error:
            if error.field == "lag":
                raise
            expected = f"less than the {self.n_observations} observations so far, and at most the lag of the filter"
            raise SettingError(f"setting `back`: found {back}, expected {expected}") from None

    @property
    def model(self):
        """The model as it is now, learned so far: an estimator, or the text of a model file for kinds without one.

        None of functions of Python.
        """
        model = estimator_of(super().model)
        if self._names is not None:
            model.feature_names_in_ = self._names
        return model

    def copy(self) -> Self:
        """A filter in the same state; none of functions of Python, whose state cannot be taken out of them."""
        new = type(self).restore(self.snapshot())
        new._names = self._names
        return new

    def snapshot(self) -> bytes:
        """The whole filter as bytes, from which :meth:`restore` continues bit for bit; none of functions of Python."""
        try:
            return super().snapshot()
        except ParameterError as error:
            raise UnsupportedError(
                f"{error}: it can neither be copied nor pickled; a new filter of the model takes in the same rows"
            ) from None

    def __reduce__(self):
        return _restored, (type(self), self.snapshot(), self._names)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()


class NamedFilter(Filter):
    """A :class:`Filter` of a model that was fitted to a table: rows of tables have to have its columns.

    A class of its own, as checks of labels would take as long as the update of a filter that has none.
    """

    def update(self, observation, inputs=None, exposure=None, transition_inputs=None) -> float:
        """Takes in the next observation.

        Parameters
        ----------
        observation : number, or array-like ``[D]``
            A row of a DataFrame has to have the columns of the fit; ``None`` and NaN are missing.
        inputs, exposure, transition_inputs : number, or array-like, optional
            What a model with them is given with each observation: ``[M]``, a number, ``[L]``.

        Returns
        -------
        float
            ln p(o_t | o_<t), or the change of the bound, nats. A failure leaves the filter as it was.
        """
        return super().update(_data.row(observation, self._names), inputs, exposure, transition_inputs)


def _restored(of, snapshot, names):
    """What pickle makes a filter of."""
    new = of.restore(snapshot)
    new._names = names
    return new


def _json(settings):
    """Settings of a rule as the compiled half reads them; numpy's numbers are numbers."""

    def plain(value):
        if isinstance(value, (np.integer, np.floating, np.bool_)):
            return value.item()
        raise SettingError(f"settings of a learning rule: found {value!r}, expected numbers, texts or dicts of them")

    try:
        return json.dumps(settings, default=plain, allow_nan=False)
    except ValueError:
        raise SettingError(f"settings of a learning rule: found {settings!r}, expected finite numbers") from None
