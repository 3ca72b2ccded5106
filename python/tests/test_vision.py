"""Spiking networks: shapes and types, errors, threads, Ctrl-C, and the numbers of the program."""

import copy
import json
import os
import pathlib
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose

import scotopic
from scotopic import _scotopic
from scotopic.errors import DataError, ScotopicError, SettingError, SizeError

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAVES = ROOT / "checkpoints" / "dead-leaves"

pytestmark = [
    pytest.mark.skipif(not hasattr(_scotopic, "Network"), reason="built without the feature `vision`"),
    pytest.mark.skipif(not LEAVES.is_dir(), reason="the tests are not in a checkout"),
]

#: A training of a second.
SMALL = dict(train__iterations=20, data__train=160, data__validation=40, model__latents=16)


@pytest.fixture(scope="module")
def leaves():
    return scotopic.Network.load(LEAVES)


@pytest.fixture(scope="module")
def patches():
    """A few standardised patches of the data that the released network was validated on."""
    return scotopic.data_set("dead-leaves", data__train=1000, data__validation=50)["validation"]


def program(*arguments, **options):
    code = "import sys, scotopic._program as p; sys.argv = ['scotopic', *sys.argv[1:]]; p.main()"
    words = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- what it is


def test_the_released_network(leaves):
    assert (leaves.latents, leaves.shape) == (256, (1, 12, 12))
    assert leaves.config["model"]["latents"] == 256 and leaves.config["data"]["source"] == "dead-leaves"
    assert "256" in repr(leaves)
    dictionary = leaves.dictionary()
    assert dictionary.atoms.shape == (256, 1, 12, 12) and dictionary.atoms.dtype == np.float32
    assert dictionary._repr_svg_().startswith("<svg")


def test_it_is_a_value(leaves, patches, tmp_path):
    again = pickle.loads(pickle.dumps(leaves))
    assert (again.dictionary().atoms == leaves.dictionary().atoms).all()
    leaves.save(tmp_path / "copy.safetensors")
    copy = scotopic.Network.load(tmp_path / "copy.safetensors")
    a, b = (network.infer(patches[:3], 4, standardised=True).samples for network in (leaves, copy))
    assert np.array_equal(a, b)


# ---- inference


def test_shapes_and_types(leaves, patches):
    seen = leaves.infer(patches[:5], 8, standardised=True, moments=[1, 8])
    assert seen.samples.shape == (8, 5, 256) and seen.means.shape == (5, 256)
    assert seen.reconstruction.shape == seen.reconstruction_means.shape == seen.input.shape == (5, 144)
    assert seen.unfolding.shape == (2, 5, 144)
    assert seen.free_energy.shape == seen.kl.shape == (8, 5)
    assert all(getattr(seen, name).dtype == np.float32 for name in ("samples", "means", "free_energy"))
    # Spikes are counts, rates are positive, and inference explains more and more.
    assert (seen.samples >= 0).all() and (seen.samples == np.round(seen.samples)).all() and (seen.means > 0).all()
    assert seen.free_energy[-1].mean() < seen.free_energy[0].mean()
    assert_allclose(seen.free_energy, seen.negative_log_likelihood + seen.kl, rtol=1e-6)
    assert_allclose(seen.unfolding[1], seen.reconstruction_means, rtol=1e-5, atol=1e-5)
    assert_allclose(seen.zeros, (seen.samples == 0).mean(), rtol=1e-5)
    # The rates through the dictionary are the reconstruction.
    atoms = leaves.dictionary().atoms.reshape(256, 144)
    assert_allclose(seen.means @ atoms, seen.reconstruction_means, atol=1e-3)
    assert seen._repr_svg_().startswith("<svg") and seen.raster().startswith("<svg")


def test_layouts_are_one(leaves, patches):
    rows = patches[:4].reshape(4, 144)
    expected = leaves.infer(rows, 4, standardised=True).samples
    for given in (
        rows.reshape(4, 12, 12),
        patches[:4],
        np.asfortranarray(rows),
        rows.astype(np.float64),
        np.repeat(rows, 2, axis=0)[::2],
        rows.tolist(),
    ):
        assert np.array_equal(leaves.infer(given, 4, standardised=True).samples, expected)

    class Tensor:
        """What torch offers of a tensor on the CPU, without torch."""

        def __init__(self, array):
            self.array = array

        def detach(self):
            return self

        def cpu(self):
            return self

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    assert np.array_equal(leaves.infer(Tensor(rows), 4, standardised=True).samples, expected)


