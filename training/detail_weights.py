"""What each detail of a category weighs, learned from what the next tier had to ask for.

The history's ``asked_details`` names, ticket by ticket, the details that tier 2 missed. A detail
asked for often is one that matters and is not there: it weighs more in a hand-off's completeness,
and is asked for earlier.
"""

from collections import Counter, defaultdict

import pandas as pd

from training.canonical import completed
from triage.taxonomy import Detail, Taxonomy

PRIOR_ASKS = 20.0
"""Asks that the taxonomy's order is worth: a category with as many is half learned.

Twenty asks over six details leave a share uncertain by about 0.1; the order is as good a guess.
"""


def learn_weights(frame: pd.DataFrame, taxonomy: Taxonomy) -> dict[str, dict[str, float]]:
    """Learn what the details of each category weigh.

    Parameters
    ----------
    frame : canonical history; details are named by id or by name, in any case

    Returns
    -------
    dict : category of the taxonomy -> detail -> weight, which add up to 1. Categories of which
        nothing was asked are left out: the taxonomy's order holds for them. Details that the
        taxonomy does not list for the category count for nothing.
    """
    asks: dict[str, Counter[str]] = defaultdict(Counter)
    whole = completed(frame)
    for category, asked in zip(whole["category"], whole["asked_details"], strict=True):
        if not asked or pd.isna(category):
            continue
        entry = taxonomy.category_of(category)
        if entry is None:
            continue
        ids = _ids_by_name(taxonomy.details_of(entry.id))
        asks[entry.id].update({ids[key] for name in asked if (key := _key(name)) in ids})
    return {
        category: _smoothed(counts, taxonomy.details_of(category))
        for category, counts in sorted(asks.items())
        if counts.total()
    }


def _smoothed(counts: Counter[str], details: tuple[Detail, ...]) -> dict[str, float]:
    """Add the asks that the taxonomy's order stands for, and make shares of them."""
    prior = {detail.id: float(len(details) - place) for place, detail in enumerate(details)}
    unit = PRIOR_ASKS / sum(prior.values())
    total = counts.total() + PRIOR_ASKS
    return {name: (counts[name] + unit * share) / total for name, share in prior.items()}


def _ids_by_name(details: tuple[Detail, ...]) -> dict[str, str]:
    names = {_key(detail.name): detail.id for detail in details}
    return names | {_key(detail.id): detail.id for detail in details}


def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
