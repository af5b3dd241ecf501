"""Finding the articles that answer a ticket, or none: a wrong article is worse than none.

Three witnesses are heard. The ticket's words: how many of them an article explains (BM25F, see
`triage.bm25`). Its meaning, where the extra ``semantic`` is installed and the text is English, or
German said word by word in English. And experience: which article resolved tickets like this one.
A multinomial regression makes one probability of them, that this article answers rather than
another or none, and what is less probable than a threshold is not offered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage.article_check import REVIEW_DAYS, is_stale
from triage.article_vectors import ArticleVectors, VectorArray, read_texts
from triage.experience import Experience
from triage.glossary import load_glossary
from triage.knowledge import KnowledgeBase
from triage.language import UNDETERMINED, detect_language
from triage.semantic import DIMENSIONS
from triage.suggestion import ArticleHit
from triage.words import fold, words

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Witness:
    """How much likelier an article answers a text than none does, as a logarithm."""

    intercept: float
    words: float
    meaning: float = 0.0


# Fitted by `python -m tests.benchmarks.knowledge --fit` on every second question of StackFAQ and
# every second ticket judged in tests/triage. Each counts a fifth more as if its article did not
# exist, so that "none" is learned as well. With meaning, words were given half of its weight: the
# fit would give them a little more, and find fewer.
WORDS_ALONE = Witness(-11.7, 22.2)
WITH_MEANING = Witness(-13.5, 8.9, 17.8)

THRESHOLD = 0.35
"""Least probability of an article that is offered: at it, nine of ten judged tickets that nothing
answers get nothing."""

WORDS_THRESHOLD = 0.55
"""The same where words alone decide; they are more easily wrong where they are sure. The lead over
the next article and the share of the ticket's words that is explained told no more apart."""

SETTLED = 0.8
"""Probability by words and experience together from which a ticket's meaning is left unread: that
takes longer than all the rest, and finds no more of the even judged tickets and of the sample's
newer ones. Words alone are never sure enough: they are taken in by tickets that nothing answers."""

SUREST = 0.999
"""Highest probability that is told: nobody has checked a thousand articles that were surer."""

UNEXPLAINED_WEIGHT = 0.05
"""Ten times as much, and chatter drowns what a ticket is about; none, and chatter is evidence."""

CATEGORY_WEIGHT = 0.6
"""From 0.3 to 1 made no difference in a simulation; more lets wrong categories overrule words."""

EXPERIENCE_WEIGHT = 1.5
"""Log-odds for a unit of `triage.experience.Experience.speak`; from 1 to 2.5 about as many of the
sample's newer tickets found their article, and more of it drowned the meaning of unlike ones."""

BATCH_CELLS = 2_000_000
"""Tickets times articles scored at once; keeps a batch within some 50 MB."""

_LEAST_BY_MEANING = 0.01  # an article that shares no word is found only if it is likelier than this
_ENGLISH, _GERMAN = "en", "de"
_SNIPPET = 200  # characters
_LINES_KEPT = 500  # articles whose lines are cut into words and remembered


