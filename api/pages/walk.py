"""Going through the queue: a page of it, and who comes next. Blind tickets give nothing away."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.queue_query import QueueQuery
from triage.review import is_blind
from triage.store import Review, ReviewFilter, Store

_AHEAD = 8


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Reviews of a page in their order, which of them are blind, and whether more come."""

    reviews: list[Review]
    blind: frozenset[str]
    has_more: bool
    has_before: bool


class Walk:
    """The queue as one person has narrowed it.

    Parameters
    ----------
    share : share of all suggestions that are decided blind
    """

    def __init__(self, store: Store, query: QueueQuery, api_key_id: str, share: float) -> None:
        self._store = store
        self._query = query
        self._share = share
        self.wanted: ReviewFilter = query.to_filter(api_key_id)

    def page(self, after: Review | None, before: Review | None, limit: int) -> QueuePage:
        """List the reviews after one, or before one, or the first ones."""
        found = self._store.reviews.queue(self.wanted, after=after, before=before, limit=limit + 1)
        has_another = len(found) > limit
        found = found[-limit:] if before else found[:limit]
        blind = self.blind_among(found)
        shown = [one for one in found if one.suggestion_id not in blind or self._may_list]
        return QueuePage(
            shown,
            blind,
            has_more=before is not None or has_another,
            has_before=has_another if before else after is not None,
        )

    def next(self, after: Review | None = None) -> Review | None:
        """Find the review after one, or the first; None at the end."""
        while found := self._store.reviews.queue(self.wanted, after=after, limit=_AHEAD):
            if (one := self._first(found)) is not None:
                return one
            after = found[-1]
        return None

    def previous(self, before: Review) -> Review | None:
        """Find the review before one; None at the beginning."""
        last: Review = before
        while found := self._store.reviews.queue(self.wanted, before=last, limit=_AHEAD):
            if (one := self._first(found[::-1])) is not None:
                return one
            last = found[0]
        return None

    def blind_among(self, reviews: Sequence[Review]) -> frozenset[str]:
        """Tell which reviews are to be decided blind: sampled, open, and never spoken about."""
        sampled = {
            one.suggestion_id
            for one in reviews
            if one.state == "open" and is_blind(one.suggestion_id, self._share)
        }
        return frozenset(sampled - self._store.feedback.judged(sampled)) if sampled else frozenset()

    @property
    def _may_list(self) -> bool:
        return not self._query.tells_suggestion

    def _first(self, reviews: Sequence[Review]) -> Review | None:
        hidden = frozenset() if self._may_list else self.blind_among(reviews)
        return next((one for one in reviews if one.suggestion_id not in hidden), None)
