"""Models and data that several tests use."""

import numpy as np
import pytest

import scotopic


def random_hmm(kind, k=3, d=2, seed=0):
    """An HMM with parameters drawn at random, of a kind named as its class and covariance."""
    rng = np.random.default_rng(seed)
    if kind == "categorical":
        model = scotopic.CategoricalHMM(k)
        model.emissionprob_ = rng.dirichlet(np.ones(5), size=k)
    elif kind == "poisson":
        model = scotopic.PoissonHMM(k)
        model.lambdas_ = rng.gamma(2.0, 3.0, size=(k, d))
    else:
        model = scotopic.GaussianHMM(k, kind)
        model.means_ = 3.0 * rng.normal(size=(k, d))
        if kind == "diag":
            model.covars_ = rng.gamma(2.0, 1.0, size=(k, d))
        else:
            root = rng.normal(size=(k, d, d))
            model.covars_ = root @ root.transpose(0, 2, 1) + 0.5 * np.eye(d)
    model.startprob_ = rng.dirichlet(np.ones(k))
    model.transmat_ = rng.dirichlet(np.ones(k), size=k) * 0.3 + 0.7 * np.eye(k)
    model.transmat_ = model.transmat_ / model.transmat_.sum(axis=1, keepdims=True)
    return model


KINDS = ["categorical", "poisson", "diag", "full"]


@pytest.fixture(params=KINDS)
def hmm(request):
    return random_hmm(request.param)


@pytest.fixture
def walk():
    """Two states, three observed entries, nothing diagonal."""
    return random_walk()


def random_walk(seed=0, n=2, m=3):
    rng = np.random.default_rng(seed)
    root_q, root_r, root_p = rng.normal(size=(n, n)), rng.normal(size=(m, m)), rng.normal(size=(n, n))
    return scotopic.LinearGaussian.of(
        0.9 * np.linalg.qr(rng.normal(size=(n, n)))[0],
        root_q @ root_q.T + 0.1 * np.eye(n),
        rng.normal(size=(m, n)),
        root_r @ root_r.T + 0.1 * np.eye(m),
        bias=rng.normal(size=n),
        offset=rng.normal(size=m),
        initial_mean=rng.normal(size=n),
        initial_covariance=root_p @ root_p.T + 0.1 * np.eye(n),
    )
