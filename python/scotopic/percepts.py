"""What a network has learned and what it infers: arrays, which a notebook draws."""

from dataclasses import dataclass

import numpy as np

from . import _scotopic
from .errors import UnsupportedError
from .results import _Short


def compiled(name):
    """A class or function of the networks' half, which a small build leaves out."""
    try:
        return getattr(_scotopic, name)
    except AttributeError:
        raise UnsupportedError(
            "this build of the package has no spiking networks: build it with the cargo feature `vision`"
        ) from None


@dataclass(frozen=True, repr=False)
class Dictionary(_Short):
    """Atoms of a linear decoder.

    Attributes
    ----------
    atoms : ndarray ``[K, channels, height, width]``, pixel per spike
    """

    atoms: np.ndarray

    def _repr_svg_(self):
        flat = self.atoms.reshape(len(self.atoms), -1)
        order = np.argsort(-(flat**2).sum(axis=1), kind="stable")
        title = "Dictionary, largest norm first"
        return compiled("dictionary_figure")(np.ascontiguousarray(flat[order]), self.atoms.shape[1:], title)


@dataclass(frozen=True, repr=False)
class Inference(_Short):
    """What a network inferred.

    Attributes
    ----------
    samples : ndarray ``[T, n, K]``
        What drove each step: spikes, for Poisson latents.
    means : ndarray ``[n, K]``
        The posterior means at the end: rates, spikes per step.
    reconstruction, reconstruction_means : ndarray ``[n, M]``
        From one sample and from the means, at the end, on the standardised scale.
    unfolding : ndarray ``[moments, n, M]``
        The latter after the steps ``moments``.
    free_energy, negative_log_likelihood, kl : ndarray ``[T, n]``
        Nats.
    zeros : float
        The fraction of samples that are exactly 0.
    input : ndarray ``[n, M]``
        The last frame, on the standardised scale.
    """

    samples: np.ndarray
    means: np.ndarray
    reconstruction: np.ndarray
    reconstruction_means: np.ndarray
    unfolding: np.ndarray
    free_energy: np.ndarray
    negative_log_likelihood: np.ndarray
    kl: np.ndarray
    zeros: float
    moments: list
    shape: tuple
    input: np.ndarray

    def _repr_svg_(self):
        few = min(12, len(self.input))
        rows = [("input", self.input[:few])]
        rows += [(f"step {t}", frame[:few]) for t, frame in zip(self.moments, self.unfolding)]
        if not self.moments:
            rows += [("one sample", self.reconstruction[:few]), ("means", self.reconstruction_means[:few])]
        rows = [(label, np.ascontiguousarray(values)) for label, values in rows]
        return compiled("tiles_figure")(rows, self.shape, "Inputs and reconstructions")

    def raster(self, image=0):
        """The spikes that one image evokes, as SVG."""
        return compiled("raster_figure")(np.ascontiguousarray(self.samples[:, image]), f"Spikes in response to image {image}")
