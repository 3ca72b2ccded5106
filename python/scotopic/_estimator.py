"""What all estimators share: scikit-learn's conventions, without a dependency on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import _data, _scotopic, _warnings
from ._configured import Configured
from ._settings import MOST_LAGS, real, whole
from .checks import Residuals, summarised
from .errors import SettingError, SizeError, not_fitted
from .results import Gradient
from .streaming import Filter

if TYPE_CHECKING:
    from typing_extensions import Self


class Estimator(Configured):
    """``get_params``, ``set_params``, fitted parameters as attributes, and the checks of data.

    A subclass names its parameters in ``_PARAMETERS``, attribute to keyword of the compiled model; they can be set by
    hand, and the compiled model (``_model``) is made of them when it is first needed.
    """

    _PARAMETERS = ()
    #: Whether observations are given with inputs ("may": or not), and may be with an exposure.
    _HAS_INPUTS, _HAS_EXPOSURE = False, False
    #: Settings that the compiled model is made with, beside the parameters.
    _SHAPING = ()
    #: What a fit leaves beside the parameters, where it does.
    _OF_FITS = (
        "log_evidence_",
        "log_evidence_without_",
        "history_",
        "n_iter_",
        "converged_",
        "found_by_",
        "pseudo_count_",
        "warnings_",
    )

    # ---- scikit-learn

    def __sklearn_tags__(self):
        # Only scikit-learn asks, which is then there.
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="density_estimator",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags() if hasattr(self, "transform") else None,
            input_tags=InputTags(allow_nan=True, positive_only=getattr(self, "_POSITIVE", False)),
            non_deterministic=False,
        )

    def __sklearn_is_fitted__(self):
        return self._given().keys() >= set(self._PARAMETERS)

    # ---- parameters

    def _given(self):
        return self.__dict__.setdefault("_values", {})

    def _value(self, name):
        values = self._given()
        if name not in values:
            raise not_fitted(f"This {type(self).__name__} has no {name} yet: call fit, or set it")
        return values[name]

    def _set_value(self, name, value):
        self._given()[name] = frozen(np.array(_data.numbers(value, name)))
        self.__dict__.pop("_compiled", None)
        self.__dict__.pop("n_features_in_", None)

    @property
    def _model(self):
        """The compiled model of the parameters as they are."""
        if "_compiled" not in self.__dict__ or self.__dict__.get("_made_with") != self._shape():
            for name in self._PARAMETERS:
                if name not in self._given():
                    raise not_fitted(
                        f"This {type(self).__name__} instance is not fitted yet: it has no {name}. Call fit, or set it"
                    )
            self._hold(self._compile(self._given()))
        self.__dict__.setdefault("n_features_in_", self._compiled.n_features)
        return self._compiled

    def _shape(self):
        return [getattr(self, name, None) for name in self._SHAPING]

    def _hold(self, compiled):
        self._compiled, self._made_with = compiled, self._shape()

    # ---- copies

    def __setstate__(self, state):
        """What pickle and both functions of ``copy`` make a copy with."""
        self.__dict__.update(state)
        # A change of an entry would not reach the compiled model, so arrays are read-only: copies lose that. A shallow copy
        # has values of its own, and a stream of its own: what is set or learned there is not here.
        self._values = {name: frozen(value) for name, value in self._given().items()}
        if "_stream" in self.__dict__:
            self._stream = self._stream.copy()

    # ---- data

    def _given_names(self):
        """The names of the inputs that each observation is given with, and of its exposure."""
        return [], None

    def _driving_names(self):
        """The names of the inputs of transitions."""
        return []

    def _check_given_to_fit(self, data):
        """Refuses what the kind of model does not take, or the lack of what it takes."""
        for field, given, taken in zip(("inputs", "exposure"), data.given, (self._HAS_INPUTS, self._HAS_EXPOSURE)):
            if given and not taken:
                name = type(self).__name__
                raise SettingError(f"setting `{field}`: found some, expected None: a {name} has no {field}")
            if field == "inputs" and taken is True and not given:
                raise SettingError("setting `inputs`: found None, expected an array [T, M]")

    def _read(self, X, lengths=None, y=None, inputs=None, exposure=None, transition_inputs=None):
        """Observations, of as many columns as the model has."""
        model = self._model
        _data.check_names(getattr(self, "feature_names_in_", None), X)
        driving = {"driving": self._driving_names(), "transition_inputs": transition_inputs}
        data = _data.read(*self._given_names(), X, lengths, inputs, exposure, **driving)
        refuse_y(y, len(data))
        beside = sum(data.given) + data.driving
        if data.n_features != model.n_features + beside:
            found, name = data.n_features - beside, type(self).__name__
            said = f"X has {found} features, but {name} is expecting {model.n_features} features as input"
            if getattr(X, "ndim", 2) == 1:
                said += ". Reshape your data: X.reshape(1, -1) if it is a single observation"
            raise SizeError(said)
        return data

    def _read_to_fit(self, X, lengths, y, inputs=None, exposure=None, transition_inputs=None):
        data = _data.observations(X, lengths, inputs=inputs, exposure=exposure, transition_inputs=transition_inputs)
        refuse_y(y, len(data))
        self._check_given_to_fit(data)
        _data.feature_names(X)  # those of several sequences are the same
        return data

    def _take_fitted(self, model, X):
        """The parameters that were fitted to X, and the names of its columns."""
        self._forget_fit()
        self._take(model)
        self.__dict__.pop("feature_names_in_", None)
        names = _data.feature_names(X)
        if names is not None:
            self.feature_names_in_ = names

    def _forget_fit(self):
        for name in self._OF_FITS:
            self.__dict__.pop(name, None)

    def _say(self, said):
        """What a fit has to say, which ``warnings_`` keeps."""
        self.warnings_ = said
        _warnings.told(type(self).__name__, said)

    def _take_climb(self, model, X, history, n_iter, converged, *, tolerant=True):
        """What a fit by iterations found, with a warning where it had not converged. ``tolerant``: by its ``tol``."""
        self._take_fitted(model, X)
        self.history_, self.n_iter_, self.converged_ = np.array(history), n_iter, converged
        self._say(_warnings.unfinished(self, tolerant=tolerant))

    # ---- streaming and information criteria

    def filter(self, factorisation="reversed", *, learn=None, lag=0, **settings) -> Filter:
        """A filter of this model that has seen nothing, for data that come one at a time.

        Parameters
        ----------
        factorisation : str, default "reversed"
            What the posterior may be: the exact filter, or a cheaper or looser one (see ``compare``).
        learn : str or bool, optional
            A learning rule, or True for the rule that is best nearly everywhere: parameters then follow the data.
            ``settings`` are those of the rule, by name. :class:`Filter` says which models learn by which.
        lag : int, default 0
            How many observations back ``Filter.smooth`` can look, of the models that :class:`Filter` names.

        Returns
        -------
        Filter
        """
        return Filter(self, factorisation, learn=learn, lag=lag, **settings)

    def partial_fit(self, X, y=None, *, inputs=None, exposure=None) -> Self:
        """Learns from the next rows of one endless series, in constant memory.

        The first call fits the model to its rows where it has no parameters. From then on parameters follow the data by
        the default rule of ``filter(learn=True)``; take that for other rules and for beliefs on the way. ``inputs`` and
        ``exposure`` are as for ``fit`` of a model that takes them. Several series are refused: rows continue those before.

        Returns
        -------
        self
        """
        _data.one_series(X, "partial_fit continues it; fit takes several")
        stream = self.__dict__.get("_stream")
        if stream is None or self.__dict__.get("_streamed") is not self.__dict__.get("_compiled"):
            if not self.__sklearn_is_fitted__():
                given = {"inputs": inputs, "exposure": exposure}
                self.fit(X, y, **{name: value for name, value in given.items() if value is not None})
            stream = self.filter(learn=True)
        stream.extend(self._read(X, None, y, inputs, exposure))
        self._forget_fit()
        self._take(_scotopic.Filter.model.__get__(stream))
        self._stream, self._streamed = stream, self._compiled
        return self

    def aic(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> float:
        """Akaike's information criterion, nats times 2; lower is better.

        Free parameters are counted: of a distribution one less than it has entries, and none that is exactly 0. Without a
        ``pseudo_count`` what is 0 at the start of a fit stays 0, so that it is a part of the model (a chain from left to right)
        and nothing that was fitted.
        """
        data = self._read(X, lengths, None, inputs, exposure, transition_inputs)
        return -2.0 * self._model.log_evidence(data) + 2.0 * self._free_parameters()

    def bic(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> float:
        """The Bayesian information criterion, of the observations that were seen, nats times 2; lower is better.

        Parameters are counted as in :meth:`aic`.
        """
        data = self._read(X, lengths, None, inputs, exposure, transition_inputs)
        return -2.0 * self._model.log_evidence(data) + self._free_parameters() * np.log(data.n_seen)

    def summary(self, X, lengths=None, *, level=0.95, hold=(), inputs=None, exposure=None, transition_inputs=None) -> Summary:
        """The parameters with standard errors by the observed information of the data that they were fitted to.

        Parameters
        ----------
        X, lengths, inputs, exposure, transition_inputs
            As for ``fit``.
        level : float
            The probability of the intervals.
        hold : list of str
            Parameters that are taken as known, by the beginning of their names.

        Returns
        -------
        Summary
        """
        data = self._read(X, lengths, None, inputs, exposure, transition_inputs)
        held = self._held()
        free = self._free_parameters() if any(held) else None
        return summarised(self._model, data, real("level", level, 0.0), hold, held, free)

    def _held(self):
        """The entries that a fit held, and those that it made one number: none, of most models."""
        return [], []

    def _free_parameters(self):
        return self._model.free_parameters

    def residuals(self, X, *, random_state=0, lags=None, inputs=None, exposure=None, transition_inputs=None) -> Residuals:
        """Standardised one-step residuals of one series, with tests; four panels in a notebook.

        Parameters
        ----------
        X : array-like ``[T, D]``
            One series.
        random_state : int, numpy.random.Generator, RandomState or None
            Counts and symbols get a number within the jump of their distribution; None takes the middle of the jump.
        lags : int, optional
            Of the test of independence; min(10, T / 5) otherwise.
        inputs, exposure, transition_inputs
            As for ``fit``.

        Returns
        -------
        Residuals
        """
        seed = None if random_state is None else _data.seed_of(random_state)
        lags = None if lags is None else whole("lags", lags, 1, MOST_LAGS)
        data = self._read(X, None, None, inputs, exposure, transition_inputs)
        values, tests = _scotopic.residuals(self._model, data, seed, lags)
        return Residuals(values, tests, f"Residuals of {self!r}")

    def to_toml(self) -> str:
        """The model as the text of a model file of the program ``scotopic``."""
        return self._model.to_toml()

    def save(self, path) -> None:
        """Writes a model file that the program ``scotopic`` reads."""
        text = self.to_toml()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def statistics(self, X, lengths=None, *, inputs=None, exposure=None):
        """The E-step: expected statistics of these sequences under this model.

        Values of one model add up (``+``, ``sum``) and can be pickled, so that parts of the data can be seen by
        different processes or machines; ``maximise`` takes the sum.
        """
        return self._model.statistics(self._read(X, lengths, None, inputs, exposure))

    def gradient(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None) -> Gradient:
        """The gradient of ln p of these sequences by the parameters, exact.

        Values of one model add up, as ``statistics`` do. Models whose ln p is known by bounds alone have none, nor have
        those of continuous time or with a diffuse start.

        Parameters
        ----------
        X, lengths, inputs, exposure, transition_inputs
            As for ``fit``.

        Returns
        -------
        Gradient
        """
        data = self._read(X, lengths, None, inputs, exposure, transition_inputs)
        each, log_evidence = _scotopic.gradient(self._model, data)
        names = self._attributes()
        by = {names.get(key, f"{key}_"): slope for key, _, slope in each}
        coordinates = {names.get(key, f"{key}_"): taken_by for key, taken_by, _ in each}
        return Gradient(by, coordinates, log_evidence, len(data), self._model)

    def _attributes(self):
        """The attributes of the parameters of a model file that are not called as there."""
        return {}


def refuse_y(y, rows):
    """scikit-learn passes a y, which is ignored; lengths in its place must not be."""
    if y is None:
        return
    try:
        y = np.asarray(y)
    except ValueError:  # rows of different lengths
        y = np.empty(len(y))
    if y.ndim == 0 or len(y) != rows:
        found = f"an array of {len(y)} entries" if y.ndim else repr(y.item())
        raise SettingError(
            f"setting `y`: found {found} for {rows} observations, expected None (y is ignored): pass lengths by keyword, lengths=…"
        )


def check_size(name, found, setting, expected):
    """Refuses parameters of another size than a setting says."""
    if found != expected:
        raise SizeError(f"{name}: found {found}, expected {expected}, as the setting {setting}")


def frozen(array):
    """The array, read-only."""
    array.flags.writeable = False
    return array


def parameter(name, doc):
    """A fitted parameter as an attribute that can be set by hand."""
    return property(lambda self: self._value(name), lambda self, value: self._set_value(name, value), doc=doc)


Observations = _scotopic.Observations
