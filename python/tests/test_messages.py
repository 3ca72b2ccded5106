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
