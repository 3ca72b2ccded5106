"""Structural time series models: components that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from . import _data, _scotopic, _warnings
from ._gaussian import GaussianEstimator
from ._settings import MOST_RUNS, real, texts, whole
from .checks import Summary, numbers
from .errors import DependentColumnsError, SettingError, UnsupportedError, not_fitted
from .results import Beliefs, _bands, _Short

if TYPE_CHECKING:
    from typing_extensions import Self


#: Two ends are one maximum where ln p differs by less, nats.
_SAME = 1e-2


class StructuralModel(GaussianEstimator):
    """One series as a sum of components and irregular noise (eq. F50), fitted by maximum likelihood.

    Parameters
    ----------
    components : list of str, or str
        ``level``, ``slope``, ``trend`` (both), ``seasonal:N`` (dummies), ``trigonometric:N``, ``trigonometric:N:K`` (K
        harmonics), ``cycle``, ``ar:P``, ``arma:P:Q``, ``regression`` on ``inputs``, ``regression:walk`` (coefficients that
        walk at random); one text separates them by commas.
    fixed : dict of str to float, optional
        Parameters that are not estimated: variances by the name of their component or ``irregular``, in units of the data
        squared, and ``cycle.period``, ``cycle.damping``, ``ar.1``, ...
    tied : list of str, or list of list of str, optional
        Variances that are one parameter, or groups of such.
    initial_variance : float, optional
        Variance of the start, in units of the data squared; exactly diffuse otherwise.
    n_init : int
        Starts of the search.
    n_iter : int
        At most so many quasi-Newton steps from a start; a fit that ends there warns.
    tol : float
        Converged where no entry of the gradient is larger, nats.
    random_state : int, numpy.random.Generator or RandomState, optional

    Attributes
    ----------
    params_ : dict of str to float
        The parameters by name, variances in units of the data squared.
    standard_errors_ : dict of str to float
        By the observed information; NaN for what is fixed or at its boundary.
    log_likelihood_ : float
        ln p of the observations that did not fix a diffuse direction, nats (eq. F51).
    n_parameters_ : int
        Those estimated and the diffuse states, which AIC and BIC count.
    n_diffuse_ : int
        Observations spent on the diffuse start.
    converged_, n_iter_, warnings_ : bool, int, list of str

    All attributes of :class:`LinearGaussian` are there as well: the model as matrices.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> t = np.arange(120)
    >>> noise = np.random.default_rng(0).normal(size=120)
    >>> y = 0.1 * t + 2 * np.sin(2 * np.pi * t / 12) + 0.3 * noise
    >>> y[50] = np.nan
    >>> model = scotopic.StructuralModel(["trend", "seasonal:12"]).fit(y)
    >>> sorted(model.params_)
    ['irregular', 'level', 'seasonal', 'slope']
    >>> low, high = model.forecast(y, 12).interval(0.95)
    >>> model.decompose(y).means.shape
    (120, 3)
    """

    def __init__(
        self,
        components=("level",),
        *,
        fixed=None,
        tied=None,
        initial_variance=None,
        n_init=10,
        n_iter=500,
        tol=1e-6,
        random_state=None,
    ):
        self.components = components
        self.fixed = fixed
        self.tied = tied
        self.initial_variance = initial_variance
        self.n_init = n_init
        self.n_iter = n_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None, lengths=None, *, inputs=None) -> Self:
        """Fits the parameters to series by maximum likelihood, from several starts.

        Parameters
        ----------
        X : array-like ``[T]`` or ``[T, 1]``, or a list of them
            Observations; NaN are missing.
        y : ignored
            For scikit-learn's interface.
        lengths : sequence of int, optional
            Rows of each series, where X is one array of several series one after the other.
        inputs : array-like ``[T, M]``, or a list of arrays ``[T_i, M]``, optional
            What ``regression`` is on, none missing; the columns of a DataFrame keep their names. Its coefficients are states
            from an exact diffuse start: ``coefficients``.

        Returns
        -------
        self
        """
        components = self.components if isinstance(self.components, str) else ",".join(texts("components", self.components))
        variance = self.initial_variance
        data = self._read_to_fit(X, lengths, y, inputs)
        own = _data.input_names(inputs) or [f"x{i}" for i in range(1, 1 + data.given[0])]
        try:
            model, told = _scotopic.fit_structural(
                data,
                components,
                {str(name): real(f"fixed[{name!r}]", value, -np.inf) for name, value in self._fixed().items()},
                self._tied(),
                None if variance is None else real("initial_variance", variance, 0.0),
                whole("n_init", self.n_init, 1, MOST_RUNS),
                _data.seed_of(self.random_state),
                whole("n_iter", self.n_iter, 0),
                real("tol", self.tol, 0.0),
                own,
            )
        except DependentColumnsError as error:
            # The library's words advise pseudo-observations, which these models have not.
            constant = DependentColumnsError("X: the series does not vary: there is no variance to be learned of it")
            constant.__dict__.update(error.__dict__)
            raise constant from None
        self._take_fitted(model, X)
        self.params_ = dict(zip(told["names"], told["estimates"]))
        self.standard_errors_ = dict(zip(told["names"], numbers(told["standard_errors"]).tolist()))
        self.log_likelihood_ = told["log_likelihood"]
        self.n_parameters_ = told["free_parameters"]
        self.n_diffuse_ = told["diffuse"]
        self.converged_ = told["converged"]
        self.n_iter_ = told["iterations"]
        self._told = told
        reached = sum(end > told["log_likelihood"] - _SAME for end in told["starts"])
        self.found_by_ = (reached, len(told["starts"]))
        self._say(_warnings.unfinished(self) + _warnings.found_once(self))
        return self

    def partial_fit(self, X, y=None, *, inputs=None):
        """Not there: learning on a stream would free every entry of the matrices."""
        raise UnsupportedError(
            "a structural model cannot learn on a stream: fit it again, or let `LinearGaussian` learn its matrices"
        )

    def gradient(self, X, lengths=None, *, inputs=None, exposure=None, transition_inputs=None):
        """Not there, for the same reason."""
        raise UnsupportedError("a structural model has no gradient by its matrices, whose entries are few parameters: fit it")

    def maximise(self, statistics, pseudo_count=None):
        """Not there, for the same reason."""
        raise UnsupportedError("a structural model has no M-step over its matrices: fit it again")

    def _fixed(self):
        fixed = {} if self.fixed is None else self.fixed
        if not isinstance(fixed, Mapping):
            raise SettingError(f"setting `fixed`: found {fixed!r}, expected a dict of names to numbers")
        return fixed

    def _tied(self):
        """Groups of names; names alone are one group."""
        tied = [] if self.tied is None else self.tied
        if isinstance(tied, str):
            raise SettingError(f"setting `tied`: found {tied!r}, expected a list of names that are one parameter, or of such lists")
        groups = list(tied)
        return [groups] if groups and all(isinstance(name, str) for name in groups) else [texts("tied", names) for names in groups]

    # ---- what it found

    def _fitted(self):
        if "_told" not in self.__dict__:
            raise not_fitted("This StructuralModel instance is not fitted yet: call fit")
        return self._told

    def aic(self, X, lengths=None, *, inputs=None) -> float:
        """Akaike's information criterion; lower is better."""
        self._fitted()
        return 2.0 * self.n_parameters_ - 2.0 * self.score(X, lengths=lengths, inputs=inputs)

    def bic(self, X, lengths=None, *, inputs=None) -> float:
        """The Bayesian information criterion, of the observations that were seen; lower is better."""
        self._fitted()
        data = self._read(X, lengths, None, inputs)
        return self.n_parameters_ * np.log(data.n_seen) - 2.0 * self._model.log_evidence(data)

    def summary(self, level=0.95) -> Summary:
        """The parameters with standard errors and intervals, and criteria, of the series that it was fitted to.

        Returns
        -------
        Summary
        """
        told = self._fitted()
        if not isinstance(level, (int, float, np.integer, np.floating)):
            raise SettingError("setting `level`: found data, expected a probability: this summary is of the series of the fit")
        if not 0.0 < real("level", level, 0.0) < 1.0:
            raise SettingError(f"setting `level`: found {level!r}, expected a probability between 0 and 1")
        from statistics import NormalDist

        z = NormalDist().inv_cdf(0.5 + level / 2)
        values, errors = np.array(told["estimates"]), numbers(told["standard_errors"])
        # Positive numbers on the scale of their logarithm, the others as they are.
        positive = np.array(["." not in name for name in told["names"]]) & (values > 0)
        ratio = np.exp(z * errors / np.where(positive, values, 1.0))
        low = np.where(positive, values / ratio, values - z * errors)
        high = np.where(positive, values * ratio, values + z * errors)
        fixed = self._fixed()
        remarks = [
            "" if np.isfinite(error) else "fixed" if name in fixed else "at the boundary" if edge else "not determined"
            for name, error, edge in zip(told["names"], errors, told["at_boundary"])
        ]
        log_evidence, k, seen = self.log_likelihood_, self.n_parameters_, told["observations"]
        return Summary(
            list(told["names"]),
            values,
            errors,
            np.column_stack([low, high]),
            remarks,
            level,
            seen,
            log_evidence,
            2.0 * k - 2.0 * log_evidence,
            k * np.log(seen) - 2.0 * log_evidence,
        )

    def decompose(self, X, *, inputs=None) -> Decomposition:
        """The components of one series given all of it: what each adds to the observation, and the slope itself.

        Parameters
        ----------
        X : array-like ``[T]``
        inputs : array-like ``[T, M]``, optional
            Of a model with a regression, which adds Σ_m u_tm β_tm.

        Returns
        -------
        Decomposition
        """
        told = self._fitted()
        _data.one_series(X, "its components are a series each; decompose one after the other")
        beliefs = self.smooth(X, inputs=inputs)
        # What each state adds, row by row: of a regression its inputs.
        h = np.repeat(np.asarray(self.observation_), len(beliefs.means), axis=0)
        if self._regressors:
            h[:, self._coefficients()] = _data.rows(inputs, "inputs")
        means, variances, at = [], [], 0
        for name, states in told["components"]:
            part = np.zeros_like(h)
            part[:, at : at + states] = h[:, at : at + states]
            if not part.any():
                part[:, at] = 1.0  # a slope is no part of the observation
            means.append(np.einsum("ti,ti->t", part, beliefs.means))
            # An infinite variance of another component is no part of this one.
            own = np.where((part[:, :, None] != 0.0) & (part[:, None, :] != 0.0), beliefs.covariances, 0.0)
            variances.append(np.einsum("ti,tij,tj->t", part, own, part))
            at += states
        names = [name for name, _ in told["components"]]
        return Decomposition(names, np.column_stack(means), np.column_stack(variances))

    def _coefficients(self):
        """The states that are coefficients, in the order of the inputs."""
        state = {name: j for (_, j), name in self._regressors.items()}
        return [state[name] for name in self.inputs_]

    def coefficients(self, X, lengths=None, *, inputs=None) -> Beliefs:
        """Beliefs about the coefficients of a regression given all of the series; constant unless they walk.

        Parameters
        ----------
        X : array-like ``[T]``
        lengths : sequence of int, optional
        inputs : array-like ``[T, M]``

        Returns
        -------
        Beliefs
            ``means`` ``[T, M]`` in the order of ``inputs_``, per unit of them, ``covariances`` ``[T, M, M]``.
        """
        self._fitted()
        if not self._regressors:
            raise UnsupportedError("a model without the component regression has no coefficients")
        beliefs, own = self.smooth(X, lengths, inputs=inputs), self._coefficients()
        covariances = beliefs.covariances[np.ix_(range(len(beliefs.means)), own, own)]
        return Beliefs(beliefs.means[:, own], covariances, beliefs.elbo, title="Coefficients")


@dataclass(frozen=True, repr=False)
class Decomposition(_Short):
    """A series as its components, given all of it.

    Attributes
    ----------
    names : list of str
    means, variances : ndarray ``[T, C]``
        Of each component, in units of the data (a slope: per observation) and their squares.
    """

    names: list
    means: np.ndarray
    variances: np.ndarray
    title: str = field(default="Components", repr=False)

    def _repr_svg_(self):
        return _bands(self.means, self.variances, self.title, f"{len(self.means)} observations", self.names)
