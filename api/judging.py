"""What a person or a help desk says about a suggestion, checked and made ready for the store."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.problems import Fault, ProblemError
from triage.store import Feedback, StoredSuggestion, Verdict

if TYPE_CHECKING:
    from triage.engine import Engine


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said, as it came: labels None where nothing was said about them."""

    verdict: Verdict | None
    tier: str | None = None
    category: str | None = None
    article_id: str | None = None
    helpful: bool | None = None
    steps_done: tuple[str, ...] = ()
    comment: str = ""


def known_labels(engine: "Engine", target: str) -> list[str]:
    """List the labels that a person may choose for "tier" or "category", the desk's own first."""
    taxonomy = engine.helper.taxonomy
    own = taxonomy.tiers if target == "tier" else taxonomy.categories
    return list(dict.fromkeys([*own, *engine.thresholds.get(target, ())]))


def require_known(engine: "Engine", **labels: str | None) -> None:
    """Refuse labels that the desk does not have: a misspelt one would be learned as a new one.

    Raises
    ------
    ProblemError : invalid, with the name of the part
    """
    faults = [
        Fault(pointer=f"/{target}", problem="unknown")
        for target, label in labels.items()
        if label is not None and not _is_known(engine, target, label)
    ]
    if faults:
        raise ProblemError("invalid", "This desk has no such tier or category.", errors=faults)


def feedback_on(
    suggestion: StoredSuggestion,
    said: Judgement,
    engine: "Engine",
    *,
    api_key_id: str,
    at: datetime,
    is_blind: bool = False,
    idempotency_key: str | None = None,
    body_hash: str | None = None,
) -> Feedback:
    """Make a judgement the feedback that is stored: complete, consistent and redacted.

    "accepted" takes over the suggested labels, "corrected" those of them that were not corrected;
    "rejected" knows none but what was said.

    Raises
    ------
    ProblemError : invalid; a label is unknown, nothing was suggested that could be accepted, a
        correction changes nothing, or an article is judged that was not named
    """
    require_known(engine, tier=said.tier, category=said.category)
    answer = json.loads(suggestion.answer)
    shown = {target: _label(answer.get(target)) for target in ("tier", "category")}
    labels = {"tier": said.tier, "category": said.category}
    if faults := _faults(said, labels, shown):
        raise ProblemError(
            "invalid", "The feedback does not fit what was suggested.", errors=faults
        )
    if said.verdict in ("accepted", "corrected"):
        labels = {target: label or shown[target] for target, label in labels.items()}
    return Feedback(
        created_at=at,
        suggestion_id=suggestion.id,
        ticket_id=suggestion.ticket_id,
        model_version=suggestion.model_version,
        api_key_id=api_key_id,
        verdict=said.verdict,
        tier=labels["tier"],
        category=labels["category"],
        shown_tier=shown["tier"],
        shown_category=shown["category"],
        confidence=suggestion.confidence,
        decision=suggestion.decision,
        is_blind=is_blind,
        article_id=said.article_id,
        helpful=said.helpful,
        steps_done=said.steps_done,
        comment=_redacted(said.comment),
        idempotency_key=idempotency_key,
        body_hash=body_hash,
    )


def _faults(
    said: Judgement, labels: dict[str, str | None], shown: dict[str, str | None]
) -> list[Fault]:
    faults = []
    if (said.article_id is None) != (said.helpful is None):
        missing = "article_id" if said.article_id is None else "helpful"
        faults.append(Fault(pointer=f"/{missing}", problem="missing"))
    if said.verdict is None and said.article_id is None:
        faults.append(Fault(pointer="/verdict", problem="missing"))
    if said.verdict == "accepted":
        if not any(shown.values()):
            faults.append(Fault(pointer="/verdict", problem="nothing_suggested"))
        faults += [
            Fault(pointer=f"/{target}", problem="not_as_suggested")
            for target, label in labels.items()
            if label is not None and label != shown[target]
        ]
    is_correction = any(label and label != shown[target] for target, label in labels.items())
    if said.verdict == "corrected" and not is_correction:
        faults.append(Fault(pointer="/verdict", problem="nothing_corrected"))
    return faults


def _is_known(engine: "Engine", target: str, label: str) -> bool:
    known: Collection[str] = known_labels(engine, target)
    return label in known or (
        target == "category" and engine.helper.taxonomy.category_of(label) is not None
    )


def _label(prediction: dict[str, Any] | None) -> str | None:
    return prediction["label"] if prediction else None


def _redacted(comment: str) -> str:
    # Loaded when first needed: it brings the core along, which a start must not wait for.
    from triage.redact import redact
    from triage.text import normalise

    return redact(normalise(comment)) if comment else ""
