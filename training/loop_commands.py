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
        closing(open_store(settings.database_url, must_exist=True)) as store,
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
    show.show_warning(done.warning)
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
    from training.registry import follow_promotion
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
    show.show_warning(follow_promotion(models))
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

    from training.registry import follow_promotion
    from triage.promotions import roll_back

    settings: Settings = context.obj
    models = model or settings.models
    done = roll_back(models, by=getpass.getuser(), reason=reason)
    show.show_warning(follow_promotion(models))
    if as_json:
        return show.print_json(asdict(done))
    return show.show_sentences(
        Console(), [f"{done.version} serves again; {done.previous} does not"]
    )


@models_app.command("show")
def models_show(
    context: typer.Context, version: str, model: Models = None, as_json: AsJson = False
) -> None:
    """Show a bundle: what it was made of, how good it was, the gate's verdict, when it served."""
    from training.versions import FIGURES, show_version

    settings: Settings = context.obj
    found = show_version(model or settings.models, version, settings.keys_dir)
    if as_json:
        return show.print_json(found.to_dict())
    console = Console()
    facts = [("serves now", "yes" if found.is_champion else "no"), *found.facts.items()]
    facts.append(("size", f"{found.size_bytes / 1e6:.1f} MB"))
    show.show_table(console, ("fact", "value"), facts, "nothing is known of it")
    rows = [
        (target, part, *(_rounded(figures.get(name)) for name in FIGURES))
        for target, parts in found.metrics.items()
        for part, figures in parts.items()
        if figures
    ]
    show.show_table(console, ("target", "part", *FIGURES), rows, "nothing was measured")
    if found.gate is None:
        show.show_sentences(console, ["It was never compared with a model that served."])
    else:
        said = "passed" if found.gate["passed"] else "refused"
        failed = [check["told"] for check in found.gate["checks"] if not check["passed"]]
        told = f"The gate, against {found.gate['champion']}: {'; '.join([said, *failed])}"
        show.show_sentences(console, [told])
    served = [
        (one["at"], one["version"], one["previous"] or "", one["kind"], one["by"], one["reason"])
        for one in found.served
    ]
    columns = ("at", "serves", "before it", "kind", "by", "reason")
    return show.show_table(console, columns, served, "it was never promoted nor replaced")


@models_app.command("compare")
def models_compare(
    context: typer.Context,
    first: str,
    second: str,
    history: Annotated[
        list[Path] | None, typer.Argument(help="Tickets to ask both about, best unseen ones")
    ] = None,
    mapping: MappingName = None,
    model: Models = None,
    as_json: AsJson = False,
) -> None:
    """Put two bundles side by side; on a history also by the gate's paired checks."""
    from training.history import read_history
    from training.mapping import load_mapping
    from training.versions import compare_versions

    settings: Settings = context.obj
    frame = None
    if history:
        with show.rows_shown("reading", quiet=as_json) as on_rows:
            frame = read_history(history, load_mapping(mapping), on_progress=on_rows).frame
    found = compare_versions(model or settings.models, first, second, settings.keys_dir, frame)
    if as_json:
        return show.print_json(found.to_dict())
    console = Console()
    rows = [(*row[:3], *map(_rounded, row[3:])) for row in found.rows()]
    show.show_table(console, ("target", "part", "figure", first, second), rows, "nothing measured")
    if frame is None:
        return None
    checks = [("ok" if one.passed else "NO", one.name, one.told) for one in found.checks]
    show.show_table(console, ("", f"{second}, checked", "found"), checks, "nothing was checked")
    told = f"Asked about {found.n_tickets:,} tickets."
    if found.n_older:
        told += (
            f" {found.n_older:,} of them are not newer than what the two learned from: whichever "
            "has learned from them looks better than it is."
        )
    return show.show_sentences(console, [told])


@models_app.command("sync")
def models_sync(context: typer.Context, model: Models = None, as_json: AsJson = False) -> None:
    """Send to MLflow what it could not take when it was made."""
    from training.registry import send_unsent

    settings: Settings = context.obj
    sent = send_unsent(model or settings.models, settings.keys_dir)
    show.show_warning(sent.warning)
    if as_json:
        return show.print_json({"sent": sent.runs, "waiting": sent.waiting})
    told = f"{len(sent.runs)} sent, {len(sent.waiting)} waiting"
    return show.show_sentences(Console(), [told])


def _rounded(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
