#!/usr/bin/env python3
"""Checks the built site: every link and anchor exists, and nothing is loaded from elsewhere.

    scripts/site/links.py FOLDER
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors of a page, what it links to and what it loads."""

    def __init__(self):
        super().__init__()
        self.anchors, self.links, self.loads, self.pictures = set(), [], [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if given.get("id"):
            self.anchors.add(given["id"])
        if tag == "a" and given.get("name"):
            self.anchors.add(given["name"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("script", "img", "iframe", "source", "video") and given.get("src"):
            self.loads.append(given["src"])
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev", "edit") and given.get("href"):
            self.loads.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.pictures.append(given.get("src", ""))


def read(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def main(root):
    root = root.resolve()
    pages = {path: read(path) for path in root.rglob("*.html")}
    wrong = []

    def check(path, url, loaded):
        parts = urlsplit(url)
        if parts.scheme == "data":
            return
        if parts.scheme or parts.netloc:
            if loaded:
                wrong.append(f"{path.relative_to(root)}: loads {url} from elsewhere")
            return
        # 404.html is served at any depth and has absolute links.
        start = root if parts.path.startswith("/") else path.parent
        target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            wrong.append(f"{path.relative_to(root)}: {url} does not exist")
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            wrong.append(f"{path.relative_to(root)}: {url}: no such anchor")

    for path, page in pages.items():
        for url in page.links:
            check(path, url, False)
        for url in page.loads:
            check(path, url, True)
        wrong.extend(f"{path.relative_to(root)}: {src} has no text in place of the picture" for src in page.pictures)
    print("\n".join(wrong) if wrong else f"{len(pages)} pages, {sum(len(p.links) for p in pages.values())} links: all there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