def test_pixels_are_put_on_the_scale_of_training(leaves, patches):
    mean, std = leaves.standardisation
    raw = patches[:4] * np.float32(std) + np.float32(mean)
    a, b = leaves.infer(raw, 4), leaves.infer(patches[:4], 4, standardised=True)
    assert_allclose(a.input, b.input, atol=1e-5)
    # Counts are exact, drawn from rates that rounding moves by 1e-6: a few may differ.
    assert (a.samples != b.samples).mean() < 1e-3


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A network of images on the scale from 0 to 1, and images of 8 bits."""
    folder = tmp_path_factory.mktemp("digits")
    levels = np.random.default_rng(0).integers(0, 256, (300, 8, 8)).astype(np.uint8)
    np.save(folder / "levels.npy", levels)
    settings = {"data__source": "npy", "data__train": "levels.npy", "data__validation_count": 50, "train__iterations": 2}
    network = scotopic.train("smoke", data=folder, out=folder / "run", **settings)
    return network, levels


def test_whole_numbers_are_levels_as_in_files(digits):
    network, levels = digits
    expected = network.infer(levels[:4] / np.float32(255), 4).samples
    for given in (levels[:4], levels[:4].astype(np.int64), levels[:4].astype(np.uint16) * 257):
        assert np.array_equal(network.infer(given, 4).samples, expected)
    one = [network.watch(frame, 4) for frame in (levels[0], levels[0] / np.float32(255))]
    for (a, m), (b, n) in zip(*one):
        assert np.array_equal(a, b) and np.array_equal(m, n)
    # The same values as bool and as float32, and as whole numbers that would be nearly black.
    binary = levels[:4] > 127
    assert np.array_equal(network.infer(binary, 4).samples, network.infer(binary.astype(np.float32), 4).samples)


@pytest.mark.parametrize(
    "given, told",
    [
        (lambda levels: (levels > 127).astype(np.uint8), "bool or float32"),
        (lambda levels: levels.astype(np.uint16), "as uint8"),
        (lambda levels: levels.astype(np.float32), "divide by 255"),
        (lambda levels: levels.astype(np.int16) - 300, "expected a level from 0 to 255"),
    ],
)
def test_another_scale_is_refused(digits, given, told):
    network, levels = digits
    with pytest.raises(scotopic.errors.ScotopicError, match=told):
        network.infer(given(levels[:4]), 4)
    with pytest.raises(scotopic.errors.ScotopicError, match=told):
        network.watch().step(given(levels[0]))
    with pytest.raises(SizeError, match="expected floats"):
        network.infer(levels[:4], 4, standardised=True)


def test_a_video(leaves, patches):
    still = leaves.infer(patches[:2], 6, standardised=True)
    film = np.broadcast_to(patches[:2], (6, *patches[:2].shape))
    assert np.array_equal(leaves.infer(film, standardised=True, over_time=True).samples, still.samples)
    moving = film.copy()
    moving[3:] *= -1
    turned = leaves.infer(moving, standardised=True, over_time=True)
    assert np.array_equal(turned.samples[:3], still.samples[:3]) and not np.array_equal(turned.samples, still.samples)
    # The last frames would not be seen.
    with pytest.raises(SettingError, match="at least 6, the frames"):
        leaves.infer(moving, 5, standardised=True, over_time=True)


def test_what_cannot_be_explained_is_refused(leaves, patches):
    for told in (lambda x: leaves.infer(x, 2, standardised=True), lambda x: leaves.evaluate(x, standardised=True)):
        with pytest.raises(ScotopicError, match="free energy"):
            told(patches[:3] * np.float32(1e30))


def test_seeds(leaves, patches):
    a, b, c = (leaves.infer(patches[:3], 4, seed=seed, standardised=True).samples for seed in (0, 0, 1))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_infer_is_that_of_the_program(leaves, tmp_path):
    mean, std = leaves.standardisation
    patches = scotopic.data_set("dead-leaves", data__train=1000, data__validation=50)["validation"][:6]
    raw = (patches.reshape(6, 144) * np.float32(std) + np.float32(mean)).astype(np.float32)
    np.save(tmp_path / "raw.npy", raw)
    program("infer", LEAVES, "--input", tmp_path / "raw.npy", "--steps", 8, "--seed", 3, "--device", "flex", "--out", tmp_path / "o")
    theirs = np.load(tmp_path / "o" / "inference.npz")
    ours = leaves.infer(raw, 8, seed=3)
    assert np.array_equal(ours.samples, theirs["spikes"]) and np.array_equal(ours.means, theirs["rates"])
    assert np.array_equal(ours.free_energy, theirs["free_energy"])
    assert np.array_equal(ours.reconstruction_means, theirs["reconstruction_rates"])


def test_evaluate_is_that_of_the_program(leaves):
    theirs = json.loads(program("evaluate", LEAVES, "--json", "--device", "flex", "--max-images", 200))
    assert leaves.evaluate(max_images=200) == theirs


def test_films_are_evaluated_as_films(tmp_path):
    sizes = dict(data__size=6, data__canvas=48, data__frames=6, data__validation_frames=12, inference__steps=6, inference__inner_steps=2)
    out = tmp_path / "run"
    network = scotopic.train("moving-dead-leaves", out=out, train__batch_size=16, **{**SMALL, "data__train": 64}, **sizes)
    found = network.evaluate()
    assert found["frames"] == 12 and len(found["nats_by_film"]) == found["films"] == 40
    assert found == json.loads(program("evaluate", out, "--json", "--device", "flex"))
    film = np.random.default_rng(1).normal(size=(12, 36)).astype(np.float32)
    expected = network.infer(film[:, None], seed=5, standardised=True, over_time=True).samples[:, 0]
    counts = np.zeros((12, 16))
    for t, (neurons, fired) in enumerate(network.watch(film, seed=5, standardised=True)):
        counts[t, neurons] = fired
    assert np.array_equal(counts, expected)


# ---- the engine


def test_the_engine_draws_the_same_spikes(leaves, patches):
    image = patches[7]
    expected = leaves.infer(image[None], 16, seed=5, standardised=True).samples[:, 0]
    for drive in ("events", "dense"):
        counts = np.zeros((16, 256))
        for t, (neurons, fired) in enumerate(leaves.watch(image, 16, seed=5, standardised=True, drive=drive)):
            counts[t, neurons] = fired
        assert np.array_equal(counts, expected)


def test_a_stream(leaves, patches):
    stream = leaves.watch(seed=5, standardised=True)
    rest = stream.potential
    for frame in patches[:3]:
        neurons, counts = stream.step(frame)
        assert neurons.dtype == counts.dtype == np.int64 and len(neurons) == len(counts)
    assert stream.time == 3 and not np.array_equal(stream.potential, rest)
    with pytest.raises(ScotopicError):
        stream.step(np.zeros(5))
    with pytest.raises(ScotopicError):
        stream.step(np.full(144, np.nan))
    assert stream.time == 3
    assert len(list(leaves.watch(patches[:4], standardised=True))) == 4
    # A copy goes on by itself.
    for other in (copy.copy(stream), copy.deepcopy(stream)):
        assert other.time == 3 and np.array_equal(other.potential, stream.potential)
        other.step(patches[0])
        assert (other.time, stream.time) == (4, 3)


def test_an_image_is_held_and_a_film_is_not(leaves, patches):
    rows = patches[:1].reshape(1, 144)
    for image in (patches[0], patches[0, 0], rows[0], rows[0].tolist()):
        assert len(list(leaves.watch(image, 3, standardised=True))) == 3
    for film in (rows, patches[:1], rows.tolist(), list(patches[:1])):
        assert len(list(leaves.watch(film, standardised=True))) == 1
        with pytest.raises(SettingError, match="every frame is one step"):
            leaves.watch(film, 3, standardised=True)


# ---- training


def test_training(tmp_path):
    rows = []
    network = scotopic.train("smoke", out=tmp_path / "run", callback=rows.append, **SMALL)
    assert network.latents == 16 and network.history["outcome"] == "finished"
    assert [row["kind"] for row in rows].count("validation") == len(network.history["validation"]) >= 1
    assert network.history["log"][-1]["iteration"] == 20
    assert np.isfinite(network.history["validation"][-1]["objective"])
    # The folder is one of the program's.
    assert json.loads(program("evaluate", tmp_path / "run", "--json", "--device", "flex")) == network.evaluate()
    again = scotopic.train("smoke", **SMALL)
    assert (again.dictionary().atoms == network.dictionary().atoms).all()


def test_a_callback_ends_it(tmp_path):
    class Enough(Exception):
        pass

    def callback(row):
        raise Enough("no more")

    with pytest.raises(Enough, match="no more"):
        scotopic.train("smoke", callback=callback, **{**SMALL, "train__iterations": 10**6, "train__log_every": 1})


def test_ctrl_c_ends_a_long_training(tmp_path):
    code = f"""
        import os, signal, threading, scotopic
        threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            scotopic.train("smoke", out={str(tmp_path / "run")!r}, train__iterations=10**7, train__save_every=10**6)
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout == "interrupted\n", done.stderr
    # The run can be continued, and used.
    assert scotopic.Network.load(tmp_path / "run").latents > 0


