"""Several series are several: where one is continued they are refused, and nothing is changed."""

import numpy as np
import pytest
from conftest import drawn, random_population, random_walk

import scotopic
from scotopic.errors import SettingError

RNG = np.random.default_rng(0)
MANY = "setting `sequences`: found 2, expected one series"


def hidden(kind):
    model, x, given = drawn(kind, t=80)
    return model, x, given


CASES = {
    "categorical": lambda: hidden("categorical"),
    "diag": lambda: hidden("diag"),
    "linear-regression": lambda: hidden("linear-regression"),
    "poisson-exposure": lambda: hidden("poisson-exposure"),
    "autoregression-full": lambda: hidden("autoregression-full"),
    "linear-gaussian": lambda: (random_walk(), random_walk().sample(80, random_state=0)[0], {}),
    "plds": lambda: (random_population(), random_population().sample(80, random_state=0)[0], {}),
}


def both(x, given, cut=30):
    """A series cut in two, as a list and as observations."""
    pieces = {name: [values[:cut], values[cut:]] for name, values in given.items()}
    yield [x[:cut], x[cut:]], pieces
    yield scotopic.observations([x[:cut], x[cut:]], **pieces), {}


@pytest.mark.parametrize("case", CASES)
def test_what_continues_one_series_refuses_several(case):
    model, x, given = CASES[case]()
    future = {f"future_{name}": values[:2] for name, values in given.items()}
    live = model.filter()
    live.extend(x, **given)
    before = live.elbo, live.n_observations
    for several, pieces in both(x, given):
        for refused in (
            lambda: model.forecast(several, 2, **pieces, **future),
            lambda: live.extend(several, **pieces),
            lambda: live.partial_fit(several, **pieces),
            lambda: model.partial_fit(several, **pieces),
        ):
            with pytest.raises(SettingError, match=MANY) as found:
                refused()
            assert found.value.field == "sequences"
        # What sums over sequences still does, and is not the score of one series: no transition leads over the cut.
        parts = sum(model.score(x[at], **{name: v[at] for name, v in given.items()}) for at in (slice(30), slice(30, None)))
        np.testing.assert_allclose(model.score(several, **pieces), parts, rtol=1e-12)
    assert (live.elbo, live.n_observations) == before


def test_a_list_of_one_is_one_series():
    model, x, _ = hidden("diag")
    assert np.array_equal(model.forecast([x], 3).mean, model.forecast(x, 3).mean)
    assert np.array_equal(model.filter().extend([x]).log_predictive, model.filter().extend(x).log_predictive)


def test_components_are_of_one_series():
    y = np.cumsum(RNG.normal(size=(60, 1)), axis=0)
    model = scotopic.StructuralModel("level").fit([y[:30], y[30:]])
    with pytest.raises(SettingError, match=MANY):
        model.decompose([y[:30], y[30:]])
    with pytest.raises(SettingError, match="sequences"):
        model.forecast([y[:30], y[30:]])


def test_an_unfitted_model_is_left_unfitted():
    model = scotopic.PoissonHMM(2, random_state=0)
    with pytest.raises(SettingError, match=MANY):
        model.partial_fit([np.ones((5, 1)), np.ones((5, 1))])
    assert not hasattr(model, "lambdas_")
