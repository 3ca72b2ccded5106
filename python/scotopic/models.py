"""Estimators of compiled models, and models in files of the program."""

from . import _scotopic
from .hmm import CategoricalHMM, GaussianHMM, PoissonHMM
from .linear_gaussian import LinearGaussian


def estimator_of(compiled):
    """The estimator with the parameters of a compiled model; what has no estimator is returned as it is."""
    if isinstance(compiled, _scotopic.LinearGaussian):
        return LinearGaussian(compiled.n_states)._take(compiled)
    if not isinstance(compiled, _scotopic.Hmm):
        return compiled
    k = compiled.n_components
    made = {
        "categorical": lambda: CategoricalHMM(k),
        "poisson": lambda: PoissonHMM(k),
        "diagonal-gaussian": lambda: GaussianHMM(k, "diag"),
        "full-gaussian": lambda: GaussianHMM(k, "full"),
    }
    kind = compiled.emission[0]
    return made[kind]()._take(compiled) if kind in made else compiled


def parse(text):
    """The model that the text of a model file describes: an estimator, or the text where the kind has none."""
    return estimator_of(_scotopic.Filter(text).model)


def load(path):
    """The model in a file of the program ``scotopic`` (``scotopic fit --save``, ``model.save``)."""
    with open(path, encoding="utf-8") as file:
        return parse(file.read())
