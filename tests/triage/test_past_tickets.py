from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from triage.signature import read_signature, sign_ticket
from triage.store import PastTicket, Store, StoredSuggestion
from triage.store.past_index import MAX_RESOLUTION, PastIndex
from triage.ticket import Ticket

MOMENT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def past(ticket_id: str, subject: str = "Printer jams", **changes: object) -> PastTicket:
    ticket = PastTicket(
        ticket_id=ticket_id,
        created_at=MOMENT,
        subject=subject,
        description="on the third floor, again",
        resolution="Rollers cleaned.",
        tier="1",
        category="printing",
        signature=sign_ticket(Ticket(subject, "on the third floor, again")),
    )
    return replace(ticket, **changes)


def answered(suggestion_id: str, ticket_id: str | None, minutes: float = 0) -> StoredSuggestion:
    return StoredSuggestion(
        id=suggestion_id,
        created_at=MOMENT + timedelta(minutes=minutes),
        model_version="v",
        decision="suggest",
        confidence=0.5,
        subject="Printer jams",
        description="",
        answer="{}",
        ticket_id=ticket_id,
    )


def loaded(store: Store) -> PastIndex:
    index = PastIndex(store.past)
    while index.read_on():
        pass
    return index


def similar(index: PastIndex, subject: str, ticket_id: str | None = None) -> list[str]:
    [found] = index.similar([Ticket(subject, id=ticket_id)])
    return [ticket.ticket_id for ticket in found]


def test_saved_ticket_comes_back_as_it_was(store: Store) -> None:
    tickets = [past("A"), past("B", created_at=None, tier=None, category=None, resolution="")]

    replaced = store.past.save(tickets)

    numbers = [ticket.number for ticket in store.past.signed_after(0, 10)]
    assert replaced == 0
    assert list(store.past.get(numbers).values()) == tickets
    assert store.past.get([max(numbers) + 1]) == {}


def test_ticket_saved_again_stands_in_place_of_the_old_one(store: Store) -> None:
    store.past.save([past("A"), past("B")])

    replaced = store.past.save([past("A", resolution="New rollers."), past("C")])

    assert replaced == 1
    assert store.past.count() == 3
    assert {ticket.resolution for ticket in store.past.newest(9) if ticket.ticket_id == "A"} == {
        "New rollers."
    }


def test_id_that_is_given_twice_is_refused_and_nothing_is_saved(store: Store) -> None:
    with pytest.raises(ValueError, match="twice"):
        store.past.save([past("A"), past("A")])

    assert store.past.count() == 0


def test_number_is_never_given_again(store: Store) -> None:
    store.past.save([past("A"), past("B")])
    seen = store.past.signed_after(0, 10)[-1].number

    assert store.past.erase("B")
    store.past.save([past("C")])

    assert [ticket.number > seen for ticket in store.past.signed_after(seen, 10)] == [True]


def test_erased_ticket_is_gone_and_cannot_be_erased_twice(store: Store) -> None:
    store.past.save([past("A")])

    assert store.past.erase("A")
    assert not store.past.erase("A")
    assert store.past.count() == 0


def test_newest_tickets_are_listed_the_oldest_first(store: Store) -> None:
    days = {"A": 3, "B": 1, "C": 2}
    store.past.save([past(one, created_at=MOMENT + timedelta(days=n)) for one, n in days.items()])

    assert [ticket.ticket_id for ticket in store.past.newest(2)] == ["C", "A"]


def test_answered_tickets_are_told_once_and_only_those_with_an_id(store: Store) -> None:
    store.save_suggestions(
        [
            answered("s1", "A"),
            answered("s3", "B", 9),
            answered("s2", None, 5),
            answered("s4", "A", 8),
        ]
    )

    everything = store.past.answered_since(MOMENT)
    later = store.past.answered_since(MOMENT + timedelta(minutes=1), known={"s4"})

    assert [(one.suggestion_id, one.ticket_id) for one in everything] == [
        ("s1", "A"),
        ("s4", "A"),
        ("s3", "B"),
    ]
    assert [one.suggestion_id for one in later] == ["s3"]
    assert store.past.still_answered(["A", "Z"]) == {"A"}


