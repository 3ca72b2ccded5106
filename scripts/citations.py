#!/usr/bin/env python3
"""Citations that do not resolve: equations, pages, anchors, source files.

    python3 scripts/citations.py            # one line each, FILE:LINE: what; exit status 1 if there are any

Checked in every tracked file:
- `eq. F3`, `eqs. F3, F6`, `eqs. G14-G16` and a label `(F3)` at the end of a displayed line: defined in docs/equations/;
- sections (`section 3`) only beside the work they belong to;
- `docs/page.md`, `docs/page.md#anchor`, `docs/differences.md, 12` in comments: the page, heading or row exists;
- relative links and images of Markdown, with their anchors;
- names of source files in backticks (`causal/filter.rs`) in comments and Markdown, and of folders (`src/ops/`) in docs/ and the
  pages at the root: they exist.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LABEL = r"[IFGT]\d+"
LIST = re.compile(rf"\b[Ee]qs?\.\s+((?:{LABEL})(?:(?:, | and |[–-]){LABEL})*)?")
DEFINITION = re.compile(rf"\(({LABEL})\)\s*$")
SECTION = re.compile(r"\bsections? \d")
WORK = re.compile(r"arXiv|\b(?:19|20)\d\d\b|\b[A-Z]{1,2}\d\d\b")
PAGE = re.compile(r"\bdocs/[\w./-]+\.md(?:#[\w-]+)?(?:, (\d+)\b)?")
LINK = re.compile(r"\]\(([^()\s]+)\)")
SOURCE = re.compile(r"`([\w./-]+\.(?:rs|md)|scripts/[\w./-]+\.py)`")
FOLDER = re.compile(r"`((?:[\w.-]+/)+)`")
OLD = re.compile(r"\bequations(?:\.md)? ?(?:section )?\(?(?:[A-Z]*\d|\(?(?:W|R|S|G|OPT|RMLE)\))|\(OPT\)| {3}\((?:W|R|S|G|RMLE|ELBO)\)$")


def tracked(*patterns):
    """Paths of tracked and new files, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(line) for line in dict.fromkeys(out.splitlines()) if (ROOT / line).is_file()]


def fenced(lines):
    """Whether each line lies in a fenced block."""
    inside = False
    for line in lines:
        fence = line.lstrip().startswith(("```", "~~~"))
        yield inside or fence
        inside ^= fence


def anchors(path):
    """The anchors that GitHub makes of a page's headings."""
    found, lines = {}, path.read_text(encoding="utf-8").splitlines()
    for line, code in zip(lines, fenced(lines)):
        if code or not re.match(r"#{1,6} ", line):
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip())
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        if count:
            found[f"{slug}-{count}"] = 1
    return set(found)


def definitions():
    """Every label of docs/equations and the pages that define it."""
    found = {}
    for page in sorted((ROOT / "docs/equations").glob("*.md")):
        lines = page.read_text(encoding="utf-8").splitlines()
        for line, code in zip(lines, fenced(lines)):
            if code and (match := DEFINITION.search(line)):
                found.setdefault(match.group(1), []).append(page.name)
    return found


def expanded(labels):
    """The labels of a list, ranges counted out."""
    out = re.findall(LABEL, labels)
    for first, last in re.findall(rf"({LABEL})[–-]({LABEL})", labels):
        if first[0] == last[0]:
            out += [f"{first[0]}{n}" for n in range(int(first[1:]), int(last[1:]))]
    return out


