"""Each page in both schemes and on a narrow screen: reachable, readable, and a picture of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from made_suggestions import make_suggestion, predict

from triage.store import Feedback, LabelDoubt

AXE = Path(__file__).with_name("assets") / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    *("sign-in", "queue", "queue-empty", "ticket", "ticket-unsure", "ticket-blind"),
    *("ticket-decided", "conflict", "labels", "label", "error", "picker", "keys"),
]


@pytest.fixture(scope="module")
def places(desk: Any) -> dict[str, str]:
    """Where each page is."""
    unsure = make_suggestion(
        402,
        decision="review",
        confidence=0.31,
        tier=predict(None, ("1", 0.44), ("2", 0.4), ("3", 0.1)),
        category=predict(None, ("access", 0.3), ("vpn", 0.28), ("network", 0.2)),
        articles=[],
        handoff=None,
    )
    routed = make_suggestion(403, decision="route", confidence=0.97, incident=None)
    usual, nothing, _, blind, done = desk.fill(
        "looks",
        [
            make_suggestion(401),
            unsure,
            routed,
            make_suggestion(404, blind=True),
            make_suggestion(405),
        ],
    )
    desk.store.reviews.decide(
        Feedback(
            created_at=datetime.now(UTC),
            suggestion_id=done,
            ticket_id="INC-405",
            model_version="looks",
            api_key_id=desk.store.list_keys()[0].id,
            verdict="corrected",
            tier="2",
            category="access",
            shown_tier="1",
            shown_category="access",
            confidence=0.74,
            decision="suggest",
        ),
        revision=0,
    )
    doubts = [
        LabelDoubt(f"OLD-{n}", "category", f"Printer {n}", "Stuck.", "email", "printing", 0.9)
        for n in range(3)
    ]
    desk.store.label_doubts.save(doubts)
    return {
        "sign-in": "/review/sign-in",
        "queue": "/review?model=looks",
        "queue-empty": "/review?tier=4&q=nothing",
        "ticket": f"/review/{usual}?model=looks",
        "ticket-unsure": f"/review/{nothing}?model=looks",
        "ticket-blind": f"/review/{blind}?model=looks",
        "ticket-decided": f"/review/{done}?model=looks",
        "conflict": f"/review/{done}?model=looks",
        "labels": "/review/labels",
        "label": f"/review/labels/{doubts[0].id}",
        "error": "/review/nobody",
        "picker": f"/review/{usual}?model=looks",
        "keys": f"/review/{usual}?model=looks",
    }


def show(visit: Any, name: str, places: dict[str, str]) -> None:
    visit.open(places[name])
    if name == "conflict":
        # A form that is too old by now.
        visit.page.evaluate(
            "path => { const form = document.createElement('form'); form.method = 'post';"
            " form.action = path.replace('?', '/decision?');"
            " form.innerHTML = '<input name=csrf><input name=verdict value=accepted>'"
            " + '<input name=revision value=0>';"
            " form.csrf.value = document.querySelector('[name=csrf]').value;"
            " document.body.append(form); form.submit(); }",
            places[name],
        )
        visit.page.get_by_role("heading", name="was faster").wait_for()
    if name == "picker":
        visit.press("c")
    if name == "keys":
        visit.press("?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_fault_for_those_who_read_or_see_otherwise(
    visiting: Any, places: dict[str, str], shoot: Any, scheme: str
) -> None:
    visit = visiting("Chris", color_scheme=scheme, bypass_csp=True)
    found = {}

    for name in PAGES:
        show(visit, name, places)
        shoot(visit.page, f"{name}-{scheme}")
        visit.page.add_script_tag(path=AXE)
        result = visit.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
        )
        found[name] = [
            (one["id"], [node["html"][:120] for node in one["nodes"]])
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    assert {name: faults for name, faults in found.items() if faults} == {}


def test_pages_fit_a_narrow_screen(visiting: Any, places: dict[str, str], shoot: Any) -> None:
    visit = visiting("Chris", viewport={"width": 400, "height": 800}, has_touch=True)
    widths = {}

    for name in PAGES:
        show(visit, name, places)
        widths[name] = visit.page.evaluate("document.documentElement.scrollWidth")
        shoot(visit.page, f"{name}-narrow")

    assert {name: width for name, width in widths.items() if width > 400} == {}


def test_dark_scheme_is_dark(visiting: Any) -> None:
    def ground(scheme: str) -> str:
        page = visiting("Chris", color_scheme=scheme).page
        colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    light, dark = ground("light"), ground("dark")

    assert sum(map(int, light[4:-1].split(","))) > 700
    assert sum(map(int, dark[4:-1].split(","))) < 100


def test_every_control_has_a_name_and_can_be_seen_in_focus(
    visiting: Any, places: dict[str, str]
) -> None:
    visit = visiting("Chris", places["ticket"])
    silent, unseen, at = [], [], ""

    for _ in range(40):
        visit.press("Tab")
        at, name, outline = visit.page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.outerHTML.slice(0, 90),"
            "  (e.ariaLabel || e.innerText || e.labels?.[0]?.innerText || '').trim(),"
            "  s.outlineStyle !== 'none' && s.outlineWidth !== '0px']; })()"
        )
        if at.startswith("<body"):
            break
        if not name:
            silent.append(at)
        if not outline:
            unseen.append(at)

    assert at.startswith("<body")
    assert (silent, unseen) == ([], [])


def test_marks_for_tier_and_category_differ_in_more_than_colour(
    visiting: Any, places: dict[str, str]
) -> None:
    visit = visiting("Chris", places["ticket"])

    lines = {
        mark: visit.page.locator(f"mark.{mark}").first.evaluate(
            "mark => getComputedStyle(mark).textDecorationStyle"
        )
        for mark in ("tier", "category", "both")
    }

    assert len(set(lines.values())) == 3
