"""Hand a ticket up because a person says so: with what they tried, found out, and decided."""

from collections.abc import Collection, Mapping, Sequence

from triage.assistance import Helper
from triage.details import known_details, needed_details, says_nothing, weights_for
from triage.errors import ConfigurationError
from triage.handoff import hand_off
from triage.redact import redact
from triage.suggestion import Answer, Handoff, Prediction, Reason
from triage.text import normalise_subject

ESCALATED = Reason(
    "escalated",
    "A person hands it up.",
    "Complete what is missing, then pass the note on with the ticket.",
)

_EVIDENCE_CHARS = 300


class UnknownLabel(ConfigurationError):
    """A tier, category or detail was named that the desk does not have.

    ``part`` is "tier", "category" or "details".
    """

    def __init__(self, part: str, known: Collection[str]) -> None:
        allowed = ", ".join(known) or "none"
        super().__init__(f"{part}: this desk has no such one; it has {allowed}")
        self.part = part


def escalate(
    answer: Answer,
    helper: Helper,
    labels: Mapping[str, Collection[str]],
    *,
    tier: str | None = None,
    category: str | None = None,
    steps_tried: Sequence[str] = (),
    articles_tried: Sequence[str] = (),
    details: Mapping[str, str] | None = None,
) -> Handoff:
    """Write the note for a ticket that a person hands up.

    Parameters
    ----------
    answer : what the engine says about the ticket
    helper : the engine's
    labels : target -> labels that the engine knows, beside those of the taxonomy
    tier : where it goes, and straight there: whether it may is what the note's readiness says;
        None for the tier suggested
    category : what it is, where a person knows better
    details : id of a detail -> what was found out about it
    steps_tried, articles_tried : see `triage.handoff.hand_off`

    Raises
    ------
    UnknownLabel : the desk has no such tier, category or detail
    """
    taxonomy = helper.taxonomy
    found = details or {}
    tiers = [*taxonomy.tiers, *labels.get("tier", ())]
    if tier is not None and tier not in tiers:
        raise UnknownLabel("tier", dict.fromkeys(tiers))
    categories = [*taxonomy.categories, *labels.get("category", ())]
    if category is not None and category not in categories and not taxonomy.category_of(category):
        raise UnknownLabel("category", dict.fromkeys(categories))
    if found.keys() - taxonomy.details.keys():
        raise UnknownLabel("details", taxonomy.details)
    suggestion = answer.suggestion
    by_hand = {"tier": tier, "category": category}
    chosen = {target for target, label in by_hand.items() if label is not None}
    of_tier = _chosen(tier, taxonomy.tier_name(tier)) if tier is not None else suggestion.tier
    of_category = suggestion.category
    if category is not None:
        of_category = _chosen(category, taxonomy.category_name(category))
    label = of_category.label if of_category else None
    best = helper.knowledge.get(suggestion.articles[0].id) if suggestion.articles else None
    weights = weights_for(label, taxonomy, helper.detail_weights)
    needed = needed_details(
        label, taxonomy, required=best.required_details if best else (), weights=weights
    )
    told = {
        one: text
        for one, value in found.items()
        if (text := _cleaned(value)) and not says_nothing(value)
    }
    in_ticket = known_details(answer.ticket, needed)
    known = {
        **{one.id: told.get(one.id) or in_ticket[one.id] for one in needed if one.id in in_ticket},
        **told,
    }
    return hand_off(
        answer.ticket,
        taxonomy=taxonomy,
        tier=of_tier,
        category=of_category,
        next_tier=tier if tier is not None else suggestion.next_tier,
        needed=needed,
        known=known,
        reasons=[ESCALATED, *suggestion.reasons],
        articles=suggestion.articles,
        similar=suggestion.similar,
        incident=suggestion.incident,
        steps_tried=steps_tried,
        articles_tried=articles_tried,
        weights=weights,
        min_completeness=helper.min_completeness,
        by_hand=chosen,
    )


def _chosen(label: str, name: str) -> Prediction:
    return Prediction(label, name, 1.0, "suggest", [], [], basis="policy")


def _cleaned(text: str) -> str:
    return redact(normalise_subject(text))[:_EVIDENCE_CHARS]
