"""Commands for editors of knowledge articles: kb check, search, import, draft, gaps, drafts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from rich.console import Console

from triage import console as show
from triage.errors import ConfigurationError, KnowledgeError

if TYPE_CHECKING:
    from training.history import History as ReadHistory
    from training.knowledge_gaps import KnowledgeReview
    from triage.knowledge import KnowledgeBase

# Commands import what they run when they run: `triage --help` must not wait for pandas.


class Settings(Protocol):
    """What these commands need of the settings."""

    @property
    def kb(self) -> Path | None: ...
    @property
    def models(self) -> Path: ...
    @property
    def taxonomy(self) -> Path | None: ...
    @property
    def database_url(self) -> str: ...
    @property
    def article_review_days(self) -> int: ...


kb_app = typer.Typer(
    help="Check, search, import, draft and review knowledge articles.", no_args_is_help=True
)

History = Annotated[list[Path], typer.Argument(help="Exports: CSV, TSV, JSONL, Parquet, XLSX, .gz")]
MappingName = Annotated[
    str | None,
    typer.Option("--mapping", help="Built-in name, mapping file (TOML), or auto (default: auto)"),
]
KbPath = Annotated[
    Path | None, typer.Option("--kb", help="Folder of articles (default: the sample's)")
]
Output = Annotated[Path | None, typer.Option("--output", help="Folder to write drafts to")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text")]

_SHOWN = 30
"""Most rows of a table for people; --json has them all."""


@kb_app.command("check")
def kb_check(
    context: typer.Context,
    kb: Annotated[Path | None, typer.Argument(help="Folder (default: the sample's)")] = None,
    as_json: AsJson = False,
) -> None:
    """Check knowledge articles: form, links, risky steps, age."""
    from dataclasses import asdict
    from datetime import date

    from triage.article_check import check
    from triage.knowledge import read_articles
    from triage.taxonomy import data_folder, load_taxonomy

    settings: Settings = context.obj
    articles, problems = read_articles(kb or settings.kb or data_folder() / "kb")
    problems += check(
        articles,
        load_taxonomy(settings.taxonomy),
        today=date.today(),
        review_days=settings.article_review_days,
    )
    if as_json:
        show.print_json({"articles": len(articles), "problems": [asdict(p) for p in problems]})
    else:
        rows = [(p.severity, p.file, p.line, p.reason) for p in problems]
        told = f"{len(articles)} articles, nothing to complain about"
        show.show_table(Console(), ("severity", "file", "line", "reason"), rows, told)
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(2)


@kb_app.command("search")
def kb_search(
    context: typer.Context,
    query: str,
    kb: KbPath = None,
    top: Annotated[int, typer.Option(help="How many", min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """Find knowledge articles, best first."""
    from triage.article_vectors import MAX_PARTED, encode_articles
    from triage.knowledge import load_knowledge
    from triage.recommender import ArticleRecommender
    from triage.semantic import is_available
    from triage.taxonomy import data_folder

    settings: Settings = context.obj
    base = load_knowledge(kb or settings.kb or data_folder() / "kb")
    cache = settings.models / "cache" if settings.models.is_dir() else None
    reads_meaning = is_available() and len(base.articles) <= MAX_PARTED
    vectors = encode_articles(base.articles, cache) if reads_meaning else None
    hits = ArticleRecommender(base, vectors=vectors).search(query, top=top)
    if as_json:
        return show.print_json([{"id": h.id, "title": h.title, "score": h.score} for h in hits])
    rows = [(f"{h.score:.2f}", h.id, h.title, ", ".join(h.terms)) for h in hits]
    return show.show_table(Console(), ("score", "id", "title", "terms"), rows, "no article fits")


@kb_app.command("import")
def kb_import(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(help="Folder of Markdown files, or an export in CSV or JSON")
    ],
    output: Annotated[Path, typer.Option(help="Folder of articles to write to")],
    form: Annotated[
        str, typer.Option("--format", help="auto, markdown, csv, json, zendesk or servicenow")
    ] = "auto",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="Which column is what, as title=COLUMN; others are guessed"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write files anew that are there with other content")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn another system's articles into ours; every one of them is accounted for."""
    from training.article_import import import_articles
    from triage.taxonomy import load_taxonomy

    columns = {}
    for pair in column or ():
        name, separator, found = pair.partition("=")
        if not separator:
            raise ConfigurationError("a column is named as --column title=COLUMN")
        columns[name] = found
    settings: Settings = context.obj
    with show.steps_shown(quiet=as_json) as on_step:
        report = import_articles(
            source,
            output,
            load_taxonomy(settings.taxonomy),
            form=form,
            columns=columns,
            replace=replace,
            on_step=on_step,
        )
    if as_json:
        show.print_json(report.to_dict())
    else:
        console = Console()
        show.show_sentences(console, report.sentences())
        refused = [
            (one.place, one.id or "", one.reason)
            for one in report.outcomes
            if one.result == "refused"
        ]
        if refused:
            show.show_table(console, ("record", "id", "refused because"), refused[:_SHOWN], "")
        if len(refused) > _SHOWN:
            show.show_sentences(console, [f"and {len(refused) - _SHOWN} more; --json has them all"])
    if not report.count("written"):
        raise typer.Exit(2)


