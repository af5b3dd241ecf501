"""Feedback in the store: all of it, each word once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from triage.store import Feedback, Store, feedback, open_store

MOMENT = datetime(2026, 11, 24, 9, 30, 1, 234567, tzinfo=UTC)

Say = Callable[..., Feedback]


@pytest.fixture
def analyst(store: Store) -> str:
    return store.create_key("analyst", ["review"])[0].id


@pytest.fixture
def say(store: Store, analyst: str) -> Say:
    """Store feedback on "s1", with some of it changed."""

    def take(**changes: object) -> Feedback:
        return store.reviews.take(replace(_word(analyst), **changes))

    return take


def _word(by: str) -> Feedback:
    return Feedback(
        created_at=MOMENT,
        suggestion_id="s1",
        ticket_id="INC-7",
        model_version="20261124-060102-1a2b3c4d",
        api_key_id=by,
        verdict="corrected",
        tier="2",
        category="access",
        shown_tier="1",
        shown_category=None,
        confidence=0.8125,
        decision="suggest",
        is_blind=True,
        article_id="KB0001",
        helpful=False,
        steps_done=("Unlock the account.", "Zoë \u2028"),
        comment="was locked by <user>",
    )


def test_feedback_comes_back_as_it_was_given(store: Store, say: Say, analyst: str) -> None:
    given = say()

    assert replace(given, number=None) == _word(analyst)
    assert list(store.feedback.since()) == store.feedback.about("s1") == [given]
    assert store.feedback.about("s2") == []
    assert store.feedback.judged(["s1", "s2"]) == {"s1"}


def test_feedback_is_read_on_from_where_one_was(store: Store, say: Say) -> None:
    given = [say(suggestion_id=f"s{number}") for number in range(5)]

    assert [one.number for one in given] == sorted({one.number for one in given if one.number})
    assert list(store.feedback.since(given[2].number or 0)) == given[3:]
    assert list(store.feedback.since(given[-1].number or 0)) == []


def test_pages_of_feedback_make_one_whole(
    store: Store, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [say(suggestion_id=f"s{number}") for number in range(6)]

    monkeypatch.setattr(feedback, "_PAGE", 2)
    in_pages = list(store.feedback.since())

    assert in_pages == given


def test_first_feedback_to_an_idempotency_key_stands(store: Store, say: Say, analyst: str) -> None:
    colleague = store.create_key("colleague", ["review"])[0].id
    first = say(idempotency_key="k1", body_hash="a" * 64)

    again = say(idempotency_key="k1", body_hash="b" * 64, comment="other")
    theirs = say(idempotency_key="k1", api_key_id=colleague)
    without = [say(), say()]

    assert again == first
    assert list(store.feedback.since()) == [first, theirs, *without]
    assert store.feedback.find_by_idempotency_key(analyst, "k1") == first
    assert store.feedback.find_by_idempotency_key(analyst, "k2") is None


def test_threads_that_send_the_same_key_agree(store: Store, say: Say) -> None:
    with ThreadPoolExecutor(8) as pool:
        standing = list(
            pool.map(lambda n: say(idempotency_key=f"k{n % 4}", comment=f"{n}"), range(32))
        )

    kept = list(store.feedback.since())
    assert len(kept) == 4
    assert set(standing) == set(kept)


def test_stores_that_send_the_same_key_agree(database_url: str, store: Store, analyst: str) -> None:
    stores = [open_store(database_url) for _ in range(3)]

    def take(number: int) -> Feedback:
        word = replace(_word(analyst), idempotency_key=f"k{number % 5}", comment=f"{number}")
        return stores[number % 3].reviews.take(word)

    with ThreadPoolExecutor(6) as pool:
        standing = list(pool.map(take, range(30)))
    for one in stores:
        one.close()

    assert set(standing) == set(store.feedback.since())
    assert len(set(standing)) == 5


def test_reader_who_follows_the_numbers_misses_nothing(
    database_url: str, store: Store, analyst: str
) -> None:
    stores = [open_store(database_url) for _ in range(3)]
    seen: list[int] = []

    with ThreadPoolExecutor(3) as pool:
        writing = [
            pool.submit(stores[n % 3].reviews.take, replace(_word(analyst), comment=f"{n}"))
            for n in range(60)
        ]
        while not all(one.done() for one in writing):
            seen += [one.number or 0 for one in store.feedback.since(max(seen, default=0))]
    seen += [one.number or 0 for one in store.feedback.since(max(seen, default=0))]
    for one in stores:
        one.close()

    assert seen == [one.number for one in store.feedback.since()]
    assert len(seen) == 60


def test_what_cannot_be_stored_is_told_and_spoils_nothing_else(
    store: Store, say: Say, analyst: str
) -> None:
    def take(number: int) -> Feedback | Exception:
        try:
            return say(api_key_id="nosuchkey" if number % 3 == 0 else analyst, comment=f"{number}")
        except IntegrityError as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(take, range(12)))

    assert [isinstance(one, IntegrityError) for one in answers] == [
        number % 3 == 0 for number in range(12)
    ]
    assert len(list(store.feedback.since())) == 8


def test_feedback_taken_back_stays_in_the_log(store: Store, analyst: str) -> None:
    from triage.store import StoredSuggestion

    store.save_suggestions(
        [StoredSuggestion("s1", MOMENT, "v", "suggest", 0.5, "Account locked", "", "{}")]
    )
    given = store.reviews.decide(_word(analyst), revision=0)
    later = MOMENT + timedelta(minutes=1)

    store.reviews.undo(given.number or 0, api_key_id=analyst, at=later)

    assert list(store.feedback.since()) == [replace(given, undone_at=later)]
    assert store.feedback.about("s1") == []
    assert store.feedback.judged(["s1"]) == {"s1"}
