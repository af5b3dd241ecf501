"""Outcomes in the store: how tickets ended, each told once, the last one standing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from triage.store import Outcome, PastTicket, Store, StoredSuggestion, open_store, outcomes

MOMENT = datetime(2026, 11, 24, 9, 30, 1, 234567, tzinfo=UTC)


@pytest.fixture
def desk(store: Store) -> str:
    """Id of the help desk's key."""
    return store.create_key("desk", ["feedback"])[0].id


def ended(by: str, **changes: Any) -> Outcome:
    outcome = Outcome(
        received_at=MOMENT,
        ticket_id="INC-7",
        api_key_id=by,
        tier="2",
        category="access",
        tier_path=("1", "2"),
        reassignments=1,
        reopened=0,
        first_contact=False,
        csat=4.5,
        article_ids=("KB0001",),
        asked_details=("device",),
        resolution="Account of <user> unlocked. Zoë",
        resolved_at=MOMENT - timedelta(hours=1),
    )
    return replace(outcome, **changes)


def answered(suggestion_id: str, decision: str, minutes: float = 0) -> StoredSuggestion:
    return StoredSuggestion(
        id=suggestion_id,
        created_at=MOMENT + timedelta(minutes=minutes),
        model_version="v",
        decision=decision,
        confidence=0.9,
        subject="Account locked",
        description="",
        answer="{}",
        ticket_id="INC-7",
    )


def past(ticket_id: str = "INC-7", subject: str = "Account locked") -> PastTicket:
    return PastTicket(ticket_id, MOMENT, subject, "", "Unlocked.", "2", "access", b"\x00\x01")


def test_outcome_comes_back_as_it_was_told(store: Store, desk: str) -> None:
    told = store.outcomes.add(ended(desk))

    assert replace(told, number=None) == ended(desk)
    assert list(store.outcomes.since()) == [told]
    assert store.outcomes.of("INC-7") == told
    assert store.outcomes.of("INC-8") is None


def test_what_is_not_known_stays_unknown(store: Store, desk: str) -> None:
    told = store.outcomes.add(Outcome(MOMENT, "INC-7", desk, "1"))

    assert store.outcomes.of("INC-7") == told
    assert (told.category, told.reopened, told.first_contact, told.csat) == (None,) * 4


def test_last_outcome_of_a_ticket_stands(store: Store, desk: str) -> None:
    first = store.outcomes.add(ended(desk, tier="1"))
    # Told later, whatever moment it says.
    last = store.outcomes.add(ended(desk, tier="3", received_at=MOMENT - timedelta(days=1)))

    assert store.outcomes.of("INC-7") == last
    assert list(store.outcomes.since()) == [first, last]
    assert list(store.outcomes.since(first.number or 0)) == [last]


def test_pages_of_outcomes_make_one_whole(
    store: Store, desk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [store.outcomes.add(ended(desk, ticket_id=f"INC-{number}")) for number in range(6)]

    monkeypatch.setattr(outcomes, "_PAGE", 2)
    in_pages = list(store.outcomes.since())

    assert in_pages == told


def test_first_outcome_to_an_idempotency_key_stands(store: Store, desk: str) -> None:
    other = store.create_key("other desk", ["feedback"])[0].id
    first = store.outcomes.add(ended(desk, idempotency_key="k1", body_hash="a" * 64))

    again = store.outcomes.add(ended(desk, idempotency_key="k1", tier="3"), past())
    theirs = store.outcomes.add(ended(other, idempotency_key="k1"))

    assert again == first
    assert list(store.outcomes.since()) == [first, theirs]
    assert store.outcomes.find_by_idempotency_key(desk, "k1") == first
    assert store.outcomes.find_by_idempotency_key(desk, "k2") is None
    assert store.past.count() == 0


def test_threads_and_stores_that_send_the_same_key_agree(
    database_url: str, store: Store, desk: str
) -> None:
    stores = [open_store(database_url) for _ in range(3)]

    def add(number: int) -> Outcome:
        outcome = ended(desk, idempotency_key=f"k{number % 5}", resolution=f"{number}")
        return stores[number % 3].outcomes.add(outcome, past(f"INC-{number % 2}"))

    with ThreadPoolExecutor(6) as pool:
        standing = list(pool.map(add, range(30)))
    for one in stores:
        one.close()

    assert set(standing) == set(store.outcomes.since())
    assert len(set(standing)) == 5
    assert store.past.count() == 2


@pytest.mark.parametrize(
    ("decisions", "shaped"),
    [(["route"], True), (["suggest"], False), (["route", "suggest"], False), ([], False)],
)
def test_outcome_tells_whether_we_had_routed_its_ticket(
    store: Store, desk: str, decisions: list[str], shaped: bool
) -> None:
    store.save_suggestions(
        [answered(f"s{n}", decision, minutes=n) for n, decision in enumerate(decisions)]
    )

    told = store.outcomes.add(ended(desk))

    assert told.shaped_by_routing is shaped
    assert store.outcomes.of("INC-7") == told


def test_ended_ticket_is_a_past_one_with_its_last_ending(store: Store, desk: str) -> None:
    store.past.save([past(subject="as imported")])

    store.outcomes.add(ended(desk), past())

    [kept] = store.past.newest(9)
    assert kept == past()


def test_erased_ticket_does_not_become_a_past_one(store: Store, desk: str) -> None:
    store.erasures.erase("INC-7", MOMENT)

    store.outcomes.add(ended(desk), past())

    assert store.past.count() == 0
    assert store.outcomes.of("INC-7") is not None
