"""One record of another system turned into the file of an article of ours."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from training.article_html import html_to_markdown, looks_like_html, wiki_to_markdown, without_tags
from training.article_parts import Record, cell_text
from training.article_sources import Source
from training.article_steps import name_steps
from training.dates import DateColumn
from triage.article import TITLE_LIMIT, Article, parse_article
from triage.article_file import article_file, inert_line, inert_markdown, section
from triage.errors import KnowledgeError
from triage.knowledge import FILE_LIMIT_BYTES
from triage.taxonomy import Taxonomy

PART_LIMIT_CHARS = 1_000_000
"""Longest part of a record, HTML included: four times the largest article file."""

_MAX_ITEMS = 30  # of a list in the front matter
_MAX_ITEM_CHARS = 200

_YES = frozenset(("true", "yes", "y", "1", "ja"))
_NO = frozenset(("false", "no", "n", "0", "nein"))
_WITHHELD = frozenset(
    (
        *("draft", "unpublished", "retired", "archived", "obsolete", "outdated", "inactive"),
        *("expired", "deleted", "review", "in review", "pending", "pending retirement", "rejected"),
        *("entwurf", "in prüfung", "archiviert", "veraltet", "gelöscht", "zurückgezogen"),
    )
)
_LIST_ENDS = re.compile(r"[\n;|]")
_TAG_ENDS = re.compile(r"[\n;|,]")
_DIGIT = re.compile(r"\d+")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._]++")


class RefusedRecord(Exception):
    """A record that cannot become an article."""


class LeftOutRecord(Exception):
    """A record that nobody should read (any more)."""


class RecordReader:
    """Turns the records of a source into files; remembers the ids that are taken.

    ``unknown_categories`` counts the categories that the taxonomy does not have.
    """

    def __init__(self, source: Source, taxonomy: Taxonomy, today: date) -> None:
        self.unknown_categories: Counter[str] = Counter()
        self._format = source.format
        self._taxonomy = taxonomy
        self._today = today
        self._categories = _by_name(
            {name: found.name for name, found in taxonomy.categories.items()}
        )
        self._tiers = _by_name({name: found.name for name, found in taxonomy.tiers.items()})
        self._dates = {
            part: _dates(part, [record.parts for record in source.records])
            for part in ("reviewed", "valid_to")
        }
        self._place_of_id: dict[str, tuple[str, str]] = {}

    def article(self, record: Record) -> tuple[str, str]:
        """Give an article's id and file.

        Raises
        ------
        RefusedRecord, LeftOutRecord : with the reason
        """
        if record.problem is not None:
            raise RefusedRecord(record.problem)
        if record.text is not None:
            self._take(record.parts["id"], record, "")
            return record.parts["id"], record.text
        parts = record.parts
        if reason := self._withheld(parts):
            raise LeftOutRecord(reason)
        for name, value in parts.items():
            if len(cell_text(value)) > PART_LIMIT_CHARS:
                raise RefusedRecord(
                    f"{name} over {PART_LIMIT_CHARS:,} characters: split the article, or take "
                    "pictures out that are written into it"
                )
        title = inert_line(cell_text(parts.get("title")))
        if not title:
            raise RefusedRecord("no title")
        if len(title) > TITLE_LIMIT:
            title = f"{title[: TITLE_LIMIT - 3].rstrip()}..."
        body = self._body(parts)
        if not body:
            raise RefusedRecord("no text")
        category, applies_to = self._category(parts)
        locale = cell_text(parts.get("locale"))
        article_id = self._take(_id_of(cell_text(parts.get("id")), title), record, locale)
        reviewed = self._day("reviewed", parts)
        url = cell_text(parts.get("url"))
        front = {
            "id": article_id,
            "title": title,
            "category": category,
            "tier": self._tier(cell_text(parts.get("tier"))),
            "symptoms": _items(parts.get("symptoms"), _LIST_ENDS),
            "applies_to": applies_to,
            "required_details": [
                name
                for name in _items(parts.get("required_details"), _TAG_ENDS)
                if name in self._taxonomy.details
            ],
            "reviewed": reviewed if reviewed and reviewed <= self._today else None,
            "url": url if _is_url(url) else None,
        }
        text = article_file(front, body)
        if len(text.encode()) > FILE_LIMIT_BYTES:
            raise RefusedRecord(f"over {FILE_LIMIT_BYTES // 1024} KiB: split the article")
        parsed, problems = parse_article(text, article_id)
        if parsed is None:
            raise RefusedRecord(problems[0].reason)
        return article_id, text

    def _withheld(self, parts: Mapping[str, Any]) -> str | None:
        """Say why nobody should read the article, if so."""
        state = cell_text(parts.get("state")).casefold().replace("_", " ")
        if state in _WITHHELD or (
            self._format == "servicenow" and state and not state.startswith("publish")
        ):
            return f"its state is {inert_line(state)[:40]!r}"
        if _flag(parts.get("is_draft")) or _flag(parts.get("is_published")) is False:
            return "not published"
        if _flag(parts.get("is_retired")):
            return "retired"
        expiry = self._day("valid_to", parts)
        return "expired" if expiry and expiry < self._today else None

    def _body(self, parts: Mapping[str, Any]) -> str:
        text = cell_text(parts.get("body"))
        wiki = cell_text(parts.get("wiki"))
        if not text and wiki:
            markdown = wiki_to_markdown(wiki)
        elif self._format == "markdown":
            markdown = without_tags(text)
        elif looks_like_html(text):
            markdown = html_to_markdown(text)
        else:
            markdown = inert_markdown(text)
        sections = [
            section(heading, items, is_numbered=name == "steps")
            for name, heading in (
                ("steps", "Steps"),
                ("verify", "Verify"),
                ("escalate_when", "Escalate when"),
            )
            if (items := _lines(parts.get(name)))
        ]
        return "\n\n".join(filter(None, [name_steps(markdown) if markdown else "", *sections]))

    def _category(self, parts: Mapping[str, Any]) -> tuple[str | None, list[str]]:
        """Find the taxonomy's category; another's name is kept among what the article is for."""
        applies_to = _items(parts.get("applies_to"), _TAG_ENDS)
        names = _items(parts.get("category"), _TAG_ENDS)
        for name in names:
            if known := self._categories.get(name.casefold()):
                return known, applies_to
        for name in names:
            self.unknown_categories[name] += 1
            if name not in applies_to:
                applies_to.append(name)
        return None, applies_to

    def _tier(self, name: str) -> str | None:
        """Find the taxonomy's tier by its id, its name, or a number in it ("Tier 1", "L1")."""
        digits = _DIGIT.findall(name)
        numbered = self._tiers.get(digits[0]) if len(digits) == 1 else None
        return self._tiers.get(name.casefold()) or numbered

    def _day(self, part: str, parts: Mapping[str, Any]) -> date | None:
        return self._dates[part].get(cell_text(parts.get(part)))

    def _take(self, article_id: str, record: Record, locale: str) -> str:
        """Reserve an id; a second language of the same article gets its own.

        Raises
        ------
        RefusedRecord : another record has it
        """
        first = self._place_of_id.get(article_id.casefold())
        if first and locale and first[1] and first[1] != locale:
            article_id = _id_of(f"{article_id}-{locale}", locale)
            first = self._place_of_id.get(article_id.casefold())
        if first:
            raise RefusedRecord(f"id {article_id} is taken by {first[0]}")
        self._place_of_id[article_id.casefold()] = (record.place, locale)
        return article_id


