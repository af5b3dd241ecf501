"""The note that a ticket goes up with, how complete it is, and what to ask when it is not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from triage.details import question_of, ticket_language
from triage.inert import as_block, as_code, as_plain, as_words, shortened
from triage.redact import redact
from triage.suggestion import (
    ArticleHit,
    Handoff,
    IncidentNote,
    Prediction,
    Reason,
    SimilarTicket,
)
from triage.taxonomy import Detail, Taxonomy
from triage.text import normalise_subject
from triage.ticket import Ticket

MIN_COMPLETENESS = 0.5
"""Completeness from which a note is ready, where a desk sets nothing else."""

PATH_QUESTION = "What did tier 1 and tier 2 try, and what came of it? Record it in the ticket."

AS_RECORDED = "as recorded below"

_SUBJECT_CHARS = 120
_SYMPTOM_CHARS = 900
_STEP_CHARS = 300
_RESOLUTION_CHARS = 240
_N_SIMILAR = 3
_MANY_ARE_HIT = "wide_impact"  # code of triage.policy.WIDE_IMPACT, without what policy imports
# What a probability is called, from which on.
_SURENESS = ((0.95, "almost certain"), (0.8, "likely"), (0.5, "more likely than not"))


def hand_off(
    ticket: Ticket,
    *,
    taxonomy: Taxonomy,
    tier: Prediction | None,
    category: Prediction | None,
    next_tier: str | None,
    needed: Sequence[Detail],
    known: Mapping[str, str],
    reasons: Sequence[Reason] = (),
    articles: Sequence[ArticleHit] = (),
    similar: Sequence[SimilarTicket] = (),
    incident: IncidentNote | None = None,
    steps_tried: Sequence[str] = (),
    articles_tried: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    min_completeness: float = MIN_COMPLETENESS,
    by_hand: Collection[str] = (),
) -> Handoff:
    """Write the note for the tier that a ticket goes to.

    Parameters
    ----------
    ticket : prepared, see `triage.prepare`; nothing of it is taken for an instruction
    tier, category : as suggested, or as a person chose
    next_tier : the tier that it goes to now
    needed : what such a ticket needs, see `triage.details.needed_details`
    known : id of a detail -> evidence, see `triage.details.known_details`
    steps_tried : what was done so far, as the desk recorded it, never out of the ticket's text
    articles_tried : ids of the articles that were followed
    weights : what each detail of the category weighs, see `triage.details.weights_for`; without
        them, a detail weighs the more the earlier it is needed
    min_completeness : the note is ready from this on, in [0, 1]; 0 asks for nothing
    by_hand : those of "tier" and "category" that a person chose

    Returns
    -------
    Handoff : ready or not. A ticket of a burst, or whose text says that many are hit, is always
        ready: an outage must not wait for details. A tier beyond the second gets no ticket without
        a record of what was tried.
    """
    steps = [shortened(step, _STEP_CHARS) for one in steps_tried if (step := _cleaned(one))]
    has_record = bool(steps or articles_tried)
    if has_record:
        recorded = {one.id: AS_RECORDED for one in needed if one.found.recorded}
        known = {**recorded, **known}
    order = {one.id: place for place, one in enumerate(needed)}
    known = dict(sorted(known.items(), key=lambda item: order.get(item[0], len(order))))
    missing = [detail for detail in needed if detail.id not in known]
    needs_path = _is_beyond_second(next_tier, taxonomy)
    lacks_path = needs_path and not has_record
    completeness = _completeness(needed, known, weights, needs_path=needs_path, has=has_record)
    is_urgent = incident is not None or any(one.code == _MANY_ARE_HIT for one in reasons)
    is_enough = completeness >= min_completeness and not lacks_path
    language = ticket_language(ticket)
    parts: dict[str, Any] = {
        "ticket_id": ticket.id,
        "language": language,
        "subject": ticket.subject,
        "symptoms": shortened(ticket.description, _SYMPTOM_CHARS),
        "tier": _target(tier, "tier" in by_hand),
        "next_tier": next_tier,
        "next_tier_name": taxonomy.tier_name(next_tier) if next_tier is not None else None,
        "category": _target(category, "category" in by_hand),
        "known": [
            {"id": one, "name": _detail_name(one, taxonomy), "evidence": evidence}
            for one, evidence in known.items()
        ],
        "missing": [
            {"id": one.id, "name": one.name, "question": question_of(one, language)}
            for one in missing
        ],
        "path": {"needed": needs_path, "recorded": has_record},
        "steps_tried": steps,
        "articles_tried": list(articles_tried),
        "articles_offered": [
            {"id": hit.id, "title": hit.title, "score": hit.score} for hit in articles
        ],
        "similar": [asdict(one) for one in similar[:_N_SIMILAR]],
        "reasons": [{"code": one.code, "message": one.message} for one in reasons],
        "incident": asdict(incident) if incident else None,
    }
    questions = [detail["question"] for detail in parts["missing"]]
    return Handoff(
        summary=_summary(parts),
        note="\n".join(_note(parts, taxonomy)),
        completeness=round(completeness, 2),
        is_ready=min_completeness <= 0 or is_urgent or is_enough,
        questions=[PATH_QUESTION, *questions] if lacks_path else questions,
        parts=parts,
    )


def _completeness(
    needed: Sequence[Detail],
    known: Mapping[str, str],
    weights: Mapping[str, float] | None,
    *,
    needs_path: bool,
    has: bool,
) -> float:
    """Weigh what is known of what is needed; a needed path weighs as much as the first detail."""
    if weights:
        most = max(weights.values())
        # What only the article asks for comes before the category's details.
        shares = [weights.get(detail.id, most) for detail in needed]
    else:
        shares = [float(len(needed) - place) for place in range(len(needed))]
    path = max(shares, default=1.0) if needs_path else 0.0
    total = sum(shares) + path
    if not total:
        return 1.0
    found = sum(share for share, detail in zip(shares, needed, strict=True) if detail.id in known)
    return (found + (path if has else 0.0)) / total


def _is_beyond_second(tier: str | None, taxonomy: Taxonomy) -> bool:
    order = list(taxonomy.tiers)
    daily = [one.id for one in taxonomy.tiers.values() if one.daily]
    return tier in order and len(daily) > 1 and order.index(tier) > order.index(daily[1])


def _cleaned(text: str) -> str:
    return redact(normalise_subject(text))


def _detail_name(detail: str, taxonomy: Taxonomy) -> str:
    return taxonomy.details[detail].name if detail in taxonomy.details else detail


def _target(prediction: Prediction | None, by_hand: bool) -> dict[str, Any] | None:
    if prediction is None or prediction.label is None:
        return None
    return {
        "label": prediction.label,
        "name": prediction.name or prediction.label,
        "confidence": None if by_hand else prediction.confidence,
    }


def _summary(parts: Mapping[str, Any]) -> str:
    """Say in one plain line where it goes and what it is about."""
    words = parts["subject"] or parts["symptoms"] or "no text"
    subject = as_plain(shortened(words, _SUBJECT_CHARS))
    category = parts["category"]
    about = f"{as_plain(category['name'])}: " if category else ""
    return f"{_goes_to(parts)}: {about}{subject}"


def _goes_to(parts: Mapping[str, Any]) -> str:
    tier, name = parts["next_tier"], parts["next_tier_name"]
    if tier is None:
        return "No tier yet"
    return f"To tier {as_plain(tier)}" + (f" ({as_plain(name)})" if name != tier else "")


def _note(parts: Mapping[str, Any], taxonomy: Taxonomy) -> Iterator[str]:
    """Write the lines; what a stranger wrote stands in code, where nothing is markup."""
    yield f"# Hand-off: {as_words(_goes_to(parts))}"
    yield from ("", "## Symptoms", "")
    yield f"{as_code(shortened(parts['subject'], _SUBJECT_CHARS)) or '(no subject)'}"
    if parts["symptoms"]:
        yield from ("", as_block(parts["symptoms"]))
    yield from ("", "## Details", "")
    for one in parts["known"]:
        yield f"- {as_words(one['name'])}: {as_code(one['evidence'])}"
    for one in parts["missing"]:
        yield f"- {as_words(one['name'])}: missing. {as_words(one['question'])}"
    if not parts["known"] and not parts["missing"]:
        yield "- nothing in particular is asked for"
    yield from ("", "## Tried so far", "")
    yield from _tried(parts)
    if parts["similar"]:
        yield from ("", "## Similar tickets", "")
        yield from (_similar(one, taxonomy) for one in parts["similar"])
    yield from ("", "## Why this tier", "")
    yield from _why(parts)
    if incident := parts["incident"]:
        yield from ("", "## Incident", "")
        terms = ", ".join(incident["terms"])
        yield f"- {as_code(incident['id'])}, since {as_code(incident['since'])}"
        count = len(incident["tickets"])
        yield f"- {count} tickets, usually {incident['usual']:.1f}: {as_code(terms)}"


def _tried(parts: Mapping[str, Any]) -> Iterator[str]:
    for number, step in enumerate(parts["steps_tried"], 1):
        yield f"{number}. {as_code(step)}"
    if parts["steps_tried"]:
        yield ""
    for article in parts["articles_tried"]:
        yield f"- article {as_code(article)} was followed"
    if not parts["steps_tried"] and not parts["articles_tried"]:
        yield "- nothing is recorded" + (
            ", and this tier takes no ticket without it" if parts["path"]["needed"] else ""
        )
    for hit in parts["articles_offered"]:
        if hit["id"] not in parts["articles_tried"]:
            name = f"{as_code(hit['id'])} {as_code(hit['title'])}"
            yield f"- article offered: {name} ({hit['score']:.0%})"


def _similar(one: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    told = [f"{one['similarity']:.0%} alike"]
    if one["is_open"]:
        told.append("still open, perhaps the same")
    if one["tier"]:
        told.append(f"tier {as_words(one['tier'])}")
    if one["category"]:
        told.append(as_words(taxonomy.category_name(one["category"])))
    line = f"- {as_code(one['ticket_id'])} {as_code(shortened(one['subject'], _SUBJECT_CHARS))}"
    line += f" ({', '.join(told)})"
    if one["resolution"]:
        line += f": {as_code(shortened(one['resolution'], _RESOLUTION_CHARS))}"
    return line


def _why(parts: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("tier", "category"):
        if target := parts[kind]:
            named = as_words(target["name"])
            if kind == "tier":
                named = f"{as_words(target['label'])}, {named}"
            yield f"- {kind} {named}: {_how_sure(target['confidence'])}"
    for reason in parts["reasons"]:
        yield f"- {as_words(reason['message'])}"
    if not (parts["tier"] or parts["reasons"]):
        yield "- no tier was suggested"


def _how_sure(confidence: float | None) -> str:
    if confidence is None:
        return "chosen by a person"
    shown = round(confidence, 2)
    words = next((words for least, words in _SURENESS if shown >= least), "unsure")
    return f"{words} ({confidence:.0%})"
