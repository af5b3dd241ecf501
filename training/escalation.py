"""Tiers missed: how often a ticket would be sent too low or too high, and what that costs."""

import numpy as np
import numpy.typing as npt

from triage.taxonomy import Taxonomy


def escalation_errors(
    truth: npt.NDArray[np.object_], shown: npt.NDArray[np.object_], taxonomy: Taxonomy
) -> dict[str, float]:
    """Part the tickets shown a wrong tier by the direction, in the taxonomy's order of tiers.

    Parameters
    ----------
    truth, shown : ndarrays of shape (n_tickets,), the tier that resolved a ticket and the one shown

    Returns
    -------
    dict : under_escalated and over_escalated, shares of all tickets; mean_cost where the taxonomy
        sets costs. Tickets of a tier that the taxonomy does not have are in none of them; empty
        where there are no others.
    """
    rank = {tier: place for place, tier in enumerate(taxonomy.tiers)}
    pairs = [(a, b) for a, b in zip(truth, shown, strict=True) if a in rank and b in rank]
    if not pairs:
        return {}
    found = {
        "under_escalated": sum(rank[b] < rank[a] for a, b in pairs) / len(truth),
        "over_escalated": sum(rank[b] > rank[a] for a, b in pairs) / len(truth),
    }
    if taxonomy.costs:
        found["mean_cost"] = float(np.mean([taxonomy.costs.of(a, b) for a, b in pairs]))
    return found
