"""Commands for who runs the service: serve, keys, db, erase."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError

# Commands import what they run when they run: `triage --help` must not wait for SQLAlchemy.
if TYPE_CHECKING:
    from api.settings import Settings
    from triage.engine import Engine
    from triage.store import Store
    from triage.ticket import Ticket

app = typer.Typer()
keys_app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)
db_app = typer.Typer(help="Look after the database.", no_args_is_help=True)

_DEMO_KEY = "demo"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="(default: 127.0.0.1)")] = None,
    port: Annotated[int | None, typer.Option(help="(default: 8000)")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes (default: 1)")] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Bundle, or models folder (default: models)")
    ] = None,
    kb: Annotated[
        Path | None, typer.Option("--kb", help="Folder of articles; enough without a model")
    ] = None,
) -> None:
    """Serve the HTTP API (settings: docs/configuration.md)."""
    from api.app import serve as serve_api
    from api.settings import load_settings

    serve_api(load_settings(host=host, port=port, workers=workers, models=model, kb=kb))


@keys_app.command("create")
def keys_create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Who or what will use it")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="predict, feedback, review or admin; repeatable")
    ],
    as_json: AsJson = False,
) -> None:
    """Make an API key; its secret is shown this once."""
    with _store(context) as store:
        info, secret = store.create_key(name, scope)
    if as_json:
        return show.print_json({**asdict(info), "key": secret})
    return show.show_sentences(Console(), [f"Key {info.id} for {info.name}: {secret}"])


@keys_app.command("list")
def keys_list(context: typer.Context, as_json: AsJson = False) -> None:
    """List API keys, without their secrets."""
    with _store(context, must_exist=True) as store:
        keys = store.list_keys()
    if as_json:
        return show.print_json([asdict(key) for key in keys])
    rows = [
        (k.id, k.name, " ".join(k.scopes), k.created_at, k.last_used_at or "", k.revoked_at or "")
        for k in keys
    ]
    columns = ("id", "name", "scopes", "created", "last used", "revoked")
    empty = "no keys yet; make one with: triage keys create NAME --scope predict"
    return show.show_table(Console(), columns, rows, empty)


@keys_app.command("revoke")
def keys_revoke(context: typer.Context, key_id: str, as_json: AsJson = False) -> None:
    """Revoke an API key, for good."""
    with _store(context, must_exist=True) as store:
        info = store.revoke_key(key_id)
    if as_json:
        return show.print_json(asdict(info))
    return show.show_sentences(Console(), [f"Key {info.id} ({info.name}) is revoked"])


@db_app.command("upgrade")
def db_upgrade(context: typer.Context, as_json: AsJson = False) -> None:
    """Create the database, or bring its tables up to date."""
    from triage.store import upgrade

    upgrade(context.obj.database_url)
    if as_json:
        return show.print_json({"upgraded": True})
    return show.show_sentences(Console(), ["The database is up to date"])


@db_app.command("check")
def db_check(context: typer.Context, as_json: AsJson = False) -> None:
    """Look whether the database is whole, and count what is in it."""
    from triage.store import check_database

    health = check_database(context.obj.database_url)
    if as_json:
        return show.print_json(asdict(health))
    schema = "up to date" if health.is_up_to_date else "not up to date; run: triage db upgrade"
    told = [
        f"The database is whole: {health.kind}, {health.size_bytes / 1e6:,.1f} MB",
        f"Its tables are {schema}",
    ]
    console = Console()
    show.show_sentences(console, told)
    return show.show_table(console, ("table", "rows"), list(health.rows.items()), "no tables yet")


@db_app.command("backup")
def db_backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write; an older backup is replaced")],
    as_json: AsJson = False,
) -> None:
    """Copy the database into a file while it is in use, and read the copy back."""
    from triage.store import back_up

    made = back_up(context.obj.database_url, file)
    if as_json:
        return show.print_json(asdict(made))
    told = f"{made.file} is a whole copy of the database, {made.size_bytes / 1e6:,.1f} MB"
    return show.show_sentences(Console(), [told])


@app.command()
def erase(
    context: typer.Context,
    ticket_id: Annotated[str | None, typer.Argument(help="The help desk's id")] = None,
    older_than: Annotated[
        int | None,
        typer.Option(help="Forget all texts older than so many days instead", min=1, max=36_500),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Erase all that is kept of a ticket, and leave it out of later imports and models."""
    from api.erasing import erase_ticket

    if (ticket_id is None) == (older_than is None):
        raise ConfigurationError("say what to erase: a ticket's id, or --older-than DAYS")
    with _store(context, must_exist=True) as store:
        if ticket_id is not None:
            _require_text(ticket_id)
            gone = asdict(erase_ticket(store, context.obj.models, ticket_id))
        else:
            moment = datetime.now(UTC) - timedelta(days=older_than or 0)
            gone = asdict(store.erasures.forget_before(moment))
    if as_json:
        return show.print_json(gone)
    counts = ", ".join(
        f"{number:,} {table.replace('_', ' ')}"
        for table, number in gone.items()
        if not isinstance(number, bool)
    )
    left = [f"{_NOT_YET[part]}; do it again later" for part in _NOT_YET if not gone.get(part, True)]
    return show.show_sentences(Console(), [f"Erased: {counts}", *left])


def _require_text(ticket_id: str) -> None:
    # A shell may hand over bytes that are no text.
    try:
        ticket_id.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the ticket's id is not text in UTF-8") from None


_NOT_YET = {
    "log_cleared": "The database's log is in use and still holds old states",
    "caches_cleared": "The caches of training could not be removed",
}


def _store(context: typer.Context, *, must_exist: bool = False) -> "AbstractContextManager[Store]":
    from triage.store import open_store

    return closing(open_store(context.obj.database_url, must_exist=must_exist))


def serve_demo(
    settings: "Settings", console: Console, engine: "Engine", tickets: "Sequence[Ticket]"
) -> None:
    """Serve with a fresh key for the demonstration, printed once with what to try it on.

    Parameters
    ----------
    engine : the demonstration's model
    tickets : what waits in the review queue
    """
    from api.app import serve as serve_api
    from api.demo_queue import fill_queue
    from triage.store import SCOPES, open_store

    fill_queue(settings.database_url, engine, tickets)
    with closing(open_store(settings.database_url)) as store:
        for old in store.list_keys():
            if old.name == _DEMO_KEY and old.revoked_at is None:
                store.revoke_key(old.id)
        _, secret = store.create_key(_DEMO_KEY, SCOPES)
    address = f"http://{settings.host}:{settings.port}"
    ticket = '{"subject": "VPN drops every few minutes", "description": "since this morning"}'
    show.show_sentences(
        console,
        [
            f"Serving on {address} until Ctrl+C. The key of this demonstration is {secret}",
            f"Review {len(tickets)} tickets with it: {address}/review",
            "Try it from another terminal:",
            f"  curl -s {address}/v1/triage -H 'X-API-Key: {secret}' \\",
            f"    -H 'Content-Type: application/json' -d '{ticket}'",
        ],
    )
    serve_api(settings)
