"""The way of tickets from the question to the right answer, and why some leave it."""

from collections import Counter
from collections.abc import Mapping

from triage.figures.figure import Count, Point, Series
from triage.figures.handled import TARGETS, Answered, Handled

STAGES = {
    "received": "Received",
    "suggested": "Suggested",
    "routed": "Routed",
    "written_back": "Written back",
    "closed": "Closed",
    "right": "Right",
}
"""What a ticket comes through; the last ones are counted of the routed ones."""

NOT_COUNTED = (
    "Written back: not counted. The service sends nothing to the help desk itself yet, so nobody "
    "tells whether what was routed arrived there; closed is counted of the routed ones."
)

_HOW = {
    "received": "Tickets that we were asked about.",
    "suggested": "Of these, tickets for which a tier or category was suggested or set.",
    "routed": "Of these, tickets sure enough to be routed without a look.",
    "written_back": "Not counted: the service does not write to the help desk itself.",
    "closed": "Of the routed ones, tickets that the help desk says have ended.",
    "right": "Of these, tickets that ended with the tier and category that we had set.",
}

_STILL_OPEN = {
    "no_outcome": "No outcome was told yet",
    "no_ticket_id": "The ticket has no id, so no outcome can be told apart",
}
_WRONG = {
    "tier": "It ended at another tier",
    "category": "It ended in another category",
    "both": "It ended at another tier, in another category",
    "not_told": "The outcome tells nothing that was suggested",
}


_OF_A_TARGET = {
    "unsure_": "The {} is not sure enough.",
    "partly_": "Only the upper part of the {} is sure enough.",
    "excluded_": "The likeliest {} is one that the desk has excluded.",
    "least_cost": "Another label is likelier, but would cost more if it were wrong.",
}


class FunnelCounter:
    """Counts tickets stage by stage (``add``), and what their answers say of why (``explain``)."""

    def __init__(self) -> None:
        self._reached: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()
        self._reasons: dict[str, Counter[str]] = {"suggested": Counter(), "routed": Counter()}
        self._explained: Counter[str] = Counter()
        self._sentences: dict[str, str] = {}

    def add(self, one: Handled) -> None:
        """Count a ticket by its newest suggestion; older ones are passed over."""
        if not one.is_newest:
            return
        self._reached["received"] += 1
        if one.decision == "review":
            return
        self._reached["suggested"] += 1
        if one.decision != "route":
            return
        self._reached["routed"] += 1
        if one.ending is None:
            self._open["no_outcome" if one.has_ticket_id else "no_ticket_id"] += 1
            return
        self._reached["closed"] += 1
        agrees = one.agrees(one.ending)
        if agrees:
            self._reached["right"] += 1
            return
        if agrees is None:
            self._wrong["not_told"] += 1
            return
        other = [target for target in TARGETS if one.agrees(one.ending, (target,)) is False]
        self._wrong["both" if len(other) > 1 else other[0]] += 1

    def explain(self, answer: Answered) -> None:
        """Count the reasons of one ticket that was not suggested for, or not routed."""
        one = answer.handled
        if not one.is_newest or one.decision == "route":
            return
        stage = "suggested" if one.decision == "review" else "routed"
        self._explained[stage] += 1
        self._reasons[stage].update(answer.reasons.keys())
        for code, sentence in answer.reasons.items():
            self._sentences.setdefault(code, sentence)

    def series(self) -> list[Series]:
        """Give the stages, and for each the reasons of those that dropped out before it."""
        return [
            Series(
                "funnel",
                "From the question to the right answer",
                "stage",
                "share",
                tuple(self._stages()),
                "Each stage is told of the one before. "
                + " ".join(f"{STAGES[stage]}: {how}" for stage, how in _HOW.items()),
            ),
            self._dropped(
                "suggested",
                "Why nothing was suggested",
                "Answers without a suggestion that give this reason, of those that were looked at.",
            ),
            self._dropped(
                "routed",
                "Why a suggestion was not routed",
                "Suggestions that were not routed and give this reason, of those that were looked "
                "at. One may have several.",
            ),
            _counted(
                "dropped_closed",
                "Why routed tickets do not count as closed",
                self._open,
                _STILL_OPEN,
                "Routed tickets without an outcome.",
            ),
            _counted(
                "dropped_right",
                "Why closed tickets were not right",
                self._wrong,
                _WRONG,
                "Routed tickets that ended otherwise than we had set.",
            ),
        ]

    def _stages(self) -> list[Point]:
        points, before = [], self._reached["received"]
        for stage, name in STAGES.items():
            if stage == "written_back":
                points.append(Point(stage, name, Count(0, 0, self._reached["routed"])))
                continue
            points.append(Point(stage, name, Count(self._reached[stage], before)))
            before = self._reached[stage]
        return points

    def _dropped(self, stage: str, title: str, how: str) -> Series:
        n = self._explained[stage]
        points = tuple(
            Point(code, _in_general(code, self._sentences[code]), Count(hits, n))
            for code, hits in self._reasons[stage].most_common()
        )
        return Series(f"dropped_{stage}", title, "reason", "share", points, how)


def _in_general(code: str, sentence: str) -> str:
    """Say a reason of many tickets where its sentence holds one ticket's own numbers."""
    for prefix, told in _OF_A_TARGET.items():
        if code.startswith(prefix):
            return told.format(code.removeprefix(prefix))
    return sentence


def _counted(
    name: str, title: str, counts: Counter[str], names: Mapping[str, str], how: str
) -> Series:
    n = sum(counts.values())
    points = tuple(Point(key, names[key], Count(hits, n)) for key, hits in counts.most_common())
    return Series(name, title, "reason", "share", points, how)
