"""POST /v1/feedback and /v1/outcomes: kept once, checked, redacted."""

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from api.examples import FEEDBACK, OUTCOME
from api.schemas import FeedbackIn, OutcomeIn
from triage.store import ReviewFilter, Store

PROBLEM = "application/problem+json"


def suggest(client: TestClient, subject: str = "Account locked", **ticket: Any) -> dict[str, Any]:
    # With a key it is stored before the answer.
    headers = {"Idempotency-Key": uuid4().hex}
    answer = client.post("/v1/triage", json={"subject": subject, **ticket}, headers=headers)
    answer.raise_for_status()
    suggestion: dict[str, Any] = answer.json()
    return suggestion


def judge(client: TestClient, suggestion: dict[str, Any], **said: Any) -> Any:
    headers = {"Idempotency-Key": said.pop("key")} if "key" in said else {}
    body = {"suggestion_id": suggestion["suggestion_id"], **said}
    return client.post("/v1/feedback", json=body, headers=headers)


def tell(client: TestClient, key: str | None = None, **outcome: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"ticket_id": "INC-7", "tier": "1", **outcome}
    return client.post("/v1/outcomes", json=body, headers=headers)


def faults(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    return [(fault["pointer"], fault["problem"]) for fault in answer.json()["errors"]]


def test_accepting_takes_over_what_was_suggested(client: TestClient, store: Store) -> None:
    suggestion = suggest(client, id="INC-7")

    answer = judge(client, suggestion, verdict="accepted")

    assert answer.status_code == 201
    assert answer.json() == {
        "feedback_id": 1,
        "suggestion_id": suggestion["suggestion_id"],
        "ticket_id": "INC-7",
        "verdict": "accepted",
        "tier": "1",
        "category": None,
    }
    [kept] = store.feedback.since()
    assert (kept.shown_tier, kept.decision, kept.is_blind) == ("1", "suggest", False)
    assert kept.model_version == suggestion["model_version"]


def test_correction_keeps_both_what_was_said_and_what_was_suggested(
    client: TestClient, store: Store
) -> None:
    answer = judge(client, suggest(client), verdict="corrected", tier="2", category="access")

    assert (answer.json()["tier"], answer.json()["category"]) == ("2", "access")
    [kept] = store.feedback.since()
    assert (kept.tier, kept.shown_tier) == ("2", "1")
    assert (kept.category, kept.shown_category) == ("access", None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, [("/verdict", "missing")]),
        ({"verdict": "accepted", "tier": "2"}, [("/tier", "not_as_suggested")]),
        ({"verdict": "corrected"}, [("/verdict", "nothing_corrected")]),
        ({"verdict": "corrected", "tier": "1"}, [("/verdict", "nothing_corrected")]),
        ({"verdict": "corrected", "tier": "9"}, [("/tier", "unknown")]),
        ({"verdict": "corrected", "category": "acess"}, [("/category", "unknown")]),
        ({"article_id": "KB0001"}, [("/helpful", "missing")]),
        ({"helpful": True}, [("/article_id", "missing"), ("/verdict", "missing")]),
        ({"verdict": "perhaps"}, [("/verdict", "invalid")]),
        ({"verdict": "accepted", "helpful": "yes"}, [("/helpful", "invalid")]),
        ({"verdict": "accepted", "note": "x"}, [("", "unknown_field")]),
        ({"verdict": "accepted", "comment": "x" * 2001}, [("/comment", "too_long")]),
    ],
)
def test_feedback_that_does_not_fit_is_refused_and_not_kept(
    client: TestClient, store: Store, said: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    answer = judge(client, suggest(client), **said)

    assert faults(answer) == expected
    assert list(store.feedback.since()) == []


def test_nothing_that_was_suggested_cannot_be_accepted(client: TestClient) -> None:
    answer = judge(client, suggest(client, "Something odd"), verdict="accepted")

    assert faults(answer) == [("/verdict", "nothing_suggested")]


def test_article_may_be_judged_alone_and_decides_nothing(client: TestClient, store: Store) -> None:
    suggestion = suggest(client)

    answer = judge(client, suggestion, article_id="KB0001", helpful=False)

    assert answer.status_code == 201
    [kept] = store.feedback.since()
    assert (kept.article_id, kept.helpful, kept.verdict) == ("KB0001", False, None)
    review = store.reviews.get(suggestion["suggestion_id"])
    assert review is not None and review.state == "open"


def test_feedback_may_come_as_soon_as_the_suggestion_is_there(
    client: TestClient, store: Store
) -> None:
    suggestion = client.post("/v1/triage", json={"subject": "Account locked"}).json()

    answer = judge(client, suggestion, verdict="accepted")

    assert answer.status_code == 201
    review = store.reviews.get(suggestion["suggestion_id"])
    assert review is not None and review.state == "decided"


def test_feedback_on_what_nobody_suggested_is_not_found(client: TestClient) -> None:
    answer = judge(client, {"suggestion_id": "nosuch"}, verdict="accepted")

    assert answer.status_code == 404


def test_same_key_and_content_is_kept_once_and_another_content_refused(
    client: TestClient, store: Store
) -> None:
    suggestion = suggest(client)

    first = judge(client, suggestion, verdict="accepted", key="k1")
    again = judge(client, suggestion, verdict="accepted", key="k1")
    other = judge(client, suggestion, verdict="rejected", key="k1")

    assert first.json() == again.json()
    assert other.json()["type"] == "urn:ticket-triage:idempotency-conflict"
    assert [kept.verdict for kept in store.feedback.since()] == ["accepted"]


def test_many_senders_of_one_key_leave_one_row(client: TestClient, store: Store) -> None:
    suggestion = suggest(client)

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: judge(client, suggestion, verdict="accepted", key="k"), range(24))
        )

    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["feedback_id"] for answer in answers} == {1}
    assert len(list(store.feedback.since())) == 1


