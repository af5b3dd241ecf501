import hmac
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from made_suggestions import make_suggestion

from api.pages.session import COOKIE, PersonRoute
from api.settings import Settings
from triage.store import SCOPES, Store

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client: TestClient) -> Iterator[TestClient]:
    """A browser without a session, that follows no redirect by itself."""
    del client.headers["X-API-Key"]
    client.follow_redirects = False
    yield client


def sign_in(page: TestClient, store: Store, name: str = "Ada") -> str:
    """Sign in with a new key; return its id."""
    info, secret = store.create_key(name, ["review"])
    answer = page.post("/review/sign-in", data={"key": secret})
    assert answer.status_code == 303
    return info.id


def csrf(page: TestClient) -> str:
    return hmac.digest(page.cookies[COOKIE].encode(), b"csrf", "sha256").hex()


def routes(page: TestClient) -> list[tuple[str, str]]:
    """List every route for people who are signed in, as (method, address)."""
    return [
        (method, context.path.replace("{suggestion_id}", "sg1").replace("{doubt_id}", "ab12"))
        for context in iter_route_contexts(page.app.routes)
        if isinstance(context.route, PersonRoute)
        for method in context.methods
    ]


def test_every_page_sends_strangers_to_sign_in(page: TestClient) -> None:
    asked = routes(page)

    answers = [page.request(method, path) for method, path in asked]

    assert len(answers) >= 12
    assert {one.status_code for one in answers} == {303}
    assert {one.headers["location"].partition("?")[0] for one in answers} == {"/review/sign-in"}


def test_every_page_sends_strangers_to_sign_in_through_htmx_too(page: TestClient) -> None:
    answers = [page.request(method, path, headers=HTMX) for method, path in routes(page)]

    assert {one.status_code for one in answers} == {204}
    assert all(one.headers["hx-redirect"].startswith("/review/sign-in?next=/") for one in answers)


@pytest.mark.parametrize("token", ["", "nonsense", "\u00fcml\u00e4ut", "x" * 5000])
def test_session_that_was_never_begun_is_none(page: TestClient, token: str) -> None:
    answer = page.get("/review", headers={"Cookie": f"{COOKIE}={token}".encode()})

    assert answer.status_code == 303


def test_every_form_without_its_token_is_refused(page: TestClient, store: Store) -> None:
    sign_in(page, store)
    forms = [path for method, path in routes(page) if method == "POST"]

    answers = [
        page.post(path, data=data, headers=headers)
        for path in forms
        for data, headers in (
            ({}, {}),
            ({"csrf": "0" * 64}, {}),
            ({"csrf": csrf(page)[:-1]}, {}),
            ({"csrf": "\u00fc"}, {}),
            ({}, {"X-CSRF-Token": "wrong"}),
        )
    ]

    assert len(forms) >= 5
    assert {one.status_code for one in answers} == {403}
    assert "Nothing was stored" in answers[0].text


def test_token_of_another_session_is_refused(
    page: TestClient, store: Store, make_client: Callable[..., TestClient]
) -> None:
    sign_in(page, store)
    other = make_client()
    other.follow_redirects = False
    sign_in(other, store, "Ben")

    answer = page.post("/review/undo", data={"csrf": csrf(other)})

    assert answer.status_code == 403


def test_token_in_a_header_is_as_good_as_in_the_form(page: TestClient, store: Store) -> None:
    sign_in(page, store)

    answer = page.post("/review/undo", headers={"X-CSRF-Token": csrf(page)})

    assert answer.status_code == 409
    assert "nothing to undo" in answer.text


def test_key_without_the_scope_is_refused(page: TestClient, store: Store) -> None:
    statuses = {}
    for scope in SCOPES:
        _, secret = store.create_key(scope, [scope])
        statuses[scope] = page.post("/review/sign-in", data={"key": secret}).status_code

    assert statuses == {"predict": 403, "feedback": 403, "review": 303, "admin": 303}


@pytest.mark.parametrize("key", ["", "tt_000000000000_wrong", "\x00", "x" * 400])
def test_wrong_key_is_told_and_waits(page: TestClient, key: str) -> None:
    begin = time.monotonic()

    answer = page.post("/review/sign-in", data={"key": key})

    assert answer.status_code == 401
    assert time.monotonic() - begin >= 0.5
    assert COOKIE not in page.cookies
    assert 'role="alert"' in answer.text
    assert not key or key not in answer.text


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(page: TestClient, store: Store) -> None:
    _, secret = store.create_key("Ada", ["review"])

    plain = page.post("/review/sign-in", data={"key": secret}).headers["set-cookie"]
    page.base_url = "https://testserver"
    secure = page.post("/review/sign-in", data={"key": secret}).headers["set-cookie"]

    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part in plain
    assert "Secure" not in plain
    assert "Secure" in secure


