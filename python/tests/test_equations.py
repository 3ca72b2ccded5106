"""Models whose equations are Python functions, against the same models written in Rust."""

import copy
import pickle

import numpy as np
import pytest
from conftest import random_walk
from numpy.testing import assert_allclose

import scotopic
from scotopic.errors import SettingError, UnsupportedError


def linear(model):
    """The functions of a linear-Gaussian model."""
    precision = np.linalg.inv(model.observation_noise_)
    constant = -0.5 * np.linalg.slogdet(2 * np.pi * model.observation_noise_)[1]

    def log_likelihood(y, x):
        e = y - model.observation_ @ x - model.offset_
        return constant - 0.5 * e @ precision @ e

    return scotopic.Nonlinear(
        lambda x: model.transition_ @ x + model.bias_,
        log_likelihood,
        model.process_noise_,
        n_features=len(model.offset_),
        initial_mean=model.initial_mean_,
        initial_covariance=model.initial_covariance_,
    )


def test_a_linear_model_in_functions_is_the_kalman_filter():
    model = random_walk(n=2, m=2)
    y, _ = model.sample(30, random_state=0)
    y[7] = np.nan
    exact, functions = model.filter(), linear(model).filter()
    exact.extend(y)
    functions.extend(y)
    # Slopes are central differences: nine digits of first, six of second order.
    assert_allclose(functions.elbo, exact.elbo, rtol=1e-5)
    assert_allclose(functions.belief, exact.belief, rtol=1e-4, atol=1e-5)
    assert functions.n_observations == 30 and functions.model is None
    assert "Python functions" in repr(functions)


def test_a_generalised_model_in_functions_is_that_of_the_library():
    own = scotopic.Filter(
        'kind = "generalised"\noutput_precision = 4.0\nmotion_precision = 50.0\nstart = [1.0, 1.0, 16.0]\n'
        "start_variance = 4.0\n"
        '[equations]\nkind = "lorenz"\ntime_step = 0.02\noutput = "sum"\n'
        "[embedding]\nstates = 4\nsmoothness = 0.25\n"
    )

    def f(x, v, theta):
        sigma, rho, beta = theta
        flow = [sigma * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - beta * x[2]]
        return 0.02 * np.array(flow)

    functions = scotopic.Generalised(
        f,
        lambda x, v, theta: x.sum(),
        [1.0, 1.0, 16.0],
        theta=[10.0, 28.0, 8 / 3],
        output_precision=4.0,
        motion_precision=50.0,
        start_variance=4.0,
        order=4,
        smoothness=0.25,
    ).filter()
    y = 18.0 + np.random.default_rng(0).normal(size=20)
    y[7] = np.nan
    own.extend(y)
    functions.extend(y)
    # The same derivatives, exactly; sums in another order, and f is not said to have a linear output.
    assert_allclose(functions.elbo, own.elbo, rtol=1e-8)
    assert_allclose(functions.belief, own.belief, rtol=1e-6)
    assert_allclose(functions.covariance, own.covariance, rtol=1e-5, atol=1e-12)


def oscillator(**changed):
    functions = {"f": lambda x, v, theta: [x[1], -theta[0] * x[0]], "g": lambda x, v, theta: x[0], **changed}
    return scotopic.Generalised(**functions, start=[1.0, 0.0], theta=[0.04], output_precision=1e2, motion_precision=1e4)


def test_what_a_function_raises_comes_out_and_changes_nothing():
    calls = []

    def f(x, v, theta):
        if calls:
            raise KeyError("broken")
        return [x[1], -theta[0] * x[0]]

    filter = oscillator(f=f).filter()
    filter.update(1.0)
    elbo = filter.elbo
    calls.append(1)
    with pytest.raises(KeyError, match="broken"):
        filter.update(0.9)
    assert filter.elbo == elbo and filter.n_observations == 1
    calls.clear()
    filter.update(0.9)
    assert filter.n_observations == 2

    bad = scotopic.Nonlinear(lambda x: x / 0, lambda y, x: 1 // 0, [[1.0]]).filter()
    with pytest.raises(ZeroDivisionError):
        bad.update(0.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, v, theta: [x[1]],
        lambda x, v, theta: "text",
        lambda x, v, theta: None,
        lambda x, v, theta: [x[1], None],
        lambda x: x,
        # math's functions would lose the derivatives: a TypeError, not a wrong slope.
        lambda x, v, theta: [x[1], -__import__("math").sin(x[0])],
    ],
)
def test_functions_that_cannot_be_are_refused(f):
    filter = oscillator(f=f).filter()
    filter.update(1.0)  # the start is known: nothing has moved yet
    with pytest.raises((TypeError, ValueError)):
        filter.update(0.9)


def test_numbers_carry_the_derivatives_of_their_functions():
    seen = {}

    def f(x, v, theta):
        if isinstance(x[0], scotopic._scotopic.Number):
            u = x[0]
            seen["tried"] = True
            assert (2 - u + u * 3 / 2 - 1 / u**2 > -9) and abs(-u) == abs(u) and +u == u
            assert "derivatives" in repr(
                np.exp(u) + np.log(u + 9) + np.sin(u) * np.cos(u) + np.tanh(u) + np.sqrt(u + 9)
            )
            assert abs((2.0**u).value - 2.0**u.value) < 1e-12 and (u**0.5 if u > 0 else u) is not None
        return [x[1], -theta[0] * x[0]]

    filter = oscillator(f=f).filter()
    filter.update(1.0)
    filter.update(0.98)
    assert seen["tried"]
    with pytest.raises(ValueError, match="cannot be saved"):
        filter.snapshot()
    assert len(filter.forecast(3).mean) == 3


