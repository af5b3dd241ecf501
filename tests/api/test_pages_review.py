import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_suggestions import START, make_article, make_suggestion, predict

from api.pages.session import COOKIE
from triage.store import Feedback, Store, StoredSuggestion
from triage.suggestion import TermWeight

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}{%x%}\u202eevil\u2066"


class Analyst:
    """Somebody who is signed in, and what they do on the pages."""

    def __init__(self, client: TestClient, store: Store, name: str) -> None:
        self.client, self.store = client, store
        self.key, secret = store.create_key(name, ["review"])
        client.follow_redirects = False
        client.post("/review/sign-in", data={"key": secret})

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, **data: Any) -> Any:
        token = hmac.digest(self.client.cookies[COOKIE].encode(), b"csrf", "sha256").hex()
        return self.client.post(path, data={"csrf": token, **data})

    def decide(self, stored: StoredSuggestion, verdict: str, **more: Any) -> Any:
        given = {"revision": 0, **more}
        return self.post(f"/review/{stored.id}/decision", verdict=verdict, **given)

    def said(self, stored: StoredSuggestion) -> list[Feedback]:
        return self.store.feedback.about(stored.id)


@pytest.fixture
def analysts(
    make_client: Callable[..., TestClient], store: Store
) -> Iterator[Callable[..., Analyst]]:
    def sign_in(name: str = "Ada", **settings: Any) -> Analyst:
        client = make_client(**settings)
        del client.headers["X-API-Key"]
        return Analyst(client, store, name)

    yield sign_in


@pytest.fixture
def ada(analysts: Callable[..., Analyst]) -> Analyst:
    return analysts()


def save(store: Store, *records: StoredSuggestion) -> list[StoredSuggestion]:
    store.save_suggestions(records)
    return list(records)


def listed(text: str) -> list[str]:
    return re.findall(r'<th scope="row">\s*<a href="/review/(\w+)', text)


def test_queue_lists_what_waits_by_worth(ada: Analyst, store: Store) -> None:
    sure = make_suggestion(1, incident=None, handoff=None)
    unsure = make_suggestion(2, tier=predict("1", ("1", 0.5), ("2", 0.45), name="Service desk"))
    save(store, sure, unsure)

    page = ada.get("/review")

    assert page.status_code == 200
    assert listed(page.text) == [unsure.id, sure.id]
    assert "2 tickets" in page.text
    assert "Possible incident" in page.text


def test_queue_is_narrowed_by_its_address(ada: Analyst, store: Store) -> None:
    vpn = make_suggestion(
        1,
        subject="VPN drops",
        description="The tunnel is gone since this morning and I cannot work from home.",
        category=predict("vpn", ("vpn", 0.9), name="Remote access (VPN)"),
    )
    german = make_suggestion(
        2,
        subject="Konto gesperrt",
        description="Mein Konto ist seit heute gesperrt, bitte um Hilfe. Ich kann nicht arbeiten.",
        tier=predict("2", ("2", 0.9), name="Technical support"),
        created_at=START.replace(year=2025),
    )
    routed = make_suggestion(3, decision="route")
    save(store, vpn, german, replace(routed, model_version="older"))

    def found(query: str) -> list[str]:
        return listed(ada.get(f"/review?{query}").text)

    assert found("category=vpn") == [vpn.id]
    assert found("tier=2") == [german.id]
    assert found("language=de") == [german.id]
    assert found("decision=route") == [routed.id]
    assert found("model=older") == [routed.id]
    assert found("until=2025-12-31") == [german.id]
    assert set(found("since=2026-01-01")) == {vpn.id, routed.id}
    assert found("q=TUNNEL") == [vpn.id]
    assert found("q=INC-2") == [german.id]
    assert found("q=100%25") == []


@pytest.mark.parametrize(
    "query",
    [
        *("since=2026-13-45", "state=odd", "decision=odd", "after=nobody", "before=nobody"),
        *("until=9999-12-31", "since=0001-01-01", "q=%00%07", "tier=" + "x" * 500),
    ],
)
def test_odd_addresses_of_the_queue_do_no_harm(ada: Analyst, store: Store, query: str) -> None:
    save(store, make_suggestion(1))

    assert ada.get(f"/review?{query}").status_code == 200


def test_pages_of_the_queue_follow_one_another_both_ways(ada: Analyst, store: Store) -> None:
    records = [make_suggestion(n) for n in range(95)]
    save(store, *records)

    first = ada.get("/review").text
    second = ada.get(f"/review?after={listed(first)[-1]}").text
    third = ada.get(f"/review?after={listed(second)[-1]}").text
    back = ada.get(f"/review?before={listed(third)[0]}").text

    assert [len(listed(one)) for one in (first, second, third)] == [40, 40, 15]
    assert len({*listed(first), *listed(second), *listed(third)}) == 95
    assert listed(back) == listed(second)
    assert "Next page" in first and "Previous page" not in first
    assert "Next page" not in third and "Previous page" in third


