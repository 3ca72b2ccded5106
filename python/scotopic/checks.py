"""What a fitted model says of itself and of its data: estimates with their errors, residuals with their tests."""

import html
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from . import _scotopic
from ._settings import texts
from .errors import UnsupportedError


@dataclass(frozen=True, repr=False)
class Summary:
    """Parameters with standard errors from the observed information (eq. F63), and criteria.

    Attributes
    ----------
    names : list of str
        Keys of a model file, with entries counted from 1; of a structural model, the components.
    estimates : ndarray ``[P]``
    standard_errors : ndarray ``[P]``
        NaN where there is none; ``remarks`` says why.
    intervals : ndarray ``[P, 2]``
        Of probability ``level``, on the scale where a parameter is unbounded; NaN likewise.
    remarks : list of str
    level : float
    observations : int
        Those that were seen.
    log_evidence : float
        Nats.
    aic, bic : float
    """

    names: list
    estimates: np.ndarray
    standard_errors: np.ndarray
    intervals: np.ndarray
    remarks: list
    level: float
    observations: int
    log_evidence: float
    aic: float
    bic: float

    def _rows(self):
        yield ["parameter", "estimate", "standard error", f"{100 * self.level:g} % interval", ""]
        for name, value, error, ends, remark in zip(
            self.names, self.estimates, self.standard_errors, self.intervals, self.remarks
        ):
            known = np.isfinite(error)
            yield [
                name,
                f"{value:.6g}",
                f"{error:.4g}" if known else "",
                f"{ends[0]:.6g} … {ends[1]:.6g}" if np.isfinite(ends).all() else "",
                remark,
            ]

    def _note(self):
        return (
            f"ln p {self.log_evidence:.4f} nats, {self.observations} observations, AIC {self.aic:.2f}, BIC {self.bic:.2f}"
        )

    def __repr__(self):
        rows = list(self._rows())
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, self._note()])

    def _repr_html_(self):
        first, *rest = ([html.escape(cell) for cell in row] for row in self._rows())
        head = "".join(f"<th>{cell}</th>" for cell in first)
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rest)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{html.escape(self._note())}</p>"


def summarised(model, data, level, hold, held=((), ()), free=None):
    """The summary of a compiled model beside the data that it was fitted to, by a fit that held entries and chose ``free`` numbers."""
    told = _scotopic.summary(model, data, float(level), texts("hold", hold), held, free)
    told.pop("shortfall")
    return Summary(
        **{
            **told,
            "estimates": np.array(told["estimates"]),
            "standard_errors": numbers(told["standard_errors"]),
            "intervals": np.array([(np.nan, np.nan) if ends is None else ends for ends in told["intervals"]]),
        }
    )


def numbers(values):
    """An array, NaN in place of None."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


@dataclass(frozen=True, repr=False)
class Residuals:
    """Standardised one-step residuals (eq. F61): independent N(0, 1) if the model is right.

    Attributes
    ----------
    values : ndarray ``[T, D]``
        NaN where nothing was seen.
    tests : list of dict
        For each column ``count``, ``mean``, ``variance``, ``skewness``, ``kurtosis``, ``lags``, and the pairs (statistic,
        p-value) ``independence`` (Ljung-Box), ``normality`` (Jarque-Bera) and ``heteroscedasticity`` (variance of the last
        third over the first).
    title : str
    """

    values: np.ndarray
    tests: list
    title: str = "Residuals"

    def __repr__(self):
        lines = [f"{self.title}: {self.values.shape[0]} observations"]
        for column, test in enumerate(self.tests):
            said = ", ".join(
                f"{name} {test[key][0]:.3f} (p {test[key][1]:.3g})"
                for name, key in (
                    ("Ljung-Box", "independence"),
                    ("Jarque-Bera", "normality"),
                    ("variance ratio", "heteroscedasticity"),
                )
            )
            lines.append(f"column {column}: mean {test['mean']:.3f}, variance {test['variance']:.3f}, {said}")
        return "\n".join(lines)

    def figure(self, column=0):
        """The residuals of a column in four panels, as SVG: over time, histogram, quantiles, autocorrelations."""
        z, test = self.values[:, column], self.tests[column]
        n = int(np.isfinite(z).sum())
        if n < 3:
            raise UnsupportedError(f"residuals are drawn of 3 observations or more, not of {n}")
        quantiles = [NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)]
        rho = _scotopic.residual_autocorrelations(z, min(20, n // 3))
        note = ", ".join(
            f"{name} p {'< 0.001' if test[key][1] < 5e-4 else f'= {test[key][1]:.3f}'}"
            for name, key in (
                (f"independence (Ljung–Box, {test['lags']} lags)", "independence"),
                ("normality (Jarque–Bera)", "normality"),
                ("one variance", "heteroscedasticity"),
            )
        )
        return _scotopic.residuals_figure(z, quantiles, rho, self.title, note)

    def _repr_svg_(self):
        return self.figure() if np.isfinite(self.values[:, 0]).sum() >= 3 else None
