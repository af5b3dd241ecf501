"""Tickets as the events of a log come in, in any order: little is kept of each."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

import numpy as np

from training.canonical import typed
from training.dates import DateColumn
from training.labels import label_key, tidy
from training.tables.rows import RawRows
from triage.errors import HistoryError

MAX_REJECTED = 1000
"""Rejected rows that are kept with line and reason, the first ones; all are counted."""

NO_ID = "no id: nobody can tell which ticket this event is of"
NO_MOMENT = "the time of the change is missing or cannot be read"
NUL = "a NUL character: the row is damaged"

ORDERING = ("id", "changed_at", "change", "assignment_group")
"""What tells the ticket and the group of an event, and its place among the others."""

# An event is one number: when, which change of its ticket, which group. Sorting sorts by time.
_GROUP_BITS, _CHANGE_BITS = 18, 13
_MAX_GROUPS, _MAX_CHANGE = 1 << _GROUP_BITS, (1 << _CHANGE_BITS) - 1


class TicketState:
    """What is known so far: the events that name a group, and what the last event says."""

    __slots__ = ("latest", "said", "steps")

    def __init__(self) -> None:
        self.steps = array("q")
        self.latest = -1
        self.said: tuple[str, ...] = ()


class TicketStates:
    """Tickets as their events come in, in any order.

    ``said`` names what is kept of a ticket's last event; ``groups`` has one spelling of each.
    """

    def __init__(self, names: Sequence[str], moments: DateColumn) -> None:
        self._names = names
        self._moments = moments
        self._group_of: dict[str, int] = {}
        self._index_of: dict[str, int] = {}
        self._shared: dict[str, str] = {}  # most cells repeat; one copy of each is enough
        self.said = [name for name in names if name not in ORDERING]
        self.groups: list[str] = []
        self.tickets: dict[str, TicketState] = {}
        self.read = 0
        self.n_rejected = 0
        self.rejected: list[tuple[int, str]] = []

    def add(self, raw: RawRows) -> None:
        """Take some rows."""
        cells = dict(zip(self._names, raw.columns, strict=True))
        moments = self._moments.parse(cells["changed_at"]).astype("datetime64[s]").astype(np.int64)
        changes = cells.get("change") or [""] * len(raw.lines)
        refused = list(raw.rejected)
        rows = zip(
            *(raw.lines, cells["id"], moments.tolist(), changes, cells["assignment_group"]),
            _rows([cells[name] for name in self.said], len(raw.lines)),
            strict=True,
        )
        for line, ticket_id, moment, change, group, said in rows:
            key = ticket_id.strip()
            if "\0" in ticket_id or "\0" in group or any("\0" in cell for cell in said):
                refused.append((line, NUL))
            elif not key:
                refused.append((line, NO_ID))
            elif moment < 0:  # NaT is the least number there is
                refused.append((line, NO_MOMENT))
            else:
                at = moment << _CHANGE_BITS | _change(change)
                self._add_event(key, at, group, said)
        self.read += len(raw.lines) + len(raw.rejected)
        self.n_rejected += len(refused)
        self.rejected += sorted(refused)[: MAX_REJECTED - len(self.rejected)]

    def _add_event(self, key: str, at: int, group: str, said: tuple[str, ...]) -> None:
        ticket = self.tickets.get(key)
        if ticket is None:
            ticket = self.tickets[key] = TicketState()
        if at >= ticket.latest:
            shared = self._shared
            ticket.latest = at
            ticket.said = tuple([shared.setdefault(cell, cell) for cell in said])
        index = self._index_of.get(group)
        if index is None:
            index = self._index_of[group] = self._index(tidy(group))
        if index >= 0:
            ticket.steps.append(at << _GROUP_BITS | index)

    def _index(self, group: str) -> int:
        """Number a group; -1 is no group. Spellings of one group have one number."""
        if not group:
            return -1
        index = self._group_of.setdefault(label_key(group), len(self.groups))
        if index == len(self.groups):
            self.groups.append(group)
            if index >= _MAX_GROUPS:
                raise HistoryError(
                    f"more than {_MAX_GROUPS:,} different assignment groups: check which column "
                    "[columns] takes for assignment_group"
                )
        return index


def groups_before(steps: Sequence[int], resolved: datetime | None) -> list[int]:
    """List the groups that held a ticket until it was resolved, in order, no two alike in a row.

    A ticket that was assigned only after its resolution has the groups of afterwards.
    """
    ordered = sorted(steps, key=lambda step: step >> _GROUP_BITS)
    if resolved is not None:
        until = int(resolved.replace(tzinfo=UTC).timestamp()) + 1 << _CHANGE_BITS + _GROUP_BITS
        ordered = [step for step in ordered if step < until] or ordered
    return [group for group, _ in groupby(step % _MAX_GROUPS for step in ordered)]


def _rows(columns: Sequence[Sequence[str]], n_rows: int) -> Iterable[tuple[str, ...]]:
    return zip(*columns, strict=True) if columns else [()] * n_rows


def _change(value: str) -> int:
    """Read which change of its ticket an event is; where that is not told, its line must do."""
    try:
        number = read_count(value)
    except ValueError:
        return 0
    return min(number or 0, _MAX_CHANGE)


def read_count(value: str) -> int | None:
    """Read a count; None where there is none.

    Raises
    ------
    ValueError : the text is no count
    """
    if value.isdecimal() and len(value) < 10:  # by far the most, at a tenth of the time
        return int(value)
    number = typed("reassignments", value)
    return None if number is None else int(number)
