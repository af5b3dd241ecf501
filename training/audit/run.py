"""An audit from end to end: exports in, findings out, as data and as CSV."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from training.accounting import Accounting
from training.audit.conflicts import find_conflicts
from training.audit.fields import find_field_leaks
from training.audit.finding import Finding
from training.audit.inseparable import find_inseparable_labels
from training.audit.leaks import requesters
from training.audit.personal import find_personal
from training.audit.scores import LabelArray, is_learnable, labels_by_target, score_out_of_fold
from training.audit.terms import find_term_leaks, read_terms
from training.audit.tiers import find_contradicted_tiers
from training.audit.wrong_labels import find_wrong_labels
from training.canonical import FIELD
from training.fit import OnStep
from training.history import ensure_learnable, iter_rows, read_history
from training.mapping import Mapping, load_mapping
from training.tickets import field_names, iter_tickets
from triage.classifier import MIN_TICKETS
from triage.errors import HistoryError
from triage.features import TicketFeatures
from triage.prepare import prepare
from triage.spreadsheet import inert
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.ticket import Ticket
from triage.twins import twin_clusters

CSV_COLUMNS = (
    *("kind", "code", "target", "column", "term", "ticket"),
    *("label", "proposed", "confidence", "group"),
)
"""Columns of the report, one row for each ticket of each finding."""

_MAX_SHOWN = 5  # tickets named in a sentence; the CSV and the JSON have them all
_PART = 1000  # tickets between two words on the progress


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found; no part of it holds ticket text.

    ``tickets`` names the ticket of each row: its id, or file and line. ``skipped`` tells for which
    targets and why wrong and inseparable labels were not looked for.
    """

    accounting: Accounting
    tickets: list[str]
    findings: list[Finding]
    skipped: dict[str, str]

    def sentences(self) -> list[str]:
        """Tell it to a person, one line a finding, with some of its tickets."""
        told = [f"{target} was not scored: {why}" for target, why in self.skipped.items()]
        for finding in self.findings:
            shown = [self.tickets[suspect.row] for suspect in finding.suspects[:_MAX_SHOWN]]
            more = f" and {finding.count - _MAX_SHOWN:,} more" if finding.count > _MAX_SHOWN else ""
            told.append(
                f"{finding.kind.replace('_', ' ')} ({finding.share:.1%}): {finding.sentence}: "
                f"{', '.join(shown)}{more}"
            )
        return told

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            **self.accounting.to_dict(),
            "skipped": self.skipped,
            "findings": [finding.to_dict(self.tickets.__getitem__) for finding in self.findings],
        }

    def write_csv(self, path: Path) -> None:
        """Write each finding's tickets, for people and spreadsheets.

        Raises
        ------
        HistoryError : the file cannot be written
        """
        try:
            with path.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, CSV_COLUMNS, restval="", extrasaction="ignore")
                writer.writeheader()
                for finding in self.findings:
                    shared = finding.to_dict(self.tickets.__getitem__)
                    for ticket in shared.pop("tickets"):
                        writer.writerow(_inert(shared | ticket))
        except OSError as error:
            raise HistoryError(
                f"{path.name} cannot be written: {error.strerror}; name another file with --output"
            ) from error


def run_audit(
    history: Sequence[Path],
    *,
    mapping: str | None = None,
    taxonomy: Path | None = None,
    n_jobs: int = -1,
    on_step: OnStep | None = None,
) -> Audit:
    """Audit one history from one or more exports; parameters are those of `audit_history`."""
    audit, _ = audit_history(
        history, mapping=mapping, taxonomy=taxonomy, n_jobs=n_jobs, on_step=on_step
    )
    return audit


