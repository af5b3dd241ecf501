"""The insights in a real browser: what they look like, and for whom they can be used."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_suggestions import make_suggestion, predict

from triage.store import Feedback, Outcome

AXE = Path(__file__).parent / "assets" / "axe.min.js"
HOSTILE = '<img src=x onerror="alert(1)">{{ 7 * 7 }}\u202e'


@pytest.fixture(scope="module")
def counted(desk: Any) -> Any:
    """The desk with a few weeks of suggestions, words and outcomes in its store."""
    now = datetime.now(UTC)
    key = desk.store.list_keys()[0].id
    records = [
        make_suggestion(
            1000 + number,
            blind=number % 9 == 0,
            decision=("route", "suggest", "suggest", "review")[number % 4],
            confidence=0.35 + 0.6 * (number % 10) / 10,
            created_at=now - timedelta(days=number % 80, hours=6),
            **{"category": predict(HOSTILE, (HOSTILE, 0.9))} if number % 20 == 7 else {},
        )
        for number in range(120)
    ]
    desk.fill("counted", records)
    for number, record in enumerate(records):
        tier = "1" if number % 5 else "3"
        if number % 3 == 0:
            desk.store.reviews.take(_said(record, key, now, tier))
        if number % 4 != 3:
            desk.store.outcomes.add(_ended(record, key, now, tier))
    return desk


def _said(record: Any, key: str, now: datetime, tier: str) -> Feedback:
    return Feedback(
        created_at=now,
        suggestion_id=record.id,
        ticket_id=record.ticket_id,
        model_version="counted",
        api_key_id=key,
        verdict="accepted" if tier == "1" else "corrected",
        tier=tier,
        category="access",
        shown_tier="1",
        shown_category="access",
        confidence=record.confidence,
        decision=record.decision,
        is_blind=int(record.ticket_id[-2:]) % 9 == 0,
        article_id="KB0001",
        helpful=tier == "1",
    )


def _ended(record: Any, key: str, now: datetime, tier: str) -> Outcome:
    return Outcome(
        received_at=now,
        ticket_id=record.ticket_id,
        api_key_id=key,
        tier=tier,
        category="access",
        tier_path=("1", tier) if tier != "1" else ("1",),
        reassignments=int(tier != "1"),
        reopened=0,
        csat=4.0,
        article_ids=("KB0001",),
        resolved_at=record.created_at + timedelta(hours=3),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_insights_have_no_serious_fault_for_assistive_technology(
    counted: Any, visiting: Any, shoot: Any, scheme: str
) -> None:
    visit = visiting("Ada", "/insights", color_scheme=scheme, bypass_csp=True)
    for closed in visit.page.locator("details").all():
        closed.evaluate("one => { one.open = true; }")

    shoot(visit.page, f"insights-{scheme}")
    visit.page.add_script_tag(path=AXE)
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    serious = [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_narrow_screen_shows_everything_without_scrolling_sideways(
    counted: Any, visiting: Any, shoot: Any
) -> None:
    visit = visiting("Ada", "/insights", viewport={"width": 400, "height": 860})

    shoot(visit.page, "insights-narrow")
    width = visit.page.evaluate("document.documentElement.scrollWidth")

    assert width <= 400
    assert visit.page.locator("svg.chart").count() > 10


def test_period_and_category_are_chosen_with_the_keyboard(counted: Any, visiting: Any) -> None:
    visit = visiting("Ada", "/review")

    visit.page.get_by_role("link", name="Insights").focus()
    visit.decide("Enter")
    visit.page.get_by_role("link", name="4 weeks").focus()
    visit.decide("Enter")
    visit.page.locator("#insight-category").select_option("access")
    visit.page.get_by_role("button", name="Show").focus()
    visit.decide("Enter")

    assert "period=4w" in visit.page.url and "category=access" in visit.page.url
    chosen = visit.page.locator(".periods [aria-current]")
    assert chosen.inner_text() == "4 weeks"
    assert "in Accounts and sign-in since" in visit.page.locator(".head .hint").inner_text()


def test_styles_hold_after_coming_from_the_queue(counted: Any, visiting: Any) -> None:
    visit = visiting("Ada", "/review")

    visit.page.get_by_role("link", name="Insights").click()
    visit.page.locator(".headline").wait_for()

    assert visit.page.locator(".headline").evaluate("e => getComputedStyle(e).display") == "grid"
    chart = visit.page.locator("svg.chart .chart-1").first
    assert chart.evaluate("e => getComputedStyle(e).color") == "rgb(29, 91, 184)"


def test_csv_is_downloaded_from_the_page(counted: Any, visiting: Any) -> None:
    visit = visiting("Ada", "/insights")

    with visit.page.expect_download() as coming:
        visit.page.get_by_role(
            "link", name="CSV of From the question to the right answer"
        ).first.click()

    text = Path(coming.value.path()).read_text("utf-8")
    assert coming.value.suggested_filename == "funnel.csv"
    assert text.startswith("figure,by,group,value")


def test_hostile_category_is_only_text(counted: Any, visiting: Any) -> None:
    visit = visiting("Ada", "/insights")

    text = visit.page.locator("#coverage").text_content()

    assert "<img src=x" in text and "{{ 7 * 7 }}" in text
    assert visit.page.locator("img").count() == 0
