"""What fits tell on the way and at their end, and parameters in other forms."""

import sys

import numpy as np
import pytest
from conftest import random_hmm
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import SettingError


def test_a_search_tells_how_it_ended(monkeypatch, capsys):
    # As where tqdm is not installed.
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    x, _ = random_hmm("diag").sample(200, random_state=0)
    model = scotopic.GaussianHMM(2, random_state=0, verbose=True).fit(x)
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("search: ") and last.endswith(f"best {model.log_evidence_:.2f} nats")
    scotopic.GaussianHMM(2, random_state=0).fit(x)
    assert capsys.readouterr().out == ""


def test_diagonal_matrices_are_kept_as_variances():
    one, two = random_hmm("diag"), random_hmm("diag")
    two.covars_ = np.array([np.diag(v) for v in one.covars_])
    assert two.covars_.shape == one.covars_.shape and (two.covars_ == one.covars_).all()
    x, _ = one.sample(40, random_state=0)
    a, b = one.gradient(x).by["covars_"], two.gradient(x).by["covars_"]
    assert a.shape == one.covars_.shape
    assert_allclose(b, a, rtol=1e-12)
    with pytest.raises(SettingError, match="expected variances"):
        two.covars_ = np.ones((3, 2, 2))


def test_a_structural_maximum_says_by_how_many_starts_it_was_found():
    rng = np.random.default_rng(0)
    model = scotopic.StructuralModel("level", random_state=0).fit(np.cumsum(rng.normal(size=100)) + rng.normal(size=100))
    reached, of = model.found_by_
    assert 2 <= reached <= of and model.warnings_ == []
