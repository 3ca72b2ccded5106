"""Which estimator stands for a compiled model."""

from . import _scotopic

# By the kind of model in a file: a function of the compiled model. Each module of estimators enters its own.
_MAKERS = {}


def stands_for(kind, new):
    """Enters that ``new(compiled)`` is an estimator for compiled models of a kind, before it has their parameters."""
    _MAKERS[kind] = new


def estimator_of(compiled):
    """The estimator with the parameters of a compiled model; what has no estimator is returned as it is."""
    kind = None
    if isinstance(compiled, _scotopic.LinearGaussian):
        kind = "linear-gaussian"
    elif isinstance(compiled, _scotopic.DrivenGaussian):
        kind = "continuous" if compiled.is_continuous else "linear-gaussian"
    elif isinstance(compiled, _scotopic.Plds):
        kind = "plds"
    elif isinstance(compiled, _scotopic.Hmm):
        kind = compiled.emission[0]
    elif isinstance(compiled, _scotopic.DrivenHmm):
        kind = compiled.base.emission[0]
    new = _MAKERS.get(kind)
    return compiled if new is None else new(compiled)._take(compiled)
