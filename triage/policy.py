"""Decide what to do with a ticket: route it, suggest, or leave it to a person; and say why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triage.choice import LabelChoice, choice_of
from triage.hierarchy import last_part
from triage.model import Head
from triage.path_confidence import path_confidence
from triage.suggestion import (
    N_ALTERNATIVES,
    Alternative,
    Decision,
    PathStep,
    Prediction,
    Reason,
)
from triage.taxonomy import Taxonomy

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

EMPTY = Reason(
    "empty",
    "The ticket has no text to go by.",
    "Ask the requester what happened, then triage again.",
)
OUT_OF_DOMAIN = Reason(
    "out_of_domain",
    "The text does not read like the tickets this model learned from.",
    "Let a person read it; if such tickets are real, add them to the history and retrain.",
)
WIDE_IMPACT = Reason(
    "wide_impact",
    "The text says that many people are affected.",
    "Check for a major incident before any single-user step; it is not one for tier 1 alone.",
)
NO_TIER = Reason(
    "no_tier_model",
    "The history names no tier, so nothing is routed unseen.",
    "Confirm the tier by hand, or train on a history with tiers or assignment groups.",
)
PROMISE_KEPT = Reason(
    "promise_kept",
    "Every target is sure enough to keep the promised precision.",
    "Route it.",
)
JOINT_UNSURE = Reason(
    "joint_unsure",
    "Each target alone is sure enough, but not that all of them are right together.",
    "Confirm the suggestion.",
)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is said about one target of many tickets, a row a ticket.

    ``probabilities`` have the shape (n_tickets, n_labels); ``chosen`` is the column of the label
    chosen, a whole path, and ``confidence`` its probability; ``depth`` counts the steps of its path
    that are worth showing, 0 where nothing is.
    """

    probabilities: FloatArray
    chosen: IndexArray
    confidence: FloatArray
    depth: IndexArray
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """How the answers of one head become decisions, under what the desk has laid down."""

    target: str
    head: Head
    choice: LabelChoice
    names: Mapping[str, str]
    """Name of each label for people; a label without one is its own name."""

    def judge(self, probabilities: FloatArray, readable: npt.NDArray[np.bool_]) -> Verdicts:
        """Choose a label for many tickets and decide about it.

        Parameters
        ----------
        probabilities : ndarray of shape (n_tickets, n_labels)
        readable : ndarray of shape (n_tickets,), whether there is text, in the model's domain
        """
        chosen = self.choice(probabilities)
        confidence = probabilities[np.arange(len(chosen)), chosen]
        depth = np.where(readable, self._depth(probabilities, chosen), 0)
        # A label without a threshold is never routed: no confidence reaches 2.
        thresholds = [self.head.thresholds[label] for label in self.head.labels]
        needed = np.array([2.0 if value is None else value for value in thresholds])
        needed[self.choice.never_routed] = 2.0
        # What past tickets bear out is a promise about whole paths, and the likeliest ones.
        routed = (
            (depth == len(self.choice.levels))
            & (chosen == probabilities.argmax(axis=1))
            & (confidence >= needed[chosen])
        )
        decisions: list[Decision] = [
            "review" if not is_shown else "route" if is_routed else "suggest"
            for is_shown, is_routed in zip(depth > 0, routed, strict=True)
        ]
        return Verdicts(probabilities, chosen, confidence, depth, decisions)

    def prediction(self, verdicts: Verdicts, row: int) -> Prediction:
        """Put what is said about one ticket into words."""
        labels, chosen = self.head.labels, int(verdicts.chosen[row])
        shares = verdicts.probabilities[row].tolist()
        ranking = np.argsort(-verdicts.probabilities[row], kind="stable").tolist()
        decision = verdicts.decisions[row]
        path = self._path(verdicts, row)
        label, confidence = (
            (path[-1].label, path[-1].confidence) if path else (labels[chosen], shares[chosen])
        )
        # Each label has its own cutoff: others may pass theirs where the one chosen does not.
        in_set = [i for i in ranking if shares[i] >= self.head.cutoffs[i]]
        if in_set and chosen not in in_set:
            in_set = [chosen, *in_set]
        offered = [i for i in ranking if not self.choice.excluded[i]]
        return Prediction(
            label=None if decision == "review" else label,
            name=None if decision == "review" else self.names.get(label, label),
            confidence=round(confidence, 4),
            decision=decision,
            set=[labels[i] for i in in_set],
            alternatives=[
                Alternative(labels[i], round(shares[i], 4)) for i in offered[:N_ALTERNATIVES]
            ],
            basis="model" if self.choice.costs is None else "cost",
            path=path,
        )

    def held_back(self, verdicts: Verdicts, row: int) -> Reason:
        """Say why a ticket is not routed as far as this target goes."""
        target, labels = self.target, self.head.labels
        chosen, depth = int(verdicts.chosen[row]), int(verdicts.depth[row])
        overruled = self.overruled(verdicts, row)
        if overruled:
            return overruled
        share = f"{verdicts.confidence[row]:.1%}"
        if not depth:
            return Reason(
                f"unsure_{target}",
                f"No {target} is likely enough to suggest (the best has {share}).",
                f"Let a person choose the {target}; the alternatives are a start.",
            )
        if depth < len(self.choice.levels):
            return Reason(
                f"partly_{target}",
                f"Only the upper part of the {target} is likely enough to suggest "
                f"(the whole of it has {share}).",
                f"Choose the rest of the {target}; the alternatives are a start.",
            )
        if self.choice.never_routed[chosen]:
            return Reason(
                f"never_routed_{target}",
                f"The desk wants no ticket of this {target} routed unseen.",
                f"Confirm or correct the {target}.",
            )
        needed = self.head.thresholds[labels[chosen]]
        if needed is None:
            return Reason(
                f"suggest_only_{target}",
                f"Past tickets do not bear out a promise for this {target} yet.",
                f"Confirm or correct the {target}.",
            )
        return Reason(
            f"unsure_{target}",
            f"The {target} is right with {share}; to be routed unseen it takes {needed:.1%}.",
            f"Confirm or correct the {target}.",
        )

    def overruled(self, verdicts: Verdicts, row: int) -> Reason | None:
        """Say why the likeliest label is not the one shown, if a rule of the desk is the cause."""
        target, chosen = self.target, int(verdicts.chosen[row])
        likeliest = int(verdicts.probabilities[row].argmax())
        is_shown = verdicts.depth[row] > 0
        if self.choice.excluded[likeliest]:
            return Reason(
                f"excluded_{target}",
                f"The likeliest {target} is one that the desk has excluded"
                + ("; the next best is shown." if is_shown else ", and no other is likely enough."),
                f"Confirm or correct the {target}.",
            )
        if self.choice.costs is None or not is_shown or chosen == likeliest:
            return None
        labels = self.head.labels
        return Reason(
            "least_cost",
            f"The {target} {labels[likeliest]} is likelier "
            f"({verdicts.probabilities[row, likeliest]:.1%} against "
            f"{verdicts.confidence[row]:.1%}), but to be wrong with it would cost more than with "
            f"{labels[chosen]}.",
            f"Confirm or correct the {target}.",
        )

    def rival(self, verdicts: Verdicts, row: int) -> int:
        """Find the likeliest label that is not the one shown and does not lie below it."""
        chosen, depth = int(verdicts.chosen[row]), int(verdicts.depth[row])
        # Where nothing is shown, the whole path stands against the others.
        level = self.choice.levels[depth - 1 if depth else -1]
        others = level.node_of != level.node_of[chosen]
        if not others.any():
            others = np.arange(len(others)) != chosen
        return int(np.where(others, verdicts.probabilities[row], -1.0).argmax())

    def _depth(self, probabilities: FloatArray, chosen: IndexArray) -> IndexArray:
        """Count the steps of each chosen path down to the last one that is likely enough."""
        sure = self._path_confidence(probabilities, chosen)
        if self.choice.costs is not None:
            # The label shown need not be likely, only the case clear enough.
            sure = np.maximum(sure, probabilities.max(axis=1, keepdims=True))
        depth = np.zeros(len(chosen), dtype=np.int64)
        for number, level in enumerate(self.choice.levels, 1):
            depth[sure[:, number - 1] >= suggestion_floor(len(level.nodes))] = number
        depth[self.choice.excluded[chosen]] = 0
        return depth

    def _path(self, verdicts: Verdicts, row: int) -> list[PathStep]:
        """List the steps that are worth showing; none where labels are flat."""
        path: list[PathStep] = []
        if len(self.choice.levels) == 1:
            return path
        one = slice(row, row + 1)
        sure = self._path_confidence(verdicts.probabilities[one], verdicts.chosen[one])[0]
        for place, level in enumerate(self.choice.levels[: verdicts.depth[row]]):
            label = level.nodes[level.node_of[verdicts.chosen[row]]]
            # A label that ends here, while others go on, is no further step.
            if not path or path[-1].label != label:
                name = self.names.get(label, last_part(label))
                path.append(PathStep(label, name, round(float(sure[place]), 4)))
        return path

    def _path_confidence(self, probabilities: FloatArray, chosen: IndexArray) -> FloatArray:
        calibrations = self.head.level_calibrations
        return path_confidence(self.choice.levels, calibrations, probabilities, chosen)


