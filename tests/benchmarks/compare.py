"""One contender on one split of one data set, in a process of its own: prints JSON.

Run by `make bench`; by hand ``python -m tests.benchmarks.compare SET SPLIT WHO`` where
SPLIT is the seed of a random split or "time".
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from tests.benchmarks.contenders import contend
from tests.benchmarks.datasets import (
    DATASETS,
    Dataset,
    data_root,
    load,
    random_split,
    texts_of,
    time_split,
)
from training.evaluate import headline, measure, truth_of
from training.tickets import data_hash
from triage.confidence import coverage_at, expected_calibration_error

BY_TIME = "time"
PRECISIONS = tuple(step / 100 for step in range(70, 100))
"""Where the plot of coverage against precision has its points."""

_TWIN_COSINE = 0.8
_DRAWS = 1000


def named(name: str) -> Dataset:
    """Find a data set by its name."""
    return next(dataset for dataset in DATASETS if dataset.name == name)


def parts_of(frame: pd.DataFrame, target: str, split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut a frame into what is learned and what is asked about."""
    if split == BY_TIME:
        train, test = time_split(frame)
    else:
        train, test = random_split(frame, target, int(split))
    return frame.iloc[train], frame.iloc[test]


def compare(dataset: Dataset, root: Path, split: str, who: str) -> dict[str, object]:
    """Fit one contender and measure everything that the tables tell of it."""
    train, test = parts_of(load(dataset, root), dataset.target, split)
    before_mb = _memory_mb("VmRSS")
    started = time.perf_counter()
    labels, probabilities = contend(who, train, dataset.target)
    fitted = time.perf_counter()
    found = probabilities(test)
    scored = time.perf_counter()
    peak_mb = _memory_mb("VmHWM")

    truth = truth_of(test, dataset.target).astype(str)
    confidence = found.max(axis=1)
    correct = np.array(labels, dtype=str)[found.argmax(axis=1)] == truth
    lonely = ~has_twin(texts_of(train), texts_of(test))
    return {
        **headline(measure(truth, labels, found)),
        "n_train": len(train),
        "n_labels": len(set(truth)),
        "fit_s": fitted - started,
        "tickets_per_s": len(test) / (scored - fitted),
        "before_mb": before_mb,
        "peak_mb": peak_mb,
        "twin_share": 1 - float(lonely.mean()),
        "accuracy_without_twin": float(correct[lonely].mean()) if lonely.any() else None,
        "ece_by_chance": ece_by_chance(confidence),
        "coverage": [coverage_at(confidence, correct, precision) for precision in PRECISIONS],
        "confidence": confidence.round(5).tolist(),
        "correct": correct.astype(int).tolist(),
        "split": data_hash(train)[:12] + data_hash(test)[:12],
    }


def has_twin(train: list[str], test: list[str]) -> np.ndarray:
    """Tell which test texts have one in training at a TF-IDF cosine over 0.8.

    Words of a single training text are left out: names and numbers would hide a twin.
    """
    vectorizer = TfidfVectorizer(min_df=2)
    known = vectorizer.fit_transform(train)
    asked = vectorizer.transform(test)
    closest = [
        (asked[begin : begin + 500] @ known.T).max(axis=1).toarray().ravel()
        for begin in range(0, asked.shape[0], 500)
    ]
    return np.concatenate(closest) > _TWIN_COSINE


def ece_by_chance(confidence: np.ndarray) -> float:
    """Tell the ECE that perfectly true confidences stay below in 95 of 100 draws of the labels."""
    chance = np.random.default_rng(0)
    drawn = [
        expected_calibration_error(confidence, chance.random(len(confidence)) < confidence)
        for _ in range(_DRAWS)
    ]
    return float(np.quantile(drawn, 0.95))


def _memory_mb(name: str) -> float:
    """Read this process's memory, now (VmRSS) or at its highest (VmHWM).

    Not ru_maxrss, which begins with the peak of the process that started this one.
    """
    status = Path("/proc/self/status").read_text("ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith(name))
    return int(kilobytes) / 1024


def main() -> None:
    """Measure what the arguments name."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    name, split, who = sys.argv[1:]
    print(json.dumps(compare(named(name), root, split, who)))


if __name__ == "__main__":
    main()
