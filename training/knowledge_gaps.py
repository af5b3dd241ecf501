"""What a history says about a knowledge base: gaps, articles that fail, articles nobody needs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.telling import Vocabulary, read_vocabulary
from training.ticket_clusters import Clusters, cluster_tickets
from training.tickets import in_canonical_order, iter_tickets
from triage.confidence import lower_bound
from triage.errors import HistoryError
from triage.knowledge import KnowledgeBase
from triage.prepare import prepare
from triage.recommender import BATCH_CELLS, ArticleRecommender
from triage.taxonomy import Taxonomy
from triage.words import STOP_WORDS, fold, stems

OnStep = Callable[[str, int, int], None]

MAX_TICKETS = 20_000
"""Tickets that are compared with articles and with each other, the newest."""

DELTA = 0.05
"""Chance that an article's true share of failures is below the bound all the same."""

_N_TERMS = 6
_N_EXAMPLES = 5
_MIN_IN_TERM = 0.2  # share of a gap's tickets that a word must be in to stand for it
_PART = 500  # tickets between two words on the progress


@dataclass(frozen=True, slots=True)
class Gap:
    """Tickets that ask for the same, and that no article has solved.

    ``cost`` is a sum over the tickets: 1 for one that the first tier solved, 1 more for each tier
    above it. ``tiers`` are shares. ``examples`` are ids, the most typical first; ``typical`` is the
    one to draft an article from: solved above the first tier where there is such a one, and with
    a resolution. ``nearest`` is the article offered most often, for a share ``offered`` of them.
    """

    tickets: int
    cost: int
    terms: tuple[str, ...]
    category: str | None
    tiers: Mapping[str, float]
    examples: tuple[str, ...]
    typical: str | None
    nearest: str | None
    offered: float


@dataclass(frozen=True, slots=True)
class FailingArticle:
    """An article whose tickets went up or came back more often than those of others.

    ``at_least`` is a bound: the true share of failures is below it once in twenty such articles.
    """

    id: str
    title: str | None
    used: int
    failed: int
    at_least: float


@dataclass(frozen=True, slots=True)
class UnneededArticle:
    """An article in no ticket of the last months and never the one that fits best.

    ``last_used`` is the day of the last ticket it was used in, if there was one.
    """

    id: str
    title: str
    last_used: str | None


