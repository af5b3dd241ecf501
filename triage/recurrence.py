"""Trouble that comes back: clusters of tickets that say the same, seen again and again.

Each ticket's likes are found with the index for similar tickets. The ticket with most of them takes
them into its cluster, then the one with most of those that are left, and so on (star clustering:
Aslam, Pelekhov & Rus, Journal of Graph Algorithms and Applications 8, 2004). Nothing is chained:
every ticket of a cluster is like the one in its middle.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from triage.similar import TicketIndex

IntArray = npt.NDArray[np.int64]

LIKENESS = 0.45
"""Least likeness to the middle of a cluster, see docs/incidents.md."""

_MAX_LIKES = 200
_REPORTED = 500


def cluster(
    signatures: Sequence[bytes],
    *,
    likeness: float = LIKENESS,
    on_progress: Callable[[int], None] | None = None,
) -> list[IntArray]:
    """Put tickets that say the same into clusters, the largest first.

    Parameters
    ----------
    signatures : of the tickets, see `triage.signature`; one without words is in no cluster
    on_progress : called now and then with the number of tickets looked at

    Returns
    -------
    list of ndarray, the places of each cluster's tickets in ascending order; a ticket that nobody
    else is like has no cluster
    """
    # Alerts say the very same thing hundreds of times: each text is looked at once.
    place_of = {signature: place for place, signature in enumerate(dict.fromkeys(signatures))}
    text_of = np.array([place_of[signature] for signature in signatures], dtype=np.int64)
    sizes = np.bincount(text_of, minlength=len(place_of))
    texts = list(place_of)
    index = TicketIndex()
    index.add(range(len(texts)), texts)
    likes = []
    for place, text in enumerate(texts):
        likes.append(index.query(text, top=_MAX_LIKES, floor=likeness)[0])
        if on_progress and place % _REPORTED == 0:
            on_progress(int(sizes[:place].sum()))
    n_likes = np.array([sizes[found].sum() for found in likes], dtype=np.int64)
    cluster_of = np.full(len(texts), -1, dtype=np.int64)
    for middle in np.lexsort((np.arange(len(texts)), -n_likes)):
        if cluster_of[middle] < 0 and len(likes[middle]):
            free = likes[middle][cluster_of[likes[middle]] < 0]
            cluster_of[free] = middle
            cluster_of[middle] = middle
    of_ticket = cluster_of[text_of] if len(texts) else cluster_of
    order = np.argsort(of_ticket, kind="stable")
    starts = np.flatnonzero(np.diff(of_ticket[order], prepend=-2))
    clusters = [part for part in np.split(order, starts[1:]) if len(part) > 1]
    clusters = [part for part in clusters if of_ticket[part[0]] >= 0]
    return sorted(clusters, key=lambda part: (-len(part), int(part[0])))
