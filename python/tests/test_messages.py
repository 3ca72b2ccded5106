"""What errors say."""

import numpy as np
import pytest

import scotopic


def test_errors_name_arrays_as_the_attributes_are_named():
    from scotopic.errors import ParameterError, SizeError

    good = {"startprob_": [0.5, 0.5], "transmat_": [[0.5, 0.5]] * 2, "means_": [[0.0], [1.0]], "covars_": [[1.0], [1.0]]}
    wrong = [
        ("startprob_", [0.5, 0.6], ParameterError, "startprob_: found a sum of 1.1"),
        ("startprob_", [0.5, 0.2, 0.3], SizeError, "startprob_: found 3, expected 2, as the setting n_components"),
        ("transmat_", np.full((3, 3), 1 / 3), SizeError, "transmat_: found"),
        ("transmat_", [[0.5, 0.6], [0.5, 0.5]], ParameterError, r"transmat_\[0\]: found a sum of 1.1"),
        ("means_", [[0.0, 1.0]], ParameterError, r"covars_\[0\]: found 1 entries, expected 2, as means_\[0\]"),
        ("means_", [[float("nan")], [1.0]], ParameterError, "means_: entry 0 is NaN"),
        ("covars_", [[-1.0], [1.0]], ParameterError, r"covars_\[0\]\[0\]: found -1"),
    ]
    for name, value, kind, words in wrong:
        model = scotopic.GaussianHMM(2)
        for attribute, array in {**good, name: value}.items():
            setattr(model, attribute, array)
        with pytest.raises(kind, match=f"^{words}"):
            model.score([[1.0]])


def test_symbols_are_one_column_of_an_alphabet():
    from scotopic.errors import ObservationError, SizeError

    model = scotopic.CategoricalHMM(2)
    with pytest.raises(SizeError, match="observation: found 2, expected 1, a symbol"):
        model.fit([[0, 1], [1, 2], [2, 0]])
    with pytest.raises(ObservationError, match=r"observation 2, entry 0: found 1000000000, expected a symbol below a million"):
        model.fit([[0], [1], [10**9]])


def test_inputs_that_say_nothing_are_named():
    from scotopic.errors import DependentColumnsError

    y, u = np.random.default_rng(0).normal(size=(2, 60, 1))
    with pytest.raises(DependentColumnsError, match="the input x2 does not vary"):
        scotopic.LinearRegressionHMM(2).fit(y, inputs=np.hstack([u, np.ones((60, 1))]))
    with pytest.raises(DependentColumnsError, match="the inputs x1, x2 are combinations"):
        scotopic.LinearRegressionHMM(2).fit(y, inputs=np.hstack([u, 2 * u]))
    with pytest.raises(DependentColumnsError, match="transition_inputs: the input v1 does not vary.*leave one out$"):
        scotopic.GaussianHMM(2).fit(y, transition_inputs=np.ones(60))


def test_what_is_not_the_number_of_a_setting_is_refused():
    from scotopic.errors import SettingError, SizeError

    x = np.random.default_rng(0).poisson(2.0, (50, 1))
    model = scotopic.PoissonHMM(2, random_state=0).fit(x)
    with pytest.raises(SettingError, match="setting `back`: found 4, expected less than the 0 observations"):
        model.filter(lag=3).smooth(4)
    with pytest.raises(SizeError, match="exposure: found 1 rows, expected 2"):
        scotopic.PoissonHMM(1).fit(x, exposure=np.ones(50)).filter().forecast(2, exposure=[1.0])
    with pytest.raises(SizeError, match="startprob_: found 2, expected 3, as the setting n_components"):
        model.set_params(n_components=3).score(x)


def test_choices_are_0_or_1():
    from scotopic.errors import ObservationError

    with pytest.raises(ObservationError, match="observation 1, entry 0: found 2, expected 0 or 1"):
        scotopic.BernoulliHMM(2).fit([[1.0], [2.0], [2.0], [1.0], [2.0]] * 5)


def test_a_row_of_a_table_is_taken_by_its_labels():
    from scotopic.errors import SettingError

    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    table = pandas.DataFrame(rng.normal(size=(80, 2)), columns=["u", "v"])
    filter = scotopic.LinearRegressionHMM(1).fit(rng.normal(size=80), inputs=table).filter()
    with pytest.raises(SettingError, match="setting `inputs`: found v, u, expected u, v"):
        filter.update(1.0, inputs=pandas.Series({"v": 2.0, "u": 1.0}))
    assert np.isfinite(filter.update(1.0, inputs=table.iloc[0]))


def test_lengths_in_the_place_of_y_are_refused():
    from scotopic.errors import SettingError

    x = np.random.default_rng(0).normal(size=200)
    model = scotopic.GaussianHMM(2, random_state=0).fit(x)
    for y in ([100, 100], 200, [[100], [100]], [[100, 100]], (100, 100), [[1], [1, 2]]):
        for asked in (model.fit, model.score):
            with pytest.raises(SettingError, match="setting `y`: .*pass lengths by keyword") as found:
                asked(x, y)
            assert found.value.field == "y"
    assert np.isfinite(model.score(x, np.zeros(200))) and np.isfinite(model.score(x, np.zeros((200, 1))))
    for lengths in (200, [[100, 100]], [100.0, 100.0], [True] * 200, [[1], [1, 2]]):
        with pytest.raises(SettingError, match="setting `lengths`: .*expected a list of whole numbers"):
            model.score(x, lengths=lengths)


