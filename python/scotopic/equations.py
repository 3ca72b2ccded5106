"""Models whose equations are Python functions."""

from __future__ import annotations

import numpy as np

from . import _data, _scotopic
from ._configured import Configured
from ._estimator import refuse_y
from ._settings import real, whole
from .errors import ParameterError, SettingError, SizeError
from .streaming import Filter


def _vector(name, values, entries=None):
    """An array ``[n]`` of finite numbers; a number alone is an array of one."""
    array = np.atleast_1d(_data.numbers(values, name))
    if array.ndim != 1 or entries is not None and len(array) != entries:
        expected = "[n]" if entries is None else f"[{entries}]"
        raise SizeError(f"{name}: found an array of shape {list(array.shape)}, expected {expected}")
    _finite(name, array)
    return np.ascontiguousarray(array)


def _covariance(name, values, n=None):
    """A symmetric array ``[n, n]`` of finite numbers; a number alone is one of one row."""
    array = np.atleast_2d(_data.numbers(values, name))
    if array.ndim != 2 or array.shape[0] != array.shape[1] or n is not None and len(array) != n:
        expected = "[n, n]" if n is None else f"[{n}, {n}]"
        raise SizeError(f"{name}: found an array of shape {list(array.shape)}, expected {expected}")
    _finite(name, array)
    for i, j in np.argwhere(array != array.T):
        if i > j:
            found, expected = array[i, j], array[j, i]
            raise ParameterError(f"{name}[{i}][{j}]: found {found:g}, expected {expected:g}: a covariance is symmetric")
    return np.ascontiguousarray(array)


def _finite(name, array):
    for at in np.argwhere(~np.isfinite(array)):
        place = "".join(f"[{i}]" for i in at)
        raise ParameterError(f"{name}{place}: found {array[tuple(at)]}, expected a finite number")


def _function(name, value, arguments):
    if not callable(value):
        raise SettingError(f"setting `{name}`: found {value!r}, expected a function {name}({arguments})")
    return value


class _Equations(Configured):
    """A model of Python functions: settings that are checked when they are given and when a filter is made, and a score."""

    def _score(self, X, y, lengths, *asked):
        """The sum over all series of what their filters have at the end."""
        parts = _data.sequences(X, lengths)
        refuse_y(y, sum(map(len, parts)))
        total = 0.0
        for part in parts:
            live = self.filter(*asked)
            live.extend(part)
            total += live.elbo
        return total


class Nonlinear(_Equations):
    """A state-space model in discrete time with additive Gaussian noise and any likelihood.

    .. code-block:: text

        x_1 ~ N(m0, P0),   x_t = f(x_{t-1}) + N(0, Q),   y_t ~ g(. | x_t)

    Slopes are central differences: a few dozen calls an observation. Where that is too slow, write the model in Rust.
    Nothing is fitted: functions have no parameters that are known here, and there are no forecasts, as a likelihood does not
    say what an observation is like on average. Filters cannot be copied.

    Parameters
    ----------
    f : callable
        ``f(x)`` for x ``[n]``: the mean ``[n]`` of the next state.
    log_likelihood : callable
        ``log_likelihood(y, x)`` for y ``[m]``, x ``[n]``: ln g(y | x), nats.
    process_noise : array-like ``[n, n]``
        Q.
    n_features : int
        m, the entries of an observation.
    initial_mean, initial_covariance : array-like ``[n]``, ``[n, n]``, optional
        m0 and P0; 0 and the identity otherwise.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> pendulum = scotopic.Nonlinear(
    ...     lambda x: [x[0] + 0.1 * x[1], x[1] - 0.1 * np.sin(x[0])],
    ...     lambda y, x: -0.5 * (y[0] - np.sin(x[0])) ** 2 / 0.01,
    ...     process_noise=[[1e-4, 0], [0, 1e-3]],
    ... )
    >>> angle = pendulum.filter()
    >>> nats = angle.update(0.5)
    >>> bool(abs(np.sin(angle.belief[0]) - 0.5) < 0.1)
    True
    """

    def __init__(self, f, log_likelihood, process_noise, *, n_features=1, initial_mean=None, initial_covariance=None):
        self.f = f
        self.log_likelihood = log_likelihood
        self.process_noise = process_noise
        self.n_features = n_features
        self.initial_mean = initial_mean
        self.initial_covariance = initial_covariance
        self._checked()

    def _checked(self):
        """The arguments of the compiled half."""
        noise = _covariance("process_noise", self.process_noise)
        n, mean, covariance = len(noise), self.initial_mean, self.initial_covariance
        return (
            _function("f", self.f, "x"),
            _function("log_likelihood", self.log_likelihood, "y, x"),
            whole("n_features", self.n_features, 1, 1_000_000),
            noise,
            np.zeros(n) if mean is None else _vector("initial_mean", mean, n),
            np.eye(n) if covariance is None else _covariance("initial_covariance", covariance, n),
        )

    def _equation(self, factorisation):
        return _scotopic.Equation.nonlinear(*self._checked(), factorisation)

    def filter(self, factorisation="reversed") -> Filter:
        """A filter that has seen nothing, by a bound: "reversed", "jelbo" or "vjf".

        Returns
        -------
        Filter
            An exception that a function raises comes out of ``update``, which then leaves the filter as it was.
        """
        return Filter(self, factorisation)

    def score(self, X, y=None, lengths=None, *, factorisation="reversed") -> float:
        """The filter's bound of ln p(X), nats: the sum over all series. ln p(X) itself where the model is linear and Gaussian.

        Parameters
        ----------
        X : array-like ``[T, m]``, or a list of arrays
        y : ignored
        lengths : sequence of int, optional
        factorisation : str
            As of ``filter``.
        """
        return self._score(X, y, lengths, factorisation)


