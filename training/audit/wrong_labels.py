"""Labels that are probably wrong: tickets that models of the other tickets file elsewhere."""

import numpy as np

from training.audit.finding import Finding, Suspect
from training.audit.scores import FloatArray, IndexArray, OutOfFold

MIN_CONFIDENCE = 0.5
"""A label is proposed only if it is more likely than all others: where a model learns little, the
mean of a label's tickets is far below that."""


def find_wrong_labels(scored: OutOfFold) -> list[Finding]:
    """Find labels that are probably wrong, with the one that fits better.

    Returns
    -------
    list : one finding, or none without suspects; a suspect's confidence is the probability of the
        label proposed

    Notes
    -----
    Confident learning (Northcutt, Jiang & Chuang, JAIR 70, 2021). A ticket counts as the label
    whose probability is highest among those that reach the mean of the tickets that carry the
    label, and `MIN_CONFIDENCE`; given and counted labels make the confident joint. Of the tickets
    off its diagonal those stay that are also among the least probable of their label, as many as
    the label has off the diagonal ("prune by class"). The joint is not scaled up to all tickets,
    as the paper has it: that takes unsure tickets for mislabelled as often as sure ones, and cost a
    quarter of the precision at the same recall (docs/audit.md).
    """
    given, probabilities = scored.given, scored.probabilities
    n_labels = len(scored.labels)
    own = probabilities[np.arange(len(given)), given]
    mean_own = np.bincount(given, own, n_labels) / np.bincount(given, minlength=n_labels)
    enough = np.maximum(mean_own, MIN_CONFIDENCE)
    confident = np.where(probabilities >= enough, probabilities, -1.0)
    counted = confident.argmax(axis=1)
    is_off = (confident.max(axis=1) >= 0) & (counted != given)
    chosen = np.flatnonzero(is_off & _is_least_probable(given, own, is_off, n_labels))
    margin = probabilities[chosen, counted[chosen]] - own[chosen]
    suspects = tuple(
        Suspect(
            row=int(scored.rows[ticket]),
            label=scored.labels[given[ticket]],
            proposed=scored.labels[counted[ticket]],
            confidence=float(probabilities[ticket, counted[ticket]]),
        )
        for ticket in chosen[np.argsort(-margin, kind="stable")]
    )
    if not suspects:
        return []
    sentence = (
        f"{len(suspects)} of {len(given)} labels of {scored.target} are probably wrong: another "
        "one fits the text much better"
    )
    return [
        Finding(
            kind="wrong_labels",
            code="confident_learning",
            sentence=sentence,
            suspects=suspects,
            looked_at=len(given),
            target=scored.target,
        )
    ]


def _is_least_probable(
    given: IndexArray, own: FloatArray, is_off: np.ndarray, n_labels: int
) -> np.ndarray:
    """Mark each label's tickets of the lowest own probability, as many as it has off."""
    marked = np.zeros(len(given), dtype=bool)
    wanted = np.bincount(given[is_off], minlength=n_labels)
    for label in np.flatnonzero(wanted):
        tickets = np.flatnonzero(given == label)
        lowest = np.argsort(own[tickets], kind="stable")[: wanted[label]]
        marked[tickets[lowest]] = True
    return marked