def audit_history(
    history: Sequence[Path],
    *,
    mapping: str | None = None,
    taxonomy: Path | None = None,
    n_jobs: int = -1,
    on_step: OnStep | None = None,
) -> tuple[Audit, pd.DataFrame]:
    """Audit one history from one or more exports, and give the tickets along.

    Parameters
    ----------
    mapping : name of a built-in mapping, path to a mapping file, or None to guess
    taxonomy : taxonomy file, None for the one that comes with the package
    n_jobs : processes that share the cross-fit, -1 for one a core

    Returns
    -------
    Audit : what was found
    DataFrame : the canonical history, in which a suspect's row is counted

    Raises
    ------
    TriageError : what is wrong with the history, the mapping or the taxonomy
    """
    report = on_step or (lambda name, done, total: None)
    columns, words = load_mapping(mapping), load_taxonomy(taxonomy)
    read = read_history(history, columns)
    ensure_learnable(read)
    tickets = _ticket_names(read.frame, history, columns)
    findings, skipped = audit_frame(read.frame, columns, words, n_jobs=n_jobs, on_step=report)
    return Audit(read.accounting, tickets, findings, skipped), read.frame


def audit_frame(
    frame: pd.DataFrame,
    mapping: Mapping,
    taxonomy: Taxonomy,
    *,
    n_jobs: int = 1,
    on_step: OnStep,
) -> tuple[list[Finding], dict[str, str]]:
    """Audit a canonical history.

    Leaks come first: the form fields among them are kept from the models that look for wrong
    labels, which would otherwise believe whatever the field says.

    Returns
    -------
    list of Finding : in the order of `training.audit.finding.Kind`
    dict : see `Audit.skipped`
    """
    truths = labels_by_target(frame)
    personal = find_personal(frame, on_step)
    prepared = _prepared(frame, on_step)
    leaks = _leaks(frame, truths, prepared, personal.values, on_step)
    leaking = {finding.column for finding in leaks}
    fields = [name for name in field_names(frame) if f"{FIELD}{name}" not in leaking]
    clusters = twin_clusters(prepared)
    matrix = TicketFeatures(fields).fit_transform(prepared)
    scores = [
        score_out_of_fold(target, truth, matrix, clusters, n_jobs=n_jobs, on_step=on_step)
        for target, truth in truths.items()
        if is_learnable(truth)
    ]
    skipped = {
        target: f"fewer than two labels with {MIN_TICKETS} tickets each"
        for target, truth in truths.items()
        if not is_learnable(truth)
    }
    findings = [finding for scored in scores for finding in find_wrong_labels(scored)]
    for target, truth in truths.items():
        findings += find_conflicts(target, truth, prepared, clusters)
    for scored in scores:
        findings += find_inseparable_labels(scored)
    findings += leaks + personal.findings + find_contradicted_tiers(frame, mapping, taxonomy)
    return findings, skipped


def _prepared(frame: pd.DataFrame, on_step: OnStep) -> list[Ticket]:
    prepared = []
    for row, ticket in enumerate(iter_tickets(frame)):
        if row % _PART == 0:
            on_step("cleaning the texts", row, len(frame))
        prepared.append(prepare(ticket))
    return prepared


def _leaks(
    frame: pd.DataFrame,
    truths: dict[str, LabelArray],
    prepared: Sequence[Ticket],
    private: frozenset[str],
    on_step: OnStep,
) -> list[Finding]:
    asked = requesters(frame)
    terms = read_terms(prepared, private)
    findings = []
    for done, (target, truth) in enumerate(truths.items()):
        on_step("looking for leaks", done, len(truths))
        findings += find_field_leaks(target, truth, frame, asked)
        findings += find_term_leaks(target, truth, terms, asked)
    return findings


def _ticket_names(frame: pd.DataFrame, paths: Sequence[Path], mapping: Mapping) -> list[str]:
    """Name each ticket by its id; those without one by file and line, which takes reading again."""
    if frame["id"].notna().all():
        return frame["id"].tolist()
    places, ids = [], []
    for path in paths:
        for chunk in iter_rows(path, mapping):
            places += [f"{path.name}:{line}" for line in chunk.lines]
            ids.append(chunk.frame["id"])
    named = pd.concat(ids, ignore_index=True)
    stays = named.isna() | ~named.duplicated(keep="last")  # as rows of one id are merged
    return named.where(named.notna(), pd.Series(places))[stays].tolist()


def _inert(row: dict[str, Any]) -> dict[str, Any]:
    return {key: inert(value) if isinstance(value, str) else value for key, value in row.items()}
