"""Drift watched beside the service: once an hour its signals become gauges."""

import structlog

from api.chore import Chore
from api.inference import Inference
from api.metrics import Metrics
from triage.store import Store

_FIRST_S = 60.0
"""A service that has just started has better things to do."""

_PERIOD_S = 3600.0


class DriftWatch(Chore):
    """Looks for drift once an hour, which takes a fraction of a second; the newest look counts."""

    def __init__(
        self,
        store: Store,
        inference: Inference,
        metrics: Metrics,
        *,
        first_s: float = _FIRST_S,
        period_s: float = _PERIOD_S,
    ) -> None:
        super().__init__("drift", self._look, first_s=first_s, period_s=period_s)
        self._store = store
        self._inference = inference
        self._metrics = metrics
        self._alarming: tuple[str, ...] = ()

    def _look(self) -> None:
        # Loaded when first needed: it brings parts along that a start must not wait for.
        from triage.store.drift import drift_summary

        found = drift_summary(self._store, self._inference.engine)
        for one in found.signals:
            self._metrics.set_drift(one.name, one.value, is_alarm=one.is_alarm)
        alarming = tuple(one.name for one in found.alarms)
        if alarming and alarming != self._alarming:
            structlog.get_logger().warning("drift", signals=list(alarming), next="triage drift")
        self._alarming = alarming