@kb_app.command("gaps")
def kb_gaps(
    context: typer.Context,
    history: History,
    kb: Annotated[
        Path | None, typer.Option("--kb", help="Folder of articles (default: TRIAGE_KB, or none)")
    ] = None,
    mapping: MappingName = None,
    months: Annotated[
        int, typer.Option(help="Months without use after which an article may be unneeded", min=1)
    ] = 12,
    as_json: AsJson = False,
) -> None:
    """Find what articles are missing, which of them fail, and which nobody needs."""
    from training.knowledge_gaps import review_knowledge
    from triage.taxonomy import load_taxonomy

    settings: Settings = context.obj
    taxonomy = load_taxonomy(settings.taxonomy)
    knowledge = _knowledge(kb or settings.kb)
    read = _read(history, mapping, quiet=as_json)
    with show.steps_shown(quiet=as_json) as on_step:
        review = review_knowledge(read.frame, taxonomy, knowledge, months=months, on_step=on_step)
    if as_json:
        return show.print_json({**read.accounting.to_dict(), **review.to_dict()})
    console = Console()
    show.show_sentences(console, read.accounting.sentences())
    return _show_review(console, review, months, has_knowledge=knowledge is not None)


@kb_app.command("draft")
def kb_draft(
    context: typer.Context,
    history: History,
    ticket: Annotated[
        str | None, typer.Option("--ticket", help="Id of a ticket that a higher tier solved")
    ] = None,
    gap: Annotated[
        int | None,
        typer.Option("--gap", help="Number of a gap of `triage kb gaps` instead", min=1),
    ] = None,
    kb: Annotated[
        Path | None, typer.Option("--kb", help="Folder of articles, as for `triage kb gaps`")
    ] = None,
    mapping: MappingName = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Draft an article from a solved ticket, redacted, for a person to edit."""
    from training.article_draft import draft_article, ensure_worth_drafting
    from training.knowledge_gaps import review_knowledge
    from triage.taxonomy import load_taxonomy

    if (ticket is None) == (gap is None):
        raise ConfigurationError("name either a ticket with --ticket or a gap with --gap")
    settings: Settings = context.obj
    taxonomy = load_taxonomy(settings.taxonomy)
    read = _read(history, mapping, quiet=as_json)
    if ticket is not None:
        ensure_worth_drafting(read.frame, ticket, taxonomy)
    else:
        assert gap is not None
        knowledge = _knowledge(kb or settings.kb)
        with show.steps_shown(quiet=as_json) as on_step:
            review = review_knowledge(read.frame, taxonomy, knowledge, on_step=on_step)
        if gap > len(review.gaps):
            raise ConfigurationError(f"--gap {gap}: there are {len(review.gaps)} gaps")
        ticket = review.gaps[gap - 1].typical
        if ticket is None:
            raise KnowledgeError(f"none of the tickets of gap {gap} has an id and a resolution")
    draft = draft_article(read.frame, ticket, taxonomy)
    given = _give([(draft.article.id, draft.text)], output)
    if as_json:
        return show.print_json(given[0])
    return _show_files(given) if output else typer.echo(draft.text)


@kb_app.command("drafts")
def kb_drafts(context: typer.Context, output: Output = None, as_json: AsJson = False) -> None:
    """List the drafts that came in over HTTP, or write them as files for editors."""
    from triage.store import open_store

    settings: Settings = context.obj
    store = open_store(settings.database_url, must_exist=True)
    try:
        drafts = store.drafts.newest(limit=10_000)
    finally:
        store.close()
    given = _give([(draft.id, draft.content) for draft in drafts], output)
    if as_json:
        return show.print_json(
            [
                {**one, "title": draft.title, "created_at": draft.created_at.isoformat()}
                for one, draft in zip(given, drafts, strict=True)
            ]
        )
    if output:
        return _show_files(given)
    rows = [(draft.id, f"{draft.created_at:%Y-%m-%d %H:%M}", draft.title) for draft in drafts]
    return show.show_table(Console(), ("id", "came in (UTC)", "title"), rows, "no drafts")


def _knowledge(folder: Path | None) -> "KnowledgeBase | None":
    from triage.knowledge import load_knowledge

    return load_knowledge(folder) if folder else None


def _read(history: list[Path], mapping: str | None, *, quiet: bool) -> "ReadHistory":
    from training.history import read_history
    from training.mapping import load_mapping

    with show.rows_shown("reading", quiet=quiet) as on_rows:
        return read_history(history, load_mapping(mapping), on_progress=on_rows)


def _give(drafts: Sequence[tuple[str, str]], output: Path | None) -> list[dict[str, Any]]:
    """Write drafts as files where a folder is named; a file that is there stays as it is."""
    from training.article_import import ArticleFolder

    folder = ArticleFolder(output, replace=False) if output else None
    return [
        {
            "id": draft_id,
            "file": str(output / f"{draft_id}.md") if output else None,
            "problem": folder.put(draft_id, text) if folder else None,
            "content": text,
        }
        for draft_id, text in drafts
    ]


def _show_files(given: Sequence[dict[str, Any]]) -> None:
    told = [f"not written: {one['problem']}" if one["problem"] else one["file"] for one in given]
    show.show_sentences(Console(), told or ["no drafts"])
    if any(one["problem"] for one in given):
        raise typer.Exit(2)


def _show_review(
    console: Console, review: "KnowledgeReview", months: int, *, has_knowledge: bool
) -> None:
    show.show_sentences(console, review.notes)
    show.show_sentences(
        console,
        [
            f"{review.without_article:,} of {review.tickets:,} tickets had no article; "
            f"{len(review.gaps)} gaps, the dearest first:"
        ],
    )
    rows = [
        (
            number,
            gap.tickets,
            gap.cost,
            gap.category or "",
            ", ".join(gap.terms),
            ", ".join(f"{tier}: {share:.0%}" for tier, share in gap.tiers.items()),
            f"{gap.nearest} ({gap.offered:.0%})" if gap.nearest else "none",
            ", ".join(gap.examples[:3]),
        )
        for number, gap in enumerate(review.gaps[:_SHOWN], 1)
    ]
    columns = (
        "gap",
        "tickets",
        "cost",
        "category",
        "words",
        "solved by tier",
        "nearest",
        "such as",
    )
    show.show_table(console, columns, rows, "no gaps: fewer than five tickets ask for the same")
    if review.failures:
        show.show_sentences(
            console,
            [f"{review.failures:.1%} of all uses failed; articles that fail more often for sure:"],
        )
        failing = [
            (one.id, one.title or "", one.used, one.failed, f"{one.at_least:.0%}")
            for one in review.failing[:_SHOWN]
        ]
        show.show_table(
            console, ("article", "title", "used", "failed", "at least"), failing, "none"
        )
    if has_knowledge:
        show.show_sentences(console, [f"Articles that nobody needed in the last {months} months:"])
        unneeded = [(one.id, one.title, one.last_used or "never") for one in review.unneeded]
        show.show_table(console, ("article", "title", "last used"), unneeded[:_SHOWN], "none")
