"""A knowledge article: one Markdown file with YAML front matter, read from an untrusted folder."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import yaml

from triage.errors import KnowledgeError

TITLE_LIMIT = 200
"""Longest title, in characters."""

FRONT_MATTER_LIMIT = 16_384
"""Longest front matter, in characters: ten times what a careful author needs."""

COLLECTION_LIMIT = 20
"""Most lists and mappings in a front matter; nesting without end exhausts a YAML reader's stack."""

LIST_FIELDS = ("symptoms", "applies_to", "required_details")
TEXT_FIELDS = ("id", "title", "category", "tier", "reviewed", "url")
_SECTION_FIELDS = ("steps", "verify", "escalate_when", "body")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
# Control characters, the ones that reorder text so that it reads otherwise than it runs, and lone
# surrogates, which no file and no database can hold.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Composing letters takes quadratic time in a row of combining marks, so rows are kept short.
_RUN = re.compile(r"\S{1,100}")
# Both rules look at the raw text, code included: what counts as code differs between Markdown
# readers, and a rule that parses Markdown can be led astray by it.
_TAG = re.compile(r"<(?!https?://|mailto:)[a-z/!?]", re.IGNORECASE)
_LINK = re.compile(r"\](?:\(|:)\s*+<?+(?!https?://|mailto:)", re.IGNORECASE)

_COLLECTION_STARTS = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)

_HEADING = re.compile(r"#{1,6}\s")
_MARKER = re.compile(r"(?:\d{1,9}[.)]|[-*+])\s+")
_FENCE = re.compile(r"^\s*(?:`{3}|~{3})")
_INLINE_LINK = re.compile(r"\[([^\[\]]*+)\]\(<?([^()\s>]*+)[^()]*+\)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an article: an error keeps it out, a warning does not.

    ``file`` is the path inside the knowledge base, or the article's id once it has been read.
    """

    file: str
    line: int | None
    reason: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Article:
    """What to do about one kind of ticket. Steps, checks and escalation rules are plain text.

    Raises
    ------
    KnowledgeError : the id holds other characters than A-Z a-z 0-9 . _ -, the title is empty or
        too long, the url is not http(s), the body holds HTML or other links than http(s), mailto,
        or any text holds a control character
    """

    id: str
    title: str
    category: str | None = None
    tier: str | None = None
    symptoms: tuple[str, ...] = ()
    applies_to: tuple[str, ...] = ()
    required_details: tuple[str, ...] = ()
    reviewed: date | None = None
    url: str | None = None
    steps: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    escalate_when: tuple[str, ...] = ()
    body: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise KnowledgeError(
                "article id: 1 to 64 letters, digits, '.', '_' or '-' are allowed, "
                "a letter or digit first"
            )
        if not self.title or len(self.title) > TITLE_LIMIT:
            raise KnowledgeError(f"article {self.id}: a title has 1 to {TITLE_LIMIT} characters")
        if self.url is not None and not _URL.fullmatch(self.url):
            raise KnowledgeError(f"article {self.id}: url must begin with http:// or https://")
        for name in (*TEXT_FIELDS, *LIST_FIELDS, *_SECTION_FIELDS):
            for text in _texts(getattr(self, name)):
                if unprintable := _unprintable(text):
                    raise KnowledgeError(f"article {self.id}: {name} holds a {unprintable[1]}")
        if unsafe := _unsafe_markup(self.body):
            raise KnowledgeError(f"article {self.id}, line {unsafe[0]} of its body: {unsafe[1]}")

    def to_dict(self) -> dict[str, Any]:
        """Turn the article into plain data, ready for JSON."""
        return asdict(self) | {"reviewed": self.reviewed.isoformat() if self.reviewed else None}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Article":
        """Build an article from the plain data that ``to_dict`` makes.

        Raises
        ------
        KnowledgeError : a part is missing, unknown, or not allowed
        """
        parts: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in content.items()
        }
        try:
            if parts.get("reviewed"):
                parts["reviewed"] = date.fromisoformat(parts["reviewed"])
            return cls(**parts)
        except (TypeError, ValueError) as error:
            raise KnowledgeError(
                "article: the data lacks a part or has one of the wrong form; "
                "expected is what Article.to_dict makes"
            ) from error


def parse_article(text: str, file: str) -> tuple[Article | None, list[Problem]]:
    """Read one article from the text of its Markdown file.

    Parameters
    ----------
    text : the whole file, front matter first
    file : name to give in problems

    Returns
    -------
    the article, or None when it is refused, and every problem found
    """
    text = _RUN.sub(lambda run: unicodedata.normalize("NFC", run[0]), text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        _refuse_unprintable(text)
        front, body, body_line = _split(text)
        content, problems = _front_matter(front, file)
        if unsafe := _unsafe_markup(body):
            raise _Refused(body_line + unsafe[0] - 1, unsafe[1])
        sections = _sections(body)
        try:
            article = Article(
                **content,
                steps=_items(sections.get("steps", ())),
                verify=_items(sections.get("verify", ())),
                escalate_when=_items(sections.get("escalate when", ())),
                body=body.strip(),
            )
        except KnowledgeError as error:
            raise _Refused(1, str(error)) from error
    except _Refused as refused:
        return None, [Problem(file, refused.line, refused.reason)]
    return article, problems


def read_front_matter(text: str) -> tuple[dict[str, Any], str, int]:
    """Part a Markdown file of any origin into its front matter and its body.

    The front matter is read as strictly as an article's, but its entries may have any name.

    Returns
    -------
    the entries (texts, lists and mappings), the body, and the line of the file the body begins on

    Raises
    ------
    KnowledgeError : the front matter does not end, or is one that no article may have
    """
    try:
        front, body, line = _split(text.replace("\r\n", "\n").replace("\r", "\n"))
        return _loaded(front), body, line
    except _Refused as refused:
        raise KnowledgeError(f"line {refused.line}: {refused.reason}") from None


class _Refused(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def _refuse_unprintable(text: str) -> None:
    if found := _unprintable(text):
        place, reason = found
        raise _Refused(text.count("\n", 0, place) + 1, reason)


def _unprintable(text: str) -> tuple[int, str] | None:
    """Find the first character that no article may hold, and say what it is."""
    found = _UNPRINTABLE.search(text)
    if found is None:
        return None
    kind = "half character" if "\ud800" <= found[0] <= "\udfff" else "control character"
    return found.start(), f"{kind} U+{ord(found[0]):04X}: remove it"


def _texts(value: object) -> Iterator[str]:
    """Yield every text in lists and mappings, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from (*_texts(name), *_texts(part))
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)


