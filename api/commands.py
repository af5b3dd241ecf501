"""Commands for who runs the service: serve, keys, db."""

from contextlib import AbstractContextManager, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from triage import console as show

# Commands import what they run when they run: `triage --help` must not wait for SQLAlchemy.
if TYPE_CHECKING:
    from api.settings import Settings
    from triage.store import Store

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
    with _store(context) as store:
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
    with _store(context) as store:
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


def _store(context: typer.Context) -> "AbstractContextManager[Store]":
    from triage.store import open_store

    return closing(open_store(context.obj.database_url))


def serve_demo(settings: "Settings", console: Console) -> None:
    """Serve with a fresh key for the demonstration, printed once with a request to try."""
    from api.app import serve as serve_api
    from triage.store import SCOPES, open_store

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
            "Try it from another terminal:",
            f"  curl -s {address}/v1/triage -H 'X-API-Key: {secret}' \\",
            f"    -H 'Content-Type: application/json' -d '{ticket}'",
        ],
    )
    serve_api(settings)
