"""Tiers that contradict the way a ticket took."""

from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd

from training.audit.finding import Finding, Suspect
from training.labels import label_key
from training.mapping import Mapping
from triage.taxonomy import Taxonomy

MANY_REASSIGNMENTS = 2
"""Away from the first tier and back: it may have closed the ticket, but others worked on it."""


def find_contradicted_tiers(
    frame: pd.DataFrame, mapping: Mapping, taxonomy: Taxonomy
) -> list[Finding]:
    """Find tickets whose tier, way and first contact cannot all be as recorded.

    Returns
    -------
    list : a finding for each contradiction that occurs

        "tier_of_another_group"     the tier is not that of the group that resolved the ticket;
                                    the group's is proposed
        "first_tier_reassigned"     resolved by the first tier, yet reassigned twice or more
        "first_contact_reassigned"  solved at the first contact, yet reassigned
        "first_contact_reopened"    solved at the first contact, yet reopened
    """
    tiers = _values(frame, "tier")
    of_group = _tiers_of_groups(frame, mapping, taxonomy, set(tiers))
    first_tier = next((tier.id for tier in taxonomy.tiers.values() if tier.daily), None)
    moves = _reassignments(frame)
    first_contact = _values(frame, "first_contact")
    reopened = _values(frame, "reopened")
    rows = range(len(frame))

    with_both = [row for row in rows if tiers[row] and of_group[row]]
    with_moves = [row for row in rows if tiers[row] == first_tier and moves[row] is not None]
    at_once = [row for row in rows if first_contact[row]]
    checks = [
        (
            "tier_of_another_group",
            "of another tier than the group that resolved them",
            with_both,
            [row for row in with_both if tiers[row] != of_group[row]],
        ),
        (
            "first_tier_reassigned",
            f"of tier {first_tier}, yet reassigned {MANY_REASSIGNMENTS} times or more",
            with_moves,
            [row for row in with_moves if moves[row] >= MANY_REASSIGNMENTS],
        ),
        (
            "first_contact_reassigned",
            "solved at the first contact, yet reassigned",
            at_once,
            [row for row in at_once if moves[row]],
        ),
        (
            "first_contact_reopened",
            "solved at the first contact, yet reopened",
            at_once,
            [row for row in at_once if reopened[row]],
        ),
    ]
    return [
        Finding(
            kind="contradicted_tiers",
            code=code,
            sentence=f"{len(found)} of {len(looked_at)} tickets are {told}",
            suspects=tuple(
                Suspect(
                    row=row,
                    label=tiers[row],
                    proposed=of_group[row] if code == "tier_of_another_group" else None,
                )
                for row in found
            ),
            looked_at=len(looked_at),
            target="tier",
        )
        for code, told, looked_at, found in checks
        if found
    ]


def _values(frame: pd.DataFrame, column: str) -> list[Any]:
    """List a column's values, None where one is missing."""
    values = frame[column]
    return values.astype(object).where(values.notna(), None).tolist()


def _reassignments(frame: pd.DataFrame) -> list[Any]:
    """Count each ticket's changes of group; from its path where the export does not count them."""
    return [
        sum(before != after for before, after in pairwise(path))
        if count is None and path
        else count
        for count, path in zip(_values(frame, "reassignments"), frame["group_path"], strict=True)
    ]


def _tiers_of_groups(
    frame: pd.DataFrame, mapping: Mapping, taxonomy: Taxonomy, tiers: set[Any]
) -> list[str | None]:
    """Find the tier of the group that resolved each ticket, None where that is not known.

    The mapping tells it if it names any of the groups; otherwise the taxonomy does, as far as it
    calls the tiers as the history does.
    """
    key_of = cache(label_key)
    closing = frozenset(map(key_of, mapping.closing_groups))
    resolvers = [
        next((key for key in map(key_of, (*reversed(path), group or "")) if key not in closing), "")
        for group, path in zip(_values(frame, "assignment_group"), frame["group_path"], strict=True)
    ]
    tier_of = {key_of(group): tier for group, tier in mapping.tiers.items()}
    if tier_of.keys().isdisjoint(resolvers):
        tier_of = {key_of(group): tier for group, tier in taxonomy.groups.items() if tier in tiers}
    return [tier_of.get(resolver) for resolver in resolvers]
