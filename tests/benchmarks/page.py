"""The Learning part of docs/benchmarks.md, written from the numbers in docs/benchmarks/."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tests.benchmarks import rows
from tests.benchmarks.contenders import OURS
from tests.benchmarks.guarantees import RESAMPLES

PLOTS = """\
![Accuracy by contender](plots/accuracy.png)

![How often a confidence is right](plots/reliability.png)

![Coverage against precision](plots/coverage.png)"""


def render(found: Mapping[str, Any]) -> str:
    """Write the whole part as Markdown; a table without rows is left out.

    Parameters
    ----------
    found : what docs/benchmarks/learning.json holds
    """
    sets = found["sets"]
    parts = [
        _preface(found),
        *(_section(name, _sizes(one), rows.contest(one)) for name, one in sets.items()),
        _section(
            "Ours less the best peer",
            "Best by the figure in question. Intervals over random splits are corrected for the "
            "tickets that the splits share (Nadeau & Bengio, 2003); that of the accuracy from "
            "older to newer is over its tickets. Times, speed and memory are multiples of those "
            "of the peer best by accuracy, and of the public recipe, TF-IDF and logistic "
            "regression.",
            rows.leads(sets),
        ),
        _section(
            "Confidence",
            "The ECE of each random split is held against the 95th percentile of what perfectly "
            "true confidences would show on as many tickets. Pooled: one ECE over the test "
            "tickets of all random splits.",
            rows.confidence(sets),
        ),
        _section(
            "Without near twins",
            "Accuracy on the test tickets of the random splits that have no training ticket at a "
            "TF-IDF cosine over 0.8.",
            rows.without_twins(sets),
        ),
        _section(
            "Precision of what is routed",
            f"Thresholds set on a random half of the tickets and looked at on the other, "
            f"{RESAMPLES} times; confidences out of fold. Nothing routed counts as kept. A half "
            "has its own chance: true precision at the target shows below it half of the time.",
            rows.promises(sets),
        ),
        _section(
            "Text from elsewhere",
            "Share that the engine leaves to a person after learning the tiers of "
            "assignment_groups. Foreign tickets are the utterances of clinc_oos that belong to "
            "no intent, strung together and cut to as many words as a real test ticket has in "
            "subject and description, with its form fields; nonsense is random letters, word by "
            "word as long as the real ones. The aim is 0.95 of foreign tickets and at most 0.15 "
            "of real ones.",
            rows.foreign(found.get("foreign", {})),
        ),
        _section(
            "Few tickets",
            "Accuracy on the whole test part after learning from so many tickets drawn at random.",
            rows.few_tickets(sets),
        ),
        PLOTS,
    ]
    return "\n\n".join(part for part in parts if part)


def _preface(found: Mapping[str, Any]) -> str:
    before = [one["random"]["contenders"][OURS]["before_mb"] for one in found["sets"].values()]
    return (
        f"Made by `make bench` with {found['libraries']}. Contenders of a split see the same "
        "tickets, each in a process and on a thread of its own, two at a time. Peers get subject "
        "and description as one raw text, their best case; ours cleans and redacts first and reads "
        "the form's fields. Figures are means over random splits with the 95% interval of the "
        'mean (Student\'s t); "older to newer" learns on the older 75%, once. Fit seconds of ours '
        "hold everything that a training does: calibration, thresholds, the check on the newest. "
        "Memory is the highest while learning and scoring, less the "
        f"{np.mean(np.concatenate(before)):.0f} MB of libraries and tickets before it. fastText "
        "learns word pairs in 25 passes at a rate of 0.5 into 200,000 buckets of 100 dimensions."
    )


def _sizes(one: Mapping[str, Any]) -> str:
    sizes = one["random"]
    n_splits = len(sizes["contenders"][OURS]["accuracy"])
    return (
        f"{sizes['labels']} labels, {sizes['learned']:,} tickets learned, {sizes['asked']:,} asked "
        f"about; random splits: {n_splits}."
    )


def _section(title: str, text: str, lines: Iterable[rows.Row]) -> str:
    table = _table(list(lines))
    return f"### {title}\n\n{text}\n\n{table}" if table else ""


def _table(lines: list[rows.Row]) -> str:
    """Lay out rows; a row that lacks a column has an empty cell there."""
    columns = list(dict.fromkeys(column for line in lines for column in line))
    cells = [columns, ["---"] * len(columns)]
    cells += [[line.get(column, "") for column in columns] for line in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) if lines else ""