def policy_of(target: str, head: Head, taxonomy: Taxonomy) -> TargetPolicy:
    """Set up the policy of a head under a desk's taxonomy."""
    choice = choice_of(taxonomy, target, head.labels)
    return TargetPolicy(target, head, choice, taxonomy.names(target))


def suggestion_floor(n_labels: int) -> float:
    """Give the confidence below which the best label is not worth showing.

    With many labels, three in ten is still a useful hint; with few, it must clearly beat a
    blind pick.
    """
    return max(0.3, 1.2 / n_labels)


def decide(
    policies: Mapping[str, TargetPolicy],
    verdicts: Mapping[str, Verdicts],
    row: int,
    route_on: Sequence[str],
    joint_confidence: float | None,
    joint_threshold: float | None,
) -> tuple[Decision, list[Reason]]:
    """Combine what is said about all targets of one ticket into one decision with its reasons.

    Parameters
    ----------
    route_on : targets that must all be right for a ticket to be routed unseen
    joint_confidence : calibrated probability that they are; None without any
    joint_threshold : value of it that keeps the promise; None when none does
    """
    decisions = {target: verdicts[target].decisions[row] for target in policies}
    if all(decision == "review" for decision in decisions.values()):
        return "review", [
            policy.held_back(verdicts[target], row) for target, policy in policies.items()
        ]
    overruled = (policy.overruled(verdicts[target], row) for target, policy in policies.items())
    told = [reason for reason in overruled if reason]
    if "tier" not in policies:
        return "suggest", [NO_TIER, *told]
    held_back = [
        policies[target].held_back(verdicts[target], row)
        for target in route_on
        if decisions[target] != "route"
    ]
    told = [reason for reason in told if reason not in held_back]
    if held_back:
        return "suggest", held_back + told
    if joint_confidence is None or joint_threshold is None or joint_confidence < joint_threshold:
        return "suggest", [JOINT_UNSURE, *told]
    return "route", [PROMISE_KEPT, *told]
