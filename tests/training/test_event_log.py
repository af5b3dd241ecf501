import gzip
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.event_log import LogAccount, load_tiers, read_event_log
from training.event_states import NO_ID, NO_MOMENT, NUL
from triage.errors import ConfigurationError, HistoryError
from triage.figures.desk import desk_figures
from triage.figures.ended import EndedTicket, TierOrder
from triage.figures.figure import Count

HEADER = (
    "number,sys_updated_at,sys_mod_count,assignment_group,category,reassignment_count,"
    "reopen_count,knowledge,resolved_at,closed_at"
)
TIERS = """
closing_groups = ["Closers"]
[tiers]
Desk = "1"
"Network" = "2"
"Data centre" = "3"
Closers = "1"
"""
ORDER = TierOrder(("1", "2", "3"), ("1", "2", "3"))

EVENTS = [
    # A: the desk alone, once; nobody is named at first
    "A,3/3/2026 08:00,0,,Mail,0,0,,,",
    "A,3/3/2026 08:05,1,Desk,Mail,0,0,true,3/3/2026 09:00,5/3/2026 09:00",
    # B: up through both tiers, reopened, closed by a group that only closes
    "B,2/3/2026 08:00,0,Desk,Mail,0,0,false,,",
    "B,2/3/2026 09:00,1,Network,Network,1,0,false,,",
    "B,2/3/2026 10:00,2,Data centre,Network,2,1,false,,",
    "B,2/3/2026 11:00,3,Closers,Network,3,1,false,25/3/2026 10:30,25/3/2026 11:00",
    # C: straight to the third tier; the time of its resolution is not told
    "C,4/3/2026 08:00,0,Data centre,Network,0,0,false,,13/3/2026 12:00",
    # D: to somebody whose tier is not known, and back
    "D,4/3/2026 09:00,0,Desk,,0,0,,,",
    "D,4/3/2026 09:00,1,Who,,1,0,,,",
    "D,4/3/2026 09:00,2,Desk,,2,0,,13/3/2026 23:30,",
    # E: still open
    "E,4/3/2026 09:00,0,Desk,Mail,0,0,,,",
]


def written(folder: Path, events: Sequence[str], header: str = HEADER) -> Path:
    path = folder / "log.csv"
    path.write_text("\n".join([header, *events]) + "\n", "utf-8")
    return path


def read(
    folder: Path, log: Path | Sequence[str], tiers: str = TIERS
) -> tuple[LogAccount, dict[str, EndedTicket]]:
    mapping = folder / "tiers.toml"
    mapping.write_text(tiers, "utf-8")
    path = log if isinstance(log, Path) else written(folder, log)
    tickets: list[EndedTicket] = []
    account = read_event_log(path, load_tiers(mapping), tickets.append)
    assert len({ticket.ticket_id for ticket in tickets}) == len(tickets)
    return account, {ticket.ticket_id: ticket for ticket in tickets}


def test_tickets_are_what_their_last_events_say(tmp_path: Path) -> None:
    account, tickets = read(tmp_path, EVENTS)

    assert tickets["A"] == EndedTicket(
        ticket_id="A",
        resolved_at=datetime(2026, 3, 3, 9, tzinfo=UTC),
        category="Mail",
        tier_path=("1",),
        tier="1",
        reassignments=0,
        reopenings=0,
        used_article=True,
    )
    assert tickets["B"].tier_path == ("1", "2", "3")
    assert (tickets["B"].tier, tickets["B"].category) == ("3", "Network")
    assert (tickets["B"].reassignments, tickets["B"].reopenings) == (3, 1)
    assert tickets["C"].resolved_at == datetime(2026, 3, 13, 12, tzinfo=UTC)
    assert tickets["D"].tier_path == ("1", None, "1")
    assert (tickets["D"].category, tickets["D"].used_article) == (None, None)
    assert tickets.keys() == set("ABCD")
    assert (account.n_tickets, account.n_open, account.n_only_closed) == (5, 1, 1)
    assert account.unmapped_groups == {"Who": 1}


