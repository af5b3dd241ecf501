"""What a person has just done, in a sentence, with the way to undo it."""

from dataclasses import dataclass

from api.pages.session import Person
from api.service import Service
from triage.store import Feedback

_DONE = {"accepted": "Accepted", "corrected": "Corrected", "rejected": "Rejected"}


@dataclass(frozen=True, slots=True)
class Done:
    """A decision that was just taken. ``number`` is that of its feedback."""

    text: str
    number: int
    suggestion_id: str


def what_was_done(service: Service, person: Person, suggestion_id: str) -> Done | None:
    """Tell a person's last verdict on a suggestion; None when there is none, or it was undone."""
    mine = [
        one
        for one in service.store.feedback.about(suggestion_id)
        if one.api_key_id == person.key.id and one.verdict is not None
    ]
    if not mine or mine[-1].number is None:
        return None
    return Done(_sentence(mine[-1], service), mine[-1].number, suggestion_id)


def ticket_name(ticket_id: str | None, suggestion_id: str) -> str:
    """Name a ticket, or its suggestion where it has no id."""
    return ticket_id or f"ticket {suggestion_id[:8]}"


def labels_in_words(tier: str | None, category: str | None, service: Service) -> str:
    """Write labels as people call them."""
    taxonomy = service.engine.helper.taxonomy
    named = []
    if tier is not None:
        named.append(f"tier {tier} ({taxonomy.tier_name(tier)})")
    if category is not None:
        named.append(taxonomy.category_name(category))
    return ", ".join(named) or "no label"


def _sentence(feedback: Feedback, service: Service) -> str:
    name = ticket_name(feedback.ticket_id, feedback.suggestion_id)
    done = _DONE.get(feedback.verdict or "", "Decided")
    if feedback.is_blind:
        shown = labels_in_words(feedback.shown_tier, feedback.shown_category, service)
        verdict = "you agree" if feedback.verdict == "accepted" else "you differ"
        return f"Decided {name} blind. The suggestion was: {shown}; {verdict}."
    if feedback.verdict == "corrected":
        return f"{done} {name}: {labels_in_words(feedback.tier, feedback.category, service)}."
    return f"{done} {name}."
