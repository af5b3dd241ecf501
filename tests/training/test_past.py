import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.demo import remember_sample
from training.past import MAX_NAME, add_history
from triage.errors import TriageError
from triage.store import Store, open_store
from triage.store.past_index import PastIndex
from triage.ticket import Ticket

COLUMNS = ("id", "created_at", "subject", "description", "tier", "category", "resolution")
MAPPING = "\n".join(["[columns]", *(f'{column} = "{column}"' for column in COLUMNS)])
ROWS = (
    ("A", "2026-10-01 09:00", "Printer jams", "third floor", "1", "printing", "Rollers cleaned."),
    (
        "B",
        "2026-10-02 09:00",
        "VPN drops",
        "mail anna@example.com",
        "2",
        "vpn",
        "Told +49 170 1234567.",
    ),
    ("", "2026-10-03 09:00", "Mailbox full", "", "1", "email", "Archived."),
    ("B", "2026-10-04 09:00", "VPN drops again", "", "2", "vpn", "Gateway replaced."),
    ("D", "", "Screen flickers", "", "1", "hardware", ""),
    ("E", "2026-10-05 09:00", "", "", "1", "hardware", "nothing to learn from"),
    ("x" * (MAX_NAME + 1), "2026-10-06 09:00", "Mouse dead", "", "1", "hardware", "New one."),
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'triage.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, "utf-8")
    return str(path)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *ROWS])
    return path


def test_every_row_is_accounted_for(store: Store, history: Path, mapping: str) -> None:
    added = add_history(store, [history], mapping=mapping)

    assert added.to_dict()["rows"] == {
        "read": 7,
        "kept": 3,
        "merged": 1,
        "rejected": 3,
        "left_out": 0,
    }
    assert added.without_id == 2
    assert sorted(ticket.ticket_id for ticket in store.past.newest(9)) == ["A", "B", "D"]
    assert any("no id" in sentence for sentence in added.sentences())


def test_erased_ticket_is_not_stored_again(store: Store, history: Path, mapping: str) -> None:
    store.erasures.erase("B", datetime.now(UTC))

    added = add_history(store, [history], mapping=mapping)

    assert added.to_dict()["rows"] == {
        "read": 7,
        "kept": 2,
        "merged": 1,
        "rejected": 3,
        "left_out": 1,
    }
    assert added.to_dict()["erased"] == added.erased == 1
    assert sorted(ticket.ticket_id for ticket in store.past.newest(9)) == ["A", "D"]
    assert any("erased before" in sentence for sentence in added.sentences())


def test_history_added_again_replaces_its_tickets(
    store: Store, history: Path, mapping: str
) -> None:
    add_history(store, [history], mapping=mapping)

    again = add_history(store, [history], mapping=mapping)

    assert again.replaced == again.kept == store.past.count() == 3


def test_nothing_personal_is_stored(
    store: Store, history: Path, mapping: str, tmp_path: Path
) -> None:
    rows = list(ROWS)
    rows[3] = ("C", *ROWS[1][1:])
    with history.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])

    add_history(store, [history], mapping=mapping)

    found = next(ticket for ticket in store.past.newest(9) if ticket.ticket_id == "C")
    assert "<email>" in found.description and "<phone>" in found.resolution
    written = b"".join(path.read_bytes() for path in tmp_path.glob("triage.db*"))
    assert b"anna@example" not in written and b"1234567" not in written


def test_newest_tickets_alone_are_stored_when_asked_for(
    store: Store, history: Path, mapping: str
) -> None:
    added = add_history(store, [history], mapping=mapping, newest=2)

    assert [ticket.ticket_id for ticket in store.past.newest(9)] == ["A", "B"]
    assert added.to_dict()["rows"]["left_out"] == 1


def test_progress_is_told_to_the_end(store: Store, history: Path, mapping: str) -> None:
    told = []

    add_history(store, [history], mapping=mapping, on_step=lambda *step: told.append(step))

    assert ("storing", 3, 3) in told
    assert any(name == "reading" for name, _, _ in told)


def test_file_that_is_no_history_stores_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "letter.csv"
    path.write_text("Dear diary\nnothing happened\n", "utf-8")

    with pytest.raises(TriageError):
        add_history(store, [path])

    assert store.past.count() == 0


def test_demonstration_remembers_the_newest_of_the_sample_once(url: str, store: Store) -> None:
    remember_sample(url)
    first = store.past.signed_after(0, 10_000)
    remember_sample(url)

    assert store.past.signed_after(0, 10_000) == first
    assert len(first) == 2_000
    index = PastIndex(store.past)
    index.read_on()
    [found] = index.similar([Ticket("VPN drops every few minutes", "at home")])
    assert found and found[0].category == "vpn" and found[0].resolution
