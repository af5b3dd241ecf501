"""How rarely does drift alarm on a quiet desk, and how soon when something has changed?

``make bench-drift`` learns the first year of the sample desk, before its new product. Quiet windows
are further first years of the same people with other tickets. Shifts are planted into them, and the
new product is the sample's own; looked at every 50 tickets, in the newest 500. Prints Markdown.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from training.drift_profile import profile_of
from training.fit import fit_model
from training.history import read_history
from training.mapping import load_mapping
from training.sample import SampleTicket, _Desk, generate, to_csv
from training.tickets import in_canonical_order
from triage.drift.observed import Observed
from triage.drift.profile import Profile
from triage.drift.summary import Signal, signals_of
from triage.drift.window import window_of_tickets
from triage.engine import TriageEngine
from triage.knowledge import KnowledgeBase
from triage.recommender import ArticleRecommender
from triage.taxonomy import load_taxonomy
from triage.ticket import Ticket

NEW_PRODUCT = datetime(2025, 11, 10, tzinfo=UTC)
WINDOW = 500
_STEP = 50
_SEEDS = range(1, 37)
_N_TRIES = 8

SPANISH = (
    ("No puedo entrar en mi cuenta", "Desde esta mañana no me deja entrar y necesito ayuda."),
    ("La impresora no funciona", "La impresora de la segunda planta no imprime nada desde ayer."),
    ("Problema con el correo", "No recibo ningún correo de los clientes, ¿pueden mirarlo?"),
    ("Necesito un programa nuevo", "¿Me pueden instalar el programa de dibujo en mi portátil?"),
    ("La red va muy lenta", "Todo va muy lento cuando trabajo desde casa y se corta la llamada."),
)  # fmt: skip


def main() -> None:
    """Print both tables."""
    quiet: list[list[Signal]] = []
    found: dict[str, list[int | None]] = {}
    shares: dict[int, int] = {}
    engine, profile = learned_desk()
    for other in _SEEDS:
        seen = window_of_tickets(engine, first_year(another_year(other)))
        for size in (100, 250, WINDOW):
            for window in quiet_windows(seen, size):
                alarms = alarms_of(profile, window)
                if size == WINDOW:
                    quiet.append(alarms)
                shares[size] = shares.get(size, 0) + bool(alarms)
                shares[-size] = shares.get(-size, 0) + 1
    for other in list(_SEEDS)[:_N_TRIES]:
        tickets = another_year(other)
        before = first_year(tickets)
        later = [one for one in tickets if one.opened_at.replace(tzinfo=UTC) >= NEW_PRODUCT]
        streams = {
            "new product (none at first, an eighth of the tickets after 150 days)": (
                [as_ticket(one) for one in later]
            ),
            **{
                name: [shift(one, Random(f"{other}{row}")) for row, one in enumerate(before)]
                for name, shift in SHIFTS.items()
            },
        }
        for name, stream in streams.items():
            found.setdefault(name, []).append(
                _tickets_until_found(engine, profile, before[-WINDOW:], stream)
            )
    print("| window, tickets | quiet windows | with a false alarm |\n|---|---|---|")
    for size in (100, 250, WINDOW):
        print(f"| {size} | {shares[-size]} | {shares[size]} |")
    blamed = sorted({one.name for alarms in quiet for one in alarms})
    print(f"\nFalse alarms at {WINDOW} tickets by: {', '.join(blamed) or 'none'}.\n")
    print(
        "| shift | found within 500 tickets | tickets until found: median, worst |\n|---|---|---|"
    )
    for name, tries in found.items():
        took = sorted(one if one is not None else 10_000 for one in tries)
        worst = took[-1] if took[-1] < 10_000 else "not found"
        hits = sum(one <= WINDOW for one in took)
        print(f"| {name} | {hits} of {len(tries)} | {took[len(took) // 2]}, {worst} |")


def another_year(seed: int) -> list[SampleTicket]:
    """Make up other tickets of the people of the sample desk."""
    desk = _Desk(Random(0))
    # Another seed from the beginning would be other people: another desk, rightly found to be one.
    desk._rng = Random(f"another {seed}")
    return sorted(desk.tickets(), key=lambda ticket: ticket.opened_at)


def learned_desk() -> tuple[TriageEngine, Profile]:
    """Learn the first year of the desk."""
    tickets = [one for one in generate() if one.opened_at.replace(tzinfo=UTC) < NEW_PRODUCT]
    with TemporaryDirectory() as folder:
        export = Path(folder) / "history.csv"
        export.write_text(to_csv(tickets), "utf-8")
        frame = in_canonical_order(read_history([export], load_mapping("sample")).frame)
    learned = fit_model(frame, taxonomy=load_taxonomy(), n_jobs=1)
    engine = TriageEngine("desk", {}, learned.model, ArticleRecommender(KnowledgeBase(())))
    return engine, profile_of(learned, frame)


def first_year(tickets: Sequence[SampleTicket]) -> list[Ticket]:
    """Take the tickets of before the new product."""
    return [as_ticket(one) for one in tickets if one.opened_at.replace(tzinfo=UTC) < NEW_PRODUCT]


def as_ticket(one: SampleTicket) -> Ticket:
    """Give a ticket of the sample as it came in."""
    fields = {"caller": one.caller, "channel": one.channel, "site": one.site}
    return Ticket(one.short_description, one.description, fields=fields)


def _mojibake(ticket: Ticket, chance: Random) -> Ticket:
    """Misread one ticket in three; with few letters outside ASCII, a third of these show it."""
    if chance.random() > 1 / 3:
        return ticket
    misread = ticket.description.replace("'", "’").encode().decode("cp1252", "replace")
    return replace(ticket, description=misread)


def _spanish(ticket: Ticket, chance: Random) -> Ticket:
    if chance.random() > 0.05:
        return ticket
    subject, description = chance.choice(SPANISH)
    return replace(ticket, subject=subject, description=description)


def _site(ticket: Ticket, chance: Random) -> Ticket:
    if chance.random() > 0.15:
        return ticket
    return replace(ticket, fields={**ticket.fields, "site": "Turku"})


def _short(ticket: Ticket, chance: Random) -> Ticket:
    return replace(ticket, description=ticket.description[:80])


SHIFTS: dict[str, Callable[[Ticket, Random], Ticket]] = {
    "a third of the texts misread as another encoding": _mojibake,
    "5% of the tickets in Spanish": _spanish,
    "15% of the tickets from a new site (form field)": _site,
    "a connector cuts texts after 80 characters": _short,
}


def quiet_windows(seen: Observed, size: int) -> list[Observed]:
    """Part tickets into windows that share none."""
    n_tickets = len(seen.words)
    return [part_of(seen, end - size, end) for end in range(size, n_tickets + 1, size)]


def part_of(seen: Observed, begin: int, end: int) -> Observed:
    """Take some of the tickets, one after the other."""
    values = {name: values[begin:end] for name, values in seen.values.items()}
    return Observed(seen.words[begin:end], values)


def alarms_of(profile: Profile, window: Observed) -> list[Signal]:
    """List the signals that alarm."""
    return [one for one in signals_of(profile, window) if one.is_alarm]


def _tickets_until_found(
    engine: TriageEngine, profile: Profile, before: Sequence[Ticket], stream: Sequence[Ticket]
) -> int | None:
    """Count the shifted tickets until an alarm, in a window that still holds quiet ones."""
    seen = window_of_tickets(engine, [*before, *stream[: 2 * WINDOW]])
    for n in range(_STEP, 2 * WINDOW + 1, _STEP):
        if alarms_of(profile, part_of(seen, n, n + WINDOW)):
            return n
    return None


if __name__ == "__main__":
    main()