def test_tickets_that_have_ended_are_told(store: Store) -> None:
    store.past.save([past("A"), past("B")])

    assert store.past.ended(["A", "Z"]) == {"A"}


def test_index_tells_how_tickets_that_say_the_same_ended(store: Store) -> None:
    store.past.save([past("A"), past("B", "Mailbox full", description="cannot send")])

    [found] = loaded(store).similar([Ticket("printer jams")])

    assert [ticket.ticket_id for ticket in found] == ["A"]
    assert (found[0].tier, found[0].category, found[0].resolution) == (
        "1",
        "printing",
        "Rollers cleaned.",
    )
    assert found[0].similarity > 0.35 and not found[0].is_open


def test_ticket_does_not_find_itself(store: Store) -> None:
    store.past.save([past("A"), past("B")])

    assert similar(loaded(store), "Printer jams", "A") == ["B"]


def test_index_follows_what_is_saved_later(store: Store) -> None:
    store.past.save([past("A")])
    index = loaded(store)

    store.past.save(
        [past("B"), past("A", "Mailbox full", signature=sign_ticket(Ticket("Mailbox")))]
    )

    assert index.read_on() == 2
    assert index.read_on() == 0
    assert similar(index, "Printer jams") == ["B"]
    assert similar(index, "Mailbox") == ["A"]


def test_erased_ticket_is_shown_no_more_and_forgotten(store: Store) -> None:
    store.past.save([past("A"), past("B")])
    index = loaded(store)

    store.past.erase("B")

    assert similar(index, "Printer jams") == ["A"]
    assert index.read_on() == 0
    assert index.look(sign_ticket(Ticket("Printer jams")))[0].tolist() == [1]
    assert len(index) == len(index.moments) == 1


def test_answer_does_not_wait_for_an_index_that_is_busy(store: Store) -> None:
    store.past.save([past("A"), past("B")])
    index = loaded(store)
    store.past.erase("B")

    with ThreadPoolExecutor(1) as pool, index.index._changing:
        asked = pool.submit(similar, index, "Printer jams")
        done, _ = wait([asked], timeout=10)

    assert done and asked.result() == ["A"]


def test_tickets_that_are_saved_again_count_once(store: Store) -> None:
    tickets = [past(f"P{n}") for n in range(30)]
    tickets += [past(f"M{n}", "Mailbox full", category="email") for n in range(10)]
    index = PastIndex(store.past)

    for _ in range(4):
        store.past.save(tickets)
        index.read_on()

    stems = read_signature(sign_ticket(Ticket("mailbox")))["stem"]
    assert len(index) == len(index.moments) == len(index.index) == 40
    assert index.index.count(stems).tolist() == [10]
    assert index.topic_shares()["email"] == pytest.approx(0.25, abs=0.05)
    assert index.topic(index.look(sign_ticket(Ticket("my mailbox")))) == "email"


def test_long_resolution_is_cut(store: Store) -> None:
    store.past.save([past("A", resolution="Rollers cleaned. " * 200)])

    [found] = loaded(store).similar([Ticket("Printer jams")])

    assert len(found[0].resolution) <= MAX_RESOLUTION
    assert found[0].resolution.endswith("…")


def test_topic_is_that_of_the_tickets_most_like_it(store: Store) -> None:
    store.past.save(
        [past(f"P{n}") for n in range(30)]
        + [past(f"M{n}", "Mailbox full", category="email") for n in range(10)]
    )
    index = loaded(store)

    shares = index.topic_shares()

    assert index.topic(index.look(sign_ticket(Ticket("my printer")))) == "printing"
    assert index.topic(index.look(sign_ticket(Ticket("holiday request")))) is None
    assert shares["printing"] == pytest.approx(0.75, abs=0.05)


def test_moments_are_those_of_tickets_that_tell(store: Store) -> None:
    store.past.save([past("A"), past("B", created_at=None)])

    assert loaded(store).moments.tolist() == [datetime(2026, 11, 2, 9)]