def test_empty_queue_says_what_to_do_next(ada: Analyst, store: Store) -> None:
    empty = ada.get("/review").text
    filtered = ada.get("/review?tier=3&q=nothing").text
    mine = ada.get("/review?state=mine").text

    assert "Nothing waits for a person" in empty
    assert "Nothing fits these filters" in filtered
    assert 'href="/review"' in filtered
    assert "Nothing here yet" in mine


def test_ticket_shows_what_was_suggested_and_why(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))

    text = ada.get(f"/review/{one.id}").text

    for part in (
        *('<mark class="both">locked</mark>', '<mark class="category">password.</mark>'),
        *("86%", "Permissions and shared data", "A suggestion to check"),
        *("Not all targets are sure.", "Unlock a locked account", "account locked after"),
        *("Unlock the account.", "solved 41 of 44", "INC-9001", "Which user name do you sign in"),
        *("50% complete", "Possible incident", "Perhaps reported already", "20261124-060102"),
        'href="https://kb.example/KB0001"',
    ):
        assert part in text, part
    assert ada.said(one) == []


def test_link_of_an_article_leads_to_the_web_or_nowhere(ada: Analyst, store: Store) -> None:
    addresses = ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x/y", "http:"]
    records = [
        make_suggestion(number, articles=[make_article(url=address)])
        for number, address in enumerate(addresses)
    ]
    save(store, *records)

    for record, address in zip(records, addresses, strict=True):
        text = ada.get(f"/review/{record.id}").text
        assert "Unlock a locked account" in text
        assert f'href="{address}' not in text


def test_strange_texts_are_shown_as_they_are(ada: Analyst, store: Store) -> None:
    strange = make_suggestion(
        1,
        subject=HOSTILE,
        description=HOSTILE * 200,
        ticket_id=HOSTILE[:100],
        articles=[make_article(HOSTILE)],
        category=predict(HOSTILE, (HOSTILE, 0.5), name=HOSTILE),
        warnings=[HOSTILE],
        explanation={"category": [TermWeight(HOSTILE.lower(), 1.0)]},
    )
    save(store, strange)

    for path in (f"/review/{strange.id}", "/review", f"/review?q={HOSTILE}&tier={HOSTILE}"):
        text = ada.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\u202e" not in text and "\u2066" not in text
        assert "&lt;script&gt;" in text
        assert "{{7*7}}" in text


def test_ticket_that_is_not_there_is_told(ada: Analyst) -> None:
    answer = ada.get("/review/nobody")

    assert answer.status_code == 404
    assert "This ticket is not here" in answer.text


def test_accepting_stores_it_and_goes_on(ada: Analyst, store: Store) -> None:
    records = save(store, *(make_suggestion(n) for n in (1, 2)))
    second, first = records

    answer = ada.decide(first, "accepted", step=["1", "99"])
    following = ada.get(answer.headers["location"]).text

    [said] = ada.said(first)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/review/{second.id}?done={first.id}"
    assert (said.verdict, said.tier, said.category) == ("accepted", "1", "access")
    assert (said.is_blind, said.steps_done) == (False, ("Unlock the account.",))
    assert said.api_key_id == ada.key.id
    assert "Accepted INC-2. (u to undo)" in following


def test_correcting_keeps_what_was_not_corrected(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))

    answer = ada.decide(one, "corrected", tier="2")

    [said] = ada.said(one)
    assert answer.status_code == 303
    assert (said.verdict, said.tier, said.category) == ("corrected", "2", "access")
    assert (said.shown_tier, said.shown_category) == ("1", "access")
    assert "Corrected INC-1: tier 2" in ada.get(answer.headers["location"]).text


def test_choosing_what_was_suggested_is_no_correction(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))

    ada.decide(one, "corrected", tier="1", category="access")

    assert ada.said(one)[0].verdict == "accepted"


def test_rejecting_says_no_label(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))

    ada.decide(one, "rejected", tier="2")

    [said] = ada.said(one)
    assert (said.verdict, said.tier, said.category) == ("rejected", None, None)


