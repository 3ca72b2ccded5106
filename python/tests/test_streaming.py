"""Filters: one observation at a time."""

import copy
import pickle

import numpy as np
import pytest
from conftest import random_hmm, random_walk
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import ObservationError, ScotopicError, SettingError, UnsupportedError


def test_updates_are_the_rows_of_the_batch(hmm):
    x, _ = hmm.sample(40, random_state=0)
    x[5] = np.nan
    one = hmm.filter()
    increments = [one.update(row) for row in x]
    assert_allclose(increments, hmm.log_predictive(x), rtol=1e-13)
    assert_allclose(one.belief, hmm.filter_proba(x)[-1], rtol=1e-13)
    assert_allclose(one.elbo, hmm.score(x), rtol=1e-13)
    many = hmm.filter()
    filtered = many.extend(x)
    assert (filtered.beliefs == hmm.filter_proba(x)).all() and filtered.covariances is None
    assert many.elbo == one.elbo and many.n_observations == 40


def test_every_way_to_write_an_observation():
    model = random_walk(n=2, m=2)
    row = np.array([0.5, 1.0])
    ways = [
        row,
        [0.5, 1.0],
        (0.5, 1),
        row.astype(np.float32),
        row[None, :],
        np.array([0.5, 9, 1.0, 9])[::2],
        [0.5, np.float64(1)],
    ]
    elbos = set()
    for way in ways:
        filter = model.filter()
        filter.update(way)
        elbos.add(filter.elbo)
    assert len(elbos) == 1
    for missing in (None, [None, None], np.full(2, np.nan), [float("nan"), None]):
        assert model.filter().update(missing) == 0.0
    level = scotopic.LinearGaussian.local_level()
    first = {
        level.filter().update(y)
        for y in (1, 1.0, np.float64(1), np.int64(1), np.float32(1), [1], np.array([1]), np.array(1.0))
    }
    assert len(first) == 1


@pytest.mark.parametrize(
    "bad", ["x", b"x", object(), {}, [[1.0], [2.0]], np.zeros((2, 2)), ["a"], np.array(["a"]), 1j, [1.0, 2.0, 3.0], []]
)
def test_what_is_no_observation_is_refused_and_changes_nothing(bad):
    filter = random_walk(n=2, m=2).filter()
    filter.update([0.5, 1.0])
    before = filter.snapshot()
    with pytest.raises((TypeError, ValueError)):
        filter.update(bad)
    assert filter.snapshot() == before


def test_a_bad_row_in_a_batch_changes_nothing(hmm):
    x, _ = hmm.sample(10, random_state=0)
    filter = hmm.filter()
    filter.extend(x)
    before = filter.snapshot()
    x[7] = np.inf
    with pytest.raises(ObservationError):
        filter.extend(x)
    assert filter.snapshot() == before and filter.n_observations == 10


def test_snapshots_continue_bit_for_bit(hmm):
    x, _ = hmm.sample(40, random_state=0)
    kinds = [hmm.filter(), hmm.filter(learn=True, block=8), hmm.filter("tied")]
    if not isinstance(hmm, scotopic.AutoregressiveHMM):  # keeps no smoothed states
        kinds.append(hmm.filter(lag=3))
    for made in kinds:
        made.extend(x[:20])
        others = [
            scotopic.Filter.restore(made.snapshot()),
            pickle.loads(pickle.dumps(made)),
            copy.copy(made),
            copy.deepcopy(made),
        ]
        made.extend(x[20:])
        for other in others:
            assert type(other) is scotopic.Filter
            other.extend(x[20:])
            assert other.elbo == made.elbo and (other.belief == made.belief).all()
    for bad in (b"", b"scotopic filter 2\n", made.snapshot()[:-1], made.snapshot()[:40] + b"x"):
        with pytest.raises(ValueError):
            scotopic.Filter.restore(bad)


def test_smoothing_a_fixed_lag_back_is_the_smoother(hmm):
    if isinstance(hmm, scotopic.AutoregressiveHMM):
        pytest.skip("a filter of an autoregression keeps no smoothed states")
    x, _ = hmm.sample(30, random_state=0)
    filter = hmm.filter(lag=5)
    filter.extend(x)
    smoothed = hmm.predict_proba(x)
    for back in range(6):
        assert_allclose(filter.smooth(back), smoothed[-1 - back], rtol=1e-9, atol=1e-12)
    with pytest.raises(SettingError):
        filter.smooth(6)
    with pytest.raises(SettingError):
        hmm.filter().smooth(1)


def test_smoothing_back_and_forecasts_of_a_walk():
    model = random_walk()
    y, _ = model.sample(30, random_state=0)
    filter = model.filter(lag=4)
    filter.extend(y)
    smoothed = model.smooth(y)
    mean, covariance = filter.smooth(4)
    assert_allclose(mean, smoothed.means[-5], rtol=1e-10)
    assert_allclose(covariance, smoothed.covariances[-5], rtol=1e-10)
    ahead, batch = filter.forecast(7), model.forecast(y, 7)
    assert_allclose(ahead.mean, batch.mean, rtol=1e-12)
    assert_allclose(ahead.variance, batch.variance, rtol=1e-12)
    # A missing row has the forecast as its prediction.
    gap = np.vstack([y, np.full((7, 3), np.nan)])
    assert_allclose(model.predict(gap)[-7:], ahead.mean, rtol=1e-12)
    low, high = ahead.interval(0.95)
    assert_allclose(high - low, 2 * 1.959963984540054 * np.sqrt(ahead.variance), rtol=1e-12)


