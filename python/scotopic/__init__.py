"""Perception as inference: state-space models that filter online, and spiking networks that see.

===========================================================  =====================================================
:class:`CategoricalHMM`, :class:`PoissonHMM`,                hidden Markov models, with scikit-learn's conventions
:class:`GaussianHMM`, :class:`BernoulliHMM`,
:class:`NegativeBinomialHMM`, :class:`StudentTHMM`
:class:`LogisticRegressionHMM`,                              the same given inputs: GLM-HMMs
:class:`PoissonRegressionHMM`, :class:`LinearRegressionHMM`
:class:`AutoregressiveHMM`                                   series that depend on their past: AR-HMMs
:class:`LinearGaussian`                                      the Kalman filter and smoother, and EM; with inputs
:class:`ContinuousLinearGaussian`                            the same of continuous time, seen at any times
:class:`PLDS`, :class:`BLDS`                                 latents that drive counts or spikes of many neurons
:class:`StructuralModel`                                     level, slope, seasons, cycles, ARMA that add up
:class:`Nonlinear`, :class:`Generalised`                     models whose equations are Python functions
:class:`Filter`                                              one observation at a time, fixed or learning
:class:`Network`, :func:`train`, :func:`data_set`            spiking networks that see, where they are compiled in
:func:`compare`                                              factorisations of the posterior beside each other
:class:`Observations`                                        data that were checked once, for use several times
:func:`load`                                                 a model in a file of the program ``scotopic``
:mod:`scotopic.errors`                                       exceptions
===========================================================  =====================================================

All logarithms are natural: evidence, bounds and scores are in nats.
"""

import sys

if sys.version_info < (3, 11):
    # Later versions refuse by themselves: the compiled half serves one interpreter of a process.
    import _xxsubinterpreters as _interpreters

    if _interpreters.get_current() != _interpreters.get_main():
        raise ImportError("scotopic does not support sub-interpreters")

from . import errors
from ._data import observations
from ._estimator import Observations
from ._scotopic import GaussianStatistics, HmmStatistics, PldsStatistics, __version__
from .autoregressions import AutoregressiveHMM
from .checks import Residuals, Summary
from .comparison import compare
from .continuous import ContinuousLinearGaussian
from .emissions import BernoulliHMM, NegativeBinomialHMM, StudentTHMM
from .equations import Generalised, Nonlinear
from .errors import ScotopicError
from .hmm import CategoricalHMM, GaussianHMM, PoissonHMM
from .linear_gaussian import LinearGaussian
from .models import load, parse
from .percepts import Dictionary, Inference
from .plds import BLDS, PLDS
from .regressions import LinearRegressionHMM, LogisticRegressionHMM, PoissonRegressionHMM
from .results import Beliefs, Filtered, Forecast, Gradient, Posterior
from .streaming import Filter
from .structural import Decomposition, StructuralModel
from .vision import Network, data_set, train

__all__ = [
    "AutoregressiveHMM",
    "BLDS",
    "Beliefs",
    "BernoulliHMM",
    "CategoricalHMM",
    "ContinuousLinearGaussian",
    "Decomposition",
    "Dictionary",
    "Filter",
    "Filtered",
    "Forecast",
    "GaussianHMM",
    "GaussianStatistics",
    "Generalised",
    "Gradient",
    "HmmStatistics",
    "Inference",
    "LinearGaussian",
    "LinearRegressionHMM",
    "LogisticRegressionHMM",
    "NegativeBinomialHMM",
    "Network",
    "Nonlinear",
    "Observations",
    "PLDS",
    "PldsStatistics",
    "PoissonHMM",
    "PoissonRegressionHMM",
    "Posterior",
    "Residuals",
    "ScotopicError",
    "StructuralModel",
    "StudentTHMM",
    "Summary",
    "__version__",
    "compare",
    "data_set",
    "errors",
    "load",
    "observations",
    "parse",
    "train",
]