@pytest.mark.parametrize(
    "form",
    [
        {"verdict": "corrected"},
        {"verdict": "corrected", "tier": "77"},
        {"verdict": "corrected", "category": "<b>"},
        {"verdict": "odd"},
        {"verdict": "accepted", "revision": "-1"},
        {"verdict": "accepted", "revision": "x"},
        {"verdict": "accepted", "step": ["x"]},
        {},
    ],
)
def test_forms_that_make_no_sense_store_nothing(
    ada: Analyst, store: Store, form: dict[str, Any]
) -> None:
    [one] = save(store, make_suggestion(1))

    answer = ada.post(f"/review/{one.id}/decision", **{"revision": 0, **form})

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert ada.said(one) == []


def test_nothing_can_be_accepted_where_nothing_was_suggested(ada: Analyst, store: Store) -> None:
    [one] = save(
        store,
        make_suggestion(
            1,
            decision="review",
            tier=predict(None, ("1", 0.4)),
            category=predict(None, ("vpn", 0.3)),
        ),
    )

    page = ada.get(f"/review/{one.id}").text
    answer = ada.decide(one, "accepted")

    assert 'value="accepted"' not in page
    assert "Nothing suggested" in page
    assert answer.status_code == 422
    assert ada.said(one) == []


def test_slower_analyst_is_told_who_decided_what(
    ada: Analyst, analysts: Callable[..., Analyst], store: Store
) -> None:
    [one] = save(store, make_suggestion(1))
    ben = analysts("Ben")

    ada.decide(one, "corrected", tier="3")
    answer = ben.decide(one, "accepted")
    page = ben.get(f"/review/{one.id}").text

    assert answer.status_code == 409
    for part in ("Ada", "was faster", "corrected INC-1", "tier 3", "was not stored"):
        assert part in answer.text
    assert len(ada.said(one)) == 1
    assert "Ada" in page and 'value="accepted"' not in page


def test_ticket_that_ended_meanwhile_needs_no_decision(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))
    save(store, replace(make_suggestion(2), ticket_id="INC-1"))

    answer = ada.decide(one, "accepted")

    assert answer.status_code == 409
    assert "needs no decision any more" in answer.text


def test_own_decision_is_taken_back(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))
    ada.decide(one, "accepted")
    number = ada.said(one)[0].number

    answer = ada.post("/review/undo", number=number)
    page = ada.get(answer.headers["location"]).text
    again = ada.post("/review/undo", number=number)

    assert answer.headers["location"] == f"/review/{one.id}?undone=1"
    assert "this ticket is open again" in page and 'value="accepted"' in page
    assert ada.said(one) == []
    assert again.status_code == 409
    assert "cannot be undone" in again.text


def test_last_decision_is_taken_back_without_being_named(ada: Analyst, store: Store) -> None:
    older, newer = save(store, make_suggestion(1), make_suggestion(2))
    ada.decide(older, "accepted")
    ada.decide(newer, "accepted")

    ada.post("/review/undo")

    assert (len(ada.said(older)), len(ada.said(newer))) == (1, 0)


def test_decision_of_another_person_cannot_be_taken_back(
    ada: Analyst, analysts: Callable[..., Analyst], store: Store
) -> None:
    [one] = save(store, make_suggestion(1))
    ada.decide(one, "accepted")
    ben = analysts("Ben")

    named = ben.post("/review/undo", number=ada.said(one)[0].number)
    last = ben.post("/review/undo")

    assert (named.status_code, last.status_code) == (409, 409)
    assert len(ada.said(one)) == 1


def test_skipping_goes_through_the_queue_and_stores_nothing(ada: Analyst, store: Store) -> None:
    records = save(store, *(make_suggestion(n) for n in range(3)))
    path, seen = f"/review/{records[-1].id}", []

    for _ in records:
        seen.append(path)
        path = ada.get(f"{path}/next").headers["location"]
    back = ada.get(f"{seen[2]}/previous").headers["location"]

    assert len(set(seen)) == 3
    assert path == "/review?end=1"
    assert back == seen[1]
    assert all(ada.said(one) == [] for one in records)


def test_filters_go_along_from_ticket_to_ticket(ada: Analyst, store: Store) -> None:
    records = save(store, *(make_suggestion(n) for n in range(3)))
    other = make_suggestion(9, tier=predict("2", ("2", 0.9), name="Technical support"))
    save(store, other)

    skipped = ada.get(f"/review/{records[2].id}/next?tier=1").headers["location"]
    decided = ada.post(
        f"/review/{records[1].id}/decision?tier=1", verdict="accepted", revision=0
    ).headers["location"]

    assert skipped == f"/review/{records[1].id}?tier=1"
    assert decided == f"/review/{records[0].id}?tier=1&done={records[1].id}"