def test_ctrl_c_ends_a_long_evaluation():
    folder = ROOT / "cli" / "tests" / "fixtures" / "pytorch"
    code = f"""
        import os, signal, threading, numpy as np, scotopic
        network = scotopic.Network.load({str(folder / "poisson.pt")!r}, size=(3, 4))
        threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            network.evaluate(np.zeros((10_000_000, 12), np.float32), steps=50, batch=100)
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "interrupted\n", done.stderr


def test_data_sets():
    data = scotopic.data_set("smoke", **SMALL)
    assert data["train"].shape == (160, 1, 12, 12) and data["validation"].shape[0] == 40
    assert data["train"].dtype == np.float32 and data["std"] > 0


# ---- PyTorch


def test_published_checkpoints():
    folder = ROOT / "cli" / "tests" / "fixtures" / "pytorch"
    network = scotopic.Network.load(folder / "poisson.pt", size=(3, 4))
    assert (network.latents, network.shape) == (5, (1, 3, 4))
    # Value i of tensor n is ((37 i + 11 n) mod 101 - 50) / 64; phi.weight [M, K] is the one of them that has this size.
    values = [((37 * np.arange(60) + 11 * n) % 101 - 50).reshape(12, 5) / 64 for n in range(5)]
    found = network.dictionary().atoms.reshape(5, 12).T
    assert any(np.array_equal(found, phi) for phi in values)
    assert network.infer(np.zeros((2, 12)), 3).samples.shape == (3, 2, 5)
    with pytest.raises(ScotopicError, match="12"):
        scotopic.Network.load(folder / "poisson.pt")


# ---- errors


def test_errors_have_the_words_of_the_program(leaves, patches, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        scotopic.Network.load(tmp_path / "nowhere")
    with pytest.raises(ScotopicError, match="device"):
        scotopic.Network.load(LEAVES, device="gpu")
    with pytest.raises(ScotopicError, match="latents"):
        scotopic.train("smoke", model__latnets=3)
    with pytest.raises(ScotopicError, match="smok"):
        scotopic.train("smok")
    with pytest.raises(ScotopicError, match="mnist"):
        scotopic.train("mnist", data=tmp_path)
    with pytest.raises(SettingError, match="latents"):
        scotopic.train("smoke", model__latents=object())
    with pytest.raises(SettingError):
        leaves.save(tmp_path / "model.bin")
    with pytest.raises(ScotopicError, match="split"):
        leaves.evaluate(split="half")
    with pytest.raises(ScotopicError, match="drive"):
        leaves.watch(patches[0], drive="by car")


@pytest.mark.parametrize(
    "images, error",
    [
        (np.zeros((3, 143)), SizeError),
        (np.zeros((12, 12)), SizeError),
        (np.zeros(144), SizeError),
        (np.zeros((0, 144)), SizeError),
        (np.full((1, 144), np.nan), ScotopicError),
        (np.full((1, 144), np.inf), ScotopicError),
        (np.zeros((2, 144), dtype=complex), DataError),
        (np.array([["a"] * 144]), DataError),
        ([np.zeros(144), np.ma.masked_greater(np.eye(12).ravel(), 0.5)], DataError),
        ([np.zeros(144), np.zeros(143)], SizeError),
    ],
)
def test_images_that_are_none(leaves, images, error):
    with pytest.raises(error):
        leaves.infer(images, 2, standardised=True)


def test_settings_that_make_no_sense(leaves, patches):
    for settings in (dict(steps=0), dict(steps=2.5), dict(seed=-1), dict(moments=[0]), dict(steps=4, moments=[5])):
        with pytest.raises(SettingError):
            leaves.infer(patches[:1], standardised=True, **settings)


# ---- threads


def test_several_threads_at_once(leaves, patches):
    expected = [leaves.infer(patches[i : i + 3], 16, standardised=True).samples for i in range(4)]
    found = [None] * 4

    def run(i):
        found[i] = leaves.infer(patches[i : i + 3], 16, standardised=True).samples

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(expected, found))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_says_that_its_parent_used_networks():
    code = f"""
        import os, scotopic
        scotopic.train("smoke", **{{**{SMALL!r}, "train__iterations": 2}})
        child = os.fork()
        if child == 0:
            try:
                scotopic.train("smoke", **{{**{SMALL!r}, "train__iterations": 2}})
            except scotopic.ScotopicError as error:
                os._exit(0 if "spawn" in str(error) else 3)
            os._exit(4)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "0\n", done.stderr


