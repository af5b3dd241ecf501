"""The ``triage`` command: one program out of the core, training and api.

The only module here that may import training and api. Each of them brings its own commands;
settings are read once, and reach every command as the context's object.
"""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

import api.commands
import training.commands
import training.drift_commands
import training.kb_commands
import training.loop_commands
import training.past_commands
import training.report_commands
from triage import console as show
from triage import handoff_command
from triage.errors import ConfigurationError, TriageError

# typer exports this one of its usage errors only; its base is what all of them have in common.
_UsageError: Any = typer.BadParameter.__mro__[1]


class _Group(TyperGroup):
    """Turns an error meant for people into one line on stderr and exit code 2."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run a command line and leave with its exit code."""
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except TriageError as error:
            message = str(error)
        except _UsageError as error:
            usage: Any = error
            path = usage.ctx.command_path if usage.ctx else "triage"
            message = f"{usage.format_message()} See: {path} --help"
        except (KeyboardInterrupt, typer.Abort):
            message = "stopped"
        else:
            sys.exit(code if isinstance(code, int) else 0)
        typer.echo(f"triage: {' '.join(message.split())}", err=True)
        sys.exit(2)


app = typer.Typer(
    cls=_Group,
    help="Ticket triage for tiered help desks, learned from a desk's own history.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="List, verify and look into model bundles.", no_args_is_help=True)

app.add_typer(handoff_command.app)
app.add_typer(training.commands.app)
app.add_typer(training.commands.data_app, name="data")
app.add_typer(training.past_commands.app)
app.add_typer(training.report_commands.app)
app.add_typer(training.past_commands.similar_app, name="similar")
app.add_typer(api.commands.app)
app.add_typer(training.kb_commands.kb_app, name="kb")
app.add_typer(training.loop_commands.app)
app.add_typer(training.drift_commands.app)
models_app.add_typer(training.loop_commands.models_app)
app.add_typer(models_app, name="models")
app.add_typer(api.commands.keys_app, name="keys")
app.add_typer(api.commands.db_app, name="db")

ModelPath = Annotated[
    Path | None, typer.Option("--model", help="Bundle, or models folder (default: models)")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text")]


@app.callback()
def _read_settings(context: typer.Context) -> None:
    from api.settings import load_settings

    context.obj = load_settings()


@app.command()
def suggest(
    context: typer.Context,
    subject: str,
    description: Annotated[str, typer.Argument()] = "",
    field: Annotated[
        list[str] | None, typer.Option("--field", help="A form field, as name=value")
    ] = None,
    model: ModelPath = None,
    kb: Annotated[
        Path | None, typer.Option("--kb", help="Folder of articles; enough without a model")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Suggest tier, category, articles and steps for one ticket."""
    from triage.assistance import DeskRules
    from triage.engine import open_engine, with_meaning
    from triage.ticket import Ticket

    fields = {}
    for pair in field or ():
        name, separator, value = pair.partition("=")
        if not separator:
            raise ConfigurationError("a form field is given as --field name=value")
        fields[name] = value
    settings = context.obj
    engine = open_engine(
        model or settings.models,
        keys=settings.keys_dir,
        knowledge=kb or settings.kb,
        taxonomy=settings.taxonomy,
        rules=DeskRules(settings.handoff_min_completeness, settings.article_review_days),
    )
    engine = with_meaning(engine, settings.models / "cache")
    [suggestion] = engine.suggest([Ticket(subject, description, fields=fields)])
    if as_json:
        return show.print_json(suggestion.to_dict())
    return show.show_suggestion(Console(), suggestion)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop before serving")] = False,
    output: Annotated[Path, typer.Option(help="Folder for the demo's model and database")] = Path(
        "models/demo"
    ),
    port: Annotated[int | None, typer.Option(help="(default: 8000)")] = None,
    as_json: AsJson = False,
) -> None:
    """Train on the sample history, suggest for one ticket, then serve."""
    from api.settings import load_settings
    from training.demo import DEMO_TICKET, demo_engine, remember_sample, waiting_sample

    database_url = f"sqlite:///{output}/triage.db"
    settings = load_settings(port=port, models=output, database_url=database_url)
    with show.steps_shown(quiet=as_json) as on_step:
        engine = demo_engine(output, settings.keys_dir, on_step=on_step)
    [suggestion] = engine.suggest([DEMO_TICKET])
    if as_json:
        show.print_json({"suggestion": suggestion.to_dict()})
    else:
        show.show_ticket(Console(), DEMO_TICKET)
        show.show_suggestion(Console(), suggestion)
    if not once:
        with show.steps_shown(quiet=as_json) as on_step:
            remember_sample(settings.database_url, on_step=on_step)
        tickets = waiting_sample()
        api.commands.serve_demo(settings, Console(stderr=as_json), engine, tickets)


@models_app.command("list")
def models_list(context: typer.Context, model: ModelPath = None, as_json: AsJson = False) -> None:
    """List the bundles of a models folder; the champion serves."""
    from triage.bundle import champion, list_bundles, verify_bundle

    folder = model or context.obj.models
    serving = champion(folder)
    rows: list[dict[str, Any]] = []
    for name in list_bundles(folder):
        try:
            manifest, _ = verify_bundle(folder / name, context.obj.keys_dir)
            state = "champion" if name == serving else "ready"
        except TriageError as error:
            manifest, state = {}, str(error)
        rows.append(
            {
                "version": name,
                "state": state,
                "trained_at": manifest.get("trained_at"),
                "targets": sorted(manifest.get("targets", {})),
            }
        )
    if as_json:
        return show.print_json(rows)
    cells = [(r["version"], r["state"], r["trained_at"], ", ".join(r["targets"])) for r in rows]
    columns = ("version", "state", "trained at", "targets")
    empty = f"no bundles in {folder}; make one with: triage train HISTORY --output {folder}"
    return show.show_table(Console(), columns, cells, empty)


@models_app.command("thresholds")
def models_thresholds(
    context: typer.Context,
    model: ModelPath = None,
    target: Annotated[str | None, typer.Option(help="Only this target, such as tier")] = None,
    as_json: AsJson = False,
) -> None:
    """Show, label by label, what each target precision would route: threshold and share."""
    from training.promises import PRECISIONS, read_promises
    from triage.bundle import resolve_model, verify_bundle

    folder = resolve_model(model or context.obj.models)
    manifest, _ = verify_bundle(folder, context.obj.keys_dir)
    promises = read_promises(manifest, target)
    if as_json:
        return show.print_json({"model_version": manifest["version"], **promises.to_dict()})
    console = Console()
    columns = ("label", "tickets", *(f"{precision:.0%}" for precision in PRECISIONS))
    for name, labels in promises.labels.items():
        rows = [
            (label, promise.n, *(choice.in_words() for choice in promise.choices))
            for label, promise in [*labels.items(), ("(all)", promises.overall[name])]
        ]
        show.show_sentences(console, [f"{name}: threshold (share of the tickets it would route)"])
        show.show_table(console, columns, rows, "no labels")
    if promises.together:
        told = ", ".join(
            f"{choice.precision:.0%}: {choice.in_words()}" for choice in promises.together.choices
        )
        return show.show_sentences(console, [f"All targets of a routing right together: {told}"])
    return None


@models_app.command("verify")
def models_verify(context: typer.Context, model: ModelPath = None, as_json: AsJson = False) -> None:
    """Check a bundle's signature and every file of it."""
    from triage.bundle import resolve_model, verify_bundle

    folder = resolve_model(model or context.obj.models)
    manifest, files = verify_bundle(folder, context.obj.keys_dir)
    if as_json:
        return show.print_json(
            {
                **{name: manifest[name] for name in ("version", "key_id", "model_hash")},
                "files": len(files),
                "bytes": sum(map(len, files.values())),
            }
        )
    told = f"{folder} is whole, and signed by the trusted key {manifest['key_id']}"
    return show.show_sentences(Console(), [told])
