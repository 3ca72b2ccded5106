"""The types in _scotopic.pyi are those of the compiled half: functions, classes, their members and arguments."""

import ast
import importlib.resources
import inspect

import pytest

from scotopic import _scotopic

STUB = ast.parse((importlib.resources.files("scotopic") / "_scotopic.pyi").read_text(encoding="utf-8"))
#: Built with the cargo feature `vision` alone.
VISION = {"Network", "Stream", "levels", "train", "data_set", "dictionary_figure", "tiles_figure", "raster_figure"}
#: What pickle calls.
PRIVATE = {"_restored"}


def declared(body, kind):
    return {node.name: node for node in body if isinstance(node, kind)}


CLASSES, FUNCTIONS = declared(STUB.body, ast.ClassDef), declared(STUB.body, ast.FunctionDef)


def here(nodes):
    """The names that this build has: all of them but what it may leave out."""
    return sorted(name for name in nodes if name not in VISION or hasattr(_scotopic, name))


def arguments(node):
    names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
    return [name for name in names if name not in ("self", "cls")]


def public(names):
    return {name for name in names if not name.startswith("_")}


def test_all_names_are_there():
    compiled = public(vars(_scotopic))
    assert compiled - (CLASSES.keys() | FUNCTIONS.keys()) == set()
    missing = public(CLASSES.keys() | FUNCTIONS.keys()) - compiled
    assert missing in (set(), VISION & missing)


@pytest.mark.parametrize("name", here(FUNCTIONS))
def test_functions(name):
    assert list(inspect.signature(getattr(_scotopic, name)).parameters) == arguments(FUNCTIONS[name])


@pytest.mark.parametrize("name", here(CLASSES))
def test_classes(name):
    compiled = getattr(_scotopic, name)
    members = declared(CLASSES[name].body, ast.FunctionDef)
    assert public(vars(compiled)) - PRIVATE == public(members)
    for member, node in members.items():
        found = inspect.getattr_static(compiled, member)
        if any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list):
            assert inspect.isgetsetdescriptor(found), member
        elif not member.startswith("_"):
            parameters = [p for p in inspect.signature(getattr(compiled, member)).parameters if p != "self"]
            assert parameters == arguments(node), member


def test_what_is_documented():
    # The functions of a number are those of the math module.
    for name in set(here(CLASSES)) - {"Number"}:
        compiled = getattr(_scotopic, name)
        for member in public(vars(compiled)) - PRIVATE:
            assert inspect.getdoc(getattr(compiled, member)), f"{name}.{member}"


def test_what_methods_answer_is_declared():
    """What a type checker sees of the estimators: not every method, those that each analysis begins and ends with."""
    import scotopic

    for name in scotopic.__all__:
        kind = getattr(scotopic, name)
        if not inspect.isclass(kind) or not hasattr(kind, "get_params"):
            continue
        for method in ("fit", "score", "filter", "aic", "forecast", "get_params", "set_params"):
            found = getattr(kind, method, None)
            assert found is None or "return" in found.__annotations__, f"{name}.{method}"
