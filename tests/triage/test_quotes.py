"""What a suggestion tells of other tickets is found, and can be taken out."""

import json

import pytest

from triage.handoff import hand_off
from triage.quotes import quoted_tickets, without_quotes
from triage.suggestion import SimilarTicket
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket

TWIN = SimilarTicket(
    "INC-1`x`", "Tunnel\nof `zyxcanary`", "2", "vpn", "Told zyxcanary\nhow. " * 90, 0.9
)
OTHER = SimilarTicket("INC-2", "Tunnel of somebody", "2", "vpn", "Certificate renewed.", 0.8)


@pytest.fixture
def suggestion(taxonomy: Taxonomy) -> dict[str, object]:
    similar = [TWIN, OTHER]
    note = hand_off(
        Ticket("Tunnel drops", "since today"),
        taxonomy=taxonomy,
        tier=None,
        category=None,
        next_tier="2",
        needed=[],
        known={},
        reasons=[],
        articles=[],
        similar=similar,
        incident=None,
    )
    told: dict[str, object] = json.loads(
        json.dumps(
            {"similar": similar, "handoff": note, "decision": "suggest"},
            default=lambda one: {name: getattr(one, name) for name in one.__dataclass_fields__},
        )
    )
    return told


def test_quoted_tickets_are_named(suggestion: dict[str, object]) -> None:
    assert quoted_tickets(suggestion) == {"INC-1`x`", "INC-2"}
    assert quoted_tickets({"handoff": None, "similar": []}) == quoted_tickets({}) == set()


def test_words_of_a_ticket_are_taken_out_wherever_they_stand(
    suggestion: dict[str, object],
) -> None:
    before = json.dumps(suggestion)

    cleaned = without_quotes(suggestion, ["INC-1`x`"])

    assert before.count("zyxcanary") > 3
    assert "zyxcanary" not in json.dumps(cleaned)
    assert quoted_tickets(cleaned) == {"INC-2"}
    assert json.dumps(suggestion) == before
    assert "Tunnel of somebody" in str(cleaned["handoff"]["note"])
    assert "Tunnel drops" in str(cleaned["handoff"]["note"])


def test_suggestion_without_a_hand_off_stays_without_one() -> None:
    assert without_quotes({"similar": [], "handoff": None}, ["INC-1"]) == {
        "similar": [],
        "handoff": None,
    }
