"""Hidden Markov models whose observations depend on inputs: a generalised linear model in each state (GLM-HMM)."""

from ._compiled import stands_for
from ._estimator import parameter
from ._hmm import HMM, exposed
from .errors import SizeError


class _Regression(HMM):
    """One output an observation, and weights of a constant and of M inputs in each state."""

    _FIELDS = {"weights_": "weights"}
    _HAS_INPUTS = True
    weights_ = parameter("weights_", "Weights ``[K, 1 + M]`` of the linear predictor, the constant first.")

    @property
    def inputs_(self):
        """The names of the inputs; x1, x2, ... where they have none."""
        return list(self._inputs) or [f"x{i}" for i in range(1, self.weights_.shape[1])]

    @inputs_.setter
    def inputs_(self, names):
        self._inputs = [str(name) for name in names]
        self.__dict__.pop("_compiled", None)

    @property
    def intercept_(self):
        """The constant of each state ``[K]``: the first column of ``weights_``."""
        return self.weights_[:, 0]

    @property
    def coef_(self):
        """The weights of the inputs ``[K, M]``: the other columns of ``weights_``."""
        return self.weights_[:, 1:]

    def _given_fields(self, values):
        weights = values["weights_"]
        if weights.ndim != 2 or weights.shape[1] == 0:
            raise SizeError(f"weights_: found an array of shape {list(weights.shape)}, expected [K, 1 + M]")
        return {"inputs": self.inputs_, **super()._given_fields(values)}


class LogisticRegressionHMM(_Regression):
    """A hidden Markov model of choices 0 or 1 given inputs: the GLM-HMM of perceptual decisions.

    .. code-block:: text

        p(y_t = 1 | s, x_t) = 1 / (1 + exp(-eta)),   eta = weights_[s, 0] + sum_m weights_[s, 1 + m] x_tm

    Parameters are those of :class:`CategoricalHMM`. ``fit``, ``score``, ``predict`` and all others take ``inputs``
    ``[T, M]``.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    weights_ : ndarray ``[K, 1 + M]``
        The constant first, then one for each input, per unit of it; ``intercept_`` ``[K]`` and ``coef_`` ``[K, M]`` are
        its parts.
    inputs_ : list of str

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> truth = scotopic.LogisticRegressionHMM(2)
    >>> truth.startprob_, truth.transmat_ = [0.5, 0.5], [[0.97, 0.03], [0.03, 0.97]]
    >>> truth.weights_ = [[0.0, 5.0], [2.0, 0.0]]  # engaged; biased
    >>> contrast = np.random.default_rng(0).uniform(-1, 1, size=(2000, 1))
    >>> choices, states = truth.sample(inputs=contrast, random_state=0)
    >>> model = scotopic.LogisticRegressionHMM(2, random_state=0).fit(choices, inputs=contrast)
    >>> sorted(model.coef_.ravel().round().tolist())
    [0.0, 5.0]
    >>> live = model.filter()
    >>> nats = live.update(1.0, inputs=[0.3])
    >>> live.forecast(2, inputs=[[0.5], [-0.5]]).mean.shape  # probabilities of the choice 1
    (2, 1)
    """

    _KIND = "logistic-regression"


class PoissonRegressionHMM(_Regression):
    """A hidden Markov model of counts given inputs, and an exposure if there is one.

    .. code-block:: text

        y_t ~ Poisson(e_t exp(eta)),   eta = weights_[s, 0] + sum_m weights_[s, 1 + m] x_tm

    Parameters are those of :class:`CategoricalHMM`. ``fit``, ``score``, ``predict`` and all others take ``inputs``
    ``[T, M]`` and ``exposure`` ``[T]``.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    weights_ : ndarray ``[K, 1 + M]``
        Of the logarithm of the rate per unit of exposure, the constant first; ``intercept_`` ``[K]`` and ``coef_``
        ``[K, M]`` are its parts.
    inputs_ : list of str
    exposure_ : str or None
        The name of the exposure; set it where parameters are set by hand.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> rng = np.random.default_rng(0)
    >>> x, seconds = rng.normal(size=(300, 1)), rng.uniform(0.5, 2.0, size=300)
    >>> spikes = rng.poisson(seconds * np.exp(1.0 + 0.5 * x[:, 0]))
    >>> model = scotopic.PoissonRegressionHMM(1).fit(spikes, inputs=x, exposure=seconds)
    >>> bool(abs(model.coef_[0, 0] - 0.5) < 0.1)
    True
    """

    _KIND = "poisson-regression"
    _POSITIVE = True
    _HAS_EXPOSURE = True
    exposure_ = exposed()


class LinearRegressionHMM(_Regression):
    """A hidden Markov model of numbers given inputs: switching regressions.

    .. code-block:: text

        y_t ~ N(eta, variances_[s]),   eta = weights_[s, 0] + sum_m weights_[s, 1 + m] x_tm

    Parameters are those of :class:`CategoricalHMM`. ``fit``, ``score``, ``predict`` and all others take ``inputs``
    ``[T, M]``.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    weights_ : ndarray ``[K, 1 + M]``
        The constant first, in the units of the data, then one for each input, per unit of it; ``intercept_`` ``[K]`` and
        ``coef_`` ``[K, M]`` are its parts.
    variances_ : ndarray ``[K]``, in the units of the data squared
    inputs_ : list of str

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 1))
    >>> y = np.where(np.arange(200) < 100, 2.0, -2.0) * x[:, 0] + 0.1 * rng.normal(size=200)
    >>> model = scotopic.LinearRegressionHMM(2, random_state=0).fit(y, inputs=x)
    >>> sorted(model.coef_.ravel().round().tolist())
    [-2.0, 2.0]
    """

    _KIND = "linear-regression"
    _FIELDS = {"weights_": "weights", "variances_": "variances"}
    variances_ = parameter("variances_", "Variances ``[K]`` about the regression.")


stands_for("logistic-regression", lambda model: LogisticRegressionHMM(model.n_components))
stands_for("poisson-regression", lambda model: PoissonRegressionHMM(model.n_components))
stands_for("linear-regression", lambda model: LinearRegressionHMM(model.n_components))
