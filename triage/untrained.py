"""Category and tier of a ticket before anything was learned: from the articles it resembles."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage.bm25 import BM25Index
from triage.knowledge import KnowledgeBase
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket

FloatArray = npt.NDArray[np.float64]

# The constants were chosen on the sample history (true labels, 3,582 tickets) so that confidence
# keeps its promise with all articles and with half of them: see docs/without-history.md.

SHARPNESS = 1.6
"""How much surer one decisive word makes: e to this power as likely. The most at which random
halves and quarters of the knowledge base keep what they promise; with all of it 2 would."""

UNWRITTEN = 1.0
"""Decisive words that what nobody has written down would explain: it competes with the labels."""

SUBJECT_WEIGHT = 0.5
"""What a word weighs more in the subject; from 0.5 to 1 made no difference, 0 cost two points."""

OWN_WORDS_WEIGHT = 0.7
"""Weight of the taxonomy's name and description of a category, beside an article's 1."""

CATEGORY_KEPT = 0.95
"""Share of tickets filed where the right article is; no likeness alone makes surer than this."""

TIER_KEPT = 0.7
"""Share of tickets that the tier of the right article resolves: it is the lowest that can follow
its steps, and one ticket in three goes further up."""

N_VOTES = 10
"""Articles whose tiers count; in a large knowledge base the many weak ones would drown the best."""


class UntrainedClassifier:
    """Guesses labels from similarity to articles, and from a category's own words.

    The evidence for a category is the length of the vector of its articles' evidence, in units of
    a decisive word (`triage.bm25`); for a tier, each article speaks for itself. Evidence becomes
    probability by a fixed rule, which no outcome has confirmed here: it is made to promise too
    little. What is missing to a sum of 1 is the share of what no article and no category explains.

    Parameters
    ----------
    knowledge : the articles, with a category and a tier each, or without
    taxonomy : names and descriptions of categories, and what tiers there are
    categories : further categories to choose from, beside those that the articles name

    Attributes
    ----------
    labels : for "tier" and "category", where the articles tell any, the labels to choose from
    """

    def __init__(
        self, knowledge: KnowledgeBase, taxonomy: Taxonomy, categories: Sequence[str] = ()
    ) -> None:
        articles = knowledge.articles
        named = {article.category for article in articles if article.category}
        tiers = {article.tier for article in articles if article.tier in taxonomy.tiers}
        if tiers:  # what an article's tier cannot solve goes to another one
            tiers |= {tier.id for tier in taxonomy.tiers.values() if tier.daily}
        self.labels: dict[str, list[str]] = {
            target: labels
            for target, labels in (
                ("tier", [tier for tier in taxonomy.tiers if tier in tiers]),
                ("category", sorted({*named, *categories})),
            )
            if labels
        }
        self._articles = knowledge.index
        places = {label: place for place, label in enumerate(self.labels.get("category", ()))}
        members = [
            (row, places[article.category])
            for row, article in enumerate(articles)
            if article.category
        ]
        rows, columns = np.array(members, dtype=np.int64).reshape(-1, 2).T
        self._category_of = sp.csr_array(
            (np.ones(len(members)), (rows, columns)), shape=(len(articles), len(places))
        )
        self._own_words = BM25Index([_words_of(label, taxonomy) for label in places])
        order = self.labels.get("tier", [])
        # An article without a tier takes its share of the vote and gives it to nobody.
        self._tier_of = np.array(
            [order.index(a.tier) if a.tier in order else len(order) for a in articles], dtype=int
        )

    def predict_proba(self, tickets: Sequence[Ticket]) -> dict[str, FloatArray]:
        """Guess how likely each label is.

        Parameters
        ----------
        tickets : cleaned ones (`triage.prepare`)

        Returns
        -------
        dict : target -> ndarray of shape (n_tickets, n_labels), rows summing to less than 1
        """
        evidence = _evidence(self._articles, tickets)
        guesses: dict[str, FloatArray] = {}
        if "tier" in self.labels:
            guesses["tier"] = self._tier_votes(evidence)
        if "category" in self.labels:
            own = OWN_WORDS_WEIGHT * _evidence(self._own_words, tickets).toarray()
            squares = (evidence.multiply(evidence) @ self._category_of).toarray()
            guesses["category"] = CATEGORY_KEPT * _shares(np.sqrt(squares + own**2))
        return guesses

    def _tier_votes(self, evidence: sp.csr_array) -> FloatArray:
        n_tiers = len(self.labels["tier"])
        votes = np.zeros((evidence.shape[0], n_tiers + 1))
        for row in range(evidence.shape[0]):
            cells = slice(evidence.indptr[row], evidence.indptr[row + 1])
            found, weights = evidence.indices[cells], evidence.data[cells]
            best = np.lexsort((found, -weights))[:N_VOTES]
            shares = _shares(weights[np.newaxis, best])[0]
            votes[row] = np.bincount(self._tier_of[found[best]], shares, minlength=n_tiers + 1)
        return TIER_KEPT * votes[:, :n_tiers]


def _evidence(index: BM25Index, tickets: Sequence[Ticket]) -> sp.csr_array:
    """Weigh what each document explains of each ticket, its subject somewhat more."""
    wholes = [f"{ticket.subject}\n{ticket.description}" for ticket in tickets]
    found, _ = index.match([*wholes, *(ticket.subject for ticket in tickets)])
    n_tickets = len(tickets)
    return sp.csr_array(found[:n_tickets] + SUBJECT_WEIGHT * found[n_tickets:], dtype=np.float64)


def _shares(strengths: FloatArray) -> FloatArray:
    """Turn evidence of shape (n_tickets, n_candidates) into probabilities, a share left over."""
    most = np.maximum(strengths.max(axis=1, initial=UNWRITTEN, keepdims=True), UNWRITTEN)
    powers = np.exp(SHARPNESS * (strengths - most))
    unwritten = np.exp(SHARPNESS * (UNWRITTEN - most))
    return np.asarray(powers / (powers.sum(axis=1, keepdims=True) + unwritten))


def _words_of(label: str, taxonomy: Taxonomy) -> Mapping[str, str]:
    entry = taxonomy.categories.get(label)
    return {
        "title": entry.name if entry else label,
        "symptoms": entry.description if entry else "",
        "applies_to": label,
        "body": "",
    }