def test_forecasts_of_symbols():
    model = random_hmm("categorical")
    filter = model.filter()
    filter.extend([0, 1, 2])
    p = filter.belief
    ahead = filter.forecast(3)
    for h in range(3):
        p = p @ model.transmat_
        assert_allclose(ahead.probabilities[h], p @ model.emissionprob_, rtol=1e-12)
    assert filter.n_observations == 3


@pytest.mark.parametrize("rule", ["block-online-em", "online-em", "fixed-lag", "rmle", "dirichlet"])
def test_every_rule_learns(rule):
    truth = scotopic.PoissonHMM(2)
    truth.startprob_, truth.transmat_, truth.lambdas_ = [0.5, 0.5], [[0.95, 0.05], [0.1, 0.9]], [[2.0], [12.0]]
    x, _ = truth.sample(20_000, random_state=0)
    start = scotopic.PoissonHMM(2)
    start.startprob_, start.transmat_, start.lambdas_ = [0.5, 0.5], [[0.8, 0.2], [0.2, 0.8]], [[4.0], [8.0]]
    filter = start.filter(learn=rule)
    filter.extend(x)
    learned = filter.model
    assert isinstance(learned, scotopic.PoissonHMM)
    assert_allclose(np.sort(learned.lambdas_.ravel()), [2.0, 12.0], rtol=0.05)
    assert learned.score(x) > start.score(x)


def test_rules_of_walks_and_their_settings():
    model = random_walk(n=1, m=1)
    y, _ = model.sample(3000, random_state=0)
    start = scotopic.LinearGaussian.local_level(process_noise=5.0)
    for rule in (True, "block-online-em", "online-em", "rmle"):
        filter = start.filter(learn=rule)
        filter.extend(y)
        assert filter.model.score(y) > start.score(y)
    with pytest.raises(SettingError, match="rule"):
        start.filter(learn="dirichlet")
    with pytest.raises(SettingError, match="found ndarray.*update"):
        start.filter(np.zeros(3))
    with pytest.raises(SettingError, match="blok"):
        start.filter(learn=True, blok=3)
    with pytest.raises(ScotopicError, match="block"):
        start.filter(block=3)
    with pytest.raises(UnsupportedError):
        start.filter("diagonal", learn=True)


def test_factorisations_are_bounds(hmm):
    x, _ = hmm.sample(200, random_state=0)
    exact = hmm.score(x)
    for name in ("decoupled-lag1", "frozen", "tied"):
        filter = hmm.filter(name)
        filter.extend(x)
        assert filter.elbo <= exact + 1e-9
    with pytest.raises(UnsupportedError):
        hmm.filter("fully-factorised")
    with pytest.raises(SettingError):
        hmm.filter("fully")


def test_nonlinear_and_generalised_models_are_filtered_from_their_files():
    volatility = 'kind = "stochastic-volatility"\na = 0.95\nq = 0.1\nbeta = 0.7\nm0 = 0.0\nv0 = 1.0\n'
    filter = scotopic.Filter(volatility)
    filter.extend(np.random.default_rng(0).normal(size=50))
    assert np.isfinite(filter.elbo) and filter.belief.shape == (1,)
    assert filter.model.startswith("kind = ")
    with pytest.raises(ValueError, match="kind"):
        scotopic.Filter('kind = "none"')
    with pytest.raises(TypeError):
        scotopic.Filter(3)


def test_partial_fit_follows_a_stream():
    truth = random_hmm("poisson", k=2)
    x, _ = truth.sample(30_000, random_state=0)
    model = scotopic.PoissonHMM(2, random_state=0)
    for part in np.array_split(x, 30):
        assert model.partial_fit(part) is model
    assert model.score(x) > truth.score(x) - 0.002 * len(x)


def test_model_files_are_those_of_the_program(hmm, tmp_path):
    path = tmp_path / "model.toml"
    hmm.save(path)
    again = scotopic.load(path)
    x, _ = hmm.sample(20, random_state=0)
    assert type(again) is type(hmm) and again.score(x) == hmm.score(x)
    walk = random_walk()
    walk.save(path)
    y, _ = walk.sample(20, random_state=0)
    assert scotopic.load(path).score(y) == walk.score(y)


def test_rows_of_pandas_are_observations():
    pd = pytest.importorskip("pandas")
    model = random_walk(n=2, m=2)
    table = pd.DataFrame({"a": [0.5, pd.NA, 1.5], "b": [1.0, 2.0, pd.NA]}, dtype="Float64")
    one, other = model.filter(), model.filter()
    found = [one.update(row) for _, row in table.iterrows()]
    assert found == [other.update(row) for row in ([0.5, 1.0], [None, 2.0], [1.5, pd.NA])]
    assert model.filter().update(pd.NA) == 0.0


def test_a_model_without_parameters_has_no_filter():
    model = scotopic.PoissonHMM(2)
    for ask in (scotopic.Filter, lambda model: scotopic.compare(model, [1.0, 2.0])):
        with pytest.raises(scotopic.errors.NotFittedError, match="not fitted"):
            ask(model)
