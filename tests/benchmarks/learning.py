"""Measure learning against peers on the public data sets; write the table into docs/benchmarks.md.

Run by ``make bench``. Same split for all in one run; means over five seeds with the spread.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.datasets import DATASETS, Dataset, data_root, load, random_split, time_split
from benchmarks.peers import PEERS
from training.evaluate import measure, truth_of
from training.fit import fit_model
from training.split import has_dates
from training.tickets import in_canonical_order, iter_tickets
from triage.prepare import prepare
from triage.taxonomy import load_taxonomy

SEEDS = range(5)
FIGURES = ("accuracy", "macro_f1", "ece", "coverage_at_90", "coverage_at_95")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- learning: begin -->", "<!-- learning: end -->"


def ours(train: pd.DataFrame, test: pd.DataFrame, target: str) -> tuple[dict[str, float], float]:
    """Fit and measure ours; returns figures and fit seconds."""
    started = time.perf_counter()
    learned = fit_model(in_canonical_order(train), taxonomy=load_taxonomy())
    seconds = time.perf_counter() - started
    model = learned.model
    matrix = model.features.transform([prepare(ticket) for ticket in iter_tickets(test)])
    head = model.heads[target]
    found = measure(truth_of(test, target), head.labels, head.classifier.predict_proba(matrix))
    return found, seconds


def theirs(
    name: str, train: pd.DataFrame, test: pd.DataFrame, target: str
) -> tuple[dict[str, float], float]:
    """Fit and measure a peer on subject and description as one text."""
    started = time.perf_counter()
    labels, probabilities = PEERS[name](_texts(train), truth_of(train, target))
    seconds = time.perf_counter() - started
    found = measure(truth_of(test, target), [str(x) for x in labels], probabilities(_texts(test)))
    return found, seconds


def runs(dataset: Dataset, frame: pd.DataFrame) -> Iterator[tuple[str, str, dict, float]]:
    """Yield (split, who, figures, seconds) for every split and every contender."""
    splits = [("random", random_split(frame, dataset.target, seed)) for seed in SEEDS]
    if has_dates(frame["created_at"]):
        splits.append(("older to newer", time_split(frame)))
    for split, (train_rows, test_rows) in splits:
        train, test = frame.iloc[train_rows], frame.iloc[test_rows]
        yield split, "ours", *ours(train, test, dataset.target)
        for name in PEERS:
            yield split, name, *theirs(name, train, test, dataset.target)
        print(f"{dataset.name}: {split} done", file=sys.stderr, flush=True)


def table(root: Path) -> str:
    """Measure everything; return a Markdown table."""
    lines = [
        "| data set, target | split | who | accuracy | macro-F1 | ECE | coverage at 90% | at 95% "
        "| fit s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for dataset in DATASETS:
        frame = load(dataset, root)
        collected: dict[tuple[str, str], list[tuple[dict, float]]] = {}
        for split, who, figures, seconds in runs(dataset, frame):
            collected.setdefault((split, who), []).append((figures, seconds))
        for (split, who), results in collected.items():
            cells = [_cell([figures[name] for figures, _ in results]) for name in FIGURES]
            seconds = f"{np.mean([seconds for _, seconds in results]):.1f}"
            lines.append(
                f"| {dataset.name} | {split} | {who} | " + " | ".join([*cells, seconds]) + " |"
            )
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def _texts(frame: pd.DataFrame) -> list[str]:
    return (frame["subject"] + "\n" + frame["description"]).tolist()


def main() -> None:
    """Measure, print, and put the table into its place in the page."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    found = table(root)
    print(found)
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
