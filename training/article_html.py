"""HTML and wiki markup of help centres turned into Markdown without any HTML.

The standard library's HTML parser takes quadratic time on crafted text, so tags are cut here by
expressions of linear time. What a browser would not show is dropped.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator

from triage.article_file import inert_markdown

# A quoted value may hold ">" but no "<": so no attempt reads further than the next "<".
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-z][a-z0-9:-]{0,30}+)(?![^\s/>])"
    r"(?P<attributes>(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+|[^<>]*+)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"(?<![\w:-])(?P<name>href|alt|start)\s{0,9}=\s{0,9}"
    r"(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s\"'>]++))",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}+(?![0-9])|#x[0-9a-f]{1,6}+(?![0-9a-f])|[a-z][a-z0-9]{1,31}+);?",
    re.IGNORECASE,
)
_LOOKS_LIKE_HTML = re.compile(
    r"</?(?:p|div|br|hr|[ou]l|li|h[1-6]|table|t[rdh]|span|strong|em|[abiu]|img|pre|code|script)"
    r"(?=[\s/>])",
    re.IGNORECASE,
)

_RAW_TEXT = frozenset(("script", "style", "textarea", "xmp", "plaintext", "title", "noembed"))
"""Elements whose content is no markup; of these none is shown as an article's text."""

_UNSEEN = frozenset(
    ("head", "template", "svg", "math", "iframe", "object", "select", "noscript", "audio", "video")
)
_SEALED = frozenset(("template", "object", "iframe"))
"""What ends by its own end tag alone; the others end with the element they stand in."""

_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div"),
        *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html"),
        *("main", "nav", "p", "section", "summary", "table", "tbody", "tfoot", "thead", "tr"),
    )
)
_INLINE = frozenset(
    (
        *(
            "a",
            "abbr",
            "b",
            "bdo",
            "big",
            "button",
            "cite",
            "code",
            "del",
            "dfn",
            "em",
            "font",
            "i",
        ),
        *("img", "input", "ins", "kbd", "label", "mark", "pre", "q", "s", "samp", "small", "span"),
        *("strike", "strong", "sub", "sup", "td", "th", "tt", "u", "var"),
    )
)
_HEADINGS = {"h1": "##", "h2": "##", "h3": "###", "h4": "###", "h5": "###", "h6": "###"}
_MAX_DEPTH = 6  # of nested lists; deeper ones are no deeper to a reader
_INDENT = "   "
_TARGET = re.compile(r"(?:https?://|mailto:)[^\s<>\"']++", re.IGNORECASE)
_TARGET_QUOTES = str.maketrans({"(": "%28", ")": "%29", "[": "%5B", "]": "%5D"})

_WIKI_HEADING = re.compile(r"(={1,6})(?P<text>[^=]++)=++\s*+")
_WIKI_ITEM = re.compile(r"(?P<marks>[*#]{1,6}+)[:\s]*+(?P<text>.*)", re.DOTALL)
_WIKI_QUOTES = re.compile(r"'{2,5}")
_WIKI_PAGE = re.compile(r"\[\[(?:[^\[\]|]*+\|)?(?P<text>[^\[\]|]*+)\]\]")
_WIKI_LINK = re.compile(r"\[(?P<target>https?://[^\s\[\]]++)(?:\s++(?P<text>[^\[\]]*+))?\]", re.I)


def looks_like_html(text: str) -> bool:
    """Tell HTML from plain text and Markdown by the tags that editors of help centres write."""
    return _LOOKS_LIKE_HTML.search(text) is not None


def html_to_markdown(text: str) -> str:
    """Write an HTML page as Markdown: headings, lists, code blocks and safe links stay."""
    writer = _Writer()
    for kind, name, content in _pieces(text):
        if kind == "text":
            writer.add(_decoded(content))
        elif kind == "start":
            writer.open(name, content)
        else:
            writer.close(name)
    return inert_markdown(writer.finish())


def without_tags(markdown: str) -> str:
    """Take the tags out of Markdown that has some HTML in it; unknown ones become NAME."""
    parts = []
    for kind, name, content in _pieces(markdown):
        if kind == "text":
            parts.append(content)
        elif name in _BLOCKS or name in _HEADINGS or name in ("br", "li", "ol", "ul"):
            parts.append("\n")
        elif name not in _INLINE and kind == "start":
            parts.append(f"<{name}>")
    return inert_markdown("".join(parts))


