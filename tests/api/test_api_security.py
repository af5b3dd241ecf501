import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.app import create_app
from api.pages.session import PageRoute
from api.security import KeyedRoute
from api.settings import Settings
from triage.store import SCOPES, Store

PUBLIC = {("get", "/"), ("get", "/livez"), ("get", "/readyz")}
PROBLEM = "application/problem+json"


@pytest.fixture
def exposed(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client(host="0.0.0.0")


def operations(client: TestClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def scopes_of(operation: dict[str, Any]) -> list[str]:
    return [scope for entry in operation.get("security", []) for scope in entry["ApiKey"]]


def call(client: TestClient, method: str, path: str, key: str | None) -> Any:
    # The body is garbage on purpose: strangers must not even learn that.
    return client.request(
        method,
        path.replace("{", "").replace("}", ""),
        headers={"X-API-Key": key or "", "Content-Type": "application/json"},
        content=b"{" if method == "post" else None,
    )


def test_routes_without_a_key_are_the_public_ones(exposed: TestClient) -> None:
    found = {
        (method, path)
        for method, path, operation in operations(exposed)
        if not scopes_of(operation)
    }

    assert found == PUBLIC


def test_every_route_is_described(exposed: TestClient) -> None:
    described = {path for _, path, _ in operations(exposed)} | {"/openapi.json"}

    found = {
        # A parameter that may hold slashes is described as any other.
        context.path.replace(":path}", "}")
        for context in iter_route_contexts(exposed.app.routes)
        if not isinstance(context.route, PageRoute)
    }

    assert found == described | {"/static/{name}"}


@pytest.mark.parametrize("kind", ["none", "empty", "wrong", "revoked", "expired"])
def test_every_keyed_route_turns_strangers_away(
    exposed: TestClient, store: Store, kind: str
) -> None:
    del exposed.headers["X-API-Key"]
    info, secret = store.create_key(
        "leaver",
        ["admin"],
        datetime.now(UTC) + timedelta(seconds=0.2) if kind == "expired" else None,
    )
    if kind == "revoked":
        store.revoke_key(info.id)
    if kind == "expired":
        time.sleep(0.25)
    key = {"none": None, "empty": "", "wrong": secret[:-4] + "AAAA"}.get(kind, secret)
    keyed = [(method, path) for method, path, found in operations(exposed) if scopes_of(found)]

    answers = [call(exposed, method, path, key) for method, path in keyed]

    assert len(answers) >= 7
    assert {(one.status_code, one.headers["content-type"]) for one in answers} == {(401, PROBLEM)}


def test_request_without_the_header_is_turned_away(exposed: TestClient) -> None:
    del exposed.headers["X-API-Key"]

    assert exposed.get("/v1/model").status_code == 401


def test_every_keyed_route_turns_other_scopes_away(exposed: TestClient, store: Store) -> None:
    keys = {scope: store.create_key(scope, [scope])[1] for scope in SCOPES}

    refused = {}
    for method, path, operation in operations(exposed):
        needed = scopes_of(operation)
        for scope in SCOPES if needed else ():
            status = call(exposed, method, path, keys[scope]).status_code
            refused[method, path, scope] = (status == 403, scope not in (*needed, "admin"))

    assert refused
    assert [place for place, (was, should) in refused.items() if was != should] == []


def test_wrong_scope_is_told_with_the_scope_that_is_needed(
    client: TestClient, store: Store
) -> None:
    _, secret = store.create_key("desk", ["feedback"])

    answer = client.get("/v1/model", headers={"X-API-Key": secret})

    assert answer.status_code == 403
    assert "scope predict" in answer.json()["detail"]


def test_revoked_key_is_refused_within_two_seconds(client: TestClient, store: Store) -> None:
    info, secret = store.create_key("desk", ["predict"])
    headers = {"X-API-Key": secret}
    assert client.get("/v1/model", headers=headers).status_code == 200

    store.revoke_key(info.id)
    time.sleep(1.1)

    assert client.get("/v1/model", headers=headers).status_code == 401


def test_key_is_refused_from_the_moment_it_expires(client: TestClient, store: Store) -> None:
    _, secret = store.create_key("desk", ["predict"], datetime.now(UTC) + timedelta(seconds=0.4))
    headers = {"X-API-Key": secret}
    assert client.get("/v1/model", headers=headers).status_code == 200

    time.sleep(0.45)

    assert client.get("/v1/model", headers=headers).status_code == 401


def test_use_of_a_key_is_noted(client: TestClient, store: Store) -> None:
    info, secret = store.create_key("desk", ["predict"])

    client.get("/v1/model", headers={"X-API-Key": secret})

    deadline = time.monotonic() + 5
    while {key.id: key.last_used_at for key in store.list_keys()}[info.id] is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("key", ["tt_", "tt__", "\xff\xfe", "tt_%00_x", "x" * 8000, "tt_ab_c d"])
def test_odd_keys_are_wrong_keys(client: TestClient, key: str) -> None:
    answer = client.get("/v1/model", headers={"X-API-Key": key.encode("latin-1")})

    assert answer.status_code == 401


def test_counters_are_open_on_a_loopback_address_only(
    make_client: Callable[..., TestClient],
) -> None:
    statuses = {}
    for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "10.0.0.7", "desk.example"):
        client = make_client(host=host)
        del client.headers["X-API-Key"]
        statuses[host] = client.get("/metrics").status_code

    assert [host for host, status in statuses.items() if status == 200] == [
        "127.0.0.1",
        "::1",
        "localhost",
    ]


def test_keyed_route_that_names_no_scope_cannot_be_made() -> None:
    router = APIRouter(route_class=KeyedRoute)

    with pytest.raises(TypeError, match="which scope it needs"):

        @router.get("/forgotten")
        def forgotten() -> None: ...


def test_service_that_opens_no_store_of_its_own_finds_keys_made_elsewhere(
    settings: Settings, engine: Any, store: Store
) -> None:
    _, secret = store.create_key("desk", ["predict"])

    with TestClient(create_app(settings, engine=engine)) as client:
        answer = client.get("/v1/model", headers={"X-API-Key": secret})

    assert answer.status_code == 200
