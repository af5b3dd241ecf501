"""What could be promised: for each label, what each target precision would let through unseen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.confidence import BoolArray, FloatArray, label_thresholds, precision_threshold
from triage.errors import ConfigurationError

PRECISIONS = (0.80, 0.85, 0.90, 0.95, 0.98)
"""Target precisions to choose from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one target precision comes to, on tickets the model had not seen.

    ``threshold`` is None where they support no such promise; then nothing is routed. ``share`` is
    the part of the tickets that reach the threshold, ``right`` how many of those were right.
    """

    precision: float
    threshold: float | None
    share: float
    right: float

    @property
    def is_kept(self) -> bool:
        """Say whether the tickets bear the promise out."""
        return self.threshold is not None

    def in_words(self) -> str:
        """Say it in a cell of a table."""
        return "no" if self.threshold is None else f"{self.threshold:.1%} ({self.share:.0%})"


@dataclass(frozen=True, slots=True)
class Promise:
    """The choices for the tickets given one label, or for all together; ``n`` counts them."""

    n: int
    choices: tuple[Choice, ...]

    def packed(self) -> dict[str, Any]:
        """Keep it as small as a manifest should be: three numbers a choice."""
        return {
            "n": self.n,
            "choices": [
                [
                    None if choice.threshold is None else round(choice.threshold, 4),
                    round(choice.share, 4),
                    round(choice.right, 4),
                ]
                for choice in self.choices
            ],
        }

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data with names, ready for JSON."""
        return {
            "tickets": self.n,
            "choices": [{**asdict(choice), "kept": choice.is_kept} for choice in self.choices],
        }


@dataclass(frozen=True, slots=True)
class Promises:
    """What could be promised of a model: by target and label, by target, and of all together.

    ``together`` is None where no ticket could be routed at all, or where one target was picked.
    """

    labels: Mapping[str, Mapping[str, Promise]]
    overall: Mapping[str, Promise]
    together: Promise | None

    def packed(self) -> dict[str, Any]:
        """Turn it into what a manifest keeps, see `read_promises`."""
        return {
            "precisions": list(PRECISIONS),
            "labels": {
                target: {label: promise.packed() for label, promise in promises.items()}
                for target, promises in self.labels.items()
            },
            "overall": {target: promise.packed() for target, promise in self.overall.items()},
            "together": self.together.packed() if self.together else None,
        }

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data with names, ready for JSON."""
        return {
            "targets": {
                target: {
                    "labels": {label: promise.to_dict() for label, promise in promises.items()},
                    "overall": self.overall[target].to_dict(),
                }
                for target, promises in self.labels.items()
            },
            "together": self.together.to_dict() if self.together else None,
        }


def read_promises(manifest: Mapping[str, Any], target: str | None = None) -> Promises:
    """Take the promises out of a bundle's manifest.

    Parameters
    ----------
    target : the only one wanted, None for all

    Raises
    ------
    ConfigurationError : the bundle is older than this table, or has no such target
    """
    kept = manifest.get("promises")
    if kept is None:
        raise ConfigurationError(
            f"bundle {manifest['version']} was trained before thresholds could be listed; "
            "train it again"
        )
    if target is not None and target not in kept["labels"]:
        raise ConfigurationError(
            f"the model has no target {target!r}, it has {', '.join(kept['labels'])}"
        )

    def unpacked(entry: Mapping[str, Any]) -> Promise:
        choices = zip(kept["precisions"], entry["choices"], strict=True)
        return Promise(
            entry["n"], tuple(Choice(precision, *numbers) for precision, numbers in choices)
        )

    wanted = list(kept["labels"]) if target is None else [target]
    has_together = target is None and kept["together"] is not None
    return Promises(
        labels={
            name: {label: unpacked(entry) for label, entry in kept["labels"][name].items()}
            for name in wanted
        },
        overall={name: unpacked(kept["overall"][name]) for name in wanted},
        together=unpacked(kept["together"]) if has_together else None,
    )


def label_promises(
    labels: Sequence[str],
    predicted: npt.NDArray[np.int64],
    confidence: FloatArray,
    correct: BoolArray,
    held_back: Collection[str] = (),
) -> tuple[dict[str, Promise], Promise]:
    """Work out what each target precision would route, label by label and over all labels.

    Parameters
    ----------
    predicted : ndarray of shape (n_tickets,), index of the most likely label
    confidence : ndarray of shape (n_tickets,), its probability, from a model that had not seen
        the ticket
    correct : ndarray of shape (n_tickets,), whether it was right
    held_back : labels that the desk does not want routed unseen, whatever is promised

    Returns
    -------
    dict of label -> Promise, over the tickets given that label
    Promise : over all tickets, each judged by the threshold of its label; its ``threshold`` is the
        lowest of them
    """
    by_label: dict[str, list[Choice]] = {label: [] for label in labels}
    overall = []
    for precision in PRECISIONS:
        thresholds = label_thresholds(labels, predicted, confidence, correct, precision)
        is_routed = np.zeros(len(predicted), dtype=bool)
        for index, label in enumerate(labels):
            own = predicted == index
            threshold = None if label in held_back else thresholds[label]
            if threshold is not None:
                is_routed |= own & (confidence >= threshold)
            by_label[label].append(_choice(precision, threshold, is_routed[own], correct[own]))
        kept = [choices[-1].threshold for choices in by_label.values()]
        lowest = min((threshold for threshold in kept if threshold is not None), default=None)
        overall.append(_choice(precision, lowest, is_routed, correct))
    counts = np.bincount(predicted, minlength=len(labels)).tolist()
    promises = {
        label: Promise(n, tuple(by_label[label])) for label, n in zip(labels, counts, strict=True)
    }
    return promises, Promise(len(predicted), tuple(overall))


def joint_promise(confidence: FloatArray, correct: BoolArray) -> Promise:
    """Work out what each target precision would route where several targets must be right.

    Parameters
    ----------
    confidence : ndarray of shape (n_tickets,), probability that all of them are
    correct : ndarray of shape (n_tickets,), whether all of them were
    """
    choices = []
    for precision in PRECISIONS:
        threshold = precision_threshold(confidence, correct, precision)
        is_routed = confidence >= (2.0 if threshold is None else threshold)
        choices.append(_choice(precision, threshold, is_routed, correct))
    return Promise(len(correct), tuple(choices))


def _choice(
    precision: float, threshold: float | None, is_routed: BoolArray, correct: BoolArray
) -> Choice:
    right = float(correct[is_routed].mean()) if is_routed.any() else 0.0
    share = float(is_routed.mean()) if len(is_routed) else 0.0
    return Choice(precision, threshold, share, right)
