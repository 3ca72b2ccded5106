"""What enters: types, orders, views, missing values; nothing is copied that need not be."""

import datetime
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import random_hmm
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import DataError, ObservationError, ScotopicError, SettingError, SizeError


def test_a_contiguous_array_is_read_where_it_is():
    x = np.random.default_rng(0).normal(size=(1000, 3))
    held = scotopic.observations(x)
    assert held.address == x.__array_interface__["data"][0]
    # A contiguous slice of it, too; what is not contiguous is copied.
    assert scotopic.observations(x[100:]).address == x[100:].__array_interface__["data"][0]
    assert scotopic.observations(x[:, :2]).address != x.__array_interface__["data"][0]


def test_memory_does_not_grow_by_a_copy():
    # 400 MB of data, a tenth of which would show. The flags of missing rows are one byte a row: 6 MB.
    code = """
        import resource, numpy as np, scotopic
        model = scotopic.GaussianHMM(1, "diag")
        model.startprob_, model.transmat_ = [1.0], [[1.0]]
        model.means_, model.covars_ = np.zeros((1, 8)), np.ones((1, 8))
        model.score(np.zeros((10, 8)))
        x = np.ones((50_000_000 // 8, 8))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model.score(x)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 40_000  # KiB


def test_every_layout_gives_the_same_bits(hmm):
    x, _ = hmm.sample(60, random_state=1)
    wide = np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)
    layouts = [
        np.asfortranarray(x),
        wide[::2, ::3],
        x[::-1].copy()[::-1],
        x.astype(">f8"),
        np.ma.masked_array(x, mask=np.zeros_like(x, dtype=bool)),
    ]
    if (x == x.astype(np.int16)).all():
        layouts += [x.astype(np.int64), x.astype(np.int16), x.astype(np.float32), x.astype(int).tolist()]
    exact = hmm.score(x)
    for layout in layouts:
        assert hmm.score(layout) == exact
    read_only = x.copy()
    read_only.flags.writeable = False
    assert hmm.score(read_only) == exact
    assert hmm.score(scotopic.observations(x)) == exact


def test_sequences_are_lengths_or_a_list(hmm):
    x, _ = hmm.sample(60, random_state=1)
    parts = [x[:20], x[20:21], x[21:]]
    lengths = [20, 1, 39]
    apart = sum(hmm.score(part) for part in parts)
    assert_allclose(hmm.score(parts), apart, rtol=1e-13)
    assert hmm.score(x, lengths=lengths) == hmm.score(parts)
    assert (hmm.predict_proba(parts) == hmm.predict_proba(x, lengths)).all()
    for bad in ([20, 40, 1], [60, 0], [], [-1, 61], [[60]], [30.0, 30.0], [2**63 - 1, 2**63 - 1]):
        with pytest.raises((SettingError, SizeError)):
            hmm.score(x, lengths=bad)
    with pytest.raises(SettingError, match="lengths"):
        hmm.score(x, [20, 40])  # hmmlearn's second argument; here it is scikit-learn's y
    with pytest.raises(SettingError):
        hmm.score(parts, lengths=lengths)


def test_missing_rows_carry_no_evidence(hmm):
    x, _ = hmm.sample(50, random_state=1)
    gaps = x.copy()
    gaps[[0, 10, 11, 49]] = np.nan
    masked = np.ma.masked_array(x, mask=np.isnan(gaps))
    none = [[None] * x.shape[1] if np.isnan(row).all() else row.tolist() for row in gaps]
    assert hmm.score(gaps) == hmm.score(masked) == hmm.score(none)
    log_predictive = hmm.log_predictive(gaps)
    # Of an autoregression ln 1 is that of a sum which rounds: its rows have lags, and are not missing as a whole.
    room = 1e-15 if isinstance(hmm, scotopic.AutoregressiveHMM) else 0.0
    assert np.abs(log_predictive[[0, 10, 11, 49]]).max() <= room
    assert_allclose(log_predictive.sum(), hmm.score(gaps), rtol=1e-12)
    assert len(hmm.predict(gaps)) == 50
    assert hmm.score(np.full_like(x, np.nan)) == 0.0


def test_an_entry_may_be_missing():
    # A diagonal emission of the other entry alone, at that time: two models of one column each, the same states.
    model = random_hmm("diag")
    x, _ = model.sample(20, random_state=1)
    x[7, 1] = np.nan
    terms = -0.5 * ((x[:, None] - model.means_) ** 2 / model.covars_ + np.log(2 * np.pi * model.covars_))
    terms = np.nansum(terms, axis=2)
    a = np.log(model.startprob_) + terms[0]
    for row in terms[1:]:
        top = a.max()
        a = np.log(np.exp(a - top) @ model.transmat_) + top + row
    assert_allclose(model.score(x), np.logaddexp.reduce(a), rtol=1e-10)
    x[7, 1] = np.inf
    with pytest.raises(ObservationError, match="observation 7, entry 1") as caught:
        model.score(x)
    assert (caught.value.index, caught.value.entry) == (7, 1)


def test_pandas_is_read_with_its_names():
    pandas = pytest.importorskip("pandas")
    model = random_hmm("diag")
    x, _ = model.sample(30, random_state=1)
    frame = pandas.DataFrame(x, columns=["a", "b"])
    assert model.score(frame) == model.score(x)
    gaps = frame.astype("Float64")
    gaps.iloc[3] = pandas.NA
    x[3] = np.nan
    assert model.score(gaps) == model.score(x)
    model.fit(frame)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ScotopicError, match="feature names"):
        model.score(frame[["b", "a"]])
    series = pandas.Series([0.0, 1.0, None, 0.5])
    assert scotopic.LinearGaussian.local_level().score(series) < 0


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((3, 5)),
        np.zeros((0, 2)),
        np.zeros((3, 0)),
        np.zeros((2, 2, 2)),
        np.zeros((3, 2), dtype=complex),
        np.array([["a", "b"]]),
        np.array([[object(), 1.0]], dtype=object),
        "text",
        3.0,
        None,
        [[1.0], [1.0, 2.0]],
        {"a": 1},
    ],
)
def test_what_is_no_data_is_refused(bad):
    with pytest.raises(ScotopicError):
        random_hmm("diag").score(bad)


def test_symbols_and_counts_are_checked():
    symbols, counts = random_hmm("categorical"), random_hmm("poisson")
    for bad in (5.0, -1.0, 0.5, 1e300):
        with pytest.raises(ObservationError) as caught:
            symbols.score([[0.0], [bad]])
        assert caught.value.index == 1
    for bad in (-1.0, 0.5):
        with pytest.raises(ObservationError):
            counts.score([[1.0, 1.0], [1.0, bad]])
    with pytest.raises(ScotopicError, match="observation 0"):
        scotopic.CategoricalHMM(2).fit([[0.5], [1.0]])


def series():
    """A model of one column, what it says of 0, 1, 2, and of 0, nothing, 2."""
    model = random_hmm("diag", d=1)
    return model, model.score([0.0, 1.0, 2.0]), model.score([0.0, np.nan, 2.0])


@pytest.mark.parametrize(
    "dtype",
    ["datetime64[s]", "datetime64[s, UTC]", "timedelta64[s]", "period[D]", "str", "object", "category", "complex"],
)
def test_columns_that_are_no_numbers_are_refused_by_their_names(dtype):
    pandas = pytest.importorskip("pandas")
    numbers, days = pandas.Series([0.0, 1.0, 2.0]), pandas.Series(pandas.date_range("2020", periods=3))
    if dtype in ("str", "object", "category"):
        column = pandas.Series(["0", "1", "2"], dtype=dtype)
    elif dtype == "period[D]":
        column = days.dt.to_period("D")
    elif "UTC" in dtype:
        column = days.dt.tz_localize("UTC")
    else:
        column = numbers.astype("int64").astype(dtype)
    model = random_hmm("diag")
    frame = pandas.DataFrame({"a": numbers, "b": column})
    for call in (model.score, model.fit, model.filter().extend, scotopic.observations):
        with pytest.raises(DataError, match="X: column 'b'.*expected numbers"):
            call(frame)
    for values in (column, pandas.Index(column), column.array):
        with pytest.raises(DataError, match="X: .*expected numbers"):
            series()[0].score(values)
    regression = random_hmm("linear-regression", d=1)
    with pytest.raises(DataError, match="inputs.*expected numbers"):
        regression.score(numbers, inputs=column)
    with pytest.raises(DataError, match="inputs: column 't'.*expected numbers"):
        scotopic.LinearRegressionHMM(1).fit(numbers, inputs=pandas.DataFrame({"t": column}))


def test_columns_of_numbers_of_all_types_are_read():
    pandas = pytest.importorskip("pandas")
    model, exact, gap = series()
    for dtype in ("int8", "uint64", "float32", "Int64", "UInt8", "Float64", "object", "category", "Sparse[float64]"):
        column = pandas.Series([0, 1, 2]).astype(dtype)
        assert model.score(column) == model.score(pandas.DataFrame({"a": column})) == exact, dtype
        assert model.score(pandas.Index(column)) == exact, dtype
    for dtype in ("Int64", "UInt8", "Float64", "object"):
        column = pandas.Series([0, pandas.NA, 2], dtype=dtype)
        assert model.score(column) == model.score(pandas.DataFrame({"a": column})) == gap, dtype
    flags = pandas.Series([False, pandas.NA, True], dtype="boolean")
    assert model.score(flags) == model.score([0.0, np.nan, 1.0])
    assert model.score([0, pandas.NA, 2]) == gap
    # Of columns of different types, two of which have one name.
    wide = pandas.DataFrame(
        {"a": [0.0, 1.0, 2.0], "b": pandas.array([1, pandas.NA, 0], dtype="Int64"), "c": [True, None, False]}
    )
    wide.columns = ["a", "b", "b"]
    read = scotopic._data.rows(wide)
    assert_allclose(read, [[0.0, 1.0, 1.0], [1.0, np.nan, np.nan], [2.0, 0.0, 0.0]])


def test_polars_is_read():
    polars = pytest.importorskip("polars")
    model, exact, gap = series()
    assert model.score(polars.Series([0, 1, 2])) == model.score(polars.DataFrame({"a": [0, 1, 2]})) == exact
    assert model.score(polars.DataFrame({"a": [0, None, 2]})) == gap
    for bad in (["0", "1", "2"], [datetime.date(2020, 1, day) for day in (1, 2, 3)]):
        with pytest.raises(DataError, match="column 'b'.*expected numbers"):
            model.score(polars.DataFrame({"a": [0, 1, 2], "b": bad}))


@pytest.mark.parametrize(
    "bad",
    [
        np.array([0, 1, 2], dtype="M8[s]"),
        np.ma.array([0, 1, 2], dtype="M8[s]"),
        np.ma.array([0, 1, 2], dtype=complex),
        np.ma.array(["0", "1", "2"]),
        np.array(["0", 1.0, 2.0], dtype=object),
        np.array([np.datetime64(0, "s"), 1.0, 2.0], dtype=object),
        np.array([np.timedelta64(0, "s"), 1.0, 2.0], dtype=object),
        np.array([np.complex128(1j), 1.0, 2.0], dtype=object),
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)],
        ["0", "1", "2"],
        [b"0", b"1"],
        [10**400],
        {"a": 1},
    ],
)
def test_what_python_or_numpy_would_make_numbers_of_is_refused(bad):
    with pytest.raises(DataError, match="X: .*expected numbers") as caught:
        series()[0].score(bad)
    assert isinstance(caught.value, ScotopicError) and isinstance(caught.value, TypeError)


def test_masks_within_lists_are_missing():
    model, _, gap = series()
    lists = [
        [np.ma.array([0.0]), np.ma.array([1.0], mask=True), np.ma.array([2.0])],
        [0.0, np.ma.masked, 2.0],
        [np.ma.array([[0.0], [1.0], [2.0]], mask=[[False], [True], [False]])],
        np.ma.array([0, 1, 2], mask=[False, True, False]),
    ]
    for values in lists:
        assert model.score(values) == gap
    with pytest.raises(DataError, match="masked"):
        scotopic.vision.pixels(np.ma.array([[0.5, 0.5]], mask=[[True, False]]))


def test_rows_of_different_lengths_are_told():
    with pytest.raises(SizeError, match="X: found rows of different lengths"):
        random_hmm("diag").score([[1.0, 2.0], [3.0]])


def test_a_masked_observation_of_a_filter_is_missing():
    model = random_hmm("diag")
    half, none = model.filter(), model.filter()
    assert half.update(np.ma.array([0.5, 7.0], mask=[False, True])) == model.filter().update([0.5, np.nan]) != 0.0
    assert none.update(np.ma.array([1, 2], mask=True)) == 0.0
    assert series()[0].filter().update(np.ma.masked) == 0.0


def test_a_text_alone_is_a_list_of_one():
    counts = np.random.default_rng(0).poisson(3, 60)
    model = scotopic.PoissonHMM(1, random_state=0).fit(counts)
    assert model.compare(counts, "reversed")["factorisation"][0] == "reversed"
    with pytest.raises(SettingError, match="`hold`: found it, expected"):
        model.summary(counts, hold="it")
    walk = scotopic.StructuralModel("trend", tied=["level", "slope"], n_init=1, n_iter=5).fit(counts)
    assert walk.params_["level"] == walk.params_["slope"]
    for settings in (dict(tied="level"), dict(fixed=["level"]), dict(random_state=2**64)):
        with pytest.raises(SettingError, match=next(iter(settings))):
            scotopic.StructuralModel("trend", **settings).fit(counts)


def test_criteria_are_those_of_the_summary():
    x = np.random.default_rng(0).normal(size=(80, 2))
    x[10:20] = np.nan
    for model in (scotopic.GaussianHMM(1, random_state=0), scotopic.LinearGaussian(1, n_iter=20)):
        model.fit(x)
        told = model.summary(x)
        assert_allclose([model.aic(x), model.bic(x)], [told.aic, told.bic], rtol=1e-12)


def test_forecasts_need_no_covariances():
    # Of all steps these would be 320 GB.
    m = 200
    wide = scotopic.LinearGaussian.of([[0.9]], [[1.0]], np.ones((m, 1)), np.eye(m))
    ahead = wide.forecast(np.zeros((1, m)), 3)
    assert ahead.variance.shape == (3, m)
    _, covariance = wide.predict(np.vstack([np.zeros((1, m)), np.full((1, m), np.nan)]), return_cov=True)
    assert_allclose(ahead.variance[0], np.diag(covariance[1]), rtol=1e-12)
    long = scotopic.LinearGaussian.of(0.9 * np.eye(1000), np.eye(1000), np.ones((1, 1000)), [[1.0]])
    with pytest.raises(MemoryError, match="GB"):
        long.filtered(np.zeros(10_000_000))


@pytest.mark.parametrize("many", [list, tuple])
def test_a_list_of_arrays_of_one_axis_may_be_rows_or_sequences(many):
    one = np.arange(4.0)
    with pytest.raises(SizeError, match=r"X: found a \w+ of arrays of one axis.*numpy.stack.*for sequences"):
        scotopic.observations(many([one, one + 1.0]))
    # Rows of one number are the same either way, and numbers in lists are rows.
    assert len(scotopic.observations(many([np.array([0.0]), np.array([1.0])]))) == 2
    assert len(scotopic.observations(many([[0.0, 1.0], [1.0, 2.0]]))) == 2


class Tensor:
    """What speaks DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **asked):
        return self.array.__dlpack__(**asked)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_tensors_are_read_by_dlpack():
    model = random_hmm("diag")
    x = model.sample(40, random_state=0)[0]
    score = model.score(x)
    assert model.score(Tensor(x)) == score
    assert_allclose(model.score(Tensor(x.astype(np.float32))), score, rtol=1e-4)  # float32 has seven digits
    assert model.score([Tensor(x[:15]), Tensor(x[15:])]) == model.score([x[:15], x[15:]])
    with pytest.raises(SizeError, match="which may be rows or sequences"):  # as of arrays
        model.score([Tensor(row) for row in x])
    walk = scotopic.LinearGaussian.local_level()
    assert walk.score(Tensor(x[:, 0].copy())) == walk.score(x[:, 0])
    regression = random_hmm("linear-regression")
    u = np.random.default_rng(0).normal(size=(40, 2))
    assert regression.score(Tensor(x[:, :1].copy()), inputs=Tensor(u)) == regression.score(x[:, :1], inputs=u)

    class Elsewhere(Tensor):
        def __dlpack__(self, **asked):
            raise BufferError("on another device")

    with pytest.raises(DataError, match="X: found a tensor that NumPy cannot read.*on another device"):
        model.score(Elsewhere(x))


def test_settings_of_errors_are_named():
    # As errors of the compiled half have it.
    for wrong, field in (
        (lambda: scotopic.GaussianHMM(0).fit([0.0, 1.0]), "n_components"),
        (lambda: scotopic.GaussianHMM(1).fit([0.0, 1.0], lengths=[3]), "lengths"),
        (lambda: scotopic.Nonlinear(None, None, 1.0), "f"),
    ):
        with pytest.raises(SettingError) as found:
            wrong()
        assert found.value.field == field
