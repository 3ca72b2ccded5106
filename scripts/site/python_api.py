"""The reference of the Python package, from its docstrings (numpydoc), read without importing it."""

import ast
import re

HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.M)


def page(package):
    """All public names of `__init__.py`, in the order in which the package presents them."""
    modules = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.glob("*.py"))}
    stub = ast.parse((package / "_scotopic.pyi").read_text(encoding="utf-8"))
    defined = {}
    for tree in [stub, *modules.values()]:
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
                defined[node.name] = node
    bases = {node.name: node for tree in modules.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    public = next(
        ast.literal_eval(node.value)
        for node in modules["__init__"].body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    lines = ["# Python reference", "", "Everything that `import scotopic` gives. [Python](../python.md) explains the use.", ""]
    for name in public:
        if name in defined:
            lines += _entry(defined[name], bases)
    lines += ["## scotopic.errors", ""]
    for node in modules["errors"].body:
        if isinstance(node, ast.ClassDef):
            lines += [f"`{node.name}`: {_one_line(node)}", ""]
    return "\n".join(lines)


def _one_line(node):
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())


def _entry(node, bases):
    lines = [f"## {node.name}", "", *_signature(node), "", *_docstring(ast.get_docstring(node) or ""), ""]
    if isinstance(node, ast.ClassDef):
        seen = set()
        for owner in _ancestry(node, bases):
            for method in owner.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and method.name not in seen:
                    seen.add(method.name)
                    doc = ast.get_docstring(method)
                    if doc and not any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in method.decorator_list):
                        lines += [f"### {node.name}.{method.name}", "", *_signature(method), "", *_docstring(doc), ""]
    return lines


def _ancestry(node, bases):
    found = [node]
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in bases:
            found += _ancestry(bases[base.id], bases)
    return found


def _signature(node):
    if isinstance(node, ast.ClassDef):
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name in ("__init__", "__new__")), None)
        if init is None:
            return []
        name, arguments = node.name, init.args
    else:
        if any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list):
            return []
        name, arguments = node.name, node.args
    text = ast.unparse(arguments)
    return ["```python", f"{name}({re.sub(r'^(self|cls)(, )?', '', text)})", "```"]


def _docstring(text):
    """Markdown of a numpydoc string."""
    text = re.sub(r":\w+:`([^`]+)`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"\.\. code-block:: text\n\n((?:    .*\n?|\n)+)", lambda f: f"```text\n{_dedent(f.group(1))}\n```\n", text)
    parts = HEADING.split(text)
    lines = [parts[0].rstrip(), ""]
    for heading, body in zip(parts[1::2], parts[2::2]):
        lines += [f"**{heading}**", ""]
        if heading == "Examples":
            lines += ["```pycon", body.strip(), "```", ""]
        elif heading in ("Parameters", "Attributes", "Returns", "Raises", "Yields"):
            lines += [*_items(body), ""]
        else:
            lines += [body.strip(), ""]
    return lines


def _dedent(text):
    return re.sub(r"^    ", "", text, flags=re.M).strip("\n")


def _items(body):
    """`name : type` with an indented explanation, as a list."""
    lines = []
    for item in re.split(r"\n(?=\S)", body.strip("\n")):
        head, _, said = item.partition("\n")
        names, _, kind = head.partition(" : ")
        shown = ", ".join(f"`{name.strip('`')}`" for name in names.split(", ")) if kind else head
        said = " ".join(said.split())
        lines.append(f"- {shown}{' (' + kind + ')' if kind else ''}{': ' + said if said else ''}")
    return lines