def test_an_array_of_arrays_is_told_of():
    from scotopic.errors import DataError

    parts = np.empty(2, dtype=object)
    parts[:] = [np.zeros((3, 1)), np.zeros((4, 1))]
    with pytest.raises(DataError, match=r"X: found an array of 2 objects that are arrays.*list\(X\)"):
        scotopic.GaussianHMM(1).fit(parts)


def test_advice_is_what_the_model_has():
    from scotopic.errors import DependentColumnsError, SettingError, SizeError

    with pytest.raises(DependentColumnsError, match="the series does not vary") as found:
        scotopic.StructuralModel("trend").fit(np.ones(20))
    assert "pseudo_count" not in str(found.value) and found.value.columns == [0]
    with pytest.raises(SettingError, match="setting `n_lags`: found 3, expected fewer than the 3 observations"):
        scotopic.AutoregressiveHMM(2, n_lags=3).fit(np.arange(3.0))
    walk = scotopic.LinearGaussian(1, tol=1e-2).fit(np.random.default_rng(0).normal(size=60))
    with pytest.raises(SizeError, match="transition_: found 1, expected 3, as the setting n_states"):
        walk.set_params(n_states=3).score([[0.0]])


@pytest.mark.parametrize("method", ["search", "em"])
@pytest.mark.parametrize("kind", ["diag", "full", "student-t", "linear-regression", "autoregression-full"])
def test_a_state_that_collapses_is_named_with_what_to_do(kind, method):
    from scotopic.errors import NotPositiveDefiniteError, ParameterError

    # Two rows that are equal, and a state that begins on them: its variance shrinks to nothing.
    x = 1000 + 100 * np.random.default_rng(0).normal(size=100)
    x[[10, 40]] = 1120.0
    of = {
        "diag": (scotopic.GaussianHMM(2), {"means_": [[1e3], [1120.0]], "covars_": [[1e4], [1e-2]]}),
        "full": (scotopic.GaussianHMM(2, "full"), {"means_": [[1e3], [1120.0]], "covars_": [[[1e4]], [[1e-2]]]}),
        "student-t": (
            scotopic.StudentTHMM(2),
            {"locations_": [[1e3], [1120.0]], "scales_": [[100.0], [0.01]], "freedoms_": [[5.0], [5.0]]},
        ),
        "linear-regression": (
            scotopic.LinearRegressionHMM(2),
            {"weights_": [[1e3, 0.0], [1120.0, 0.0]], "variances_": [1e4, 1e-2]},
        ),
        "autoregression-full": (
            scotopic.AutoregressiveHMM(2),
            {"intercept_": [[1e3], [1120.0]], "coef_": np.zeros((2, 1, 1, 1)), "covars_": [[[1e4]], [[1e-2]]]},
        ),
    }
    model, parameters = of[kind]
    spread = list(parameters)[1 if kind != "autoregression-full" else 2]
    given = {"inputs": np.random.default_rng(1).normal(size=100)} if kind == "linear-regression" else {}
    model.set_params(init="parameters", method=method)
    for name, value in {"startprob_": [0.5, 0.5], "transmat_": [[0.9, 0.1]] * 2, **parameters}.items():
        setattr(model, name, value)
    with pytest.raises((ParameterError, NotPositiveDefiniteError), match=rf"^{spread}\[1\].*collapsed in state 1") as found:
        model.fit(x, **given)
    # A matrix is named with its place in the array.
    assert found.value.name in (spread, f"{spread}[1]") and "pseudo_count" in str(found.value)
    # The advice holds.
    model.set_params(pseudo_count=1.0).fit(x, **given)
    assert np.isfinite(model.score(x, **given))


def test_rules_are_refused_in_the_words_of_filter():
    from scotopic.errors import SettingError, UnsupportedError

    rng = np.random.default_rng(0)
    lagged = scotopic.AutoregressiveHMM(1).fit(rng.normal(size=60))
    with pytest.raises(UnsupportedError, match="an autoregression cannot be learned by 'dirichlet'"):
        lagged.filter(learn="dirichlet")
    with pytest.raises(SettingError, match="setting `learn`: found fixed-lag, expected .*block-online-em") as found:
        scotopic.LinearGaussian.local_level().filter(learn="fixed-lag")
    assert found.value.field == "learn"
    for learn in ("block-online-em", "rmle"):
        assert np.isfinite(lagged.filter(learn=learn).update(0.5))


def test_what_is_0_is_no_parameter():
    x = np.r_[np.zeros(50), np.full(50, 4.0)] + np.random.default_rng(0).normal(size=100)
    model = scotopic.GaussianHMM(2)
    model.startprob_, model.transmat_ = [1.0, 0.0], [[0.98, 0.02], [0.0, 1.0]]
    model.means_, model.covars_ = [[0.0], [4.0]], [[1.0], [1.0]]
    # Two means, two variances and the transition from the first state; startprob_ and the second row have one choice.
    assert model.aic(x) == -2 * model.score(x) + 2 * 5
    assert model.bic(x) == -2 * model.score(x) + 5 * np.log(100)