def _split(text: str) -> tuple[str, str, int]:
    """Part front matter from body; the number is the body's first line in the file."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise _Refused(1, "no front matter: the first line must be ---")
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == "---":
            return "\n".join(lines[1 : number - 1]), "\n".join(lines[number:]), number + 1
    raise _Refused(1, "the front matter does not end: a second line --- is missing")


def _loaded(text: str) -> dict[Any, Any]:
    """Read YAML that holds nothing but texts, lists and mappings, and few of them."""
    if len(text) > FRONT_MATTER_LIMIT:
        raise _Refused(1, f"front matter over {FRONT_MATTER_LIMIT:,} characters")
    try:
        _refuse_yaml_features(text)
        # BaseLoader makes nothing but text, lists and mappings: an id 007 stays 007.
        loaded = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 1
        raise _Refused(line, f"the front matter is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _Refused(1, "the front matter is not valid YAML") from error
    if not isinstance(loaded, dict):
        raise _Refused(1, "the front matter must be a list of 'name: value' lines")
    return loaded


def _front_matter(text: str, file: str) -> tuple[dict[str, Any], list[Problem]]:
    loaded = _loaded(text)
    for entry in _texts(loaded):
        # YAML writes any character as an escape, which the check of the file's text does not see.
        if unprintable := _unprintable(entry):
            raise _Refused(1, f"the front matter holds a {unprintable[1]}")
    unknown = [str(name) for name in loaded if name not in (*TEXT_FIELDS, *LIST_FIELDS)]
    problems = [
        Problem(file, 1, f"unknown entry {name!r} is ignored", "warning") for name in unknown
    ]
    content: dict[str, Any] = {name: _one(loaded, name) for name in TEXT_FIELDS}
    for name in ("id", "title"):
        if content[name] is None:
            raise _Refused(1, f"the front matter has no {name}")
    if content["reviewed"] is not None:
        try:
            content["reviewed"] = date.fromisoformat(content["reviewed"])
        except ValueError as error:
            raise _Refused(1, "reviewed must be a date such as 2025-01-31") from error
    return content | {name: _many(loaded, name) for name in LIST_FIELDS}, problems


def _refuse_yaml_features(text: str) -> None:
    """Stop at what front matter never needs: a few aliases can stand for gigabytes."""
    n_collections = 0
    for token in yaml.scan(text, Loader=yaml.BaseLoader):
        line = token.start_mark.line + 2
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
            raise _Refused(line, "YAML anchors (&), aliases (*) and tags (!) are not allowed")
        n_collections += isinstance(token, _COLLECTION_STARTS)
        if n_collections > COLLECTION_LIMIT:
            raise _Refused(line, f"more than {COLLECTION_LIMIT} lists in the front matter")


def _one(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name, "")
    if not isinstance(value, str):
        raise _Refused(1, f"{name} must be one value")
    return " ".join(value.split()) or None


def _many(content: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = content.get(name, "")
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise _Refused(1, f"{name} must be a list of texts")
    return tuple(joined for item in values if (joined := " ".join(item.split())))


def _unsafe_markup(body: str) -> tuple[int, str] | None:
    """Find the first line of the body that must not reach a reader's browser, and say why."""
    for pattern, reason in (
        (_TAG, "HTML is not allowed, in code neither: write a placeholder as NAME, not in < >"),
        (_LINK, "links may lead to http://, https:// and mailto: only"),
    ):
        if found := pattern.search(body):
            return body.count("\n", 0, found.start()) + 1, reason
    return None


def _sections(body: str) -> dict[str, list[str]]:
    """Part the body into the lines under each heading, by the heading's name in lower case."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    is_code = False
    for line in body.split("\n"):
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code and _HEADING.match(line):
            lines = sections.setdefault(line.strip("# \t:").lower(), [])
        else:
            lines.append(line)
    return sections


def _items(lines: Sequence[str]) -> tuple[str, ...]:
    """Join the lines of a section into one plain text a list item or paragraph."""
    return tuple(_plain(item) for item in _joined(lines))


def _joined(lines: Sequence[str]) -> Iterator[str]:
    item: list[str] = []
    follows_blank = True
    for line in lines:
        text = line.strip()
        marker = _MARKER.match(text)
        is_indented = line.startswith(("  ", "\t"))
        if item and text and not is_indented and (marker or follows_blank):
            yield " ".join(item)
            item = []
        if marker:
            text = text[marker.end() :]
            if item and not item[-1].endswith((".", ":", ";")):
                item[-1] += ";"
        if text:
            item.append(text)
        follows_blank = not text
    if item:
        yield " ".join(item)


def _plain(text: str) -> str:
    return _INLINE_LINK.sub(r"\1 (\2)", text).replace("**", "").replace("`", "")
