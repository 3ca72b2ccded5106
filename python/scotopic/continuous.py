"""Linear-Gaussian models of continuous time, seen at any times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._compiled import stands_for
from ._estimator import parameter
from ._matrices import MatrixEstimator
from .errors import SettingError, UnsupportedError

if TYPE_CHECKING:
    from typing_extensions import Self


class ContinuousLinearGaussian(MatrixEstimator):
    """A linear-Gaussian model of continuous time whose observations come at any times (eq. F102).

    .. code-block:: text

        dx = (A x + b + B u) dt + dW,   Cov dW = Q_c dt,   y_k = H_k x(t_k) + d + D u_k + N(0, R)

    Every method takes ``inputs`` ``[T, M + 1]``, the last column of which is the time of each row, in any unit: the rates A,
    b, B and Q_c are per unit of it. The transition over each interval is exact, by matrix exponentials (eq. F103). Two rows
    may have the same time, none an earlier one than the row before. u holds over the interval that ends with its row.

    Parameters
    ----------
    n_iter : int
        At most so many quasi-Newton steps; a fit that ends there warns.
    pseudo_count : float
        Observations added that the model before the fit predicts.
    diagonal : bool
        Whether Q_c, R and P0 stay diagonal; A and H too, where the whole model is diagonal to begin with.
    learned : list of str, optional
        What a fit changes: "drift", "bias", "diffusion", "control", "observation", "offset", "direct",
        "observation_noise", "initial"; all of it otherwise.
    fixed, tied : list, optional
        Entries that stay as they are set, and lists of entries that are one number, as of :class:`LinearGaussian`: "drift[0][1]".
        Variances of the diffusion, per unit of time, are tied among themselves alone.

    Attributes
    ----------
    drift_ : ndarray ``[n, n]``
        A, per unit of time.
    diffusion_ : ndarray ``[n, n]``
        Q_c, variance per unit of time.
    observation_, observation_noise_ : ndarray ``[m, n]``, ``[m, m]``
        H and R.
    bias_, offset_ : ndarray ``[n]``, ``[m]``
        b, per unit of time, and d; 0 unless set.
    initial_mean_, initial_covariance_ : ndarray ``[n]``, ``[n, n]``
        Of the state at the first row; 0 and the identity unless set.
    diffuse_, control_, direct_, regressors_, inputs_
        As of :class:`LinearGaussian`; the last of ``inputs_`` is the time.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> model = scotopic.ContinuousLinearGaussian.of([[-0.5]], [[1.0]], [[1.0]], [[0.1]])  # Ornstein-Uhlenbeck
    >>> hours = np.sort(np.random.default_rng(0).uniform(0, 400, size=300))
    >>> y, states = model.sample(inputs=hours, random_state=0)
    >>> learner = scotopic.ContinuousLinearGaussian.of([[-2.0]], [[0.3]], [[1.0]], [[0.1]])
    >>> fitted = learner.set_params(learned=["drift", "diffusion"]).fit(y, inputs=hours)
    >>> bool(-0.8 < fitted.drift_[0, 0] < -0.3)
    True
    >>> fitted.forecast(y, 2, inputs=hours, future_inputs=[[401.0], [500.0]]).mean.shape
    (2, 1)
    """

    _PARAMETERS = ("drift_", "diffusion_", "observation_", "observation_noise_")
    _ALL = (*_PARAMETERS, *MatrixEstimator._ALL[4:])
    _HAS_INPUTS = True
    #: What the compiled half calls them.
    _COMPILED = {"drift": "transition", "diffusion": "process_noise"}

    drift_ = parameter("drift_", "A ``[n, n]``, per unit of time.")
    diffusion_ = parameter("diffusion_", "Q_c ``[n, n]``, variance per unit of time.")
    transition_ = process_noise_ = property(doc="Not there: they depend on the time between rows.")

    def __init__(self, *, n_iter=500, pseudo_count=0.0, diagonal=False, learned=None, fixed=None, tied=None):
        self.n_iter = n_iter
        self.pseudo_count = pseudo_count
        self.diagonal = diagonal
        self.learned = learned
        self.fixed = fixed
        self.tied = tied

    @classmethod
    def of(
        cls,
        drift,
        diffusion,
        observation,
        observation_noise,
        *,
        bias=None,
        offset=None,
        initial_mean=None,
        initial_covariance=None,
        diffuse=None,
        control=None,
        direct=None,
        regressors=None,
        inputs=None,
    ) -> Self:
        """A model with these parameters; ``inputs`` are names, the last that of the time."""
        return cls._of(
            cls(),
            (drift, diffusion, observation, observation_noise),
            bias=bias,
            offset=offset,
            initial_mean=initial_mean,
            initial_covariance=initial_covariance,
            diffuse=diffuse,
            control=control,
            direct=direct,
            regressors=regressors,
            inputs=inputs,
        )

    def _names_of_inputs(self, values):
        return list(self._inputs) or [*super()._names_of_inputs(values), "time"]

    def _split(self, names):
        return names[:-1], names[-1]

    def _learned(self):
        learned = super()._learned()
        if learned is None:
            return None
        for name in self._COMPILED.values():
            if name in learned:
                raise SettingError(f"setting `learned`: found {name!r}, expected 'drift' or 'diffusion' in place of it")
        return [self._COMPILED.get(name, name) for name in learned]

    def fit(self, X, y=None, lengths=None, *, inputs=None) -> Self:
        """Fits the parameters to sequences by maximum likelihood, from those that are set.

        Parameters
        ----------
        X : array-like ``[T, m]``, or a list of arrays ``[T_i, m]``
            Observations, rows; NaN are missing.
        y : ignored
            For scikit-learn's interface.
        lengths : sequence of int, optional
            Rows of each sequence, where X is one array of several sequences one after the other.
        inputs : array-like ``[T, M + 1]``, or a list of arrays
            Inputs, and last the time of each row.

        Returns
        -------
        self
            With the parameters; ``log_evidence_`` (nats), ``n_iter_``, ``converged_``, ``warnings_``.
        """
        start = self._start(X, lengths, inputs)
        return self._search(X, self._read_to_fit(X, lengths, y, inputs), start, inputs=start.inputs)

    def maximise(self, statistics):
        """Not there: the transition is another over every interval."""
        raise UnsupportedError("a model of continuous time has no M-step: fit it by the gradient of ln p")


stands_for("continuous", lambda model: ContinuousLinearGaussian())
