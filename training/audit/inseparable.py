"""Labels that nobody could tell apart by a ticket's text: candidates for being merged."""

from itertools import combinations

import numpy as np

from training.audit.finding import Finding, Suspect
from training.audit.scores import OutOfFold

MIN_TICKETS = 20
"""Fewest tickets of each of the two labels; among fewer, confusion is chance."""

MIN_CONFUSION = 0.3
"""Share of either label's tickets that is taken for the other one."""


def find_inseparable_labels(scored: OutOfFold) -> list[Finding]:
    """Find pairs of labels that are taken for each other, and what merging them would bring.

    The suspects are the tickets of either label that were taken for the other.
    """
    given, predicted = scored.given, scored.predicted
    n_labels = len(scored.labels)
    confusion = np.zeros((n_labels, n_labels), dtype=np.int64)
    np.add.at(confusion, (given, predicted), 1)
    sizes = confusion.sum(axis=1)
    accuracy = np.trace(confusion) / len(given)
    findings = []
    for first, second in combinations(np.flatnonzero(sizes >= MIN_TICKETS), 2):
        there, back = confusion[first, second], confusion[second, first]
        if there <= MIN_CONFUSION * sizes[first] or back <= MIN_CONFUSION * sizes[second]:
            continue
        names = scored.labels[first], scored.labels[second]
        merged = accuracy + (there + back) / len(given)
        sentence = (
            f"{scored.target} {names[0]} and {names[1]} cannot be told apart: "
            f"{there / sizes[first]:.0%} of the first are taken for the second, "
            f"{back / sizes[second]:.0%} of the second for the first; merged, accuracy rises from "
            f"{accuracy:.1%} to {merged:.1%}"
        )
        taken = ((given == first) & (predicted == second)) | (
            (given == second) & (predicted == first)
        )
        suspects = tuple(
            Suspect(
                row=int(scored.rows[ticket]),
                label=scored.labels[given[ticket]],
                proposed=scored.labels[predicted[ticket]],
                confidence=float(scored.probabilities[ticket, predicted[ticket]]),
            )
            for ticket in np.flatnonzero(taken)
        )
        findings.append(
            Finding(
                kind="inseparable_labels",
                code="mutual_confusion",
                sentence=sentence,
                suspects=suspects,
                looked_at=int(sizes[first] + sizes[second]),
                target=scored.target,
                labels=names,
            )
        )
    return sorted(findings, key=lambda finding: -finding.count)
