"""Expected statistics: values that add up, in one process or in several."""

import pickle

import numpy as np
import pytest
from conftest import GIVEN, LAGGED, MORE, given_of, random_hmm, random_population, random_walk
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import SizeError


def parameters(model):
    return {name: value for name, value in model._given().items()}


def same(a, b, rtol):
    assert a.keys() == b.keys()
    for name in a:
        assert_allclose(a[name], b[name], rtol=rtol, atol=rtol, err_msg=name)


def test_parts_add_up_and_one_step_is_one_iteration(hmm):
    x, _ = hmm.sample(300, random_state=0)
    parts = np.array_split(x, 7)
    whole = hmm.statistics(parts)
    added = sum(hmm.statistics(part) for part in parts)
    assert_allclose(added.log_evidence, hmm.score(parts), rtol=1e-12)
    assert added.observations == whole.observations == 300
    assert_allclose(added.transitions, whole.transitions, rtol=1e-12)
    assert_allclose(added.initial.sum(), 7.0, rtol=1e-12)
    fitted = type(hmm)(**hmm.get_params()).set_params(init="parameters", method="em", n_iter=1, tol=0.0)
    for name, value in parameters(hmm).items():
        setattr(fitted, name, value)
    fitted.fit(parts)
    same(parameters(hmm.maximise(added)), parameters(fitted), 1e-10)


def test_statistics_are_pickled_and_know_their_model(hmm):
    x, _ = hmm.sample(30, random_state=0)
    mine = hmm.statistics(x)
    again = pickle.loads(pickle.dumps(mine))
    assert again.log_evidence == mine.log_evidence and (again.emission == mine.emission).all()
    assert "30 observations" in repr(again)
    other = pickle.loads(pickle.dumps(hmm)).maximise(mine)
    with pytest.raises(SizeError, match="other parameters"):
        other.statistics(x) + mine
    with pytest.raises(SizeError, match="other parameters"):
        other.maximise(mine)
    with pytest.raises(TypeError):
        mine + 1
    with pytest.raises(TypeError):
        1 + mine
    with pytest.raises(ValueError):
        scotopic.HmmStatistics(b"no statistics")


def test_walks_too():
    model = random_walk()
    y, _ = model.sample(200, random_state=0)
    parts = np.array_split(y, 4)
    added = sum(pickle.loads(pickle.dumps(model.statistics(part))) for part in parts)
    assert_allclose(added.log_evidence, model.score(parts), rtol=1e-12)
    fitted = random_walk().set_params(init="parameters", n_iter=1).fit(parts)
    same(parameters(model.maximise(added)), parameters(fitted), 1e-9)
    with pytest.raises(TypeError):
        model.statistics(y) + random_hmm("diag").statistics(y[:, :2])
    with pytest.raises(SizeError):
        random_walk(n=1, m=1).maximise(added)


def test_populations_too(population):
    x, _ = population.sample(120, random_state=0)
    x[30], x[50, 1] = np.nan, np.nan
    parts = np.array_split(x, 4)
    added = sum(pickle.loads(pickle.dumps(population.statistics(part))) for part in parts)
    assert_allclose(added.elbo, population.smooth(parts).elbo, rtol=1e-12)
    assert added.observations == 120 and "120 observations" in repr(added)
    fitted = pickle.loads(pickle.dumps(population)).set_params(init="parameters", n_iter=1).fit(parts)
    same(parameters(population.maximise(added)), parameters(fitted), 1e-10)
    with pytest.raises(TypeError):
        added + 1
    with pytest.raises(TypeError):
        population.maximise(random_walk().statistics(np.zeros((3, 3))))
    other = random_population(population._LAW, n=1)
    with pytest.raises(SizeError, match="1 latents"):
        added + other.statistics(x)
    with pytest.raises(SizeError, match="2 latents"):
        other.maximise(added)
    with pytest.raises(ValueError):
        scotopic.PldsStatistics(b"no statistics")


def test_two_processes_fit_a_population_as_one_does(population):
    joblib = pytest.importorskip("joblib")
    sequences = [population.sample(80, random_state=seed)[0] for seed in range(6)]
    one, two = (random_population(population._LAW, seed=2) for _ in range(2))
    with joblib.Parallel(n_jobs=2) as parallel:
        for _ in range(5):
            one.maximise(one.statistics(sequences))
            halves = parallel(joblib.delayed(expect)(two, part, {}) for part in (sequences[:3], sequences[3:]))
            two.maximise(sum(halves))
    same(parameters(two), parameters(one), 1e-10)
    assert_allclose(two.smooth(sequences).elbo, one.smooth(sequences).elbo, rtol=1e-10)
    assert one.smooth(sequences).elbo > random_population(population._LAW, seed=2).smooth(sequences).elbo


def test_with_inputs_and_exposure_too(given_hmm):
    given = given_of(given_hmm, 300)
    x, _ = given_hmm.sample(random_state=0, **given)
    cuts = range(60, 300, 60)
    parts, apart = np.split(x, cuts), {name: np.split(values, cuts) for name, values in given.items()}
    each = [given_hmm.statistics(part, **{n: v[i] for n, v in apart.items()}) for i, part in enumerate(parts)]
    added = sum(pickle.loads(pickle.dumps(one)) for one in each)
    assert_allclose(added.log_evidence, given_hmm.score(parts, **apart), rtol=1e-12)
    assert added.observations == 300
    assert_allclose(added.emission, given_hmm.statistics(parts, **apart).emission, rtol=1e-10, atol=1e-10)
    fitted = pickle.loads(pickle.dumps(given_hmm)).set_params(init="parameters", method="em", n_iter=1, tol=0.0)
    fitted.fit(parts, **apart)
    other = pickle.loads(pickle.dumps(given_hmm))
    same(parameters(other.maximise(added)), parameters(fitted), 1e-10)
    with pytest.raises(SizeError, match="other parameters"):
        other.maximise(added)


def expect(model, part, given):
    return model.statistics(part, **given)


@pytest.mark.parametrize("kind", ["diag", *MORE, *GIVEN, *LAGGED])
def test_two_processes_fit_as_one_does(kind):
    joblib = pytest.importorskip("joblib")
    truth = random_hmm(kind, k=3, seed=1)
    given = [given_of(truth, 200, seed) for seed in range(12)]
    sequences = [truth.sample(None if g else 200, random_state=seed, **g)[0] for seed, g in enumerate(given)]
    given = {name: [g[name] for g in given] for name in given[0]}
    one = random_hmm(kind, k=3, seed=2).set_params(init="parameters", method="em", n_iter=10, tol=0.0)
    two = pickle.loads(pickle.dumps(one))
    one.fit(sequences, **given)
    halves = [
        (sequences[cut], {name: values[cut] for name, values in given.items()}) for cut in (slice(6), slice(6, 12))
    ]
    with joblib.Parallel(n_jobs=2) as parallel:
        for _ in range(10):
            two.maximise(sum(parallel(joblib.delayed(expect)(two, *half) for half in halves)))
    same(parameters(two), parameters(one), 1e-10)
    assert_allclose(two.score(sequences, **given), one.history_[-1], rtol=1e-10)
