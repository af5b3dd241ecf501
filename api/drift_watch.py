"""Drift watched beside the service: once an hour its signals become gauges."""

import threading

import structlog

from api.inference import Inference
from api.metrics import Metrics
from triage.errors import TriageError
from triage.store import Store

_FIRST_S = 60.0
"""A service that has just started has better things to do."""

_PERIOD_S = 3600.0

_log = structlog.get_logger()


class DriftWatch:
    """Looks for drift in a thread of its own; answers wait for nothing that it does.

    Each worker process looks: that takes a fraction of a second an hour, where to agree on one of
    them would take a lock that a killed worker may leave behind. The newest look is what counts.
    """

    def __init__(
        self,
        store: Store,
        inference: Inference,
        metrics: Metrics,
        *,
        first_s: float = _FIRST_S,
        period_s: float = _PERIOD_S,
    ) -> None:
        self._store = store
        self._inference = inference
        self._metrics = metrics
        self._first_s = first_s
        self._period_s = period_s
        self._alarming: tuple[str, ...] = ()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drift-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Stop after the look that was begun."""
        self._is_closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._is_closing.wait(wait_s):
            wait_s = self._period_s
            try:
                self._look()
            except TriageError as error:
                _log.warning("drift not looked for", problem=str(error))
            except Exception as error:
                # A defect of ours must not end the thread.
                _log.error("drift not looked for", problem=type(error).__name__)

    def _look(self) -> None:
        # Loaded when first needed: it brings parts along that a start must not wait for.
        from triage.store.drift import drift_summary

        found = drift_summary(self._store, self._inference.engine)
        for one in found.signals:
            self._metrics.set_drift(one.name, one.value, is_alarm=one.is_alarm)
        alarming = tuple(one.name for one in found.alarms)
        if alarming and alarming != self._alarming:
            _log.warning("drift", signals=list(alarming), next="triage drift")
        self._alarming = alarming
