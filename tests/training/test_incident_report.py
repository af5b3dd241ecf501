import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from training.history import read_history
from training.incident_report import (
    IncidentReport,
    read_tickets,
    report_incidents,
    stored_tickets,
)
from training.mapping import load_mapping
from training.past import past_tickets
from triage.recurring import MAX_LISTED, MIN_TICKETS
from triage.signature import sign_ticket
from triage.store import PastTicket, Store, StoredSuggestion, open_store
from triage.taxonomy import Taxonomy, data_folder
from triage.ticket import Ticket

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
KINDS = tuple(f"kind{n}a kind{n}b trouble" for n in range(20))


def ticket(ticket_id: str, subject: str, at: datetime | None, tier: str | None = "1") -> PastTicket:
    return PastTicket(
        ticket_id=ticket_id,
        created_at=at,
        subject=subject,
        description="",
        resolution="",
        tier=tier,
        category="network",
        signature=sign_ticket(Ticket(subject)),
    )


def usual_tickets(n_weeks: int = 20) -> list[PastTicket]:
    """Let twenty kinds of trouble come in, one after the other, every two hours."""
    return [
        ticket(f"T{n}", KINDS[n % 20], MONDAY + timedelta(hours=2 * n)) for n in range(n_weeks * 84)
    ]


def report(tickets: list[PastTicket], taxonomy: Taxonomy) -> IncidentReport:
    return report_incidents(tickets, taxonomy)


def test_outage_in_a_history_is_found_with_its_tickets(taxonomy: Taxonomy) -> None:
    begin = MONDAY + timedelta(days=40, hours=3)
    outage = [
        ticket(f"O{n}", "wifi dead in Graz", begin + timedelta(minutes=3 * n)) for n in range(15)
    ]

    found = report([*outage, *usual_tickets()], taxonomy)

    [burst] = found.bursts
    assert burst.tickets == [one.ticket_id for one in outage]
    assert burst.n_tickets == 15
    assert burst.since == begin.isoformat()
    assert burst.until == outage[-1].created_at.isoformat()  # type: ignore[union-attr]
    assert {"wifi", "graz"} <= set(burst.terms)


def test_what_comes_back_is_ordered_by_what_it_costs(taxonomy: Taxonomy) -> None:
    dear = [
        ticket(f"D{n}", "replication of the archive stops", MONDAY + timedelta(days=9 * n), "3")
        for n in range(12)
    ]

    found = report([*dear, *usual_tickets(3)], taxonomy).recurring

    assert len(found) == 21
    assert [one.cost for one in found] == sorted((one.cost for one in found), reverse=True)
    archive = next(one for one in found if "archive" in one.terms)
    assert archive.n_tickets == 12 and archive.n_weeks == 12
    assert archive.tiers == {"3": 12}
    assert archive.cost == 12 * (list(taxonomy.tiers).index("3") + 1)
    assert archive.first_seen == MONDAY.isoformat()
    assert archive.tickets == [one.ticket_id for one in dear]


def test_trouble_of_one_day_does_not_come_back(taxonomy: Taxonomy) -> None:
    once = [ticket(f"O{n}", "wifi dead in Graz", MONDAY + timedelta(hours=n)) for n in range(20)]
    few = [
        ticket(f"F{n}", "badge lost again", MONDAY + timedelta(days=8 * n))
        for n in range(MIN_TICKETS - 1)
    ]

    found = report([*once, *few], taxonomy)

    assert found.recurring == []


def test_tickets_without_a_date_are_counted_and_do_no_harm(taxonomy: Taxonomy) -> None:
    found = report([ticket(f"N{n}", "wifi dead in Graz", None) for n in range(20)], taxonomy)

    assert (found.n_tickets, found.without_date, found.bursts) == (20, 20, [])
    assert any("no date" in sentence for sentence in found.sentences())


def test_nothing_at_all_is_reported_as_such(taxonomy: Taxonomy) -> None:
    found = report([], taxonomy)

    assert (found.n_tickets, found.bursts, found.recurring) == (0, [], [])


def test_outages_of_the_sample_are_found_and_nothing_else_is_called_one(
    taxonomy: Taxonomy,
) -> None:
    sample = data_folder() / "sample" / "history.csv.gz"
    frame = read_history([sample], load_mapping("sample")).frame

    found = report(list(past_tickets(frame)), taxonomy)

    # Nine times, eight more people report the same within an hour and a half.
    assert len(found.bursts) == 9
    assert all(8 <= burst.n_tickets <= 12 for burst in found.bursts)
    assert len(found.recurring) > 50
    assert all(len(one.tickets) <= MAX_LISTED for one in found.recurring)


def test_history_is_redacted_and_tickets_without_an_id_are_named_by_their_row(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.csv"
    rows = [
        ("id", "created_at", "subject", "category"),
        ("A", "2026-01-02 10:00", "mail anna@example.com", "email"),
        ("", "2026-01-01 10:00", "printer jams", "printing"),
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)

    tickets, accounting = read_tickets([path], "auto", lambda *step: None)

    assert accounting.kept == 2
    assert [(one.ticket_id, one.subject) for one in tickets] == [
        ("row 2", "printer jams"),
        ("A", "mail <email>"),
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    yield opened
    opened.close()


def test_stored_tickets_are_the_resolved_and_the_answered_ones_each_once(store: Store) -> None:
    now = datetime.now(UTC)
    store.past.save([ticket("A", "printer jams", now - timedelta(days=90))])
    answered = StoredSuggestion(
        id="s1",
        created_at=now - timedelta(hours=3),
        model_version="v",
        decision="suggest",
        confidence=0.5,
        subject="wifi dead",
        description="",
        answer="{}",
        ticket_id="B",
    )
    again = replace(answered, id="s2", created_at=now - timedelta(hours=1))
    store.save_suggestions([answered, again, replace(answered, id="s3", ticket_id="A")])

    tickets = stored_tickets(store)

    assert [one.ticket_id for one in tickets] == ["A", "B"]
    assert tickets[1].created_at == answered.created_at
