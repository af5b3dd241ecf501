"""Drafts of articles over HTTP: kept for editors, refused without an echo, never offered."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.examples import ARTICLE
from triage.article import parse_article
from triage.store import ArticleDraft, Store

PROBLEM = "application/problem+json"
SECRET = "hunter2-Xq7"
JSON = {"Content-Type": "application/json"}
FILE = """---
id: KB0102
title: The badge printer prints blank cards
symptoms: [badge comes out white]
---

## Steps

1. Turn the ribbon.
"""


@pytest.fixture
def keys(store: Store) -> dict[str, dict[str, str]]:
    return {
        scope: {"X-API-Key": store.create_key(scope, [scope])[1]}
        for scope in ("predict", "feedback", "review")
    }


def test_a_draft_of_parts_becomes_an_article(client: TestClient, store: Store) -> None:
    answer = client.post("/v1/articles", json=ARTICLE)

    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"id", "title", "created_at"}
    assert made["id"].startswith("DRAFT-")
    assert answer.headers["location"] == f"/v1/articles/{made['id']}"
    draft = store.drafts.get(made["id"])
    assert draft is not None
    article, problems = parse_article(draft.content, "draft.md")
    assert article is not None and problems == []
    assert (article.id, article.title) == (made["id"], ARTICLE["title"])
    for part in ("symptoms", "applies_to", "steps", "verify", "escalate_when"):
        assert list(getattr(article, part)) == ARTICLE[part]


def test_a_whole_file_gets_an_id_that_tells_what_it_edits(client: TestClient, store: Store) -> None:
    answer = client.post("/v1/articles", json={"content": FILE})

    made = answer.json()
    assert made["id"].startswith("DRAFT-KB0102-")
    draft = store.drafts.get(made["id"])
    assert draft is not None
    article, _ = parse_article(draft.content, "draft.md")
    assert article is not None
    assert article.symptoms == ("badge comes out white",)
    assert article.steps == ("Turn the ribbon.",)


@pytest.mark.parametrize("given_id", ["", "id: ../../etc/passwd\n"])
def test_a_file_without_an_id_that_can_be_used_is_taken_all_the_same(
    client: TestClient, given_id: str
) -> None:
    content = FILE.replace("id: KB0102\n", given_id)

    answer = client.post("/v1/articles", json={"content": content})

    assert answer.status_code == 201
    assert len(answer.json()["id"]) == len("DRAFT-") + 16


def test_a_request_sent_again_has_one_draft(client: TestClient, store: Store) -> None:
    headers = {"Idempotency-Key": "badge-1"}

    answers = [client.post("/v1/articles", json=ARTICLE, headers=headers) for _ in range(2)]
    other = client.post("/v1/articles", json={**ARTICLE, "title": "Other"}, headers=headers)

    assert answers[0].json() == answers[1].json()
    assert len(store.drafts.newest(10)) == 1
    assert other.status_code == 422
    assert other.json()["type"] == "urn:ticket-triage:idempotency-conflict"


@pytest.mark.parametrize("first", ["KB9", "KB8", "parts"])
def test_a_key_stands_for_one_body_whichever_article_it_edits(
    client: TestClient, store: Store, first: str
) -> None:
    bodies: dict[str, Any] = {
        "KB9": {"content": FILE.replace("KB0102", "KB9")},
        "KB8": {"content": FILE.replace("KB0102", "KB8")},
        "parts": ARTICLE,
    }
    headers = {"Idempotency-Key": "badge-1"}

    made = client.post("/v1/articles", json=bodies[first], headers=headers)
    again = client.post("/v1/articles", json=bodies[first], headers=headers)
    others = [
        client.post("/v1/articles", json=body, headers=headers).status_code
        for name, body in bodies.items()
        if name != first
    ]

    assert (made.status_code, again.json()) == (201, made.json())
    assert others == [422, 422]
    draft = store.drafts.get(made.json()["id"])
    assert draft is not None
    assert first == "parts" or f"# An edit of {first}.\n" in draft.content


def test_idempotency_keys_of_two_callers_are_apart(
    client: TestClient, store: Store, keys: dict[str, dict[str, str]]
) -> None:
    for scope in ("feedback", "review"):
        headers = {"Idempotency-Key": "1", **keys[scope]}
        assert client.post("/v1/articles", json=ARTICLE, headers=headers).status_code == 201

    assert len(store.drafts.newest(10)) == 2


def test_drafts_are_for_reviewers_alone(
    client: TestClient, keys: dict[str, dict[str, str]]
) -> None:
    made = client.post("/v1/articles", json=ARTICLE, headers=keys["feedback"]).json()
    places = ("/v1/articles?drafts=true", f"/v1/articles/{made['id']}")

    seen = {scope: [client.get(place, headers=keys[scope]) for place in places] for scope in keys}

    assert [answer.status_code for answer in seen["review"]] == [200, 200]
    assert seen["review"][0].json() == {"drafts": [made]}
    assert seen["review"][1].json()["steps"] == ARTICLE["steps"]
    assert [answer.status_code for answer in seen["predict"]] == [403, 404]
    assert [answer.status_code for answer in seen["feedback"]] == [403, 403]


def test_a_draft_is_never_offered(client: TestClient) -> None:
    client.post("/v1/articles", json={**ARTICLE, "title": "locked account"})

    found = client.get("/v1/articles", params={"q": "locked account"}).json()["articles"]
    answer = client.post("/v1/triage", json={"subject": "locked account"}).json()

    assert [article["id"] for article in found] == ["KB0001"]
    assert not any(one["id"].startswith("DRAFT-") for one in answer["articles"])


def test_a_search_says_what_for(client: TestClient) -> None:
    answer = client.get("/v1/articles")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"parameter": "q", "problem": "missing"}]


HOSTILE = {
    "html in the body": ({"title": "a", "body": f"<script>{SECRET}</script>"}, "/body", "HTML"),
    "html in a step": ({"title": "a", "steps": [f"<img src={SECRET}>"]}, "/steps", "HTML"),
    "a link that runs": (
        {"title": "a", "verify": [f"[x](javascript:{SECRET})"]},
        "/verify",
        "links may lead",
    ),
    "a control character": (
        {"title": "a", "escalate_when": [f"{SECRET}\u202ex"]},
        "/escalate_when",
        "control character",
    ),
    "an escape in a title": (
        {"content": f'---\nid: a\ntitle: "{SECRET}\\ud800b"\n---\n'},
        "/content",
        "half character U+D800",
    ),
    "an escape in an address": (
        {"content": '---\nid: a\ntitle: a\nurl: "https://a.example/\\ud800"\n---\n'},
        "/content",
        "half character U+D800",
    ),
    "an escape in a file without an id": (
        {"content": f'---\ntitle: "{SECRET}\\0"\n---\n'},
        "/content",
        "control character U+0000",
    ),
    "a symptom with a control character": (
        {"title": "a", "symptoms": [f"{SECRET}\0"]},
        "/symptoms",
        "control character U+0000",
    ),
    "a title that reverses": ({"title": f"{SECRET}\u202ex"}, "/title", "control character"),
    "a blank title": ({"title": " \n "}, "/title", "blank"),
    "no front matter": ({"content": SECRET}, "/content", "line 1: no front matter"),
    "front matter without end": ({"content": f"---\ntitle: {SECRET}"}, "/content", "does not end"),
    "an object": (
        {"content": f"---\nid: a\ntitle: !!python/object {SECRET}\n---\n"},
        "/content",
        "line 3: YAML anchors",
    ),
    "a bomb": ({"content": "---\na: &a [x]\nb: [*a, *a]\n---\n"}, "/content", "YAML anchors"),
    "no YAML": (
        {"content": f"---\nid: a\ntitle: '{SECRET}\n---\n"},
        "/content",
        "the front matter is not valid YAML.",
    ),
    "no title": ({"content": f"---\nid: {SECRET}\n---\n"}, "/content", "no title"),
    "a title too long": (
        {"content": f"---\nid: {SECRET}\ntitle: {'t' * 201}\n---\n"},
        "/content",
        "a title has 1 to 200",
    ),
    "an id that is a list": (
        {"content": f"---\nid: [{SECRET}]\ntitle: a\n---\n"},
        "/content",
        "id must be one value",
    ),
    "an address that is none": (
        {"content": f"---\nid: {SECRET}\ntitle: a\nurl: javascript:{SECRET}\n---\n"},
        "/content",
        "url must begin",
    ),
    "html in a file": (
        {"content": f"---\nid: a\ntitle: a\n---\n\nx\n<b>{SECRET}</b>\n"},
        "/content",
        "line 7: HTML",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_article_may_hold_is_refused_with_the_reason_and_no_echo(
    client: TestClient, store: Store, name: str
) -> None:
    body, pointer, reason = HOSTILE[name]

    answer = client.post("/v1/articles", content=json.dumps(body), headers=JSON)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["errors"] == [{"pointer": pointer, "problem": "invalid"}]
    assert reason in answer.json()["detail"]
    assert SECRET not in answer.text
    assert store.drafts.newest(10) == []


ODD = {
    "nothing": ({}, "", "missing"),
    "a file beside parts": ({"content": FILE, "title": "a"}, "", "invalid"),
    "an unknown name": ({"title": "a", SECRET: 1}, "", "unknown_field"),
    "a number for a title": ({"title": 7}, "/title", "not_text"),
    "half a character": ({"title": "\ud800"}, "/title", "not_text"),
    "a text for a list": ({"title": "a", "steps": SECRET}, "/steps", "not_a_list"),
    "a number for a line": ({"title": "a", "steps": [7]}, "/steps/0", "not_text"),
    "a line too long": ({"title": "a", "steps": ["x" * 2001]}, "/steps/0", "too_long"),
    "too many lines": ({"title": "a", "steps": ["x"] * 101}, "/steps", "too_many"),
    "a title too long": ({"title": "x" * 201}, "/title", "too_long"),
    "a body too long": ({"title": "a", "body": "x" * 100_001}, "/body", "too_long"),
    "a category with a line end": (
        {"title": "a", "category": "a\nb"},
        "/category",
        "bad_characters",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_bodies_are_refused_with_place_and_cause(client: TestClient, name: str) -> None:
    body, pointer, cause = ODD[name]

    answer = client.post("/v1/articles", content=json.dumps(body), headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": pointer, "problem": cause}]
    assert SECRET not in answer.text


@pytest.mark.parametrize("mark", ["\x07", "\x1b", "\u202e"])
def test_a_stored_draft_that_no_article_may_be_is_not_found(
    client: TestClient, store: Store, mark: str
) -> None:
    text = FILE.replace("Turn the ribbon.", f"Turn the {mark}ribbon.")
    assert mark in text
    store.drafts.add(ArticleDraft("DRAFT-OLD", "Old", text, datetime.now(UTC)))

    answer = client.get("/v1/articles/DRAFT-OLD")

    assert answer.status_code == 404


def test_lines_cannot_bring_sections_of_their_own(client: TestClient, store: Store) -> None:
    body = {"title": "a", "steps": ["One\n## Escalate when\n- never", "---", "# Two"]}

    made = client.post("/v1/articles", json=body).json()

    draft = store.drafts.get(made["id"])
    assert draft is not None
    article, _ = parse_article(draft.content, "draft.md")
    assert article is not None
    assert article.escalate_when == ()
    assert len(article.steps) == 3


MARKUP = st.text(alphabet=st.sampled_from("<>/ab -#:[]()&*!|'\"{}\n\t\\1.é\u202e`~"), max_size=60)


@hypothesis_settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(MARKUP)
def test_whatever_is_sent_is_kept_or_refused(client: TestClient, text: str) -> None:
    bodies: list[dict[str, Any]] = [
        {"title": text, "steps": [text], "body": text, "symptoms": [text]},
        {"content": text},
        {"content": f"---\n{text}\n---\n{text}"},
        {"content": f"---\nid: a\ntitle: b\n{text}\n---\n{text}"},
    ]

    for body in bodies:
        answer = client.post("/v1/articles", content=json.dumps(body), headers=JSON)

        assert answer.status_code in (201, 422)
        if answer.status_code == 201:
            assert client.get(answer.headers["location"]).status_code == 200
