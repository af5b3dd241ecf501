"""Everything that is told about a desk and its suggestions, counted from streams of records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from triage.figures.articles import ArticleCounter, ArticleJudged, ArticlesUsed
from triage.figures.calibration import CalibrationCounter
from triage.figures.desk import NO_CATEGORY, DeskCounter, DeskFigures
from triage.figures.ended import EndedTicket
from triage.figures.figure import Count, Figure, Point, Series
from triage.figures.funnel import FunnelCounter
from triage.figures.handled import Answered, Desk, Handled, Incident
from triage.figures.pull import Pull, pull_of
from triage.figures.suggestions import BLIND, ROUTED_RIGHT, SEEN, facts_of, suggestion_measures
from triage.figures.tally import Tally, day_of
from triage.figures.troubles import Search, incident_series, recurring_series, searches
from triage.figures.words import how_many

if TYPE_CHECKING:
    from triage.recurring import Recurring

LABELS_FIXED, LABELS_WAITING = "labels_fixed", "labels_waiting"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to tell about: since a moment (None: from the beginning), of one category or of all."""

    since: datetime | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class LabelChecks:
    """Labels of the history that people looked at for a target: how many, how many they fixed."""

    target: str
    checked: int
    fixed: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Insights:
    """The figures of a desk and of the suggestions made for it.

    ``desk`` is counted from outcomes, ``figures`` and ``series`` from suggestions and what became
    of them. ``n_answers`` are those whose reasons and articles were looked at, the newest.
    ``mean_confidences`` and ``by_chance`` belong to the two calibrations, by "people" and by
    "outcomes": where each step of confidence lies, and the error that chance alone would show.
    ``searches`` find the tickets of an incident, or of what comes back, in the review queue.
    """

    wanted: Wanted
    context: Desk
    desk: DeskFigures
    figures: tuple[Figure, ...]
    series: tuple[Series, ...]
    pull: Pull | None
    n_suggestions: int
    n_answers: int
    n_shaped: int
    mean_confidences: dict[str, list[float]]
    by_chance: dict[str, float]
    searches: dict[str, Search]

    @property
    def said(self) -> str:
        """Say what was counted: ``1,010 suggestions and 1,006 ended tickets since 2026-08-25``."""
        told = how_many(self.n_suggestions, "suggestion")
        told += f" and {how_many(self.desk.n_tickets, 'ended ticket')}"
        if self.wanted.category:
            told += f" in {self.context.categories.get(self.wanted.category, self.wanted.category)}"
        if self.wanted.since:
            told += f" since {self.wanted.since.date().isoformat()}"
        return told

    @property
    def by(self) -> str:
        """Name what time is told in: "week" or "month"."""
        over_time = [one for one in (*self.series, *self.desk.series) if one.is_over_time]
        return over_time[0].by if over_time else "week"

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "since": self.wanted.since.isoformat() if self.wanted.since else None,
            "category": self.wanted.category,
            "model_version": self.context.model_version,
            "promise": self.context.promise,
            "desk": self.desk.to_dict(),
            "suggestions": {
                "counted": self.n_suggestions,
                "answers_looked_at": self.n_answers,
                "outcomes_shaped_by_routing": self.n_shaped,
                "figures": [one.to_dict() for one in self.figures],
                "series": [one.to_dict() for one in self.series],
                "pull": self.pull.to_dict() if self.pull else None,
                "calibration_error_by_chance": self.by_chance,
            },
        }