class Checker:
    def __init__(self):
        self.labels = definitions()
        self.files = tracked()
        self.names = {}
        for path in self.files:
            self.names.setdefault(path.name, []).append(path)
        page = ROOT / "docs/differences.md"
        self.rows = set(re.findall(r"^\| (\d+) \|", page.read_text(encoding="utf-8"), re.M)) if page.exists() else set()
        self.folders = {parent for path in self.files for parent in path.parents}
        self.anchors = {}
        self.problems = []

    @staticmethod
    def ends(folder, name):
        """Whether the last parts of a folder's path are these."""
        parts = Path(name).parts
        return folder.parts[-len(parts):] == parts

    def problem(self, path, number, text):
        self.problems.append(f"{path}:{number}: {text}")

    def has_anchor(self, page, anchor):
        if page not in self.anchors:
            self.anchors[page] = anchors(page)
        return anchor in self.anchors[page]

    def equations(self, path, number, text):
        for match in LIST.finditer(text):
            if not match.group(1):
                self.problem(path, number, f"an equation without a label: {text[match.start():match.start() + 30]!r}")
                continue
            for label in expanded(match.group(1)):
                if label not in self.labels:
                    self.problem(path, number, f"no equation {label}")
        if match := OLD.search(text):
            self.problem(path, number, f"a citation in an old form: {match.group(0)!r}")

    def pages(self, path, number, text):
        for match in PAGE.finditer(text):
            name, _, anchor = re.sub(r", \d+$", "", match.group(0)).partition("#")
            page = ROOT / name
            if not page.is_file():
                self.problem(path, number, f"no page {name}")
            elif anchor and not self.has_anchor(page, anchor):
                self.problem(path, number, f"no heading {name}#{anchor}")
            elif match.group(1) and name.endswith("differences.md") and match.group(1) not in self.rows:
                self.problem(path, number, f"no row {match.group(1)} in {name}")

    def sources(self, path, number, text):
        """A name in backticks is that of a file of the same package, or of one that is given from the root."""
        crate = next((p for p in path.parents if (ROOT / p / "Cargo.toml").is_file()), Path("."))
        for name in (n for n in SOURCE.findall(text) if "NAME" not in n):
            parts = Path(name).parts
            if (ROOT / name).exists() or (ROOT / path.parent / name).exists():
                continue
            same = [p for p in self.names.get(parts[-1], []) if p.parts[-len(parts):] == parts]
            near = [p for p in same if crate in p.parents or path.suffix == ".md"]
            if not near:
                self.problem(path, number, f"no source file {name}")

    def comment(self, path, lines):
        """The comments of a source file, and its old citations anywhere."""
        marks = {".rs": r"\s*//[/!]?(?: |$)|.*\s// ", ".py": r"\s*#|.*\s# ", ".toml": r"\s*#", ".yml": r"\s*#"}[path.suffix]
        previous = ""
        for number, line in enumerate(lines, 1):
            if not re.match(marks, line):
                previous = ""
                continue
            self.equations(path, number, line)
            self.pages(path, number, line)
            self.sources(path, number, line)
            if path.suffix == ".rs" and (match := re.search(rf"  +\(({LABEL})\)\s*$", line)):
                if match.group(1) not in self.labels:
                    self.problem(path, number, f"no equation {match.group(1)}")
            if SECTION.search(line) and not WORK.search(previous + line):
                self.problem(path, number, "a section of no work")
            previous = line

    def markdown(self, path, lines):
        for number, (line, code) in enumerate(zip(lines, fenced(lines)), 1):
            if code:
                continue
            self.equations(path, number, line)
            self.sources(path, number, line)
            if path.parts[0] == "docs" or len(path.parts) == 1:
                for name in FOLDER.findall(line):
                    if not (ROOT / name).is_dir() and not any(self.ends(p, name) for p in self.folders):
                        self.problem(path, number, f"no folder {name}")
            for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                page = (ROOT / path.parent / name).resolve() if name else ROOT / path
                if not page.exists():
                    self.problem(path, number, f"no file {target}")
                elif anchor and (page.suffix != ".md" or not self.has_anchor(page, anchor)):
                    self.problem(path, number, f"no heading {target}")

    def run(self):
        for label, pages in self.labels.items():
            if len(pages) > 1:
                self.problem(f"docs/equations/{pages[1]}", 0, f"{label} is defined more than once")
        for path in self.files:
            if path.suffix not in (".rs", ".md", ".py", ".toml", ".yml") or path == Path("scripts/citations.py"):
                continue
            lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
            (self.markdown if path.suffix == ".md" else self.comment)(path, lines)
        return self.problems


def unresolved():
    """One line for every citation that does not resolve."""
    return Checker().run()


def main():
    found = unresolved()
    for line in found:
        print(line)
    print(f"{len(found)} citations do not resolve" if found else "every citation resolves", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
