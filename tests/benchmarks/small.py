"""One contender that learns from few tickets, in a process of its own: prints JSON.

Run by `make bench`; by hand ``python -m tests.benchmarks.small SET SEED WHO``.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.benchmarks.compare import named, parts_of
from tests.benchmarks.contenders import contend
from tests.benchmarks.datasets import Dataset, data_root, load
from training.evaluate import measure, truth_of
from triage.errors import HistoryError

SIZES = (50, 100, 200, 500, 1000)


def few(dataset: Dataset, root: Path, seed: int, who: str) -> dict[str, float | None]:
    """Measure the accuracy on the whole test part by how many tickets of the other are learned.

    Each larger part holds the smaller ones; None where the contender refuses to learn.
    """
    train, test = parts_of(load(dataset, root), dataset.target, str(seed))
    order = np.random.default_rng(seed).permutation(len(train))
    accuracies: dict[str, float | None] = {}
    for size in SIZES:
        try:
            labels, probabilities = contend(who, train.iloc[order[:size]], dataset.target)
        except HistoryError:
            accuracies[str(size)] = None
            continue
        truth = truth_of(test, dataset.target).astype(str)
        accuracies[str(size)] = measure(truth, labels, probabilities(test))["accuracy"]
    return accuracies


def main() -> None:
    """Measure what the arguments name."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    name, seed, who = sys.argv[1:]
    print(json.dumps(few(named(name), root, int(seed), who)))


if __name__ == "__main__":
    main()