def test_other_site_cannot_sign_a_person_in(page: TestClient, store: Store) -> None:
    _, secret = store.create_key("Ada", ["review"])

    answer = page.post(
        "/review/sign-in", data={"key": secret}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_person_gets_back_to_where_they_were(page: TestClient, store: Store) -> None:
    asked = page.get("/review/sg1?tier=2&q=a+b")
    _, secret = store.create_key("Ada", ["review"])
    form = page.get(asked.headers["location"]).text

    answer = page.post("/review/sign-in", data={"key": secret, "next": "/review/sg1?tier=2&q=a+b"})

    assert 'value="/review/sg1?tier=2&amp;q=a+b"' in form
    assert answer.headers["location"] == "/review/sg1?tier=2&q=a+b"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/review",
        "//evil.example/review",
        "/\\evil.example",
        "/review/\\..\\evil",
        "/reviewer.evil",
        "/review@evil.example",
        "/v1/model",
        "javascript:alert(1)",
        "/review\r\nX-Evil: 1",
        "/review/\u00fc",
        "",
    ],
)
def test_nobody_is_sent_away_after_signing_in(page: TestClient, store: Store, address: str) -> None:
    _, secret = store.create_key("Ada", ["review"])

    form = page.get("/review/sign-in", params={"next": address})
    answer = page.post("/review/sign-in", data={"key": secret, "next": address})

    assert 'name="next" value="/review"' in form.text
    assert answer.headers["location"] == "/review"


def test_signing_out_ends_the_session(page: TestClient, store: Store) -> None:
    sign_in(page, store)
    token = page.cookies[COOKIE]

    answer = page.post("/review/sign-out", data={"csrf": csrf(page)})

    assert answer.headers["location"] == "/review/sign-in"
    assert COOKIE not in page.cookies
    assert page.get("/review", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 303


def test_revoked_key_ends_its_sessions(page: TestClient, store: Store) -> None:
    key_id = sign_in(page, store)
    before = page.get("/review").status_code

    store.revoke_key(key_id)

    assert (before, page.get("/review").status_code) == (200, 303)


def test_expired_key_ends_its_sessions(page: TestClient, store: Store) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.6)
    _, secret = store.create_key("Ada", ["review"], soon)
    page.post("/review/sign-in", data={"key": secret})
    before = page.get("/review").status_code

    time.sleep(0.7)

    assert (before, page.get("/review").status_code) == (200, 303)


def test_pages_carry_the_policy_and_the_interface_its_own(page: TestClient, store: Store) -> None:
    store.save_suggestions([make_suggestion(1)])
    sign_in(page, store)

    pages = [
        page.get(path)
        for path in (
            *("/review/sign-in", "/review", f"/review/{make_suggestion(1).id}"),
            *("/review/labels", "/review/nowhere", "/review/labels/ab"),
        )
    ]

    assert [one.status_code for one in pages] == [200, 200, 200, 200, 404, 404]
    assert {one.headers["content-security-policy"] for one in pages} == {POLICY}
    assert {one.headers["cache-control"] for one in pages} == {"no-store"}
    assert {one.headers["content-type"] for one in pages} == {"text/html; charset=utf-8"}
    assert page.get("/livez").headers["content-security-policy"].startswith("default-src 'none'; f")


def test_pages_hold_no_script_style_or_handler_of_their_own(page: TestClient, store: Store) -> None:
    store.save_suggestions([make_suggestion(1)])
    sign_in(page, store)

    for path in ("/review/sign-in", "/review", f"/review/{make_suggestion(1).id}"):
        text = page.get(path).text
        assert "style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
        assert text.count("<script") == text.count('<script src="/static/')


def test_files_of_the_pages_are_kept_by_their_version(page: TestClient) -> None:
    text = page.get("/review/sign-in").text
    address = next(part for part in text.split('"') if part.startswith("/static/triage.css"))

    found, old = page.get(address), page.get("/static/triage.css?v=old")

    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert old.headers["cache-control"] == "no-cache"
    assert found.headers["content-type"].startswith("text/css")
    assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "htmx.LICENSE.txt", "nothing.js", "%00"]
)
def test_nothing_else_is_served(page: TestClient, name: str) -> None:
    assert page.get(f"/static/{name}").status_code == 404


def test_form_that_is_too_large_is_refused(page: TestClient, store: Store) -> None:
    answer = page.post("/review/sign-in", data={"key": "x" * 2_000_000})

    assert answer.status_code == 413


def test_database_that_is_away_is_told_on_a_page(
    page: TestClient, store: Store, settings: Settings
) -> None:
    sign_in(page, store)
    file = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE reviews RENAME TO reviews_away")

    answer = page.get("/review")

    assert answer.status_code == 503
    assert "Try again in a moment" in answer.text
    assert answer.headers["content-security-policy"] == POLICY
