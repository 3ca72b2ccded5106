"""The Python of the documents runs as it stands there, from the first block of a page to its last."""

import pathlib
import pickle
import re
import sys
import types

import numpy as np
import pytest

from scotopic import _scotopic

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["README.md", "python/README.md", "docs/python.md", "docs/inputs.md", "docs/autoregressions.md", "docs/plds.md"]
PAGES += [f"docs/start/{name}.md" for name in ("neuroscientist", "series", "ml")]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


class Recording:
    """What the pages use of pynwb.NWBFile: units with spike times."""

    def __init__(self, *_):
        self.units = {"spike_times": []}

    def add_unit(self, spike_times):
        self.units["spike_times"].append(np.array(spike_times))


class RecordingFile:
    """What the pages use of pynwb.NWBHDF5IO."""

    def __init__(self, path, mode):
        self.file = open(path, mode + "b")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, recording):
        pickle.dump(recording, self.file)

    def read(self):
        return pickle.load(self.file)


@pytest.fixture
def recordings(monkeypatch):
    """pynwb, or what stands for it where it is not installed."""
    try:
        import pynwb  # noqa: F401
    except ImportError:
        stand_in = types.ModuleType("pynwb")
        stand_in.NWBFile, stand_in.NWBHDF5IO = Recording, RecordingFile
        monkeypatch.setitem(sys.modules, "pynwb", stand_in)


@pytest.mark.parametrize("page", PAGES)
def test_runs(page, monkeypatch, tmp_path, recordings):
    path = ROOT / page
    if not path.exists():
        pytest.skip("the tests are not in a checkout")
    text = path.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert blocks, "the page has lost its Python"
    # Paths on the pages are those of a checkout, in which nothing is to be written.
    for folder in ("examples", "checkpoints", "docs", "data"):
        if (ROOT / folder).exists():
            (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "documents"}
    for block in blocks:
        if "joblib" in block:
            # Runs in test_statistics.py, where the names that it takes from elsewhere are made.
            continue
        if "scotopic.train" in block and not hasattr(_scotopic, "Network"):
            continue  # built without the feature `vision`
        exec(compile(block, page, "exec"), names)
    if page.endswith("neuroscientist.md"):
        check_binned_spikes(names)


def check_binned_spikes(names):
    """Every spike of the recording is in one bin, and the two states have the rates that made them, per unit."""
    counts, rates = names["counts"], np.sort(names["units"].lambdas_, axis=0) / names["width"]
    for i, unit in enumerate(("ca1_7", "ca1_9")):
        times = names[unit]
        assert counts[:, i].sum() == len(times)
        assert np.array_equal(np.flatnonzero(counts[:, i]), np.unique((times / names["width"] + 1e-9).astype(int)))
    # About 15 s in each state, in which a unit fires 15 r spikes with the standard deviation sqrt(15 r): four of those.
    true = np.array([[5.0, 2.0], [50.0, 30.0]])
    assert (np.abs(rates - true) < 4 * np.sqrt(true / 15)).all()
