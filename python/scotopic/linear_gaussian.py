"""Linear-Gaussian state-space models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _data, _scotopic
from ._compiled import stands_for
from ._estimator import check_size
from ._matrices import MatrixEstimator
from ._progress import watch
from ._settings import MOST_RUNS, MOST_STATES, real, whole
from .errors import SettingError, UnsupportedError

if TYPE_CHECKING:
    from typing_extensions import Self


class LinearGaussian(MatrixEstimator):
    """A linear-Gaussian state-space model: the Kalman filter and smoother, and EM.

    .. code-block:: text

        x_1 ~ N(m0, P0),   x_t = F x_{t-1} + b + B u_t + N(0, Q),   y_t = H_t x_t + d + D u_t + N(0, R)

    Inputs u_t ``[M]`` are optional (eq. F100): with ``fit(X, inputs=U)``, or where ``control_``, ``direct_`` or
    ``regressors_`` are set, every method takes ``inputs`` ``[T, M]``. They may be missing nowhere; the first state has no
    u_1 in it. The exact gradient of ln p that fits climb along is eq. F52, with inputs F101.

    Parameters
    ----------
    n_states : int
        n, the entries of the hidden state.
    n_init : int
        Starts of a search: a guess from the data, and random models. The best three of short runs are pursued to the end.
    n_iter : int
        At most so many steps of a run, or iterations of EM. A fit that ends there warns.
    tol : float, optional
        EM stops when an iteration changes the log evidence by no more, in nats per observation (1e-6). A search ends where
        the gradient vanishes.
    pseudo_count : float
        Transitions and observations added that the model before the step fits: a prior that keeps Q and R from
        shrinking to nothing on short sequences. A search whose noise R collapses takes 0.01, and warns.
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
        covariances fixed at 0). EM has no such M-step.
    init : {"guess", "parameters"}
        Where a fit starts: from guesses out of the data, or from the parameters as they are set.
    method : {"search", "em"}
        Many starts and a quasi-Newton ascent of the exact gradient, or expectation maximisation from one.
    n_jobs : int, optional
        Threads of a search; -1 is one a core. The result is the same, bit for bit.
    random_state : int, numpy.random.Generator or RandomState, optional
    verbose : bool
        A progress bar of EM, by tqdm if it is there.

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
    >>> model = scotopic.LinearGaussian(2, random_state=0).fit(y)
    >>> smoothed = model.smooth(y)
    >>> smoothed.means.shape, smoothed.covariances.shape
    ((100, 2), (100, 2, 2))
    >>> model.forecast(y, steps=3).mean.shape
    (3, 1)
    >>> price = np.cos(0.7 * np.arange(100))
    >>> driven = scotopic.LinearGaussian(1, random_state=0).fit(y + 3 * price, inputs=price)
    >>> bool(abs(driven.direct_[0, 0] - 3) < 0.3)
    True
    >>> driven.forecast(y + 3 * price, 2, inputs=price, future_inputs=[[0.5], [1.0]]).mean.shape
    (2, 1)
    """

    def __init__(
        self,
        n_states=1,
        *,
        n_init=10,
        n_iter=500,
        tol=None,
        pseudo_count=0.0,
        diagonal=False,
        learned=None,
        fixed=None,
        tied=None,
        init="guess",
        method="search",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.n_states = n_states
        self.n_init = n_init
        self.n_iter = n_iter
        self.tol = tol
        self.pseudo_count = pseudo_count
        self.diagonal = diagonal
        self.learned = learned
        self.fixed = fixed
        self.tied = tied
        self.init = init
        self.method = method
        self.n_jobs = n_jobs
        self.random_state = random_state
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
        """Fits the parameters to sequences by maximum likelihood.

        Parameters
        ----------
        X : array-like ``[T, m]``, or a list of arrays ``[T_i, m]``
            Observations, rows. A row of NaN is a missing observation. A C-contiguous array of float64 is not copied.
        y : ignored
            For scikit-learn's interface.
        lengths : sequence of int, optional
            Rows of each sequence, where X is one array of several sequences one after the other.
        callback : callable, optional
            With ``method="em"``: called as ``callback(0, iteration, log_evidence)`` after each iteration; what it raises ends
            the fit.
        inputs : array-like ``[T, M]``, or a list of arrays ``[T_i, M]``, optional
            Columns that are given with each observation, none missing; those of a DataFrame keep their names. From a guess
            B starts at 0 and D at least squares.

        Returns
        -------
        self
            With the parameters; ``log_evidence_`` (nats), ``n_iter_``, ``converged_``, ``warnings_``; of a search among
            starts ``found_by_`` (how many runs, of those pursued, reached this maximum), of a search ``pseudo_count_``; of EM
            ``history_`` (log evidence, nats, before each iteration and at the end).
        """
        n, runs = whole("n_states", self.n_states, 1, MOST_STATES), whole("n_init", self.n_init, 1, MOST_RUNS)
        for name, known in (("init", ("guess", "parameters")), ("method", ("search", "em"))):
            if getattr(self, name) not in known:
                expected = " or ".join(map(repr, known))
                raise SettingError(f"setting `{name}`: found {getattr(self, name)!r}, expected {expected}")
        held = self._held()
        if held[0] and self.init == "guess":
            raise SettingError(
                f"setting `fixed`: found {self.fixed!r}, expected none with init='guess', whose numbers are of the data: set the "
                "parameters, and init='parameters'"
            )
        start = self._start(X, lengths, inputs) if self.init == "parameters" else None
        data = self._read_to_fit(X, lengths, y, inputs)
        if self.method == "em":
            return self._climb(X, data, start, callback, held)
        if callback is not None:
            raise SettingError("setting `callback`: found one, expected None unless method='em': runs are side by side")
        seed, names = _data.seed_of(self.random_state) if start is None else 0, None
        if start is not None:
            names = list(start.inputs) if isinstance(start, _scotopic.DrivenGaussian) else None
        elif data.given[0]:
            names = _data.input_names(inputs) or [f"x{i}" for i in range(1, 1 + data.given[0])]
        return self._search(X, data, start, states=n, runs=runs, seed=seed, inputs=names)

    def _climb(self, X, data, start, callback, held):
        """EM from ``start``, or from a guess."""
        for said, has in (("with inputs", data.given[0]), ("with `fixed` or `tied`", any(held))):
            if has:
                raise SettingError(f"setting `method`: found 'em', expected 'search' {said}: there is no such M-step")
        model, history, converged = _scotopic.fit_linear_gaussian(
            data,
            _scotopic.LinearGaussian.guess(self.n_states, data) if start is None else start,
            whole("n_iter", self.n_iter, 0),
            real("tol", 1e-6 if self.tol is None else self.tol, 0.0),
            real("pseudo_count", self.pseudo_count, 0.0),
            bool(self.diagonal),
            watch(callback, self.verbose, self.n_iter),
            self._learned(),
        )
        self._take_climb(model, X, history, len(history) - 1, converged)
        self.log_evidence_ = history[-1]
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