def wiki_to_markdown(text: str) -> str:
    """Write wiki markup as Markdown: headings, lists and links."""
    text = _WIKI_PAGE.sub(lambda found: found["text"], _WIKI_QUOTES.sub("", text))
    text = _WIKI_LINK.sub(
        lambda found: f"[{found['text'] or found['target']}]({found['target']})", text
    )
    lines: list[str] = []
    numbers: list[int] = []
    for line in text.splitlines():
        stripped = line.strip()
        if heading := _WIKI_HEADING.fullmatch(stripped):
            lines += ["", f"## {heading['text'].strip()}", ""]
            numbers.clear()
        elif item := _WIKI_ITEM.fullmatch(stripped):
            depth = len(item["marks"])
            del numbers[depth:]
            numbers += [0] * (depth - len(numbers))
            numbers[-1] += 1
            marker = f"{numbers[-1]}." if item["marks"].endswith("#") else "-"
            lines.append(f"{_INDENT * (depth - 1)}{marker} {item['text']}")
        else:
            if numbers and stripped:
                lines.append("")
                numbers.clear()
            lines.append(stripped)
    return inert_markdown("\n".join(lines))


def _pieces(text: str) -> Iterator[tuple[str, str, str]]:
    """Cut HTML into texts, start tags and end tags, without what is not shown.

    Yields
    ------
    ("text", "", text), ("start", name, attributes) or ("end", name, "")
    """
    place = 0
    unseen: list[str] = []  # what is open since the first element that hides, that one first
    n_within: Counter[str] = Counter()  # of each name in it: to look through it takes too long
    n_around: Counter[str] = Counter()  # of what was open before
    while place < len(text):
        opened = text.find("<", place)
        if opened < 0:
            opened = len(text)
        if opened > place and not unseen:
            yield "text", "", text[place:opened]
        if opened == len(text):
            return
        tag = _TAG.match(text, opened)
        if tag is None:
            place = _after_markup(text, opened)
            if place == opened + 1 and not unseen:
                yield "text", "", "<"
            continue
        place = tag.end()
        name = tag["name"].lower()
        if name in _RAW_TEXT and not tag["end"]:
            closed = re.compile(rf"</{name}(?=[\s/>])[^<>]*+>", re.IGNORECASE).search(text, place)
            place = closed.end() if closed else len(text)
        elif unseen or name in _UNSEEN:
            if not tag["end"]:
                if not tag["attributes"].endswith("/"):
                    unseen.append(name)
                    n_within[name] += 1
            elif n_within[name]:
                _close(unseen, n_within, name)
            elif n_around[name] and unseen[0] not in _SEALED:
                unseen.clear()
                n_within.clear()
                n_around[name] -= 1
                yield "end", name, ""
        elif tag["end"]:
            n_around[name] -= n_around[name] > 0
            yield "end", name, ""
        else:
            n_around[name] += 1
            yield "start", name, tag["attributes"]


def _close(names: list[str], counts: Counter[str], name: str) -> None:
    """Close the last element of a name; what was opened within it and never closed ends too."""
    ended = ""
    while ended != name:
        ended = names.pop()
        counts[ended] -= 1


def _after_markup(text: str, opened: int) -> int:
    """Find where a comment, a declaration or an instruction ends; a mere "<" is a text of one."""
    if text.startswith("<!--", opened):
        closed = text.find("-->", opened + 4)
        return len(text) if closed < 0 else closed + 3
    if text.startswith(("<!", "<?"), opened):
        closed = text.find(">", opened)
        return len(text) if closed < 0 else closed + 1
    return opened + 1


