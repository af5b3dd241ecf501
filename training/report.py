"""The training report: one HTML file telling how good a model is and how that was measured."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from training.accounting import Accounting
from training.fit import Learned
from training.plots import (
    FEWEST,
    Bin,
    Plot,
    calibration_bins,
    calibration_plot,
    coverage_plot,
    in_percent,
    learning_plot,
)
from training.promises import PRECISIONS
from training.study import Study, TargetStudy
from training.telling import MIN_REQUESTERS, MIN_TICKETS
from triage.classifier import MIN_TICKETS as MIN_LEARNABLE
from triage.confidence import BoolArray, FloatArray, coverage_at, lower_bound
from triage.model import Head
from triage.taxonomy import Taxonomy

_UNCHECKED = {"n": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0}
_MAX_CONFUSED = 20  # labels; a larger matrix is no longer readable on paper
_STEPS = 200  # of the slider: half a percent of confidence each
_DELTA = 0.05  # chance that the true precision is below the bound shown


@dataclass(frozen=True, slots=True)
class _Label:
    """A line of the table of labels; ``threshold`` means nothing where it was not learned."""

    label: str
    name: str
    n: int
    precision: float
    recall: float
    f1: float
    is_learned: bool
    threshold: float | None


@dataclass(frozen=True, slots=True)
class _Confusion:
    """Counts of truth by prediction for the commonest labels, the others in a last column."""

    labels: list[str]
    rows: list[list[int]]
    has_others: bool


@dataclass(frozen=True, slots=True)
class _Target:
    """What the page tells about one target.

    ``steps`` holds for each stop of the slider how many tickets reach the threshold, how many of
    them were right, and the lower bound of their precision.
    """

    name: str
    head: Head
    parts: Mapping[str, Mapping[str, Any]]
    study: TargetStudy
    commonest_share: float
    labels: list[_Label]
    suggest_only: list[str]
    held_back: list[str]
    excluded: list[str]
    too_few: list[tuple[str, int, int]]
    n_single: int
    confusion: _Confusion
    bins: list[Bin]
    coverage_at_target: float
    calibration: Plot
    coverage: Plot
    learning: Plot | None
    steps: str


def render_report(
    learned: Learned,
    study: Study,
    *,
    version: str,
    facts: Mapping[str, Any],
    accounting: Accounting,
) -> str:
    """Render the report of a training; the same input gives the same text.

    Parameters
    ----------
    facts : trained_at, training_s, seed, data_hash, model_hash, and libraries (name -> version)

    Returns
    -------
    str : an HTML page that asks for no other file and runs one script, its own; it holds names of
        labels and fields, common words and numbers, never a ticket's text
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count="{:,}".format,
        percent="{:.1%}".format,
        points=lambda share: _with_minus(f"{100 * share:+.1f}"),
        signed=lambda number: _with_minus(f"{number:+.3f}"),
        decimal="{:.3f}".format,
        goal=in_percent,
    )
    script = files("training").joinpath("templates/report.js").read_text("utf-8")
    return environment.get_template("report.html").render(
        version=version,
        facts=facts,
        sentences=accounting.sentences(),
        learned=learned,
        study=study,
        goal=in_percent(learned.model.target_precision),
        precisions=PRECISIONS,
        fewest=FEWEST,
        n_steps=_STEPS,
        min_learnable=MIN_LEARNABLE,
        min_tickets=MIN_TICKETS,
        min_requesters=MIN_REQUESTERS,
        script=Markup(script),  # our own file, and the only one the page's policy lets run
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        targets=[_describe(target, learned, study.targets[target]) for target in study.targets],
    )


def _describe(target: str, learned: Learned, study: TargetStudy) -> _Target:
    head, measured = learned.model.heads[target], learned.metrics[target]
    taxonomy, precision = learned.model.taxonomy, learned.model.target_precision
    labels = _label_rows(target, measured["out_of_fold"], head, taxonomy)
    bins = calibration_bins(study.confidence, study.correct)
    too_few = sorted(head.classifier.too_few_.items(), key=lambda entry: (-entry[1], entry[0]))
    held_back = [label for label in head.labels if not taxonomy.may_route(target, label)]
    return _Target(
        name=target,
        head=head,
        parts=measured,
        study=study,
        commonest_share=labels[0].n / len(study.correct),
        labels=labels,
        suggest_only=[
            label
            for label in head.labels
            if head.thresholds[label] is None and label not in held_back
        ],
        held_back=held_back,
        excluded=[label for label in head.labels if taxonomy.is_excluded(target, label)],
        # Not the labels of one ticket: one may be a text that slipped into its column.
        too_few=[(label, n, MIN_LEARNABLE - n) for label, n in too_few if n > 1],
        n_single=sum(n == 1 for _, n in too_few),
        confusion=_confusion(measured["out_of_fold"]["confusion"]),
        bins=bins,
        coverage_at_target=coverage_at(study.confidence, study.correct, precision),
        calibration=calibration_plot(f"calibration of {target}", bins),
        coverage=coverage_plot(f"coverage of {target}", study.confidence, study.correct, precision),
        learning=learning_plot(f"learning of {target}", study.refits.curve)
        if study.refits
        else None,
        steps=json.dumps(_steps(study.confidence, study.correct), separators=(",", ":")),
    )


def _label_rows(
    target: str, measured: Mapping[str, Any], head: Head, taxonomy: Taxonomy
) -> list[_Label]:
    """List the labels, the commonest first."""
    names = {"tier": taxonomy.tier_name, "category": taxonomy.category_name}
    name_of = names.get(target, str)
    rows = [
        _Label(
            label=label,
            name=name_of(label),
            **scores,
            is_learned=label in head.thresholds,
            threshold=head.thresholds.get(label),
        )
        # A label whose tickets are all near twins of one another is learned, but not checked.
        for label, scores in {
            **dict.fromkeys(head.labels, _UNCHECKED),
            **measured["per_label"],
        }.items()
    ]
    return sorted(rows, key=lambda row: (-row.n, row.label))


def _confusion(measured: Mapping[str, Any]) -> _Confusion:
    counts = np.array(measured["rows"], dtype=np.int64)
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    shown, others = order[:_MAX_CONFUSED], order[_MAX_CONFUSED:]
    rows = counts[np.ix_(shown, shown)]
    if len(others):
        rows = np.column_stack([rows, counts[np.ix_(shown, others)].sum(axis=1)])
    return _Confusion(
        [measured["labels"][index] for index in shown], rows.tolist(), len(others) > 0
    )


def _steps(confidence: FloatArray, correct: BoolArray) -> list[tuple[int, int, float]]:
    order = np.argsort(confidence, kind="stable")
    ranked, right = confidence[order], np.append(np.cumsum(correct[order][::-1])[::-1], 0)
    below = np.searchsorted(ranked, np.arange(_STEPS + 1) / _STEPS, side="left")
    return [
        (n := len(ranked) - int(place), n_right := int(right[place]), _bound(n_right, n))
        for place in below
    ]


def _with_minus(number: str) -> str:
    return number.replace("-", "\N{MINUS SIGN}")


def _bound(right: int, n: int) -> float:
    return round(lower_bound(right, n, _DELTA), 4)
