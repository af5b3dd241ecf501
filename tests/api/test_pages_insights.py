import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_suggestions import make_article, make_suggestion, predict

from api.pages.rendering import CONTENT_SECURITY_POLICY
from training.store_report import report_store
from triage.figures.figure import CSV_COLUMNS
from triage.figures.handled import Desk
from triage.figures.insights import Wanted
from triage.store import Outcome, Store
from triage.suggestion import IncidentNote

HOSTILE = "<script>alert(1)</script>{{7*7}}\u202e"
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def page(client: TestClient, store: Store) -> TestClient:
    _, secret = store.create_key("Ada", ["review"])
    del client.headers["X-API-Key"]
    client.follow_redirects = False
    client.post("/review/sign-in", data={"key": secret})
    return client


def end(store: Store, number: int, **known: Any) -> None:
    key = store.list_keys()[0].id
    usual = {"tier": "1", "category": "access"}
    store.outcomes.add(Outcome(datetime.now(UTC), f"INC-{number}", key, **usual | known))


def fill(store: Store, n: int = 3, **changes: Any) -> None:
    store.save_suggestions([make_suggestion(number, **changes) for number in range(n)])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_stranger_is_sent_to_sign_in_and_back(client: TestClient) -> None:
    del client.headers["X-API-Key"]
    client.follow_redirects = False

    page = client.get("/insights?period=4w")
    file = client.get("/insights/funnel.csv")

    assert (page.status_code, file.status_code) == (303, 303)
    assert page.headers["Location"] == "/review/sign-in?next=/insights%3Fperiod%3D4w"


def test_key_without_the_right_to_review_sees_nothing(client: TestClient, store: Store) -> None:
    token = store.sessions.begin(store.create_key("app", ["predict"])[0].id, datetime.now(UTC))
    client.cookies.set("triage_session", token)

    assert client.get("/insights").status_code == 403


def test_empty_store_says_where_figures_come_from(page: TestClient) -> None:
    found = page.get("/insights?period=all")

    assert found.status_code == 200
    assert "Nothing to count yet" in found.text
    assert "/v1/outcomes" in found.text
    assert "<svg" not in found.text.split("<main")[1]


def test_figures_are_shown_with_what_they_are_counted_from(page: TestClient, store: Store) -> None:
    fill(store, 4)
    end(store, 0)
    end(store, 1, tier="2")

    text = page.get("/insights").text

    assert "4 suggestions and 2 ended tickets" in text
    assert "1 of 2 tickets" in text
    assert "Written back: not counted." in text
    assert 'href="#funnel"' in text and 'id="funnel"' in text
    assert "The pull of the suggestion on people cannot be told yet" in text
    assert text.count('role="img"') > 8
    assert text.count("<table") == text.count("<caption")


def test_page_keeps_to_the_strict_policy(page: TestClient, store: Store) -> None:
    fill(store)
    end(store, 0)

    found = page.get("/insights")
    body = found.text

    assert found.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert not re.search(r"<style|<script(?! src)|\sstyle=|\son\w+=", body)
    assert page.get("/static/charts.css").text.startswith(".chart")
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', body):
        assert page.get(address.replace("&amp;", "&")).status_code == 200


def test_ids_are_unique_and_every_link_within_leads_somewhere(
    page: TestClient, store: Store
) -> None:
    fill(store)
    end(store, 0, csat=4.0)

    text = page.get("/insights").text

    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_period_and_category_narrow_and_stay_in_the_links(page: TestClient, store: Store) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=60)
    fill(store, 2)
    store.save_suggestions(
        [
            make_suggestion(8, created_at=long_ago),
            make_suggestion(9, category=predict("vpn", ("vpn", 0.9)), created_at=long_ago),
        ]
    )

    default = page.get("/insights").text
    recent = page.get("/insights?period=4w").text
    narrow = page.get("/insights?period=13w&category=vpn").text
    odd = page.get("/insights?period=9y&category=nothing").text

    assert "4 suggestions" in default and "2 suggestions" in recent
    assert "No ticket has ended here" in default
    assert "of all categories." in narrow and "of all categories." not in default
    assert 'href="/insights/funnel.csv?period=4w"' in recent
    assert "1 suggestion and 0 ended tickets in Remote access (VPN)" in narrow
    assert '<option value="vpn" selected>' in narrow
    assert 'href="/insights?period=4w&amp;category=vpn"' in narrow
    assert "Nothing to count here" in odd


def test_every_section_and_chart_comes_as_csv(page: TestClient, store: Store) -> None:
    fill(store, 4)
    for number in range(3):
        end(store, number, tier=str(number + 1), csat=4.0)

    addresses = set(re.findall(r'href="(/insights/[^"]+\.csv[^"]*)"', page.get("/insights").text))

    assert len(addresses) > 20
    for address in addresses:
        found = page.get(address)
        assert found.status_code == 200, address
        assert found.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert found.headers["Content-Disposition"].startswith("attachment; filename=")
        assert tuple(rows(found.text)[0]) == CSV_COLUMNS


