"""Near twins: tickets that say almost the same, found by MinHash over words and word pairs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from triage.ngrams import FIRST_WORD_BUCKET, count_grams
from triage.ticket import Ticket

IndexArray = npt.NDArray[np.int64]

_BANDS, _ROWS = 16, 3
_SIMILARITY = 0.6  # Jaccard over words and pairs; about cosine 0.8 of their TF-IDF vectors
_PRIME = (1 << 31) - 1


def twin_clusters(tickets: Sequence[Ticket]) -> IndexArray:
    """Number the clusters of tickets that are near twins of one another.

    Returns
    -------
    ndarray of shape (n_tickets,), cluster of each ticket; alone in its cluster without a twin

    Notes
    -----
    MinHash with banding (Broder, 1997; Leskovec et al., Mining of Massive Datasets, ch. 3): time
    and memory grow linearly with the tickets. Twins of twins share a cluster.
    """
    words = count_grams([f"{ticket.subject}\n{ticket.description}" for ticket in tickets])
    words = words[:, FIRST_WORD_BUCKET:]
    has_words = np.flatnonzero(np.diff(words.indptr))
    # Equal signatures first become one, so that no row's place decides what it is compared with.
    signatures, signature_of = np.unique(_minhash(words[has_words]), axis=0, return_inverse=True)
    first, second = [], []
    for band in range(_BANDS):
        keys = signatures[:, band * _ROWS : (band + 1) * _ROWS]
        _, leader, member_of = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        candidates = leader[member_of.ravel()]
        follower = np.flatnonzero(candidates != np.arange(len(candidates)))
        leader_of = candidates[follower]
        agreement = (signatures[follower] == signatures[leader_of]).mean(axis=1)
        close = agreement >= _SIMILARITY
        first.append(follower[close])
        second.append(leader_of[close])
    rows, columns = np.concatenate(first), np.concatenate(second)
    size = len(signatures)
    graph = sp.coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(size, size))
    n_clusters, cluster_of = connected_components(graph, directed=False)
    # A ticket without words is nobody's twin.
    clusters: IndexArray = n_clusters + np.arange(len(tickets), dtype=np.int64)
    clusters[has_words] = cluster_of[signature_of.ravel()]
    return clusters


def _minhash(sets: sp.csr_matrix) -> npt.NDArray[np.int64]:
    generator = np.random.default_rng(0)
    factors = generator.integers(1, _PRIME, _BANDS * _ROWS)
    shifts = generator.integers(0, _PRIME, _BANDS * _ROWS)
    items = sets.indices.astype(np.int64) + 1
    signatures = np.empty((sets.shape[0], len(factors)), dtype=np.int64)
    for column, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
        hashes = (items * factor + shift) % _PRIME
        signatures[:, column] = np.minimum.reduceat(hashes, sets.indptr[:-1]) if len(items) else 0
    return signatures
