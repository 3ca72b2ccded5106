"""Hidden Markov models whose observations depend on those before them (AR-HMM)."""

import numpy as np

from ._compiled import stands_for
from ._estimator import check_size, parameter
from ._hmm import HMM
from ._settings import whole
from .errors import SettingError

#: What the noise of a kind is called in a model file.
_NOISE = {"full": "covariances", "diag": "variances"}


class AutoregressiveHMM(HMM):
    """A hidden Markov model of series that depend on their past in a way that changes with the state: an AR-HMM.

    .. code-block:: text

        x_t | s_t = k  ~  N(intercept_[k] + sum_l coef_[k, l - 1] x_{t-l}, covars_[k]),   l = 1 ... p

    The likelihood is conditional: an observation of which a lag is missing, as of the first p, adds nothing to it and says
    nothing of the state. Of one that is missing in part, with all its lags there, the entries that are there count, exactly.

    Parameters
    ----------
    n_components : int
        States K.
    n_lags : int
        The order p: how many observations before it an observation depends on.
    covariance_type : {"full", "diag"}
        Whether noise may be correlated between entries. "diag" is fitted from parameters that are set (``init="parameters"``).

    The other parameters are those of :class:`CategoricalHMM`.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    intercept_ : ndarray ``[K, D]``, in the units of the data
    coef_ : ndarray ``[K, p, D, D]``
        ``coef_[k, l - 1, i, j]`` is what entry j of l observations ago adds to entry i in state k, per unit of it.
    covars_ : ndarray ``[K, D, D]`` or ``[K, D]`` (variances), in the units of the data squared

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> truth = scotopic.AutoregressiveHMM(2)
    >>> truth.startprob_, truth.transmat_ = [0.5, 0.5], [[0.98, 0.02], [0.02, 0.98]]
    >>> truth.intercept_, truth.coef_ = [[0.0], [0.0]], [[[[0.95]]], [[[-0.5]]]]
    >>> truth.covars_ = [[[0.1]], [[0.1]]]
    >>> x, states = truth.sample(1000, random_state=0)
    >>> model = scotopic.AutoregressiveHMM(2, random_state=0).fit(x)
    >>> bool(np.abs(np.sort(model.coef_.ravel()) - [-0.5, 0.95]).max() < 0.05)
    True
    >>> live = model.filter()
    >>> nats = [live.update(row) for row in x]
    >>> live.forecast(3).mean.shape
    (3, 1)
    """

    _KIND = "autoregression"

    def __init__(
        self,
        n_components=1,
        n_lags=1,
        covariance_type="full",
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
        super().__init__(
            n_components,
            n_init=n_init,
            n_iter=n_iter,
            tol=tol,
            pseudo_count=pseudo_count,
            init=init,
            method=method,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_lags = n_lags
        self.covariance_type = covariance_type

    intercept_ = parameter("intercept_", "Constants ``[K, D]``.")
    coef_ = parameter("coef_", "Coefficients of the lags, the newest first ``[K, p, D, D]``.")
    covars_ = parameter("covars_", "Covariances ``[K, D, D]`` or variances ``[K, D]`` of the noise.")

    def _fields(self):
        if not isinstance(self.covariance_type, str) or self.covariance_type not in _NOISE:
            raise SettingError(f"setting `covariance_type`: found {self.covariance_type!r}, expected 'full' or 'diag'")
        return {"intercept_": "intercepts", "coef_": "coefficients", "covars_": _NOISE[self.covariance_type]}

    _SHAPING = ("n_components", "n_lags", "covariance_type")

    def _compile(self, values):
        lags = np.shape(values["coef_"])[1] if np.ndim(values["coef_"]) > 1 else self.n_lags
        check_size("coef_", f"{lags} lags", "n_lags", f"{self.n_lags} lags")
        return super()._compile(values)

    def _lags(self):
        if self.init == "parameters":
            return np.shape(self.coef_)[1]
        self._fields()
        if self.covariance_type == "diag":
            raise SettingError(
                "setting `covariance_type`: found 'diag', expected 'full', or init='parameters': independent noise is "
                "fitted from parameters that are set"
            )
        return whole("n_lags", self.n_lags, 1)


def _standing(model):
    fields = model.emission[1]
    noise = "diag" if "variances" in fields else "full"
    return AutoregressiveHMM(model.n_components, fields["coefficients"].shape[1], noise)


stands_for("autoregression", _standing)
