"""Commands about past tickets: similar add, similar find, incidents."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show

# Commands import what they run when they run: `triage --help` must not wait for pandas.
if TYPE_CHECKING:
    from triage.store import Store


class Settings(Protocol):
    """What these commands need of the settings."""

    @property
    def database_url(self) -> str: ...
    @property
    def taxonomy(self) -> Path | None: ...
    @property
    def incident_window_minutes(self) -> int: ...


app = typer.Typer()
similar_app = typer.Typer(
    help="Keep resolved tickets, and find those that say much the same.", no_args_is_help=True
)

MappingName = Annotated[
    str | None,
    typer.Option("--mapping", help="Built-in name, mapping file (TOML), or auto (default: auto)"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text")]


@similar_app.command("add")
def similar_add(
    context: typer.Context,
    history: Annotated[
        list[Path], typer.Argument(help="Exports: CSV, TSV, JSONL, Parquet, XLSX, .gz")
    ],
    mapping: MappingName = None,
    as_json: AsJson = False,
) -> None:
    """Store a history's tickets, redacted, so that new ones are shown how those ended."""
    from training.past import add_history

    with (
        show.steps_shown(quiet=as_json) as on_step,
        _store(context) as store,
    ):
        added = add_history(store, history, mapping=mapping, on_step=on_step)
    if as_json:
        return show.print_json(added.to_dict())
    return show.show_sentences(Console(), added.sentences())


@similar_app.command("find")
def similar_find(
    context: typer.Context,
    subject: str,
    description: Annotated[str, typer.Argument()] = "",
    top: Annotated[int, typer.Option(help="How many", min=1, max=10)] = 5,
    as_json: AsJson = False,
) -> None:
    """Find stored tickets that say much the same, the most alike first, and how they ended."""
    from triage.prepare import prepare
    from triage.store.past_index import PastIndex
    from triage.ticket import Ticket

    with (
        show.rows_shown("reading", quiet=as_json) as on_rows,
        _store(context, must_exist=True) as store,
    ):
        past = PastIndex(store.past)
        while past.read_on():
            on_rows(len(past))
        [found] = past.similar([prepare(Ticket(subject, description))], top=top)
    if as_json:
        return show.print_json([asdict(ticket) for ticket in found])
    rows = [
        (
            f"{t.similarity:.0%}",
            t.ticket_id,
            t.subject,
            t.tier or "",
            t.category or "",
            t.resolution,
        )
        for t in found
    ]
    columns = ("alike", "ticket", "subject", "tier", "category", "how it ended")
    empty = (
        "no stored ticket says much the same"
        if len(past)
        else "no tickets are stored yet; store some with: triage similar add HISTORY"
    )
    return show.show_table(Console(), columns, rows, empty)


@app.command()
def incidents(
    context: typer.Context,
    history: Annotated[
        list[Path] | None, typer.Argument(help="Exports (default: the stored tickets)")
    ] = None,
    mapping: MappingName = None,
    window: Annotated[
        int | None,
        typer.Option(
            help="Minutes in which tickets are counted (default: 60)", min=10, max=24 * 60
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="How many to show of what comes back", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List bursts of tickets that said the same, and trouble that comes back."""
    from training.incident_report import read_tickets, report_incidents, stored_tickets
    from triage.taxonomy import load_taxonomy

    settings: Settings = context.obj
    with show.steps_shown(quiet=as_json) as on_step:
        accounting = None
        if history:
            tickets, accounting = read_tickets(history, mapping, on_step)
        else:
            with _store(context, must_exist=True) as store:
                tickets = stored_tickets(store)
        report = report_incidents(
            tickets,
            load_taxonomy(settings.taxonomy),
            window=timedelta(minutes=window or settings.incident_window_minutes),
            on_step=on_step,
        )
    if as_json:
        account = accounting.to_dict() if accounting else {}
        return show.print_json({**account, **report.to_dict()})
    console = Console()
    if accounting:
        show.show_sentences(console, accounting.sentences())
    show.show_sentences(console, report.sentences())
    rows = [
        (one.since[:16], one.until[:16], one.n_tickets, f"{one.usual:.2f}", ", ".join(one.terms))
        for one in report.bursts
    ]
    show.show_table(
        console, ("burst since", "until", "tickets", "usual", "they say"), rows, "no bursts"
    )
    cells = [
        (
            one.n_tickets,
            one.n_weeks,
            one.last_seen[:10],
            one.category or "",
            ", ".join(f"{count} x {tier}" for tier, count in one.tiers.items()),
            one.cost,
            ", ".join(one.terms),
        )
        for one in report.recurring[:top]
    ]
    columns = ("tickets", "weeks", "last", "category", "by tier", "cost", "they say")
    return show.show_table(console, columns, cells, "nothing comes back")


@contextmanager
def _store(context: typer.Context, *, must_exist: bool = False) -> "Iterator[Store]":
    from triage.store import open_store

    settings: Settings = context.obj
    with closing(open_store(settings.database_url, must_exist=must_exist)) as store:
        yield store
