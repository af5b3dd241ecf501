"""Try settings of the heads by cross-validation inside training parts; print a table of them.

Run by ``make bench-trials``. Nothing outside the training part of the split of seed 0 is looked
at, and near twins stay in one fold. Each line is the mean difference to the defaults in points,
with its standard error.
"""

import sys

import numpy as np

from tests.benchmarks.datasets import DATASETS, data_root, load, random_split
from training.evaluate import truth_of
from training.refit import macro_f1
from training.search import column_weights
from training.tickets import field_names, iter_tickets
from triage.classifier import deal_folds, score_held_out
from triage.features import TicketFeatures
from triage.linear import LinearSettings
from triage.prepare import prepare_all
from triage.twins import twin_clusters

MOST_TICKETS = 8_000  # a set with more takes longer than the others together
FOLDS = 3
TRIALS = {
    "defaults": LinearSettings(),
    "C = 0.3": LinearSettings(C=0.3),
    "C = 2": LinearSettings(C=2.0),
    "every ticket counts the same": LinearSettings(balance=0.0),
    "balance 0.25": LinearSettings(balance=0.25),
    "balance 0.75": LinearSettings(balance=0.75),
    "characters 1.4": LinearSettings(characters=1.4),
    "words 1.4": LinearSettings(words=1.4),
    "no words": LinearSettings(words=0.0),
    "no characters": LinearSettings(characters=0.0),
    "subject 1.5": LinearSettings(subject=1.5),
    "no block of the whole text": LinearSettings(whole=0.0),
    "only the whole text": LinearSettings(subject=0.0, description=0.0),
    "form fields 2": LinearSettings(fields=2.0),
}


def main() -> None:
    """Print a Markdown table of each data set."""
    root = data_root()
    if root is None:
        sys.exit("no data sets: set TRIAGE_DATASETS to their folder")
    for dataset in DATASETS:
        frame = load(dataset, root)
        if not 1_000 <= len(frame) <= MOST_TICKETS:
            continue
        train, _ = random_split(frame, dataset.target, 0)
        part = frame.iloc[np.sort(train)].reset_index(drop=True)
        tickets = prepare_all(list(iter_tickets(part)))
        features = TicketFeatures(field_names(part))
        matrix = features.fit_transform(tickets)
        labels = truth_of(part, dataset.target).astype(str)
        _, truth = np.unique(labels, return_inverse=True)
        folds = deal_folds(truth, twin_clusters(tickets), FOLDS, 0)
        print(f"\n| {dataset.name} | accuracy | macro-F1 |\n|---|---|---|")
        base = np.zeros(0)
        for name, settings in TRIALS.items():
            weights = column_weights(features, settings, matrix.shape[1])
            answered = np.empty_like(truth)
            for fold in range(FOLDS):
                held_out = folds == fold
                scores = score_held_out(
                    matrix, truth, held_out, truth.max() + 1, settings, 0, weights
                )
                answered[held_out] = scores.argmax(axis=1)
            right = (answered == truth).astype(float)
            base = base if len(base) else right
            gain = 100 * (right - base)
            error = gain.std() / np.sqrt(len(gain))
            f1 = macro_f1(truth.astype(str).astype(object), answered.astype(str).astype(object))
            print(f"| {name} | {right.mean():.3f} ({gain.mean():+.1f} ± {error:.1f}) | {f1:.3f} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
