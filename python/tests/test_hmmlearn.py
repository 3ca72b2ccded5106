"""Equality with hmmlearn, given parameters, to 1e-10 relative: both compute the same sums in double precision."""

import numpy as np
import pytest
from conftest import KINDS, random_hmm
from numpy.testing import assert_allclose

import scotopic

hmmlearn = pytest.importorskip("hmmlearn.hmm")
RTOL = 1e-10


def peer_of(model, kind):
    """hmmlearn's model with the same parameters."""
    k = model.n_components
    if kind == "categorical":
        peer = hmmlearn.CategoricalHMM(k)
        peer.emissionprob_ = model.emissionprob_
        peer.n_features = model.n_features
    elif kind == "poisson":
        peer = hmmlearn.PoissonHMM(k)
        peer.lambdas_ = model.lambdas_
        peer.n_features = model.lambdas_.shape[1]
    else:
        peer = hmmlearn.GaussianHMM(k, kind)
        peer.means_ = model.means_
        peer.n_features = model.means_.shape[1]
        peer.covars_ = model.covars_
    peer.startprob_, peer.transmat_ = model.startprob_, model.transmat_
    return peer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 2, 4, 7])
def test_evidence_posterior_and_path(kind, k):
    model = random_hmm(kind, k=k, seed=k)
    x, _ = model.sample(400, random_state=1)
    lengths = [100, 1, 250, 49]
    peer = peer_of(model, kind)
    y = x.astype(int) if kind in ("categorical", "poisson") else x
    assert_allclose(model.score(x, lengths=lengths), peer.score(y, lengths), rtol=RTOL)
    ours, theirs = model.score_samples(x, lengths), peer.score_samples(y, lengths)
    assert_allclose(ours[0], theirs[0], rtol=RTOL)
    # Probabilities may be as small as they like: 1e-10 of one.
    assert_allclose(ours[1], theirs[1], rtol=1e-8, atol=RTOL)
    for algorithm in ("viterbi", "map"):
        (log_p, path), (their_log_p, their_path) = (
            model.decode(x, lengths, algorithm=algorithm),
            peer.decode(y, lengths, algorithm=algorithm),
        )
        assert_allclose(log_p, their_log_p, rtol=RTOL)
        assert (path == their_path).all()
    assert (model.predict(x, lengths) == peer.predict(y, lengths)).all()


@pytest.mark.parametrize("kind", ["poisson", "diag", "full"])
def test_a_fit_from_the_same_start_ends_where_theirs_does(kind):
    # Priors of hmmlearn that would pull its fit away are off; both stop by the same change of evidence.
    truth = random_hmm(kind, k=2, seed=3)
    x, _ = truth.sample(1500, random_state=2)
    model = random_hmm(kind, k=2, seed=3)
    model.set_params(init="parameters", method="em", n_iter=400, tol=1e-12)
    peer = peer_of(model, kind)
    peer.set_params(init_params="", n_iter=400, tol=1e-9)
    if kind in ("diag", "full"):
        peer.set_params(covars_prior=0.0, covars_weight=0.0, min_covar=0.0, means_weight=0.0)
        if kind == "full":
            peer.set_params(covars_weight=-(1 + 2 + 1) + 1)  # no prior: its exponent is off by one plus the dimension
    else:
        peer.set_params(lambdas_prior=1.0, lambdas_weight=0.0)
    y = x.astype(int) if kind == "poisson" else x
    model.fit(x)
    peer.fit(y)
    # No worse than theirs by more than 0.1 nat.
    assert model.score(x) >= peer.score(y) - 0.1
    assert model.converged_ and (np.diff(model.history_) >= -1e-9 * abs(model.history_[0])).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_from_parameters_ends_no_lower_than_em(kind):
    truth = random_hmm(kind, k=2, seed=3)
    x, _ = truth.sample(1500, random_state=2)
    em = random_hmm(kind, k=2, seed=3).set_params(init="parameters", method="em", n_iter=2000, tol=1e-10).fit(x)
    search = random_hmm(kind, k=2, seed=3).set_params(init="parameters").fit(x)
    assert search.converged_
    assert search.log_evidence_ >= em.log_evidence_ - 1e-3
    assert_allclose(search.score(x), search.log_evidence_, rtol=RTOL)


@pytest.mark.parametrize("kind", KINDS)
def test_fits_from_data_are_no_worse_than_theirs(kind):
    truth = random_hmm(kind, k=3, seed=11)
    x, _ = truth.sample(2000, random_state=5)
    model = random_hmm(kind, k=3).set_params(random_state=0).fit(x)
    y = x.astype(int) if kind in ("categorical", "poisson") else x
    made = {
        "categorical": lambda seed: hmmlearn.CategoricalHMM(3, random_state=seed, n_iter=200, tol=1e-4),
        "poisson": lambda seed: hmmlearn.PoissonHMM(3, random_state=seed, n_iter=200, tol=1e-4),
        "diag": lambda seed: hmmlearn.GaussianHMM(3, "diag", random_state=seed, n_iter=200, tol=1e-4),
        "full": lambda seed: hmmlearn.GaussianHMM(3, "full", random_state=seed, n_iter=200, tol=1e-4),
    }[kind]
    theirs = max(made(seed).fit(y).score(y) for seed in range(3))
    assert model.score(x) >= theirs - 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_renumbered_states_have_renumbered_paths(kind):
    model = random_hmm(kind)
    data = scotopic.observations(model.sample(200, random_state=1)[0])
    order = np.array([2, 0, 1])
    (path, log_p), (other, other_log_p) = model._model.viterbi(data), model._model.relabelled(order).viterbi(data)
    assert (order[other] == path).all()
    assert_allclose(other_log_p, log_p, rtol=RTOL)


@pytest.mark.parametrize("kind", KINDS)
def test_criteria_are_the_same_but_for_zeros(kind):
    model = random_hmm(kind, k=3, seed=2)
    x, _ = model.sample(200, random_state=1)
    y = x.astype(int) if kind in ("categorical", "poisson") else x
    peer = peer_of(model, kind)
    assert_allclose([model.aic(x), model.bic(x)], [peer.aic(y), peer.bic(y)], rtol=RTOL)
    # From left to right: three transitions are ruled out, and two states to begin with. hmmlearn counts them as parameters.
    model.transmat_, model.startprob_ = [[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.0, 0.1, 0.9]], [1.0, 0.0, 0.0]
    peer = peer_of(model, kind)
    x, _ = model.sample(200, random_state=1)
    y = x.astype(int) if kind in ("categorical", "poisson") else x
    assert_allclose([model.aic(x) + 2 * 5, model.bic(x) + 5 * np.log(200)], [peer.aic(y), peer.bic(y)], rtol=RTOL)
