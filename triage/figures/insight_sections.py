"""The sections of the insights: the desk first, then suggestions, then what could be better."""

from collections.abc import Iterator, Sequence

from triage.charts import Reliable, Stage, funnel_chart, reliability_chart
from triage.figures.articles import WITHOUT_ARTICLE
from triage.figures.calibration import ENOUGH
from triage.figures.desk_sections import desk_headline, desk_sections
from triage.figures.figure import Series
from triage.figures.funnel import NOT_COUNTED
from triage.figures.insights import LABELS_FIXED, LABELS_WAITING, Insights
from triage.figures.sections import Card, Chart, Layout, Section, in_group
from triage.figures.suggestions import (
    ASKED,
    BLIND,
    CAME_TRUE,
    CHANGES,
    COVERAGE,
    ROUTED,
    ROUTED_RIGHT,
    ROUTED_RIGHT_BY_OUTCOME,
    ROUTED_RIGHT_BY_PEOPLE,
    SAID,
    SEEN,
    SUGGESTED,
)
from triage.figures.troubles import INCIDENTS, RECURRING
from triage.figures.words import written

DESK, SUGGESTIONS, BETTER = "The desk", "Suggestions", "What could be better"
"""The groups that sections belong to, in this order."""


def insight_headline(found: Insights) -> list[Card]:
    """Give what is asked first."""
    layout = Layout(found.figures, found.series)
    own = layout.cards([ASKED, SUGGESTED, ROUTED, ROUTED_RIGHT, SAID[0]])
    return [*desk_headline(found.desk, found.context.order), *own]


def insight_sections(found: Insights) -> Iterator[Section]:
    """Give the parts of the page that have something to show."""
    yield from in_group(DESK, desk_sections(found.desk, found.context.order))
    at = Layout(found.figures, found.series)
    if found.n_suggestions:
        yield from in_group(SUGGESTIONS, _about_suggestions(found, at))
    better = (_knowledge(found, at), _trouble(found, at), _labels(found, at))
    yield from in_group(BETTER, (one for one in better if not one.is_empty))


def _about_suggestions(found: Insights, at: Layout) -> Iterator[Section]:
    yield _funnel(found, at)
    yield at.section(
        ("coverage", "How much is answered"),
        [ASKED, *COVERAGE],
        [
            at.over_time(COVERAGE, "Suggested, routed, left to a person"),
            at.over_time([ASKED]),
            at.by("category", ROUTED),
            at.by("category", SUGGESTED),
        ],
        [at.table("over time", [ASKED, *COVERAGE]), at.table("category", [ASKED, *COVERAGE])],
    )
    said = at.section(
        ("people", "What people say to suggestions"),
        [*SAID, SEEN, BLIND, *CAME_TRUE],
        [
            at.over_time(SAID, "Accepted, corrected, rejected"),
            at.by("view", "agreement"),
            at.over_time(CAME_TRUE, "Tickets with a suggestion that have ended"),
            at.by("category", SAID[0]),
        ],
        [
            at.table("over time", [*SAID, *CAME_TRUE]),
            at.table("view", ["agreement"], "Seen and blind"),
            at.table("category", [*SAID, *CAME_TRUE]),
        ],
        notes=[found.pull.sentence if found.pull else _NO_PULL],
    )
    yield said if not said.is_empty else _nothing_yet(said, _NOBODY)
    routed = at.section(
        ("promise", "What was routed, against the promise"),
        [ROUTED_RIGHT, ROUTED_RIGHT_BY_PEOPLE, ROUTED_RIGHT_BY_OUTCOME, *CHANGES],
        [
            at.over_time([ROUTED_RIGHT], promised=found.context.promise),
            at.by("model", ROUTED_RIGHT, "Right of what was routed, by model"),
            at.over_time(CHANGES, "Changed after we had set it"),
            at.by("category", CHANGES[0]),
        ],
        [
            at.table("over time", [ROUTED_RIGHT, *CHANGES]),
            at.table("model", [ROUTED_RIGHT], "By model"),
            at.table("category", [ROUTED_RIGHT, *CHANGES]),
        ],
        notes=_promise_notes(found),
    )
    yield routed if not routed.is_empty else _nothing_yet(routed, _NOTHING_ROUTED)
    yield _calibration(found, at)


def _funnel(found: Insights, at: Layout) -> Section:
    series = _named(found.series, "funnel")
    stages = [
        Stage(point.name, int(point.count.numerator))
        for point in series.points
        if point.count.denominator or point.label == "received"
    ]
    svg = funnel_chart(
        stages,
        title=series.title,
        description=", ".join(f"{one.name}: {one.n:,}" for one in stages) + ".",
    )
    reasons = [f"dropped_{stage}" for stage in ("suggested", "routed", "closed", "right")]
    looked_at = (
        f"Reasons are those of the newest {found.n_answers:,} answers."
        if found.n_answers < found.n_suggestions
        else f"Reasons are those of all {found.n_answers:,} answers."
    )
    return at.section(
        ("funnel", "From the question to the right answer"),
        [],
        [[Chart(series.title, svg, "funnel")], *(at.by("reason", name) for name in reasons)],
        [
            at.table("stage", ["funnel"], "Stage by stage"),
            *(at.table("reason", [name], _named(found.series, name).title) for name in reasons),
        ],
        notes=[NOT_COUNTED, looked_at],
    )


