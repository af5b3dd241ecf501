"""Everything that is told about drift: signals with their levels, what changed, what to do."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from triage.drift.alarms import LEAST
from triage.drift.distances import NEW_TERMS, TERMS, measure
from triage.drift.kept import Check, PromiseState, promise_state
from triage.drift.observed import Observed
from triage.drift.profile import Profile, count_runs
from triage.drift.words import advice_on, change_in, title_of

_ORDER = ("encoding", "promise", "accuracy_tier", "accuracy_category", "calibration", "language")
"""What to look at first: broken characters move most other signals too."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that drift looks at.

    ``value`` alarms above ``level``, or below it where ``alarms_below``: shares of suggestions that
    were right. ``level`` is None where the history was too short to tell what is usual. ``change``
    says what changed most, ``advice`` what to do; both are empty without an alarm.
    """

    name: str
    title: str
    value: float
    level: float | None
    is_alarm: bool
    n_tickets: int
    alarms_below: bool = False
    change: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """Whether what came in of late is still what the model learned from.

    ``note`` says why nothing can be told, where that is so. ``promise`` is "void" when what was
    routed was right less often than promised, more than chance explains.
    """

    model_version: str
    n_tickets: int
    since: datetime | None
    until: datetime | None
    n_ended: int
    signals: tuple[Signal, ...]
    promise: PromiseState
    note: str = ""

    @property
    def alarms(self) -> tuple[Signal, ...]:
        """The signals that alarm, what to look at first before the others."""
        return tuple(one for one in self.signals if one.is_alarm)

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, each thing once."""
        return tuple(dict.fromkeys(one.advice for one in self.alarms))

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "model_version": self.model_version,
            "n_tickets": self.n_tickets,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "n_ended": self.n_ended,
            "alarm": bool(self.alarms),
            "promise": self.promise,
            "note": self.note,
            "signals": [asdict(one) for one in self.signals],
            "advice": list(self.advice),
        }


def signals_of(profile: Profile, observed: Observed) -> list[Signal]:
    """Measure a window of tickets against what was usual.

    Returns
    -------
    list : signals that enough tickets of the window have
    """
    runs = count_runs(observed, profile.bins)
    window = runs.tally()
    found = []
    for name, value in measure(profile.tally, window).items():
        is_of_words = name in (TERMS, NEW_TERMS)
        n = len(observed.words) if is_of_words else int(window.binned[name].sum())
        if n < LEAST:
            continue
        level = profile.level(name, n)
        is_alarm = level is not None and value > level
        found.append(
            Signal(
                name,
                title_of(name),
                round(value, 4),
                None if level is None else round(level, 4),
                is_alarm,
                n,
                change=change_in(name, profile, window, observed) if is_alarm else "",
                advice=advice_on(name) if is_alarm else "",
            )
        )
    return found


def summarise(
    version: str,
    profile: Profile | None,
    observed: Observed,
    checks: Sequence[Check] = (),
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    n_ended: int = 0,
) -> DriftSummary:
    """Tell of a window of tickets, and of the quality of what has ended.

    Parameters
    ----------
    profile : that of the model's bundle; None where it is older than profiles
    """
    n_tickets = len(observed.words)
    signals = [] if profile is None else signals_of(profile, observed)
    signals += [_of_check(check) for check in checks]
    signals.sort(key=lambda one: _ORDER.index(one.name) if one.name in _ORDER else len(_ORDER))
    return DriftSummary(
        version,
        n_tickets,
        since,
        until,
        n_ended,
        tuple(signals),
        promise_state(checks),
        _note(profile, n_tickets),
    )


def without_model(version: str) -> DriftSummary:
    """Say that nothing was learned yet that anything could drift from."""
    told = "there is no model yet that anything could drift from; train one with: triage train"
    return DriftSummary(version, 0, None, None, 0, (), "unknown", told)


def _note(profile: Profile | None, n_tickets: int) -> str:
    if profile is None:
        return "this model was trained before it was kept what was usual then; train it again"
    if n_tickets < LEAST:
        return f"{n_tickets} tickets are too few to tell; {LEAST} are needed"
    if not profile.levels:
        return (
            f"the history of {profile.n_tickets:,} tickets was too short to tell what is usual; "
            "signals have no alarm levels"
        )
    return ""


def _of_check(check: Check) -> Signal:
    return Signal(
        check.name,
        title_of(check.name),
        round(check.share, 4),
        round(check.least, 4),
        check.is_broken,
        check.n_tickets,
        alarms_below=True,
        change=f"{check.right} of {check.n_tickets} right, {check.expected:.1%} expected"
        if check.is_broken
        else "",
        advice=advice_on(check.name) if check.is_broken else "",
    )
