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
        return _bands(self.means, self.variances, self.title, f"{self.elbo:.4f} nats", "x", None)


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
        What it is taken by, so that a step leaves the parameter what it has to be: "value"; "log" of what is above 0;
        "logit" of probabilities, of a distribution ln p up to a constant, of an event ln(p / (1 - p)).
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
    """

    mean: np.ndarray
    variance: np.ndarray
    probabilities: np.ndarray = None

    def interval(self, level=0.9) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper ends ``[steps, D]`` of the central intervals of normal variables with these moments."""
        from statistics import NormalDist

        if not 0.0 < real("level", level, 0.0) < 1.0:
            raise SettingError(f"setting `level`: found {level!r}, expected a probability between 0 and 1")
        half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(self.variance)
        return self.mean - half, self.mean + half

    def _repr_svg_(self):
        return _bands(self.mean, self.variance, "Forecast", f"{len(self.mean)} steps ahead", "y", None)


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
    covariances: np.ndarray
    log_predictive: np.ndarray

    def _repr_svg_(self):
        note = f"{len(self.beliefs)} observations, {self.log_predictive.sum():.4f} nats"
        if self.covariances is None:
            return _scotopic.beliefs_figure(
                self.beliefs, _states(self.beliefs.shape[1]), "Filtered probabilities of the states", note
            )
        variances = np.einsum("tii->ti", self.covariances)
        return _bands(self.beliefs, variances, "Filtered beliefs about the state", note, "x", None)


def _bands(means, variances, title, note, name, observed):
    halves = _NINETY * np.sqrt(np.maximum(variances, 0.0))
    labels = [f"{name}{i}" for i in range(means.shape[1])] if isinstance(name, str) else name
    return _scotopic.bands_figure(
        np.ascontiguousarray(means), halves, labels, title, note, "90 % credible band", observed
    )
