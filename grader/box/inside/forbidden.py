"""Refuses torch.distributions, which the assignment does not allow.

Importing it succeeds and using it fails, so that only the code that relies on it loses its points.
`constraints` and `utils` stay: torch's own optimizers and layers need them.
"""

import sys
import types

import torch

KEPT = ("torch.distributions.constraints", "torch.distributions.utils")
MESSAGE = (
    "torch.distributions is not allowed in this assignment; use torch.randn, torch.multinomial and the like"
)


DESCRIPTORS = (property, staticmethod, classmethod)


class ForbiddenError(RuntimeError):
    """The assignment does not allow this."""


class _Refusing(type):
    def __getattr__(cls, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        raise ForbiddenError(MESSAGE)

    def __call__(cls, *args, **kwargs):
        raise ForbiddenError(MESSAGE)


class Refused(metaclass=_Refusing):
    """Stands in for whatever is asked of torch.distributions."""


def _refuse(name):
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)
    return Refused


def _refuse_call(*args, **kwargs):
    raise ForbiddenError(MESSAGE)


def _disable(module):
    """Make what a module defines useless to whoever finds it without importing it."""
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            # Methods, too: an object can be had without its constructor.
            for name, attribute in list(vars(value).items()):
                if callable(attribute) or isinstance(attribute, DESCRIPTORS):
                    _disable_function(getattr(attribute, "__func__", attribute))
                    if not (name.startswith("__") and name.endswith("__")):
                        setattr(value, name, _refuse_call)
            value.__init__ = _refuse_call
        else:
            _disable_function(value)


def _disable_function(value):
    """Change the function itself, which may be bound elsewhere, too."""
    if isinstance(value, types.FunctionType) and not value.__closure__:
        value.__globals__.update(ForbiddenError=ForbiddenError, MESSAGE=MESSAGE)
        value.__code__ = _refuse_call.__code__


def install():
    """Replace the package and its modules, however they will be imported.

    The sessions show no files of the package either, so that it cannot be imported anew. Done in the
    template: in a session it would cost 15 ms, for the pages that it writes to.
    """
    names = [name for name in sys.modules if name.split(".")[:2] == ["torch", "distributions"]]
    for name in names:
        if name not in KEPT:
            _disable(sys.modules[name])
            stand_in = types.ModuleType(name)
            stand_in.__getattr__ = _refuse
            stand_in.__path__ = []
            sys.modules[name] = stand_in
    torch.distributions = sys.modules["torch.distributions"]
    _disable_function(sys.modules["torch.distributions.utils"]._standard_normal)
    for name in KEPT:
        setattr(torch.distributions, name.rsplit(".", 1)[1], sys.modules[name])
