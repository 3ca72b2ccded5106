"""What is made of settings: their names and values, and a representation, as scikit-learn has them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from .errors import SettingError

if TYPE_CHECKING:
    from typing_extensions import Self


class Configured:
    """``get_params``, ``set_params`` and ``repr`` of a class whose settings are the arguments of its ``__init__``."""

    @classmethod
    def _names(cls):
        parameters = inspect.signature(cls.__init__).parameters
        return sorted(name for name in parameters if name != "self")

    def get_params(self, deep=True) -> dict:
        """The settings by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params) -> Self:
        """Sets settings by name; the object itself."""
        known = self._names()
        for name in params:
            if name not in known:
                raise SettingError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {known!r}.")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self):
        defaults = {name: p.default for name, p in inspect.signature(type(self).__init__).parameters.items()}
        given = [f"{n}={v!r}" for n, v in self.get_params().items() if not _same(v, defaults.get(n))]
        return f"{type(self).__name__}({', '.join(given)})"


def _same(a, b):
    try:
        return bool(a == b)
    except (ValueError, TypeError):
        return False
