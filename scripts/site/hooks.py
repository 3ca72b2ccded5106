"""What the site adds to docs/: pages made from other files of the repository, typeset equations, links to equations.

Events of MkDocs (mkdocs.yml, `hooks`). A citation of an equation that is not defined, and a link to a file that is not there,
fail the build.
"""

import html
import re
import sys
from pathlib import Path, PurePosixPath

from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

sys.path.insert(0, str(Path(__file__).parent))
import generated  # noqa: E402
import mathml  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CITATION = re.compile(r"\b([Ee]qs?\.\s+)((?:[IFG]\d+)(?:(?:, | and |[–-])[IFG]\d+)*)")
LABEL = re.compile(r"[IFG]\d+")
PAGE_OF = {"I": "equations/inference/", "F": "equations/filtering/", "G": "equations/generalised/"}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")

labels = {}


class SubscriptsAreNoEmphasis(Extension):
    """x_t and y_t in one sentence are symbols; emphasis is written with asterisks."""

    def extendMarkdown(self, md):
        # Before emphasis (60), after code, links and HTML: what a processor returns is not looked at again.
        md.inlinePatterns.register(Underscore("_", md), "underscore", 65)


class Underscore(InlineProcessor):
    """The character itself."""

    def handleMatch(self, match, data):
        return "_", match.start(0), match.end(0)


def on_config(config):
    config.markdown_extensions.append(SubscriptsAreNoEmphasis())
    return config


def on_pre_build(config):
    """The labels of all equations, so that every page can link to them."""
    labels.clear()
    for page in PAGE_OF.values():
        source = (ROOT / "docs" / page.rstrip("/")).with_suffix(".md").read_text(encoding="utf-8")
        found = []
        mathml.replace_blocks(source, lambda _: True, found)
        labels.update(dict.fromkeys(found, page))


def on_files(files, config):
    """Pages that are not in docs/."""
    for path, content in generated.pages(ROOT).items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links that leave docs/ become names of files; displayed equations are typeset."""
    at = PurePosixPath(page.file.src_uri)
    folder = PurePosixPath("docs") / at.parent
    markdown = LINK.sub(lambda found: _link(found, folder, at, files), markdown)
    of_equations = at.parent.name == "equations"
    return mathml.replace_blocks(markdown, lambda block: of_equations or mathml.has_label(block), [])


def on_page_content(html_text, page, config, files):
    """`eq. F3` becomes a link and x_t is typeset, outside code, links and headings."""
    depth, out = 0, []
    for part in re.split(r"(<[^>]+>)", html_text):
        tag = re.match(r"<(/?)(a|code|pre|h[1-6]|math|title)\b", part)
        if tag:
            depth += -1 if tag.group(1) else 1
        if depth or part.startswith("<"):
            out.append(part)
        else:
            out.append(CITATION.sub(lambda found: _cite(found, page), mathml.inline(part)))
    return _unique_anchors("".join(out), page)


def _unique_anchors(text, page):
    """A page that quotes an equation does not define it: the anchor is that of docs/equations."""
    if page.url in PAGE_OF.values():
        return text
    text = re.sub(r'<tr id="([IFG]\d+)">', "<tr>", text)
    return re.sub(
        r'(<td class="eq-number"><a href=")#([IFG]\d+)"', lambda found: f'{found.group(1)}{_url(found.group(2), page)}"', text
    )


def _url(label, page):
    if label not in labels:
        raise PluginError(f"{page.file.src_uri}: there is no equation {label}")
    return get_relative_url(labels[label], page.url) + "#" + label


def _cite(found, page):
    linked = LABEL.sub(lambda label: f'<a class="eq-cite" href="{_url(label.group(), page)}">{label.group()}</a>', found.group(2))
    return found.group(1) + linked


def _link(found, folder, at, files):
    mark, text, target = found.groups()
    if re.match(r"[a-z]+:|#", target):
        return found.group()
    path, _, anchor = target.partition("#")
    parts = []
    for part in (folder / path).parts:
        parts.pop() if part == ".." else parts.append(part)
    name = "/".join(parts)
    notebook = re.fullmatch(r"python/(notebooks/\w+)\.ipynb", name)
    moved = f"{notebook.group(1)}.md" if notebook else generated.MOVED.get(name)
    if moved is None and parts[:1] == ["docs"]:
        return found.group()
    if moved is not None:
        up = "../" * len(at.parent.parts)
        return f"{mark}[{text}]({up}{moved}{'#' + anchor if anchor else ''})"
    if not (ROOT / name).exists():
        raise PluginError(f"{at}: there is no {name}")
    plain = text.strip("`")
    return f"`{name}`" if plain in name else f"{text} (`{html.escape(name)}`)"