def test_article_is_judged_once_and_perhaps_anew(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))

    for helpful in ("true", "true", "false"):
        answer = ada.post(f"/review/{one.id}/article", article_id="KB0001", helpful=helpful)
        assert answer.status_code == 303
    page = ada.get(f"/review/{one.id}").text

    assert [(said.verdict, said.helpful) for said in ada.said(one)] == [(None, True), (None, False)]
    assert re.search(r'value="false" aria-pressed="true"', page)
    assert store.reviews.get(one.id).state == "open"


def test_article_that_was_not_offered_cannot_be_judged(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))

    answer = ada.post(f"/review/{one.id}/article", article_id="KB7", helpful="true")

    assert answer.status_code == 422
    assert ada.said(one) == []


def test_blind_ticket_gives_nothing_away(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1, blind=True))

    page = ada.get(f"/review/{one.id}").text
    queue = ada.get("/review").text

    for secret in (
        "86%",
        "81%",
        "<mark",
        "Unlock a locked",
        "INC-9001",
        "Hand-off note",
        "as sugg",
    ):
        assert secret not in page, secret
    assert "Goes above" not in queue and "74%" not in queue
    assert "Blind sample" in queue
    assert listed(queue) == [one.id]


@pytest.mark.parametrize("query", ["tier=1", "category=access", "decision=suggest"])
def test_filters_give_no_blind_ticket_away(ada: Analyst, store: Store, query: str) -> None:
    blind, seen = save(store, make_suggestion(1, blind=True), make_suggestion(2))

    assert listed(ada.get(f"/review?{query}").text) == [seen.id]
    assert blind.id not in ada.get(f"/review/{seen.id}/next?{query}").headers["location"]


@pytest.mark.parametrize(
    ("tier", "category", "verdict", "told"),
    [("1", "access", "accepted", "you agree"), ("2", "access", "corrected", "you differ")],
)
def test_blind_decision_is_compared_and_told_afterwards(
    ada: Analyst, store: Store, tier: str, category: str, verdict: str, told: str
) -> None:
    one, _ = save(store, make_suggestion(1, blind=True), make_suggestion(2))

    answer = ada.decide(one, "corrected", tier=tier, category=category)
    page = ada.get(answer.headers["location"]).text

    [said] = ada.said(one)
    assert (said.verdict, said.is_blind, said.tier) == (verdict, True, tier)
    assert (said.shown_tier, said.shown_category) == ("1", "access")
    assert "The suggestion was: tier 1 (Service desk), Accounts and sign-in" in page
    assert told in page


def test_blind_ticket_is_not_accepted_unseen(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1, blind=True))

    answers = [
        ada.decide(one, "accepted"),
        ada.decide(one, "corrected", tier="1"),
        ada.post(f"/review/{one.id}/article", article_id="KB0001", helpful="true"),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert ada.said(one) == []


def test_ticket_that_was_shown_is_blind_no_more(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1, blind=True))
    ada.decide(one, "corrected", tier="2", category="access")
    ada.post("/review/undo")

    page = ada.get(f"/review/{one.id}").text
    ada.decide(one, "accepted", revision=2)

    assert "86%" in page
    assert ada.said(one)[0].is_blind is False


def test_share_of_blind_tickets_is_a_setting(
    analysts: Callable[..., Analyst], store: Store
) -> None:
    save(store, *(make_suggestion(n, blind=n == 0) for n in range(3)))

    none = analysts(review_blind_share=0.0).get("/review").text
    every = analysts(review_blind_share=1.0).get("/review").text

    assert (none.count("Blind sample"), every.count("Blind sample")) == (0, 3)


def test_two_people_who_disagree_are_both_shown(ada: Analyst, store: Store) -> None:
    [one] = save(store, make_suggestion(1))
    other, _ = store.create_key("Ben", ["feedback"])
    ada.decide(one, "accepted")
    [said] = ada.said(one)
    store.reviews.take(
        replace(
            said,
            api_key_id=other.id,
            verdict="corrected",
            tier="3",
            created_at=datetime.now(UTC),
            number=None,
        )
    )

    page = ada.get(f"/review/{one.id}").text
    queue = ada.get("/review").text

    assert "Two people disagree" in page and "Two people disagree" in queue
    assert "Ben" in page and "You" in page
    assert 'value="accepted"' in page


def test_decided_tickets_are_found_again(
    ada: Analyst, analysts: Callable[..., Analyst], store: Store
) -> None:
    mine, others = save(store, make_suggestion(1), make_suggestion(2))
    ada.decide(mine, "accepted")
    analysts("Ben").decide(others, "accepted")

    assert listed(ada.get("/review?state=mine").text) == [mine.id]
    assert set(listed(ada.get("/review?state=decided").text)) == {mine.id, others.id}
    assert listed(ada.get("/review").text) == []
