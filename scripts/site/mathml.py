"""The displayed equations of docs/equations as MathML, from the plain text in which they are written.

A ```text block with labels (F3) becomes a table of its lines, an anchor for each label. What is text in the sources stays
searchable and cited by `eq. F3`; browsers typeset MathML without any script.
"""

import html
import re

LABEL = re.compile(r"(?:^|\s+)\(([IFG]\d+)\)\s*$")
SUPERSCRIPT = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁱʲᵏⁿᵀʰˣᵗ", "0123456789+−()ijknThxt"))
SUBSCRIPT = dict(zip("₀₁₂₃₄₅₆₇₈₉ₓ₊₋ᵢⱼ∞", "0123456789x+−ij"))
SUBSCRIPT.pop("∞", None)
RELATIONS = tuple("=∝~≤≥←→⇔≈")
COMBINING = "\u0302\u0303\u0304\u0307\u0308"
# Names that are part of a formula; other words of two letters and more are prose.
NAMES = set(
    "ln exp log max min diag tr det cov var Var Cov KL softmax softplus clamp argmin argmax sgn sg cos sin blkdiag Dir mean "
    "pred vec dim iS KLD Poisson chol".split()
)
LETTER = re.compile(r"[^\W\d_]")
WORD = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ-]+")


def is_letter(c):
    return bool(LETTER.fullmatch(c)) and c not in SUPERSCRIPT and c not in SUBSCRIPT


def element(tag, body, **attributes):
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{given}>{body}</{tag}>"


def leaf(tag, text, **attributes):
    return element(tag, html.escape(text, quote=False), **attributes)


SPACE = "\u00a0"
PRIME = leaf("mo", "′", lspace="0", rspace="0")


