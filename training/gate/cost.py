"""What a model costs its desk: bytes, time, and whether it knows as much as the one before."""

import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from training.gate.checks import Check
from triage.engine import TriageEngine
from triage.ticket import Ticket

MOST_BYTES = 64 * 1024 * 1024
MOST_GROWTH = 3.0
MOST_SLOWER = 2.0
LEAST_ROWS = 0.5
"""Of the champion's tickets: a model of far fewer has lost an export on the way."""

_LEAST_MS = 2.0  # below that, twice as slow is nothing that anybody feels


def size(old: Mapping[str, Any], new: Mapping[str, Any]) -> Check:
    """Compare the sizes of two bundles, given their manifests."""
    before, after = _bytes(old), _bytes(new)
    passed = after <= MOST_BYTES and (after <= MOST_GROWTH * before or after < 1 << 20)
    told = f"the bundle has {after / 1e6:.1f} MB, the champion's {before / 1e6:.1f} MB"
    return Check("size", passed, told, {"champion": before, "challenger": after})


def latency(old: TriageEngine, new: TriageEngine, tickets: Sequence[Ticket]) -> Check:
    """Compare the time for one ticket, the two models asked in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for engine in (old, new):
        engine.classify(tickets[:1])
    for ticket in tickets:
        for engine, own in zip((old, new), times, strict=True):
            began = time.perf_counter()
            engine.classify([ticket])
            own.append((time.perf_counter() - began) * 1000)
    # The quicker ones: what another program did meanwhile is not the model's.
    before, after = (statistics.quantiles(own, n=4)[0] for own in times)
    passed = after <= max(MOST_SLOWER * before, _LEAST_MS)
    told = f"a ticket takes {after:.1f} ms, with the champion {before:.1f} ms"
    return Check("latency", passed, told, {"champion": before, "challenger": after})


def experience(old: Mapping[str, Any], new: Mapping[str, Any]) -> Check:
    """Compare what two models have learned from, given their manifests."""
    before, after = _tickets(old), _tickets(new)
    until = [_moment(manifest.get("trained_until")) for manifest in (old, new)]
    is_stale = until[0] is not None and until[1] is not None and until[1] < until[0]
    passed = after >= LEAST_ROWS * before and not is_stale
    told = f"it learned from {after:,} tickets, the champion from {before:,}"
    if is_stale:
        told += "; its newest ticket is older than the champion's"
    return Check("experience", passed, told, {"champion": before, "challenger": after})


def _tickets(manifest: Mapping[str, Any]) -> int:
    # Bundles of an earlier version tell the rows of their export alone.
    return int(manifest.get("n_tickets") or manifest["rows"]["kept"])


def _bytes(manifest: Mapping[str, Any]) -> int:
    return sum(int(entry["bytes"]) for entry in manifest["files"].values())


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
