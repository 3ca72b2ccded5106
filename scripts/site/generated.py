"""Pages of the site that are made from other files of the repository, none of which is read twice by hand.

| page | from |
|---|---|
| `contributing.md` | CONTRIBUTING.md |
| `changelog.md` | CHANGELOG.md |
| `reference/commands.md` | the help texts, which the program's tests compare with cli/tests/snapshots/ |
| `reference/presets.md` | train/presets/ |
| `reference/python.md` | the docstrings of python/scotopic/ |
| `notebooks/` | python/notebooks/ |
"""

import re

import notebook_page
import python_api

# Where pages from outside docs/ are on the site, so that links to them lead there.
MOVED = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
    "train/presets": "reference/presets.md",
}


def pages(root):
    """Path on the site to content."""
    notebooks = {}
    for path in sorted((root / "python" / "notebooks").glob("*.ipynb")):
        notebooks |= notebook_page.page(path, path.stem)
    return {
        **notebooks,
        "contributing.md": _from_root(root, "CONTRIBUTING.md"),
        "changelog.md": _from_root(root, "CHANGELOG.md"),
        "reference/commands.md": _commands(root),
        "reference/presets.md": _presets(root),
        "reference/python.md": python_api.page(root / "python" / "scotopic"),
    }


def _from_root(root, name):
    """A page of the root, its links as if it stood in docs/."""
    text = (root / name).read_text(encoding="utf-8")
    text = re.sub(r"\]\((?!docs/|#|[a-z]+:)", "](../", text)
    return text.replace("](docs/", "](")


def _commands(root):
    lines = [
        "# Commands",
        "",
        "The help of every command, as the program prints it (`scotopic COMMAND --help`).",
        "",
    ]
    for path in sorted((root / "cli" / "tests" / "snapshots").glob("scotopic*.txt")):
        lines += [f"## {path.stem.replace('-', ' ')}", "", "```text", path.read_text(encoding="utf-8").rstrip(), "```", ""]
    return "\n".join(lines)


def _presets(root):
    folder = root / "train" / "presets"
    lines = [
        "# Presets",
        "",
        "`scotopic train --preset NAME` runs one, `--set KEY=VALUE` changes a key, `scotopic config show NAME` prints it with "
        "all defaults. The keys that no preset sets are in [other keys](#other-keys); `scotopic config keys` prints everything, "
        "also the keys of each source of data and stimulus.",
        "",
    ]
    named = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.toml")}
    other = named.pop("other-keys")
    # The short names first: those that are used most.
    for name in sorted(named, key=lambda name: (name != "dead-leaves", name.count("/"), name)):
        lines += [f"## {name}", "", "```toml", named[name].read_text(encoding="utf-8").rstrip(), "```", ""]
    lines += ["## Other keys", "", "```toml", other.read_text(encoding="utf-8").rstrip(), "```", ""]
    return "\n".join(lines)
