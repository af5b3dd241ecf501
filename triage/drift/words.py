"""What drift looks at, what changed and what to do about it, in words for people."""

from collections import Counter

import numpy as np

from triage.drift.distances import LOWERED, NEW_TERMS, TERMS, rises, stability_parts
from triage.drift.observed import FIELD, N_BUCKETS, Observed
from triage.drift.profile import Bins, Profile, Tally
from triage.language import LANGUAGE_NAMES

_RETRAIN = "triage retrain EXPORTS"

_TITLES = {
    TERMS: "Words, all together",
    NEW_TERMS: "Words that are new or much more common",
    "language": "Language",
    "length": "Length of the text",
    "familiarity": "Wording that the model does not know",
    "encoding": "Broken characters",
    "tier": "Tiers suggested",
    "category": "Categories suggested",
    "confidence": "Confidence that fell",
    "decision": "Decisions that are left to people",
    "accuracy_tier": "Tiers that were right",
    "accuracy_category": "Categories that were right",
    "calibration": "Suggestions that were right, against their confidence",
    "promise": "Routed tickets that were right, against the promise",
}

_SOMETHING_NEW = (
    "People ask about something else, such as a new product, or an outage that lasts: look at the "
    "newest tickets, write an article, and learn it once some of them have ended: " + _RETRAIN
)
_LABELS_MOVED = (
    "More of one kind comes in, or the model takes something new for it: look at tickets of that "
    "label, then retrain: " + _RETRAIN
)
_UNSURE = (
    "The model is less sure of itself than it was: see which other signal moved, and retrain: "
    + _RETRAIN
)
_WORSE = "The model is right less often than it was: retrain it: " + _RETRAIN

_ADVICE = {
    TERMS: _SOMETHING_NEW,
    NEW_TERMS: _SOMETHING_NEW,
    "familiarity": _SOMETHING_NEW,
    "language": "Tickets come in another language: people read these until fifty of them have "
    "ended, then retrain: " + _RETRAIN,
    "length": "Texts are longer or shorter: a form, a channel, or the way mail is cut off has "
    "changed. If it is to stay, retrain: " + _RETRAIN,
    "encoding": "An export or a connector has changed its encoding: see that texts are sent as "
    "UTF-8. Mend that first, and do not learn from these tickets.",
    "tier": _LABELS_MOVED,
    "category": _LABELS_MOVED,
    "confidence": _UNSURE,
    "decision": _UNSURE,
    "accuracy_tier": _WORSE,
    "accuracy_category": _WORSE,
    "calibration": "Confidences are too high for what comes in now: retrain: " + _RETRAIN,
    "promise": "What is routed unseen is right less often than promised, so the promise is void: "
    "let people look at routed tickets, and retrain: " + _RETRAIN,
}


def title_of(signal: str) -> str:
    """Name a signal for people."""
    name = signal.removeprefix(FIELD)
    return f"Form field {name}" if name != signal else _TITLES[signal]


def advice_on(signal: str) -> str:
    """Say what to do when a signal alarms."""
    if signal.startswith(FIELD):
        return (
            "A form field has other values: a site, team or channel is new, or it is sent in "
            "another way. If it is to stay, retrain: " + _RETRAIN
        )
    return _ADVICE[signal]


def change_in(signal: str, profile: Profile, window: Tally, observed: Observed) -> str:
    """Say what changed most in a signal: languages, labels, sizes; never a word of a ticket."""
    if signal == TERMS:
        return "the mix of words is another one"
    if signal == NEW_TERMS:
        return _risen(profile.tally, window, observed)
    usual, now = profile.tally.binned[signal], window.binned[signal]
    before, after = usual / usual.sum(), now / now.sum()
    if signal in LOWERED and profile.bins[signal].edges:
        most = int((after.cumsum() - before.cumsum()).argmax())
        edge = profile.bins[signal].edges[min(most, len(profile.bins[signal].edges) - 1)]
        return (
            f"below {edge:g}: {before[: most + 1].sum():.1%} of the tickets before, "
            f"{after[: most + 1].sum():.1%} now"
        )
    parts = stability_parts(usual, now)
    # What there is more of says more than what had to make room for it.
    parts = np.where(after >= before, parts, 0) if (after > before).any() else parts
    most = int(parts.argmax())
    name = _bin_name(signal, profile.bins[signal], most)
    return f"{name}: {before[most]:.1%} of the tickets before, {after[most]:.1%} now"


def _risen(usual: Tally, window: Tally, observed: Observed) -> str:
    risen = rises(usual, window)
    bucket = int(risen.argmax())
    n_new = int((risen >= risen[bucket] / 2).sum())
    has_it = observed.words[:, bucket]
    told = f"a word in {int(has_it.sum())} of {len(has_it)} tickets"
    told += f", and {n_new - 1} more like it" if 1 < n_new < N_BUCKETS // 20 else ""
    labels = observed.values.get("category", observed.values.get("tier"))
    if labels is None:
        return told
    counted = Counter(str(one) for one in labels[has_it] if one is not None)
    if not counted:
        return told
    label, n = counted.most_common(1)[0]
    return f"{told}; {n} of them were taken for {label}"


def _bin_name(signal: str, bins: Bins, place: int) -> str:
    if signal.startswith(FIELD):
        return "values that share a hash"
    if bins.edges:
        what = "characters"
        low = bins.edges[place - 1] if place else None
        high = bins.edges[place] if place < len(bins.edges) else None
        if low is None:
            return f"{what} below {high:g}"
        return f"{what} from {low:g}" + ("" if high is None else f" to {high:g}")
    name = bins.names[place] if place < len(bins.names) else "any other"
    return LANGUAGE_NAMES.get(name, name) if signal == "language" else name