def test_figures_are_those_computed_by_hand(tmp_path: Path) -> None:
    _, tickets = read(tmp_path, EVENTS)

    told = desk_figures(tickets.values(), ORDER)

    counts = {one.name: one.count for one in told.figures}
    assert counts["first_contact_resolution"] == Count(1, 4)
    assert counts["resolved_at_tier_1"] == Count(2, 4)
    assert counts["escalated_from_tier_1"] == Count(1, 2, 1)  # of D nobody can say
    assert counts["escalated_from_tier_2"] == Count(1, 1)
    assert counts["reassignments"] == Count(5, 4)
    assert counts["reassigned"] == Count(2, 4)
    assert counts["reopened"] == Count(1, 4)
    assert counts["reached_specialists"] == Count(2, 3, 1)
    assert counts["specialists_directly"] == Count(1, 2)
    assert counts["specialists_without_article"] == Count(2, 2)
    assert counts["csat"] == Count(0, 0, 4)
    weeks = told.over_time("first_contact_resolution")
    assert [(one.label, one.count.numerator, one.count.denominator) for one in weeks.points] == [
        ("2026-W10", 1, 1),
        ("2026-W11", 0, 2),
        ("2026-W12", 0, 0),
        ("2026-W13", 0, 1),
    ]
    reasons = told.grouped("specialist_categories", "category")
    assert [(one.label, one.count) for one in reasons.points] == [("Network", Count(2, 2))]


def test_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    _, tickets = read(tmp_path, EVENTS)

    for seed in range(5):
        shuffled = EVENTS.copy()
        random.Random(seed).shuffle(shuffled)
        assert read(tmp_path, shuffled)[1] == tickets


def test_log_may_be_compressed_in_another_encoding_and_with_other_delimiters(
    tmp_path: Path,
) -> None:
    events = [event.replace(",", ";").replace("Network", "Zürich") for event in EVENTS]
    text = "\r\n".join([HEADER.replace(",", ";"), *events])
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(text.encode("cp1252")))

    account, tickets = read(tmp_path, path, TIERS.replace("Network", "Zürich"))

    assert tickets["B"].tier_path == ("1", "2", "3")
    assert account.file.delimiter == ";"
    assert account.file.encoding == "cp1252"


def test_group_passed_after_the_resolution_is_no_part_of_the_way(tmp_path: Path) -> None:
    events = [
        "A,3/3/2026 08:00,0,Desk,Mail,0,0,,3/3/2026 09:00,",
        "A,3/3/2026 09:00,1,Network,Mail,0,0,,3/3/2026 09:00,",
        "A,3/3/2026 09:01,2,Data centre,Mail,0,0,,3/3/2026 09:00,",
        "B,3/3/2026 09:01,0,Data centre,Mail,0,0,,3/3/2026 09:00,",
    ]

    _, tickets = read(tmp_path, events)

    assert (tickets["A"].tier_path, tickets["A"].tier) == (("1", "2"), "2")
    assert tickets["B"].tier_path == ("3",)  # nobody is named before


def test_ticket_that_only_closing_groups_held_has_no_resolving_tier(tmp_path: Path) -> None:
    _, tickets = read(tmp_path, ["A,3/3/2026 08:00,0,Closers,Mail,0,0,,3/3/2026 09:00,"])

    assert (tickets["A"].tier_path, tickets["A"].tier) == (("1",), None)


def test_star_gives_other_groups_a_tier_and_they_are_named_all_the_same(tmp_path: Path) -> None:
    account, tickets = read(tmp_path, EVENTS, TIERS + '"*" = "2"\n')

    assert tickets["D"].tier_path == ("1", "2", "1")
    assert account.unmapped_groups == {"Who": 1}
    assert "1 group is not in [tiers], taken for tier 2: Who (1)" in account.sentences()


def test_spellings_of_a_group_and_of_a_category_are_one(tmp_path: Path) -> None:
    events = [
        "A,3/3/2026 08:00,0, desk ,mail,0,0,,3/3/2026 09:00,",
        "A,3/3/2026 08:10,1,DESK,mail,0,0,,3/3/2026 09:00,",
        "B,3/3/2026 08:10,1,Desk,Mail,0,0,,3/3/2026 09:00,",
        "C,3/3/2026 08:10,1,Desk,Mail,0,0,,3/3/2026 09:00,",
    ]

    _, tickets = read(tmp_path, events)

    assert {ticket.tier_path for ticket in tickets.values()} == {("1",)}
    assert {ticket.category for ticket in tickets.values()} == {"Mail"}