class Formula:
    """One formula, read from left to right."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def rest(self):
        return self.text[self.at :]

    def row(self):
        parts = []
        while self.at < len(self.text):
            parts.append(self.scripted())
        return element("mrow", "".join(parts))

    def scripted(self):
        """An atom with its subscripts and superscripts; a prime is as high as fonts draw it."""
        base, takes_scripts = self.atom()
        below, above = [], []
        while takes_scripts and self.rest()[:1] == "'":
            self.at += 1
            base = element("mrow", base + PRIME)
        while takes_scripts and self.at < len(self.text):
            c = self.text[self.at]
            if c == "'":
                self.at += 1
                above.append(PRIME)
            elif c == "*" and not self.text[self.at + 1 : self.at + 2].isalnum():
                self.at += 1
                above.append(leaf("mo", "*"))
            elif c in SUPERSCRIPT:
                above.append(self.raised(SUPERSCRIPT))
            elif c in SUBSCRIPT:
                below.append(self.raised(SUBSCRIPT))
            elif c in "_^" and self.at + 1 < len(self.text) and self.text[self.at + 1] not in " ,":
                self.at += 1
                (below if c == "_" else above).append(self.argument(c))
            else:
                break
        below, above = (element("mrow", "".join(side)) if side else None for side in (below, above))
        if below and above:
            return element("msubsup", base + below + above)
        if below:
            return element("msub", base + below)
        return element("msup", base + above) if above else base

    def raised(self, table):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in table:
            self.at += 1
        return Formula("".join(table[c] for c in self.text[start : self.at])).row()

    def argument(self, mark):
        """What follows _ or ^: a group in braces (or, raised, in brackets), or letters and digits."""
        opening = self.text[self.at]
        if opening == "{" or (mark == "^" and opening == "("):
            return Formula(self.group("{}" if opening == "{" else "()")).row()
        pattern = r"[−+<≤≠:]?(?:[^\W_]|[\u0302\u0303½∞])+'*(?:[^\W_]|')*(?:,(?=[^\W\d_])(?:[^\W_])+)?" if mark == "_" else r"[−+]?(?:[^\W_]|½|∞)+"
        found = re.match(pattern, self.rest())
        if not found:
            self.at += 1
            return leaf("mi", opening)
        text = found.group()
        for place, c in enumerate(text):
            if place and c in SUPERSCRIPT:
                text = text[:place]
                break
        self.at += len(text)
        return Formula(text).letters()

    def letters(self):
        """Indices: every letter by itself."""
        parts = []
        for c in self.text:
            if c == "'":
                parts.append(PRIME)
            elif c in COMBINING:
                parts[-1] = parts[-1].replace("</", c + "</")
            elif c.isdigit() or c == "½":
                parts.append(leaf("mn", c))
            else:
                parts.append(leaf("mi" if is_letter(c) else "mo", c))
        return element("mrow", "".join(parts))

    def group(self, brackets):
        depth, start = 0, self.at
        while self.at < len(self.text):
            c = self.text[self.at]
            depth += (c == brackets[0]) - (c == brackets[1])
            self.at += 1
            if depth == 0:
                break
        return self.text[start + 1 : self.at - 1]

    def atom(self):
        """One symbol, number, name or stretch of prose, and whether scripts can follow."""
        c = self.text[self.at]
        if c == " ":
            self.at += 1
            return "", False
        word = WORD.match(self.rest())
        if word and not re.match(r"[A-Z][a-z]?$", word.group()):
            return self.word(word.group())
        number = re.match(r"\d+(?:\.\d+)?", self.rest())
        if number:
            self.at += number.end()
            return leaf("mn", number.group()), True
        end = self.at + 1
        while end < len(self.text) and self.text[end] in COMBINING:
            end += 1
        symbol, self.at = self.text[self.at : end], end
        if is_letter(c) or c in "∞∂∇":
            return leaf("mi", symbol), True
        if c in "½¼⅛¾⅓":
            return leaf("mn", symbol), False
        if c in "()[]{}|‖⌈⌉⌊⌋":
            return leaf("mo", symbol, stretchy="false", lspace="0", rspace="0"), c in ")]|}‖"
        if c in "ΣΠ∏∫":
            return leaf("mo", symbol, largeop="false", movablelimits="false"), True
        if c in ":;,":
            return leaf("mo", symbol, lspace="0", rspace="0.25em"), False
        return leaf("mo", symbol), False

    def word(self, word):
        after = self.text[self.at + len(word) : self.at + len(word) + 1]
        if word in NAMES or after in ("_", "^") or (after == "(" and word.islower()):
            self.at += len(word)
            space = " " if after == " " else ""
            body = leaf("mi", word)
            return (body + leaf("mspace", "", width="0.17em") if space else body), not space
        # Prose: this word and those after it, and the single letters between them.
        found = re.match(r"[A-Za-zÀ-ÿ-]{2,}[.:;,]?(?: (?:a |x )?[A-Za-zÀ-ÿ-]{2,}(?![\w(^\[])[.:;,]?)*", self.rest())
        said = found.group() if found else word
        kept = []
        for part in said.split(" "):
            if kept and part in NAMES:
                break
            kept.append(part)
        said = " ".join(kept)
        before = self.text[self.at - 1 : self.at] == " "
        self.at += len(said)
        after = self.rest()[:1] == " "
        return leaf("mtext", SPACE * before + said + SPACE * after), False


def cells(line):
    """(column, text) of what stands between gaps of two spaces and more."""
    return [(found.start(), found.group()) for found in re.finditer(r"\S+(?: \S+)*", line)]


def tab_stops(lines):
    """Columns at which several lines begin a cell, one of them after a gap."""
    after_gap = {column for line in lines for column, _ in cells(line) if column}
    stops = set()
    for column in after_gap:
        starts = sum(
            1 for line in lines if len(line) > column and line[column] != " " and (column == 0 or line[column - 1] == " ")
        )
        if starts > 1:
            stops.add(column)
    return sorted(stops)


def at_stops(line, stops):
    """The text that belongs to each stop, the first before all of them."""
    gaps = {column for column, _ in cells(line)}
    begins = [stop for stop in stops if stop in gaps or (line[stop - 1 : stop] == " " and line[stop : stop + 1] in RELATIONS)]
    parts, edges = [], [0, *begins]
    for start, end in zip(edges, [*edges[1:], None]):
        parts.append((start, line[start:end].rstrip()))
    return parts


def typeset(text):
    """The cells of a stretch of line, as formulas apart by a quad."""
    found = cells(text)
    formulas = [element("math", Formula(cell).row()) for _, cell in found]
    indent = found[0][0] if found else 0
    style = f' style="padding-left:{0.5 * indent:g}em"' if indent else ""
    return f"<span{style}>" + '<span class="eq-gap"></span>'.join(formulas) + "</span>"


def block(source, labels):
    """A displayed block as a table; appends its labels to `labels`."""
    lines, numbers = [], []
    for line in source.splitlines():
        found = LABEL.search(line)
        numbers.append(found.group(1) if found else "")
        lines.append(line[: found.start()] if found else line)
    stops = tab_stops(lines)
    rows = []
    for line, number in zip(lines, numbers):
        if not line.strip() and not number:
            rows.append('<tr class="eq-space"><td></td></tr>')
            continue
        placed = at_stops(line, stops)
        columns = [0, *stops]
        row = []
        for place, (start, text) in enumerate(placed):
            first = columns.index(start)
            last = columns.index(placed[place + 1][0]) if place + 1 < len(placed) else len(columns)
            row.append(f'<td colspan="{last - first}">{typeset(text)}</td>')
        labels.append(number) if number else None
        shown = f'<a href="#{number}">({number})</a>' if number else ""
        anchor = f' id="{number}"' if number else ""
        rows.append(f'<tr{anchor}>{"".join(row)}<td class="eq-number">{shown}</td></tr>')
    return f'<div class="eq-block"><table class="eq">{"".join(rows)}</table></div>'


INLINE = re.compile(r"(?<![\w&#])((?:[^\s<>_^&]|&(?:lt|gt|amp);)*?(?<![A-Za-z])(?:[^\W\d_][\u0302\u0303\u0304\u0307']*|[)\]}ΣΠ∏∇∂])[_^](?:\{[^}]*\}|[^\s<>])+)")


def inline(text):
    """Symbols with subscripts or superscripts in a stretch of HTML text, typeset."""

    def typeset_symbol(found):
        symbol = found.group(1)
        end = re.search(r"[.,:;]*$", symbol).start()
        while end and symbol[end - 1] == ")" and symbol[:end].count("(") < symbol[:end].count(")"):
            end -= 1
        math = element("math", Formula(html.unescape(symbol[:end])).row())
        return math + symbol[end:]

    return INLINE.sub(typeset_symbol, text)


def replace_blocks(markdown, wanted, labels):
    """All ```text blocks of a page that `wanted` accepts, typeset."""

    def typeset_block(found):
        return "\n" + block(found.group(1), labels) + "\n" if wanted(found.group(1)) else found.group()

    return re.sub(r"^```text\n(.*?)^```$", typeset_block, markdown, flags=re.S | re.M)


def has_label(source):
    return any(LABEL.search(line) for line in source.splitlines())