def _id_of(given: str, title: str) -> str:
    """Keep a valid id; make another one valid in a way that gives the same id next time."""
    if _is_id(given):
        return given
    name = _NOT_IN_IDS.sub("-", given or title).strip("-._")[:40].rstrip("-._")
    digest = hashlib.sha256((given or title).encode("utf-8", "replace")).hexdigest()[:8]
    return f"{name or 'article'}-{digest}"


def _is_id(text: str) -> bool:
    try:
        Article(id=text, title=text or "-")
    except KnowledgeError:
        return False
    return True


def _is_url(text: str) -> bool:
    try:
        Article(id="a", title="a", url=text)
    except KnowledgeError:
        return False
    return True


def _by_name(names: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): key for key, name in names.items()} | {
        key.casefold(): key for key in names
    }


def _dates(part: str, records: Sequence[Mapping[str, Any]]) -> dict[str, date]:
    """Read a part's dates, each in the order of day and month that all of them show."""
    values = list(dict.fromkeys(cell_text(parts.get(part)) for parts in records))
    column = DateColumn(part)
    column.observe(values)
    found = column.parse(values).astype(object)
    return {
        value: moment.date()
        for value, moment in zip(values, found, strict=True)
        if isinstance(moment, datetime)
    }


def _flag(value: Any) -> bool | None:
    word = cell_text(value).casefold()
    return True if word in _YES else False if word in _NO else None


def _items(value: Any, ends: re.Pattern[str]) -> list[str]:
    """Split a part into short plain lines, each once."""
    items = (inert_line(item)[:_MAX_ITEM_CHARS].rstrip() for item in ends.split(cell_text(value)))
    return list(dict.fromkeys(filter(None, items)))[:_MAX_ITEMS]


def _lines(value: Any) -> list[str]:
    """Split a part into plain lines, whatever marks them as a list."""
    text = cell_text(value)
    if looks_like_html(text):
        text = html_to_markdown(text)
    return [line for line in map(inert_line, text.split("\n")) if line]
