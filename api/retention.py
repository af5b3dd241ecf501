"""Retention: texts that are older than the desk keeps them are forgotten, beside the service."""

import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import structlog

from triage.store import Store, StoreError

_PERIOD_S = 3600.0


class Retention:
    """Forgets old texts at the start and once an hour, in a thread of its own.

    It also clears the database's log of what was erased while something kept it from being cleared.
    Several processes may do so at once: the second finds nothing left to do.

    Parameters
    ----------
    days : age from which texts are forgotten; 0 keeps them
    """

    def __init__(self, store: Store, days: int, *, period_s: float = _PERIOD_S) -> None:
        self._store = store
        self._days = days
        self._period_s = period_s
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin to forget."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Stop after what is being done."""
        self._is_closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._is_closing.is_set():
            try:
                self._tidy()
            except StoreError as error:
                structlog.get_logger().error("retention", problem=str(error))
            except Exception as error:
                structlog.get_logger().error("retention", exc_info=error)
            self._is_closing.wait(self._period_s)

    def _tidy(self) -> None:
        if not self._days:
            self._store.erasures.clear_log()
            return
        forgotten = self._store.erasures.forget_before(
            datetime.now(UTC) - timedelta(days=self._days)
        )
        if forgotten.total or not forgotten.log_cleared:
            structlog.get_logger().info("old texts forgotten", **asdict(forgotten))
