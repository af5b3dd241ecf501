"""What a desk's taxonomy says about the tier of a ticket, beside what the model has learned."""

from collections.abc import Mapping
from dataclasses import replace

from triage.suggestion import N_ALTERNATIVES, Alternative, Prediction
from triage.taxonomy import Taxonomy


def usual_tiers(category_shares: Mapping[str, float], taxonomy: Taxonomy) -> dict[str, float]:
    """Add up for each tier the probability of the categories that it usually resolves.

    Parameters
    ----------
    category_shares : probability of each category

    Returns
    -------
    dict : daily tier, and any other that the desk names for a category -> probability
    """
    shares = {tier.id: 0.0 for tier in taxonomy.tiers.values() if tier.daily}
    for category, share in category_shares.items():
        tier = taxonomy.usual_tier(category)
        if tier is not None:
            shares[tier] = shares.get(tier, 0.0) + share
    return {tier: share for tier, share in shares.items() if not taxonomy.is_excluded("tier", tier)}


def usual_tier(
    category: str, tier_shares: Mapping[str, float], taxonomy: Taxonomy
) -> Prediction | None:
    """Suggest the tier that usually resolves a category, where no tiers were learned.

    Parameters
    ----------
    category : the category shown
    tier_shares : what `usual_tiers` gives

    Returns
    -------
    Prediction : with the basis "taxonomy", never routed; None where the desk names no tier
    """
    tier = taxonomy.usual_tier(category)
    if tier is None or tier not in tier_shares:
        return None
    ranking = sorted(tier_shares, key=lambda one: -tier_shares[one])[:N_ALTERNATIVES]
    return Prediction(
        label=tier,
        name=taxonomy.tier_name(tier),
        confidence=round(tier_shares[tier], 4),
        decision="suggest",
        set=[],  # nothing was measured that could promise to hold the right tier
        alternatives=[
            Alternative(one, round(tier_shares[one], 4)) for one in ranking if tier_shares[one]
        ],
        basis="taxonomy",
    )


def raised_tier(
    prediction: Prediction, tier_shares: Mapping[str, float], taxonomy: Taxonomy
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
    higher = [
        tier for tier in tier_shares if tier in above and not taxonomy.is_excluded("tier", tier)
    ]
    if not higher:
        return prediction
    label = max(higher, key=lambda tier: tier_shares[tier])
    return replace(
        prediction,
        label=label,
        name=taxonomy.tier_name(label),
        confidence=round(tier_shares[label], 4),
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
