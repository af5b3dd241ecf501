"""What a ticket says already of what its category needs, and what is still to be asked."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from triage.cues import Passage, phrase
from triage.language import detect_language
from triage.redact import redact
from triage.taxonomy import Detail, Taxonomy
from triage.text import normalise_subject
from triage.ticket import Ticket

MAX_EVIDENCE_CHARS = 90

_MAX_WORD_CHARS = 40
_N_COMMONEST = 4

_SAYS_NOTHING = frozenset(("-", "--", "?", "n/a", "na", "none", "null", "unknown", "tbd", "k.a."))
# Where a statement ends, as far as a reader needs it.
_CLAUSE_END = re.compile(r"[.!?;\n](?=\s|$)|[;\n]")
_WORD_CHARACTER = re.compile(r"[\w<>#\\/@-]")


def ticket_language(ticket: Ticket) -> str:
    """Tell which language to ask in: the code of the ticket's, "en" where nobody can tell."""
    found = detect_language(f"{ticket.subject}\n{ticket.description}")
    return "en" if found == "und" else found


def prime(taxonomy: Taxonomy) -> None:
    """Make all patterns now, half a second's work, rather than bit by bit at the first tickets."""
    for detail in taxonomy.details.values():
        for cue in (*detail.found.unless, *detail.found.phrases):
            phrase(cue).prime()


def question_of(detail: Detail, language: str) -> str:
    """Give the question for a detail in a language, in English where there is none in it."""
    return detail.question.get(language) or detail.question.get("en") or detail.name


def needed_details(
    category: str | None,
    taxonomy: Taxonomy,
    *,
    required: Iterable[str] = (),
    weights: Mapping[str, float] | None = None,
) -> list[Detail]:
    """List what a ticket needs before it goes up, the most telling first.

    Parameters
    ----------
    category : the ticket's; for None, or one that the taxonomy does not have, it is what most
        categories ask for
    required : ids of the details that its article asks for; they come before the category's, and
        those that the taxonomy does not have are left out
    weights : what a detail of the category weighs; without them, the taxonomy's order holds
    """
    is_told = category is not None and taxonomy.category_of(category) is not None
    of_category = list(taxonomy.details_of(category)) if is_told else _commonest(taxonomy)
    if weights:
        of_category.sort(key=lambda detail: -weights.get(detail.id, 0.0))
    of_article = [taxonomy.details[name] for name in required if name in taxonomy.details]
    return list({detail.id: detail for detail in [*of_article, *of_category]}.values())


def known_details(ticket: Ticket, details: Iterable[Detail]) -> dict[str, str]:
    """Find which details a ticket states, in its form or in its text.

    Parameters
    ----------
    ticket : prepared, see `triage.prepare`: personal data stands there as ``<phone>`` and the like
    details : those to look for

    Returns
    -------
    dict : id of the detail -> evidence, in the order of ``details``: the ticket's words, or the
        name of the field that holds it (what a field holds is not redacted, and stays there)
    """
    passage = Passage(f"{ticket.subject}\n{ticket.description}")
    filled = {_key(name): name for name, value in ticket.fields.items() if not says_nothing(value)}
    known = {}
    for detail in details:
        evidence = _in_form(detail, filled) or _in_text(detail, passage)
        if evidence:
            known[detail.id] = evidence
    return known


def missing_details(
    ticket: Ticket,
    category: str | None,
    taxonomy: Taxonomy,
    *,
    required: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
) -> list[Detail]:
    """List what is still to be asked, the most telling first; see `needed_details`."""
    needed = needed_details(category, taxonomy, required=required, weights=weights)
    known = known_details(ticket, needed)
    return [detail for detail in needed if detail.id not in known]


def weights_for(
    category: str | None, taxonomy: Taxonomy, learned: Mapping[str, Mapping[str, float]]
) -> Mapping[str, float] | None:
    """Find what was learned about the details of a category, or of the nearest one above it.

    Parameters
    ----------
    learned : category of the taxonomy -> detail -> weight, see `training.detail_weights`
    """
    entry = taxonomy.category_of(category) if category else None
    return learned.get(entry.id) if entry else None


def _commonest(taxonomy: Taxonomy) -> list[Detail]:
    """List what most categories ask for; of two, the one that they ask for earlier comes first."""
    counts: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for category in taxonomy.categories.values():
        counts.update(category.details)
        places.update({name: place for place, name in enumerate(category.details)})
    names = sorted(counts, key=lambda name: (-counts[name], places[name], name))
    return [taxonomy.details[name] for name in names[:_N_COMMONEST]]


def _in_form(detail: Detail, filled: Mapping[str, str]) -> str | None:
    for name in (detail.id, detail.name, *detail.found.fields):
        if field := filled.get(_key(name)):
            return f'field "{redact(normalise_subject(field))[:60]}"'
    return None


def _in_text(detail: Detail, passage: Passage) -> str | None:
    searched = passage.without(map(phrase, detail.found.unless))
    for cue in detail.found.phrases:
        if span := phrase(cue).find(searched):
            return _statement(passage.text, *span)
    return None


def _statement(text: str, start: int, end: int) -> str:
    """Give what was found in whole words, with the rest of its clause as long as that is short."""
    first, last = max(0, start - _MAX_WORD_CHARS), end + _MAX_WORD_CHARS
    while start > first and _WORD_CHARACTER.match(text[start - 1]):
        start -= 1
    while end < len(text) and end < last and _WORD_CHARACTER.match(text[end]):
        end += 1
    clause = _CLAUSE_END.search(text, end, start + MAX_EVIDENCE_CHARS)
    if clause:
        end = clause.start()
    elif len(text) - start <= MAX_EVIDENCE_CHARS:
        end = len(text)
    found = " ".join(text[start:end].split())
    if len(found) > MAX_EVIDENCE_CHARS:
        found = f"{found[: MAX_EVIDENCE_CHARS - 1].rstrip()}…"
    return found


@lru_cache(4096)
def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def says_nothing(value: str) -> bool:
    """Tell whether what a form field holds is no answer: "n/a", "-", "unknown" and the like."""
    text = value.strip().casefold()
    return not text or text in _SAYS_NOTHING
