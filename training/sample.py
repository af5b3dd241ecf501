"""The sample history: two years of tickets of a company that does not exist.

``python -m training.sample`` writes data/sample/history.csv.gz; the same seed gives the same bytes.
"""

import csv
import gzip
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from training.phrases import Author, Person, Phrasebook, Scenario, load_scenarios
from triage.taxonomy import data_folder

COLUMNS = (
    "number",
    "opened_at",
    "caller",
    "channel",
    "site",
    "short_description",
    "description",
    "category",
    "tier",
    "assignment_group",
    "group_path",
    "reassignments",
    "reopened",
    "first_contact",
    "csat",
    "resolution",
    "article_ids",
    "resolved_at",
)

FIRST_DAY, LAST_DAY = date(2024, 11, 1), date(2026, 10, 31)
FIRST_NUMBER = 100_001

_ORIGINALS = 3410  # with duplicates and what else an outage brings, about 3,600 tickets
_GERMAN = 0.13
_NEWCOMERS = 0.12  # share of tickets about products that came during the two years, once settled
_WRONG_LABELS = 0.02
_DUPLICATES = 0.03
_OUTAGES = 0.03  # of the tickets about something that hits many: more of them follow at once
_WRONG_ARTICLE = 0.02

_RAMP = timedelta(days=150)
"""How long a new product takes to be used by all, and an old one to be given up."""

_WEEKDAYS = (1.3, 1.1, 1.0, 1.0, 0.85, 0.06, 0.04)
_HOURS = dict(zip(range(6, 21), (1, 5, 12, 14, 12, 9, 5, 9, 11, 9, 7, 4, 2, 1, 1), strict=True))
_CHANNELS = {"Email": 40, "Self-service": 27, "Phone": 20, "Chat": 10, "Walk-in": 3}
_ALERT_CHANNEL = "Event"

_HAS_ARTICLE = {"1": 0.85, "2": 0.4, "3": 0.1}
_BOUNCED = {"1": 0.05, "2": 0.16, "3": 0.2}
_HOURS_OPEN = {"1": 6.0, "2": 40.0, "3": 120.0}


@dataclass(frozen=True, slots=True)
class SampleTicket:
    """A ticket of the sample; ``tier`` and ``category`` are as recorded, now and then wrongly.

    What the export does not tell: ``scenario``, ``language``, the true labels, and whether the
    ticket only repeats an earlier one.
    """

    number: str
    opened_at: datetime
    caller: str
    channel: str
    site: str
    short_description: str
    description: str
    category: str
    tier: str
    group_path: tuple[str, ...]
    reopened: bool
    first_contact: bool
    csat: int | None
    resolution: str
    article_ids: tuple[str, ...]
    resolved_at: datetime
    scenario: str
    language: str
    true_category: str
    true_tier: str
    is_duplicate: bool

    @property
    def assignment_group(self) -> str:
        """The group that resolved it."""
        return self.group_path[-1]

    @property
    def reassignments(self) -> int:
        """How often it went from one group to another."""
        return len(self.group_path) - 1


def generate(seed: int = 0) -> list[SampleTicket]:
    """Make up the sample history, ordered by time.

    Parameters
    ----------
    seed : the same one gives the same tickets
    """
    tickets = sorted(_Desk(Random(seed)).tickets(), key=lambda ticket: ticket.opened_at)
    return [
        replace(ticket, number=f"INC0{FIRST_NUMBER + position}")
        for position, ticket in enumerate(tickets)
    ]


