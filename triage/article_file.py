"""Articles written down: any text made inert, and the Markdown file that `parse_article` reads."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

# What a front matter or a page could not hold: control characters, the ones that reorder text,
# lone surrogates, and characters that YAML does not know.
_DROPPED = re.compile(
    "[^\n\t\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]"
)
# Composing letters takes quadratic time in a row of combining marks, so rows are kept short.
_RUN = re.compile(r"\S{1,100}")

_PLACEHOLDER = re.compile(r"<(?P<name>[a-z][a-z0-9_ .-]{0,40}+)>", re.IGNORECASE)
_ADDRESS = re.compile(r"<(?P<address>(?:https?://|mailto:)[^<>\s]++)>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_FOREIGN_TAG = re.compile(r"<(?!https?://|mailto:)(?=[a-z/!?])", re.IGNORECASE)
_ANY_LINK = re.compile(r"\](?=[(:])")
_INLINE_LINK = re.compile(
    r"!?\[(?P<text>[^\[\]]*+)\]\(\s*+<?+(?!https?://|mailto:)[^()\s>]*+[^()]*+\)", re.IGNORECASE
)
_FOREIGN_LINK = re.compile(r"\](?=(?:\(|:)\s*+<?+(?!https?://|mailto:))", re.IGNORECASE)
# What makes a line a heading, a list, a quotation, a rule, a table or code. One match takes all of
# them: to cut off one after the other copies the rest each time.
_LEADING_MARKS = re.compile(
    r"(?:(?:(?:[#>|~=*+-]++|\d{1,9}[.)])(?:\s++|$)|[#>|~=]++|[*+-]{2,}+)\s*+)++"
)


def inert_line(text: str) -> str:
    """Make one line of a text, plain for every Markdown reader: no HTML, link, heading or list.

    ``<name>``, as redaction writes it, becomes NAME.
    """
    text = " ".join(_composed(text).split())
    text = _ADDRESS.sub(lambda found: found["address"], text)
    text = _ANY_TAG.sub("< ", _PLACEHOLDER.sub(_in_capitals, text))
    text = _ANY_LINK.sub("] ", text).replace("`", "'").replace("**", "")
    marks = _LEADING_MARKS.match(text)
    return text[marks.end() :] if marks else text


def inert_markdown(text: str) -> str:
    """Take from a Markdown text what an article may not hold; headings, lists and code stay.

    Links that lead elsewhere than to http(s) or mailto become their text, ``<name>`` becomes NAME,
    and what else looks like HTML loses its meaning by a blank.
    """
    text = _composed(text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INLINE_LINK.sub(lambda found: found["text"], text)
    text = _FOREIGN_LINK.sub("] ", text)
    return _FOREIGN_TAG.sub("< ", _PLACEHOLDER.sub(_in_capitals, text)).strip()


def section(heading: str, items: Sequence[str], *, is_numbered: bool = False) -> str:
    """Write a section that `parse_article` reads as a list; items are plain lines."""
    lines = [
        f"{number}. {item}" if is_numbered else f"- {item}" for number, item in enumerate(items, 1)
    ]
    return "\n".join([f"## {heading}", "", *lines])


def article_file(front: Mapping[str, Any], body: str) -> str:
    """Write an article's file: its front matter, without what is empty, and its body.

    Parameters
    ----------
    front : entries by name, texts, dates or lists of texts, in the order to write them
    body : Markdown
    """
    entries = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in front.items()
        if value
    }
    # Width without end: a value that YAML breaks into lines is hard to edit.
    written = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=10**9)
    return f"---\n{written}---\n\n{body.strip()}\n"


def _composed(text: str) -> str:
    text = _DROPPED.sub("", text)
    return _RUN.sub(lambda run: unicodedata.normalize("NFC", run[0]), text)


def _in_capitals(placeholder: re.Match[str]) -> str:
    return placeholder["name"].strip().upper()
