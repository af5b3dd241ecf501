"""The command ``triage handoff``: the note that a ticket goes up with."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError


class Settings(Protocol):
    """What this command needs of the settings."""

    @property
    def models(self) -> Path: ...
    @property
    def keys_dir(self) -> Path: ...
    @property
    def kb(self) -> Path | None: ...
    @property
    def taxonomy(self) -> Path | None: ...
    @property
    def handoff_min_completeness(self) -> float: ...


app = typer.Typer()


@app.command()
def handoff(
    context: typer.Context,
    subject: str,
    description: Annotated[str, typer.Argument()] = "",
    tier: Annotated[str | None, typer.Option(help="Where it goes (default: as suggested)")] = None,
    category: Annotated[str | None, typer.Option(help="What it is (default: as suggested)")] = None,
    tried: Annotated[
        list[str] | None, typer.Option("--tried", help="A step that was tried; repeatable")
    ] = None,
    article: Annotated[
        list[str] | None, typer.Option("--article", help="Id of an article followed; repeatable")
    ] = None,
    detail: Annotated[
        list[str] | None, typer.Option("--detail", help="What was found out, as id=text")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="A form field, as name=value")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Bundle, or models folder (default: models)")
    ] = None,
    kb: Annotated[
        Path | None, typer.Option("--kb", help="Folder of articles; enough without a model")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text")] = False,
) -> None:
    """Write the note that a ticket goes up with, or say what to ask first."""
    from triage.engine import open_engine
    from triage.escalation import escalate
    from triage.ticket import Ticket

    settings: Settings = context.obj
    fields, details = _pairs("field", field or ()), _pairs("detail", detail or ())
    engine = open_engine(
        model or settings.models,
        keys=settings.keys_dir,
        knowledge=kb or settings.kb,
        taxonomy=settings.taxonomy,
    )
    [answer] = engine.answer([Ticket(subject, description, fields=fields)])
    note = escalate(
        answer,
        replace(engine.helper, min_completeness=settings.handoff_min_completeness),
        engine.thresholds,
        tier=tier,
        category=category,
        steps_tried=tried or (),
        articles_tried=article or (),
        details=details,
    )
    if as_json:
        return show.print_json(asdict(note))
    ready = "ready" if note.is_ready else "not ready; ask first:"
    show.show_sentences(
        Console(stderr=True), [f"{note.completeness:.0%} complete, {ready}", *note.questions]
    )
    return show.show_sentences(Console(), note.note.splitlines())


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, separator, value = pair.partition("=")
        if not separator:
            raise ConfigurationError(f"--{option} is given as name=value")
        pairs[name] = value
    return pairs
