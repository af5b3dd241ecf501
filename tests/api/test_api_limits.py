import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.limits import BodyLimits

PROBLEM = "application/problem+json"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def small(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client(max_body_bytes=2000)


def ticket_of(size: int) -> bytes:
    empty = b'{"description": ""}'
    return b'{"description": "%s"}' % (b"x" * (size - len(empty)))


def chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 500):
        yield body[start : start + 500]


@pytest.mark.parametrize("chunked", [False, True])
def test_body_of_the_allowed_size_is_read(small: TestClient, chunked: bool) -> None:
    body = ticket_of(2000)

    answer = small.post("/v1/triage", content=chunks(body) if chunked else body, headers=JSON)

    assert answer.status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_refused(small: TestClient, chunked: bool) -> None:
    body = ticket_of(2001)

    answer = small.post("/v1/triage", content=chunks(body) if chunked else body, headers=JSON)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["connection"] == "close"
    assert answer.json()["detail"] == "A body may have 2000 bytes."


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "identity, gzip"])
def test_compressed_body_is_refused(client: TestClient, encoding: str) -> None:
    headers = {**JSON, "Content-Encoding": encoding}

    answer = client.post("/v1/triage", content=b'{"subject": "locked"}', headers=headers)

    assert answer.status_code == 415
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("path", ["/", "/livez", "/v1/model", "/nowhere", "/openapi.json"])
def test_every_answer_is_safe_in_a_browser(client: TestClient, path: str) -> None:
    del client.headers["X-API-Key"]

    answer = client.get(path)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


def test_refusals_and_failures_are_safe_in_a_browser_too(client: TestClient) -> None:
    answers = [
        client.post("/v1/triage", json={"subject": "explode"}),
        client.post("/v1/triage", content=b"{}", headers={"Content-Encoding": "gzip"}),
    ]

    assert [answer.status_code for answer in answers] == [500, 415]
    assert all(answer.headers["x-content-type-options"] == "nosniff" for answer in answers)
    assert all(answer.headers["x-request-id"] for answer in answers)


def test_request_id_of_the_caller_is_kept_when_it_is_harmless(client: TestClient) -> None:
    kept = client.get("/livez", headers={"X-Request-ID": "desk-7_a.B"})

    assert kept.headers["x-request-id"] == "desk-7_a.B"


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", 'a"b', "a{}", "ä"])
def test_request_id_that_is_not_harmless_is_replaced(client: TestClient, given: str) -> None:
    answer = client.get("/livez", headers={"X-Request-ID": given.encode("latin-1")})

    assert len(answer.headers["x-request-id"]) == 16


def run_middleware(
    receive: Receive, headers: list[tuple[bytes, bytes]]
) -> tuple[list[Message], list[BaseException]]:
    """Send a request through BodyLimits to an application that reads it to its end."""
    sent: list[Message] = []
    raised: list[BaseException] = []

    async def reader(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
        except Exception as error:
            raised.append(error)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    limits = BodyLimits(reader, max_bytes=1000, timeout_s=0.1)
    asyncio.run(limits(scope, receive, send))
    return sent, raised


def test_body_that_stays_away_is_not_waited_for() -> None:
    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    sent, raised = run_middleware(receive, [(b"content-length", b"10")])

    assert [getattr(error, "status_code", None) for error in raised] == [408]
    assert (b"connection", b"close") in sent[0]["headers"]


def test_body_that_drips_is_not_waited_for_either() -> None:
    async def receive() -> Message:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    _, raised = run_middleware(receive, [(b"transfer-encoding", b"chunked")])

    assert [getattr(error, "status_code", None) for error in raised] == [408]


def test_endless_body_is_not_read_past_the_limit() -> None:
    reads = 0

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": b"x" * 300, "more_body": True}

    _, raised = run_middleware(receive, [(b"transfer-encoding", b"chunked")])

    assert [getattr(error, "status_code", None) for error in raised] == [413]
    assert reads == 4


def test_declared_length_over_the_limit_is_refused_unread() -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    sent, raised = run_middleware(receive, [(b"content-length", b"1001")])

    assert sent[0]["status"] == 413
    assert raised == []
