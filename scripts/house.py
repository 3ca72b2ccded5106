#!/usr/bin/env python3
"""Counts the house: circles of imports, long files, lines of code, citations, crates, files touched to add a thing.

    scripts/house.py            prints a table
    scripts/house.py --check    the same, and exits with 1 if a limit is broken
    scripts/house.py --list     also names what was counted

Everything is counted over the files that git tracks. Python's standard library is all it needs.
"""

import collections
import fnmatch
import pathlib
import posixpath
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What must hold. None: counted and shown, not yet held to a number.
LIMITS = {
    "circles of imports": 0,
    "files above 400 lines": 8,
    "lines of code": 59_000,
    "citations that do not resolve": 0,
    "files compiled in that are not published": 0,
    "crates compiled by default": 250,
    "C archives among them": 0,
    "files to add an emission": 2,
    "files to add a posterior": 2,
    "files to add a decoder": 2,
}
# Limits that do not hold yet: shown, and no failure. Whoever makes one hold strikes it here.
OPEN = {
    "lines of code",
}
LONG = 400


# ---- the files

def tracked():
    """Every tracked file that is there, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def is_source(name):
    """A Rust file below a src folder that is no test."""
    parts = name.split("/")
    return name.endswith(".rs") and "src" in parts[:-1] and "tests" not in parts and parts[-1] not in ("tests.rs", "test.rs")


# Comments and literals, so that what is left is code alone. Order matters: what comes first at a place wins.
NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | \bb?r(?P<hashes>\#*)"(?:.*?)"(?P=hashes)
      | b?"(?:\\.|[^"\\])*"
      | b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^'\\\n])'
    """,
    re.S | re.X,
)


def blanked(match):
    """The same lines, without what stood on them; a literal leaves an empty one."""
    text = match.group(0)
    return ("" if text.startswith("/") else '""') + "\n" * text.count("\n")


def closing(text, opening):
    """Where the bracket that opens at `opening` closes, one past it."""
    depth = 0
    for place in range(opening, len(text)):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if depth == 0:
                return place + 1
    return len(text)


TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*(?P<end>[{;])")


def without_tests(code):
    """Code without its `#[cfg(test)]` modules."""
    kept, place = [], 0
    while match := TEST_MODULE.search(code, place):
        end = closing(code, match.start("end")) if match["end"] == "{" else match.end()
        kept.append(code[place : match.start()])
        place = end
    return "".join(kept) + code[place:]


class Source:
    """One file: its text, its code without comments and literals, and how many lines of each there are."""

    def __init__(self, name):
        self.name = name
        self.text = (ROOT / name).read_text(encoding="utf-8")
        self.code = without_tests(NOT_CODE.sub(blanked, self.text))
        lines = [line.strip() for line in self.text.splitlines()]
        self.long = len(lines)
        # A literal over several lines is code: count the text's lines, not those of `code`.
        self.tests = self.test_lines()
        self.comments = sum(line.startswith("//") for place, line in enumerate(lines) if place not in self.tests)
        written = {place for place, line in enumerate(lines) if line and not line.startswith("//")}
        self.lines = len(written - self.tests)
        self.tests = sum(bool(lines[place]) for place in self.tests)

    def test_lines(self):
        """The numbers of the lines inside `#[cfg(test)]` modules."""
        code, inside, place = NOT_CODE.sub(blanked, self.text), set(), 0
        while match := TEST_MODULE.search(code, place):
            place = closing(code, match.start("end")) if match["end"] == "{" else match.end()
            inside.update(range(code.count("\n", 0, match.start()), code.count("\n", 0, place) + 1))
        return inside


# ---- circles of imports

class Module:
    """A module of a crate: the file it stands in, its children, what it defines and what it imports."""

    def __init__(self, file, parent, name, public):
        self.file, self.parent, self.name, self.public = file, parent, name, public
        self.children, self.defines, self.imports, self.globs = {}, set(), {}, []

    def root(self):
        return self if self.parent is None else self.parent.root()


DEFINES = re.compile(
    r"\b(?:fn|struct|enum|union|trait|type|const|static)\s+(?:mut\s+)?(?:r#)?([A-Za-z_]\w*)|\bmacro_rules!\s*(\w+)"
)
MODULE = re.compile(r"(?P<attributes>(?:#\[[^\]]*\]\s*)*)(?P<public>pub(?:\([^)]*\))?\s+)?\bmod\s+(?P<name>\w+)\s*(?P<end>[;{])")
USE = re.compile(r"\buse\s+([^;]+);")
PATH = re.compile(r"(?<![\w:.$])((?:\$?crate|self|super|[A-Za-z_]\w*)(?:\s*::\s*[A-Za-z_]\w*)+)")


def leaves(tree, stem=()):
    """The paths of a use tree and the name each gets here: `a::{b as c, d::*}` has (a, b) as c and (a, d, *)."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(tree + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            parts.append(tree[start:place].strip())
            start = place + 1
    for part in filter(None, parts):
        if "{" in part:
            head, inner = part.split("{", 1)
            more = tuple(segment.strip() for segment in head.split("::") if segment.strip())
            yield from leaves(inner.rsplit("}", 1)[0], stem + more)
        else:
            path, _, alias = part.partition(" as ")
            path = stem + tuple(segment.strip() for segment in path.split("::") if segment.strip())
            if path[-1] == "self":
                path = path[:-1]
            yield path, alias.strip() or path[-1]


class Crate:
    """The modules of one crate and which file names what of which other."""

    def __init__(self, root, sources):
        self.sources, self.modules = sources, []
        self.edges = collections.defaultdict(lambda: collections.defaultdict(set))
        self.read(Module(root, None, "crate", True), sources[root].code, pathlib.PurePosixPath(root).parent)
        for module, body in self.modules:
            self.connect(module, body)

    def read(self, module, code, folder):
        """Reads a module's text and, below `folder`, its children."""
        # Children first: their text is theirs.
        body, place = [], 0
        while match := MODULE.search(code, place):
            body.append(code[place : match.start()])
            name, place = match["name"], match.end()
            child = Module(module.file, module, name, bool(match["public"]))
            if match["end"] == "{":
                place = closing(code, match.end() - 1)
                self.read(child, code[match.end() : place - 1], folder / name)
            else:
                file = next((f for f in (folder / f"{name}.rs", folder / name / "mod.rs") if str(f) in self.sources), None)
                if file is None:
                    continue  # a test, or a file that git does not track
                child.file = str(file)
                self.read(child, self.sources[child.file].code, folder / name)
            module.children[name] = child
        body = "".join(body) + code[place:]
        for match in USE.finditer(body):
            for path, alias in leaves(match[1]):
                if path[-1] == "*":
                    module.globs.append(path[:-1])
                elif alias != "_":
                    module.imports[alias] = path
        module.defines = {name for match in DEFINES.finditer(body) for name in match.groups() if name}
        self.modules.append((module, body))

    def resolve(self, module, path, seen=()):
        """The file that defines what a path names, and the name; None for what lies outside, a bare module, a local."""
        if (module, path) in seen or len(seen) > 40:
            return None
        seen = (*seen, (module, path))
        here = module
        for place, segment in enumerate(path):
            rest = path[place + 1 :]
            if segment in ("crate", "$crate"):
                here = module.root()
            elif segment == "super":
                here = here.parent or here
            elif segment == "self":
                pass
            elif segment in here.children:
                here = here.children[segment]
            elif segment in here.defines:
                return (here, segment)
            elif segment in here.imports and here.imports[segment][0] != segment:
                return self.resolve(here, here.imports[segment] + rest, seen)
            else:
                for glob in here.globs:
                    target = self.module_at(here, glob)
                    if target is not None and (found := self.resolve(target, path[place:], seen)):
                        return found
                return None  # another crate's, a local's, or an associated item's
        return None

    def connect(self, module, body):
        """Notes which files a module's text names."""
        paths = [path for path in module.imports.values()]
        paths += [tuple(re.split(r"\s*::\s*", match[1])) for match in PATH.finditer(USE.sub("", body))]
        for glob in module.globs:
            target = self.module_at(module, glob)
            if target is not None and target is not module.parent:
                paths += [glob + (name,) for name in target.defines if re.search(rf"\b{name}\b", body)]
        for path in paths:
            if found := self.resolve(module, path):
                other, name = found
                if other.file == module.file or private_child(module, other):
                    continue
                self.edges[module.file][other.file].add(name)

    def module_at(self, module, path):
        """The module that a path ends at, if it ends at one."""
        here = module
        for segment in path:
            if segment in ("crate", "$crate"):
                here = module.root()
            elif segment == "super":
                here = here.parent or here
            elif segment != "self":
                here = here.children.get(segment)
                if here is None:
                    return None
        return here


def private_child(module, other):
    """Whether `module` is a private child (or stands inside one) that knows the file of its parent."""
    while module.parent is not None and module.parent.file == module.file:
        module = module.parent
    return module.parent is not None and module.parent.file == other.file and not module.public


def loops(edges):
    """The strongly connected components of more than one file (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = []
            while True:
                component.append(stack.pop())
                if component[-1] == node:
                    break
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def circles(names, sources):
    """Every circle, and what ties each."""
    found = []
    for manifest in (name for name in names if name.split("/")[-1] == "Cargo.toml"):
        folder = manifest[: -len("Cargo.toml")]
        for root in (folder + "src/lib.rs", folder + "src/main.rs"):
            if root in sources:
                edges = Crate(root, sources).edges
                for files in loops(edges):
                    ties = [
                        f"    {file} -> {other}: {', '.join(sorted(edges[file][other]))}"
                        for file in files
                        for other in files
                        if other in edges[file]
                    ]
                    found.append("\n".join([f"  {len(files)} files", *ties]))
    return found


# ---- crates

def crates():
    """Every package (name and version) that a default build compiles on this machine, the workspace's own included.

    `cargo tree` over the default members, normal and build dependencies, this host's target: what `cargo build` says
    it compiles, each package once even where it is compiled for two roles.
    """
    listed = subprocess.run(
        ["cargo", "tree", "--locked", "-e", "normal,build", "--prefix", "none", "--no-dedupe", "--format", "{p}"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    return sorted({" ".join(line.split()[:2]) for line in listed.splitlines() if line.strip()})


# ---- files to touch

# A kind: the folder where its members live, one a file, and the files there that are no member. A member is added by the file
# that defines it and by whatever else must name it: its type, or its variant of an enum. A member may be named for a use of its
# own as well (an example model, a preset), so the one that is named by the fewest files says what a new one needs.
KINDS = {
    "emission": ("filtering/src/hmm/emission/", {"mod", "any", "any_emission"}),
    "posterior": ("src/posterior/", {"mod", "any", "any_posterior", "belief", "activation"}),
    "decoder": ("models/src/decoder/", {"mod", "any", "any_decoder"}),
}
PUBLIC_TYPE = re.compile(r"^pub(?:\(crate\))?\s+(?:struct|enum)\s+(\w+)", re.M)


def touched(kind, sources):
    """For each member of a kind, the files that name it."""
    folder, others = KINDS[kind]
    members = {}
    for name, source in sources.items():
        stem = name[len(folder) : -len(".rs")]
        if not name.startswith(folder) or "/" in stem or stem in others:
            continue
        # The member's own type begins as its file is called: point.rs has PointEstimate.
        camel = "".join(part.capitalize() for part in stem.split("_"))
        types = [each for each in PUBLIC_TYPE.findall(source.code) if each.startswith(camel[:5])]
        if types:
            # Encoders have kinds of the same names; theirs are no decoders.
            word = re.compile(rf"\b{types[0]}\b|\b(?!Encoder)[A-Z]\w*::(?:{camel}|{types[0]})\b")
            members[types[0]] = sorted(other for other, text in sources.items() if word.search(text.code))
    return members


# ---- files compiled in

COMPILED_IN = re.compile(r'include_(?:str|bytes)!\(\s*(concat!\(\s*)?"([^"]+)"')


def unpublished(names):
    """Files that a crate compiles in, of those that its `include` leaves out of what is published."""
    found = []
    for manifest in (name for name in names if name.split("/")[-1] == "Cargo.toml"):
        folder = manifest[: -len("Cargo.toml")]
        patterns = tomllib.loads((ROOT / manifest).read_text()).get("package", {}).get("include")
        if patterns is None:
            continue
        patterns = [pattern.removeprefix("/") for pattern in patterns]
        for name in names:
            if not (name.startswith(f"{folder}src/") and name.endswith(".rs")):
                continue
            for partial, path in COMPILED_IN.findall((ROOT / name).read_text()):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
                files = [each for each in names if each == target or partial and each.startswith(target)]
                for each in files or [target]:
                    own = each[len(folder) :]
                    if not any(fnmatch.fnmatch(own, pattern) for pattern in patterns):
                        found.append(f"{each}, which {name} includes")
    return sorted(set(found))


# ---- citations

def citations():
    """What scripts/citations.py finds; None where it is not there."""
    script = ROOT / "scripts" / "citations.py"
    if not script.is_file():
        return None
    sys.path.insert(0, str(script.parent))
    import citations as module

    return list(module.unresolved())


def main():
    check, listing = "--check" in sys.argv, "--list" in sys.argv
    names = tracked()
    sources = {name: Source(name) for name in names if is_source(name)}

    counts, details = {}, collections.defaultdict(list)

    found = circles(names, sources)
    counts["circles of imports"] = len(found)
    details["circles of imports"] = found

    long = sorted((source.long, name) for name, source in sources.items() if source.long > LONG)
    counts["files above 400 lines"] = len(long)
    details["files above 400 lines"] = [f"  {length} {name}" for length, name in reversed(long)]

    counts["lines of code"] = sum(source.lines for source in sources.values())
    per_folder = collections.Counter()
    for name, source in sources.items():
        per_folder[name.split("src/")[0] + "src/"] += source.lines
    details["lines of code"] = [f"  {lines:6} {folder}" for folder, lines in per_folder.most_common()]
    counts["lines of comments"] = sum(source.comments for source in sources.values())
    counts["lines of inline tests"] = sum(source.tests for source in sources.values())
    counts["source files"] = len(sources)

    unresolved = citations()
    if unresolved is not None:
        counts["citations that do not resolve"] = len(unresolved)
        details["citations that do not resolve"] = [f"  {each}" for each in unresolved]

    left_out = unpublished(names)
    counts["files compiled in that are not published"] = len(left_out)
    details["files compiled in that are not published"] = [f"  {each}" for each in left_out]

    compiled = crates()
    counts["crates compiled by default"] = len(compiled)
    details["crates compiled by default"] = [f"  {crate}" for crate in compiled]
    archives = [crate for crate in compiled if crate.split()[0] in ("zstd-sys", "bzip2-sys")]
    counts["C archives among them"] = len(archives)
    details["C archives among them"] = [f"  {crate}" for crate in archives]

    for kind in KINDS:
        members = touched(kind, sources)
        title = f"files to add {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        if not members:
            sys.exit(f"no {kind} in {KINDS[kind][0]}: mend KINDS in scripts/house.py")
        counts[title] = min(len(files) for files in members.values())
        for member, files in sorted(members.items(), key=lambda pair: len(pair[1])):
            details[title].append(f"  {len(files)} name {member}: {', '.join(files)}")

    broken = False
    for title, count in counts.items():
        limit = LIMITS.get(title)
        state = ""
        if limit is not None and count > limit:
            state = "open" if title in OPEN else "BROKEN"
            broken |= title not in OPEN
        elif limit is not None and title in OPEN:
            state = "holds now: strike it from OPEN"
        shown = "" if limit is None else f"at most {limit:,}"
        print(f"{title:32} {count:8,}   {shown:16} {state}".rstrip())
        if listing:
            print("\n".join(details[title]), end="\n" if details[title] else "")
        elif state == "BROKEN":
            print("\n".join(details[title][:40]))
    sys.exit(check and broken)


if __name__ == "__main__":
    main()
