"""A help desk's audit log, one row an event: what became of each of its tickets."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from training.accounting import MAX_SHOWN, FileAccounting, RejectedRow
from training.canonical import typed
from training.dates import DateColumn
from training.event_states import TicketState, TicketStates, groups_before, read_count
from training.guess import column_key
from training.labels import label_key, merged_spellings
from training.mapping import ANY_OTHER, Mapping, Names, listed, read_mapping_file
from training.tables.opening import open_table
from training.tables.rows import Table
from triage.errors import ConfigurationError, HistoryError
from triage.figures.ended import EndedTicket

COLUMNS: dict[str, Names] = {
    "id": ("number",),
    "changed_at": ("sys_updated_at", "sys_updated_on", "updated"),
    "change": ("sys_mod_count",),
    "assignment_group": ("assignment_group",),
    "category": ("category",),
    "reassignments": ("reassignment_count",),
    "reopenings": ("reopen_count",),
    "resolved_at": ("resolved_at",),
    "closed_at": ("closed_at",),
    "used_article": ("knowledge",),
}
"""What is read of an event, and the columns it is in unless the mapping names others.

``change`` counts the changes of a ticket: it orders those of the same moment.
"""

REQUIRED = ("id", "changed_at", "assignment_group")
ENDINGS = ("resolved_at", "closed_at")

OnStep = Callable[[str, int, int], None]

_TOLD = 4096  # tickets whose dates are read in one go


@dataclass(frozen=True, slots=True)
class LogAccount:
    """What became of the rows and of the tickets of a log.

    ``rejected`` has the first rejected rows. ``unmapped_groups`` counts the tickets that passed a
    group which [tiers] does not list; their tier is ``other_tier``, or not known where that is
    empty. ``n_open`` tickets have neither been resolved nor closed; ``n_only_closed`` have no
    time of resolution, so that the time they were closed stands for it.
    """

    file: FileAccounting
    rejected: tuple[RejectedRow, ...]
    n_tickets: int
    n_open: int
    n_only_closed: int
    without_group: int
    unmapped_groups: dict[str, int]
    other_tier: str

    def sentences(self) -> list[str]:
        """Tell it to a person, one line each."""
        file = self.file
        told = [
            f"{file.read:,} events read: {file.kept:,} kept, {file.rejected:,} rejected",
            f"{self.n_tickets:,} tickets: {self.n_tickets - self.n_open:,} ended, "
            f"{self.n_open:,} still open and left out",
        ]
        if self.n_only_closed:
            told.append(
                f"{self.n_only_closed:,} tickets have no time of resolution; they count at the "
                "time they were closed"
            )
        if self.without_group:
            told.append(f"{self.without_group:,} ended tickets were never assigned to a group")
        if self.unmapped_groups:
            tier = f"taken for tier {self.other_tier}" if self.other_tier else "without a tier"
            names = [f"{name} ({count:,})" for name, count in self.unmapped_groups.items()]
            more = len(names) - MAX_SHOWN
            told.append(
                f"{'1 group is' if len(names) == 1 else f'{len(names)} groups are'} not in "
                f"[tiers], {tier}: {', '.join(names[:MAX_SHOWN])}"
                + (f" and {more} more" if more > 0 else "")
            )
        told += [
            f"{count:,} values of {column} could not be read and are missing"
            for column, count in file.unread_values.items()
        ]
        told += file.notes
        told += [f"line {row.line} rejected: {row.reason}" for row in self.rejected[:MAX_SHOWN]]
        return told

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        file = self.file
        return {
            "rows": {"read": file.read, "kept": file.kept, "rejected": file.rejected},
            "file": {
                "name": file.name,
                "format": file.format,
                "encoding": file.encoding,
                "delimiter": file.delimiter,
                "columns": dict(file.columns),
                "unread_values": dict(file.unread_values),
                "notes": list(file.notes),
            },
            "rejected": [{"line": row.line, "reason": row.reason} for row in self.rejected],
            "log": {
                "tickets": self.n_tickets,
                "open": self.n_open,
                "only_closed": self.n_only_closed,
                "without_group": self.without_group,
                "unmapped_groups": self.unmapped_groups,
                "other_tier": self.other_tier or None,
            },
        }


def load_tiers(path: Path) -> Mapping:
    """Load which group belongs to which tier, and where columns have other names than usual.

    Raises
    ------
    ConfigurationError : there is no such file, or it does not make sense
    """
    try:
        mapping = read_mapping_file(path, tuple(COLUMNS))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path.name}: there is no such file; list your groups under [tiers] in a TOML file"
        ) from None
    if mapping.fields or mapping.targets:
        raise ConfigurationError(
            f"mapping {mapping.name}: an event log has no [fields] and no [targets]"
        )
    if not mapping.tiers:
        raise ConfigurationError(
            f'mapping {mapping.name}: lists no group; write [tiers] and a line such as "Desk" = "1"'
        )
    return mapping


def read_event_log(
    path: Path,
    mapping: Mapping,
    count: Callable[[EndedTicket], None],
    *,
    on_step: OnStep | None = None,
) -> LogAccount:
    """Read a log and show every ticket that has ended to ``count``.

    Events may stand in any order. What the last event of a ticket says holds. Its way through
    the tiers is that of the groups that held it until it was resolved; closing groups at the end
    are no part of it. Memory grows with 8 bytes an event and the state of each ticket.

    The file is read twice, because only all dates of a column tell what 03/04/2024 means.

    Raises
    ------
    HistoryError : the file cannot be read, or lacks a column
    """
    report = on_step or (lambda name, done, total: None)
    with open_table(path) as table:
        layout = _layout(table, mapping, path.name)
        dates = {name: DateColumn(name) for name in ("changed_at", *ENDINGS) if name in layout}
        n_rows = 0
        for raw in table.chunks([layout[name] for name in dates]):
            for column, cells in zip(dates.values(), raw.columns, strict=True):
                column.observe(dict.fromkeys(cells))  # most are those of the row before
            n_rows += len(raw.lines) + len(raw.rejected)
            report("looking at the dates", n_rows, 0)
    states = TicketStates(list(layout), dates["changed_at"])
    with open_table(path) as table:
        for raw in table.chunks(list(layout.values())):
            states.add(raw)
            report("reading the events", states.read, n_rows)
        told = _Teller(mapping, states, dates)
        for done, ticket in enumerate(told.ended(), 1):
            count(ticket)
            if done % _TOLD == 0:
                report("counting", done, len(states.tickets))
        report("counting", len(states.tickets), len(states.tickets))
        notes = [note for column in dates.values() for note in column.notes]
        unread = {name: column.unread for name, column in dates.items() if name in ENDINGS}
        return LogAccount(
            file=FileAccounting(
                name=path.name,
                format=table.format,
                encoding=table.encoding,
                delimiter=table.delimiter,
                columns=layout,
                is_guess=False,
                read=states.read,
                kept=states.read - states.n_rejected,
                merged=0,
                rejected=states.n_rejected,
                unread_values={name: n for name, n in (unread | told.unread).items() if n},
                notes=(*table.notes, *notes),
            ),
            rejected=tuple(RejectedRow(path.name, *row) for row in states.rejected),
            n_tickets=len(states.tickets),
            n_open=told.n_open,
            n_only_closed=told.n_only_closed,
            without_group=told.without_group,
            unmapped_groups=dict(told.unmapped.most_common()),
            other_tier=mapping.tiers.get(ANY_OTHER, ""),
        )


class _Teller:
    """Tells the tickets of a log that have ended; its counts are final once all were told."""

    def __init__(
        self, mapping: Mapping, states: TicketStates, dates: dict[str, DateColumn]
    ) -> None:
        self._states = states
        self._dates = {name: column for name, column in dates.items() if name in ENDINGS}
        tiers = {
            label_key(group): tier for group, tier in mapping.tiers.items() if group != ANY_OTHER
        }
        closing = set(map(label_key, mapping.closing_groups))
        keys = [label_key(group) for group in states.groups]
        other = mapping.tiers.get(ANY_OTHER)
        self._is_listed = [key in tiers for key in keys]
        self._is_closing = [key in closing for key in keys]
        self._tier_of = [tiers.get(key, other) for key in keys]
        self.unread: Counter[str] = Counter()
        self.unmapped: Counter[str] = Counter()
        self.n_open = self.n_only_closed = self.without_group = 0

    def ended(self) -> Iterator[EndedTicket]:
        """Tell them in the order in which their first events came."""
        spelled = self._spelled_categories()
        tickets = iter(self._states.tickets.items())
        while batch := list(islice(tickets, _TOLD)):
            told = [dict(zip(self._states.said, ticket.said, strict=True)) for _, ticket in batch]
            ends = {
                name: column.parse([one[name] for one in told]).tolist()
                for name, column in self._dates.items()
            }
            none = [None] * len(batch)
            for (key, ticket), said, resolved, closed in zip(
                batch,
                told,
                ends.get("resolved_at", none),
                ends.get("closed_at", none),
                strict=True,
            ):
                if resolved is None and closed is None:
                    self.n_open += 1
                    continue
                self.n_only_closed += resolved is None
                yield self._told(key, ticket, said, resolved, closed, spelled)

    def _told(
        self,
        key: str,
        ticket: TicketState,
        said: dict[str, str],
        resolved: datetime | None,
        closed: datetime | None,
        spelled: dict[str, str],
    ) -> EndedTicket:
        groups = groups_before(ticket.steps, resolved)
        n_way = max(
            (n for n, group in enumerate(groups, 1) if not self._is_closing[group]), default=0
        )
        tiers = [self._tier_of[group] for group in groups[: n_way or None]]
        self.without_group += not groups
        self.unmapped.update(
            self._states.groups[group] for group in set(groups) if not self._is_listed[group]
        )
        end = resolved or closed
        return EndedTicket(
            ticket_id=key,
            resolved_at=end.replace(tzinfo=UTC) if end else None,
            category=spelled.get(said.get("category", "")),
            tier_path=tuple(tier for tier, _ in groupby(tiers)),
            tier=tiers[-1] if n_way else None,
            reassignments=self._number("reassignments", said),
            reopenings=self._number("reopenings", said),
            used_article=self._flag("used_article", said),
        )

    def _spelled_categories(self) -> dict[str, str]:
        if "category" not in self._states.said:
            return {}
        place = self._states.said.index("category")
        counts = Counter(ticket.said[place] for ticket in self._states.tickets.values())
        return {one: label for one, label in merged_spellings(counts).items() if label}

    def _number(self, name: str, said: dict[str, str]) -> int | None:
        try:
            return read_count(said.get(name, ""))
        except ValueError:
            self.unread[name] += 1
            return None

    def _flag(self, name: str, said: dict[str, str]) -> bool | None:
        try:
            found = typed("first_contact", said.get(name, ""))
        except ValueError:
            self.unread[name] += 1
            return None
        return None if found is None else bool(found)


def _layout(table: Table, mapping: Mapping, file: str) -> dict[str, str]:
    """Settle which column of the log is what; a column that the mapping names has to be there."""
    by_key = {column_key(column): column for column in reversed(table.columns)}
    by_key |= {column: column for column in table.columns}
    layout = {}
    for name, usual in COLUMNS.items():
        names = mapping.columns.get(name, usual)
        found = next(
            (by_key[key] for one in names for key in (one, column_key(one)) if key in by_key), None
        )
        if found is not None:
            layout[name] = found
        elif name in REQUIRED or name in mapping.columns:
            raise HistoryError(
                f"{file}: no column {' or '.join(map(repr, names))} for {name}; the file has "
                f'{listed(table.columns)}; write [columns] {name} = "NAME OF THE COLUMN" into the '
                "tiers file"
            )
    if not any(name in layout for name in ENDINGS):
        raise HistoryError(
            f"{file}: no column for resolved_at or closed_at, so no ticket is known to have ended; "
            f"the file has {listed(table.columns)}; name one of them under [columns] in the "
            "tiers file"
        )
    return layout
