import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

PROBLEM = "application/problem+json"
SECRET = "hunter2-Xq7"
JSON = {"Content-Type": "application/json"}

ODD_BODIES = {
    "nothing": (b"", 422),
    "not JSON": (b"{", 400),
    "NaN": (b'{"subject": NaN}', 400),
    "NaN in a field": (b'{"subject": "a", "fields": {"a": NaN}}', 400),
    "infinity": (b'{"subject": -Infinity}', 400),
    "huge number": (b'{"subject": 1e999}', 422),
    "huge number as a moment": (b'{"subject": "a", "created_at": 1e999}', 422),
    "endless integer": (b'{"subject": ' + b"9" * 5000 + b"}", 400),
    "lone surrogate": (b'{"subject": "\\ud800"}', 422),
    "lone surrogate in a name": (b'{"subject": "a", "\\udfff": 1}', 422),
    "lone surrogate in a field's name": (b'{"subject": "a", "fields": {"\\udfff": "1"}}', 422),
    "lone surrogate in a field": (b'{"subject": "a", "fields": {"a": "\\udfff"}}', 422),
    "lone surrogate in an id": (b'{"subject": "a", "id": "\\ud800"}', 422),
    "deep nesting": (b"[" * 100_000 + b"]" * 100_000, 400),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    "nesting that just parses": (b'{"subject":' + b"[" * 500 + b"]" * 500 + b"}", 422),
    "bad UTF-8": (b'{"subject": "\xff\xfe"}', 400),
    "UTF-16": ('{"subject": "a"}'.encode("utf-16"), 400),
    "byte order mark": (b'\xef\xbb\xbf{"subject": "a"}', 400),
    "repeated name": (b'{"subject": "a", "subject": "b"}', 400),
    "repeated name inside": (b'{"subject": "a", "fields": {"a": "1", "a": "2"}}', 400),
    "two documents": (b'{"subject": "a"} {"subject": "b"}', 400),
    "a list": (b'[{"subject": "a"}]', 422),
    "a text": (b'"subject"', 422),
    "null": (b"null", 422),
    "a number for a text": (b'{"subject": 5}', 422),
    "an object for a text": (b'{"subject": {"a": 1}}', 422),
    "an unknown name": (b'{"subject": "a", "hunter2-Xq7": 1}', 422),
    "a number for a field": (b'{"subject": "a", "fields": {"hunter2-Xq7": 1}}', 422),
    "a control character in an id": (b'{"subject": "a", "id": "a\\u0000b"}', 422),
    "an id without end": (b'{"subject": "a", "id": "' + b"i" * 201 + b'"}', 422),
    "too many fields": (
        json.dumps({"subject": "a", "fields": {str(n): "1" for n in range(101)}}).encode(),
        422,
    ),
    "100,000 unknown names": (
        json.dumps({f"hunter2-Xq7 {n}": 1 for n in range(40_000)}).encode(),
        422,
    ),
    "a moment that is none": (b'{"subject": "a", "created_at": "hunter2-Xq7"}', 422),
    "a moment as a number": (b'{"subject": "a", "created_at": 1764000000}', 422),
    "a moment before the calendar": (
        b'{"subject": "a", "created_at": "0001-01-01T00:00:00+23:59"}',
        422,
    ),
    "a moment after the calendar": (
        b'{"subject": "a", "created_at": "9999-12-31T23:59:59-23:00"}',
        422,
    ),
}


@pytest.mark.parametrize("name", ODD_BODIES)
@pytest.mark.parametrize("path", ["/v1/triage", "/v1/triage/batch"])
def test_odd_body_is_a_clear_refusal(client: TestClient, path: str, name: str) -> None:
    body, status = ODD_BODIES[name]

    answer = client.post(path, content=body, headers=JSON)

    expected = {status, 422} if path.endswith("batch") else {status}
    assert answer.status_code in expected
    assert answer.headers["content-type"] == PROBLEM
    assert SECRET not in answer.text
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "a/b;;="],
)
def test_body_that_does_not_say_it_is_json_is_refused(
    client: TestClient, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    answer = client.post("/v1/triage", content=b'{"subject": "locked"}', headers=headers)

    assert answer.status_code == 415
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["accept"] == "application/json"


def test_json_with_a_charset_is_json(client: TestClient) -> None:
    answer = client.post(
        "/v1/triage",
        content=b'{"subject": "locked"}',
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )

    assert answer.status_code == 200


def test_faults_point_at_what_is_wrong_and_say_how(client: TestClient) -> None:
    answer = client.post(
        "/v1/triage",
        json={"subject": 5, "id": "i" * 201, "fields": {"secret name": 1}, "created_at": "soon"},
    )

    assert answer.json() == {
        "type": "urn:ticket-triage:invalid",
        "title": "The request is not valid",
        "status": 422,
        "detail": "See errors for what is wrong and where.",
        "errors": [
            {"pointer": "/id", "problem": "too_long"},
            {"pointer": "/subject", "problem": "not_text"},
            {"pointer": "/fields", "problem": "not_text"},
            {"pointer": "/created_at", "problem": "invalid"},
        ],
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/{SECRET}", 404),
        ("GET", "/v1/triage", 405),
        ("DELETE", "/livez", 405),
        (SECRET.upper(), "/livez", 405),
        ("GET", "/v1/triage/", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
    ],
)
def test_unknown_places_and_methods_are_problems_too(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status
    assert SECRET.lower() not in answer.text.lower()


def test_failure_of_ours_is_told_without_its_cause(client: TestClient) -> None:
    answer = client.post("/v1/triage", json={"subject": f"explode {SECRET}"})

    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert SECRET not in answer.text
    assert answer.headers["X-Request-ID"] in answer.json()["detail"]
    assert client.post("/v1/triage", json={"subject": "locked"}).status_code == 200


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["id", "version", "subject", "description", "fields", "created_at", "requester", "channel"]
)


@hypothesis_settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=5))
def test_whatever_is_sent_gets_an_answer_or_a_problem(
    client: TestClient, ticket: dict[str, Any]
) -> None:
    body = json.dumps(ticket).encode()

    one = client.post("/v1/triage", content=body, headers=JSON)
    several = client.post("/v1/triage/batch", content=b'{"tickets": [%s]}' % body, headers=JSON)

    assert one.status_code in (200, 400, 422)
    assert several.status_code in (200, 400, 422)


@hypothesis_settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=60))
def test_whatever_bytes_are_sent_get_a_problem(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/triage", content=body, headers=JSON)

    assert answer.status_code in (400, 422)