def _decoded(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


class _Writer:
    """Collects Markdown blocks while a page is read from its start to its end."""

    def __init__(self) -> None:
        self._blocks: list[tuple[bool, str]] = []  # whether it belongs to a list, and its lines
        self._text: list[str] = []
        self._lists: list[int | None] = []  # the last number of each open list, None for bullets
        self._marker = ""  # of the item that has no text yet
        self._heading = ""
        self._link: tuple[int, str] | None = None  # where its text begins, and its target
        self._is_code = False

    def add(self, text: str) -> None:
        """Take over a text; marks that Markdown would read are taken from it."""
        self._text.append(text if self._is_code else text.replace("`", "'"))

    def open(self, name: str, attributes: str) -> None:
        """Begin an element."""
        if name == "br":
            self._text.append("\n" if self._is_code else " ") if self._in_line else self._flush()
        elif name == "pre":
            self._flush()
            self._is_code = True
        elif name in ("ol", "ul"):
            self._flush()
            start = _attribute(attributes, "start")
            first = int(start) if start.isdecimal() and len(start) < 5 else 1
            self._lists.append(first - 1 if name == "ol" else None)
        elif name == "li":
            self._flush()
            self._begin_item()
        elif name in _HEADINGS:
            self._flush()
            self._heading = _HEADINGS[name]
        elif name in ("td", "th"):
            self._text.append(" | " if self._text else "")
        elif name == "a":
            self._end_link()  # a link within a link ends it, as in a browser
            self._link = (len(self._text), _attribute(attributes, "href"))
        elif name == "img":
            alt = " ".join(_attribute(attributes, "alt").split())
            self._text.append(f" (picture: {alt}) " if alt else "")
        elif name in _BLOCKS:
            self._flush()

    def close(self, name: str) -> None:
        """End an element; one that was not begun is passed over."""
        if name == "pre":
            self._end_code()
        elif name in ("ol", "ul"):
            self._flush()
            self._marker = ""
            if self._lists:
                self._lists.pop()
        elif name in _HEADINGS or name in _BLOCKS or name == "li":
            self._flush()
            self._heading = ""
        elif name == "a":
            self._end_link()

    def finish(self) -> str:
        """Give the whole text."""
        self._flush()
        parts: list[str] = []
        was_item = False
        for is_item, block in self._blocks:
            parts += ["" if not parts else "\n" if is_item and was_item else "\n\n", block]
            was_item = is_item
        return "".join(parts)

    @property
    def _in_line(self) -> bool:
        """Whether a break would tear apart what has to stay on one line."""
        return bool(self._is_code or self._heading or self._lists)

    def _begin_item(self) -> None:
        if not self._lists:
            self._lists.append(None)
        number = self._lists[-1]
        if number is None:
            self._marker = "- "
        else:
            self._lists[-1] = number + 1
            self._marker = f"{number + 1}. "

    def _end_link(self) -> None:
        if self._link is None:
            return
        start, target = self._link
        self._link = None
        text = " ".join("".join(self._text[start:]).replace("[", "(").replace("]", ")").split())
        target = target.strip()
        if text and _TARGET.fullmatch(target) and not self._is_code:
            self._text[start:] = [f"[{text}]({target.translate(_TARGET_QUOTES)})"]

    def _end_code(self) -> None:
        code = "".join(self._text).strip("\n")
        self._text.clear()
        self._link = None
        self._is_code = False
        if code.strip():
            # In a list it is a line of the item: what is fenced in one item would end it.
            if self._lists:
                self._put(" ".join(code.replace("`", "'").split()))
            else:
                code = code.replace("```", "'''").replace("~~~", "---")
                self._blocks.append((False, f"```\n{code}\n```"))

    def _flush(self) -> None:
        if self._is_code:
            return
        text = " ".join("".join(self._text).split()).lstrip("| ")
        self._text.clear()
        self._link = None
        if text:
            self._put(text)

    def _put(self, text: str) -> None:
        depth = min(len(self._lists), _MAX_DEPTH)
        if self._heading and not self._lists:
            self._blocks.append((False, f"{self._heading} {text}"))
        elif not depth:
            self._blocks.append((False, _unmarked(text)))
        elif self._marker:
            self._blocks.append((True, f"{_INDENT * (depth - 1)}{self._marker}{_unmarked(text)}"))
            self._marker = ""
        else:
            self._blocks.append((True, f"{_INDENT * depth}{_unmarked(text)}"))


_LINE_MARKS = re.compile(r"(?:(?:[#>|=~+*-]++|\d{1,9}[.)])(?=\s|$)\s*+)++")


def _unmarked(text: str) -> str:
    """Take off what would make a heading, a list or a quotation of a page's own text."""
    found = _LINE_MARKS.match(text)
    return text[found.end() :] if found else text


def _attribute(attributes: str, name: str) -> str:
    for found in _ATTRIBUTE.finditer(attributes):
        if found["name"].lower() == name:
            return _decoded(found["double"] or found["single"] or found["bare"] or "")
    return ""
