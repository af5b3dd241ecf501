"""The command ``triage drift``: whether what comes in is still what the model learned from."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError

if TYPE_CHECKING:
    from triage.drift.summary import DriftSummary


class Settings(Protocol):
    """What this command needs of the settings."""

    @property
    def models(self) -> Path: ...
    @property
    def keys_dir(self) -> Path: ...
    @property
    def database_url(self) -> str: ...


app = typer.Typer()


@app.command()
def drift(
    context: typer.Context,
    history: Annotated[
        list[Path] | None,
        typer.Argument(help="Look at the newest tickets of these exports instead of the store"),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--mapping", help="Built-in name, mapping file (TOML), or auto"),
    ] = None,
    window: Annotated[
        int | None, typer.Option(help="Newest tickets to look at (default: 500)", min=1)
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Look at the tickets of so many days instead", min=0)
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Bundle, or models folder (default: models)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text")] = False,
) -> None:
    """Tell whether tickets and answers are still what they were when the model learned."""
    from triage.engine import load_engine
    from triage.store import open_store
    from triage.store.drift import WINDOW, drift_summary

    settings: Settings = context.obj
    if window is not None and days is not None:
        raise ConfigurationError("--window counts tickets and --days counts days; give one of them")
    if history and days is not None:
        raise ConfigurationError("--days narrows the store; of exports take --window N")
    engine = load_engine(model or settings.models, keys=settings.keys_dir)
    if history:
        from training.drift_profile import drift_of_history

        found = drift_of_history(engine, history, mapping, window=window or WINDOW)
    else:
        with closing(open_store(settings.database_url, must_exist=True)) as store:
            found = drift_summary(store, engine, window=window or WINDOW, days=days)
    if as_json:
        return show.print_json(found.to_dict())
    return _show(Console(), found)


def _show(console: Console, found: "DriftSummary") -> None:
    period = f", {found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}" if _has_period(found) else ""
    told = f"{found.n_tickets:,} tickets{period}; {found.n_ended:,} of this model have ended"
    show.show_sentences(console, [told, *([found.note] if found.note else [])])
    rows = [
        (
            "ALARM" if one.is_alarm else "ok" if one.level is not None else "?",
            one.title,
            f"{one.value:.1%}" if one.alarms_below else f"{one.value:.3f}",
            _level(one.level, one.alarms_below),
            one.change,
        )
        for one in found.signals
    ]
    columns = ("", "signal", "value", "alarms", "what changed")
    show.show_table(console, columns, rows, "nothing to compare")
    verdict = {"kept": "holds", "void": "is void", "unknown": "cannot be told yet"}[found.promise]
    show.show_sentences(
        console, [*found.advice, f"The precision promised of what is routed {verdict}."]
    )


def _has_period(found: "DriftSummary") -> bool:
    return found.since is not None and found.until is not None


def _level(level: float | None, alarms_below: bool) -> str:
    if level is None:
        return "no level"
    return f"below {level:.1%}" if alarms_below else f"above {level:.3f}"
