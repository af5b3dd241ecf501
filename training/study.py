"""The study of a learning: everything the report tells beyond the headline figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from training.ablation import Contribution, columns_without, contributions
from training.baselines import Baseline, compare, majority, public_recipe
from training.evaluate import truth_of
from training.evidence import Asked
from training.fit import Learned, OnStep, processes
from training.learning_curve import SHARES, LearningCurve, draw_curve, growing_parts
from training.promise_heads import never_routed
from training.promises import Promise, Promises, joint_promise, label_promises
from training.refit import IndexArray, LabelArray, Lesson, ask_again
from training.search import column_weights
from training.slices import Parting, Slicing, measure_slices, part_tickets
from training.telling import Term, read_vocabulary, telling_terms
from triage.choice import LabelChoice, choice_of
from triage.confidence import BoolArray, FloatArray

_PART = -2  # of the growing parts: the one that a part of the ticket is left out of
_MAX_TICKETS = 50_000
_MAX_WORK = 500_000  # tickets x labels; above it the refits would take minutes


@dataclass(frozen=True, slots=True)
class Refits:
    """What only learning again could tell; ``part`` counts the tickets ``brings`` learned from."""

    curve: LearningCurve
    brings: tuple[Contribution, ...]
    part: int
    baselines: tuple[Baseline, ...]


@dataclass(frozen=True, slots=True)
class TargetStudy:
    """What was found out about one target.

    ``confidence`` and ``correct`` of shape (n_tickets,) are the top confidence out of fold and
    whether that label was right. ``refits`` is None where learning again was left out, and
    ``left_out`` tells why.
    """

    confidence: FloatArray
    correct: BoolArray
    promises: Mapping[str, Promise]
    overall: Promise
    slicings: tuple[Slicing, ...]
    telling: Mapping[str, list[Term]]
    refits: Refits | None
    left_out: str


@dataclass(frozen=True, slots=True)
class Study:
    """What was found out about each target, and about the targets of a routing together.

    ``is_by_requester`` tells whether the terms could be checked for being one person's.
    """

    targets: Mapping[str, TargetStudy]
    joint: Promise | None
    is_by_requester: bool

    @property
    def promises(self) -> Promises:
        """Gather what could be promised, for the manifest."""
        return Promises(
            labels={target: study.promises for target, study in self.targets.items()},
            overall={target: study.overall for target, study in self.targets.items()},
            together=self.joint,
        )


def study_learning(
    learned: Learned,
    frame: pd.DataFrame,
    *,
    seed: int = 0,
    n_jobs: int = -1,
    on_step: OnStep | None = None,
) -> Study:
    """Look into what a model learned; the same input and seed give the same study.

    Parameters
    ----------
    frame : the history it was learned from, in canonical order
    n_jobs : processes, -1 for one a core
    """
    report = on_step or (lambda name, done, total: None)
    truths = learned.evidence.truths
    report("looking at the texts", 0, 1)
    partings = part_tickets(frame)
    vocabulary = read_vocabulary(frame)
    telling = telling_terms(learned.model, vocabulary, truths)
    with threadpool_limits(1):
        found = {
            target: _study_target(
                target, learned, frame, partings, telling[target], seed, n_jobs, report
            )
            for target in learned.model.heads
        }
    return Study(found, _study_joint(learned), vocabulary.is_by_requester)


def _study_target(
    target: str,
    learned: Learned,
    frame: pd.DataFrame,
    partings: Sequence[Parting],
    telling: Mapping[str, list[Term]],
    seed: int,
    n_jobs: int,
    report: OnStep,
) -> TargetStudy:
    taxonomy, labels = learned.model.taxonomy, learned.model.heads[target].labels
    truths = learned.evidence.truths
    likeliest = _answered(learned, target)
    used = learned.evidence.thresholded[likeliest.rows]
    promises, overall = label_promises(
        labels,
        likeliest.label[used],
        likeliest.confidence[used],
        likeliest.correct[used],
        sorted(never_routed(target, truths[target], truth_of(frame, target), taxonomy)),
    )
    shown = _answered(learned, target, choice_of(taxonomy, target, labels))
    left_out = _reason_to_leave_out(learned, target)
    return TargetStudy(
        confidence=shown.confidence,
        correct=shown.correct,
        promises=promises,
        overall=overall,
        slicings=tuple(measure_slices(partings, shown.rows, shown.confidence, shown.correct)),
        telling=telling,
        refits=None if left_out else _refit(target, learned, frame, seed, n_jobs, report),
        left_out=left_out,
    )


@dataclass(frozen=True, slots=True)
class _Answered:
    """The checked tickets of a target out of fold: row, label as an index, its confidence."""

    rows: IndexArray
    label: IndexArray
    confidence: FloatArray
    correct: BoolArray


def _answered(learned: Learned, target: str, choice: LabelChoice | None = None) -> _Answered:
    """Answer with the likeliest label, as thresholds are set on, or with the one that is shown."""
    truth = learned.evidence.truths[target]
    probabilities, is_checked = learned.out_of_fold[target]
    rows = np.flatnonzero(pd.notna(truth))[is_checked]
    asked = probabilities[is_checked]
    label = choice(asked) if choice else asked.argmax(axis=1)
    classes = learned.model.heads[target].classifier.classes_
    correct = np.asarray(classes[label] == truth[rows], dtype=bool)
    return _Answered(rows, label, asked[np.arange(len(rows)), label], correct)


def _study_joint(learned: Learned) -> Promise | None:
    joint = learned.model.joint
    if joint is None:
        return None
    size = len(learned.evidence.thresholded)
    n_checked = np.zeros(size, dtype=np.int64)
    is_right = learned.evidence.thresholded.copy()
    confidences = np.ones((size, len(joint.targets)))
    for column, target in enumerate(joint.targets):
        answered = _answered(learned, target)
        n_checked[answered.rows] += 1
        confidences[answered.rows, column] = answered.confidence
        is_right[answered.rows] &= answered.correct
    used = learned.evidence.thresholded & (n_checked == len(joint.targets))
    return joint_promise(joint.confidence(confidences[used]), is_right[used])


def _reason_to_leave_out(learned: Learned, target: str) -> str:
    n = int(pd.notna(learned.evidence.truths[target]).sum())
    n_labels = len(learned.model.heads[target].labels)
    if target not in learned.evidence.newest:
        return "there are too few different labelled tickets on one side of the split"
    if learned.evidence.matrix is None or n > _MAX_TICKETS or n * n_labels > _MAX_WORK:
        return f"with {n:,} tickets and {n_labels:,} labels it would take longer than it is worth"
    return ""


def _refit(
    target: str, learned: Learned, frame: pd.DataFrame, seed: int, n_jobs: int, report: OnStep
) -> Refits:
    evidence, features = learned.evidence, learned.model.features
    truth, asked = evidence.truths[target], evidence.newest[target]
    head = learned.model.heads[target]
    parts = growing_parts(evidence.parts, asked.train, frame["created_at"], evidence.clusters, seed)
    matrix = evidence.matrix_of(target)
    without = columns_without(features, frame, n_columns=matrix.shape[1])
    settings = head.classifier.settings
    weights = column_weights(features, settings, matrix.shape[1])

    def lesson(train: IndexArray, columns: IndexArray | None = None) -> Lesson:
        return Lesson(matrix, truth, train, asked.test, settings, seed, weights, columns)

    lessons = [
        *(lesson(part) for part in parts[:-1]),
        *(lesson(parts[_PART], columns) for columns in without.values()),
    ]
    count = _counter(f"looking into {target}", len(lessons) + 1, report)
    answers = list(ask_again(lessons, processes(matrix, truth, n_jobs), count))
    grown = [*answers[: len(parts) - 1], asked.answers]
    baselines = _baselines(truth, asked, frame, seed)
    count()
    right = truth[asked.test]
    return Refits(
        curve=draw_curve(truth, parts, asked.test, grown, head.labels, seed),
        brings=contributions(
            right, grown[_PART], dict(zip(without, answers[len(SHARES) - 1 :], strict=True))
        ),
        part=len(parts[_PART]),
        baselines=baselines,
    )


def _baselines(
    truth: LabelArray, asked: Asked, frame: pd.DataFrame, seed: int
) -> tuple[Baseline, ...]:
    texts = (frame["subject"].fillna("") + "\n" + frame["description"].fillna("")).tolist()
    others = {"the commonest label every time": majority(truth[asked.train], len(asked.test))}
    recipe = public_recipe(texts, truth, asked.train, asked.test, seed)
    if recipe is not None:
        others["word TF-IDF and logistic regression"] = recipe
    return compare(truth[asked.test], asked.answers, others)


def _counter(name: str, total: int, report: OnStep) -> Callable[[], None]:
    done = 0
    report(name, done, total)

    def count() -> None:
        nonlocal done
        done += 1
        report(name, done, total)

    return count
