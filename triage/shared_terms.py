"""The words that several tickets share and others seldom use, as most of them write them."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from triage.signature import words_by_stem
from triage.similar import TicketIndex
from triage.ticket import Ticket

N_TERMS = 5


def shared_terms(
    tickets: Iterable[Ticket], usual: TicketIndex, *, least: int = 2, top: int = N_TERMS
) -> list[str]:
    """List what several prepared tickets say, the most telling first.

    Parameters
    ----------
    usual : tickets that tell how many have each word anyway
    least : tickets that must say a word
    top : how many to list at most
    """
    spellings: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for ticket in tickets:
        for stem, word in words_by_stem(ticket).items():
            spellings[stem][word.lower()] += 1
    said = [stem for stem, spelt in spellings.items() if spelt.total() >= least]
    if not said:
        return []
    shares = (usual.count(np.array(said, dtype=np.uint32)) + 1) / (len(usual) + 2)
    times = np.array([spellings[stem].total() for stem in said])
    order = np.argsort(times * np.log(shares), kind="stable")
    terms = (spellings[said[place]].most_common(1)[0][0] for place in order)
    return list(dict.fromkeys(terms))[:top]
