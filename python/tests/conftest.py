"""Models and data that several tests use."""

import numpy as np
import pytest

import scotopic

#: Those that hmmlearn has as well; others without inputs; those whose observations are given with inputs or an exposure.
KINDS = ["categorical", "poisson", "diag", "full"]
MORE = ["bernoulli", "negative-binomial", "student-t"]
#: Whose observations depend on those before.
LAGGED = ["autoregression-full", "autoregression-diag"]
GIVEN = [
    "logistic-regression",
    "poisson-regression",
    "linear-regression",
    "poisson-exposure",
    "negative-binomial-exposure",
    "poisson-regression-exposure",
]


def random_hmm(kind, k=3, d=2, seed=0, p=2):
    """An HMM with parameters drawn at random, of a kind named as its class and covariance; regressions have d inputs,
    autoregressions p lags."""
    rng = np.random.default_rng(seed)
    exposed = kind.endswith("-exposure")
    kind = kind.removesuffix("-exposure")
    if kind == "categorical":
        model = scotopic.CategoricalHMM(k)
        model.emissionprob_ = rng.dirichlet(np.ones(5), size=k)
    elif kind == "poisson":
        model = scotopic.PoissonHMM(k)
        model.lambdas_ = rng.gamma(2.0, 3.0, size=(k, d))
    elif kind == "bernoulli":
        model = scotopic.BernoulliHMM(k)
        model.emissionprob_ = rng.uniform(0.05, 0.95, size=(k, d))
    elif kind == "negative-binomial":
        model = scotopic.NegativeBinomialHMM(k)
        model.means_, model.shapes_ = rng.gamma(2.0, 5.0, size=(k, d)), rng.uniform(0.5, 4.0, size=(k, d))
    elif kind == "student-t":
        model = scotopic.StudentTHMM(k)
        model.locations_, model.scales_ = 5.0 * rng.normal(size=(k, d)), rng.uniform(0.5, 1.5, size=(k, d))
        model.freedoms_ = rng.uniform(2.5, 8.0, size=(k, d))
    elif kind.endswith("-regression"):
        name = "".join(word.capitalize() for word in kind.split("-"))
        model = getattr(scotopic, name + "HMM")(k)
        model.weights_ = rng.normal(size=(k, 1 + d)) * (1.5 if kind == "logistic-regression" else 0.5)
        if kind == "linear-regression":
            model.variances_ = rng.uniform(0.1, 0.5, size=k)
    elif kind.startswith("autoregression-"):
        noise = kind.removeprefix("autoregression-")
        model = scotopic.AutoregressiveHMM(k, p, noise)
        model.intercept_ = rng.normal(size=(k, d))
        # No product of them grows.
        model.coef_ = 0.7 / p * np.linalg.qr(rng.normal(size=(k, p, d, d)))[0]
        root = rng.normal(size=(k, d, d))
        covariances = root @ root.transpose(0, 2, 1) + 0.5 * np.eye(d)
        model.covars_ = covariances if noise == "full" else np.einsum("kii->ki", covariances)
    else:
        model = scotopic.GaussianHMM(k, kind)
        model.means_ = 3.0 * rng.normal(size=(k, d))
        if kind == "diag":
            model.covars_ = rng.gamma(2.0, 1.0, size=(k, d))
        else:
            root = rng.normal(size=(k, d, d))
            model.covars_ = root @ root.transpose(0, 2, 1) + 0.5 * np.eye(d)
    if exposed:
        model.exposure_ = "hours"
    model.startprob_ = rng.dirichlet(np.ones(k))
    model.transmat_ = rng.dirichlet(np.ones(k), size=k) * 0.3 + 0.7 * np.eye(k)
    model.transmat_ = model.transmat_ / model.transmat_.sum(axis=1, keepdims=True)
    return model


def given_of(model, t, seed=0):
    """Inputs and exposure of ``t`` observations, as the model takes them, by name."""
    rng = np.random.default_rng(1000 + seed)
    inputs, exposure = model._given_names()
    given = {}
    if inputs:
        given["inputs"] = rng.normal(size=(t, len(inputs)))
    if exposure is not None:
        given["exposure"] = rng.uniform(0.5, 2.0, size=t)
    return given


def drawn(kind, t=300, seed=0, **settings):
    """A model of :func:`random_hmm`, a sample of it, and what that was given."""
    model = random_hmm(kind, seed=seed, **settings)
    if model.n_components == 2:
        model.transmat_ = [[0.9, 0.1], [0.2, 0.8]]  # both are visited often
    given = given_of(model, t)
    x, _ = model.sample(random_state=1, **given) if given else model.sample(t, random_state=1)
    return model, x, given


def recursions(model, terms):
    """ln p, posterior probabilities and the most probable path, by the textbook."""
    a, (t, k) = np.asarray(model.transmat_), terms.shape
    log_a = np.log(a)
    forward, backward = np.empty((t, k)), np.zeros((t, k))
    best, back = np.log(model.startprob_) + terms[0], np.zeros((t, k), int)
    forward[0] = best
    for i in range(1, t):
        forward[i] = np.logaddexp.reduce(forward[i - 1][:, None] + log_a, axis=0) + terms[i]
        paths = best[:, None] + log_a
        back[i], best = paths.argmax(axis=0), paths.max(axis=0) + terms[i]
    for i in range(t - 2, -1, -1):
        backward[i] = np.logaddexp.reduce(log_a + terms[i + 1] + backward[i + 1], axis=1)
    log_p = np.logaddexp.reduce(forward[-1])
    path = [best.argmax()]
    for i in range(t - 1, 0, -1):
        path.append(back[i][path[-1]])
    return log_p, np.exp(forward + backward - log_p), np.array(path[::-1])


@pytest.fixture(params=[*KINDS, *MORE, *LAGGED])
def hmm(request):
    return random_hmm(request.param)


@pytest.fixture(params=GIVEN)
def given_hmm(request):
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


def random_population(law="poisson", n=2, neurons=5, seed=0):
    """A linear dynamical system of counts or spikes, nothing diagonal."""
    rng = np.random.default_rng(seed)
    model = (scotopic.PLDS if law == "poisson" else scotopic.BLDS)(n)
    root = 0.3 * rng.normal(size=(n, n))
    model.transition_ = 0.95 * np.linalg.qr(rng.normal(size=(n, n)))[0]
    model.process_noise_ = root @ root.T + 0.05 * np.eye(n)
    model.loadings_, model.offset_ = 0.6 * rng.normal(size=(neurons, n)), 0.3 * rng.normal(size=neurons)
    model.bias_, model.initial_mean_ = 0.1 * rng.normal(size=n), 0.5 * rng.normal(size=n)
    return model


@pytest.fixture(params=["poisson", "bernoulli"])
def population(request):
    return random_population(request.param)
