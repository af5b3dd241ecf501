"""Commands for data teams: train, evaluate, predict, data check, data audit."""

from contextlib import closing, nullcontext
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError

# Commands import what they run when they run: `triage --help` must not wait for pandas.


class Settings(Protocol):
    """What these commands need of the settings."""

    @property
    def models(self) -> Path: ...
    @property
    def keys_dir(self) -> Path: ...
    @property
    def taxonomy(self) -> Path | None: ...
    @property
    def database_url(self) -> str: ...


app = typer.Typer()
data_app = typer.Typer(
    help="Look at ticket histories before learning from them.", no_args_is_help=True
)

History = Annotated[list[Path], typer.Argument(help="Exports: CSV, TSV, JSONL, Parquet, XLSX, .gz")]
MappingName = Annotated[
    str | None,
    typer.Option("--mapping", help="Built-in name, mapping file (TOML), or auto (default: auto)"),
]
ModelPath = Annotated[
    Path | None, typer.Option("--model", help="Bundle, or models folder (default: models)")
]
KbPath = Annotated[Path | None, typer.Option("--kb", help="Folder of knowledge articles")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text")]


@app.command()
def train(
    context: typer.Context,
    history: History,
    mapping: MappingName = None,
    kb: KbPath = None,
    output: Annotated[Path | None, typer.Option(help="Models folder (default: models)")] = None,
    taxonomy: Annotated[Path | None, typer.Option(help="Taxonomy file (TOML)")] = None,
    target_precision: Annotated[
        float, typer.Option(help="Precision promised of what is routed unseen")
    ] = 0.95,
    seed: Annotated[
        int, typer.Option(help="Same history and seed, same model", min=0, max=2**32 - 1)
    ] = 0,
    semantic: Annotated[
        bool, typer.Option("--semantic", help="Also read what texts mean, where it helps (English)")
    ] = False,
    budget_s: Annotated[
        float, typer.Option(help="Seconds to spend on looking for better settings", min=0)
    ] = 0.0,
    settings_of: Annotated[
        Path | None,
        typer.Option(help="Learn with the settings of this bundle (a search's outcome)"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn from a ticket history; make a signed bundle, a report and an MLflow run."""
    from training.pipeline import run_training

    settings: Settings = context.obj
    with show.steps_shown(quiet=as_json) as on_step:
        trained = run_training(
            history,
            output=output or settings.models,
            keys=settings.keys_dir,
            mapping=mapping,
            kb=kb,
            taxonomy=taxonomy or settings.taxonomy,
            target_precision=target_precision,
            seed=seed,
            semantic=semantic,
            budget_s=budget_s,
            settings_of=settings_of,
            on_step=on_step,
        )
    show.show_warning(trained.warning)
    if as_json:
        return show.print_json(trained.to_dict())
    console = Console()
    show.show_sentences(console, trained.accounting.sentences())
    by_time = trained.learned.is_split_by_time
    newest = "the newest 20%" if by_time else "a random 20% (no dates)"
    for part, title in (
        ("out_of_fold", "Cross-validated, near twins kept apart"),
        ("newest", f"Learned on the other 80%, asked about {newest}"),
    ):
        metrics = {target: parts[part] for target, parts in trained.learned.metrics.items()}
        measured = {target: values for target, values in metrics.items() if values}
        if measured:
            show.show_metrics(console, title, measured)
        for target in metrics.keys() - measured.keys():
            show.show_sentences(console, [f"{title}: too few different tickets to tell ({target})"])
    show.show_sentences(
        console,
        [f"{name} was not learned: {why}" for name, why in trained.learned.skipped.items()],
    )
    show.show_sentences(
        console,
        [
            found.sentence(target)
            for outcome in (trained.learned.searches, trained.learned.meaning)
            for target, found in outcome.items()
        ],
    )
    serves = "it serves now" if trained.is_champion else "another one serves; promote it to change"
    return show.show_sentences(
        console, [f"Bundle {trained.folder} ({serves})", f"Report {trained.report}"]
    )


@app.command()
def evaluate(
    context: typer.Context,
    history: History,
    model: ModelPath = None,
    mapping: MappingName = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model on tickets it has not seen."""
    from training.evaluate import evaluate as measure_model
    from training.history import read_history
    from training.mapping import load_mapping
    from triage.engine import load_engine

    settings: Settings = context.obj
    engine = load_engine(model or settings.models, keys=settings.keys_dir)
    with show.rows_shown("reading", quiet=as_json) as on_rows:
        read = read_history(history, load_mapping(mapping), on_progress=on_rows)
    metrics = measure_model(engine, read.frame)
    if not metrics:
        raise ConfigurationError(
            f"nothing to measure: the model predicts {', '.join(engine.model.heads)}, "
            "the history has no such label; check --mapping"
        )
    if as_json:
        return show.print_json(
            {**read.accounting.to_dict(), "model_version": engine.version, "targets": metrics}
        )
    console = Console()
    show.show_sentences(console, read.accounting.sentences())
    missing = engine.model.heads.keys() - metrics.keys()
    if missing:
        show.show_sentences(
            console, [f"not measured, the history has no such label: {', '.join(sorted(missing))}"]
        )
    return show.show_metrics(console, f"Model {engine.version}", metrics)


@app.command()
def predict(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Tickets: any history format")],
    output: Annotated[Path, typer.Option(help=".csv, .jsonl or .parquet")],
    model: ModelPath = None,
    mapping: MappingName = None,
    as_json: AsJson = False,
) -> None:
    """Score a file of tickets, streamed; writes id and label, confidence, decision a target."""
    from training.mapping import load_mapping
    from training.predict import predict_file
    from triage.engine import load_engine

    settings: Settings = context.obj
    engine = load_engine(model or settings.models, keys=settings.keys_dir)
    with show.rows_shown("scoring", quiet=as_json) as on_rows:
        scored = predict_file(engine, source, load_mapping(mapping), output, on_progress=on_rows)
    if as_json:
        return show.print_json(
            {
                "model_version": engine.version,
                "output": str(output),
                "rows": {"scored": scored.rows, "rejected": len(scored.rejected)},
            }
        )
    told = f"{scored.rows:,} tickets scored, {len(scored.rejected):,} rows rejected: {output}"
    return show.show_sentences(Console(), [told])


@data_app.command("check")
def data_check(
    history: History,
    mapping: MappingName = None,
    rejected: Annotated[Path | None, typer.Option(help="Write rejected rows to this CSV")] = None,
    as_json: AsJson = False,
) -> None:
    """Account for every row of a history, without learning from it."""
    from training.history import ensure_learnable, label_columns, read_history
    from training.mapping import load_mapping

    with show.rows_shown("reading", quiet=as_json) as on_rows:
        read = read_history(history, load_mapping(mapping), on_progress=on_rows)
    if rejected:
        read.write_rejected(rejected)
    labels = {
        column: read.frame[column].value_counts().to_dict() for column in label_columns(read.frame)
    }
    if as_json:
        show.print_json({**read.accounting.to_dict(), "labels": labels})
    else:
        console = Console()
        show.show_sentences(console, read.accounting.sentences())
        rows = [
            (column, len(counts), ", ".join(f"{name} {n}" for name, n in list(counts.items())[:8]))
            for column, counts in labels.items()
        ]
        show.show_table(console, ("label", "values", "most frequent"), rows, "no labels")
    ensure_learnable(read)


@data_app.command("audit")
def data_audit(
    context: typer.Context,
    history: History,
    mapping: MappingName = None,
    output: Annotated[
        Path | None, typer.Option(help="Write every ticket found to this CSV")
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Put labels that are probably wrong on the review page")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for wrong labels, leaks, personal data and other things that teach the wrong lesson."""
    from training.audit.review import doubts_of
    from training.audit.run import audit_history
    from triage.store import open_store

    settings: Settings = context.obj
    # Opened first: an audit that took long is not lost for want of a database.
    with closing(open_store(settings.database_url)) if review else nullcontext() as store:
        with show.steps_shown(quiet=as_json) as on_step:
            audit, frame = audit_history(
                history, mapping=mapping, taxonomy=settings.taxonomy, on_step=on_step
            )
        told = audit.to_dict()
        sentences = [*audit.accounting.sentences(), *(audit.sentences() or ["nothing found"])]
        if store is not None:
            waiting = store.label_doubts.save(list(doubts_of(frame, audit.findings)))
            told["for_review"] = waiting
            sentences.append(f"{waiting:,} labels wait for a person at /review/labels")
    if as_json:
        show.print_json(told)
    else:
        show.show_sentences(Console(), sentences)
    if output:  # last: an audit that took long is not lost for want of a folder
        audit.write_csv(output)


@data_app.command("export-feedback")
def data_export_feedback(
    context: typer.Context,
    output: Annotated[Path, typer.Argument(help="File to write: .csv or .jsonl")],
    as_json: AsJson = False,
) -> None:
    """Write what people said about suggestions to a file, redacted."""
    from training.feedback_export import export_feedback
    from triage.store import open_store

    settings: Settings = context.obj
    with (
        closing(open_store(settings.database_url, must_exist=True)) as store,
        show.rows_shown("writing", quiet=as_json) as on_rows,
    ):
        rows = export_feedback(store, output, on_rows=on_rows)
    if as_json:
        return show.print_json({"rows": rows, "output": str(output)})
    return show.show_sentences(Console(), [f"{rows:,} rows of feedback: {output}"])
