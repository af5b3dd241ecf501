"""How results look on a terminal: progress with an estimate, suggestions, tables of metrics."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from triage.suggestion import Prediction, Suggestion
from triage.ticket import Ticket

_DECISIONS = {
    "route": "[bold green]route[/]: sure enough to keep the promised precision",
    "suggest": "[bold yellow]suggest[/]: worth showing, a person confirms",
    "review": "[bold red]review[/]: left to a person",
}
_STEPS = {"check": "Check first", "ask": "Ask", "verify": "Verify", "escalate": "Escalate if"}


@contextmanager
def steps_shown(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show steps with their share done and an estimate of the rest, on stderr.

    A total of 0 means that nobody knows it before the end: what is done is counted.
    """
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("about"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def finish() -> None:
        for task in tasks.values():
            if progress.tasks[task].total is None:
                progress.update(task, total=progress.tasks[task].completed)
            progress.update(task, completed=progress.tasks[task].total)

    def report(name: str, done: int, total: int) -> None:
        if name not in tasks:
            finish()
            tasks[name] = progress.add_task(name, total=total or None)
        progress.update(tasks[name], completed=done)

    with progress:
        yield report
        finish()


@contextmanager
def rows_shown(what: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a growing number of rows and the time it takes, on stderr."""
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        task = progress.add_task(what, total=None)
        yield lambda rows: progress.update(task, completed=rows)


def show_suggestion(console: Console, suggestion: Suggestion) -> None:
    """Print a suggestion for a person: what, how sure, why, and what to do."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("Decision", _DECISIONS[suggestion.decision])
    for name, prediction in _predictions(suggestion):
        table.add_row(name, _in_words(prediction))
    if suggestion.tier and suggestion.next_tier not in (None, suggestion.tier.label):
        table.add_row("Goes to", f"tier {escape(str(suggestion.next_tier))} first")
    for reason in suggestion.reasons:
        table.add_row("Because", f"{escape(reason.message)} {escape(reason.next_action)}")
    for target, terms in suggestion.explanation.items():
        spoken = ", ".join(f"{escape(term.term)} {term.weight:+.2f}" for term in terms[:6])
        table.add_row(f"Words for {target}", spoken)
    used = {step.article_id: step for step in suggestion.steps if step.tried}
    for article in suggestion.articles:
        step = used.get(article.id)
        helped = f", solved {step.solved} of {step.tried}" if step else ""
        told = f"{article.id} {escape(article.title)} ({int(100 * article.score)}%{helped})"
        table.add_row("Article", told)
    for warning in suggestion.warnings:
        table.add_row("Note", escape(warning))
    for ticket in suggestion.similar:
        ended = f"tier {escape(ticket.tier)}" if ticket.tier else "open"
        told = f"{escape(ticket.ticket_id)} {escape(ticket.subject)}"
        table.add_row("Similar", f"{told} ({ticket.similarity:.0%}, {ended})")
    number = 0
    for step in suggestion.steps:
        number += step.kind == "do"
        name = _STEPS.get(step.kind) or f"Step {number}"
        source = f" [dim]({step.article_id})[/]" if step.article_id else ""
        table.add_row(name, f"{escape(step.text)}{source}")
    if suggestion.handoff:
        asked = suggestion.handoff.questions
        ready = "ready" if suggestion.handoff.is_ready else f"ask first: {' '.join(asked)}"
        complete = f"{suggestion.handoff.completeness:.0%} complete"
        table.add_row(
            "Hand-off", f"{escape(suggestion.handoff.summary)} ({complete}; {escape(ready)})"
        )
    console.print(Panel(table, title="Suggestion", title_align="left"))


def show_ticket(console: Console, ticket: Ticket) -> None:
    """Print a ticket as it arrived."""
    text = f"[bold]{escape(ticket.subject)}[/]\n{escape(ticket.description)}"
    console.print(Panel(text, title="Ticket", title_align="left"))


def show_sentences(console: Console, sentences: Sequence[str]) -> None:
    """Print sentences, a line each, whole: a path or a key is never broken in two."""
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def show_warning(sentence: str | None) -> None:
    """Print what went wrong without stopping anything, one line on stderr."""
    if sentence:
        print(f"triage: {sentence}", file=sys.stderr)  # noqa: T201


def print_json(content: Any) -> None:
    """Print plain data as JSON on stdout."""
    print(json.dumps(content, ensure_ascii=False, indent=2, default=str))  # noqa: T201


def show_metrics(console: Console, title: str, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the headline figures, one row a target, then those of tiers missed and of levels."""
    table = Table(title=title, title_justify="left")
    table.add_column("target")
    for name in ("accuracy", "macro-F1", "ECE", "coverage at 90%", "at 95%", "tickets"):
        table.add_column(name, justify="right")
    for target, values in metrics.items():
        table.add_row(
            escape(target),
            f"{values['accuracy']:.3f}",
            f"{values['macro_f1']:.3f}",
            f"{values['ece']:.3f}",
            f"{values['coverage_at_90']:.0%}",
            f"{values['coverage_at_95']:.0%}",
            f"{values['n']:,}",
        )
    console.print(table)
    for target, values in metrics.items():
        show_sentences(console, list(_further_figures(target, values)))


def show_table(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str
) -> None:
    """Print a plain table, or a sentence when it has no rows."""
    if not rows:
        console.print(empty)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


def _further_figures(target: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("routed_precision") is not None:
        yield (
            f"{target}: {values['routed']:.1%} would be routed unseen, "
            f"{values['routed_precision']:.1%} of them right"
        )
    elif "routed" in values:
        yield f"{target}: none would be routed unseen"
    if "under_escalated" in values:
        cost = f"; mean cost {values['mean_cost']:.3f}" if "mean_cost" in values else ""
        yield (
            f"{target}: {values['under_escalated']:.1%} would be sent too low, "
            f"{values['over_escalated']:.1%} too high{cost}"
        )
    for number, level in enumerate(values.get("levels", ()), 1):
        yield (
            f"{target}, level {number}: accuracy {level['accuracy']:.3f}, "
            f"macro-F1 {level['macro_f1']:.3f}"
        )


def _predictions(suggestion: Suggestion) -> Iterator[tuple[str, Prediction]]:
    if suggestion.tier:
        yield "Tier", suggestion.tier
    if suggestion.category:
        yield "Category", suggestion.category
    for target, prediction in suggestion.targets.items():
        yield escape(target), prediction


def _in_words(prediction: Prediction) -> str:
    likely = [f"{escape(one.label)} {one.confidence:.1%}" for one in prediction.alternatives]
    if prediction.label is None:
        return f"none; at best {likely[0]}{_in_brackets(likely[1:])}" if likely else "none"
    others = [
        words
        for one, words in zip(prediction.alternatives, likely, strict=True)
        if one.label != prediction.label
    ]
    name = f", {escape(prediction.name or '')}" if prediction.name != prediction.label else ""
    shown = f"[bold]{escape(prediction.label)}[/]{name} {prediction.confidence:.1%}"
    return shown + _in_brackets(others)


def _in_brackets(others: Sequence[str]) -> str:
    return f" [dim](or {', '.join(others)})[/]" if others else ""
