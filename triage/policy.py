"""Decide what to do with a ticket: route it, suggest, or leave it to a person; and say why."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from triage.model import Head
from triage.suggestion import Alternative, Decision, Prediction, Reason
from triage.taxonomy import Taxonomy

FloatArray = npt.NDArray[np.float64]

N_ALTERNATIVES = 3

EMPTY = Reason(
    "empty",
    "The ticket has no text to go by.",
    "Ask the requester what happened, then triage again.",
)
OUT_OF_DOMAIN = Reason(
    "out_of_domain",
    "The text does not read like the tickets this model learned from.",
    "Let a person read it; if such tickets are real, add them to the history and retrain.",
)
WIDE_IMPACT = Reason(
    "wide_impact",
    "The text says that many people are affected.",
    "Check for a major incident before any single-user step; it is not one for tier 1 alone.",
)
NO_TIER = Reason(
    "no_tier_model",
    "The history names no tier, so nothing is routed unseen.",
    "Confirm the tier by hand, or train on a history with tiers or assignment groups.",
)
PROMISE_KEPT = Reason(
    "promise_kept",
    "Every target is sure enough to keep the promised precision.",
    "Route it.",
)
JOINT_UNSURE = Reason(
    "joint_unsure",
    "Each target alone is sure enough, but not that all of them are right together.",
    "Confirm the suggestion.",
)


def target_decisions(
    head: Head, probabilities: FloatArray, readable: npt.NDArray[np.bool_]
) -> list[Decision]:
    """Decide about one target of many tickets.

    Parameters
    ----------
    probabilities : ndarray of shape (n_tickets, n_labels)
    readable : ndarray of shape (n_tickets,), whether there is text, in the model's domain
    """
    confidence = probabilities.max(axis=1)
    # A label without a threshold is never routed: no confidence reaches 2.
    thresholds = [head.thresholds[label] for label in head.labels]
    needed = np.array([2.0 if value is None else value for value in thresholds])
    routed = confidence >= needed[probabilities.argmax(axis=1)]
    shown = readable & (confidence >= suggestion_floor(len(head.labels)))
    return [
        "review" if not is_shown else "route" if is_routed else "suggest"
        for is_shown, is_routed in zip(shown, routed, strict=True)
    ]


def prediction(
    head: Head, probabilities: FloatArray, decision: Decision, names: Mapping[str, str]
) -> Prediction:
    """Put a head's answer for one ticket into words.

    Parameters
    ----------
    probabilities : ndarray of shape (n_labels,)
    names : name of each label for people; a label without one is its own name
    """
    labels = head.labels
    ranking = np.argsort(-probabilities, kind="stable").tolist()
    shares = probabilities.tolist()
    label = labels[ranking[0]] if decision != "review" else None
    # Each label has its own cutoff: others may pass theirs where the best one does not.
    in_set = [i for i in ranking if shares[i] >= head.cutoffs[i]]
    if in_set and ranking[0] not in in_set:
        in_set = [ranking[0], *in_set]
    return Prediction(
        label=label,
        name=None if label is None else names.get(label, label),
        confidence=round(shares[ranking[0]], 4),
        decision=decision,
        set=[labels[i] for i in in_set],
        alternatives=[
            Alternative(labels[i], round(shares[i], 4)) for i in ranking[:N_ALTERNATIVES]
        ],
    )


def suggestion_floor(n_labels: int) -> float:
    """Give the confidence below which the best label is not worth showing.

    With many labels, three in ten is still a useful hint; with few, it must clearly beat a
    blind pick.
    """
    return max(0.3, 1.2 / n_labels)


def decide(
    predictions: Mapping[str, Prediction],
    heads: Mapping[str, Head],
    route_on: Sequence[str],
    joint_confidence: float | None,
    joint_threshold: float | None,
) -> tuple[Decision, list[Reason]]:
    """Combine the answers of all targets into one decision with its reasons.

    Parameters
    ----------
    route_on : targets that must all be right for a ticket to be routed unseen
    joint_confidence : calibrated probability that they are; None without any
    joint_threshold : value of it that keeps the promise; None when none does
    """
    if all(prediction.decision == "review" for prediction in predictions.values()):
        return "review", [_held_back(name, predictions[name], heads[name]) for name in predictions]
    if "tier" not in predictions:
        return "suggest", [NO_TIER]
    held_back = [
        _held_back(target, predictions[target], heads[target])
        for target in route_on
        if predictions[target].decision != "route"
    ]
    if held_back:
        return "suggest", held_back
    if joint_confidence is None or joint_threshold is None or joint_confidence < joint_threshold:
        return "suggest", [JOINT_UNSURE]
    return "route", [PROMISE_KEPT]


def raised_tier(
    prediction: Prediction, head: Head, probabilities: FloatArray, taxonomy: Taxonomy
) -> Prediction:
    """Keep a ticket that hits many people from being suggested to the first tier.

    The most probable tier above it is suggested instead, with its own probability and the basis
    "policy"; anything else stays as it is.
    """
    order = list(taxonomy.tiers)
    first = next((tier.id for tier in taxonomy.tiers.values() if tier.daily), None)
    if first is None or prediction.label != first:
        return prediction
    above = order[order.index(first) + 1 :]
    higher = [place for place, label in enumerate(head.labels) if label in above]
    if not higher:
        return prediction
    best = max(higher, key=lambda place: float(probabilities[place]))
    label = head.labels[best]
    return replace(
        prediction,
        label=label,
        name=taxonomy.tier_name(label),
        confidence=round(float(probabilities[best]), 4),
        decision="suggest",
        basis="policy",
    )


def next_tier(label: str | None, taxonomy: Taxonomy) -> str | None:
    """Name the tier a ticket goes to now, given the tier that will resolve it.

    The specialists of the third daily tier are reached only with a diagnostic path through the
    first two, so that a ticket of theirs goes to the second first.
    """
    order = list(taxonomy.tiers)
    daily = [tier.id for tier in taxonomy.tiers.values() if tier.daily]
    if label not in order or len(daily) < 2:
        return label
    return daily[1] if order.index(label) > order.index(daily[1]) else label


def _held_back(target: str, prediction: Prediction, head: Head) -> Reason:
    share = f"{prediction.confidence:.1%}"
    if prediction.label is None:
        return Reason(
            f"unsure_{target}",
            f"No {target} is likely enough to suggest (the best has {share}).",
            f"Let a person choose the {target}; the alternatives are a start.",
        )
    needed = head.thresholds[prediction.label]
    if needed is None:
        return Reason(
            f"suggest_only_{target}",
            f"Past tickets do not bear out a promise for this {target} yet.",
            f"Confirm or correct the {target}.",
        )
    return Reason(
        f"unsure_{target}",
        f"The {target} is right with {share}; to be routed unseen it takes {needed:.1%}.",
        f"Confirm or correct the {target}.",
    )
