"""Pixels as users have them, as arrays of the networks, and what those say of them."""

import contextlib
import re

import numpy as np

from . import _scotopic
from ._numbers import array_of
from .errors import DataError, FileError, ObservationError, ScotopicError, SettingError, SizeError


def pixels(images, standardised=False):
    """An array of float32 from an array, a list, or a tensor (by DLPack, or its own conversion).

    Whole numbers are levels, as in files: 65 535 is white of uint16, 1 of bool, 255 of all others, and white is 1.
    """
    images = array_of(images, "images")
    if _is_masked(images):
        raise DataError("images: found a masked array, expected all pixels: fill it first, images.filled(0)")
    try:
        array = np.asarray(images)
    except ValueError as error:
        raise SizeError(f"images: {error}") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"images: found an array of dtype {array.dtype}, expected real numbers")
    values = array.astype(np.float32, copy=False)
    if array.dtype.kind == "f":
        return values
    if standardised:
        raise SizeError(f"images: found an array of dtype {array.dtype}, expected floats, as after standardisation")
    return _scotopic.levels(np.ascontiguousarray(values).ravel(), array.dtype.str[1:]).reshape(array.shape)


def _is_masked(images):
    """Whether a mask hides something, of an array or of one in a list."""
    if isinstance(images, (list, tuple)):
        return any(_is_masked(image) for image in images if isinstance(image, (list, tuple, np.ma.MaskedArray)))
    return np.ma.is_masked(images)


@contextlib.contextmanager
def kinds_of_errors():
    """What the networks' half says of settings, images and files, as exceptions of their kinds: it has one for all of them."""
    try:
        yield
    except ScotopicError as error:
        if type(error) is not ScotopicError:
            raise
        raise _of_its_kind(str(error)) from None


def _of_its_kind(said):
    pixel = re.match(r"images: image (\d+), pixel (\d+): ", said)
    if pixel:
        error = ObservationError(said)
        error.index, error.entry = int(pixel[1]), int(pixel[2])
        return error
    if said.startswith("images: number of pixels:"):
        return SizeError(said)
    number = re.search(r"\(os error (\d+)\)", said)
    if number:
        error = FileError(said)
        error.errno = int(number[1])
        return error
    key = re.match(r"in --set ([^=]+)=", said)
    if key:
        # A key of the configuration, as an argument of a function is written.
        return SettingError(f"setting `{key[1].replace('.', '__')}`: {said[key.end() :].partition(': ')[2] or said}")
    if said.startswith("setting `"):
        return SettingError(said)
    return ScotopicError(said)