def to_csv(tickets: Sequence[SampleTicket]) -> str:
    """Write tickets the way a help desk exports them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for ticket in tickets:
        writer.writerow([_cell(column, getattr(ticket, column)) for column in COLUMNS])
    return text.getvalue()


def _cell(column: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return (" > " if column == "group_path" else " ").join(value)
        case _:
            return str(value)


class _Desk:
    """The company's help desk while its two years pass."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._book = Phrasebook()
        self._staff = self._book.people(rng)
        self._at_site: defaultdict[str, list[Person]] = defaultdict(list)
        for person in self._staff:
            self._at_site[person.site].append(person)
        self._scenarios = load_scenarios()
        self._groups = sorted({group for s in self._scenarios for group in s.groups.values()})
        self._articles = sorted({article for s in self._scenarios for article in s.articles})
        established = sum(s.weight for s in self._scenarios if s.since <= FIRST_DAY)
        newcomers = sum(s.weight for s in self._scenarios if s.since > FIRST_DAY)
        self._boost = _NEWCOMERS / (1 - _NEWCOMERS) * established / newcomers
        speaking = sum(s.weight for s in self._scenarios if "de" in s.bodies)
        german_staff = sum(person.language == "de" for person in self._staff) / len(self._staff)
        self._german = _GERMAN * (established + newcomers) / speaking / german_staff

    def tickets(self) -> list[SampleTicket]:
        tickets = []
        for day, scenario in self._occurrences():
            ticket = self._ticket(scenario, self._time_of(scenario, day), self._staff)
            tickets.append(ticket)
            if self._rng.random() < _DUPLICATES:
                tickets.append(self._repeated(ticket))
            if scenario.scope == "many" and self._rng.random() < _OUTAGES:
                tickets += self._outage(scenario, ticket)
        exported = [ticket for ticket in tickets if ticket.opened_at.date() <= LAST_DAY]
        return self._with_wrong_labels(exported)

    def _occurrences(self) -> Iterator[tuple[date, Scenario]]:
        days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
        busy = [_WEEKDAYS[day.weekday()] for day in days]
        for day, count in Counter(self._rng.choices(days, busy, k=_ORIGINALS)).items():
            usual = [self._frequency(scenario, day) for scenario in self._scenarios]
            for scenario in self._rng.choices(self._scenarios, usual, k=count):
                yield day, scenario

    def _frequency(self, scenario: Scenario, day: date) -> float:
        if not scenario.since <= day <= scenario.until:
            return 0
        settled = min(1, (day - scenario.since) / _RAMP, (scenario.until - day) / _RAMP)
        boost = self._boost if scenario.since > FIRST_DAY else 1
        return scenario.weight * boost * max(settled, 0.1)

    def _time_of(self, scenario: Scenario, day: date) -> datetime:
        rng = self._rng
        hour = rng.randrange(24) if scenario.is_alert else self._office_hour()
        return datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)))

    def _office_hour(self) -> int:
        return self._rng.choices(list(_HOURS), list(_HOURS.values()))[0]

    def _ticket(
        self, scenario: Scenario, opened_at: datetime, callers: Sequence[Person]
    ) -> SampleTicket:
        rng = self._rng
        caller = callers[int(len(callers) * rng.random() ** 1.5)]  # some call more often
        language = caller.language if rng.random() < self._german else "en"
        if language not in scenario.bodies:
            language = "en"
        channel = _ALERT_CHANNEL
        if not scenario.is_alert:
            channel = rng.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
        tier = rng.choices(list(scenario.tiers), list(scenario.tiers.values()))[0]
        author = Author(self._book, rng, caller, self._at_site[caller.site], language)
        subject, description = author.ticket(scenario, tier, channel, opened_at)
        path = self._path(scenario, tier)
        reopened = rng.random() < (0.04 if len(path) == 1 else 0.09)
        articles = scenario.articles if rng.random() < _HAS_ARTICLE[tier] else ()
        if rng.random() < _WRONG_ARTICLE:
            articles = (rng.choice(self._articles),)
        hours = rng.triangular(0.1, 2, 0.3) * _HOURS_OPEN[tier] * (2 if reopened else 1)
        return SampleTicket(
            number="",
            opened_at=opened_at,
            caller="Monitoring" if scenario.is_alert else caller.name,
            channel=channel,
            site=caller.site,
            short_description=subject,
            description=description,
            category=scenario.category,
            tier=tier,
            group_path=path,
            reopened=reopened,
            first_contact=len(path) == 1 and not reopened and rng.random() < 0.7,
            csat=None if scenario.is_alert else self._satisfaction(len(path), reopened),
            resolution=author.fill(rng.choice(scenario.resolutions)),
            article_ids=articles,
            resolved_at=opened_at + timedelta(minutes=int(60 * hours)),
            scenario=scenario.id,
            language=language,
            true_category=scenario.category,
            true_tier=tier,
            is_duplicate=False,
        )

    def _path(self, scenario: Scenario, tier: str) -> tuple[str, ...]:
        resolving = scenario.groups[tier]
        path = [] if tier == "1" else [group for group in scenario.via if group != resolving]
        if self._rng.random() < _BOUNCED[tier]:
            path = path or [resolving]
            path.append(self._rng.choice([g for g in self._groups if g not in (*path, resolving)]))
        return (*path, resolving)

    def _satisfaction(self, groups: int, reopened: bool) -> int | None:
        if self._rng.random() > 0.12:
            return None
        lost = max(groups - 2, 0) + 2 * reopened
        return max(1, self._rng.choices((5, 4, 3, 2, 1), (50, 30, 12, 5, 3))[0] - lost)

    def _repeated(self, ticket: SampleTicket) -> SampleTicket:
        """Have the caller send it again, word for word or with a reminder."""
        opened_at = ticket.opened_at + timedelta(minutes=self._rng.randrange(5, 2000))
        subject, description = ticket.short_description, ticket.description
        if ticket.channel != _ALERT_CHANNEL and self._rng.random() < 0.5:
            neighbours = self._at_site[ticket.site]
            caller = next(person for person in neighbours if person.name == ticket.caller)
            author = Author(self._book, self._rng, caller, neighbours, ticket.language)
            subject, description = author.reminder(subject, description)
        return replace(
            ticket,
            opened_at=opened_at,
            short_description=subject,
            description=description,
            resolution="Duplicate, handled with the earlier ticket.",
            resolved_at=max(ticket.resolved_at, opened_at + timedelta(minutes=10)),
            is_duplicate=True,
        )

    def _outage(self, scenario: Scenario, first: SampleTicket) -> list[SampleTicket]:
        """Have others at the same site report the same within an hour and a half."""
        neighbours = self._at_site[first.site]
        delays = [timedelta(minutes=self._rng.randrange(1, 90)) for _ in range(8)]
        return [self._ticket(scenario, first.opened_at + delay, neighbours) for delay in delays]

    def _with_wrong_labels(self, tickets: list[SampleTicket]) -> list[SampleTicket]:
        """Let the desk file some tickets under a neighbouring tier or category."""
        rng = self._rng
        alike = {
            s.id: sorted({o.category for o in self._scenarios if o.vague == s.vague} - {s.category})
            for s in self._scenarios
        }
        for position in rng.sample(range(len(tickets)), round(_WRONG_LABELS * len(tickets))):
            ticket = tickets[position]
            categories = alike[ticket.scenario]
            if categories and rng.random() < 0.5:
                tickets[position] = replace(ticket, category=rng.choice(categories))
            else:
                tier = "2" if ticket.tier != "2" else rng.choice(("1", "3"))
                tickets[position] = replace(ticket, tier=tier)
        return tickets


def main() -> None:
    """Write the sample history."""
    content = to_csv(generate()).encode()
    (data_folder() / "sample" / "history.csv.gz").write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    main()
