"""Fits, files and streams of emissions beyond hmmlearn's, of inputs and exposure, against statsmodels."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import GIVEN, MORE, drawn, given_of, random_hmm
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import SettingError


@pytest.mark.parametrize("kind", [*MORE, *GIVEN])
def test_fits_are_no_worse_than_the_truth(kind):
    truth, x, given = drawn(kind, t=1500, k=2)
    model = type(truth)(2, random_state=0).fit(x, **given)
    assert model.score(x, **given) == pytest.approx(model.log_evidence_, rel=1e-9)
    assert model.score(x, **given) >= truth.score(x, **given) - 0.1
    assert model.n_features_in_ == x.shape[1] and model._given_names()[0] == truth._given_names()[0]
    # EM finds a maximum near its start: from the truth it climbs, and from guesses of its own it has one.
    em = pickle.loads(pickle.dumps(truth)).set_params(init="parameters", method="em", n_iter=20).fit(x, **given)
    assert (np.diff(em.history_) >= -1e-9 * abs(em.history_[0])).all() and em.history_[0] == truth.score(x, **given)
    assert np.isfinite(em.set_params(init="guess", n_init=2, random_state=0).fit(x, **given).score(x, **given))
    if given:
        with pytest.raises(SettingError, match="found None"):
            model.set_params(init="parameters").fit(x)


def test_one_state_is_a_generalised_linear_model():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    x, e = rng.normal(size=(400, 2)), rng.uniform(0.5, 3.0, size=400)
    design = sm.add_constant(x)
    eta = 0.3 + x @ [1.0, -0.5]
    y = (rng.random(400) < 1 / (1 + np.exp(-eta))).astype(float)
    theirs = sm.Logit(y, design).fit(disp=0)
    ours = scotopic.LogisticRegressionHMM(1).fit(y, inputs=x)
    # Both are at their maximum to 1e-8 nats an observation; parameters are as much less certain as the root of that.
    assert_allclose(ours.log_evidence_, theirs.llf, rtol=1e-8)
    assert_allclose(ours.weights_[0], theirs.params, atol=1e-3)
    counts = rng.poisson(e * np.exp(eta))
    theirs = sm.GLM(counts, design, family=sm.families.Poisson(), exposure=e).fit()
    ours = scotopic.PoissonRegressionHMM(1).fit(counts, inputs=x, exposure=e)
    assert_allclose(ours.log_evidence_, theirs.llf, rtol=1e-8)
    assert_allclose(ours.weights_[0], theirs.params, atol=1e-3)
    numbers = eta + rng.normal(size=400)
    theirs = sm.OLS(numbers, design).fit()
    ours = scotopic.LinearRegressionHMM(1).fit(numbers, inputs=x)
    assert_allclose(ours.log_evidence_, theirs.llf, rtol=1e-8)
    assert_allclose(ours.coef_[0], theirs.params[1:], atol=1e-3)
    report = ours.summary(numbers, inputs=x)
    errors = [e for name, e in zip(report.names, report.standard_errors) if name.startswith("weights")]
    assert_allclose(errors, theirs.bse * np.sqrt(397 / 400), rtol=1e-3)  # of maximum likelihood


def test_the_choices_of_the_documents():
    path = Path(__file__).resolve().parents[2] / "examples" / "choices.csv"
    if not path.exists():
        pytest.skip("the tests are not in a checkout")
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(path)
    inputs = table[["contrast", "previous"]]
    model = scotopic.LogisticRegressionHMM(3, random_state=0).fit(table["choice"], inputs=inputs)
    # docs/inputs.md, and filtering/tests/golden in numpy.
    assert model.score(table["choice"], inputs=inputs) == pytest.approx(-714.726728, abs=1e-4)
    assert model.inputs_ == ["contrast", "previous"]
    with pytest.raises(SettingError, match="found the columns"):
        model.score(table["choice"], inputs=inputs[["previous", "contrast"]])
    report = model.summary(table["choice"], inputs=inputs)
    assert [name for name in report.names if name.startswith("weights")][0] == "weights[1,1]"


def test_models_survive_pickles_files_and_clones(given_hmm, tmp_path):
    from sklearn.base import clone

    model, given = given_hmm, given_of(given_hmm, 40)
    x, _ = model.sample(random_state=1, **given)
    exact = model.score(x, **given)
    again = pickle.loads(pickle.dumps(model))
    assert again.score(x, **given) == exact and again._given_names() == model._given_names()
    model.save(tmp_path / "model.toml")
    read = scotopic.load(tmp_path / "model.toml")
    assert type(read) is type(model) and read.score(x, **given) == exact
    other = clone(model)
    assert not hasattr(other, "startprob_") and getattr(other, "exposure_", None) is None
    live = model.filter()
    live.extend(x, **given)
    copy = pickle.loads(pickle.dumps(live))
    row = {name: values[0] for name, values in given.items()}
    assert copy.update(x[0], **row) == live.update(x[0], **row) and copy.given == live.given


@pytest.mark.parametrize("kind", GIVEN)
def test_learning_on_a_stream(kind):
    truth, x, given = drawn(kind, t=3000, k=2)
    start = random_hmm(kind, k=2, seed=5)
    before = start.score(x, **given)
    for i in range(0, 3000, 500):
        start.partial_fit(x[i : i + 500], **{name: values[i : i + 500] for name, values in given.items()})
    assert start.score(x, **given) > before
    new = type(truth)(2, random_state=0).partial_fit(x, **given)
    assert np.isfinite(new.score(x, **given))


def test_residuals_and_comparisons(given_hmm):
    given = given_of(given_hmm, 400)
    x, _ = given_hmm.sample(random_state=1, **given)
    found = given_hmm.residuals(x, **given)
    # Under the model they are standard normal: four standard errors of 400 of them.
    assert np.abs(found.values.mean(axis=0)).max() < 0.2
    table = given_hmm.compare(x, ["reversed", "frozen"], **given)
    assert table["gap"][0] == pytest.approx(0.0, abs=1e-8) and table["gap"][1] > 0


def test_samples(given_hmm):
    given = given_of(given_hmm, 30)
    x, states = given_hmm.sample(random_state=3, **given)
    y, _ = given_hmm.sample(30, random_state=3, **given)
    assert (x == y).all() and x.shape == (30, given_hmm.n_features_in_) and states.shape == (30,)
    with pytest.raises(SettingError, match="n_samples"):
        given_hmm.sample(29, **given)
