"""Everything that was learned from a history: features, heads, thresholds, what it was taught."""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.article import Article
from triage.choice import choice_of
from triage.classifier import TicketClassifier
from triage.confidence import JointConfidence
from triage.experience import Experience
from triage.features import TicketFeatures
from triage.path_confidence import LevelCalibrations
from triage.taxonomy import Taxonomy

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """A target's classifier and what its confidence is good for.

    ``thresholds`` hold, label by label, the confidence from which on the promised precision is
    kept; None marks a label that may be suggested but never routed. ``cutoffs`` hold the
    probability from which on a label belongs to the prediction set. ``level_calibrations`` are
    those of the levels above the labels, where these are paths. A head that ``reads_meaning`` has
    coefficients for the columns of `triage.meaning.meaning_of` after those of the features.
    """

    classifier: TicketClassifier
    thresholds: Mapping[str, float | None]
    cutoffs: FloatArray
    level_calibrations: LevelCalibrations = ()
    reads_meaning: bool = False

    @property
    def labels(self) -> list[str]:
        return [str(label) for label in self.classifier.classes_]


@dataclass(frozen=True, slots=True)
class Joint:
    """The promise over all targets a routing rests on."""

    targets: tuple[str, ...]
    confidence: JointConfidence
    threshold: float | None


@dataclass(frozen=True, slots=True)
class TriageModel:
    """A fitted model with its desk's taxonomy and the articles it was trained beside.

    ``min_familiarity`` is, language by language, what a text's words must say for the desk at
    least, see `triage.domain`. ``experience`` is what was learned about the articles,
    ``detail_weights`` about the details of a category, see `triage.details.weights_for`.
    ``facts`` is what the manifest tells about the training: metrics, data hash, seed, versions.
    """

    features: TicketFeatures
    heads: Mapping[str, Head]
    joint: Joint | None
    min_familiarity: Mapping[str, float]
    target_precision: float
    taxonomy: Taxonomy
    articles: tuple[Article, ...] = ()
    experience: Experience = field(default_factory=Experience)
    detail_weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reads_meaning(self) -> bool:
        """Tell whether any head needs the extra ``semantic``."""
        return any(head.reads_meaning for head in self.heads.values())

    def canonical_hash(self) -> str:
        """Hash what decides the answers, so that equal models have equal hashes.

        File bytes differ between runs and machines, and hashes of form fields between
        installations; neither is part of it.
        """
        digest = hashlib.sha256()
        arrays: list[npt.NDArray[Any]] = [self.features.buckets_, self.features.idf_]
        for target, head in sorted(self.heads.items()):
            fitted = head.classifier
            digest.update("\0".join([target, *head.labels]).encode())
            calibration = np.hstack(astuple(fitted.calibration_))
            arrays += [fitted.coef_, fitted.intercept_, calibration, head.cutoffs]
            arrays.append(np.array([head.thresholds[label] for label in head.labels], dtype=float))
            arrays += [np.hstack(astuple(one)) for one in head.level_calibrations if one]
            choice = choice_of(self.taxonomy, target, head.labels)
            if choice.excluded.any() or choice.never_routed.any():
                arrays += [choice.excluded, choice.never_routed]
            if choice.costs is not None:
                arrays.append(choice.costs)
        if self.experience.weights is not None:
            digest.update("\0".join(self.experience.articles).encode())
            learned = self.experience.weights
            arrays += [learned.data, learned.indices, learned.indptr]
        for category, weights in sorted(self.detail_weights.items()):
            digest.update("\0".join([category, *sorted(weights)]).encode())
            arrays.append(np.array([weight for _, weight in sorted(weights.items())]))
        joint = self.joint
        digest.update("\0".join(sorted(self.min_familiarity)).encode())
        rules = [least for _, least in sorted(self.min_familiarity.items())]
        rules += [self.features.n_tickets_, self.features.field_weight]
        if joint:
            digest.update("\0".join(joint.targets).encode())
            rules += [
                *astuple(joint.confidence),
                np.nan if joint.threshold is None else joint.threshold,
            ]
        arrays.append(np.array(rules))
        for array in arrays:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
