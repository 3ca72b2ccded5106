#!/usr/bin/env python3
"""Cuts Noto Sans Math (SIL Open Font License 1.1) down to the symbols of the equations: docs/assets/math.woff2.

    scripts/site/font.py NotoSansMath-Regular.ttf     (needs fonttools and brotli)

Browsers take the heights of subscripts from a font with a table of mathematical constants. Not every system has one, and
the site fetches nothing. Run it again where docs/equations gains a symbol that the font lacks.
"""

import sys
import unicodedata
from pathlib import Path

from fontTools import subset

ROOT = Path(__file__).resolve().parents[2]


def symbols():
    """What the pages contain beyond ASCII text, its italic forms, and ASCII itself."""
    found = {chr(code) for code in range(0x20, 0x7F)} | set("′″−±×÷")
    for path in (ROOT / "docs").rglob("*.md"):
        found |= {c for c in path.read_text(encoding="utf-8") if ord(c) > 0x7F}
    # Browsers set single letters in italics: the letters of the block of mathematical alphanumeric symbols.
    italic = set()
    for code in range(0x1D400, 0x1D800):
        name = unicodedata.name(chr(code), "")
        if name.startswith("MATHEMATICAL ITALIC") and unicodedata.normalize("NFKD", chr(code)) in found:
            italic.add(chr(code))
    return found | italic | {"\u210e", "\U0001d6a4", "\U0001d6a5"}


def main(source):
    options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True, drop_tables=["GSUB"])
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(symbols())))
    cutter.subset(font)
    target = ROOT / "docs" / "assets" / "math.woff2"
    subset.save_font(font, str(target), options)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes, {len(font.getGlyphOrder())} glyphs")


if __name__ == "__main__":
    main(sys.argv[1])
