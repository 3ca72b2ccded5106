"""CategoricalHMM with the number of symbols given: those that a fit has not seen count."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import ImpossibleObservationError, ObservationError, SettingError, SizeError

pytestmark = pytest.mark.filterwarnings("ignore::scotopic.errors.FitWarning")
SEEN = np.r_[np.arange(60) % 2]


@pytest.mark.parametrize("method", ["search", "em"])
def test_one_state_is_counts_and_pseudo_counts(method):
    # p(m) = (n_m + ε) / (N + ε M), of a symbol that was not seen too.
    model = scotopic.CategoricalHMM(1, n_features=4, pseudo_count=0.5, method=method).fit([0, 1, 1, 0, 1])
    assert_allclose(model.emissionprob_, [np.array([2.5, 3.5, 0.5, 0.5]) / 7], rtol=1e-9)
    assert model.n_features == 4
    assert_allclose(model.score([3]), np.log(0.5 / 7), rtol=1e-9)


@pytest.mark.parametrize("method", ["search", "em"])
def test_a_fit_ends_where_the_m_step_stays(method):
    model = scotopic.CategoricalHMM(2, n_features=5, pseudo_count=0.5, method=method, random_state=0, tol=1e-12).fit(SEEN)
    before = np.array(model.emissionprob_)
    assert before.shape == (2, 5) and (before > 0).all()
    model.maximise(model.statistics(SEEN))
    # A fixed point of EM, as near as the iteration of 1e-12 nats per observation brings it: the root of that.
    assert_allclose(model.emissionprob_, before, atol=1e-6)


def test_by_maximum_likelihood_unseen_symbols_have_no_probability():
    narrow = scotopic.CategoricalHMM(2, random_state=0).fit(SEEN)
    wide = scotopic.CategoricalHMM(2, n_features=4, random_state=0).fit(SEEN)
    assert_allclose(wide.emissionprob_[:, :2], narrow.emissionprob_, rtol=0)
    assert (wide.emissionprob_[:, 2:] == 0).all()
    assert wide.log_evidence_ == narrow.log_evidence_ == wide.score(SEEN) and wide.found_by_ == narrow.found_by_
    assert wide.aic(SEEN) == narrow.aic(SEEN)  # what is 0 is no parameter
    with pytest.raises(ImpossibleObservationError):
        wide.score([2])
    driven = scotopic.CategoricalHMM(2, n_features=4, n_init=2, random_state=0)
    inputs = np.random.default_rng(0).normal(size=60)
    driven.fit(SEEN, transition_inputs=inputs)
    assert driven.emissionprob_.shape == (2, 4)
    assert_allclose(driven.score(SEEN, transition_inputs=inputs), driven.log_evidence_, rtol=1e-12)


def test_symbols_above_the_alphabet_are_named():
    model = scotopic.CategoricalHMM(2, n_features=2, random_state=0)
    for data in ([0, 1, 2], [np.array([[0], [1], [2]])]):
        with pytest.raises(ObservationError, match=r"observation 2, entry 0: found 2, .* from 0 to 1 \(n_features=2\)") as found:
            model.fit(data)
        assert (found.value.index, found.value.entry) == (2, 0)
    with pytest.raises(SettingError, match="setting `n_features`: found 2, expected at least 3"):
        model.fit(scotopic.observations([0, 1, 2]))
    assert not hasattr(model, "emissionprob_")
    with pytest.raises(ObservationError, match="from 0 to 1"):
        model.fit(SEEN).score([2])
    with pytest.raises(SizeError, match="emissionprob_: found 2 symbols, expected 3 symbols, as the setting n_features"):
        model.set_params(n_features=3).score(SEEN)
    with pytest.raises(SettingError, match="n_features"):
        scotopic.CategoricalHMM(2, n_features=2.5).fit(SEEN)


def test_all_uses_have_all_symbols():
    settings = {"n_features": 3, "pseudo_count": 0.1, "random_state": 0}
    model = scotopic.CategoricalHMM(2, **settings).partial_fit(SEEN).partial_fit([2, 0, 1])
    assert model.emissionprob_.shape == (2, 3)
    assert model.forecast(SEEN, 2).probabilities.shape == (2, 3)
    assert set(model.sample(2000, random_state=0)[0].ravel()) == {0.0, 1.0, 2.0}
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same.n_features == 3 and same.score([2, 0]) == model.score([2, 0])
    assert "n_features=3" in repr(model)


def test_cross_validation_where_a_symbol_is_in_one_fold():
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score

    model = scotopic.CategoricalHMM(2, n_features=3, pseudo_count=0.1, random_state=0)
    assert clone(model).get_params() == model.get_params()
    x = np.r_[SEEN, np.full(5, 2)].reshape(-1, 1)
    assert np.isfinite(cross_val_score(model, x, cv=3)).all()
    # Without it the setting stays none, whatever the data had.
    assert clone(scotopic.CategoricalHMM(2, random_state=0).fit(SEEN)).n_features is None
