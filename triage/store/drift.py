"""Drift of a store: whether what was answered of late is still what the model learned from."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from triage.drift.kept import check_quality
from triage.drift.profile import Profile
from triage.drift.summary import DriftSummary, summarise, without_model
from triage.drift.window import window_of_handled
from triage.figures.handled import Desk
from triage.store.repository import Store
from triage.ticket import Ticket

if TYPE_CHECKING:
    from triage.engine import Engine

WINDOW = 500
"""Newest suggestions that are looked at."""

MOST_OF_DAYS = 5_000
"""Suggestions that are looked at however many days are asked for, the newest."""


def drift_summary(
    store: Store, engine: "Engine", *, window: int = WINDOW, days: float | None = None
) -> DriftSummary:
    """Hold the newest suggestions of a store against what the engine's model learned from.

    Quality is told of the newest suggestions of this model whose tickets have ended, as many of
    them; they may be older. Of a ticket that was answered again, the last answer counts.

    Parameters
    ----------
    window : suggestions to look at
    days : look at those of so many days instead

    Raises
    ------
    StoreError : the database cannot be reached
    """
    # The core is loaded when it is first needed: a start of the service must not wait for it.
    from triage.engine import TriageEngine

    if not isinstance(engine, TriageEngine):
        return without_model(engine.version)
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    most = window if days is None else MOST_OF_DAYS
    read = [one for one in store.figures.newest(most, since) if one[0].is_newest][::-1]
    handled = [one for one, _, _ in read]
    tickets = [Ticket(subject, description) for _, subject, description in read]
    ended = [
        one
        for one, _, _ in store.figures.newest(most, since, only_ended=True)
        if one.is_newest and one.model_version == engine.version
    ]
    packed = engine.manifest.get("drift")
    return summarise(
        engine.version,
        None if packed is None else Profile.unpacked(packed),
        window_of_handled(engine, tickets, handled),
        check_quality(ended, engine.manifest, Desk.of(engine).targets),
        since=handled[0].suggested_at if handled else None,
        until=handled[-1].suggested_at if handled else None,
        n_ended=len(ended),
    )
