"""The insights: what became of the desk's tickets and of the suggestions made for them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from api.judging import known_labels
from api.pages.rendering import render
from api.pages.session import PageError, PersonDep, PersonRoute
from api.service import Service, ServiceDep
from triage.figures.figure import Figure, Series, figures_csv
from triage.figures.handled import Desk
from triage.figures.insight_sections import insight_headline, insight_sections
from triage.figures.insights import Insights, Wanted
from triage.figures.sections import Card, Section

router = APIRouter(route_class=PersonRoute, include_in_schema=False)

PERIODS: dict[str, tuple[str, timedelta | None]] = {
    "4w": ("4 weeks", timedelta(weeks=4)),
    "13w": ("13 weeks", timedelta(weeks=13)),
    "12m": ("12 months", timedelta(days=365)),
    "all": ("All", None),
}
DEFAULT_PERIOD = "13w"

KEPT_S = 60.0
"""How old the figures on a page may be: a year of a large desk takes seconds to count."""

_MAX_KEPT = 24

Period = Annotated[str, Query(max_length=10)]
Category = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Counted:
    """Figures, put together for the page, and when they were counted."""

    insights: Insights
    headline: list[Card]
    sections: list[Section]
    at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """What the page can be narrowed to: its name, and whether it is chosen."""

    name: str
    address: str
    is_chosen: bool


@router.get("/insights")
def show_insights(
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    period: Period = DEFAULT_PERIOD,
    category: Category = "",
) -> Response:
    """Show the figures of a period, of one category or of all."""
    period = period if period in PERIODS else DEFAULT_PERIOD
    counted = _counted(request, service, period, category)
    labels = dict.fromkeys([*known_labels(service.engine, "category"), *filter(None, [category])])
    name = service.engine.helper.taxonomy.category_name
    return render(
        request,
        "insights.html",
        active="insights",
        counted=counted,
        insights=counted.insights,
        periods=[
            Choice(told, _address("/insights", one, category), one == period)
            for one, (told, _) in PERIODS.items()
        ],
        period=period,
        category=category,
        categories=[(one, name(one)) for one in labels],
        csv=lambda which: _address(f"/insights/{which}.csv", period, category),
        queue=lambda label: _queue_address(counted.insights, label),
    )


@router.get("/insights/{name}.csv")
def download(
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    name: Annotated[str, Path(max_length=100)],
    period: Period = DEFAULT_PERIOD,
    category: Category = "",
) -> Response:
    """Give what a section, or one figure, rests on; a spreadsheet can open it safely."""
    period = period if period in PERIODS else DEFAULT_PERIOD
    counted = _counted(request, service, period, category)
    told = _named(counted, name)
    if not told:
        raise PageError(404, "There is no such figure", "Or nothing is known about it yet.")
    # The name is one of ours by now.
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(figures_csv(told), media_type="text/csv; charset=utf-8", headers=headers)


def _named(counted: Counted, name: str) -> list[Figure | Series]:
    for section in counted.sections:
        if section.id == name:
            return [*section.told]
    insights = counted.insights
    desk = insights.desk
    every: list[Figure | Series] = [*desk.figures, *desk.series]
    every += [*insights.figures, *insights.series]
    return [one for one in every if one.name == name]


class _Kept:
    """Figures of the last minute, by what was wanted; they are counted one after the other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[tuple[str, ...], tuple[float, Counted]] = {}

    def get(self, wanted: tuple[str, ...], count: Callable[[], Counted]) -> Counted:
        """Give what was counted within the last minute, or count it now."""
        # Two people who ask for the same wait for one count; others take their turn, because
        # counting keeps a processor busy anyway.
        with self._lock:
            until, counted = self._found.get(wanted, (0.0, None))
            if counted is None or until < time.monotonic():
                counted = count()
                self._found.pop(wanted, None)
                self._found[wanted] = (time.monotonic() + KEPT_S, counted)
                if len(self._found) > _MAX_KEPT:
                    self._found.pop(next(iter(self._found)))
            return counted


_making = Lock()


def _counted(request: Request, service: Service, period: str, category: str) -> Counted:
    state = request.app.state
    with _making:
        if not hasattr(state, "insights"):
            state.insights = _Kept()
    kept: _Kept = state.insights
    engine = service.engine
    return kept.get((period, category, engine.version), lambda: _count(service, period, category))


def _count(service: Service, period: str, category: str) -> Counted:
    # Loaded when first needed: it brings the core along, which a start must not wait for.
    from triage.store.insights import read_insights

    now = datetime.now(UTC)
    _, length = PERIODS[period]
    since = None
    if length is not None:
        since = (now - length).replace(hour=0, minute=0, second=0, microsecond=0)
    found = read_insights(service.store, Desk.of(service.engine), Wanted(since, category or None))
    return Counted(found, insight_headline(found), list(insight_sections(found)), now)


def _address(path: str, period: str, category: str) -> str:
    narrowed = {"period": period if period != DEFAULT_PERIOD else "", "category": category}
    query = urlencode({name: value for name, value in narrowed.items() if value})
    return f"{path}?{query}" if query else path


def _queue_address(insights: Insights, label: str) -> str:
    """Give the part of the review queue where the tickets of some trouble are; "" for none."""
    search = insights.searches.get(label)
    if search is None:
        return ""
    narrowed = {"q": search.words, "since": search.since}
    return "/review?" + urlencode({name: value for name, value in narrowed.items() if value})
