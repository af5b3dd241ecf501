"""Retention: texts that are older than the desk keeps them are forgotten, beside the service."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import structlog

from api.chore import Chore
from triage.store import Store

_PERIOD_S = 3600.0


class Retention(Chore):
    """Forgets old texts at the start and once an hour.

    It also clears the database's log of what was erased while something kept it from being cleared.
    Several processes may do so at once: the second finds nothing left to do.

    Parameters
    ----------
    days : age from which texts are forgotten; 0 keeps them
    """

    def __init__(self, store: Store, days: int, *, period_s: float = _PERIOD_S) -> None:
        super().__init__("retention", self._tidy, period_s=period_s)
        self._store = store
        self._days = days

    def _tidy(self) -> None:
        if not self._days:
            self._store.erasures.clear_log()
            return
        forgotten = self._store.erasures.forget_before(
            datetime.now(UTC) - timedelta(days=self._days)
        )
        if forgotten.total or not forgotten.log_cleared:
            structlog.get_logger().info("old texts forgotten", **asdict(forgotten))
