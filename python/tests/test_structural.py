"""Structural models, beside statsmodels and the numbers of the program."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import NotFittedError, ScotopicError, SettingError, SizeError, UnsupportedError


@pytest.fixture(scope="module")
def nile():
    from statsmodels.datasets import nile

    return nile.load_pandas().data["volume"].to_numpy()


@pytest.fixture(scope="module")
def monthly():
    """Fifteen years of a level, a slope and a season, three months of them missing."""
    rng = np.random.default_rng(1)
    t = np.arange(180)
    y = 100 + 0.2 * t + 3 * np.sin(2 * np.pi * t / 12) + np.cumsum(0.2 * rng.normal(size=180)) + 0.4 * rng.normal(size=180)
    y[[20, 21, 100]] = np.nan
    return y


def test_the_level_of_the_nile(nile):
    """Durbin and Koopman (2012), section 2.10.3; the digits of this project's own oracle."""
    model = scotopic.StructuralModel("level").fit(nile)
    assert model.converged_ and model.n_diffuse_ == 1
    assert_allclose(model.log_likelihood_, -632.545625, atol=1e-6)
    assert_allclose([model.params_["irregular"], model.params_["level"]], [15098.5, 1469.2], rtol=1e-4)
    assert_allclose(model.standard_errors_["irregular"], 3145.5, rtol=1e-3)
    assert_allclose(model.score(nile), model.log_likelihood_, rtol=1e-12)


