"""Linear-Gaussian fits that hold single entries: `fixed` and `tied`."""

import numpy as np
import pytest

import scotopic
from scotopic.errors import SettingError, UnsupportedError


@pytest.fixture(scope="module")
def nile():
    from statsmodels.datasets import nile

    return nile.load_pandas().data["volume"].to_numpy()


def level(y, **settings):
    """A local level from an exactly diffuse start."""
    model = scotopic.LinearGaussian.of([[1.0]], [[1e3]], [[1.0]], [[1e4]], diffuse=[1.0])
    return model.set_params(init="parameters", **settings).fit(y)


def test_a_level_is_a_free_model_whose_entries_are_fixed(nile):
    free = ["transition", "process_noise", "observation", "observation_noise"]
    model = level(nile, learned=free, fixed=["transition_[0][0]", "H[0][0]"])
    # statsmodels: -632.545625 with 15098.5 and 1469.2 (docs/filtering.md).
    assert model.score(nile) == pytest.approx(-632.545625, abs=1e-5)
    assert model.observation_noise_[0, 0] == pytest.approx(15098.5, rel=1e-3)
    assert model.process_noise_[0, 0] == pytest.approx(1469.2, rel=1e-3)
    assert model.transition_[0, 0] == 1.0 and model.observation_[0, 0] == 1.0
    # Two variances, and the diffuse state.
    assert model.aic(nile) == pytest.approx(2 * 3 + 2 * 632.545625, abs=1e-4)
    summary = model.summary(nile)
    assert summary.remarks[summary.names.index("transition[1,1]")] == "held"


def test_tied_variances_are_one_number(nile):
    model = level(nile, learned=["process_noise", "observation_noise"], tied=[["Q[0][0]", "R[0][0]"]])
    assert model.process_noise_[0, 0] == model.observation_noise_[0, 0]
    structural = scotopic.StructuralModel("level", tied=[["level", "irregular"]]).fit(nile)
    assert model.score(nile) == pytest.approx(structural.log_likelihood_, abs=1e-6)
    assert model.bic(nile) == pytest.approx(structural.bic(nile), abs=1e-5)
    summary = model.summary(nile)
    first, second = (summary.standard_errors[summary.names.index(f"{name}[1,1]")] for name in ("process_noise", "observation_noise"))
    # The information of a variance of 99 innovations.
    assert first == second == pytest.approx(model.process_noise_[0, 0] * np.sqrt(2 / 99), rel=1e-3)


def test_tied_effects_of_inputs():
    rng = np.random.default_rng(0)
    u = rng.normal(size=(150, 2))
    y = 0.7 * u.sum(axis=1) + np.cumsum(0.2 * rng.normal(size=150)) + 0.3 * rng.normal(size=150)
    learned = ["process_noise", "direct", "offset", "observation_noise"]
    start = dict(initial_mean=[0.0], initial_covariance=[[1.0]])

    def fitted(inputs, **settings):
        model = scotopic.LinearGaussian.of(
            [[1.0]], [[0.1]], [[1.0]], [[0.1]], direct=np.zeros((1, inputs.shape[1])), **start
        )
        return model.set_params(init="parameters", learned=learned, **settings).fit(y, inputs=inputs)

    tied = fitted(u, tied=[["direct_[0][0]", "direct_[0][1]"]])
    both = fitted(u.sum(axis=1, keepdims=True))
    assert tied.direct_[0, 0] == tied.direct_[0, 1] == pytest.approx(both.direct_[0, 0], abs=1e-4)
    assert tied.converged_


def test_rates_stay_what_they_are():
    rng = np.random.default_rng(1)
    hours = np.cumsum(rng.uniform(0.1, 0.7, size=120))
    y = np.sin(0.5 * hours) + 0.1 * rng.normal(size=120)
    model = scotopic.ContinuousLinearGaussian.of(
        [[0.0, 1.0], [-0.3, -0.1]], [[0.0, 0.0], [0.0, 0.1]], [[1.0, 0.0]], [[0.05]], inputs=["hours"]
    )
    learned = ["drift", "diffusion", "observation_noise"]
    before = model.score(y, inputs=hours)
    fitted = model.set_params(learned=learned, fixed=["drift[0][0]", "drift_[0][1]"]).fit(y, inputs=hours)
    assert fitted.drift_[0].tolist() == [0.0, 1.0]
    assert fitted.log_evidence_ > before


def test_what_cannot_be_held_is_refused(nile):
    for settings, said in (
        (dict(fixed=["F[0][1]"]), "F is 1×1"),
        (dict(fixed=["G[0][0]"]), "`fixed`"),
        (dict(fixed=["F[0]"]), "row and column"),
        (dict(tied=[["F[0][0]", "R[0][0]"]]), "`tied`"),
        (dict(tied=["Q[0][0]", "R[0][0]"]), "list of lists"),
        (dict(tied=[["R[0][0]"]]), "two entries"),
    ):
        with pytest.raises(SettingError, match=said):
            level(nile, learned=["process_noise", "observation_noise"], **settings)
    with pytest.raises(SettingError, match="init='parameters'"):
        scotopic.LinearGaussian(1, fixed=["F[0][0]"]).fit(nile)
    held = level(nile, learned=["process_noise", "observation_noise"], fixed=["F[0][0]"])
    with pytest.raises(UnsupportedError, match="whole matrices"):
        held.filter(learn=True)
    with pytest.raises(UnsupportedError, match="whole matrices"):
        held.partial_fit(nile)
    with pytest.raises(SettingError, match="callback"):
        held.fit(nile, callback=print)
    proper = scotopic.LinearGaussian.local_level()
    with pytest.raises(UnsupportedError, match="M-step"):
        proper.set_params(fixed=["F[0][0]"]).maximise(scotopic.LinearGaussian.local_level().statistics(nile))