def test_csv_says_what_the_page_says(page: TestClient, store: Store) -> None:
    fill(store, 4)
    end(store, 0)
    end(store, 1, tier="2")

    [row] = [
        one
        for one in rows(page.get("/insights/first_contact_resolution.csv").text)
        if not one["by"]
    ]
    stages = rows(page.get("/insights/funnel.csv").text)

    assert (row["numerator"], row["denominator"], row["not_known"]) == ("0", "1", "1")
    assert {one["group"]: one["numerator"] for one in stages if one["by"] == "stage"} == {
        "received": "4",
        "suggested": "4",
        "routed": "0",
        "written_back": "0",
        "closed": "0",
        "right": "0",
    }


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc", "a" * 200, "%00"])
def test_csv_of_what_is_not_there_is_told_on_a_page(page: TestClient, name: str) -> None:
    found = page.get(f"/insights/{name}.csv")

    assert found.status_code in (404, 422)
    assert "text/html" in found.headers["Content-Type"] or found.status_code == 404


def test_hostile_names_stay_text(page: TestClient, store: Store) -> None:
    store.save_suggestions(
        [
            make_suggestion(
                0,
                category=predict(HOSTILE, (HOSTILE, 0.9)),
                articles=[make_article(HOSTILE)],
                incident=IncidentNote("b1", ["INC-0"], "2026-11-24T08:00:00Z", [HOSTILE], 0.1),
                model_version=HOSTILE,
            )
        ]
    )
    end(store, 0, category=HOSTILE, tier="3", article_ids=(HOSTILE,), asked_details=(HOSTILE,))

    text = page.get("/insights", params={"category": HOSTILE}).text

    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "49" not in re.findall(r"<bdi>(.*?)</bdi>", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in text


def test_formulas_are_inert_in_csv(page: TestClient, store: Store) -> None:
    fill(store, 1, category=predict(FORMULA, (FORMULA, 0.9)))
    end(store, 0, category=FORMULA)

    cells = [
        cell
        for name in ("first-contact", "coverage", "knowledge")
        for row in csv.reader(io.StringIO(page.get(f"/insights/{name}.csv").text))
        for cell in row
    ]

    assert f"'{FORMULA}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_report_from_the_store_tells_the_same(
    page: TestClient, store: Store, engine: Any, tmp_path: Path
) -> None:
    fill(store, 4)
    end(store, 0, csat=4.0)
    end(store, 1, tier="3")

    report = report_store(store, Desk.of(engine), Wanted())
    html, data, table = (path.read_text("utf-8") for path in report.write(tmp_path / "report"))

    told = json.loads(data)
    figures = [*told["desk"]["figures"], *told["suggestions"]["figures"]]
    every = rows(table)
    assert len([one for one in every if not one["by"]]) == len(figures)
    shown = page.get("/insights?period=all").text
    sections = set(re.findall(r'<section[^>]* id="([a-z-]+)"', shown))
    assert sections == set(re.findall(r'<section id="([a-z-]+)"', html))
    for section in sections - {"not-known"}:
        for row in rows(page.get(f"/insights/{section}.csv?period=all").text):
            assert row in every
    assert re.findall(r"<svg.*?</svg>", shown.split("<main")[1]) == re.findall(
        r"<svg.*?</svg>", html
    )


def test_figures_are_counted_once_a_minute(page: TestClient, store: Store) -> None:
    fill(store, 2)

    first = page.get("/insights").text
    store.save_suggestions([make_suggestion(5)])
    second = page.get("/insights").text
    other = page.get("/insights?period=12m").text

    assert "2 suggestions" in first and "2 suggestions" in second
    assert "3 suggestions" in other


def test_promise_of_the_model_is_drawn_where_there_is_one(
    page: TestClient, store: Store, engine: Any
) -> None:
    engine.manifest = {**engine.manifest, "target_precision": 0.95, "targets": {"tier": ["1"]}}
    fill(store, 2, decision="route")
    end(store, 0)

    text = page.get("/insights").text

    assert "promises that 95.0% of what it routes is right" in text
    assert "Promised: 95.0%" in text


def test_incident_leads_to_its_tickets_in_the_queue(page: TestClient, store: Store) -> None:
    fill(store, 2)

    text = page.get("/insights").text
    [address] = re.findall(r'href="(/review\?q=[^"]+)"', text)
    queue = page.get(address.replace("&amp;", "&").replace("since=2026-11-24", "since=")).text

    assert "locked (since 2026-11-24 08:00 UTC)" in text
    assert "INC-0" in queue and "INC-1" in queue


def test_pages_lead_to_one_another(page: TestClient) -> None:
    review, insights = page.get("/review").text, page.get("/insights").text

    assert '<a href="/insights">Insights</a>' in review
    assert '<a href="/insights" aria-current="page">Insights</a>' in insights
    assert '<a href="/review">Review</a>' in insights
