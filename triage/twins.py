"""Near twins: tickets that say almost the same, found by MinHash over words and word pairs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from triage.ngrams import FIRST_WORD_BUCKET, count_grams
from triage.ticket import Ticket

IndexArray = npt.NDArray[np.int64]
SignatureArray = npt.NDArray[np.int32]

_BANDS, _ROWS = 16, 3
_SIMILARITY = 0.6  # Jaccard over words and pairs; about cosine 0.8 of their TF-IDF vectors
_PRIME = (1 << 31) - 1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def twin_clusters(tickets: Sequence[Ticket]) -> IndexArray:
    """Number the clusters of tickets that are near twins of one another.

    Returns
    -------
    ndarray of shape (n_tickets,), cluster of each ticket; alone in its cluster without a twin
    """
    return cluster_signatures(sign(tickets))


def sign(tickets: Sequence[Ticket]) -> SignatureArray:
    """Sum up each ticket's words and word pairs in a few numbers; twins share most of them.

    Returns
    -------
    int32 array of shape (n_tickets, 48); all -1 for a ticket without words
    """
    words = count_grams([f"{ticket.subject}\n{ticket.description}" for ticket in tickets])
    words = words[:, FIRST_WORD_BUCKET:]
    has_words = np.flatnonzero(np.diff(words.indptr))
    signatures = np.full((len(tickets), _BANDS * _ROWS), -1, dtype=np.int32)
    signatures[has_words] = _minhash(words[has_words])
    return signatures


def cluster_signatures(signatures: SignatureArray) -> IndexArray:
    """Number the clusters of near twins by the signatures of their tickets.

    Notes
    -----
    MinHash with banding (Broder, 1997; Leskovec et al., Mining of Massive Datasets, ch. 3): time
    and memory grow linearly with the tickets. Twins of twins share a cluster.
    """
    has_words = np.flatnonzero(signatures[:, 0] >= 0)
    # Equal signatures first become one, so that no row's place decides what it is compared with.
    _, place, signature_of = np.unique(
        _digest(signatures[has_words]), return_index=True, return_inverse=True
    )
    different = signatures[has_words[place]]
    first, second = [], []
    for band in range(_BANDS):
        keys = _digest(different[:, band * _ROWS : (band + 1) * _ROWS])
        _, leader, member_of = np.unique(keys, return_index=True, return_inverse=True)
        candidates = leader[member_of]
        follower = np.flatnonzero(candidates != np.arange(len(candidates)))
        leader_of = candidates[follower]
        agreement = (different[follower] == different[leader_of]).mean(axis=1)
        close = agreement >= _SIMILARITY
        first.append(follower[close])
        second.append(leader_of[close])
    rows, columns = np.concatenate(first), np.concatenate(second)
    size = len(different)
    graph = sp.coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(size, size))
    n_clusters, cluster_of = connected_components(graph, directed=False)
    # A ticket without words is nobody's twin.
    clusters: IndexArray = n_clusters + np.arange(len(signatures), dtype=np.int64)
    clusters[has_words] = cluster_of[signature_of]
    return clusters


def _digest(numbers: SignatureArray) -> npt.NDArray[np.uint64]:
    """Hash each row to one number, which sorts many times as fast as the row."""
    digest = np.zeros(len(numbers), dtype=np.uint64)
    for column in numbers.T:
        digest = (digest ^ column.astype(np.uint64)) * _MULTIPLIER
        digest ^= digest >> np.uint64(29)
    return digest


def _minhash(sets: sp.csr_matrix) -> SignatureArray:
    generator = np.random.default_rng(0)
    factors = generator.integers(1, _PRIME, _BANDS * _ROWS)
    shifts = generator.integers(0, _PRIME, _BANDS * _ROWS)
    items = sets.indices.astype(np.int64) + 1
    signatures = np.empty((sets.shape[0], len(factors)), dtype=np.int32)
    for column, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
        hashes = (items * factor + shift) % _PRIME
        signatures[:, column] = np.minimum.reduceat(hashes, sets.indptr[:-1]) if len(items) else 0
    return signatures
