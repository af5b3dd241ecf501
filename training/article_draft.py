"""A draft of an article, made of a ticket that was solved, for a person to edit."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from training.canonical import FIELD
from triage.article import TITLE_LIMIT, Article, parse_article
from triage.article_check import DRAFT_PREFIX
from triage.article_file import article_file, inert_line, section
from triage.errors import HistoryError, KnowledgeError
from triage.prepare import prepare
from triage.redact import redact
from triage.taxonomy import Taxonomy
from triage.text import normalise
from triage.ticket import Ticket

_MAX_STEPS = 30
_MAX_SYMPTOMS = 4  # in the front matter
_MAX_TOLD = 8  # sentences of the ticket in the section
_MAX_SYMPTOM_CHARS = 120
_MAX_SENTENCE_CHARS = 400
_REQUESTERS = (f"{FIELD}caller", f"{FIELD}requester")
_MIN_NAME_CHARS = 3

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ0-9<\"'„(])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[a-z]|e\.g|i\.e|z\. ?b|u\.a|ca|approx|no|nr|vgl|bzw|inkl|incl|mrs?|ms|dr)\.$",
    re.IGNORECASE,
)
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._]++")


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: the article that it parses as, and its whole Markdown file."""

    article: Article
    text: str


def draft_article(frame: pd.DataFrame, ticket_id: str, taxonomy: Taxonomy) -> Draft:
    """Fill the template of an article with a ticket and its resolution, both redacted.

    Nothing of a ticket becomes markup. What only a person can know stands there in capitals.

    Parameters
    ----------
    frame : a history (`training.history.History`)

    Raises
    ------
    HistoryError : there is no such ticket, or it has no resolution
    """
    found = _tickets(frame, ticket_id)
    if found.empty:
        raise HistoryError(f"no ticket of the history has the id {ticket_id!r}")
    row = {str(name): value for name, value in found.iloc[-1].items()}
    resolution = _text(row["resolution"])
    if not resolution.strip():
        raise HistoryError(
            f"ticket {ticket_id!r} has no resolution to draft from; map the column that tells what "
            "was done to resolution"
        )
    names = _names(row)
    ticket = prepare(Ticket(subject=_text(row["subject"]), description=_text(row["description"])))
    steps = list(_sentences(redact(normalise(resolution)), names))[:_MAX_STEPS]
    told = list(_sentences(ticket.description, names))
    title = inert_line(_without(ticket.subject, names)) or (told or steps or ["A title"])[0]
    if len(title) > TITLE_LIMIT:
        title = f"{title[: TITLE_LIMIT - 3].rstrip()}..."
    category = _text(row["category"])
    symptoms = dict.fromkeys(_shortened(one) for one in (title, *told))
    draft_id = _draft_id(ticket_id)
    front = {
        "id": draft_id,
        "title": title,
        "category": category if category in taxonomy.categories else None,
        "tier": _first_tier(taxonomy),
        "symptoms": list(symptoms)[:_MAX_SYMPTOMS],
        "required_details": [detail.id for detail in taxonomy.details_of(category)],
    }
    text = article_file(front, _body(ticket_id, row, taxonomy, told[:_MAX_TOLD] or [title], steps))
    article, problems = parse_article(text, draft_id)
    if article is None:
        raise KnowledgeError(f"ticket {ticket_id!r} makes no article: {problems[0].reason}")
    return Draft(article, text)


def ensure_worth_drafting(frame: pd.DataFrame, ticket_id: str, taxonomy: Taxonomy) -> None:
    """Refuse a ticket that the first tier has solved: nothing in it is new to that tier.

    Raises
    ------
    HistoryError : the ticket's tier is not above the first one that people work in, or its id
        is no text
    """
    tiers = _tickets(frame, ticket_id)["tier"].dropna()
    order = list(taxonomy.tiers)
    first = _first_tier(taxonomy)
    tier = None if tiers.empty else tiers.iloc[-1]
    if tier in order and first in order and order.index(tier) <= order.index(first):
        raise HistoryError(
            f"ticket {ticket_id!r} was solved by tier {tier}, which has nothing to learn from it; "
            "name a ticket that a higher tier solved, or a gap with --gap"
        )


