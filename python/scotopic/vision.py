"""Spiking networks that see, and their relatives: the iterative Poisson VAE, other latents, other ways to infer."""

import errno
import json
import os
import tempfile

import numpy as np

from ._numbers import array_of
from ._pixels import kinds_of_errors, pixels
from ._settings import whole
from .errors import SettingError, SizeError
from .percepts import Dictionary, Inference, compiled


class Network:
    """A trained network: made by :meth:`load` or :func:`train`.

    Images are arrays or tensors ``[n, pixels]``, ``[n, height, width]`` or ``[n, channels, height, width]``, with pixels as
    in the training data before their standardisation (``standardised=True`` for those after it).

    Examples
    --------
    >>> import scotopic
    >>> network = scotopic.train("smoke", train__iterations=20, data__train=160, data__validation=40, model__latents=16)
    >>> images = scotopic.data_set("smoke", data__train=160, data__validation=40)["validation"]
    >>> seen = network.infer(images[:5], steps=8, standardised=True)
    >>> seen.samples.shape, seen.means.shape, seen.free_energy.shape
    ((8, 5, 16), (5, 16), (8, 5))
    """

    def __init__(self, network, history=None):
        self._network = network
        self.history = history or {}

    @classmethod
    def load(cls, path, *, device="flex", preset=None, size=None):
        """The network in a run folder, a folder with a released checkpoint, a ``.safetensors`` file, or a published ``.pt``.

        Parameters
        ----------
        path : path-like
        device : str
            ``flex`` (CPU), or another that was compiled in.
        preset : str, optional
            Of a ``.pt`` file: the configuration that it was trained with; the published one of its family otherwise.
        size : (int, int), optional
            Of a ``.pt`` file: height and width of the images; square otherwise.
        """
        path = os.fspath(path)
        network = compiled("Network")
        if not os.path.exists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if path.endswith((".pt", ".pth")):
            with kinds_of_errors():
                return cls(network.import_published(path, preset, size, device))
        if preset is not None or size is not None:
            raise SettingError("settings `preset` and `size`: found some, expected None: this checkpoint says them itself")
        with kinds_of_errors():
            return cls(network.load(path, device))

    def save(self, path):
        """Writes weights and configuration to a ``.safetensors`` file, which :meth:`load` and the program read."""
        path = os.fspath(path)
        if not path.endswith(".safetensors"):
            raise SettingError(f"setting `path`: found {path!r}, expected a name that ends with .safetensors")
        with kinds_of_errors():
            self._network.save(path)

    # ---- what it is

    @property
    def latents(self):
        """K, the neurons."""
        return self._network.latents

    @property
    def shape(self):
        """Channels, height and width of an image."""
        return self._network.shape

    @property
    def config(self):
        """The configuration of its training, as nested dicts."""
        return json.loads(self._network.config())

    @property
    def standardisation(self):
        """The mean and standard deviation that pixels are standardised with."""
        return self._network.standardisation

    def dictionary(self):
        """The atoms of a linear decoder: the change of the reconstruction per spike of each neuron.

        Returns
        -------
        Dictionary
        """
        return Dictionary(self._network.atoms().reshape(self.latents, *self.shape))

    # ---- what it does

    def infer(self, images, steps=None, *, seed=0, standardised=False, over_time=False, moments=()):
        """Infers what images are made of.

        Parameters
        ----------
        images : array-like
            Images as above; with ``over_time`` one more axis first, time: one frame a step, the last is held.
        steps : int, optional
            T; as in training, or as many as there are frames.
        seed : int
            Of the samples.
        standardised : bool
            Whether the pixels are on the scale of the network already.
        moments : list of int
            Steps after which the reconstruction by the means is kept as well, counted from 1.

        Returns
        -------
        Inference
        """
        rows, frames, count = self._rows(images, standardised, over_time)
        if steps is not None:
            steps = whole("steps", steps, 1, 2**24 - 1)
        kept = sorted({whole("moments", moment, 1) for moment in moments})
        taken = steps or (frames if frames > 1 else int(self.config["inference"]["steps"]))
        if taken < frames:
            raise SettingError(f"setting `steps`: found {taken}, expected at least {frames}, the frames: one is taken a step")
        if kept and kept[-1] > taken:
            raise SettingError(f"setting `moments`: found {kept[-1]}, expected steps from 1 to {taken}")
        seed = whole("seed", seed, 0)
        with kinds_of_errors():
            told = self._network.infer(rows, frames, steps, seed, bool(standardised), [moment - 1 for moment in kept])
        last = rows.reshape(frames, count, -1)[-1]
        if not standardised:
            mean, std = self.standardisation
            last = (last - np.float32(mean)) / np.float32(std)
        return Inference(
            **told, moments=kept, shape=self.shape, input=last
        )

    def evaluate(
        self, images=None, *, split="validation", data="data", steps=None, max_images=None, batch=None, seed=None, standardised=False
    ):
        """R², sparsity and free energy, as the program's ``evaluate --json``.

        A network that was trained on films is measured on them: nats per frame, prediction of the next frame, spikes per frame.

        Parameters
        ----------
        images : array-like, optional
            Images as above; a split of the data that it was trained on otherwise.
        split : {"validation", "test", "train"}
        data : path-like
            The folder of the data sets.
        steps, max_images, batch, seed : int, optional
            As in validation while training, and all images, by default. The spikes depend on the batch.

        Returns
        -------
        dict of str to float
            Of films also ``nats_by_film``, a list.
        """
        rows = None if images is None else self._rows(images, standardised)[0]
        optional = {name: None if n is None else whole(name, n, *bounds) for name, n, *bounds in (
            ("steps", steps, 1, 2**24 - 1), ("max_images", max_images, 1), ("batch", batch, 1), ("seed", seed, 0))}
        with kinds_of_errors():
            return json.loads(
                self._network.evaluate(
                    rows,
                    bool(standardised),
                    split,
                    os.fspath(data),
                    optional["steps"],
                    optional["max_images"],
                    optional["batch"],
                    optional["seed"],
                )
            )

    def watch(self, frames=None, steps=None, *, seed=1, standardised=False, drive="events"):
        """The event-driven engine, one step at a time: exact counts, no tensors, memory that does not grow.

        Parameters
        ----------
        frames : one image, a film, or an iterable of images
            An image ``[height, width]`` or ``[channels, height, width]`` is held for ``steps``; of a film ``[n, pixels]``,
            ``[n, height, width]`` or ``[n, channels, height, width]``, or of an iterable, every step takes one. An array
            ``[channels, height, width]`` is an image. Without frames, the stream itself is returned, for ``stream.step(frame)``.
        steps : int, optional
            How long one image is held.
        drive : {"events", "dense", "lateral", "integer-lateral"}
            How the drive is made of the neurons that fired.

        Yields
        ------
        neurons, counts : ndarray
            Which neurons fired in the step, and how often.
        """
        seed = whole("seed", seed, 0)
        with kinds_of_errors():
            stream = Stream(self._network.stream(drive, seed, bool(standardised)), standardised)
        if frames is None:
            return stream
        frames = array_of(frames, "images")
        tensors = isinstance(frames, (list, tuple)) and any(hasattr(frame, "__dlpack__") for frame in frames)
        if hasattr(frames, "__dlpack__") or isinstance(frames, (list, tuple)) and not tensors:
            frames = pixels(frames, standardised)
        shape = tuple(np.shape(frames)) if hasattr(frames, "ndim") else None
        if shape in (tuple(self.shape), tuple(self.shape[1:]), (stream.pixels,)):
            taken = int(self.config["inference"]["steps"]) if steps is None else whole("steps", steps, 1)
            return (stream.step(frames) for _ in range(taken))
        if steps is not None:
            raise SettingError("setting `steps`: found some, expected None: every frame is one step")
        return (stream.step(frame) for frame in frames)

    def _rows(self, images, standardised, over_time=False):
        """Rows of float32 ``[frames * images, pixels]``, the number of frames, and of images."""
        array = pixels(images, standardised)
        each = int(np.prod(self.shape))
        lead = 2 if over_time else 1
        if array.ndim <= lead and array.size == each and not over_time:
            raise SizeError(f"images: found one image of shape {list(array.shape)}, expected a first axis: image[None]")
        if array.ndim <= lead or int(np.prod(array.shape[lead:])) != each or 0 in array.shape:
            axes = "[time, n, …]" if over_time else "[n, …]"
            size = "×".join(map(str, self.shape))
            raise SizeError(f"images: found shape {list(array.shape)}, expected {axes} of images of {size} = {each} pixels")
        frames = array.shape[0] if over_time else 1
        rows = np.ascontiguousarray(array.reshape(-1, each))
        return rows, frames, len(rows) // frames

    # ---- as a value

    def __repr__(self):
        return repr(self._network)

    def __reduce__(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.safetensors")
            self.save(path)
            with open(path, "rb") as file:
                return _restored, (file.read(), self.history)


def _restored(weights, history):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(weights)
        network = Network.load(path)
    network.history = history
    return network


class Stream:
    """A network that keeps watching: every step takes the frame of that step. Made by :meth:`Network.watch`."""

    def __init__(self, stream, standardised):
        self._stream = stream
        self._standardised = standardised

    def __copy__(self):
        return Stream(self._stream.copy(), self._standardised)

    def __deepcopy__(self, memo):
        return self.__copy__()

    def step(self, frame):
        """One step on an image: the neurons that fired, and how often each, arrays of whole numbers."""
        frame = np.ascontiguousarray(pixels(frame, self._standardised)).reshape(1, -1)
        with kinds_of_errors():
            return self._stream.step(frame)

    @property
    def potential(self):
        """The membrane potentials u ``[K]``; their rates are exp(u), spikes per step."""
        return self._stream.potential

    @property
    def time(self):
        """Steps taken."""
        return self._stream.time

    @property
    def pixels(self):
        """M, the pixels of a frame."""
        return self._stream.pixels


def train(preset="dead-leaves", *, out=None, data="data", device="flex", callback=None, **settings):
    """Trains a network.

    Parameters
    ----------
    preset : str
        A named configuration; ``scotopic config show`` lists them.
    out : path-like, optional
        The folder of the run, new or empty; a temporary one otherwise, of which nothing stays.
    data : path-like
        The folder of the data sets.
    device : str
    callback : callable, optional
        ``callback(row)`` gets a dict for every row of metrics (``row["kind"] == "log"``) and every validation
        (``"validation"``). What it raises ends the training.
    **settings
        Keys of the configuration, with two underscores for a dot: ``train__iterations=500``, ``objective__beta=8``.

    Returns
    -------
    Network
        That with the lowest free energy on validation images; ``history`` has the rows, by kind.

    Ctrl-C ends the training after its iteration. With ``out`` the run can then be continued:
    ``scotopic train --resume out``.
    """
    sets = [f"{name.replace('__', '.')}={_toml(name, value)}" for name, value in settings.items()]
    history = {"log": [], "validation": []}

    def told(text):
        row = json.loads(text)
        history[row["kind"]].append(row)
        if callback is not None:
            callback(row)

    train = compiled("train")
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "run") if out is None else os.fspath(out)
        with kinds_of_errors():
            network, outcome = train(preset, sets, target, os.fspath(data), device, told)
    history["outcome"] = outcome
    return Network(network, history)


def data_set(preset="dead-leaves", *, data="data", **settings):
    """The data of a preset as arrays, standardised as in training.

    Parameters
    ----------
    preset, data, **settings
        As for :func:`train`.

    Returns
    -------
    dict
        ``train``, ``validation`` and, where there is one, ``test`` ``[n, channels, height, width]``, float32, with
        ``train_labels``, … ``[n]`` where there are labels; ``mean`` and ``std`` of the standardisation.
    """
    sets = [f"{name.replace('__', '.')}={_toml(name, value)}" for name, value in settings.items()]
    with kinds_of_errors():
        return compiled("data_set")(preset, sets, os.fspath(data))


def _toml(name, value):
    """A value as `--set` of the program takes it."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return json.dumps(list(value))
    raise SettingError(f"setting `{name}`: found {value!r}, expected a number, a text, a bool or a list of them")
