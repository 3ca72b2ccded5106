"""What estimators of linear-Gaussian models of free matrices share: models made of them, and the maximum of ln p."""

from . import _data, _scotopic, _warnings
from ._gaussian import GaussianEstimator
from ._settings import jobs, real, texts, whole
from .errors import SettingError


class MatrixEstimator(GaussianEstimator):
    """A linear-Gaussian model whose matrices are its parameters."""

    @classmethod
    def _of(cls, model, matrices, *, inputs=None, regressors=None, **given):
        """``model`` with these parameters, those that are None left as they are by default."""
        given = {**dict(zip(cls._PARAMETERS, matrices)), **{f"{name}_": value for name, value in given.items()}}
        for name, value in given.items():
            if value is not None:
                model._set_value(name, value)
        if inputs is not None:
            model.inputs_ = inputs
        if regressors is not None:
            model.regressors_ = regressors
        model._model  # checks them
        return model

    def _learned(self):
        """What a fit changes, by the names of the compiled half."""
        return None if self.learned is None else texts("learned", self.learned)

    def _held(self):
        """The entries that a fit holds, by the names of the compiled half: those that stay, and groups that are one number."""

        def names(setting, values):
            # An attribute ends in an underscore.
            return [name.replace("_[", "[") for name in texts(setting, values)]

        fixed, tied = (getattr(self, setting, None) for setting in ("fixed", "tied"))
        groups = [] if tied is None else tied
        if isinstance(groups, str) or any(isinstance(group, str) for group in groups):
            raise SettingError(f"setting `tied`: found {tied!r}, expected a list of lists of entries, each of which is one number")
        return [] if fixed is None else names("fixed", fixed), [names("tied", group) for group in groups]

    def _free_parameters(self):
        held = self._held()
        if not any(held):
            return super()._free_parameters()
        return self._model.constrained_parameters(self._learned(), bool(self.diagonal), held)

    def _start(self, X, lengths, inputs):
        """The model as it is, which a fit begins with, if it goes with what is given."""
        start = self._model
        _data.read(*self._given_names(), X, lengths, inputs)
        return start

    def _threads(self):
        return jobs(getattr(self, "n_jobs", None))

    def _search(self, X, data, start, *, states=1, runs=1, seed=0, inputs=None):
        """The maximum of ln p above ``start``, or from several starts where there is none; ``inputs`` are names, of a model that has
        some."""
        settings = {
            "states": states,
            "start": start,
            "runs": runs,
            "seed": seed,
            "max_iterations": whole("n_iter", self.n_iter, 0),
            "pseudo_count": real("pseudo_count", self.pseudo_count, 0.0),
            "threads": self._threads(),
            "diagonal": bool(self.diagonal),
            "learned": self._learned(),
            "held": self._held(),
        }
        if inputs is None:
            found = _scotopic.search_linear_gaussian(data, **settings)
        else:
            found = _scotopic.search_driven_gaussian(data, inputs=inputs, **settings)
        model, log_evidence, n_iter, converged, found_by, pseudo_count, said = found
        self._take_fitted(model, X)
        self.log_evidence_, self.n_iter_, self.converged_ = log_evidence, n_iter, converged
        self.pseudo_count_ = pseudo_count
        if found_by is not None:
            self.found_by_ = found_by
        self._say(said + _warnings.unfinished(self, tolerant=False))
        return self