def _calibration(found: Insights, at: Layout) -> Section:
    charts, notes = [], []
    errors = {one.name: one for one in found.figures}
    for name, means in found.mean_confidences.items():
        error = errors[f"ece_{name}"]
        series = _named(found.series, f"right_by_confidence_{name}")
        if not error.count.denominator:
            continue
        charts.append([Chart(series.title, _reliability(series, means), series.name)])
        by_chance = found.by_chance[name]
        told = (
            f"By {name}: {written(error.value, 'mean')}; confidences that keep their word exactly "
            f"would show about {written(by_chance, 'mean')} on {error.count.denominator:,} answers "
            "by chance."
        )
        if error.count.denominator < ENOUGH:
            told += " Too few to tell."
        notes.append(told)
    if found.n_shaped:
        notes.append(
            f"{found.n_shaped:,} of the outcomes belong to tickets that we had routed: no word of "
            "their own."
        )
    section = at.section(
        ("calibration", "Do confidences keep their word?"),
        ["ece_people", "ece_outcomes"],
        charts,
        [
            at.table(
                "confidence", [f"right_by_confidence_{name}" for name in ("people", "outcomes")]
            )
        ],
        notes=notes,
    )
    return section if not section.is_empty else _nothing_yet(section, _NOBODY_TELLS)


def _knowledge(found: Insights, at: Layout) -> Section:
    about = ["articles_helpful", "articles_escalated"]
    return at.section(
        ("knowledge", "Knowledge gaps"),
        [WITHOUT_ARTICLE, "articles_never_offered"],
        [
            at.by("category", WITHOUT_ARTICLE),
            *(at.by("article", name) for name in about),
        ],
        [
            at.table("category", [WITHOUT_ARTICLE], "No article offered, by category"),
            at.table("article", about, "Articles, judged and used"),
            at.table("article", ["articles_never_offered"], "Never offered"),
        ],
        notes=[
            f"What was offered is that of the newest {found.n_answers:,} answers.",
            *_of_all(found, "Which articles were judged and used is told"),
        ],
    )


def _trouble(found: Insights, at: Layout) -> Section:
    return at.section(
        ("trouble", "Incidents and what comes back"),
        [],
        [],
        [
            at.table("incident", [INCIDENTS], "Possible incidents", columns=["Tickets"]),
            at.table("trouble", [RECURRING], "What comes back", columns=["Tickets"]),
        ],
        notes=_of_all(found, "These are"),
    )


def _labels(found: Insights, at: Layout) -> Section:
    section = at.section(
        ("labels", "Labels of the history"),
        [LABELS_FIXED, LABELS_WAITING],
        [at.by("target", LABELS_FIXED)],
        [at.table("target", [LABELS_FIXED], "Doubtful labels, by target")],
        notes=_of_all(found, "These are"),
    )
    # A count of none is no news where there never was an audit.
    is_news = section.charts or any(card.value != "0" for card in section.cards)
    return section if is_news else Section("labels", section.title, [], [], [])


def _of_all(found: Insights, begin: str) -> list[str]:
    return [f"{begin} of all categories."] if found.wanted.category else []


_NO_PULL = (
    "The pull of the suggestion on people cannot be told yet: it takes decisions with the "
    "suggestion in view and blind ones."
)
_NOBODY = "No person has said anything about a suggestion yet, and no ticket of one has ended."
_NOTHING_ROUTED = "Nothing that was routed has been looked at or has ended yet."
_NOBODY_TELLS = "Neither a person nor an outcome tells yet which answers were right."


def _promise_notes(found: Insights) -> list[str]:
    promise, version = found.context.promise, found.context.model_version
    if promise is None:
        return ["Nothing was promised: what answers now was not learned from past tickets."]
    return [
        f"The model that serves now ({version}) promises that {written(promise, 'share')} of what "
        "it routes is right. Older models may have promised something else."
    ]


def _reliability(series: Series, means: Sequence[float]) -> str:
    points = [
        Reliable(
            mean,
            point.count.numerator / point.count.denominator,
            point.count.denominator,
            point.count.interval("share"),
        )
        for point, mean in zip(series.points, means, strict=True)
    ]
    description = " ".join(
        f"{point.name}: {written(series.value(point), series.unit)} right "
        f"of {point.count.denominator:,}."
        for point in series.points
    )
    return reliability_chart(points, title=series.title, description=description)


def _nothing_yet(section: Section, note: str) -> Section:
    return Section(section.id, section.title, [], [], [], section.told, (note,))


def _named(series: Sequence[Series], name: str) -> Series:
    return next(one for one in series if one.name == name)
