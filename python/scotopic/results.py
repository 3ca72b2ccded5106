"""What models and filters answer: arrays, which a notebook draws."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from . import _scotopic
from ._settings import real
from .errors import SettingError, SizeError

#: Standard deviations to either side of the mean that a normal variable is within with probability 0.9.
_NINETY = 1.6448536269514722


class _Short:
    """A representation with the shapes of arrays, not their numbers."""

    def __repr__(self):
        def said(value):
            return f"array{list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)

        of = [f"{f.name}={said(getattr(self, f.name))}" for f in fields(self) if f.repr]
        return f"{type(self).__name__}({', '.join(of)})"


def _states(k):
    return [f"state {i}" for i in range(k)]


@dataclass(frozen=True, repr=False)
class Posterior(_Short):
    """Probabilities of the states of an HMM over time.

    Attributes
    ----------
    probabilities : ndarray ``[T, K]``
    elbo : float
        The bound of the log evidence, nats.
    gap : float
        The log evidence less the bound, nats: 0 where the factorisation is exact.
    factorisation : str
    """

    probabilities: np.ndarray
    elbo: float
    gap: float
    factorisation: str

    def _repr_svg_(self):
        title = "Probabilities of the states"
        note = f"factorisation {self.factorisation}, elbo {self.elbo:.4g} nats, gap {self.gap:.3g} nats"
        k = self.probabilities.shape[1]
        return _scotopic.beliefs_figure(self.probabilities, _states(k), title, note)


@dataclass(frozen=True, repr=False)
class Beliefs(_Short):
    """Normal beliefs about a state over time.

    Attributes
    ----------
    means : ndarray ``[T, n]``
    covariances : ndarray ``[T, n, n]``
    elbo : float
        The log evidence, or its bound, nats.
    """

    means: np.ndarray
    covariances: np.ndarray
    elbo: float
    title: str = field(default="Beliefs about the state", repr=False)

    @property
    def variances(self) -> np.ndarray:
        """The diagonals of the covariances ``[T, n]``."""
        return np.einsum("tii->ti", self.covariances)

    def _repr_svg_(self):
        return _bands(self.means, self.variances, self.title, f"{self.elbo:.4f} nats", "x")


@dataclass(frozen=True, repr=False, eq=False)
class Gradient(_Short):
    """The gradient of ln p of sequences by the parameters of one model.

    Values of one model add up (``+``, ``sum``) and can be pickled, so that parts of the data can be seen by different
    processes or machines.

    Attributes
    ----------
    by : dict of str to ndarray
        The gradient by each parameter, by the name and in the shape of the model's attribute, nats a unit of its
        coordinate. Of a covariance each entry of a pair holds half of what moving both together does.
    coordinates : dict of str to str
        What it is taken by: "log" of what is above 0 and "logit" of probabilities (of a distribution ln p up to a constant, of
        an event ln(p / (1 - p))), so that no step leaves what these can be; all else, covariances too, by "value".
    log_evidence : float
        ln p, nats.
    observations : int
        Rows.
    """

    by: dict
    coordinates: dict
    log_evidence: float
    observations: int
    _model: object = field(repr=False)

    def __repr__(self):
        return f"<Gradient of {self.observations} observations, log evidence {self.log_evidence:.6f}>"

    def __add__(self, other) -> Gradient:
        if not isinstance(other, Gradient):
            return NotImplemented
        if type(other._model) is not type(self._model) or other._model != self._model:
            raise SizeError(
                "gradient: found one at other parameters, expected those of one model: take the gradient of all parts with the same"
            )
        by = {name: values + other.by[name] for name, values in self.by.items()}
        log_evidence = self.log_evidence + other.log_evidence
        return Gradient(by, self.coordinates, log_evidence, self.observations + other.observations, self._model)

    def __radd__(self, zero) -> Gradient:
        # `sum` starts from 0.
        return self if isinstance(zero, int) and zero == 0 else NotImplemented


@dataclass(frozen=True, repr=False)
class Forecast(_Short):
    """Observations that are still to come.

    Attributes
    ----------
    mean, variance : ndarray ``[steps, D]``
    probabilities : ndarray ``[steps, M]`` or None
        Of each symbol, where observations are symbols.
    samples : ndarray ``[n_samples, steps, D]`` or None
        Joint samples, where some were asked for.
    """

    mean: np.ndarray
    variance: np.ndarray
    probabilities: np.ndarray | None = None
    samples: np.ndarray | None = None
    _laws: object = field(default=None, repr=False)

    def quantile(self, p) -> np.ndarray:
        """The quantiles of probability ``p`` of each entry by itself.

        Of counts and symbols the first value that reaches ``p``. Of HMMs those of the mixture over states, exact but for
        autoregressions two steps ahead and more; of PLDS and BLDS under the filter's normal belief; of models whose
        distribution is not known, as generalised ones, those of a normal variable with these moments.

        Parameters
        ----------
        p : float, or array-like ``[n]``
            Above 0 and below 1.

        Returns
        -------
        ndarray ``[steps, D]``, or ``[n, steps, D]``
        """
        if np.ndim(p):
            return np.stack([self.quantile(each) for each in p]) if len(p) else np.empty((0, *self.mean.shape))
        p = real("p", p, 0.0)
        if not 0.0 < p < 1.0:
            raise SettingError(f"setting `p`: found {p!r}, expected a probability above 0 and below 1")
        if self._laws is not None:
            return self._laws.quantile(p)
        from statistics import NormalDist

        return self.mean + NormalDist().inv_cdf(p) * np.sqrt(self.variance)

    def interval(self, level=0.9) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper ends ``[steps, D]`` of the central intervals: the quantiles of (1 - level)/2 and (1 + level)/2."""
        if not 0.0 < real("level", level, 0.0) < 1.0:
            raise SettingError(f"setting `level`: found {level!r}, expected a probability between 0 and 1")
        return self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)

    def _repr_svg_(self):
        note = f"{len(self.mean)} steps ahead"
        if self.probabilities is not None:
            symbols = [f"symbol {i}" for i in range(self.probabilities.shape[1])]
            return _scotopic.beliefs_figure(self.probabilities, symbols, "Forecast", note)
        low, high = self.interval()
        return _drawn(self.mean, low, high, "Forecast", note, "y", "90 % interval")


