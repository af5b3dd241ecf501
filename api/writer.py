"""The one writer of suggestions: behind a bounded queue, in groups, off the request's path."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import islice

import structlog

from api.metrics import Metrics
from triage.store import Store, StoredSuggestion, StoreError

_INTERVAL_S = 0.05
_GROUP = 500
_RETRY_S = 1.0


class QueueFull(Exception):
    """As many suggestions wait to be stored as there may."""


class SuggestionWriter:
    """Stores suggestions from a thread of its own, in one commit every 50 ms at most.

    A suggestion that was taken is either stored or, when the database fails, kept and tried again
    every second. It can be found here until it is stored.
    """

    def __init__(self, store: Store, *, capacity: int, metrics: Metrics) -> None:
        self._store = store
        self._capacity = capacity
        self._metrics = metrics
        self._waiting: dict[str, tuple[StoredSuggestion, Future[StoredSuggestion]]] = {}
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="suggestion-writer", daemon=True)
        self._thread.start()

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._is_failing

    def require_room(self, number: int) -> None:
        """Refuse a request whose suggestions would not be taken, before the work to make them.

        Raises
        ------
        QueueFull : so many would not be taken
        """
        with self._changed:
            self._require_room(number)

    def put(self, records: Sequence[StoredSuggestion]) -> list[Future[StoredSuggestion]]:
        """Take suggestions to store; each future tells what then stands in the store for it.

        Raises
        ------
        QueueFull : there is no room for all of them; none was taken
        """
        with self._changed:
            self._require_room(len(records))
            taken: list[Future[StoredSuggestion]] = []
            for record in records:
                future: Future[StoredSuggestion] = Future()
                self._waiting[record.id] = (record, future)
                taken.append(future)
            self._metrics.set_queued(len(self._waiting))
            self._changed.notify_all()
        return taken

    def find(self, suggestion_id: str) -> StoredSuggestion | None:
        """Find a suggestion that is not stored yet."""
        with self._changed:
            found = self._waiting.get(suggestion_id)
        return found[0] if found else None

    def close(self, timeout_s: float) -> None:
        """Store what waits, then stop; what cannot be stored in time is counted and logged."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            left = len(self._waiting)
        if left:
            self._metrics.count_lost(left)
            structlog.get_logger().error("suggestions lost at shutdown", number=left)

    def _require_room(self, number: int) -> None:
        if len(self._waiting) + number > self._capacity:
            self._metrics.count_refused()
            raise QueueFull

    def _run(self) -> None:
        while group := self._next_group():
            started = time.monotonic()
            try:
                self._save(group)
            except StoreError as error:
                self._note_failure(error)
                if self._is_closing:
                    return
                self._pause(_RETRY_S)
            else:
                self._pause(started + _INTERVAL_S - time.monotonic())

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing, max(0.0, seconds))

    def _next_group(self) -> list[StoredSuggestion]:
        """Wait for something to store; nothing is left when the group is empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            return [record for record, _ in islice(self._waiting.values(), _GROUP)]

    def _save(self, group: list[StoredSuggestion]) -> None:
        try:
            standing = self._store.save_suggestions(group)
        except StoreError:
            raise
        except Exception as error:
            if len(group) > 1:
                # One of them cannot be stored at all: the others must not wait behind it.
                for record in group:
                    self._save([record])
                return
            structlog.get_logger().error("suggestion cannot be stored", exc_info=error)
            self._metrics.count_lost(1)
            self._settle(group, [error])
            return
        self._is_failing = False
        self._settle(group, standing)

    def _settle(
        self, group: list[StoredSuggestion], results: Sequence[StoredSuggestion | Exception]
    ) -> None:
        with self._changed:
            futures = [self._waiting.pop(record.id)[1] for record in group]
            self._metrics.set_queued(len(self._waiting))
        for future, result in zip(futures, results, strict=True):
            if not future.set_running_or_notify_cancel():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _note_failure(self, error: StoreError) -> None:
        self._metrics.count_store_failure()
        if not self._is_failing:
            structlog.get_logger().error("store", problem=str(error))
        self._is_failing = True