def test_errors_are_of_their_kinds(leaves, patches, tmp_path):
    from scotopic.errors import FileError, ObservationError

    rows = patches[:3].reshape(3, 144).copy()
    rows[1, 5] = np.nan
    for asked in (
        lambda: leaves.infer(rows, steps=2, standardised=True),
        lambda: leaves.evaluate(rows, standardised=True),
        lambda: list(leaves.watch(rows, standardised=True)),
    ):
        with pytest.raises(ObservationError, match="pixel 5: found NaN") as found:
            asked()
        assert found.value.entry == 5
    for asked, field in (
        (lambda: leaves.watch(rows[0], drive="bogus"), "drive"),
        (lambda: leaves.evaluate(split="nope"), "split"),
        (lambda: scotopic.train("smoke", train__iteration=3), "train__iteration"),
        (lambda: scotopic.data_set("smoke", data__train="many"), "data__train"),
    ):
        with pytest.raises(SettingError, match=f"setting `{field}`") as found:
            asked()
        assert found.value.field == field
    with pytest.raises(SizeError, match="expected a multiple of 144"):
        leaves.watch(standardised=True).step(np.zeros(3))
    for asked in (
        lambda: leaves.save(tmp_path / "nowhere" / "n.safetensors"),
        lambda: scotopic.data_set("mnist", data=tmp_path),
    ):
        with pytest.raises(OSError, match="nowhere|mnist") as found:
            asked()
        assert isinstance(found.value, FileError) and isinstance(found.value, ScotopicError) and found.value.errno == 2


def test_tensors_in_lists(leaves, patches):
    class Tensor:
        """What speaks DLPack and nothing else."""

        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **asked):
            return self.array.__dlpack__(**asked)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    rows = patches[:3].reshape(3, 144)
    expected = leaves.infer(rows, 4, standardised=True).samples
    for given in (Tensor(rows), [Tensor(row) for row in rows], tuple(Tensor(row) for row in rows)):
        assert np.array_equal(leaves.infer(given, 4, standardised=True).samples, expected)
    watched = [
        [n.tolist() for n, _ in leaves.watch(frames, standardised=True)] for frames in (rows, [Tensor(row) for row in rows])
    ]
    assert watched[0] == watched[1]
