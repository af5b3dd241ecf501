"""The command ``triage report``: the figures of the desk."""

from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError

# Commands import what they run when they run: `triage --help` must not wait for pandas.


class Settings(Protocol):
    """What this command needs of the settings."""

    @property
    def taxonomy(self) -> Path | None: ...


app = typer.Typer()


@app.command()
def report(
    context: typer.Context,
    events: Annotated[
        Path | None, typer.Option(help="Audit log of the help desk, one row an event (also .gz)")
    ] = None,
    tiers: Annotated[
        Path | None, typer.Option(help="TOML file: which assignment group belongs to which tier")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Write .html, .json or .csv, as the name ends; a folder gets all three"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text")] = False,
) -> None:
    """Tell the figures of the desk: first contact resolution, escalation, what reaches tier 3."""
    from training.desk_report import report_events
    from triage.figures.words import counted, written
    from triage.taxonomy import load_taxonomy

    if events is None or tiers is None:
        raise ConfigurationError(
            "name the log with --events FILE, and with --tiers FILE which group belongs to which "
            "tier (docs/figures.md)"
        )
    settings: Settings = context.obj
    taxonomy = load_taxonomy(settings.taxonomy)
    with show.steps_shown(quiet=as_json) as on_step:
        found = report_events(events, tiers, taxonomy, on_step=on_step)
    written_to = found.write(output) if output else []
    if as_json:
        return show.print_json(found.to_dict())
    console = Console()
    show.show_sentences(console, found.account.sentences())
    rows = [
        (one.title, written(one.value, one.unit), counted(one.count, one.unit))
        for one in found.figures.figures
        if one.unit != "count" and one.count.denominator
    ]
    empty = "no ticket of this log has ended"
    show.show_table(console, ("figure", "value", "counted from"), rows, empty)
    unknown = [one.title for one in found.figures.not_known]
    if rows and unknown:
        show.show_sentences(console, [f"not known from this log: {', '.join(unknown)}"])
    return show.show_sentences(console, [f"written: {path}" for path in written_to])
