"""How much a ticket talks about what the desk's past tickets talk about.

Words and pairs of words that many past tickets have are of the desk; those that none has may be of
anything. Small words are of every text and speak for none: otherwise a question about the weather
looks much like a ticket, because half of its words are "what is the".
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from triage.language import UNDETERMINED, detect_language
from triage.ngrams import FIRST_WORD_BUCKET, MARK_SHIFT, N_BUCKETS, KeyArray, chunks, keyed_words
from triage.ticket import Ticket
from triage.words import STOP_WORDS

FloatArray = npt.NDArray[np.float64]

_N_WORD_BUCKETS = N_BUCKETS - FIRST_WORD_BUCKET
_BUCKET_MASK = np.uint32(_N_WORD_BUCKETS - 1)

# What a small word counts, where another counts 1. Text about anything has more of them than a
# ticket; but counted in full, a desk of terse tickets would not know whoever writes in sentences.
_SMALL_WORD_COUNTS = 0.5

# Share of past tickets that each language gives up to find foreign text, and share of all that the
# threshold of the rest gives up at least: random letters are of no language (docs/benchmarks.md).
_GIVEN_UP = 0.04
_GIVEN_UP_AT_LEAST = 0.01
_MIN_TICKETS = 50  # of a language; fewer have no quantile of their own
_MIN_OTHERS = 20


def word_evidence(frequency: FloatArray, n_tickets: int) -> FloatArray:
    """Weigh words and pairs by how strongly they speak for a text of the desk.

    If whoever writes about anything draws known words evenly, and the desk as often as it uses
    them, then the logarithm of a word's frequency tells how much likelier it makes the desk.

    Parameters
    ----------
    frequency : ndarray, for each bucket of words and pairs the number of past tickets with it

    Returns
    -------
    ndarray of the same shape in [0, 1], 1 for a word of every past ticket
    """
    return np.asarray(np.log1p(frequency) / np.log1p(max(n_tickets, 1)))


def familiarity(tickets: Sequence[Ticket], evidence: FloatArray) -> FloatArray:
    """Add up what the distinct words and pairs of each ticket speak for, and share it by word.

    Parameters
    ----------
    evidence : see `word_evidence`

    Returns
    -------
    ndarray of shape (n_tickets,), 0 for a ticket without a known word
    """
    found = np.zeros(len(tickets))
    sizes = [len(ticket.subject) + len(ticket.description) for ticket in tickets]
    for chunk in chunks(sizes, 1 << (31 - MARK_SHIFT)):
        words, pairs = _distinct(tickets[chunk])
        is_small = _IS_SMALL.take(words & _BUCKET_MASK)
        spoken = np.where(is_small, 0, evidence.take(words & _BUCKET_MASK))
        n_words = np.where(is_small, _SMALL_WORD_COUNTS, 1)
        n_rows = len(found[chunk])
        rows, rows_of_pairs = words >> np.uint32(MARK_SHIFT), pairs >> np.uint32(MARK_SHIFT)
        said = np.bincount(rows, spoken, minlength=n_rows)
        said += np.bincount(rows_of_pairs, evidence.take(pairs & _BUCKET_MASK), minlength=n_rows)
        found[chunk] = said / np.maximum(np.bincount(rows, n_words, minlength=n_rows), 0.5)
    return found


def languages(tickets: Iterable[Ticket]) -> list[str]:
    """Tell the language of each ticket, prepared or not."""
    return [detect_language(f"{ticket.subject}\n{ticket.description}") for ticket in tickets]


def least_familiarity(familiarity: FloatArray, languages: Sequence[str]) -> dict[str, float]:
    """Set for each language what a text must reach to be of the desk.

    One threshold for all would be one for the language most tickets are written in: the words of
    another are rarer, and a third of its tickets would lie below.

    Parameters
    ----------
    familiarity : that of past tickets as if unseen, see `triage.features.TicketFeatures.analyse`
    languages : the language of each

    Returns
    -------
    dict : for each language with tickets enough, and for `UNDETERMINED` and all others together
    """
    of = np.array(languages, dtype=str)
    names, counts = np.unique(of, return_counts=True)
    own = [str(name) for name in names[counts >= _MIN_TICKETS] if name != UNDETERMINED]
    is_other = ~np.isin(of, own)
    others = familiarity[is_other] if is_other.sum() >= _MIN_OTHERS else familiarity
    least = {name: float(np.quantile(familiarity[of == name], _GIVEN_UP)) for name in own}
    lowest = np.quantile(familiarity, _GIVEN_UP_AT_LEAST)
    least[UNDETERMINED] = float(max(np.quantile(others, _GIVEN_UP), lowest))
    return least


def is_familiar(
    tickets: Sequence[Ticket], familiarity: FloatArray, least: Mapping[str, float]
) -> npt.NDArray[np.bool_]:
    """Tell which tickets are of the desk; ``least`` as of `least_familiarity`."""
    needed = np.array([least.get(name, least[UNDETERMINED]) for name in languages(tickets)])
    # However odd the past tickets were, without one known word a text is foreign.
    return (familiarity > 0) & (familiarity >= needed)


def _distinct(tickets: Sequence[Ticket]) -> tuple[KeyArray, KeyArray]:
    """List each ticket's distinct words, and its pairs without those of small words alone."""
    texts = [text for ticket in tickets for text in (ticket.subject, ticket.description)]
    marks = np.arange(len(texts), dtype=np.uint32) << np.uint32(MARK_SHIFT)
    words, pairs, firsts = keyed_words(texts, marks)
    is_small = _IS_SMALL.take(words & _BUCKET_MASK)
    says = ~(is_small.take(firsts) & is_small.take(firsts + 1))
    return _by_ticket(words), _by_ticket(pairs.compress(says))


def _by_ticket(keys: KeyArray) -> KeyArray:
    """Mark grams with the number of their ticket instead of their text, each once."""
    tickets = keys >> np.uint32(MARK_SHIFT + 1)
    return np.unique((tickets << np.uint32(MARK_SHIFT)) | (keys & _BUCKET_MASK))


def _small_words() -> npt.NDArray[np.bool_]:
    """Mark the buckets of small words; the list is folded, texts are not."""
    umlauts = [word.replace("ae", "ä").replace("oe", "ö").replace("ue", "ü") for word in STOP_WORDS]
    sharp = [word.replace("ss", "ß") for word in (*STOP_WORDS, *umlauts)]
    text = " ".join([*STOP_WORDS, *umlauts, *sharp])
    words, _, _ = keyed_words([text], np.zeros(1, dtype=np.uint32))
    is_small = np.zeros(_N_WORD_BUCKETS, dtype=bool)
    is_small[words & _BUCKET_MASK] = True
    return is_small


_IS_SMALL = _small_words()
