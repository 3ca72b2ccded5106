"""Figures for notebooks: SVG without another library."""

import pickle
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from conftest import random_hmm, random_walk

import scotopic


def words(svg):
    return " ".join(text for text in xml.fromstring(svg).itertext())


def test_results_draw_themselves(hmm):
    x, _ = hmm.sample(60, random_state=0)
    assert "transitions" in words(hmm._repr_svg_())
    said = words(hmm.posterior(x, factorisation="frozen")._repr_svg_())
    assert "factorisation frozen" in said and "state 2" in said
    assert "60 observations" in words(hmm.filter().extend(x)._repr_svg_())
    assert scotopic.GaussianHMM(2)._repr_svg_() is None


def test_walks_draw_bands():
    model = random_walk()
    y, _ = model.sample(60, random_state=0)
    for drawn in (model.smooth(y), model.filtered(y), model.filter().extend(y)):
        assert "90 % credible band" in words(drawn._repr_svg_())
    assert "90 % interval" in words(model.forecast(y, 5)._repr_svg_())


def test_a_long_series_is_a_small_figure():
    model = random_hmm("diag", k=2)
    x, _ = model.sample(100_000, random_state=0)
    assert len(model.posterior(x)._repr_svg_()) < 2_000_000


def test_comparisons_are_tables():
    model = random_hmm("diag")
    x, _ = model.sample(100, random_state=0)
    table = model.compare(x, ["reversed", "frozen", "fully-factorised"])
    assert list(table["factorisation"]) == ["reversed", "frozen", "fully-factorised"]
    assert np.allclose(-np.asarray(table["free_energy"]) + np.asarray(table["gap"]), model.score(x), rtol=1e-12)
    assert abs(table["gap"][0]) < 1e-9 and table["gap"][1] > 0 and list(table["online"]) == [True, True, False]
    # A transition that is impossible leaves some factorisations no finite bound: an error for those that are asked for.
    model.transmat_ = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]
    assert "frozen" not in list(model.compare(x)["factorisation"])
    with pytest.raises(scotopic.errors.UnsupportedError):
        model.compare(x, ["frozen"])
    walk = random_walk()
    y, _ = walk.sample(50, random_state=0)
    table = scotopic.compare(walk, y)
    assert (np.asarray(table["gap"]) > -1e-8).all() and len(table["gap"]) == 6


def test_figures_of_one_page_do_not_share_names():
    """Names of clip paths are of the whole page: two figures on it must not clip each other."""
    import re

    y = np.cumsum(np.random.default_rng(0).normal(size=60))
    level = scotopic.LinearGaussian.local_level()
    figures = [level.smooth(y)._repr_svg_(), level.smooth(2 * y)._repr_svg_(), level.residuals(y)._repr_svg_()]
    names = [set(re.findall(r'<clipPath id="([^"]+)"', figure)) for figure in figures]
    for figure, own in zip(figures, names):
        assert own and set(re.findall(r"url\(#([^)]+)\)", figure)) == own
    assert sum(map(len, names)) == len(set.union(*names))


@pytest.mark.filterwarnings("error")
def test_tables_of_comparisons_are_printed_with_all_columns():
    pandas = pytest.importorskip("pandas")
    walk = random_walk()
    y, _ = walk.sample(50, random_state=0)
    with pandas.option_context("display.width", 80, "display.max_columns", 0):
        table = walk.compare(y)
        head, first, *_ = str(table).splitlines()
        assert head.split() == list(table.columns) and "..." not in head
        assert len(first.split()) == 1 + len(table.columns)
    again = pickle.loads(pickle.dumps(table))
    assert repr(again) == repr(table) and isinstance(table, pandas.DataFrame)
