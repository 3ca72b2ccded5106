"""What errors say."""

import numpy as np
import pytest

import scotopic


def test_errors_name_arrays_as_the_attributes_are_named():
    from scotopic.errors import ParameterError, SizeError

    good = {"startprob_": [0.5, 0.5], "transmat_": [[0.5, 0.5]] * 2, "means_": [[0.0], [1.0]], "covars_": [[1.0], [1.0]]}
    wrong = [
        ("startprob_", [0.5, 0.6], ParameterError, "startprob_: found a sum of 1.1"),
        ("startprob_", [0.5, 0.2, 0.3], SizeError, "transmat_: found"),
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
