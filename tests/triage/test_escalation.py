"""A person hands a ticket up: what they decided and found out counts."""

from typing import Any

import pytest

from triage.article import Article
from triage.assistance import Helper
from triage.escalation import UnknownLabel, escalate
from triage.knowledge import KnowledgeBase
from triage.prepare import prepare
from triage.suggestion import Answer, ArticleHit, Handoff, Prediction, Suggestion
from triage.taxonomy import load_taxonomy
from triage.ticket import Ticket

TICKET = Ticket(subject="VPN drops", description="It drops on the Wi-Fi since Monday.")
ARTICLE = Article("KB1", "VPN", required_details=("business_impact",))


def handed_up(helper: Helper | None = None, **given: Any) -> Handoff:
    suggestion = Suggestion(
        suggestion_id="s",
        ticket_id=None,
        model_version="v",
        decision="suggest",
        confidence=0.8,
        reasons=[],
        tier=Prediction("1", "Service desk", 0.8, "suggest", ["1"], []),
        category=Prediction("vpn", "Remote access (VPN)", 0.9, "suggest", ["vpn"], []),
        next_tier="1",
        articles=[ArticleHit("KB1", "VPN", None, 0.7, [])],
    )
    helper = helper or Helper(KnowledgeBase((ARTICLE,)), load_taxonomy())
    labels = {"tier": ["1", "9"], "category": ["vpn", "gardening"]}
    return escalate(Answer(suggestion, prepare(TICKET)), helper, labels, **given)


def test_ticket_goes_where_the_person_says() -> None:
    note = handed_up(tier="2")

    assert note.parts["next_tier"] == "2"
    assert note.parts["tier"]["confidence"] is None
    assert note.parts["category"]["confidence"] == 0.9
    assert note.parts["reasons"][0]["code"] == "escalated"


def test_without_a_choice_it_goes_where_it_was_suggested() -> None:
    assert handed_up().parts["next_tier"] == "1"


def test_what_the_article_asks_for_is_needed_first() -> None:
    assert handed_up().parts["missing"][0]["id"] == "business_impact"


def test_details_told_are_known_and_redacted() -> None:
    note = handed_up(
        details={"device": "LT-1 of jane@example.com", "printer": "PR-1", "error_text": " "}
    )

    known = {one["id"]: one["evidence"] for one in note.parts["known"]}
    assert known["device"] == "LT-1 of <email>"
    assert known["printer"] == "PR-1"
    assert "error_text" not in known
    assert "connection_type" in known


def test_what_a_person_found_out_goes_before_what_the_ticket_says() -> None:
    note = handed_up(details={"connection_type": "cable, after all"})

    known = {one["id"]: one["evidence"] for one in note.parts["known"]}
    assert known["connection_type"] == "cable, after all"


def test_category_of_the_person_decides_what_is_needed() -> None:
    note = handed_up(category="printing")

    assert {"id": "printer", "name": "Printer"}.items() <= note.parts["missing"][1].items()


def test_straight_to_the_third_tier_needs_what_was_tried() -> None:
    assert not handed_up(tier="3").parts["path"]["recorded"]
    assert handed_up(tier="3", steps_tried=["Restarted"]).parts["path"] == {
        "needed": True,
        "recorded": True,
    }


def test_desk_decides_how_complete_a_note_must_be() -> None:
    helper = Helper(KnowledgeBase(()), load_taxonomy(), min_completeness=0.0)

    assert not handed_up(tier="2").is_ready
    assert handed_up(helper, tier="2").is_ready


@pytest.mark.parametrize(
    "given", [{"tier": "9"}, {"category": "gardening"}, {"category": "vpn > client"}]
)
def test_labels_of_the_model_are_known_beside_the_taxonomy(given: dict[str, str]) -> None:
    assert handed_up(**given)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"tier": "8"}, "tier"),
        ({"category": "cooking"}, "category"),
        ({"details": {"shoe_size": "44"}}, "details"),
    ],
)
def test_unknown_label_is_refused(given: dict[str, Any], part: str) -> None:
    with pytest.raises(UnknownLabel) as refusal:
        handed_up(**given)

    assert refusal.value.part == part
    assert "44" not in str(refusal.value) and "cooking" not in str(refusal.value)
