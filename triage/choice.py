"""Which of a target's labels is shown: the likeliest, unless the desk has laid down otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triage.hierarchy import BoolArray, FloatArray, IndexArray, Level, levels_of, walk_down
from triage.taxonomy import Taxonomy

_LEVEL = 1e-12  # costs closer than this are equal: the likelier label is shown


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """How one label is chosen from the probabilities of all.

    ``excluded`` labels are never chosen, but keep their probability, so that the numbers of the
    others stay true. ``costs`` of shape (n_labels, n_labels), right label by label shown, make it
    the label of least expected cost. Tickets of ``never_routed`` labels are not sent unseen.
    """

    levels: tuple[Level, ...]
    excluded: BoolArray
    never_routed: BoolArray
    costs: FloatArray | None = None

    def __call__(self, probabilities: FloatArray) -> IndexArray:
        """Choose the column of a label for each row of shape (n_tickets, n_labels)."""
        if self.costs is None:
            return walk_down(self.levels, probabilities, ~self.excluded)
        # Not a matrix product: its last digits would depend on the other tickets of the batch.
        expected = (probabilities[:, :, np.newaxis] * self.costs).sum(axis=1)
        expected[:, self.excluded] = np.inf
        is_least = expected <= expected.min(axis=1, keepdims=True) + _LEVEL
        likeliest = np.where(is_least, probabilities, -1.0).argmax(axis=1)
        return np.asarray(likeliest, dtype=np.int64)


def choice_of(taxonomy: Taxonomy, target: str, labels: Sequence[str]) -> LabelChoice:
    """Read from the desk's taxonomy how a target's label is chosen.

    Raises
    ------
    ConfigurationError : costs are set, and a label of the tier is none of the taxonomy's
    """
    costs = taxonomy.costs if target == "tier" else None
    return LabelChoice(
        levels=levels_of(labels),
        excluded=np.array([taxonomy.is_excluded(target, label) for label in labels], dtype=bool),
        never_routed=np.array([not taxonomy.may_route(target, label) for label in labels], bool),
        costs=costs.matrix(labels) if costs else None,
    )