def test_feedback_settles_the_review(client: TestClient, store: Store) -> None:
    suggestion = suggest(client)

    judge(client, suggestion, verdict="accepted")

    review = store.reviews.get(suggestion["suggestion_id"])
    assert review is not None and review.state == "decided"
    assert review.decided_by_name == "admin"


def test_two_people_who_disagree_bring_the_ticket_to_the_top(
    client: TestClient, store: Store
) -> None:
    suggestion = suggest(client)
    suggest(client, "Nobody knows what this is")
    _, secret = store.create_key("second", ["review"])
    judge(client, suggestion, verdict="accepted")

    client.headers["X-API-Key"] = secret
    judge(client, suggestion, verdict="corrected", tier="3")

    first = store.reviews.queue(ReviewFilter())[0]
    assert first.suggestion_id == suggestion["suggestion_id"]
    assert "conflict" in first.reasons


def test_person_may_change_their_own_mind(client: TestClient, store: Store) -> None:
    suggestion = suggest(client)
    judge(client, suggestion, verdict="accepted")

    judge(client, suggestion, verdict="corrected", tier="3")

    review = store.reviews.get(suggestion["suggestion_id"])
    assert review is not None and review.state == "decided"


def test_comment_is_redacted(client: TestClient, store: Store) -> None:
    judge(client, suggest(client), verdict="rejected", comment="Ask jane.doe@example.com")

    [kept] = store.feedback.since()
    assert "jane" not in kept.comment and kept.comment.startswith("Ask")


def test_outcome_is_kept_redacted_and_the_last_one_stands(client: TestClient, store: Store) -> None:
    tell(client, tier="2", resolution="Mailed jane.doe@example.com the new profile")
    answer = tell(client, tier="3", reopened=True, csat=4.5, article_ids=["KB1", "KB1"])

    assert answer.status_code == 201
    assert answer.json() == {"outcome_id": 2, "ticket_id": "INC-7"}
    before, after = store.outcomes.since()
    assert "jane" not in before.resolution
    assert (after.tier, after.reopened, after.csat, after.article_ids) == ("3", 1, 4.5, ("KB1",))
    assert store.outcomes.of("INC-7") == after


def test_outcome_sent_again_with_its_key_is_kept_once(client: TestClient, store: Store) -> None:
    first = tell(client, key="k", reassignments=2)
    again = tell(client, key="k", reassignments=2)
    other = tell(client, key="k", reassignments=3)

    assert first.json() == again.json()
    assert other.json()["type"] == "urn:ticket-triage:idempotency-conflict"
    assert len(list(store.outcomes.since())) == 1


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"tier": "9"}, [("/tier", "unknown")]),
        ({"tier_path": ["1", "9"]}, [("/tier_path", "unknown")]),
        ({"asked_details": ["shoe size"]}, [("/asked_details", "unknown")]),
        ({"ticket_id": ""}, [("/ticket_id", "too_short")]),
        ({"reassignments": -1}, [("/reassignments", "invalid")]),
        ({"reassignments": True}, [("/reassignments", "invalid")]),
        ({"csat": 101}, [("/csat", "invalid")]),
        ({"resolution": "x" * 20_001}, [("/resolution", "too_long")]),
        ({"article_ids": ["a b"]}, [("/article_ids/0", "bad_characters")]),
    ],
)
def test_outcome_that_makes_no_sense_is_refused_and_not_kept(
    client: TestClient, store: Store, outcome: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    answer = tell(client, **outcome)

    assert faults(answer) == expected
    assert list(store.outcomes.since()) == []


def test_ticket_that_ended_leaves_the_queue_and_is_told_to_similar_ones(
    client: TestClient, store: Store
) -> None:
    suggest(client, id="INC-7", description="since the holidays")

    tell(client, resolution="Unlocked it by hand")

    assert store.reviews.queue(ReviewFilter()) == []
    [past] = store.past.newest(5)
    assert (past.ticket_id, past.tier, past.resolution) == ("INC-7", "1", "Unlocked it by hand")


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/outcomes"])
def test_key_without_the_scope_may_not_tell(client: TestClient, store: Store, path: str) -> None:
    _, secret = store.create_key("reader", ["predict"])

    answer = client.post(path, json={}, headers={"X-API-Key": secret})

    assert answer.status_code == 403


def test_feedback_that_cannot_be_written_is_not_acknowledged(
    make_client: Callable[..., TestClient], store: Store, settings: Any
) -> None:
    client = make_client()
    suggestion = suggest(client)
    other = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")

    refused = judge(client, suggestion, verdict="accepted", key="k")
    other.execute("ROLLBACK")
    other.close()
    accepted = judge(client, suggestion, verdict="accepted", key="k")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert accepted.status_code == 201
    assert len(list(store.feedback.since())) == 1


def test_examples_are_valid() -> None:
    assert FeedbackIn.model_validate(FEEDBACK).verdict == "corrected"
    assert OutcomeIn.model_validate(json.loads(json.dumps(OUTCOME))).tier == "1"
