"""Erasure and retention: a ticket's words leave the database, its files, and what comes next."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from triage.store import (
    Erased,
    Feedback,
    LabelDoubt,
    Outcome,
    PastTicket,
    ReviewFilter,
    Store,
    StoredSuggestion,
    database,
    erasure,
    open_store,
)
from triage.store.database import Database
from triage.store.tables import Base

NOW = datetime.now(UTC)
CANARY = "zyxcanary"
TEXTS = ("suggestions", "reviews", "feedback", "outcomes", "past_tickets", "label_doubts")


def suggestion(suggestion_id: str, ticket_id: str | None, **changes: Any) -> StoredSuggestion:
    words = changes.pop("words", "account locked")
    quoted = [
        {"ticket_id": one, "subject": f"{CANARY} of {one}", "resolution": f"told {CANARY}"}
        for one in changes.pop("quoting", ())
    ]
    record = StoredSuggestion(
        id=suggestion_id,
        created_at=NOW,
        model_version="v",
        decision="suggest",
        confidence=0.5,
        subject=words,
        description=f"{words} since this morning",
        answer=json.dumps({"suggestion_id": suggestion_id, "similar": quoted, "note": words}),
        ticket_id=ticket_id,
    )
    return replace(record, **changes)


def said(suggestion_id: str, by: str, ticket_id: str | None = None, **changes: Any) -> Feedback:
    feedback = Feedback(
        created_at=NOW,
        suggestion_id=suggestion_id,
        ticket_id=ticket_id,
        model_version="v",
        api_key_id=by,
        verdict="accepted",
        tier="1",
        category="access",
        shown_tier="1",
        shown_category="access",
        confidence=0.5,
        decision="suggest",
        comment=CANARY,
    )
    return replace(feedback, **changes)


def past(ticket_id: str, words: str = CANARY, at: datetime | None = NOW) -> PastTicket:
    return PastTicket(ticket_id, at, words, words, words, "1", "access", b"\x00")


def doubt(ticket_id: str) -> LabelDoubt:
    return LabelDoubt(ticket_id, "tier", CANARY, CANARY, given="1", likely="2", doubt=0.9)


def fill(store: Store, *tickets: str) -> str:
    """Store everything there can be about some tickets; return the key it came by."""
    key = store.create_key("desk", ["admin"])[0].id
    for ticket in tickets:
        store.save_suggestions(
            [suggestion(f"{ticket}-{n}", ticket, words=f"{CANARY} {n}") for n in range(2)]
        )
        store.reviews.decide(said(f"{ticket}-1", key, ticket), revision=0)
        # What was said before the ticket had a name.
        store.reviews.take(said(f"{ticket}-0", key, None))
        store.outcomes.add(Outcome(NOW, ticket, key, tier="1", resolution=CANARY), past(ticket))
        store.label_doubts.save([doubt(ticket)])
    return key


def rows(url: str) -> dict[str, int]:
    opened = Database(url)
    with opened.reading() as session:
        counts = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
    opened.close()
    return counts


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("triage.db*"))


def test_erased_ticket_is_in_no_table_any_more(database_url: str, store: Store) -> None:
    fill(store, "INC-7", "INC-8")

    erased = store.erasures.erase("INC-7", NOW)

    assert erased == Erased(suggestions=2, feedback=2, outcomes=1, past_tickets=1, label_doubts=1)
    assert erased.total == 7
    left = rows(database_url)
    assert {name: left[name] for name in TEXTS} == {
        "suggestions": 2,
        "reviews": 2,
        "feedback": 2,
        "outcomes": 1,
        "past_tickets": 1,
        "label_doubts": 1,
    }
    assert [kept.ticket_id for kept in store.outcomes.since()] == ["INC-8"]
    assert store.reviews.get("INC-8-1") is not None


def test_erasing_again_finds_nothing_and_is_no_error(database_url: str, store: Store) -> None:
    fill(store, "INC-7")
    store.erasures.erase("INC-7", NOW)

    assert store.erasures.erase("INC-7", NOW) == Erased()
    assert rows(database_url)["erasures"] == 1


@pytest.mark.parametrize("ticket_id", ["never seen", "INC/7 #%_", "Zoë\u2028", "x" * 200])
def test_ticket_that_is_not_here_is_noted_too(store: Store, ticket_id: str) -> None:
    assert store.erasures.erase(ticket_id, NOW).total == 0

    assert store.erasures.among([ticket_id, "INC-7"]) == {ticket_id}


def test_erased_tickets_are_told_among_many(store: Store) -> None:
    assert store.erasures.among(["INC-7"]) == set()
    erased = {f"INC-{number}" for number in range(0, 1_200, 300)}
    for ticket_id in erased:
        store.erasures.erase(ticket_id, NOW)

    assert store.erasures.among(f"INC-{number}" for number in range(1_300)) == erased
    assert store.erasures.among([]) == set()


def test_id_of_an_erased_ticket_is_not_kept(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    fill(store, "SECRET-77")
    assert b"SECRET-77" in written(tmp_path)

    store.erasures.erase("SECRET-77", NOW)

    assert b"SECRET-77" not in written(tmp_path)
    assert b"desk" in written(tmp_path)
    store.close()


def test_words_of_an_erased_ticket_are_in_no_file(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    fill(store, "INC-7")
    store.save_suggestions([suggestion("other", "INC-9", quoting=["INC-7"])])
    assert CANARY.encode() in written(tmp_path)

    erased = store.erasures.erase("INC-7", NOW)

    assert (erased.quotes, erased.log_cleared) == (1, True)
    assert CANARY.encode() not in written(tmp_path)
    store.close()


@pytest.mark.parametrize("seed", range(3))
def test_words_are_gone_however_rows_were_moved_in_the_file(
    sqlite_url: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    store = open_store(sqlite_url)
    tickets = list(range(300))
    for number in tickets:
        words = f"{CANARY}{number:04} " * chance.choice([1, 3, 30, 300, 900])
        # Random ids split pages in the middle.
        name = f"{chance.getrandbits(64):016x}"
        store.save_suggestions([suggestion(name, f"INC-{number}", words=words)])
        if number % 20 == 19:
            store.erasures.erase(f"INC-{chance.choice(tickets[: number + 1])}", NOW)

    gone = chance.sample(tickets, 60)
    for number in gone:
        store.erasures.erase(f"INC-{number}", NOW)

    left = written(tmp_path)
    assert [number for number in gone if f"{CANARY}{number:04}".encode() in left] == []
    assert left.count(CANARY.encode()) > 200
    store.close()


@contextmanager
def reader(folder: Path) -> Iterator[sqlite3.Connection]:
    """Hold an old state of the database open, as a long look into it does."""
    connection = sqlite3.connect(folder / "triage.db", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM suggestions").fetchone()
    yield connection
    connection.close()


def test_log_that_cannot_be_cleared_is_told_and_cleared_later(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_SCRUB_TRIES", 3)
    monkeypatch.setattr(database, "_SCRUB_WAIT_S", 0.01)
    store = open_store(sqlite_url)
    fill(store, "INC-7")

    with reader(tmp_path):
        erased = store.erasures.erase("INC-7", NOW)
        still_there = CANARY.encode() in written(tmp_path)

    assert (erased.suggestions, erased.log_cleared, still_there) == (2, False, True)
    again = store.erasures.erase("INC-7", NOW)
    assert (again.total, again.log_cleared) == (0, True)
    assert CANARY.encode() not in written(tmp_path)
    store.close()


def test_log_is_cleared_when_its_reader_ends_soon(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(sqlite_url)
    fill(store, "INC-7")

    with reader(tmp_path) as connection:
        # The reader goes at the first wait.
        monkeypatch.setattr(database.time, "sleep", lambda _seconds: connection.close())
        erased = store.erasures.erase("INC-7", NOW)

    assert erased.log_cleared
    assert CANARY.encode() not in written(tmp_path)
    store.close()


def test_clearing_the_log_leaves_the_patience_of_writers_as_it_was(sqlite_url: str) -> None:
    opened = Database(sqlite_url, busy_timeout_s=1.5)

    cleared = opened.scrub()

    with opened.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1500
    opened.close()
    assert cleared


def test_answers_to_other_tickets_tell_of_it_no_more(store: Store) -> None:
    plain = suggestion("plain", "INC-1", quoting=["INC-2"])
    store.save_suggestions([plain, suggestion("both", "INC-2", quoting=["INC-7", "INC-1"])])
    fill(store, "INC-7")

    erased = store.erasures.erase("INC-7", NOW)

    both = store.get_suggestion("both")
    assert both is not None
    assert [one["ticket_id"] for one in json.loads(both.answer)["similar"]] == ["INC-1"]
    assert "INC-7" not in both.answer
    assert erased.quotes == 1
    assert store.get_suggestion("plain") == plain


def test_suggestion_made_before_the_erasure_is_not_stored_after_it(store: Store) -> None:
    late = suggestion("late", "INC-7", created_at=NOW - timedelta(seconds=1))
    others = [suggestion("other", "INC-8"), suggestion("nameless", None)]
    store.erasures.erase("INC-7", NOW)

    standing = store.save_suggestions([late, *others])

    assert standing == [late, *others]
    assert store.get_suggestion("late") is None
    assert store.get_suggestion("other") is not None
    assert store.get_suggestion("nameless") is not None
    assert store.reviews.count(ReviewFilter()) == 2


def test_ticket_that_is_sent_again_after_its_erasure_is_a_new_one(store: Store) -> None:
    store.erasures.erase("INC-7", NOW)

    store.save_suggestions([suggestion("new", "INC-7", created_at=NOW + timedelta(seconds=1))])

    assert store.get_suggestion("new") is not None
    assert store.erasures.erase("INC-7", NOW).suggestions == 1


def test_answer_that_tells_of_an_erased_ticket_is_stored_without_that(store: Store) -> None:
    store.erasures.erase("INC-7", NOW)

    store.save_suggestions([suggestion("late", "INC-1", quoting=["INC-7", "INC-2"])])

    kept = store.get_suggestion("late")
    assert kept is not None
    assert [one["ticket_id"] for one in json.loads(kept.answer)["similar"]] == ["INC-2"]


def test_erased_ticket_is_not_imported_again(store: Store) -> None:
    store.erasures.erase("INC-7", NOW)

    replaced = store.past.save([past("INC-7"), past("INC-8")])
    again = store.past.save([past("INC-7")])

    assert (replaced, again) == (0, 0)
    assert [ticket.ticket_id for ticket in store.past.newest(9)] == ["INC-8"]


def test_old_texts_are_forgotten_and_what_was_decided_stays(
    database_url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_GROUP", 2)
    monkeypatch.setattr(erasure, "_PAUSE_S", 0)
    old = NOW - timedelta(days=90)
    key = fill(store, "INC-7")
    store.save_suggestions([suggestion(f"old-{n}", f"OLD-{n}", created_at=old) for n in range(5)])
    store.reviews.decide(said("old-0", key, "OLD-0", created_at=old), revision=0)
    store.outcomes.add(Outcome(old, "OLD-0", key, tier="2", resolution=CANARY))
    store.past.save([past("OLD-0", at=old), past("UNDATED", at=None)])

    forgotten = store.erasures.forget_before(NOW - timedelta(days=30))

    assert forgotten == Erased(suggestions=5, feedback=1, outcomes=1, past_tickets=1)
    left = rows(database_url)
    assert (left["suggestions"], left["reviews"], left["past_tickets"]) == (2, 2, 2)
    assert (left["feedback"], left["outcomes"]) == (3, 2)
    assert [(one.ticket_id, one.comment) for one in store.feedback.since()][-1] == ("OLD-0", "")
    kept = store.outcomes.of("OLD-0")
    assert kept is not None and (kept.tier, kept.resolution) == ("2", "")
    assert store.erasures.forget_before(NOW - timedelta(days=30)) == Erased()
    assert store.erasures.among(["OLD-0"]) == set()


def test_doubts_are_forgotten_by_when_they_were_noted(store: Store) -> None:
    store.label_doubts.save([doubt("INC-7")])

    assert store.erasures.forget_before(NOW - timedelta(hours=1)).label_doubts == 0
    assert store.erasures.forget_before(NOW + timedelta(hours=1)).label_doubts == 1


def test_forgotten_words_are_in_no_file(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    fill(store, "INC-7")

    forgotten = store.erasures.forget_before(NOW + timedelta(days=1))

    assert forgotten.log_cleared
    assert CANARY.encode() not in written(tmp_path)
    assert b"INC-7" in written(tmp_path)
    store.close()
