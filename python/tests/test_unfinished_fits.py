"""Fits that ended before they converged say so."""

import warnings

import numpy as np
import pytest

import scotopic
from scotopic.errors import FitWarning

RNG = np.random.default_rng(0)
X = np.r_[RNG.normal(size=200), 1 + RNG.normal(size=200)]
UNFINISHED = {
    "HMM by EM": lambda n: scotopic.GaussianHMM(3, method="em", n_iter=n, random_state=0).fit(X),
    "HMM by search": lambda n: scotopic.GaussianHMM(3, n_iter=n, random_state=0).fit(X),
    "linear-Gaussian": lambda n: scotopic.LinearGaussian(2, n_iter=n).fit(X),
    "with inputs": lambda n: scotopic.LinearGaussian(2, n_iter=n).fit(X, inputs=RNG.normal(size=400)),
    "PLDS": lambda n: scotopic.PLDS(1, n_iter=n).fit(RNG.poisson(3, size=(400, 3))),
    "structural": lambda n: scotopic.StructuralModel("trend,cycle", n_iter=n, random_state=0).fit(X),
}


@pytest.mark.parametrize("case", UNFINISHED)
def test_an_unfinished_fit_warns_at_the_line_that_called_it(case):
    with pytest.warns(FitWarning, match="ended") as said:
        model = UNFINISHED[case](1)
    assert model.converged_ is False
    assert [str(warning.message) for warning in said] == [f"{type(model).__name__}: {text}" for text in model.warnings_]
    assert all(warning.filename == __file__ for warning in said)
    if case != "HMM by search":
        assert "n_iter (now 1)" in model.warnings_[0]


def test_a_finished_fit_and_one_of_no_iteration_do_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error", FitWarning)
        level = scotopic.LinearGaussian(1, random_state=0).fit(X)
        assert level.converged_ and level.warnings_ == []
        assert not scotopic.LinearGaussian(1, n_iter=0).fit(X).converged_


def test_what_calls_a_fit_inside_is_not_named():
    with pytest.warns(FitWarning) as said:
        scotopic.LinearGaussian(1, n_iter=1).fit_transform(X)
        scotopic.PLDS(1, n_iter=1).partial_fit(RNG.poisson(3, size=(50, 2)))
    assert {warning.filename for warning in said} == {__file__}


def test_more_iterations_never_are_worse():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        few, default = (scotopic.LinearGaussian(2, method="em", **given).fit(X) for given in ({"n_iter": 100}, {}))
    # EM never lowers the evidence; the default of 500 is that of the other models and of the program.
    assert default.n_iter == 500 and default.score(X) >= few.score(X) - 1e-9 * abs(few.score(X))


def test_a_search_is_never_worse_than_em():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        # A level in noise, which has a maximum.
        y = np.cumsum(X[:200]) + 2.0 * X[200:]
        em = scotopic.LinearGaussian(1, method="em").fit(y)
        search = scotopic.LinearGaussian(1, random_state=0).fit(y)
    # Two ends are one maximum to 0.01 nats.
    assert search.score(y) == pytest.approx(search.log_evidence_, rel=1e-9) and search.log_evidence_ > em.log_evidence_ - 0.01
    reached, of = search.found_by_
    assert 1 <= reached <= of == 3 and search.pseudo_count_ == 0.0
    again = scotopic.LinearGaussian(1, random_state=0, n_jobs=2).fit(y)
    assert (again.transition_ == search.transition_).all()
