"""What hidden Markov models of all emissions share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from . import _data, _scotopic
from ._estimator import check_size, parameter
from ._hmm_questions import HmmQuestions
from ._progress import Search, watch
from ._settings import MOST_RUNS, MOST_STATES, jobs, real, whole
from .errors import DependentColumnsError, NotPositiveDefiniteError, ParameterError, SettingError, SizeError

if TYPE_CHECKING:
    from typing_extensions import Self


class HMM(HmmQuestions):
    """Parameters and how they are fitted; a subclass names its emission."""

    #: Attributes of the emission, to their fields in a model file.
    _FIELDS = {}
    #: The columns of a row after the outputs: names of the inputs, the name of the exposure (inputs of transitions follow).
    _inputs, _exposure = (), None

    def __init__(
        self,
        n_components=1,
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
        self.n_components = n_components
        self.n_init = n_init
        self.n_iter = n_iter
        self.tol = tol
        self.pseudo_count = pseudo_count
        self.init = init
        self.method = method
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    startprob_ = parameter("startprob_", "Initial probabilities ``[K]``.")
    transmat_ = parameter("transmat_", "Transition probabilities ``[K, K]``; row i is p(s_t | s_{t-1} = i).")

    transition_weights_ = parameter(
        "transition_weights_",
        "Weights ``[K, K, M]`` of inputs of transitions: ``[i, j]`` is of the transition from i to j, per unit of each input.",
    )
    transition_origin_ = parameter(
        "transition_origin_", "The inputs ``[M]`` at which the transitions are ``transmat_``."
    )

    @property
    def transition_inputs_(self):
        """The names of the inputs of the transitions; set them where parameters are set by hand."""
        return list(self._driving)

    @transition_inputs_.setter
    def transition_inputs_(self, names):
        self._driving = [str(name) for name in names]
        self.__dict__.pop("_compiled", None)
        # Unless it is set the transitions are those at inputs of 0.
        if self._driving and "transition_origin_" not in self._given():
            self.transition_origin_ = np.zeros(len(self._driving))

    @property
    def _PARAMETERS(self):
        driven = ("transition_weights_", "transition_origin_") if self._driving else ()
        return ("startprob_", "transmat_", *self._fields(), *driven)

    def _fields(self):
        return self._FIELDS

    def _attributes(self):
        fields = {field: name for name, field in self._fields().items()}
        return {"initial": "startprob_", "transition": "transmat_", **fields}

    def _given_names(self):
        return self._model.given

    def _driving_names(self):
        return list(self._driving)

    def _given_fields(self, values):
        """What the emission is given, as the fields of a model file."""
        return {} if self._exposure is None else {"exposure": self._exposure}

    _SHAPING = ("n_components",)

    def _compile(self, values):
        check_size("startprob_", values["startprob_"].size, "n_components", self.n_components)
        fields = {field: self._field(name, values) for name, field in self._fields().items()}
        fields.update(self._given_fields(values))
        try:
            plain = _scotopic.Hmm(self._emission(), values["startprob_"], values["transmat_"], fields)
        except (ParameterError, SizeError) as error:
            if "invalid type" in str(error):
                # An array of too few or too many axes, which the reader of model files knows by no name.
                found = ", ".join(f"{name} {list(values[name].shape)}" for name in self._fields())
                expected = ", ".join(f"{name}: {getattr(type(self), name).__doc__}" for name in self._fields())
                made = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._SHAPING if not name.startswith("_"))
                raise SizeError(f"found arrays of the shapes {found}; expected {expected} of {made}") from None
            raise self._named_as_here(error) from None
        if not self._driving:
            return plain
        weights, origin = values["transition_weights_"], values["transition_origin_"]
        return _scotopic.DrivenHmm(plain, list(self._driving), weights, origin)

    def _named_as_here(self, error):
        """An error about a model, with its arrays named as the attributes are."""
        names = {"initial": "startprob_", "transition": "transmat_", "transmat": "transmat_", "startprob": "startprob_"}
        names.update((field, name) for name, field in self._fields().items())
        said = re.sub(r"\b(\w+)(?=\[|:)", lambda found: names.get(found[1], found[1]), str(error))
        renamed = type(error)(said)
        renamed.__dict__.update(error.__dict__)
        if "name" in renamed.__dict__:
            # A matrix of an array is named with its place, "covariances[1]".
            renamed.name = re.sub(r"^\w+", lambda found: names.get(found[0], found[0]), renamed.name)
        return renamed

    def _emission(self):
        return self._KIND

    def _field(self, name, values):
        return values[name]

    def _lags(self):
        """How many observations before it an observation depends on."""
        return 0

    def _take(self, model):
        """The parameters of a compiled model."""
        driven = isinstance(model, _scotopic.DrivenHmm)
        plain = model.base if driven else model
        fields = plain.emission[1]
        values = {"startprob_": plain.initial, "transmat_": plain.transition}
        values.update((name, fields[field]) for name, field in self._fields().items())
        self._driving = model.transition_inputs if driven else []
        if driven:
            values.update(transition_weights_=model.weights, transition_origin_=model.origin)
        self._values = {}
        for name, value in values.items():
            self._set_value(name, value)
        self._inputs, self._exposure = model.given
        self._hold(model)
        self.n_features_in_ = model.n_features
        return self

    # ---- fitting

    def fit(self, X, y=None, lengths=None, callback=None, *, inputs=None, exposure=None, transition_inputs=None) -> Self:
        """Fits the model to sequences by maximum likelihood.

        Parameters
        ----------
        X : array-like ``[T, D]``, or a list of arrays ``[T_i, D]``
            Observations, rows. An entry that is NaN is missing. A C-contiguous array of float64 is not copied.
        y : ignored
            For scikit-learn's interface.
        lengths : sequence of int, optional
            Rows of each sequence, where X is one array of several sequences one after the other.
        callback : callable, optional
            With ``method="em"``: called as ``callback(run, iteration, log_evidence)`` before each iteration and at the
            end; what it raises ends the fit.
        inputs : array-like ``[T, M]``, or a list of arrays ``[T_i, M]``, optional
            What a regression is given with each observation; the columns of a DataFrame keep their names. An input may be
            missing only where its observation is.
        exposure : array-like ``[T]``, or a list of arrays ``[T_i]``, optional
            What counts are of, above 0: a time, an area, a number at risk. Rates are then per unit of it.
        transition_inputs : array-like ``[T, L]``, or a list of arrays ``[T_i, L]``, optional
            Inputs that the transition to each row depends on, by a multinomial logistic regression in each state. The first
            row of a sequence has none; in others none may be missing, not even where the observation is. A column of a
            DataFrame that is among ``inputs`` by its name is that input. Found by a search without ``pseudo_count``.

        Returns
        -------
        self
            With ``startprob_``, ``transmat_`` and the parameters of the emission; with inputs of transitions
            ``transition_weights_``, ``transition_origin_`` (their means, where the transitions are ``transmat_``) and
            ``log_evidence_without_`` (nats, of the best model without them); ``log_evidence_`` (nats), ``n_iter_``,
            ``converged_``, ``warnings_`` (also given as Python warnings, ``scotopic.errors.FitWarning``); of a search
            ``found_by_`` (how many runs, of how many, reached this maximum) and ``pseudo_count_``; of EM ``history_`` (log
            evidence, nats).
        """
        k, runs = whole("n_components", self.n_components, 1, MOST_STATES), whole("n_init", self.n_init, 1, MOST_RUNS)
        for name, known in (("init", ("guess", "parameters")), ("method", ("search", "em"))):
            if getattr(self, name) not in known:
                expected = " or ".join(map(repr, known))
                raise SettingError(f"setting `{name}`: found {getattr(self, name)!r}, expected {expected}")
        search = self.method == "search"
        if search and callback is not None:
            raise SettingError("setting `callback`: found one, expected None unless method='em': runs are side by side")
        start = self._model if self.init == "parameters" else None
        if start is not None:
            driving = {"driving": self._driving_names(), "transition_inputs": transition_inputs}
            _data.read(*self._given_names(), X, lengths, inputs, exposure, **driving)
        data = self._read_to_fit(X, lengths, y, inputs, exposure, transition_inputs)
        settings = {
            "emission": self._emission(),
            "states": k,
            "runs": runs,
            "seed": _data.seed_of(self.random_state) if start is None else 0,
            "max_iterations": whole("n_iter", self.n_iter, 1 if search else 0),
            "tolerance": real("tol", (1e-8 if search else 1e-6) if self.tol is None else self.tol, 0.0),
            "pseudo_count": real("pseudo_count", self.pseudo_count, 0.0),
            "start": start,
            "inputs": _data.input_names(inputs),
            "exposure": _data.name_of(exposure) if data.given[1] else None,
            "lags": self._lags(),
        }
        try:
            if transition_inputs is not None or data.driving:
                self._search_driven(X, data, settings, transition_inputs)
            elif search:
                self._search(X, data, settings)
            else:
                tell = watch(callback, self.verbose, self.n_iter)
                model, history, converged = self._found(_scotopic.fit_hmm, data, callback=tell, **settings)
                self._take_climb(model, X, history, len(history) - 1, converged)
                self.log_evidence_ = history[-1]
        except DependentColumnsError as error:
            raise _of_inputs(error, data, settings["inputs"]) from None
        except (ParameterError, NotPositiveDefiniteError) as error:
            raise self._collapsed(error) from None
        except SettingError as error:
            if error.field != "lags":
                raise
            raise SettingError(str(error).replace("`lags`", "`n_lags`")) from None
        return self

    def _found(self, engine, data, **settings):
        """What a fit of the compiled half finds."""
        return engine(data, **settings)

    def _collapsed(self, error):
        """An error about parameters on the way of a fit: a state that shrank onto too few different values."""
        renamed = self._named_as_here(error)
        place = re.match(r"(\w+)\[(\d+)\]", str(renamed))
        if place is None or place[1] not in self._fields():
            return renamed
        found = re.sub(r"; check that .*", "", str(renamed))
        elsewhere = "other parameters to start from" if self.init == "parameters" else "more starts (n_init), another random_state"
        said = (
            f"{found}: the fit collapsed in state {place[2]}, onto values without a spread, where the likelihood has no bound; "
            f"give pseudo_count (1, say), fewer states, or {elsewhere}"
        )
        collapsed = type(renamed)(said)
        collapsed.__dict__.update(renamed.__dict__)
        return collapsed

    def _threads(self):
        return jobs(self.n_jobs)

    def _search_driven(self, X, data, settings, transition_inputs):
        for name, found, expected in (
            ("method", self.method, "search"),
            ("pseudo_count", settings.pop("pseudo_count"), 0.0),
            ("lags", settings.pop("lags"), 0),
        ):
            if found != expected:
                raise SettingError(
                    f"setting `{name}`: found {found!r}, expected {expected!r} with inputs of transitions"
                )
        if transition_inputs is None:
            names = [f"v{i}" for i in range(1, data.driving + 1)]
        else:
            names = _data.driving_names(transition_inputs)
        # Both kinds of inputs are told apart by their names.
        settings["inputs"] = settings["inputs"] or [f"x{i}" for i in range(1, data.given[0] + 1)]
        model, log_evidence, n_iter, converged, found_by, without, said = self._found(
            _scotopic.search_driven_hmm, data, threads=self._threads(), transition_inputs=names, **settings
        )
        self._take_fitted(model, X)
        self.log_evidence_, self.n_iter_, self.converged_ = log_evidence, n_iter, converged
        self.found_by_, self.log_evidence_without_ = found_by, without
        self._say(said)

    def _search(self, X, data, settings):
        with Search(self.verbose) as progress:
            model, log_evidence, n_iter, converged, found_by, pseudo_count, said = self._found(
                _scotopic.search_hmm, data, threads=self._threads(), look=progress.look, **settings
            )
        self._take_fitted(model, X)
        self.log_evidence_, self.n_iter_, self.converged_ = log_evidence, n_iter, converged
        self.found_by_, self.pseudo_count_ = found_by, pseudo_count
        self._say(said)

    def maximise(self, statistics, pseudo_count=None) -> Self:
        """The M-step: this model with the parameters that are best for expected statistics.

        Parameters
        ----------
        statistics : HmmStatistics
            A value of ``self.statistics``, or a sum of such.
        pseudo_count : float, optional
            Observations added to each count; the model's own setting otherwise.

        Returns
        -------
        self
        """
        self._plain("be maximised from statistics")
        pseudo_count = self.pseudo_count if pseudo_count is None else pseudo_count
        return self._take(self._model.maximise(statistics, real("pseudo_count", pseudo_count, 0.0)))


def exposed():
    """The attribute ``exposure_`` of models of counts."""

    def change(self, name):
        self._exposure = None if name is None else str(name)
        self.__dict__.pop("_compiled", None)

    return property(lambda self: self._exposure, change, doc="The name of the exposure of counts, or None.")


def _of_inputs(error, data, names):
    """An error about columns that are all inputs, in their names."""
    inputs, exposure = data.given
    outputs = data.n_features - inputs - bool(exposure) - data.driving
    numbered = [f"v{i}" for i in range(1, data.driving + 1)]
    driving = [*[""] * bool(exposure), *numbered]
    known = [*[""] * outputs, *(names or [f"x{i}" for i in range(1, inputs + 1)]), *driving]
    found = [known[column] if column < len(known) else "" for column in error.columns]
    if not all(found):
        return error
    said = f"the input {found[0]} does not vary: its effect cannot be told from that of a constant"
    if len(found) > 1:
        said = f"the inputs {', '.join(found)} are combinations of each other and a constant"
    of_transitions = all(name in numbered for name in found)
    advice = "leave one out" if of_transitions else "leave one out, or give pseudo_count"
    renamed = DependentColumnsError(f"{'transition_inputs' if of_transitions else 'inputs'}: {said}; {advice}")
    renamed.columns = error.columns
    return renamed
