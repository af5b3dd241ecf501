"""What figures are counted from, out of a small store; every figure here is computed by hand."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from triage.figures.articles import ArticleJudged, ArticlesUsed
from triage.figures.ended import EndedTicket, TierOrder
from triage.figures.handled import ArticleFacts, Desk, Ending, Handled, Word
from triage.figures.insights import Insights, LabelChecks, Wanted
from triage.signature import sign_ticket
from triage.store import Feedback, LabelDoubt, Outcome, PastTicket, Store, StoredSuggestion
from triage.store.insights import read_insights
from triage.ticket import Ticket

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ORDER = TierOrder(("0", "1", "2", "3"), ("1", "2", "3"))
DESK = Desk(ORDER, articles={"KB1": ArticleFacts("Reset", "1"), "KB2": ArticleFacts("Idle", "1")})


def hours(number: float) -> datetime:
    return MONDAY + timedelta(hours=number)


@pytest.fixture
def keys(store: Store) -> list[str]:
    return [store.create_key(name, ["admin"])[0].id for name in ("Ada", "Ben")]


def suggest(store: Store, number: int, at: float = 0, **changes: Any) -> str:
    """Store the suggestion ``sNUMBER`` for the ticket ``T-NUMBER``; return its id."""
    answer = {
        "decision": "suggest",
        "confidence": 0.7,
        "tier": {"label": "1", "alternatives": []},
        "category": {"label": "vpn", "alternatives": []},
        "reasons": [{"code": "joint_unsure", "message": "Unsure.", "next_action": "Look."}],
        "articles": [{"id": "KB1", "title": "Reset"}],
        "incident": None,
    } | changes
    record = StoredSuggestion(
        id=f"s{number}",
        created_at=hours(at),
        model_version="m1",
        decision=answer["decision"],
        confidence=answer["confidence"],
        subject="VPN",
        description="does not work",
        answer=json.dumps(answer),
        ticket_id=answer.pop("ticket_id", f"T-{number}"),
    )
    store.save_suggestions([record])
    return record.id


def say(store: Store, number: int, by: str, at: float = 1, **changes: Any) -> Feedback:
    usual: dict[str, Any] = {
        "created_at": hours(at),
        "suggestion_id": f"s{number}",
        "ticket_id": f"T-{number}",
        "model_version": "m1",
        "api_key_id": by,
        "verdict": "accepted",
        "tier": "1",
        "category": "vpn",
        "shown_tier": "1",
        "shown_category": "vpn",
        "confidence": 0.7,
        "decision": "suggest",
    }
    return store.reviews.take(Feedback(**usual | changes))


def end(store: Store, number: int, by: str, at: float = 5, **changes: Any) -> None:
    store.outcomes.add(Outcome(hours(at), f"T-{number}", by, **{"tier": "1"} | changes))


def count(found: Insights, name: str) -> tuple[float, int, int]:
    figures = (*found.figures, *found.desk.figures)
    [figure] = [one for one in figures if one.name == name]
    return figure.count.numerator, figure.count.denominator, figure.count.not_known


def points(found: Insights, name: str, by: str) -> dict[str, tuple[float, int]]:
    [series] = [
        one for one in (*found.series, *found.desk.series) if (one.name, one.by) == (name, by)
    ]
    return {one.label: (one.count.numerator, one.count.denominator) for one in series.points}


def test_suggestion_comes_with_the_last_word_and_the_last_outcome(
    store: Store, keys: list[str]
) -> None:
    ada, ben = keys
    suggest(store, 1)
    say(store, 1, ada)
    say(store, 1, ben, at=2, verdict="corrected", tier="2", is_blind=True)
    end(store, 1, ada, tier="3", category="email")
    end(store, 1, ada, at=6, tier="2", category="vpn")

    [found] = store.figures.handled()

    assert found == Handled(
        suggested_at=MONDAY,
        decision="suggest",
        confidence=0.7,
        model_version="m1",
        tier="1",
        category="vpn",
        word=Word("corrected", "2", "vpn", is_blind=True),
        ending=Ending("2", "vpn"),
    )


def test_word_that_was_taken_back_leaves_the_one_before(store: Store, keys: list[str]) -> None:
    ada, ben = keys
    suggest(store, 1)
    say(store, 1, ada)
    again = say(store, 1, ben, at=2)
    assert again.number is not None
    store.reviews.undo(again.number, api_key_id=ben, at=hours(3))
    article = say(store, 1, ben, at=4, verdict=None, article_id="KB1", helpful=True)

    [found] = store.figures.handled()

    assert article.verdict is None
    assert found.word == Word("accepted", "1", "vpn")


def test_newest_suggestion_of_a_ticket_is_told_from_those_before(store: Store) -> None:
    for number, at in ((1, 0), (2, 3), (3, 3)):
        suggest(store, number, at=at, ticket_id="T-9")
    for number in (4, 5):
        suggest(store, number, ticket_id=None)

    found = list(store.figures.handled())

    assert sorted((one.suggested_at, one.is_newest, one.has_ticket_id) for one in found) == [
        (hours(0), False, True),
        (hours(0), True, False),
        (hours(0), True, False),
        (hours(3), False, True),
        (hours(3), True, True),
    ]


def test_outcome_from_before_a_suggestion_is_not_its_end(store: Store, keys: list[str]) -> None:
    end(store, 1, keys[0], at=1)
    suggest(store, 1, at=2)

    [found] = store.figures.handled()

    assert found.ending is None


def test_ended_ticket_says_what_its_last_outcome_says(store: Store, keys: list[str]) -> None:
    by = keys[0]
    end(store, 1, by, tier="2", tier_path=("1", "2"))
    end(
        *(store, 1, by, 7),
        tier="3",
        category="vpn",
        tier_path=("1", "2", "3"),
        reassignments=2,
        reopened=1,
        first_contact=False,
        csat=4.0,
        article_ids=("KB1",),
        asked_details=("device",),
        resolved_at=hours(6),
    )
    end(store, 2, by, at=8)

    first, second = sorted(store.figures.ended(), key=lambda one: one.ticket_id)

    assert first == EndedTicket(
        ticket_id="T-1",
        resolved_at=hours(6),
        category="vpn",
        tier_path=("1", "2", "3"),
        tier="3",
        reassignments=2,
        first_contact=False,
        csat=4.0,
        used_article=True,
        missing_details=("device",),
        reopenings=1,
    )
    assert (second.resolved_at, second.used_article, second.missing_details) == (
        hours(8),
        False,
        (),
    )


def test_desk_that_never_names_articles_does_not_say_that_none_was_used(
    store: Store, keys: list[str]
) -> None:
    end(store, 1, keys[0], tier="3")

    [found] = store.figures.ended()

    assert (found.used_article, found.missing_details) == (None, None)


def test_articles_are_judged_by_each_persons_last_word_on_each_ticket(
    store: Store, keys: list[str]
) -> None:
    ada, ben = keys
    for number in (1, 2):
        suggest(store, number)
    judged = {"verdict": None, "article_id": "KB1"}
    say(store, 1, ada, **judged, helpful=True)
    say(store, 1, ada, at=2, **judged, helpful=False)
    say(store, 1, ben, at=2, **judged, helpful=True)
    say(store, 2, ada, at=3, **judged | {"article_id": "KB2"}, helpful=True)

    found = store.figures.articles_judged()
    late = store.figures.articles_judged(hours(2.5))

    assert sorted(found, key=lambda one: one.article_id) == [
        ArticleJudged("KB1", 1, 2),
        ArticleJudged("KB2", 1, 1),
    ]
    assert late == [ArticleJudged("KB2", 1, 1)]


def test_articles_used_come_with_the_tiers_that_the_ticket_came_to(
    store: Store, keys: list[str]
) -> None:
    end(store, 1, keys[0], tier="2", tier_path=("1", "2"), article_ids=("KB1", "KB2"))
    end(store, 2, keys[0])

    assert list(store.figures.articles_used()) == [ArticlesUsed(("KB1", "KB2"), ("1", "2", "2"))]


def test_label_checks_count_what_people_fixed(store: Store, keys: list[str]) -> None:
    made = [
        LabelDoubt(f"H{n}", "category", "x", "y", "email", "vpn", 0.9 - n / 100) for n in range(4)
    ]
    store.label_doubts.save(made)
    for doubt, label in zip(made, ("email", "vpn", "access"), strict=False):
        store.label_doubts.decide(doubt.id, label, revision=0, api_key_id=keys[0], at=MONDAY)

    assert store.figures.label_checks() == [LabelChecks("category", 3, 2, 1)]
    assert store.figures.label_checks(hours(1)) == [LabelChecks("category", 0, 0, 1)]


def test_insights_of_a_small_store_are_those_computed_by_hand(
    store: Store, keys: list[str]
) -> None:
    ada, _ = keys
    suggest(store, 1, decision="route", confidence=0.97)
    suggest(store, 2, decision="route", confidence=0.95, articles=[])
    suggest(store, 3)
    suggest(store, 4, decision="review", confidence=0.2, articles=[])
    say(store, 3, ada)
    end(store, 1, ada, category="vpn", first_contact=True)
    end(store, 2, ada, tier="2", category="vpn", tier_path=("1", "2"))

    found = read_insights(store, DESK, Wanted())

    assert (found.n_suggestions, found.n_answers, found.n_shaped) == (4, 4, 2)
    assert count(found, "routed") == (2, 4, 0)
    assert count(found, "routed_right") == (1, 2, 0)
    assert count(found, "accepted") == (1, 1, 0)
    assert count(found, "without_article") == (1, 3, 0)
    assert count(found, "articles_never_offered") == (1, 2, 0)
    assert count(found, "first_contact_resolution") == (1, 2, 0)
    assert count(found, "escalated_from_tier_1") == (1, 1, 1)
    assert points(found, "funnel", "stage") == {
        "received": (4, 4),
        "suggested": (3, 4),
        "routed": (2, 3),
        "written_back": (0, 0),
        "closed": (2, 2),
        "right": (1, 2),
    }
    assert points(found, "dropped_suggested", "reason") == {"joint_unsure": (1, 1)}
    assert points(found, "without_article", "category") == {"vpn": (1, 3)}


def test_period_counts_what_was_suggested_and_what_ended_since(
    store: Store, keys: list[str]
) -> None:
    suggest(store, 1, at=-48)
    suggest(store, 2)
    end(store, 1, keys[0], at=1, resolved_at=hours(-30))
    end(store, 2, keys[0], at=2)

    found = read_insights(store, DESK, Wanted(hours(-24)))

    assert found.n_suggestions == 1
    assert found.desk.n_tickets == 1


def test_incidents_and_what_comes_back_are_told(store: Store) -> None:
    burst = {"id": "b1", "tickets": ["T-1", "T-8"], "since": "2026-03-02T08:00:00Z"}
    suggest(store, 1, incident=burst | {"terms": ["mail"], "usual": 0.1})
    suggest(store, 2)
    store.past.save(
        [
            PastTicket(
                ticket_id=f"P{number}",
                created_at=MONDAY - timedelta(weeks=number),
                subject="label printer in dispatch prints blank",
                description="",
                resolution="",
                tier="1",
                category="printing",
                signature=sign_ticket(Ticket("label printer in dispatch prints blank")),
            )
            for number in range(6)
        ]
    )

    found = read_insights(store, DESK, Wanted())

    assert points(found, "incidents", "incident") == {"b1": (2, 2)}
    assert points(found, "recurring", "trouble") == {"P0": (6, 6)}
    assert found.searches["P0"].words in ("label", "printer", "dispatch", "prints", "blank")


def test_empty_store_has_no_figures(store: Store) -> None:
    found = read_insights(store, DESK, Wanted())

    assert (found.n_suggestions, found.desk.n_tickets) == (0, 0)
    assert {one.value for one in found.figures if one.unit != "count"} == {None}