@dataclass(frozen=True, repr=False)
class Filtered(_Short):
    """What a filter believed after each observation.

    Attributes
    ----------
    beliefs : ndarray ``[T, K]``
        Probabilities of a discrete state, means of another.
    covariances : ndarray ``[T, n, n]`` or None
    log_predictive : ndarray ``[T]``
        ln p(o_t | o_<t), or the change of the bound, nats.
    """

    beliefs: np.ndarray
    covariances: np.ndarray | None
    log_predictive: np.ndarray

    def _repr_svg_(self):
        note = f"{len(self.beliefs)} observations, {self.log_predictive.sum():.4f} nats"
        if self.covariances is None:
            return _scotopic.beliefs_figure(
                self.beliefs, _states(self.beliefs.shape[1]), "Filtered probabilities of the states", note
            )
        variances = np.einsum("tii->ti", self.covariances)
        return _bands(self.beliefs, variances, "Filtered beliefs about the state", note, "x")


def _bands(means, variances, title, note, name):
    halves = _NINETY * np.sqrt(np.maximum(variances, 0.0))
    return _drawn(means, means - halves, means + halves, title, note, name, "90 % credible band")


def _drawn(means, low, high, title, note, name, band):
    labels = [f"{name}{i}" for i in range(means.shape[1])] if isinstance(name, str) else name
    arrays = (np.ascontiguousarray(array) for array in (means, low, high))
    return _scotopic.bands_figure(*arrays, labels, title, note, band)