def test_as_likely_as_in_statsmodels(monthly):
    """The fit is no worse, and one and the same model has the same states, forecasts and likelihood."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = scotopic.StructuralModel(["level", "slope", "seasonal:12"]).fit(monthly)
    # Ours leaves the states out that were spent on the diffuse start, theirs counts half ln 2 pi for each.
    spent = 0.5 * np.log(2 * np.pi) * model.n_diffuse_
    peer = UnobservedComponents(monthly, "local linear trend", seasonal=12, use_exact_diffuse=True)
    names = ["irregular", "level", "slope", "seasonal"]
    given = peer.smooth([model.params_[name] for name in names])
    assert_allclose(model.log_likelihood_ - spent, given.llf, rtol=1e-9)
    assert model.log_likelihood_ - spent > peer.fit(disp=False).llf - 1e-3
    ours = model.forecast(monthly, 12)
    theirs = given.get_forecast(12)
    assert_allclose(ours.mean[:, 0], theirs.predicted_mean, rtol=1e-8)
    assert_allclose(ours.variance[:, 0], theirs.var_pred_mean, rtol=1e-6)
    parts = model.decompose(monthly)
    assert parts.names == ["level", "slope", "seasonal:12"]
    assert_allclose(parts.means[:, 0], given.level.smoothed, rtol=1e-7)
    assert_allclose(parts.means[:, 1], given.trend.smoothed, rtol=1e-5)
    assert_allclose(parts.means[:, 2], given.seasonal.smoothed, atol=1e-6)
    # Components and noise add up to what was seen, on average over the posterior.
    seen = np.isfinite(monthly)
    left = monthly - parts.means[:, 0] - parts.means[:, 2]
    assert abs(left[seen].mean()) < 0.2


def test_fixed_and_tied(nile):
    fixed = scotopic.StructuralModel("level", fixed={"irregular": 15000.0}).fit(nile)
    assert fixed.params_["irregular"] == 15000.0 and np.isnan(fixed.standard_errors_["irregular"])
    assert fixed.log_likelihood_ < -632.545625
    assert fixed.summary().remarks[fixed.summary().names.index("irregular")] == "fixed"
    tied = scotopic.StructuralModel("level", tied=[["level", "irregular"]]).fit(nile)
    assert tied.params_["level"] == tied.params_["irregular"]
    assert tied.n_parameters_ == scotopic.StructuralModel("level").fit(nile).n_parameters_ - 1
    started = scotopic.StructuralModel("level", initial_variance=1e7).fit(nile)
    assert_allclose(started.log_likelihood_, -641.585578, atol=1e-5)


def test_units_do_not_matter(monthly):
    """A series in other units has the same fit in those units."""
    model = scotopic.StructuralModel("trend,seasonal:12").fit(monthly)
    for unit in (1e-5, 1e9):
        other = scotopic.StructuralModel("trend,seasonal:12").fit(unit * monthly)
        for name, value in model.params_.items():
            assert_allclose(other.params_[name], unit**2 * value, rtol=1e-3, atol=1e-8 * unit**2)


def test_summary_and_criteria(nile):
    model = scotopic.StructuralModel("level").fit(nile)
    told = model.summary(0.9)
    assert told.names == list(model.params_) and told.observations == 100
    assert_allclose([told.aic, told.bic], [model.aic(nile), model.bic(nile)], rtol=1e-12)
    assert (told.intervals[:, 0] > 0).all() and (told.intervals[:, 0] < told.estimates).all()
    assert "irregular" in repr(told) and "<table>" in told._repr_html_()
    gap = nile.copy()
    gap[10:20] = np.nan
    again = scotopic.StructuralModel("level").fit(gap)
    assert_allclose(again.bic(gap), again.summary().bic, rtol=1e-12)


def test_a_general_summary_is_that_of_the_program(nile):
    """Row 5 of docs/real-data.md: Q 1469 ± 1280.2, R 15099 ± 3145.4."""
    level = scotopic.LinearGaussian.local_level(1468.5, 15099.7, 0.0, 1e7)
    told = level.summary(nile)
    errors = dict(zip(told.names, told.standard_errors))
    found = sorted(error for error in errors.values() if np.isfinite(error) and error > 100)
    assert_allclose(found, [1280.2, 3145.4], rtol=1e-3)


def test_residuals_are_those_of_the_program(nile):
    """Row 4 of docs/real-data.md."""
    level = scotopic.LinearGaussian.local_level(1468.5, 15099.7, 0.0, 1e7)
    residuals = level.residuals(nile)
    (test,) = residuals.tests
    assert residuals.values.shape == (100, 1)
    assert_allclose(test["independence"], [13.643, 0.1899], rtol=1e-3)
    assert_allclose(test["normality"], [0.079, 0.9614], rtol=1e-2)
    assert residuals._repr_svg_().startswith("<svg") and "Ljung-Box" in repr(residuals)


def test_residuals_of_counts():
    model = scotopic.PoissonHMM(2)
    model.startprob_, model.transmat_, model.lambdas_ = [0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], [[2.0], [9.0]]
    x, _ = model.sample(3000, random_state=0)
    z = model.residuals(x).values
    # Independent N(0, 1): the mean within four of its standard errors, the variance likewise.
    assert abs(z.mean()) < 4 / np.sqrt(3000) and abs(z.var() - 1) < 4 * np.sqrt(2 / 3000)
    assert not np.array_equal(z, model.residuals(x, random_state=1).values)
    middle = model.residuals(x, random_state=None).values
    assert np.array_equal(middle, model.residuals(x, random_state=None).values)
    with pytest.raises(SettingError):
        model.residuals([x, x])


def test_estimator(nile):
    from sklearn.base import clone

    model = scotopic.StructuralModel(["level"], fixed={"irregular": 1e4}, random_state=3)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        model.summary()
    model.fit(nile)
    again = pickle.loads(pickle.dumps(model))
    assert again.params_ == model.params_ and again.score(nile) == model.score(nile)
    live = model.filter()
    live.extend(nile)
    assert_allclose(live.elbo, model.log_likelihood_, rtol=1e-12)
    with pytest.raises(UnsupportedError):
        model.partial_fit(nile)
    with pytest.raises(UnsupportedError):
        model.maximise(model.statistics(nile))


@pytest.mark.parametrize(
    "settings, error",
    [
        (dict(components="levell"), "levell"),
        (dict(components=""), "component"),
        (dict(components="seasonal:1"), "seasonal"),
        (dict(fixed={"speed": 1.0}), "speed"),
        (dict(fixed={"level": -1.0}), "level"),
        (dict(fixed={"level": "much"}), "level"),
        (dict(tied=[["level", "speed"]]), "speed"),
        (dict(initial_variance=-1.0), "initial_variance"),
        (dict(n_init=0), "n_init"),
        (dict(tol=-1.0), "tol"),
    ],
)
def test_settings_that_make_no_sense(nile, settings, error):
    with pytest.raises(ScotopicError, match=error):
        scotopic.StructuralModel(**settings).fit(nile)


def test_data_that_make_no_sense(nile):
    with pytest.raises(SizeError):
        scotopic.StructuralModel("level").fit(np.column_stack([nile, nile]))
    with pytest.raises(ScotopicError):
        scotopic.StructuralModel("level").fit(np.full(50, 3.0))
    with pytest.raises(ScotopicError):
        scotopic.StructuralModel("level").fit(np.full(50, np.nan))


def test_a_regression_is_that_of_statsmodels():
    """docs/inputs.md: the inflation of the United States on its unemployment."""
    from statsmodels.datasets import macrodata
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    table = macrodata.load_pandas().data
    y, u = table["infl"].to_numpy(), table[["unemp"]]
    model = scotopic.StructuralModel("level,regression").fit(y, inputs=u)
    assert_allclose(model.log_likelihood_, -449.1637, atol=1e-4)
    assert model.inputs_ == ["unemp"] and model.n_diffuse_ == 2
    peer = UnobservedComponents(y, "llevel", exog=u.to_numpy(), mle_regression=False, use_exact_diffuse=True)
    given = peer.smooth([model.params_["irregular"], model.params_["level"]])
    # Ours leaves the states out that were spent on the diffuse start, theirs counts half ln 2 pi for each.
    assert_allclose(model.score(y, inputs=u) - np.log(2 * np.pi), given.llf, rtol=1e-10)
    beliefs = model.coefficients(y, inputs=u)
    assert_allclose(beliefs.means[:, 0], given.smoothed_state[1], rtol=1e-8)
    assert_allclose(beliefs.covariances[:, 0, 0], given.smoothed_state_cov[1, 1], rtol=1e-7)
    assert_allclose([beliefs.means[-1, 0], beliefs.covariances[-1, 0, 0] ** 0.5], [-0.9549, 0.2234], atol=1e-4)
    assert_allclose(model.smooth(y, inputs=u).means[:, 0], given.level.smoothed, rtol=1e-8)
    ahead = np.array([[9.6], [9.7]])
    ours, theirs = model.forecast(y, 2, inputs=u, future_inputs=ahead), given.get_forecast(2, exog=ahead)
    assert_allclose(ours.mean[:, 0], theirs.predicted_mean, rtol=1e-8)
    assert_allclose(ours.variance[:, 0], theirs.var_pred_mean, rtol=1e-8)
    parts = model.decompose(y, inputs=u)
    assert parts.names == ["level", "regression"]
    assert_allclose(parts.means[:, 1], beliefs.means[:, 0] * u["unemp"].to_numpy(), rtol=1e-12)
    assert model.aic(y, inputs=u) == pytest.approx(906.33, abs=0.01)
    assert model.bic(y, inputs=u) == pytest.approx(919.58, abs=0.01)
    live = model.filter()
    for value, row in zip(y, u.to_numpy()):
        live.update(value, inputs=row)
    assert_allclose(live.belief, model.smooth(y, inputs=u).means[-1], rtol=1e-8)
    again = pickle.loads(pickle.dumps(model))
    assert again.decompose(y, inputs=u).means.tolist() == parts.means.tolist()


def test_coefficients_that_walk():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    beta = np.cumsum(0.2 * rng.normal(size=300))
    y = beta * x[:, 0] + 2.0 * x[:, 1] + 0.3 * rng.normal(size=300)
    model = scotopic.StructuralModel("regression:walk", fixed={"regression.x2": 0.0}).fit(y, inputs=x)
    assert sorted(model.params_) == ["irregular", "regression.x1", "regression.x2"]
    beliefs = model.coefficients(y, inputs=x)
    assert np.corrcoef(beliefs.means[:, 0], beta)[0, 1] > 0.95
    # Five of its standard deviations.
    assert abs(beliefs.means[0, 1] - 2.0) < 5 * beliefs.covariances[0, 1, 1] ** 0.5 < 0.5
    with pytest.raises(SettingError, match="inputs"):
        scotopic.StructuralModel("level").fit(y, inputs=x)
    with pytest.raises(SettingError, match="inputs"):
        scotopic.StructuralModel("regression").fit(y)
    with pytest.raises(SettingError, match="found None"):
        model.score(y)
    with pytest.raises(UnsupportedError):
        scotopic.StructuralModel("level").fit(y).coefficients(y)


def test_variances_of_components_that_one_row_does_not_tell_apart_are_infinite():
    y = np.random.default_rng(0).normal(size=60).cumsum()
    model = scotopic.StructuralModel("trend", random_state=0).fit(y)
    parts = model.decompose([1.0, np.nan, np.nan, np.nan])
    assert not np.isnan(parts.variances).any()


@pytest.mark.parametrize("away", [1e4, 101_325.0, 2_460_000.0])
def test_a_regressor_far_from_zero(away):
    """A coefficient is that of the regressor less a constant: to the digits that the regressor has."""
    rng = np.random.default_rng(10)
    u = rng.normal(size=100)
    y = np.cumsum(rng.normal(size=100) * 0.3) + 2 * u + rng.normal(size=100)
    model = scotopic.StructuralModel("level,regression", random_state=0)
    near = model.fit(y, inputs=u[:, None]).coefficients(y, inputs=u[:, None])
    far = (away + u)[:, None]
    found = model.fit(y, inputs=far).coefficients(y, inputs=far)
    assert_allclose(found.means, near.means, rtol=1e-4)
    assert_allclose(found.covariances, near.covariances, rtol=1e-3)
    assert np.ptp(found.means) < 1e-5


def test_an_input_that_does_not_vary_has_no_effect():
    rng = np.random.default_rng(15)
    u = rng.normal(size=100)
    y = rng.normal(size=100).cumsum() * 0.3 + 2 * u + rng.normal(size=100)
    one = scotopic.LinearGaussian(1).fit(y, inputs=np.ones(100))
    none = scotopic.LinearGaussian(1).fit(y, inputs=np.zeros(100))
    assert abs(one.score(y, inputs=np.ones(100)) - none.score(y, inputs=np.zeros(100))) < 1e-6
    assert np.abs(one.direct_).max() < 10.0 and np.abs(one.control_).max() < 10.0