class ArticleRecommender:
    """Offers the articles that fit a ticket, the likeliest first.

    The evidence of an article's words is the weight of the ticket's words that it explains, in
    units of one decisive word, and counts more when the article's category is a likely one. Its
    score ``e / (e + 1 + 0.05 * r)`` with the unexplained rest ``r`` is 0.5 at one decisive word;
    the rest counts little, because tickets are full of words that no article needs to explain.

    Parameters
    ----------
    knowledge : the articles
    vectors : what they mean, or None to go by words alone
    experience : what history taught about them
    threshold : float in [0, 1], least probability of an article that is offered; `THRESHOLD`, or
        `WORDS_THRESHOLD` without vectors
    review_days : an article that nobody has reviewed for longer is marked stale; 0 marks none
    """

    def __init__(
        self,
        knowledge: KnowledgeBase,
        *,
        vectors: ArticleVectors | None = None,
        experience: Experience | None = None,
        threshold: float | None = None,
        review_days: int = REVIEW_DAYS,
    ) -> None:
        self.knowledge = knowledge
        self.vectors = vectors
        self.experience = experience or Experience()
        usual = WORDS_THRESHOLD if vectors is None else THRESHOLD
        self.threshold = usual if threshold is None else threshold
        self.review_days = review_days
        self._lines_of = lru_cache(_LINES_KEPT)(self._fold_lines)
        place = {name: column for column, name in enumerate(self.experience.articles)}
        self._experienced = np.array(
            [place.get(article.id, -1) for article in knowledge.articles], dtype=np.int64
        )

    def rank(
        self,
        texts: Sequence[str],
        category_proba: Sequence[Mapping[str, float]] | None = None,
        *,
        matrix: sp.csr_matrix | None = None,
        meaning: VectorArray | None = None,
        top: int = 3,
    ) -> list[list[ArticleHit]]:
        """Find the best articles for each text of a batch.

        Parameters
        ----------
        texts : normalised texts (`triage.text.normalise`)
        category_proba : for each text the probability of every category, or None when unknown
        matrix : rows of the model's features, one a text, for experience to read
        meaning : vectors of the texts where they are known already, else they are read here
        top : most articles to offer for a text

        Returns
        -------
        a list for each text, best first, empty when no article clears the threshold
        """
        hits: list[list[ArticleHit]] = []
        step = max(1, BATCH_CELLS // max(1, len(self.knowledge.articles)))
        today = date.today()
        for begin in range(0, len(texts), step):
            batch = slice(begin, begin + step)
            odds = self.log_odds(
                texts[batch],
                None if category_proba is None else category_proba[batch],
                # Cutting rows out of a sparse matrix takes longer than many a ticket's ranking.
                matrix=matrix if matrix is None or step >= len(texts) else matrix[batch],
                meaning=None if meaning is None else meaning[batch],
            )
            hits += [
                self._best(text, row, top, today, self.threshold)
                for text, row in zip(texts[batch], odds, strict=True)
            ]
        return hits

    def search(self, query: str, top: int = 10) -> list[ArticleHit]:
        """Find the articles that have anything to do with a query, best first, however unlikely."""
        odds = self.log_odds([query])[0]
        return self._best(query, odds, top, date.today(), threshold=0.0)

    def log_odds(
        self,
        texts: Sequence[str],
        category_proba: Sequence[Mapping[str, float]] | None = None,
        *,
        matrix: sp.csr_matrix | None = None,
        meaning: VectorArray | None = None,
    ) -> FloatArray:
        """Weigh every article for every text against the case that none answers it.

        Returns
        -------
        ndarray of shape (n_texts, n_articles), logarithms; minus infinity where nothing speaks for
        an article
        """
        by_words = self.by_words(texts, category_proba)
        taught = self._taught(matrix)
        odds = _with_experience(_by_words_alone(by_words), taught)
        if self.vectors is None:
            return odds
        surest = _probabilities(odds).max(axis=1, initial=0.0)
        asked = [row for row, sure in enumerate(surest) if taught is None or sure < SETTLED]
        readable = {row: readable_text(texts[row]) for row in asked}
        rows = np.array([row for row, text in readable.items() if text is not None], dtype=int)
        if len(rows):
            alike = self.vectors.likeness(_meaning_of(texts, readable, rows, meaning))
            odds[rows] = _with_experience(
                _with_meaning(by_words[rows], alike), None if taught is None else taught[rows]
            )
        return odds

    def probabilities(
        self,
        texts: Sequence[str],
        category_proba: Sequence[Mapping[str, float]] | None = None,
        *,
        matrix: sp.csr_matrix | None = None,
    ) -> FloatArray:
        """Give how likely each article answers each text, shape (n_texts, n_articles)."""
        return _probabilities(self.log_odds(texts, category_proba, matrix=matrix))

    def by_words(
        self,
        texts: Sequence[str],
        category_proba: Sequence[Mapping[str, float]] | None = None,
    ) -> FloatArray:
        """Score how much of each text every article explains, shape (n_texts, n_articles)."""
        evidence, informative = self.knowledge.index.match(texts)
        explained = np.asarray(evidence.todense(), dtype=np.float64)
        unexplained = np.maximum(informative[:, np.newaxis] - explained, 0)
        if category_proba is not None:
            for row, proba in enumerate(category_proba):
                explained[row] *= self._agreement(proba)[self.knowledge.category_codes]
        return explained / (explained + 1 + UNEXPLAINED_WEIGHT * unexplained)

    def _taught(self, matrix: sp.csr_matrix | None) -> FloatArray | None:
        """Weigh what experience says of each article, 0 of an unknown one; None without any."""
        if matrix is None or self.experience.weights is None:
            return None
        taught = np.zeros((matrix.shape[0], len(self.knowledge.articles)))
        known = np.flatnonzero(self._experienced >= 0)
        spoken = self.experience.speak(matrix)
        taught[:, known] = EXPERIENCE_WEIGHT * spoken[:, self._experienced[known]]
        return taught

    def _agreement(self, proba: Mapping[str, float]) -> FloatArray:
        """Give what a word counts in each category: 0.7 when it is ruled out, 1.3 when certain.

        It counts 1 in a category that the probabilities do not know.
        """
        known = [proba.get(name, 0.5) for name in self.knowledge.categories]
        return 1 + CATEGORY_WEIGHT * (np.array(known) - 0.5)

    def _best(
        self, text: str, odds: FloatArray, top: int, today: date, threshold: float
    ) -> list[ArticleHit]:
        scores = _probabilities(odds)
        eligible = np.flatnonzero((scores > 0) & (scores >= threshold))
        if len(eligible) > top:
            least = np.partition(odds[eligible], -top)[-top]
            eligible = eligible[odds[eligible] >= least]
        best = eligible[np.lexsort((eligible, -odds[eligible]))][:top].tolist()
        terms = self.knowledge.index.matched_words(text, best)
        return [
            self._hit(place, float(scores[place]), matched, today)
            for place, matched in zip(best, terms, strict=True)
        ]

    def _fold_lines(self, place: int) -> list[tuple[str, frozenset[str]]]:
        article = self.knowledge.articles[place]
        lines = (*article.symptoms, *(line.strip("#-* ") for line in article.body.splitlines()))
        return [(line, frozenset(fold(word) for word in words(line))) for line in lines]

    def _hit(self, place: int, score: float, terms: list[str], today: date) -> ArticleHit:
        article = self.knowledge.articles[place]
        return ArticleHit(
            article.id,
            article.title,
            article.url,
            min(score, SUREST),
            terms,
            snippet=_snippet(self._lines_of(place), terms),
            is_stale=is_stale(article, today, self.review_days),
        )


def _probabilities(odds: FloatArray) -> FloatArray:
    """Share certainty between the articles, and the case that none answers, whose odds are 1."""
    most = np.maximum(odds.max(axis=-1, initial=0.0, keepdims=True), 0.0)
    powers = np.exp(odds - most)
    shares: FloatArray = powers / (powers.sum(axis=-1, keepdims=True) + np.exp(-most))
    return shares


def readable_text(text: str) -> str | None:
    """Say a text in what the language model reads, English; None where nobody can."""
    language = detect_language(text)
    if language in (_ENGLISH, UNDETERMINED):
        return text
    return load_glossary().in_english(text) if language == _GERMAN else None


def _meaning_of(
    texts: Sequence[str],
    readable: Mapping[int, str | None],
    rows: npt.NDArray[np.int_],
    meaning: VectorArray | None,
) -> VectorArray:
    """Read the texts of some rows; what was read before is taken, unless it was translated."""
    unread = [
        place
        for place, row in enumerate(rows.tolist())
        if meaning is None or readable[row] != texts[row]
    ]
    vectors = np.zeros((len(rows), DIMENSIONS), dtype=np.float32)
    if meaning is not None:
        vectors[:] = meaning[rows]
    vectors[unread] = read_texts([readable[rows[place]] or "" for place in unread])
    return vectors


def _by_words_alone(by_words: FloatArray) -> FloatArray:
    odds = WORDS_ALONE.intercept + WORDS_ALONE.words * by_words
    odds[by_words <= 0] = -np.inf
    return odds


def _with_experience(odds: FloatArray, taught: FloatArray | None) -> FloatArray:
    """Add what experience says; it may find an article that shares no word with the ticket."""
    return odds if taught is None else np.maximum(odds, WORDS_ALONE.intercept) + taught


def _with_meaning(by_words: FloatArray, alike: VectorArray) -> FloatArray:
    odds = (
        WITH_MEANING.intercept
        + WITH_MEANING.words * by_words
        + WITH_MEANING.meaning * alike.astype(np.float64)
    )
    least = np.log(_LEAST_BY_MEANING / (1 - _LEAST_BY_MEANING))
    odds[(by_words <= 0) & (odds < least)] = -np.inf
    return odds


def _snippet(lines: Sequence[tuple[str, frozenset[str]]], terms: Sequence[str]) -> str:
    """Pick the line that holds most of the words that matched; the earlier of two equal ones."""
    wanted = {fold(term) for term in terms}
    best, most = "", 0
    for line, held in lines:
        found = len(wanted & held)
        if found > most:
            best, most = line, found
    return best if len(best) <= _SNIPPET else f"{best[: _SNIPPET - 3].rstrip()}..."
