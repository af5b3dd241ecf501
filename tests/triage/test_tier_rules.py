"""Rules of the desk about tiers: usual ones, what hits many people, and the path to specialists."""

from dataclasses import replace

import pytest

from triage.suggestion import Alternative, Prediction
from triage.taxonomy import Taxonomy, parse_taxonomy
from triage.tier_rules import next_tier, raised_tier, usual_tier, usual_tiers

TIERS = {"1": {"name": "Desk"}, "2": {"name": "Technical"}, "3": {"name": "Experts"}}
PATHS = ["Access > Card", "Access > VPN", "Mail", "Mail > Spam", "Print > Toner"]


@pytest.mark.parametrize(
    ("resolver", "goes_to"),
    [("1", "1"), ("2", "2"), ("3", "2"), ("0", "0"), ("Level 9", "Level 9"), (None, None)],
)
def test_specialists_are_reached_through_the_second_tier(
    taxonomy: Taxonomy, resolver: str | None, goes_to: str | None
) -> None:
    assert next_tier(resolver, taxonomy) == goes_to


def test_desk_with_other_tiers_has_the_same_path() -> None:
    tiers = {name: {"name": name} for name in ("front", "back", "experts", "gurus")}
    other = parse_taxonomy({"tiers": tiers | {"vendor": {"name": "vendor", "daily": False}}})

    assert [next_tier(tier, other) for tier in (*tiers, "vendor")] == [
        "front",
        "back",
        "back",
        "back",
        "back",
    ]


def test_desk_of_one_tier_keeps_its_tickets(taxonomy: Taxonomy) -> None:
    small = replace(taxonomy, tiers={"1": taxonomy.tiers["1"]})

    assert next_tier("1", small) == "1"


USUAL = parse_taxonomy(
    {
        "tiers": TIERS,
        "categories": {
            "Access": {"name": "Accounts", "tier": "1"},
            "Mail": {"name": "Mail", "tier": "2"},
            "Print": {"name": "Printing"},
        },
    }
)


def test_usual_tier_of_a_category_is_suggested_with_the_probability_of_all_of_that_tier() -> None:
    shares = dict(zip(PATHS, [0.4, 0.2, 0.15, 0.05, 0.2], strict=True))

    tier = usual_tier("Access > Card", usual_tiers(shares, USUAL), USUAL)

    assert tier is not None
    assert (tier.label, tier.name, tier.basis) == ("1", "Desk", "taxonomy")
    assert (tier.confidence, tier.decision, tier.set) == (0.6, "suggest", [])
    assert tier.alternatives == [Alternative("1", 0.6), Alternative("2", 0.2)]


def test_category_without_a_usual_tier_suggests_none() -> None:
    shares = usual_tiers(dict.fromkeys(PATHS, 0.2), USUAL)

    assert usual_tier("Print > Toner", shares, USUAL) is None
    assert usual_tier("Unheard of", shares, USUAL) is None


def test_excluded_tier_is_not_suggested_as_the_usual_one() -> None:
    tiers = {**TIERS, "1": {"name": "Desk", "exclude": True}}
    taxonomy = parse_taxonomy(
        {"tiers": tiers, "categories": {"Access": {"name": "Accounts", "tier": "1"}}}
    )

    assert usual_tier("Access", usual_tiers({"Access": 1.0}, taxonomy), taxonomy) is None


def test_raised_tier_is_the_likeliest_above_the_first_that_the_desk_does_not_exclude() -> None:
    tiers = {**TIERS, "3": {"name": "Experts", "exclude": True}}
    taxonomy = parse_taxonomy({"tiers": tiers})
    low = Prediction("1", "Desk", 0.8, "route", ["1"], [])

    raised = raised_tier(low, {"1": 0.8, "2": 0.05, "3": 0.15}, taxonomy)

    assert (raised.label, raised.name, raised.confidence) == ("2", "Technical", 0.05)
    assert (raised.decision, raised.basis) == ("suggest", "policy")