def _tickets(frame: pd.DataFrame, ticket_id: str) -> pd.DataFrame:
    try:
        ticket_id.encode()
    except UnicodeEncodeError:
        raise HistoryError(
            "the ticket's id is not UTF-8 text, so no ticket of the history has it"
        ) from None
    return frame[frame["id"] == ticket_id]


def _body(
    ticket_id: str,
    row: Mapping[str, Any],
    taxonomy: Taxonomy,
    told: Sequence[str],
    steps: Sequence[str],
) -> str:
    tier, group = _text(row["tier"]), inert_line(_text(row["assignment_group"]))
    solved_by = f", solved by tier {inert_line(taxonomy.tier_name(tier))}" if tier else ""
    team = group or "THE TEAM"
    return "\n\n".join(
        (
            f"> DRAFT from ticket {inert_line(ticket_id)}{solved_by}. Not to be published as it "
            "is: it tells what one person did once. Check every line with the team, look for "
            "personal data, fill in what is in capitals, give it an id of its own, add reviewed: "
            "YYYY-MM-DD, and delete this paragraph.",
            section("Symptoms", told),
            section("Steps", [*steps, "FURTHER STEPS, OR DELETE THIS LINE."], is_numbered=True),
            section("Verify", ["HOW THE REQUESTER SEES THAT IT WORKED."]),
            section("Escalate when", [f"WHEN TIER 1 HAS TO STOP: {team}."]),
        )
    )


def _sentences(text: str, names: Sequence[str]) -> Iterator[str]:
    """Cut a redacted text into sentences of plain text."""
    for line in text.splitlines():
        held = ""
        for part in _SENTENCE_END.split(line):
            held = f"{held} {part}" if held else part
            if _ABBREVIATION.search(held[-12:]):
                continue
            yield from _told(held, names)
            held = ""
        yield from _told(held, names)


def _told(sentence: str, names: Sequence[str]) -> Iterator[str]:
    plain = inert_line(_without(sentence, names))
    if sum(map(str.isalpha, plain)) >= 2:
        yield plain[:_MAX_SENTENCE_CHARS]


def _names(row: Mapping[str, Any]) -> list[str]:
    """List the requester's name and its parts, the longest first."""
    names: set[str] = set()
    for column in _REQUESTERS:
        whole = _text(row.get(column)).strip()
        names |= {part for part in (whole, *re.split(r"[\s,]+", whole)) if part}
    return sorted(
        (name for name in names if len(name) >= _MIN_NAME_CHARS), key=lambda one: (-len(one), one)
    )


def _without(text: str, names: Sequence[str]) -> str:
    """Take the requester's name out; as a word in small letters it is hardly a name."""
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<name>", text)
    return text


def _shortened(text: str) -> str:
    if len(text) <= _MAX_SYMPTOM_CHARS:
        return text
    return text[:_MAX_SYMPTOM_CHARS].rsplit(" ", 1)[0]


def _draft_id(ticket_id: str) -> str:
    name = _NOT_IN_IDS.sub("-", ticket_id).strip("-._")
    if name == ticket_id and len(name) <= 64 - len(DRAFT_PREFIX):
        return DRAFT_PREFIX + name
    digest = hashlib.sha256(ticket_id.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{DRAFT_PREFIX}{name[:40]}-{digest}" if name else f"{DRAFT_PREFIX}{digest}"


def _first_tier(taxonomy: Taxonomy) -> str | None:
    """Name the tier that people work in and that tickets come to first."""
    tiers = list(taxonomy.tiers.values())
    return next((tier.id for tier in tiers if tier.daily), tiers[0].id if tiers else None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