@pytest.mark.parametrize(
    "settings, told",
    [
        (dict(process_noise=[[1.0, 0.9], [0.0, 1.0]]), r"process_noise\[1\]\[0\]: found 0, expected 0.9"),
        (dict(process_noise=np.eye(2) * (1 + 1j)), "process_noise"),
        (dict(process_noise="much"), "process_noise"),
        (dict(initial_covariance=[[1.0, 0.9], [0.0, 1.0]]), "initial_covariance"),
        (dict(initial_mean=[1.0, np.nan]), r"initial_mean\[1\]: found nan"),
        (dict(initial_mean=[1.0]), r"initial_mean: found an array of shape \[1\], expected \[2\]"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(settings, told):
    given = {"process_noise": np.eye(2), **settings}
    with pytest.raises(scotopic.errors.ScotopicError, match=told):
        scotopic.Nonlinear(lambda x: x, lambda y, x: 0.0, **given)


@pytest.mark.parametrize(
    "f, log_likelihood, told",
    [
        (lambda x: ["a", "b"], lambda y, x: 0.0, "f gives a number or a row of numbers, not"),
        (lambda x: x.reshape(2, 1), lambda y, x: 0.0, "what f gives"),
        (lambda x: x, lambda y, x: [0.0, 0.0], "log_likelihood gives a number"),
        (lambda x: x, lambda y, x: np.nan, "log_likelihood gives a number, .* not NaN"),
    ],
)
def test_what_functions_give_is_told_of_them(f, log_likelihood, told):
    filter = scotopic.Nonlinear(f, log_likelihood, np.eye(2)).filter()
    with pytest.raises((TypeError, ValueError), match=told):
        [filter.update(y) for y in (0.0, 0.1)]


def test_an_array_of_one_entry_is_a_number():
    def of(shape):
        filter = scotopic.Nonlinear(lambda x: 0.9 * x, lambda y, x: shape(-0.5 * (y - x) ** 2), 0.1).filter()
        return [filter.update(y) for y in (0.3, -0.2, 0.5)]

    assert of(lambda value: value) == of(lambda value: float(value[0]))


def test_settings_are_scikit_learns():
    model = random_walk(n=2, m=2)
    functions = linear(model)
    assert functions.get_params()["n_features"] == 2 and repr(functions).startswith("Nonlinear(")
    assert functions.set_params(n_features=3).n_features == 3
    with pytest.raises(SettingError, match="Invalid parameter 'order'"):
        functions.set_params(order=3)
    smooth = oscillator().set_params(order=2)
    assert smooth.get_params()["order"] == 2 and "order=2" in repr(smooth)
    clone = pytest.importorskip("sklearn.base").clone
    for one in (functions.set_params(n_features=2), smooth):
        same = clone(one)
        assert same is not one and same.get_params().keys() == one.get_params().keys()
        y = np.zeros((5, one.n_features))
        assert same.filter().extend(y).log_predictive.tolist() == one.filter().extend(y).log_predictive.tolist()


def test_a_score_is_the_sum_over_series():
    model = random_walk(n=2, m=2)
    functions, y = linear(model), model.sample(40, random_state=0)[0]
    # Slopes are central differences: nine digits of first, six of second order.
    assert_allclose(functions.score(y), model.score(y), rtol=1e-5)
    for several in ({"X": [y[:15], y[15:]]}, {"X": y, "lengths": [15, 25]}):
        assert functions.score(**several) == functions.score(y[:15]) + functions.score(y[15:])
    assert functions.score(y, factorisation="jelbo") <= model.score(y) + 1e-4
    angle = oscillator()
    series = np.cos(0.2 * np.arange(12))
    assert angle.score(series) == angle.filter().extend(series).log_predictive.sum()
    with pytest.raises(SettingError, match="setting `y`"):
        functions.score(y, [20, 20])


def test_filters_are_made_of_them_as_of_every_model():
    y = np.cos(0.2 * np.arange(6))
    nonlinear = scotopic.Nonlinear(lambda x: 0.9 * x, lambda y, x: -0.5 * float((y - x)[0]) ** 2, 0.1)
    for model in (nonlinear, oscillator()):
        live = scotopic.Filter(model)
        assert live.extend(y).log_predictive.tolist() == model.filter().extend(y).log_predictive.tolist()
        for asked in ({"learn": True}, {"lag": 2}):
            with pytest.raises(UnsupportedError, match="a filter of Python functions"):
                scotopic.Filter(model, **asked)
        for copied in (live.copy, lambda live=live: copy.copy(live), lambda live=live: pickle.dumps(live)):
            with pytest.raises(UnsupportedError, match="neither be copied nor pickled"):
                copied()
    with pytest.raises(SettingError, match="setting `factorisation`: found 'vjf', expected 'reversed'"):
        scotopic.Filter(oscillator(), "vjf")


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"f": 3}, "setting `f`: found 3, expected a function f"),
        ({"g": None}, "setting `g`: found None, expected a function g"),
        ({"order": 30}, "setting `order`: found 30"),
        ({"smoothness": 1e9}, "setting `smoothness`: found 1000000000"),
        ({"output_precision": 0.0}, "setting `output_precision`: found 0.0, expected a number above 0"),
        ({"motion_precision": [1.0, 2.0]}, "setting `motion_precision`"),
        ({"n_features": 0}, "setting `n_features`"),
    ],
)
def test_settings_that_cannot_be_are_refused_when_they_are_given(settings, told):
    given = {"f": lambda x, v, theta: -x, "g": lambda x, v, theta: x[0], "start": [1.0], **settings}
    with pytest.raises(SettingError, match=told):
        scotopic.Generalised(**given)
    changed = scotopic.Generalised(lambda x, v, theta: -x, lambda x, v, theta: x[0], [1.0])
    with pytest.raises(SettingError, match=told):
        changed.set_params(**settings).filter()
