"""What a head's confidence is good for: thresholds, prediction sets, the joint promise."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.split import has_dates, newest
from triage.classifier import TicketClassifier
from triage.confidence import fit_joint, label_thresholds, precision_threshold, set_cutoffs
from triage.model import Head, Joint
from triage.path_confidence import fit_levels
from triage.taxonomy import Taxonomy
from triage.ticket import LABEL_COLUMNS

_NEWEST_SHARE = 0.5
_MIN_NEWEST = 400  # tickets; fewer cannot carry thresholds, and all tickets are used


def newest_block(created_at: pd.Series) -> npt.NDArray[np.bool_]:
    """Mark the tickets that thresholds are set on: promises are about what comes next."""
    if has_dates(created_at) and len(created_at) * _NEWEST_SHARE >= _MIN_NEWEST:
        return newest(created_at, _NEWEST_SHARE)
    return np.ones(len(created_at), dtype=bool)


def never_routed(
    target: str,
    learned: npt.NDArray[np.object_],
    written: npt.NDArray[np.object_],
    taxonomy: Taxonomy,
) -> set[str]:
    """List what the desk holds back, and the steps that rare leaves were folded into: no labels."""
    own = set(written)
    return {
        label
        for label in set(learned[pd.notna(learned)])
        if not taxonomy.may_route(target, label) or label not in own
    }


def promise_head(
    classifier: TicketClassifier,
    truth: npt.NDArray[np.object_],
    written: npt.NDArray[np.object_],
    block: npt.NDArray[np.bool_],
    target_precision: float,
    held_back: set[str],
) -> Head:
    """Set the thresholds of a fitted classifier on the tickets of a block, out of fold.

    Parameters
    ----------
    truth : labels learned, of shape (n_tickets,); None where a ticket has none
    written : labels as they were written, before rare ones were folded
    block : tickets that thresholds are set on
    held_back : labels that are never routed
    """
    rows = np.flatnonzero(pd.notna(truth))
    probabilities = classifier.out_of_fold_
    predicted = probabilities.argmax(axis=1)
    correct = classifier.classes_[predicted] == written[rows]
    labels = [str(label) for label in classifier.classes_]
    # What is never routed must not weigh on the threshold that small labels share.
    may_route = np.array([label not in held_back for label in labels])
    used = block[rows] & classifier.is_checked_ & may_route[predicted]
    thresholds = label_thresholds(
        labels,
        predicted[used],
        probabilities.max(axis=1)[used],
        correct[used],
        target_precision,
    )
    thresholds |= {label: None for label in labels if label in held_back}
    true_index = pd.Index(labels).get_indexer(pd.Index(truth[rows]))
    known = (true_index >= 0) & classifier.is_checked_
    cutoffs = set_cutoffs(probabilities[known], true_index[known])
    levels = fit_levels(labels, probabilities[known], true_index[known])
    return Head(classifier, thresholds, cutoffs, levels)


def promise_joint(
    classifiers: dict[str, TicketClassifier],
    truths: dict[str, npt.NDArray[np.object_]],
    block: npt.NDArray[np.bool_],
    target_precision: float,
) -> Joint | None:
    """Calibrate and threshold the promise that all targets of a routing are right."""
    targets = tuple(target for target in LABEL_COLUMNS if target in classifiers)
    if "tier" not in targets:
        return None
    labelled = np.logical_and.reduce([pd.notna(truths[target]) for target in targets])
    is_checked = np.ones(len(labelled), dtype=bool)
    confidences, corrects = [], []
    for target in targets:
        rows = np.flatnonzero(pd.notna(truths[target]))
        both = labelled[rows]
        is_checked[rows] &= classifiers[target].is_checked_
        probabilities = classifiers[target].out_of_fold_[both]
        predicted = classifiers[target].classes_[probabilities.argmax(axis=1)]
        confidences.append(probabilities.max(axis=1))
        corrects.append(predicted == truths[target][rows][both])
    confidence = np.column_stack(confidences)
    all_right = np.logical_and.reduce(corrects)
    checked = is_checked[labelled]
    if not checked.any():
        return None  # every ticket that one target can check, another cannot
    calibrated = fit_joint(confidence[checked], all_right[checked])
    used = block[labelled] & checked
    threshold = precision_threshold(calibrated(confidence)[used], all_right[used], target_precision)
    return Joint(targets, calibrated, threshold)
