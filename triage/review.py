"""What a person's look at a suggestion is worth, and which suggestions are looked at blind."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

WorthReason = Literal["conflict", "incident", "nothing_suggested", "unsure", "costly_tier"]

CONFLICT = 1.0
"""Two people said different things: before everything else."""

_INCIDENT = 0.3
_UNSURE = 0.55
_COSTLY = 0.15
_ROUTED = 0.25  # what was sure enough to be routed waits behind all that was not
_CLEARLY_UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class Worth:
    """How much a look is worth, in [0, 1], and why; `CONFLICT` comes on top of it."""

    score: float
    reasons: tuple[WorthReason, ...]


def worth_of(suggestion: Mapping[str, Any]) -> Worth:
    """Weigh a suggestion, as plain data (`triage.suggestion.Suggestion.to_dict`), for its review.

    A label teaches most where the model wavers between two: uncertainty is one minus the margin
    between the two likeliest labels (Scheffer, Decomain & Wrobel, IDA 2001), the mean over tier and
    category. A possible incident and a ticket that goes above tier 1 cost more when nobody looks.
    """
    predictions = [suggestion.get("tier"), suggestion.get("category")]
    margins = [_margin(prediction) for prediction in predictions if prediction]
    unsure = 1 - sum(margins) / len(margins) if margins else 1.0
    reasons: list[WorthReason] = []
    score = _UNSURE * unsure
    if suggestion.get("incident"):
        score += _INCIDENT
        reasons.append("incident")
    if suggestion.get("decision") == "review":
        reasons.append("nothing_suggested")
    elif unsure > _CLEARLY_UNSURE:
        reasons.append("unsure")
    if suggestion.get("handoff"):
        score += _COSTLY
        reasons.append("costly_tier")
    if suggestion.get("decision") == "route":
        score *= _ROUTED
    return Worth(round(score, 4), tuple(reasons))


def is_blind(suggestion_id: str, share: float) -> bool:
    """Tell whether a suggestion belongs to the blind sample, by its id alone.

    A person decides these without seeing what was suggested, so that the desk learns how often the
    suggestion is right when nobody was led by it.

    Parameters
    ----------
    share : float in [0, 1], share of all suggestions that are looked at blind
    """
    digest = hashlib.sha256(b"blind " + suggestion_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def _margin(prediction: Mapping[str, Any]) -> float:
    shares = sorted((one["confidence"] for one in prediction.get("alternatives", ())), reverse=True)
    best, second = ([*shares, 0.0, 0.0])[:2]
    return float(best - second)
