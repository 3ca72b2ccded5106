"""Models in files of the program."""

from . import _scotopic
from ._compiled import estimator_of


def parse(text):
    """The model that the text of a model file describes: an estimator, or the text where the kind has none."""
    return estimator_of(_scotopic.Filter(text).model)


def load(path):
    """The model in a file of the program ``scotopic`` (``scotopic fit --out``, ``model.save``); networks: ``Network.load``."""
    with open(path, encoding="utf-8") as file:
        return parse(file.read())