def test_dirty_rows_are_accounted_for_with_line_and_reason(tmp_path: Path) -> None:
    events = [
        "A,3/3/2026 08:00,0,Desk,Mail,0,0,,3/3/2026 09:00,",
        "A,3/3/2026 08:00,0,Desk",
        ",3/3/2026 08:00,0,Desk,Mail,0,0,,3/3/2026 09:00,",
        "B,yesterday,0,Desk,Mail,0,0,,3/3/2026 09:00,",
        "B,,0,Desk,Mail,0,0,,3/3/2026 09:00,",
        "C,3/3/2026 08:00,0,De\0sk,Mail,0,0,,3/3/2026 09:00,",
        "D,3/3/2026 08:00,x,Desk,Mail,many,-1,perhaps,3/3/2026 09:00,never",
        "",
        'E,3/3/2026 08:00,0,"Desk,Mail,0,0,,3/3/2026 09:00,',
    ]

    account, tickets = read(tmp_path, events)

    assert account.file.read == 8
    assert account.file.read == account.file.kept + account.file.rejected
    assert account.file.kept == 2
    reasons = {row.line: row.reason for row in account.rejected}
    assert reasons.keys() == {3, 4, 5, 6, 7, 10}
    assert (reasons[4], reasons[5], reasons[6], reasons[7]) == (NO_ID, NO_MOMENT, NO_MOMENT, NUL)
    assert tickets["D"].reassignments is tickets["D"].reopenings is None
    assert tickets["D"].used_article is None
    assert account.file.unread_values == {
        "closed_at": 1,
        "reassignments": 1,
        "reopenings": 1,
        "used_article": 1,
    }
    told = account.sentences()
    assert "8 events read: 2 kept, 6 rejected" in told
    assert any(sentence.startswith("line 3 rejected: 4 fields") for sentence in told)


def test_dates_are_read_by_what_the_whole_column_shows(tmp_path: Path) -> None:
    events = [
        "A,03/04/2026 08:00,0,Desk,Mail,0,0,,03/05/2026 09:00,",
        "B,03/20/2026 08:00,0,Desk,Mail,0,0,,03/21/2026 09:00,",
    ]

    account, tickets = read(tmp_path, events)

    assert tickets["A"].resolved_at == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert "resolved_at was read as month/day" in account.file.notes


def test_columns_of_another_help_desk_are_named_in_the_tiers_file(tmp_path: Path) -> None:
    columns = """
        [columns]
        id = "Case"
        changed_at = ["Never There", "When"]
        assignment_group = "Line"
        closed_at = "End"
        [tiers]
        "1st" = "1"
        "2nd" = "2"
    """
    path = written(
        tmp_path,
        ["7,2026-03-03,1st,2026-03-04", "7,2026-03-04,2nd,2026-03-04"],
        "Case,When,Line,End",
    )

    account, tickets = read(tmp_path, path, columns)

    assert tickets["7"].tier_path == ("1", "2")
    assert tickets["7"].reassignments is None
    assert account.file.columns == {
        "id": "Case",
        "changed_at": "When",
        "assignment_group": "Line",
        "closed_at": "End",
    }


@pytest.mark.parametrize(
    ("tiers", "header", "hint"),
    [
        (TIERS, "ticket,sys_updated_at,assignment_group,closed_at", "'number' for id"),
        (TIERS, "number,sys_updated_at,assignment_group", "resolved_at or closed_at"),
        ('[columns]\ncategory = "Kind"\n[tiers]\nDesk = "1"', HEADER, "'Kind' for category"),
    ],
)
def test_log_that_lacks_a_column_is_refused_with_what_to_write(
    tmp_path: Path, tiers: str, header: str, hint: str
) -> None:
    path = written(tmp_path, [], header)

    with pytest.raises(HistoryError, match=r"\[columns\]") as error:
        read(tmp_path, path, tiers)

    assert hint in str(error.value)


@pytest.mark.parametrize(
    ("tiers", "hint"),
    [
        ("", "lists no group"),
        ('[tiers]\nDesk = "1"\n[fields]\ncaller = "Caller"', r"no \[fields\]"),
        ('[columns]\nsubject = "x"\n[tiers]\nDesk = "1"', "columns.subject"),
        ("[tiers]\nDesk = 1", "tier as text"),
        ("[tiers", "not valid TOML"),
    ],
)
def test_tiers_file_that_makes_no_sense_is_refused(tmp_path: Path, tiers: str, hint: str) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text(tiers, "utf-8")

    with pytest.raises(ConfigurationError, match=hint):
        load_tiers(path)


def test_tiers_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        load_tiers(tmp_path / "nowhere.toml")


def test_log_without_an_event_has_no_tickets(tmp_path: Path) -> None:
    account, tickets = read(tmp_path, [])

    assert tickets == {}
    assert (account.file.read, account.n_tickets) == (0, 0)


def test_steps_are_told_while_a_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "tiers.toml").write_text(TIERS, "utf-8")
    steps: list[tuple[str, int, int]] = []

    read_event_log(
        written(tmp_path, EVENTS),
        load_tiers(tmp_path / "tiers.toml"),
        lambda ticket: None,
        on_step=lambda *step: steps.append(step),
    )

    assert steps[-1] == ("counting", 5, 5)
    assert ("reading the events", 11, 11) in steps
