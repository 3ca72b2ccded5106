"""Linear-Gaussian state-space models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _data, _scotopic
from ._compiled import stands_for
from ._estimator import check_size
from ._matrices import MatrixEstimator
from ._progress import watch
from ._settings import MOST_STATES, real, whole
from .errors import SettingError, UnsupportedError

if TYPE_CHECKING:
    from typing_extensions import Self


class LinearGaussian(MatrixEstimator):
    """A linear-Gaussian state-space model: the Kalman filter and smoother, and EM.

    .. code-block:: text

        x_1 ~ N(m0, P0),   x_t = F x_{t-1} + b + B u_t + N(0, Q),   y_t = H_t x_t + d + D u_t + N(0, R)

    Inputs u_t ``[M]`` are optional (eq. F100): with ``fit(X, inputs=U)``, or where ``control_``, ``direct_`` or
    ``regressors_`` are set, every method takes ``inputs`` ``[T, M]``. They may be missing nowhere; the first state has no
    u_1 in it. Such a model is fitted by a quasi-Newton method on the exact gradient of ln p (eq. F101), not by EM.

    Parameters
    ----------
    n_states : int
        n, the entries of the hidden state.
    n_iter : int
        At most so many iterations of EM; with inputs, quasi-Newton steps. A fit that ends there warns.
    tol : float
        EM stops when an iteration changes the log evidence by no more, in nats per observation.
    pseudo_count : float
        Transitions and observations added that the model before the step fits: a prior that keeps Q and R from
        shrinking to nothing on short sequences.
    diagonal : bool
        Whether Q, R and P0 stay diagonal; F and H too, where the whole model is diagonal to begin with.
    learned : list of str, optional
        What a fit changes: "transition", "bias", "process_noise", "control", "observation", "offset", "direct",
        "observation_noise", "initial" (m0 and P0); all of it otherwise.
    fixed : list of str, optional
        Entries of what is learned that stay as they are set, with ``init="parameters"``: "transition[0][1]" or "F[0][1]", counted
        from 0; of F, b, Q, H, d, R, m0, P0, B and D.
    tied : list of lists of str, optional
        Entries that are one number, and begin with their mean: of one parameter, or variances of Q, R and P0:
        ``[["R[0][0]", "R[1][1]"]]``. A variance can be fixed or tied where no covariance beside it is learned (``diagonal``, or the
        covariances fixed at 0). Such a fit goes by the quasi-Newton method.
    init : {"guess", "parameters"}
        Where a fit starts: from a guess out of the data, or from the parameters as they are set.
    verbose : bool
        A progress bar of EM, by tqdm if it is there; a model with inputs or with held entries has none.

    Attributes
    ----------
    transition_ : ndarray ``[n, n]``
        F.
    process_noise_ : ndarray ``[n, n]``
        Q.
    observation_ : ndarray ``[m, n]``
        H.
    observation_noise_ : ndarray ``[m, m]``
        R, in the units of the data squared.
    bias_, offset_ : ndarray ``[n]``, ``[m]``
        b and d; 0 unless set.
    initial_mean_, initial_covariance_ : ndarray ``[n]``, ``[n, n]``
        m0 and P0; 0 and the identity unless set.
    diffuse_ : ndarray ``[n]``
        1 for an entry of the first state of which nothing is known beforehand (exact diffuse start); 0 unless set.
    control_, direct_ : ndarray ``[n, M]``, ``[m, M]``
        B and D, per unit of the inputs; M is 0 without inputs.
    regressors_ : dict
        Entries of H that are inputs, (row, column) to the name of one: the state is then the coefficient of a regression,
        which walks where Q lets it.
    inputs_ : list of str
        Names of the inputs.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> y = np.sin(0.1 * np.arange(100)) + 0.1 * np.random.default_rng(0).normal(size=100)
    >>> y[40:45] = np.nan
    >>> model = scotopic.LinearGaussian(2, tol=1e-4).fit(y)
    >>> smoothed = model.smooth(y)
    >>> smoothed.means.shape, smoothed.covariances.shape
    ((100, 2), (100, 2, 2))
    >>> model.forecast(y, steps=3).mean.shape
    (3, 1)
    >>> price = np.cos(0.7 * np.arange(100))
    >>> driven = scotopic.LinearGaussian(1).fit(y + 3 * price, inputs=price)
    >>> bool(abs(driven.direct_[0, 0] - 3) < 0.3)
    True
    >>> driven.forecast(y + 3 * price, 2, inputs=price, future_inputs=[[0.5], [1.0]]).mean.shape
    (2, 1)
    """

    def __init__(
        self,
        n_states=1,
        *,
        n_iter=500,
        tol=1e-6,
        pseudo_count=0.0,
        diagonal=False,
        learned=None,
        fixed=None,
        tied=None,
        init="guess",
        verbose=False,
    ):
        self.n_states = n_states
        self.n_iter = n_iter
        self.tol = tol
        self.pseudo_count = pseudo_count
        self.diagonal = diagonal
        self.learned = learned
        self.fixed = fixed
        self.tied = tied
        self.init = init
        self.verbose = verbose

    @classmethod
    def of(
        cls,
        transition,
        process_noise,
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
        """A model with these parameters; ``inputs`` are names."""
        return cls._of(
            cls(len(transition)),
            (transition, process_noise, observation, observation_noise),
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

    @classmethod
    def local_level(cls, process_noise=1.0, observation_noise=1.0, initial_mean=0.0, initial_variance=1.0) -> Self:
        """A level that walks at random, observed with noise; variances in the units of the data squared."""
        return cls.of(
            [[1.0]],
            [[process_noise]],
            [[1.0]],
            [[observation_noise]],
            initial_mean=[initial_mean],
            initial_covariance=[[initial_variance]],
        )

    _SHAPING = ("n_states",)

    def _compile(self, values):
        n = values["transition_"].shape[-1] if values["transition_"].ndim else 1
        check_size("transition_", n, "n_states", self.n_states)
        return super()._compile(values)

    # ---- fitting

    def fit(self, X, y=None, lengths=None, callback=None, *, inputs=None) -> Self:
        """Fits the parameters to sequences by expectation maximisation, of a model with inputs or with held entries by a quasi-Newton
        method.

        Parameters
        ----------
        X : array-like ``[T, m]``, or a list of arrays ``[T_i, m]``
            Observations, rows. A row of NaN is a missing observation. A C-contiguous array of float64 is not copied.
        y : ignored
            For scikit-learn's interface.
        lengths : sequence of int, optional
            Rows of each sequence, where X is one array of several sequences one after the other.
        callback : callable, optional
            Called as ``callback(0, iteration, log_evidence)`` after each iteration of EM; what it raises ends the fit.
        inputs : array-like ``[T, M]``, or a list of arrays ``[T_i, M]``, optional
            Columns that are given with each observation, none missing; those of a DataFrame keep their names. From a guess
            B starts at 0 and D at least squares.

        Returns
        -------
        self
            With the parameters; ``history_`` (log evidence, nats: of EM before each iteration and at the end, without EM of
            the start and at the end), ``n_iter_``, ``converged_``, ``warnings_``.
        """
        n = whole("n_states", self.n_states, 1, MOST_STATES)
        if self.init not in ("guess", "parameters"):
            raise SettingError(f"setting `init`: found {self.init!r}, expected 'guess' or 'parameters'")
        held = self._held()
        if held[0] and self.init == "guess":
            raise SettingError(
                f"setting `fixed`: found {self.fixed!r}, expected none with init='guess', whose numbers are of the data: set the "
                "parameters, and init='parameters'"
            )
        if any(held) and callback is not None:
            raise SettingError("setting `callback`: found one, expected None with `fixed` or `tied`: there is no EM to follow")
        start = self._start(X, lengths, inputs) if self.init == "parameters" else None
        data = self._read_to_fit(X, lengths, y, inputs)
        count = data.given[0]
        if count:
            if callback is not None:
                raise SettingError("setting `callback`: found one, expected None with inputs: there is no EM to follow")
            if start is None:
                own = _data.input_names(inputs) or [f"x{i}" for i in range(1, 1 + count)]
                start = _scotopic.DrivenGaussian.guess(n, data, own)
            return self._climb(X, data, start)
        if start is None:
            start = _scotopic.LinearGaussian.guess(n, data)
        model, history, converged = _scotopic.fit_linear_gaussian(
            data,
            start,
            whole("n_iter", self.n_iter, 0),
            real("tol", self.tol, 0.0),
            real("pseudo_count", self.pseudo_count, 0.0),
            bool(self.diagonal),
            None if any(held) else watch(callback, self.verbose, self.n_iter),
            self._learned(),
            held,
        )
        self._take_climb(model, X, history, len(history) - 1, converged)
        return self

    def maximise(self, statistics, pseudo_count=None) -> Self:
        """The M-step: this model with the parameters that are best for expected statistics; the model itself."""
        self._refuse_inputs("a model with inputs is fitted by the gradient of ln p: it has no M-step")
        if any(self._held()):
            raise UnsupportedError("an M-step chooses whole matrices: it cannot hold `fixed` and `tied` entries; fit does")
        pseudo_count = self.pseudo_count if pseudo_count is None else pseudo_count
        pseudo_count = real("pseudo_count", pseudo_count, 0.0)
        return self._take(self._model.maximise(statistics, pseudo_count, bool(self.diagonal), self._learned()))


stands_for("linear-gaussian", lambda model: LinearGaussian(model.n_states))
