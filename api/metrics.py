"""Counts for Prometheus."""

import os
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Set before workers start, this names the folder in which they add up what each one counted."""

# Around the promises of 4 ms in the middle and 15 ms at the 99th percentile.
_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What the service counts. Labels are routes, methods, statuses and decisions: no user text."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "triage_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._durations = Histogram(
            "triage_request_duration_seconds",
            "Time from a request's headers to its answer's end",
            ["route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._suggestions = Counter(
            "triage_suggestions",
            "Suggestions given, by decision",
            ["decision"],
            registry=self._registry,
        )
        self._refused = Counter(
            "triage_store_refused",
            "Requests refused since the queue of the store was full",
            registry=self._registry,
        )
        self._failures = Counter(
            "triage_store_failures",
            "Attempts to write suggestions that failed and will be repeated",
            registry=self._registry,
        )
        self._lost = Counter(
            "triage_store_lost",
            "Suggestions that were answered and could not be stored",
            registry=self._registry,
        )
        self._queued = Gauge(
            "triage_store_queued",
            "Suggestions answered and not yet stored",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

        self._swaps = Counter(
            "triage_model_swaps",
            "Promoted models that were put in place, or refused",
            ["outcome"],
            registry=self._registry,
        )
        self._past_failures = Counter(
            "triage_past_failures",
            "Attempts to find similar tickets that failed, or to read more of them",
            registry=self._registry,
        )
        self._past_tickets = Gauge(
            "triage_past_tickets",
            "Resolved tickets that new ones are compared with",
            registry=self._registry,
            multiprocess_mode="max",
        )
        self._drift = Gauge(
            "triage_drift",
            "How far newest tickets are from what the model learned from, by signal",
            ["signal"],
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self._drift_alarms = Gauge(
            "triage_drift_alarm",
            "1 where a signal of drift alarms",
            ["signal"],
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )

    def observe_request(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count a request and its duration."""
        self._requests.labels(method, route, str(status)).inc()
        self._durations.labels(route).observe(duration_s)

    def count_suggestions(self, decisions: Iterable[str]) -> None:
        """Count suggestions that were given."""
        for decision in decisions:
            self._suggestions.labels(decision).inc()

    def count_refused(self) -> None:
        """Count a request refused for a full queue."""
        self._refused.inc()

    def count_store_failure(self) -> None:
        """Count an attempt to write that failed."""
        self._failures.inc()

    def count_lost(self, number: int) -> None:
        """Count suggestions that could not be stored at all."""
        self._lost.inc(number)

    def set_queued(self, number: int) -> None:
        """Note how many suggestions wait to be stored."""
        self._queued.set(number)

    def count_swap(self, outcome: str) -> None:
        """Count a promoted model: "done", or "refused"."""
        self._swaps.labels(outcome).inc()

    def count_past_failure(self) -> None:
        """Count an answer that similar tickets were left out of, or a failure to read them."""
        self._past_failures.inc()

    def set_past_tickets(self, number: int) -> None:
        """Note how many resolved tickets are remembered."""
        self._past_tickets.set(number)

    def set_drift(self, signal: str, value: float, *, is_alarm: bool) -> None:
        """Note how far a signal of drift has moved, and whether that is an alarm."""
        self._drift.labels(signal).set(value)
        self._drift_alarms.labels(signal).set(is_alarm)

    def render(self) -> bytes:
        """Write all counts in Prometheus' text format, those of all workers added up."""
        registry = self._registry
        if os.environ.get(MULTIPROCESS_FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
