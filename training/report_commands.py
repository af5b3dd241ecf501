"""The command ``triage report``: the figures of the desk."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError

# Commands import what they run when they run: `triage --help` must not wait for pandas.
if TYPE_CHECKING:
    from triage.figures.figure import Figure


class Settings(Protocol):
    """What this command needs of the settings."""

    @property
    def taxonomy(self) -> Path | None: ...
    @property
    def models(self) -> Path: ...
    @property
    def kb(self) -> Path | None: ...
    @property
    def keys_dir(self) -> Path: ...
    @property
    def database_url(self) -> str: ...


app = typer.Typer()


@app.command()
def report(
    context: typer.Context,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day to count (UTC)")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Count one category alone")] = None,
    events: Annotated[
        Path | None,
        typer.Option(help="Count this audit log instead of the store: one row an event (also .gz)"),
    ] = None,
    tiers: Annotated[
        Path | None,
        typer.Option(help="With --events, a TOML file: which assignment group is of which tier"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Write .html, .json or .csv, as the name ends; a folder gets all three"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text")] = False,
) -> None:
    """Tell the figures of the desk and its suggestions, from the store or an audit log."""
    settings: Settings = context.obj
    if events is None:
        if tiers is not None:
            raise ConfigurationError("--tiers belongs to an audit log: name it with --events FILE")
        return _report_store(settings, since, category, output, as_json)
    if since is not None or category is not None:
        raise ConfigurationError("--since and --category narrow the store, not an audit log")
    if tiers is None:
        raise ConfigurationError(
            "say with --tiers FILE which group belongs to which tier (docs/figures.md)"
        )
    return _report_events(settings, events, tiers, output, as_json)


def _report_store(
    settings: Settings,
    since: datetime | None,
    category: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    from training.store_report import read_desk, report_store
    from triage.figures.insights import Wanted
    from triage.store import open_store

    desk = read_desk(
        settings.models,
        keys=settings.keys_dir,
        knowledge=settings.kb,
        taxonomy=settings.taxonomy,
    )
    wanted = Wanted(since.replace(tzinfo=UTC) if since else None, category)
    with closing(open_store(settings.database_url, must_exist=True)) as store:
        found = report_store(store, desk, wanted)
    written_to = found.write(output) if output else []
    if as_json:
        return show.print_json(found.to_dict())
    console = Console()
    insights = found.insights
    show.show_sentences(console, [insights.said])
    _show_figures(console, insights.desk.figures, "no ticket has ended yet")
    _show_figures(console, insights.figures, "nothing was suggested yet")
    return show.show_sentences(console, [f"written: {path}" for path in written_to])


def _report_events(
    settings: Settings, events: Path, tiers: Path, output: Path | None, as_json: bool
) -> None:
    from training.desk_report import report_events
    from triage.taxonomy import load_taxonomy

    taxonomy = load_taxonomy(settings.taxonomy)
    with show.steps_shown(quiet=as_json) as on_step:
        found = report_events(events, tiers, taxonomy, on_step=on_step)
    written_to = found.write(output) if output else []
    if as_json:
        return show.print_json(found.to_dict())
    console = Console()
    show.show_sentences(console, found.account.sentences())
    _show_figures(console, found.figures.figures, "no ticket of this log has ended")
    unknown = [one.title for one in found.figures.not_known]
    if found.figures.n_tickets and unknown:
        show.show_sentences(console, [f"not known from this log: {', '.join(unknown)}"])
    return show.show_sentences(console, [f"written: {path}" for path in written_to])


def _show_figures(console: Console, figures: "Sequence[Figure]", empty: str) -> None:
    from triage.figures.words import counted, noun_of, written

    rows = [
        (one.title, written(one.value, one.unit), counted(one.count, one.unit, noun_of(one.name)))
        for one in figures
        if one.unit != "count" and one.count.denominator
    ]
    show.show_table(console, ("figure", "value", "counted from"), rows, empty)
