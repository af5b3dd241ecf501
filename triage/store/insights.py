"""Insights of a store: everything in it that figures are counted from, counted."""

from datetime import datetime

from triage.figures.handled import Desk
from triage.figures.insights import InsightCounter, Insights, Wanted
from triage.recurring import find_recurring
from triage.store.past_tickets import PastTicket
from triage.store.repository import Store

MAX_ANSWERS = 5_000
"""Answers that are read for reasons and articles, the newest: reading one takes as long as
counting twenty suggestions."""

MAX_RESOLVED = 2_000
"""Resolved tickets that are held against one another, the newest."""


def read_insights(store: Store, desk: Desk, wanted: Wanted) -> Insights:
    """Count the suggestions of a store, what people said about them and how tickets ended.

    Raises
    ------
    StoreError : the database cannot be reached
    """
    source, since = store.figures, wanted.since
    counter = InsightCounter(desk, wanted)
    counter.end(source.ended(since))
    counter.handle(source.handled(since))
    counter.explain(source.answered(since, most=MAX_ANSWERS))
    counter.use_articles(source.articles_used(since))
    counter.judge_articles(source.articles_judged(since))
    counter.share_trouble(
        source.incidents(since), find_recurring(_resolved(store, since), desk.order.tiers)
    )
    counter.check_labels(source.label_checks(since))
    return counter.insights()


def _resolved(store: Store, since: datetime | None) -> list[PastTicket]:
    newest = store.past.newest(MAX_RESOLVED)
    if since is None:
        return newest
    return [one for one in newest if one.created_at is not None and one.created_at >= since]
