"""What a person wants to see of the queue, as it stands in the address of every page of it."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from triage.store import ReviewFilter

State = Literal["open", "decided", "mine", "overtaken"]

STATES: dict[State, str] = {
    "open": "Waiting",
    "decided": "Decided",
    "mine": "Decided by me",
    "overtaken": "Overtaken",
}
DECISIONS = ("route", "suggest", "review")

_MAX = 200


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """The filters of a queue; empty ones do not narrow. Dates are days in UTC, both included."""

    state: State = "open"
    tier: str = ""
    category: str = ""
    decision: str = ""
    language: str = ""
    model: str = ""
    since: str = ""
    until: str = ""
    q: str = ""

    @classmethod
    def of(cls, given: QueryParams) -> "QueueQuery":
        """Read the filters of an address; what makes no sense in it is passed over."""
        values = {field.name: _clean(given.get(field.name, "")) for field in fields(cls)}
        if values["state"] not in STATES:
            values["state"] = "open"
        if values["decision"] not in DECISIONS:
            values["decision"] = ""
        for name in ("since", "until"):
            if _day(values[name]) is None:
                values[name] = ""
        return cls(**values)  # type: ignore[arg-type]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the state narrows the queue."""
        return self != QueueQuery(state=self.state)

    @property
    def tells_suggestion(self) -> bool:
        """Whether being listed tells what was suggested: no blind ticket may be listed then."""
        return bool(self.tier or self.category or self.decision)

    def to_filter(self, api_key_id: str) -> ReviewFilter:
        """Turn the filters into those of the store, for a person."""
        since, until = _day(self.since), _day(self.until)
        return ReviewFilter(
            state="decided" if self.state == "mine" else self.state,
            tier=self.tier or None,
            category=self.category or None,
            decision=self.decision or None,
            language=self.language or None,
            model_version=self.model or None,
            since=_midnight(since) if since else None,
            until=_midnight(until) + timedelta(days=1) if until else None,
            decided_by=api_key_id if self.state == "mine" else None,
            search=self.q or None,
        )

    def query(self, **more: str) -> str:
        """Write the filters, and what else belongs in an address, as its query: ``?...`` or ""."""
        own = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }
        pairs = {**own, **{name: value for name, value in more.items() if value}}
        return f"?{urlencode(pairs)}" if pairs else ""

    def address(self, path: str, **more: str) -> str:
        """Give the address of a page that keeps the filters."""
        return f"{path}{self.query(**more)}"


def _clean(value: str) -> str:
    # Control characters, which no label has, and PostgreSQL would refuse.
    return "".join(sign for sign in value[:_MAX] if sign.isprintable()).strip()


def _day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 9998 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