class InsightCounter:
    """Counts records as they come, each kind of them in any order, and tells `Insights`."""

    def __init__(self, desk: Desk, wanted: Wanted) -> None:
        self._desk = desk
        self._wanted = wanted
        self._ended = DeskCounter(desk.order, desk.categories)
        self._tally = Tally(suggestion_measures(), facts_of)
        self._funnel = FunnelCounter()
        self._articles = ArticleCounter(desk.order, desk.articles)
        self._by_people = CalibrationCounter(
            "people",
            "people",
            "Right is what the last person agreed with. No fair sample: the queue shows what is "
            "unsure first.",
        )
        self._by_outcomes = CalibrationCounter(
            "outcomes",
            "outcomes",
            "Right is what the ticket's end agrees with. Tickets that were routed tend to end "
            "where they were sent.",
        )
        self._n_answers = 0
        self._n_shaped = 0
        self._incidents: list[Incident] = []
        self._recurring: list[Recurring] = []
        self._labels: list[LabelChecks] = []

    def end(self, tickets: Iterable[EndedTicket]) -> None:
        """Count tickets that have ended."""
        for ticket in tickets:
            if self._concerns(ticket.category):
                self._ended.add(ticket)

    def handle(self, suggestions: Iterable[Handled]) -> None:
        """Count suggestions, with what became of them."""
        targets = self._desk.targets
        for one in suggestions:
            if not self._concerns(one.filed_as):
                continue
            self._tally.add(
                one, day_of(one.suggested_at), category=one.filed_as, model=one.model_version
            )
            self._funnel.add(one)
            if one.word and (agrees := one.agrees(one.word, targets)) is not None:
                self._by_people.add(one.confidence, agrees)
            if one.is_newest and one.ending:
                agrees = one.agrees(one.ending, targets)
                if agrees is not None:
                    self._by_outcomes.add(one.confidence, agrees)
                    self._n_shaped += one.ending.is_shaped

    def explain(self, answers: Iterable[Answered]) -> None:
        """Count what answers said of their reasons and articles."""
        for one in answers:
            if self._concerns(one.handled.filed_as):
                self._n_answers += 1
                self._funnel.explain(one)
                self._articles.offer(one)

    def use_articles(self, used: Iterable[ArticlesUsed]) -> None:
        """Count the articles that ended tickets were worked with."""
        for one in used:
            self._articles.use(one)

    def judge_articles(self, judged: Iterable[ArticleJudged]) -> None:
        """Take what people said about articles."""
        self._articles.judge(judged)

    def share_trouble(
        self, incidents: Iterable[Incident], recurring: "Iterable[Recurring]"
    ) -> None:
        """Take the bursts that suggestions told of, and the trouble that comes back."""
        self._incidents.extend(incidents)
        self._recurring.extend(recurring)

    def check_labels(self, checks: Iterable[LabelChecks]) -> None:
        """Take how many labels of the history were checked, target by target."""
        self._labels.extend(checks)

    def insights(self) -> Insights:
        """Tell everything that was counted."""
        tally, desk = self._tally, self._desk
        categories = {"": NO_CATEGORY, **desk.categories}
        calibrations = (self._by_people, self._by_outcomes)
        return Insights(
            wanted=self._wanted,
            context=desk,
            desk=self._ended.figures(),
            figures=(
                *tally.figures(tally.measures),
                *(one.error() for one in calibrations),
                *self._articles.figures(),
                *_label_figures(self._labels),
            ),
            series=(
                *tally.over_time(tally.measures),
                *tally.grouped("category", tally.measures, categories),
                *tally.grouped(
                    "model", [one for one in tally.measures if one.name == ROUTED_RIGHT], {}
                ),
                self._agreement(),
                *self._funnel.series(),
                *(one.series() for one in calibrations),
                *self._articles.series(categories),
                incident_series(self._incidents),
                recurring_series(self._recurring),
                *_label_series(self._labels),
            ),
            pull=pull_of(tally.count(SEEN), tally.count(BLIND)),
            n_suggestions=tally.n,
            n_answers=self._n_answers,
            n_shaped=self._n_shaped,
            mean_confidences={one.name: one.mean_confidences for one in calibrations},
            by_chance={one.name: one.by_chance() for one in calibrations},
            searches=searches(self._incidents, self._recurring),
        )

    def _concerns(self, category: str | None) -> bool:
        return self._wanted.category is None or self._wanted.category == category

    def _agreement(self) -> Series:
        return Series(
            "agreement",
            "Agreement with the suggestion, seen and blind",
            "view",
            "share",
            (
                Point("seen", "Suggestion in view", self._tally.count(SEEN)),
                Point("blind", "Without seeing it (blind sample)", self._tally.count(BLIND)),
            ),
            "Suggestions that people agreed with, where they saw them and where they did not.",
        )


def _label_figures(checks: Sequence[LabelChecks]) -> list[Figure]:
    checked, fixed = sum(one.checked for one in checks), sum(one.fixed for one in checks)
    waiting = sum(one.waiting for one in checks)
    return [
        Figure(
            LABELS_FIXED,
            "Doubtful labels that were fixed",
            "share",
            Count(fixed, checked),
            "Labels of the history that people changed in the label audit, of those they looked "
            "at.",
        ),
        Figure(
            LABELS_WAITING,
            "Doubtful labels that wait",
            "count",
            Count(waiting, waiting),
            "Labels of the history that are probably wrong and that nobody has looked at yet.",
        ),
    ]


def _label_series(checks: Sequence[LabelChecks]) -> list[Series]:
    points = tuple(
        Point(one.target, one.target.capitalize(), Count(one.fixed, one.checked))
        for one in sorted(checks, key=lambda one: one.target)
    )
    return [
        Series(
            LABELS_FIXED,
            "Doubtful labels that were fixed",
            "target",
            "share",
            points,
            "Labels of the history that people changed, of those they looked at, by target.",
        )
    ]