@dataclass(frozen=True, slots=True)
class KnowledgeReview:
    """What a history says about a knowledge base.

    ``tickets`` were looked at and ``without_article`` of them had none. ``failures`` is the share
    of all uses of articles that failed. ``notes`` say what could not be looked at, and why.
    """

    tickets: int
    without_article: int
    gaps: tuple[Gap, ...]
    failures: float
    failing: tuple[FailingArticle, ...]
    unneeded: tuple[UnneededArticle, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Turn the review into plain data."""
        return asdict(self)


def review_knowledge(
    frame: pd.DataFrame,
    taxonomy: Taxonomy,
    knowledge: KnowledgeBase | None = None,
    *,
    months: int = 12,
    on_step: OnStep | None = None,
) -> KnowledgeReview:
    """Look for what is missing from a knowledge base, for what fails in it and what is not needed.

    A ticket has no article when none of the knowledge base fits it by its words, or when the
    history tells which articles were used and none was.

    Parameters
    ----------
    frame : a history (`training.history.History`)
    knowledge : the articles; without them, only what the history tells of used ones
    months : an article that nobody used for so long may be unneeded

    Raises
    ------
    HistoryError : there is neither a knowledge base nor a word about used articles
    """
    tickets = in_canonical_order(frame).tail(MAX_TICKETS).reset_index(drop=True)
    is_recorded = any(map(len, frame["article_ids"]))
    if knowledge is None and not is_recorded:
        raise HistoryError(
            "the history does not tell which articles were used; name your articles with --kb, or "
            "map a column to article_ids"
        )
    notes = []
    if len(tickets) < len(frame):
        notes.append(f"gaps are those of the newest {len(tickets):,} of {len(frame):,} tickets")
    if not is_recorded:
        notes.append(
            "the history does not tell which articles were used: none can be found to fail"
        )
    best = _best_fitting(tickets, knowledge, on_step) if knowledge else [None] * len(tickets)
    is_used = np.array([_used(ids, knowledge) != [] for ids in tickets["article_ids"]], dtype=bool)
    has_none = np.array([hit is None for hit in best], dtype=bool) & ~is_used
    if is_recorded:
        has_none |= ~is_used
    if on_step:
        on_step("clustering", 0, 1)
    gaps = _gaps(tickets, has_none, best, taxonomy)
    failures, failing = _failing(frame, taxonomy, knowledge)
    unneeded = _unneeded(frame, tickets, best, knowledge, months) if knowledge else []
    if on_step:
        on_step("clustering", 1, 1)
    return KnowledgeReview(
        len(tickets),
        int(has_none.sum()),
        tuple(gaps),
        failures,
        tuple(failing),
        tuple(unneeded),
        tuple(notes),
    )


def _best_fitting(
    tickets: pd.DataFrame, knowledge: KnowledgeBase, on_step: OnStep | None
) -> list[str | None]:
    """Name for each ticket the article that would be offered first, by words alone."""
    recommender = ArticleRecommender(knowledge)
    known = set(knowledge.categories)
    prepared = [prepare(ticket) for ticket in iter_tickets(tickets)]
    texts = [f"{ticket.subject}\n{ticket.description}" for ticket in prepared]
    # The category is known by now; the engine would have had to guess it.
    shares = [
        {name: float(name == category) for name in known} if category in known else {}
        for category in tickets["category"].fillna("")
    ]
    best: list[str | None] = []
    step = min(_PART, max(1, BATCH_CELLS // len(knowledge.articles)))
    for begin in range(0, len(texts), step):
        part = slice(begin, begin + step)
        # Which one comes first, and no more: words and snippets for people take four times as long.
        probabilities = recommender.probabilities(texts[part], shares[part])
        likely = probabilities.max(axis=1, initial=0) >= recommender.threshold
        first = probabilities.argmax(axis=1).tolist()
        best += [
            knowledge.articles[place].id if is_likely else None
            for place, is_likely in zip(first, likely.tolist(), strict=True)
        ]
        if on_step:
            on_step("looking for articles", len(best), len(texts))
    return best


def _used(ids: Sequence[str], knowledge: KnowledgeBase | None) -> list[str]:
    """Keep the used articles that the knowledge base (still) has."""
    return [name for name in ids if knowledge is None or knowledge.get(name) is not None]


def _gaps(
    tickets: pd.DataFrame,
    has_none: npt.NDArray[np.bool_],
    nearest: Sequence[str | None],
    taxonomy: Taxonomy,
) -> list[Gap]:
    """Cluster the tickets without an article; the dearest cluster comes first."""
    if not has_none.any():
        return []
    vocabulary = read_vocabulary(tickets)
    categories = tickets["category"].fillna("").to_numpy(dtype=object)
    clusters = cluster_tickets(vocabulary, categories, has_none)
    rank = _ranks(taxonomy)
    first = _first_daily(taxonomy)
    gaps = []
    for number in range(len(clusters)):
        rows = np.flatnonzero(clusters.label == number)
        rows = rows[np.argsort(-clusters.likeness[rows], kind="stable")]
        gap = tickets.iloc[rows]
        tiers = gap["tier"].dropna()
        above = [max(rank.get(tier, first) - first, 0) for tier in gap["tier"].fillna("")]
        offered = Counter(hit for row in rows.tolist() if (hit := nearest[row]) is not None)
        ids = [str(found) for found in gap["id"].dropna()]
        gaps.append(
            Gap(
                tickets=len(rows),
                cost=len(rows) + sum(above),
                terms=_terms(vocabulary, clusters, number),
                category=str(categories[rows[0]]) or None,
                tiers={
                    str(tier): round(float(share), 4)
                    for tier, share in tiers.value_counts(normalize=True).sort_index().items()
                },
                examples=tuple(ids[:_N_EXAMPLES]),
                typical=_typical(gap, above),
                nearest=offered.most_common(1)[0][0] if offered else None,
                offered=round(offered.most_common(1)[0][1] / len(rows), 4) if offered else 0.0,
            )
        )
    return sorted(gaps, key=lambda gap: (-gap.cost, -gap.tickets, gap.terms, gap.examples))


def _typical(gap: pd.DataFrame, above: Sequence[int]) -> str | None:
    """Find the most typical ticket to draft from."""
    told = [
        (ticket_id, steps)
        for ticket_id, resolution, steps in zip(gap["id"], gap["resolution"], above, strict=True)
        if isinstance(ticket_id, str) and isinstance(resolution, str) and resolution.strip()
    ]
    return next((found for found, steps in told if steps), told[0][0] if told else None)


def _terms(vocabulary: Vocabulary, clusters: Clusters, number: int) -> tuple[str, ...]:
    """Name the words that a gap's tickets have more often than the others, one of each stem.

    The vocabulary holds words of several tickets and requesters alone, redacted.
    """
    own = clusters.label == number
    inside = np.asarray(vocabulary.has[np.flatnonzero(own)].sum(axis=0)).ravel()
    overall = np.asarray(vocabulary.has.sum(axis=0)).ravel()
    share = inside / own.sum()
    lift = inside * np.log(np.maximum(share / np.maximum(overall / len(own), 1e-9), 1e-9))
    lift[share < _MIN_IN_TERM] = 0
    terms: dict[str, str] = {}
    for place in np.argsort(-lift, kind="stable"):
        word = vocabulary.words[place]
        if lift[place] <= 0 or len(terms) == _N_TERMS:
            break
        if not word.startswith("<") and fold(word) not in STOP_WORDS:
            terms.setdefault(stems(word)[0], word)
    return tuple(terms.values())


def _failing(
    frame: pd.DataFrame, taxonomy: Taxonomy, knowledge: KnowledgeBase | None
) -> tuple[float, list[FailingArticle]]:
    """Find the articles that failed more often than articles do, for sure and not by chance."""
    rank, first = _ranks(taxonomy), _first_daily(taxonomy)
    used: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    columns = zip(
        frame["article_ids"],
        frame["tier"].fillna(""),
        frame["reopened"].fillna(False),
        strict=True,
    )
    for ids, tier, reopened in columns:
        for name in dict.fromkeys(_used(ids, knowledge)):
            article = knowledge.get(name) if knowledge else None
            meant = rank.get(article.tier or "", first) if article else first
            used[name] += 1
            failed[name] += bool(reopened) or rank.get(tier, meant) > meant
    if not used:
        return 0.0, []
    overall = sum(failed.values()) / sum(used.values())
    failing = []
    for name, count in failed.items():
        at_least = lower_bound(count, used[name], DELTA)
        if at_least > overall:
            article = knowledge.get(name) if knowledge else None
            failing.append(
                FailingArticle(
                    name, article.title if article else None, used[name], count, round(at_least, 4)
                )
            )
    return round(overall, 4), sorted(failing, key=lambda one: (-one.at_least, one.id))


def _unneeded(
    frame: pd.DataFrame,
    tickets: pd.DataFrame,
    best: Sequence[str | None],
    knowledge: KnowledgeBase,
    months: int,
) -> list[UnneededArticle]:
    created = frame["created_at"]
    since = created.max() - pd.DateOffset(months=months) if created.notna().any() else None
    last_used: dict[str, Any] = {}
    needed: set[str] = set()
    for ids, moment in zip(frame["article_ids"], created, strict=True):
        for name in ids:
            if since is None or (pd.notna(moment) and moment >= since):
                needed.add(name)
            if pd.notna(moment) and (name not in last_used or moment > last_used[name]):
                last_used[name] = moment
    is_recent = _is_recent(tickets["created_at"], since)
    needed |= {hit for hit, recent in zip(best, is_recent, strict=True) if hit and recent}
    return [
        UnneededArticle(
            article.id,
            article.title,
            last_used[article.id].date().isoformat() if article.id in last_used else None,
        )
        for article in knowledge.articles
        if article.id not in needed
    ]


def _is_recent(created: pd.Series, since: Any) -> npt.NDArray[np.bool_]:
    if since is None:
        return np.ones(len(created), dtype=bool)
    recent: npt.NDArray[np.bool_] = (created >= since).fillna(False).to_numpy(dtype=bool)
    return recent


def _ranks(taxonomy: Taxonomy) -> dict[str, int]:
    return {tier: place for place, tier in enumerate(taxonomy.tiers)}


def _first_daily(taxonomy: Taxonomy) -> int:
    """Find the place of the tier that tickets come to first."""
    return next((place for place, tier in enumerate(taxonomy.tiers.values()) if tier.daily), 0)
