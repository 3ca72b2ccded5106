"""Hidden Markov models of emissions that hmmlearn has not: answers, counts whose rate varies, numbers with heavy tails."""

from ._compiled import stands_for
from ._estimator import parameter
from ._hmm import HMM, exposed


class BernoulliHMM(HMM):
    """A hidden Markov model of columns of 0 or 1, independent given the state.

    Parameters are those of :class:`CategoricalHMM`.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    emissionprob_ : ndarray ``[K, D]``
        p(y_d = 1 | state).

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> answers = np.array([[0, 1], [0, 1], [0, 1], [1, 1], [1, 0], [1, 0], [1, 0], [1, 0]])
    >>> model = scotopic.BernoulliHMM(2, random_state=0, pseudo_count=0.1).fit(answers)
    >>> model.predict(answers)[[0, -1]].tolist() in ([0, 1], [1, 0])
    True
    """

    _KIND = "bernoulli"
    _FIELDS = {"emissionprob_": "probabilities"}
    _POSITIVE = True
    emissionprob_ = parameter("emissionprob_", "p(y_d = 1 | state) ``[K, D]``.")


class NegativeBinomialHMM(HMM):
    """A hidden Markov model of counts whose rate varies: y ~ Poisson(e λ), λ ~ Gamma of mean ``means_`` and shape ``shapes_``.

    The mean is e μ, the variance e μ + (e μ)²/r for the mean μ, the shape r and the exposure e (1 if there is none); as r
    grows it becomes :class:`PoissonHMM`. Parameters are those of :class:`CategoricalHMM`; ``fit``, ``score`` and all others
    take an ``exposure`` ``[T]``.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    means_ : ndarray ``[K, D]``
        Expected counts per unit of exposure.
    shapes_ : ndarray ``[K, D]``
    exposure_ : str or None
        The name of the exposure; set it where parameters are set by hand.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> counts = np.random.default_rng(0).negative_binomial(2.0, 0.2, size=2000)  # mean 8, shape 2
    >>> model = scotopic.NegativeBinomialHMM(1).fit(counts)
    >>> model.means_.round().tolist(), model.shapes_.round().tolist()
    ([[8.0]], [[2.0]])
    """

    _KIND = "negative-binomial"
    _FIELDS = {"means_": "means", "shapes_": "shapes"}
    _POSITIVE = True
    means_ = parameter("means_", "Means ``[K, D]``, counts per unit of exposure.")
    shapes_ = parameter("shapes_", "Shapes ``[K, D]``, above 0.")
    _HAS_EXPOSURE = True
    exposure_ = exposed()


class StudentTHMM(HMM):
    """A hidden Markov model of numbers with heavy tails, independent given the state: an outlier belongs to its state.

    Parameters are those of :class:`CategoricalHMM`.

    Attributes
    ----------
    startprob_ : ndarray ``[K]``
    transmat_ : ndarray ``[K, K]``
    locations_, scales_ : ndarray ``[K, D]``, in the units of the data
    freedoms_ : ndarray ``[K, D]``
        Degrees of freedom: 1 is Cauchy, and as they grow the law becomes normal.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> x = np.r_[np.zeros(80), np.full(80, 6.0)] + np.random.default_rng(0).standard_t(3, size=160)
    >>> x[40] = 60.0  # an outlier
    >>> model = scotopic.StudentTHMM(2, random_state=0).fit(x)
    >>> bool(abs(np.sort(model.locations_.ravel()) - [0, 6]).max() < 0.5)
    True
    """

    _KIND = "student-t"
    _FIELDS = {"locations_": "locations", "scales_": "scales", "freedoms_": "freedoms"}
    locations_ = parameter("locations_", "Locations ``[K, D]``.")
    scales_ = parameter("scales_", "Scales ``[K, D]``, above 0.")
    freedoms_ = parameter("freedoms_", "Degrees of freedom ``[K, D]``, above 0.")


stands_for("bernoulli", lambda model: BernoulliHMM(model.n_components))
stands_for("negative-binomial", lambda model: NegativeBinomialHMM(model.n_components))
stands_for("student-t", lambda model: StudentTHMM(model.n_components))
