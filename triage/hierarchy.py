"""Labels that are paths, such as ``Access > VPN``: their levels, and the way down to a leaf."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SEPARATOR = " > "
"""What joins the parts of a path that we make; ``::`` is read as well."""

_SEPARATOR = re.compile(r" ?:: ?| > ")
_LEAST = 1e-300
_CACHE_SIZE = 4096  # labels of several targets; they are looked at again with every ticket


@lru_cache(_CACHE_SIZE)
def steps_of(label: str) -> tuple[str, ...]:
    """List the steps of a path from the top down, each with the way to it.

    ``A > B`` has the steps ``A`` and ``A > B``. A label with an empty part is no path, but one
    step. The desk's own spelling is kept: these labels are written back to its help desk.
    """
    cuts = [match.span() for match in _SEPARATOR.finditer(label)]
    begins = [0, *(end for _, end in cuts)]
    ends = [*(begin for begin, _ in cuts), len(label)]
    if not all(label[begin:end].strip() for begin, end in zip(begins, ends, strict=True)):
        return (label,)
    return tuple(label[:end] for end in ends)


def last_part(label: str) -> str:
    """Give what a path adds to the step above it: ``B`` of ``A > B``."""
    steps = steps_of(label)
    return label if len(steps) == 1 else _SEPARATOR.sub("", label[len(steps[-2]) :], count=1)


def with_one_separator(label: str) -> str:
    """Spell a path with `SEPARATOR` alone, to compare it with others."""
    return _SEPARATOR.sub(SEPARATOR, label)


def depth_of(labels: Sequence[str]) -> int:
    """Count the levels of the deepest label; flat labels have one."""
    return max((len(steps_of(label)) for label in labels), default=1)


def at_level(labels: Sequence[str], level: int) -> list[str]:
    """Cut every label off below a level; a label that ends above it stays."""
    return [steps_of(label)[:level][-1] for label in labels]


@dataclass(frozen=True, slots=True)
class Level:
    """The nodes that labels have at one level of their paths.

    ``node_of`` holds for each label the index of its node. A label that ends above the level is
    a node of its own there: the tickets of which no more is said.
    """

    nodes: list[str]
    node_of: IndexArray
    _order: IndexArray = field(repr=False)
    _starts: IndexArray = field(repr=False)

    def sums(self, probabilities: FloatArray) -> FloatArray:
        """Add up the probabilities of each node's labels.

        Parameters
        ----------
        probabilities : ndarray of shape (n_tickets, n_labels)

        Returns
        -------
        ndarray of shape (n_tickets, n_nodes)
        """
        # Not a matrix product: its last digits would depend on the other tickets of the batch.
        return np.add.reduceat(np.take(probabilities, self._order, axis=1), self._starts, axis=1)


def levels_of(labels: Sequence[str]) -> tuple[Level, ...]:
    """List the levels of some labels from the top down; in the last, each label is a node."""
    levels = []
    for level in range(1, depth_of(labels) + 1):
        nodes, node_of = np.unique(np.array(at_level(labels, level), object), return_inverse=True)
        order = np.argsort(node_of, kind="stable")
        starts = np.searchsorted(node_of[order], np.arange(len(nodes)))
        levels.append(Level([str(node) for node in nodes], node_of, order, starts))
    return tuple(levels)


def walk_down(levels: Sequence[Level], probabilities: FloatArray, allowed: BoolArray) -> IndexArray:
    """Choose a label for each ticket: the best node at the top, then the best inside it, and on.

    Parameters
    ----------
    probabilities : ndarray of shape (n_tickets, n_labels)
    allowed : ndarray of shape (n_labels,); the others are neither chosen nor count for their node

    Returns
    -------
    ndarray of shape (n_tickets,), column of the label; of flat labels, the most probable one

    Notes
    -----
    A node counts by the sum of its labels' squared probabilities. Their plain sum favours nodes of
    many labels, for each has a little probability in every ticket. The squares were at least as
    accurate as the most probable label at every level, within chance, the plain sum was not
    (docs/benchmarks.md).
    """
    inside = np.broadcast_to(allowed, probabilities.shape)
    for level in levels[:-1]:
        # The addend lets what is allowed win even where none of it is likely.
        weights = np.where(inside, probabilities**2 + _LEAST, 0.0)
        best = level.sums(weights).argmax(axis=1)
        inside = inside & (level.node_of == best[:, np.newaxis])
    best = np.where(inside, probabilities, -1.0).argmax(axis=1)
    return np.asarray(best, dtype=np.int64)


def fold_rare(labels: npt.NDArray[np.object_], min_tickets: int) -> npt.NDArray[np.object_]:
    """Call tickets of a leaf too rare to learn by the step above it.

    Parameters
    ----------
    labels : ndarray of shape (n_tickets,), str or None
    min_tickets : a label with fewer tickets is folded; flat labels stay as they are

    Returns
    -------
    ndarray of shape (n_tickets,)
    """
    counts = Counter(label for label in labels if label is not None)
    renamed: dict[str, str] = {}
    for depth in range(depth_of(list(counts)), 1, -1):
        for label in [one for one in counts if len(steps_of(one)) == depth]:
            if counts[label] < min_tickets:
                renamed[label] = steps_of(label)[-2]
                counts[renamed[label]] += counts[label]
    folded = labels.copy()
    for place, label in enumerate(labels):
        while label in renamed:
            label = renamed[label]
        folded[place] = label
    return folded
