"""What estimators of linear-Gaussian models of free matrices share: models made of them, and the maximum of ln p."""

from . import _data, _scotopic
from ._gaussian import GaussianEstimator
from ._settings import real, texts, whole
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

    def _climb(self, X, data, start):
        """The maximum of ln p of a model with inputs."""
        model, ends, n_iter, converged = _scotopic.fit_driven(
            data,
            start,
            whole("n_iter", self.n_iter, 0),
            real("pseudo_count", self.pseudo_count, 0.0),
            bool(self.diagonal),
            self._learned(),
            self._held(),
        )
        self._take_climb(model, X, ends, n_iter, converged, tolerant=False)
        return self
