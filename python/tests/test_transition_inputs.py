"""Inputs of the transitions of hidden Markov models (eqs. F104, F105), against recursions in plain numpy."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import scotopic
from scotopic import _scotopic
from scotopic.errors import ObservationError, ScotopicError, SettingError, SizeError, UnsupportedError

INITIAL = np.array([0.6, 0.4])
TRANSITION = np.array([[0.8, 0.2], [0.3, 0.7]])
RATES = np.array([[1.0], [6.0]])
WEIGHTS = np.array([[[0.0, 0.0], [1.5, -0.5]], [[-1.0, 0.3], [0.0, 0.0]]])
ORIGIN = np.array([0.2, -0.1])


def model(weights=WEIGHTS):
    model = scotopic.PoissonHMM(2)
    model.startprob_, model.transmat_, model.lambdas_ = INITIAL, TRANSITION, RATES
    model.transition_inputs_ = ["cue", "reward"]
    model.transition_weights_, model.transition_origin_ = weights, ORIGIN
    return model


def data(rows=40, seed=3):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(3.0, size=rows).astype(float)
    counts[[5, rows // 2]] = np.nan
    return counts, rng.normal(size=(rows, 2))


def transition(v, weights=WEIGHTS):
    """A_ij exp w_ij (v - v0), normalised (eq. F104)."""
    a = TRANSITION * np.exp(weights @ (v - ORIGIN))
    return a / a.sum(axis=1, keepdims=True)


def likelihoods(y):
    """Of a Poisson count in each state; 1 of what was not seen."""
    if np.isnan(y):
        return np.ones(2)
    factorial = np.prod(np.arange(1.0, y + 1.0))
    return RATES[:, 0] ** y * np.exp(-RATES[:, 0]) / factorial


def forward_backward(y, v):
    """ln p, filtered and smoothed probabilities by the sums of the textbook, each step normalised."""
    alpha, scales = np.empty((len(y), 2)), np.empty(len(y))
    for t in range(len(y)):
        before = INITIAL if t == 0 else alpha[t - 1] @ transition(v[t])
        joint = before * likelihoods(y[t])
        scales[t] = joint.sum()
        alpha[t] = joint / scales[t]
    beta = np.ones((len(y), 2))
    for t in reversed(range(len(y) - 1)):
        beta[t] = transition(v[t + 1]) @ (likelihoods(y[t + 1]) * beta[t + 1]) / scales[t + 1]
    gamma = alpha * beta
    return np.log(scales).sum(), alpha, gamma / gamma.sum(axis=1, keepdims=True), np.log(scales)


def test_log_likelihood_and_posteriors_are_those_of_numpy():
    y, v = data()
    log_likelihood, filtered, smoothed, increments = forward_backward(y, v)
    own = model()
    given = {"transition_inputs": v}
    assert own.score(y, **given) == pytest.approx(log_likelihood, abs=1e-8)
    np.testing.assert_allclose(own.filter_proba(y, **given), filtered, atol=1e-10)
    np.testing.assert_allclose(own.predict_proba(y, **given), smoothed, atol=1e-10)
    np.testing.assert_allclose(own.log_predictive(y, **given), increments, atol=1e-10)
    np.testing.assert_allclose(own.posterior(y, **given).probabilities, smoothed, atol=1e-10)
    assert own.score_samples(y, **given)[0] == pytest.approx(log_likelihood, abs=1e-8)
    k = 1 + 2 + 2 + 4
    assert own.aic(y, **given) == pytest.approx(2 * k - 2 * log_likelihood, abs=1e-8)
    # The input of the first row has no effect, and may be missing.
    v[0] = np.nan
    assert own.score(y, **given) == pytest.approx(log_likelihood, abs=1e-8)
    # Of several sequences each begins anew.
    halves = [y[:20].reshape(-1, 1), y[20:].reshape(-1, 1)], [v[:20], v[20:]]
    expected = forward_backward(y[:20], v[:20])[0] + forward_backward(y[20:], v[20:])[0]
    assert own.score(halves[0], transition_inputs=halves[1]) == pytest.approx(expected, abs=1e-8)
    assert own.score(y, lengths=[20, 20], **given) == pytest.approx(expected, abs=1e-8)


def test_weights_of_zero_are_the_plain_model():
    y, v = data()
    plain = scotopic.PoissonHMM(2)
    plain.startprob_, plain.transmat_, plain.lambdas_ = INITIAL, TRANSITION, RATES
    own = model(np.zeros((2, 2, 2)))
    assert own.score(y, transition_inputs=v) == pytest.approx(plain.score(y), abs=1e-12)
    np.testing.assert_allclose(own.predict_proba(y, transition_inputs=v), plain.predict_proba(y), atol=1e-12)
    assert (own.predict(y, transition_inputs=v) == plain.predict(y)).all()


def test_the_path_is_the_most_probable_of_all():
    y, v = data(8)
    log_joint = {}
    for path in itertools.product(range(2), repeat=8):
        joint = np.log(INITIAL[path[0]]) + np.log(likelihoods(y[0])[path[0]])
        for t in range(1, 8):
            joint += np.log(transition(v[t])[path[t - 1], path[t]]) + np.log(likelihoods(y[t])[path[t]])
        log_joint[path] = joint
    best = max(log_joint, key=log_joint.get)
    log_probability, states = model().decode(y, transition_inputs=v)
    assert tuple(states) == best
    assert log_probability == pytest.approx(log_joint[best], abs=1e-10)


def test_one_at_a_time():
    y, v = data()
    _, filtered, _, increments = forward_backward(y, v)
    live = model().filter()
    assert live.transition_inputs == ["cue", "reward"] and live.n_features == 1
    for t in range(20):
        seen = None if np.isnan(y[t]) else y[t]
        nats = live.update(seen, transition_inputs=None if t == 0 else v[t])
        assert nats == pytest.approx(increments[t], abs=1e-10)
        np.testing.assert_allclose(live.belief, filtered[t], atol=1e-10)
    ahead = live.forecast(2, transition_inputs=v[20:22])
    states = filtered[19] @ transition(v[20])
    np.testing.assert_allclose(ahead.mean[0], states @ RATES, atol=1e-10)
    np.testing.assert_allclose(ahead.mean[1], states @ transition(v[21]) @ RATES, atol=1e-10)
    restored = scotopic.Filter.restore(live.snapshot())
    rows = restored.extend(y[20:], transition_inputs=v[20:])
    np.testing.assert_allclose(rows.beliefs, filtered[20:], atol=1e-10)
    with pytest.raises(ScotopicError, match="missing input"):
        live.update(1.0)
    with pytest.raises(SizeError, match="transition_inputs"):
        live.update(1.0, transition_inputs=[1.0])


def test_pickling_copies_and_files(tmp_path):
    y, v = data()
    own = model()
    expected = own.score(y, transition_inputs=v)
    for other in (pickle.loads(pickle.dumps(own)), copy.deepcopy(own)):
        assert other.transition_inputs_ == ["cue", "reward"]
        assert other.score(y, transition_inputs=v) == expected
    compiled = own._model
    assert pickle.loads(pickle.dumps(compiled)) == compiled
    own.save(tmp_path / "m.toml")
    loaded = scotopic.load(tmp_path / "m.toml")
    assert type(loaded) is scotopic.PoissonHMM
    np.testing.assert_array_equal(loaded.transition_weights_, WEIGHTS)
    assert loaded.score(y, transition_inputs=v) == expected
    np.testing.assert_allclose(compiled.transition_at([0.7, 1.1]), transition(np.array([0.7, 1.1])), atol=1e-15)


def test_a_fit_finds_the_weights():
    rng = np.random.default_rng(0)
    v = rng.normal(size=(3000, 2))
    counts, states = model().sample(transition_inputs=v, random_state=1)
    assert counts.shape == (3000, 1) and set(states) == {0, 1}
    fit = scotopic.PoissonHMM(2, random_state=0).fit(counts, transition_inputs=v)
    assert fit.converged_ and fit.log_evidence_ > fit.log_evidence_without_ + 20
    assert fit.transition_inputs_ == ["v1", "v2"]
    order = np.argsort(fit.lambdas_[:, 0])
    found = fit.transition_weights_[np.ix_(order, order)]
    # Beside staying; standard errors are about 0.1.
    for i, j in ((0, 1), (1, 0)):
        np.testing.assert_allclose(found[i, j] - found[i, i], WEIGHTS[i, j] - WEIGHTS[i, i], atol=0.4)
    np.testing.assert_allclose(fit.transition_origin_, v[1:].mean(axis=0), atol=1e-12)
    assert fit.score(counts, transition_inputs=v) == pytest.approx(fit.log_evidence_, abs=1e-6)
    names = fit.summary(counts, transition_inputs=v).names
    assert "transition_weights[1,2,1]" in names
    # From there nothing is gained.
    again = scotopic.PoissonHMM(2, init="parameters")
    again._take(fit._model)
    again.fit(counts, transition_inputs=v)
    assert again.log_evidence_ == pytest.approx(fit.log_evidence_, abs=1e-3)


def test_an_input_of_both_is_one_column():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(2)
    frame = pandas.DataFrame({"contrast": rng.normal(size=400), "reward": rng.normal(size=400)})
    choices = (frame["contrast"] + rng.logistic(size=400) > 0).to_numpy(dtype=float)
    own = scotopic.LogisticRegressionHMM(2, n_init=2, random_state=0)
    given = {"inputs": frame[["contrast"]], "transition_inputs": frame}
    own.fit(choices, **given)
    assert own.inputs_ == ["contrast"] and own.transition_inputs_ == ["contrast", "reward"]
    assert own.score(choices, **given) == pytest.approx(own.log_evidence_, abs=1e-6)
    plain = {name: part.to_numpy() for name, part in given.items()}
    assert own.score(choices, **plain) == own.score(choices, **given)
    once = scotopic.observations(choices, **given)
    assert once.n_features == 3 and own.score(once) == own.score(choices, **given)
    live = own.filter()
    nats = [live.update(y, inputs=[c], transition_inputs=[c, r]) for y, c, r in zip(choices, *frame.to_numpy().T)]
    assert sum(nats) == pytest.approx(own.log_evidence_, abs=1e-6)
    with pytest.raises(SettingError, match="found the columns"):
        own.score(choices, inputs=frame[["contrast"]], transition_inputs=frame[["reward", "contrast"]])


def test_what_is_wrong_is_named():
    y, v = data()
    own = model()
    with pytest.raises(SettingError, match="transition_inputs.*cue, reward"):
        own.score(y)
    with pytest.raises(SizeError, match="transition_inputs: found 1 columns"):
        own.score(y, transition_inputs=v[:, 0])
    plain = scotopic.PoissonHMM(2)
    plain.startprob_, plain.transmat_, plain.lambdas_ = INITIAL, TRANSITION, RATES
    with pytest.raises(SettingError, match="no transition_inputs"):
        plain.score(y, transition_inputs=v)
    for ask in (
        lambda: own.statistics(y),
        lambda: own.compare(y),
        lambda: own.posterior(y, None, "frozen", transition_inputs=v),
    ):
        with pytest.raises(UnsupportedError, match="inputs of its transitions"):
            ask()
    with pytest.raises(SettingError, match="method"):
        scotopic.PoissonHMM(2, method="em").fit(y, transition_inputs=v)
    with pytest.raises(SettingError, match="pseudo_count"):
        scotopic.PoissonHMM(2, pseudo_count=1.0).fit(y, transition_inputs=v)
    v[3] = np.nan
    with pytest.raises(ObservationError, match="missing input"):
        own.score(y, transition_inputs=v)
    # Rows that are not one after the other in memory are not read as if they were.
    with pytest.raises(SizeError, match="C-contiguous"):
        _scotopic.Observations(np.asfortranarray(np.ones((3, 2))))
    base = own._model.base
    with pytest.raises(SizeError, match="transition_weights"):
        _scotopic.DrivenHmm(base, ["a"], np.zeros((2, 2, 2)), np.zeros(1))