class Generalised(_Equations):
    """A state-space model in continuous time with smooth noise, filtered in generalised coordinates of motion.

    .. code-block:: text

        x' = f(x, v, theta) + w,   y = g(x, v, theta) + z

    f and g are differentiated exactly: where derivatives are needed they are called with arrays of numbers that carry
    derivatives along, which arithmetic and ``np.sin``, ``cos``, ``exp``, ``log``, ``tanh``, ``sqrt`` work on.

    Parameters
    ----------
    f, g : callable
        ``f(x, v, theta)``: the flow ``[n]``, per bin; ``g(x, v, theta)``: the output ``[m]``. x ``[n]``, v
        ``[causes]``, theta ``[P]`` are arrays.
    start : array-like ``[n]``
        The states at the first bin.
    n_features : int
        m, the outputs.
    causes : int
        Entries of v.
    theta : array-like ``[P]``
        Known parameters.
    output_precision, motion_precision, cause_precision : float
        Inverse variances of z, w and v.
    start_variance : float
        The variance of every state at the first bin; 0 for a start that is known.
    order : int
        The highest derivative of the noise that is kept.
    smoothness : float
        s, in bins: the noise has the autocorrelation exp(-h**2 / 4 s**2); 0 for white noise.
    lag : int
        How many bins the belief lies behind the newest observation.

    Examples
    --------
    >>> import numpy as np, scotopic
    >>> pendulum = scotopic.Generalised(
    ...     lambda x, v, theta: [x[1], -theta[0] * np.sin(x[0])],
    ...     lambda x, v, theta: x[0],
    ...     start=[1.0, 0.0], theta=[0.04], output_precision=100.0, motion_precision=1e4,
    ... )
    >>> angle = pendulum.filter()
    >>> nats = angle.update(0.98)
    >>> bool(abs(angle.belief[0] - 0.98) < 0.05)
    True
    """

    def __init__(
        self,
        f,
        g,
        start,
        *,
        n_features=1,
        causes=0,
        theta=(),
        output_precision=1.0,
        motion_precision=1.0,
        cause_precision=1.0,
        start_variance=0.0,
        order=6,
        smoothness=0.5,
        lag=0,
    ):
        self.f = f
        self.g = g
        self.start = start
        self.n_features = n_features
        self.causes = causes
        self.theta = theta
        self.output_precision = output_precision
        self.motion_precision = motion_precision
        self.cause_precision = cause_precision
        self.start_variance = start_variance
        self.order = order
        self.smoothness = smoothness
        self.lag = lag
        self._equation("reversed")

    def _checked(self):
        """The arguments of the compiled half."""
        causes = whole("causes", self.causes, 0, 1000)
        return (
            _function("f", self.f, "x, v, theta"),
            _function("g", self.g, "x, v, theta"),
            causes,
            whole("n_features", self.n_features, 1, 1000),
            [] if np.size(self.theta) == 0 else _vector("theta", self.theta).tolist(),
            [self._precision(of) for of in ("output", "motion", "cause")],
            _vector("start", self.start).tolist(),
            real("start_variance", self.start_variance, 0.0),
            whole("order", self.order, 0),
            real("smoothness", self.smoothness, 0.0),
            whole("lag", self.lag, 0),
        )

    def _precision(self, of):
        name = f"{of}_precision"
        value = real(name, getattr(self, name), 0.0)
        if value == 0.0:
            raise SettingError(f"setting `{name}`: found {getattr(self, name)!r}, expected a number above 0, an inverse variance")
        return value

    def _equation(self, factorisation):
        if factorisation != "reversed":
            raise SettingError(
                f"setting `factorisation`: found {factorisation!r}, expected 'reversed': a generalised filter has one posterior"
            )
        checked = self._checked()
        try:
            return _scotopic.Equation.generalised(*checked)
        except SettingError as error:
            # The embedding of a model file has the two settings.
            said = str(error).replace("`embedding.states`", "`order`").replace("`embedding.smoothness`", "`smoothness`")
            raise SettingError(said) from None

    def filter(self) -> Filter:
        """A filter that has seen nothing; see :meth:`Nonlinear.filter`."""
        return Filter(self)

    def score(self, X, y=None, lengths=None) -> float:
        """The sum of ln p(y_t | y_<t) of the causal filter, nats, over all series: the evidence of the samples.

        Parameters
        ----------
        X : array-like ``[T, m]``, or a list of arrays
        y : ignored
        lengths : sequence of int, optional
        """
        return self._score(X, y, lengths)
