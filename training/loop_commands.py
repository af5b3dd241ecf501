"""Commands of the loop: retrain, and which model serves."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError


class Settings(Protocol):
    """What these commands need of the settings."""

    @property
    def models(self) -> Path: ...
    @property
    def keys_dir(self) -> Path: ...
    @property
    def database_url(self) -> str: ...


app = typer.Typer()
models_app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text")]
Models = Annotated[Path | None, typer.Option("--model", help="Models folder (default: models)")]
MappingName = Annotated[
    str | None,
    typer.Option("--mapping", help="Built-in name, mapping file (TOML), or auto (default: auto)"),
]


@app.command()
def retrain(
    context: typer.Context,
    history: Annotated[
        list[Path] | None, typer.Argument(help="Exports; none where the store holds all there is")
    ] = None,
    mapping: MappingName = None,
    kb: Annotated[Path | None, typer.Option("--kb", help="Folder of knowledge articles")] = None,
    model: Models = None,
    seed: Annotated[int, typer.Option(help="Seed of the training", min=0, max=2**32 - 1)] = 0,
    as_json: AsJson = False,
) -> None:
    """Learn anew from exports, outcomes and corrections; promote the model only if it is better."""
    from training.retrain import retrain as run_retrain
    from triage.store import open_store

    settings: Settings = context.obj
    with (
        closing(open_store(settings.database_url)) as store,
        show.steps_shown(quiet=as_json) as on_step,
    ):
        done = run_retrain(
            history or [],
            store,
            output=model or settings.models,
            keys=settings.keys_dir,
            mapping=mapping,
            kb=kb,
            seed=seed,
            on_step=on_step,
        )
    if as_json:
        return show.print_json(done.to_dict())
    console = Console()
    show.show_sentences(console, done.merged.sentences())
    rows = [("ok" if one.passed else "NO", one.name, one.told) for one in done.gate.checks]
    show.show_table(console, ("", "check", "found"), rows, "nothing was checked")
    flips = [
        (f["target"], f["label"], f["challenger"], f["champion"], f["neither"])
        for f in done.gate.flips_by_label()
    ]
    columns = ("target", "right label", "new one right", "old one right", "neither")
    show.show_table(console, columns, flips, "no answer changes")
    verdict = (
        f"{done.trained.version} is better or as good: it serves now"
        if done.is_promoted
        else f"{done.trained.version} is refused: {done.gate.champion} serves on"
    )
    return show.show_sentences(console, [verdict, f"Report: {done.report}"])


@models_app.command("promote")
def models_promote(
    context: typer.Context,
    version: str,
    force: Annotated[
        bool, typer.Option("--force", help="Promote it whatever the gate said; needs --reason")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; kept beside the models")] = "",
    by: Annotated[str, typer.Option(help="Who (default: the user's name)")] = "",
    model: Models = None,
    as_json: AsJson = False,
) -> None:
    """Let a bundle serve: one that passed the gate, or any with --force."""
    import getpass
    from dataclasses import asdict

    from training.gate.verdicts import passed_against
    from triage.bundle import champion, verify_bundle
    from triage.promotions import promote

    settings: Settings = context.obj
    models = model or settings.models
    if force and not reason.strip():
        raise ConfigurationError("--force needs --reason: whoever looks later wants to know why")
    verify_bundle(models / version, settings.keys_dir)
    if not force:
        passed_against(models, version, champion(models))
    kind = "forced" if force else "gate"
    done = promote(models, version, kind=kind, by=by or getpass.getuser(), reason=reason)
    if as_json:
        return show.print_json(asdict(done))
    return show.show_sentences(
        Console(), [f"{version} serves now, in the place of {done.previous}"]
    )


@models_app.command("rollback")
def models_rollback(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; kept beside the models")] = "",
    model: Models = None,
    as_json: AsJson = False,
) -> None:
    """Let the model serve again that served before the last promotion."""
    import getpass
    from dataclasses import asdict

    from triage.promotions import roll_back

    settings: Settings = context.obj
    done = roll_back(model or settings.models, by=getpass.getuser(), reason=reason)
    if as_json:
        return show.print_json(asdict(done))
    return show.show_sentences(
        Console(), [f"{done.version} serves again; {done.previous} does not"]
    )
