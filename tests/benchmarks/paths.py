"""Labels that are paths: is it worth walking down to them, and how sure is each step?

Only inside a training part, from out-of-fold probabilities: ``python -m benchmarks.paths``.
"""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.metrics import f1_score

from benchmarks.datasets import data_root
from training.evaluate import truth_of
from training.history import read_history
from training.mapping import parse_mapping
from training.tickets import in_canonical_order, iter_tickets
from triage.classifier import MIN_TICKETS, TicketClassifier
from triage.confidence import expected_calibration_error
from triage.features import TicketFeatures
from triage.hierarchy import Level, at_level, fold_rare, levels_of, walk_down
from triage.path_confidence import LevelCalibrations, fit_levels, path_confidence
from triage.prepare import prepare_all
from triage.twins import twin_clusters

SET = "endava/tickets.csv"
PATHS = (
    "category > sub_category1",
    "category > sub_category1 > sub_category2",
    "ticket_type > category > business_service",
)
SEEDS = (0, 1)


def main() -> None:
    """Print accuracy, macro-F1 and ECE of each level, mean of the seeds."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    for columns in PATHS:
        mapping = parse_mapping(
            f'[columns]\nsubject = "title"\ndescription = "body"\ncategory = "{columns}"', "paths"
        )
        frame = in_canonical_order(read_history([root / SET], mapping).frame)
        frame = frame[~frame[["subject", "description"]].duplicated()]
        frame = frame.sample(frac=0.8, random_state=0).reset_index(drop=True)
        prepared = prepare_all(list(iter_tickets(frame)))
        matrix, _ = TicketFeatures(()).fit(prepared).analyse(prepared, as_if_unseen=True)
        truth, clusters = truth_of(frame, "category"), twin_clusters(prepared)
        folded = fold_rare(truth, MIN_TICKETS)
        found: dict[str, list[np.ndarray]] = {}
        for seed in SEEDS:
            fitted = TicketClassifier(random_state=seed)
            fitted.fit(matrix, folded, clusters)
            for who, figures in compared(fitted, truth.astype(str)).items():
                found.setdefault(who, []).append(figures)
        print(f"\n{columns}: {len(frame)} tickets, {len(fitted.classes_)} labels")
        for who, runs in found.items():
            print(
                f"  {who:18}", " ".join(f"{value:.3f}" for value in np.mean(runs, axis=0).ravel())
            )


def compared(fitted: TicketClassifier, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Give accuracy and macro-F1 of each level by way of choosing, and ECE by kind of step."""
    probabilities = fitted.out_of_fold_
    labels = [str(label) for label in fitted.classes_]
    levels = levels_of(labels)
    every = np.ones(len(labels), dtype=bool)
    ways = {
        "most probable leaf": probabilities.argmax(axis=1),
        # The walk squares what it is given.
        "walk by sums": walk_down(levels, np.sqrt(probabilities), every),
        "walk by squares": walk_down(levels, probabilities, every),
    }
    found = {
        who: np.array([_quality(level, place, truth, chosen) for place, level in enumerate(levels)])
        for who, chosen in ways.items()
    }
    chosen = ways["walk by squares"]
    column = {label: place for place, label in enumerate(labels)}
    true_index = np.array([column.get(label, -1) for label in truth])
    half = np.arange(len(truth)) % 2 == 0
    learned = half & (true_index >= 0)
    calibrations = fit_levels(labels, probabilities[learned], true_index[learned])
    for who, kept in (("ECE of sums", ()), ("ECE calibrated", calibrations)):
        found[who] = _errors(levels, kept, probabilities[~half], chosen[~half], truth[~half])
    return found


def _quality(
    level: Level, place: int, truth: np.ndarray, chosen: np.ndarray
) -> tuple[float, float]:
    right = np.array(at_level(truth.tolist(), place + 1))
    shown = np.array(level.nodes)[level.node_of[chosen]]
    present = sorted(set(right.tolist()))
    f1 = f1_score(right, shown, labels=present, average="macro", zero_division=0.0)
    return float((right == shown).mean()), float(f1)


def _errors(
    levels: tuple[Level, ...],
    calibrations: LevelCalibrations,
    probabilities: np.ndarray,
    chosen: np.ndarray,
    truth: np.ndarray,
) -> np.ndarray:
    confidence = path_confidence(levels, calibrations, probabilities, chosen)
    errors = []
    for place, level in enumerate(levels):
        right = np.array(at_level(truth.tolist(), place + 1))
        shown = np.array(level.nodes)[level.node_of[chosen]]
        errors.append(expected_calibration_error(confidence[:, place], right == shown))
    return np.array(errors)


if __name__ == "__main__":
    main()
