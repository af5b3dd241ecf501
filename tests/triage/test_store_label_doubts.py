from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from triage.store import DoubtDecided, LabelDoubt, Store, open_store

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    yield opened
    opened.close()


@pytest.fixture
def ada(store: Store) -> str:
    return store.create_key("Ada", ["review"])[0].id


@pytest.fixture
def ben(store: Store) -> str:
    return store.create_key("Ben", ["review"])[0].id


def doubt(number: int, **changes: object) -> LabelDoubt:
    made = LabelDoubt(
        ticket_id=f"INC-{number}",
        target="category",
        subject="Printer jams",
        description="Paper is stuck again.",
        given="email",
        likely="printing",
        doubt=number / 100,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_surest_doubts_come_first_in_pages_that_follow_both_ways(store: Store) -> None:
    made = [doubt(number, doubt=number // 3 / 100) for number in range(25)]
    n_open = store.label_doubts.save(made)

    first = store.label_doubts.queue(limit=10)
    second = store.label_doubts.queue(after=first[-1], limit=10)
    third = store.label_doubts.queue(after=second[-1], limit=10)
    back = store.label_doubts.queue(before=third[0], limit=10)

    assert n_open == store.label_doubts.count() == 25
    shares = [one.doubt for one in (*first, *second, *third)]
    assert shares == sorted(shares, reverse=True)
    assert {one.id for one in (*first, *second, *third)} == {one.id for one in made}
    assert back == second


def test_decision_is_kept_with_who_and_when(store: Store, ada: str) -> None:
    one = doubt(1)
    store.label_doubts.save([one])

    decided = store.label_doubts.decide(one.id, "printing", revision=0, api_key_id=ada, at=NOON)

    assert decided == store.label_doubts.get(one.id)
    assert (decided.label, decided.decided_by, decided.decided_at) == ("printing", ada, NOON)
    assert (decided.decided_by_name, decided.state) == ("Ada", "decided")
    assert store.label_doubts.queue() == []
    assert list(store.label_doubts.decided()) == [decided]


def test_slower_person_is_told_and_changes_nothing(store: Store, ada: str, ben: str) -> None:
    one = doubt(1)
    store.label_doubts.save([one])
    first = store.label_doubts.decide(one.id, "printing", revision=0, api_key_id=ada, at=NOON)

    with pytest.raises(DoubtDecided) as told:
        store.label_doubts.decide(one.id, "email", revision=0, api_key_id=ben, at=NOON)

    assert told.value.doubt == first == store.label_doubts.get(one.id)


def test_doubt_that_is_gone_cannot_be_decided(store: Store, ada: str) -> None:
    with pytest.raises(DoubtDecided) as told:
        store.label_doubts.decide("ab", "email", revision=0, api_key_id=ada, at=NOON)

    assert told.value.doubt is None


def test_own_decision_is_taken_back_once(store: Store, ada: str, ben: str) -> None:
    one = doubt(1)
    store.label_doubts.save([one])
    store.label_doubts.decide(one.id, "email", revision=0, api_key_id=ada, at=NOON)

    with pytest.raises(DoubtDecided):
        store.label_doubts.undo(one.id, api_key_id=ben)
    reopened = store.label_doubts.undo(one.id, api_key_id=ada)

    assert (reopened.state, reopened.label, reopened.revision) == ("open", None, 2)
    assert store.label_doubts.latest_of(ada) is None
    with pytest.raises(DoubtDecided):
        store.label_doubts.undo(one.id, api_key_id=ada)


def test_last_decision_of_a_person_is_found(store: Store, ada: str, ben: str) -> None:
    made = [doubt(number) for number in (1, 2, 3)]
    store.label_doubts.save(made)
    for minute, (one, who) in enumerate(zip(made, (ada, ada, ben), strict=True)):
        at = NOON + timedelta(minutes=minute)
        store.label_doubts.decide(one.id, "email", revision=0, api_key_id=who, at=at)

    latest = store.label_doubts.latest_of(ada)

    assert latest is not None and latest.ticket_id == "INC-2"


def test_another_audit_leaves_decisions_alone(store: Store, ada: str) -> None:
    one = doubt(1)
    store.label_doubts.save([one])
    store.label_doubts.decide(one.id, "email", revision=0, api_key_id=ada, at=NOON)

    n_open = store.label_doubts.save([replace(one, likely="vpn", doubt=0.9)])

    stands = store.label_doubts.get(one.id)
    assert n_open == 0
    assert stands is not None and (stands.label, stands.likely) == ("email", "printing")


def test_label_that_the_history_has_changed_since_is_asked_about_anew(
    store: Store, ada: str
) -> None:
    one = doubt(1)
    store.label_doubts.save([one])
    store.label_doubts.decide(one.id, "email", revision=0, api_key_id=ada, at=NOON)

    n_open = store.label_doubts.save([replace(one, given="network")])

    stands = store.label_doubts.get(one.id)
    assert n_open == 1
    assert stands is not None
    assert (stands.state, stands.given, stands.label, stands.revision) == (
        "open",
        "network",
        None,
        2,
    )
    assert stands.decided_by is None


def test_what_a_person_saw_is_what_they_decide(store: Store, ada: str) -> None:
    one = doubt(1)
    store.label_doubts.save([one])
    store.label_doubts.save([replace(one, doubt=0.8)])
    unchanged = store.label_doubts.get(one.id)
    store.label_doubts.save([replace(one, likely="vpn")])

    with pytest.raises(DoubtDecided):
        store.label_doubts.decide(one.id, "printing", revision=0, api_key_id=ada, at=NOON)

    assert unchanged is not None and (unchanged.revision, unchanged.doubt) == (0, 0.8)


def test_erased_tickets_stay_away(store: Store) -> None:
    one, other = doubt(1), doubt(2)
    store.label_doubts.save([one, other])

    store.erasures.erase("INC-1", NOON)
    n_open = store.label_doubts.save([one, other])

    assert n_open == 1
    assert [found.ticket_id for found in store.label_doubts.queue()] == ["INC-2"]


def test_ticket_may_be_in_doubt_for_each_of_its_targets(store: Store) -> None:
    store.label_doubts.save([doubt(1), doubt(1, target="tier", given="1", likely="2")])

    assert store.label_doubts.count() == 2
