"""Tickets that ask for the same, found by the words they share within their category."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.cluster import AgglomerativeClustering
from sklearn.preprocessing import normalize

from training.telling import Vocabulary
from triage.words import STOP_WORDS, fold, stems

IndexArray = npt.NDArray[np.int64]

MIN_SIZE = 5
"""Fewest tickets of a cluster: two or three say the same by chance."""

MAX_COMPARED = 3000
"""Tickets of a category compared pair by pair, the newest; others join the cluster they are like.
Time and memory grow with the square: 3,000 take two seconds and 150 MB."""

SIMILARITY = 0.08
"""Least mean cosine between the tickets of two clusters that become one. Of the sample's tickets
without an article, 0.08 leaves 74% in clusters, 67% of them beside their likes (made of the same
scenario); 0.06 gives 77% and 63%, 0.12 60% and 74%. Without regard to categories, clusters were
never half as pure."""

BELONGING = 0.3
"""Least cosine of a ticket to the middle of its cluster, nearer to it than its neighbours are."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters of tickets.

    ``label`` of shape (n_tickets,) numbers each ticket's cluster, -1 where it has none;
    ``likeness`` of shape (n_tickets,) is the cosine to the middle of that cluster.
    """

    label: IndexArray
    likeness: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.label.max(initial=-1)) + 1


def cluster_tickets(
    vocabulary: Vocabulary,
    categories: npt.NDArray[np.object_],
    is_wanted: npt.NDArray[np.bool_],
) -> Clusters:
    """Cluster tickets; the same ones, in the same order, always get the same clusters.

    Parameters
    ----------
    vocabulary : which words may be looked at, and which tickets have them
    categories : ndarray of shape (n_tickets,), str; tickets of two categories never meet
    is_wanted : ndarray of shape (n_tickets,), the tickets to cluster; the others tell how rare
        a word is
    """
    matrix = _weigh(vocabulary)
    names = categories.astype(str)
    has_words = np.diff(matrix.indptr) > 0
    label = np.full(matrix.shape[0], -1, dtype=np.int64)
    likeness = np.zeros(matrix.shape[0])
    n_clusters = 0
    for category in np.unique(names[is_wanted]):
        rows = np.flatnonzero((names == category) & is_wanted & has_words)
        found = _agglomerate(matrix[rows[-MAX_COMPARED:]])
        if found is None:
            continue
        middles = normalize(found.T @ matrix[rows[-MAX_COMPARED:]])
        likes = np.asarray((matrix[rows] @ middles.T).todense())
        nearest = likes.argmax(axis=1)
        best = likes[np.arange(len(rows)), nearest]
        belongs = best >= BELONGING
        label[rows[belongs]] = n_clusters + nearest[belongs]
        likeness[rows[belongs]] = best[belongs]
        n_clusters += middles.shape[0]
    return _without_small(label, likeness)


def _weigh(vocabulary: Vocabulary) -> sp.csr_matrix:
    """Weigh the stems of each ticket by how rare they are; rows have length 1."""
    place: dict[str, int] = {}
    pairs = [
        (number, place.setdefault(stems(word)[0], len(place)))
        for number, word in enumerate(vocabulary.words)
        if not word.startswith("<") and fold(word) not in STOP_WORDS
    ]
    if not pairs:  # a small history: no word is in enough of its tickets
        return sp.csr_matrix((vocabulary.has.shape[0], 0), dtype=np.float32)
    words, columns = np.array(pairs, dtype=np.int64).T
    stem_of_word = sp.csr_matrix(
        (np.ones(len(pairs), np.float32), (words, columns)),
        shape=(len(vocabulary.words), len(place)),
    )
    has = sp.csr_matrix(vocabulary.has @ stem_of_word)
    has.data = np.minimum(has.data, 1)
    n_tickets = has.shape[0]
    n_with = np.bincount(has.indices, minlength=has.shape[1])
    weight = np.log((1 + n_tickets) / (1 + n_with))
    weighed = sp.csr_matrix(has @ sp.diags(weight.astype(np.float32)))
    weighed.eliminate_zeros()
    return sp.csr_matrix(normalize(weighed))


def _agglomerate(matrix: sp.csr_matrix) -> sp.csr_matrix | None:
    """Join what is most alike until nothing is alike enough: (n_tickets, n_clusters) of 0 and 1."""
    if matrix.shape[0] < MIN_SIZE:
        return None
    distances = np.maximum(1.0 - np.asarray((matrix @ matrix.T).todense(), dtype=np.float64), 0.0)
    joined = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1 - SIMILARITY
    ).fit_predict(distances)
    large = np.flatnonzero(np.bincount(joined) >= MIN_SIZE)
    if not len(large):
        return None
    place = np.full(joined.max() + 1, -1)
    place[large] = np.arange(len(large))
    kept = np.flatnonzero(place[joined] >= 0)
    return sp.csr_matrix(
        (np.ones(len(kept), np.float32), (kept, place[joined[kept]])),
        shape=(matrix.shape[0], len(large)),
    )


def _without_small(label: IndexArray, likeness: npt.NDArray[np.float64]) -> Clusters:
    sizes = np.bincount(label[label >= 0])
    place = np.full(len(sizes) + 1, -1)  # the last one is of tickets without a cluster
    large = np.flatnonzero(sizes >= MIN_SIZE)
    place[large] = np.arange(len(large))
    kept = place[label]
    return Clusters(kept, np.where(kept >= 0, likeness, 0.0))
