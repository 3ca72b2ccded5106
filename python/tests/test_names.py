"""Names of the columns of tables: in whatever order they come, no column is taken for another."""

import copy
import pickle

import numpy as np
import pytest

import scotopic
from scotopic.errors import ScotopicError, SettingError

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(size=120), "b": 100 + 10 * rng.normal(size=120)})


@pytest.fixture(scope="module")
def inputs():
    return pd.DataFrame(np.random.default_rng(1).normal(size=(120, 2)), columns=["p", "q"])


def swapped(table):
    return table[table.columns[::-1]]


def test_sequences_have_the_same_columns(table):
    model = scotopic.GaussianHMM(1, random_state=0).fit([table, table])
    assert model.feature_names_in_.tolist() == ["a", "b"]
    for wrong in (lambda: model.score([table, swapped(table)]), lambda: model.fit([table, swapped(table)])):
        with pytest.raises(SettingError, match=r"X\[1\]"):
            wrong()
    with pytest.raises(SettingError, match="same order"):
        model.score([swapped(table)])


def test_inputs_of_sequences_have_the_same_columns(table, inputs):
    y = [table["a"].to_numpy().reshape(-1, 1)] * 2
    for model, given in (
        (scotopic.LinearRegressionHMM(1), "inputs"),
        (scotopic.LinearGaussian(1), "inputs"),
        (scotopic.GaussianHMM(2), "transition_inputs"),
    ):
        with pytest.raises(SettingError, match=rf"{given}\[1\]"):
            model.fit(y, **{given: [inputs, swapped(inputs)]})


def test_a_filter_knows_the_columns_of_its_model(table):
    stream = scotopic.GaussianHMM(1, random_state=0).fit(table).filter()
    stream.extend(table[:50])
    for live in (stream, stream.copy(), copy.copy(stream), copy.deepcopy(stream), pickle.loads(pickle.dumps(stream))):
        before = live.n_observations
        with pytest.raises(SettingError, match="same order"):
            live.extend(swapped(table))
        assert live.n_observations == before
        live.extend(table[50:])
    with pytest.raises(SettingError, match="same order"):
        scotopic.GaussianHMM(1, random_state=0).fit(table).compare(swapped(table))


def test_a_fit_that_fails_leaves_the_model_as_it_was(table):
    def stop(*_):
        raise KeyboardInterrupt

    model = scotopic.GaussianHMM(2, method="em", random_state=0).fit(table)
    score = model.score(table)
    with pytest.raises(KeyboardInterrupt):
        model.fit(table.rename(columns={"a": "c"}), callback=stop)
    assert model.feature_names_in_.tolist() == ["a", "b"] and model.score(table) == score
    walk = scotopic.LinearGaussian(1, n_iter=2).fit(table)
    with pytest.raises(ScotopicError):
        walk.fit(table.assign(c=1.0))
    assert walk.feature_names_in_.tolist() == ["a", "b"] and np.isfinite(walk.score(table))
    # Columns without names leave none behind.
    assert not hasattr(model.fit(table.to_numpy()), "feature_names_in_")


def test_an_update_takes_a_row_by_its_labels(table):
    model = scotopic.GaussianHMM(1, random_state=0).fit(table)
    right = model.filter().update(table.iloc[0])
    assert right == model.filter().update(table.iloc[:1]) == model.filter().update(table.to_numpy()[0])
    live = model.filter()
    for wrong in (swapped(table).iloc[0], swapped(table).iloc[:1], table.iloc[0].rename({"a": "c"}), table[["a"]].iloc[0]):
        with pytest.raises(SettingError, match="feature names should match"):
            live.update(wrong)
    with pytest.raises(ScotopicError, match="found a table of 2 rows, expected one observation at a time"):
        live.update(table.iloc[:2])
    assert live.n_observations == 0
    again = pickle.loads(pickle.dumps(live))
    with pytest.raises(SettingError, match="same order"):
        again.update(swapped(table).iloc[0])
    assert live.update(None) == 0.0 and live.update([np.nan, np.nan]) == 0.0


def test_a_piece_of_a_column_is_no_row_of_labels(table):
    named = table[["b"]].set_index(table.index.astype(str))
    model = scotopic.GaussianHMM(1, random_state=0).fit(named)
    assert model.filter().update(named["b"].iloc[:1]) == model.filter().update(named.iloc[0])
    with pytest.raises(SettingError, match="feature names should match"):
        model.filter().update(table[["a"]].iloc[0])


def test_a_learned_model_keeps_the_names(table):
    live = scotopic.GaussianHMM(1, random_state=0).fit(table).filter(learn=True)
    live.extend(table)
    assert live.model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(SettingError, match="same order"):
        live.model.score(swapped(table))
