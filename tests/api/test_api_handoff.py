"""POST /v1/handoff: a person hands a ticket up."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from api.examples import HANDOFF, HANDOFF_REQUEST
from api.schemas import HandoffIn
from triage.suggestion import Handoff

PROBLEM = "application/problem+json"
SECRET = "hunter2-Xq7"


def post(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/handoff", json={"subject": "Account locked", **body})


def test_note_is_written_out_of_the_ticket_and_the_record(client: TestClient) -> None:
    answer = post(
        client,
        id="INC-7",
        tier="2",
        category="access",
        steps_tried=["Unlocked it, mailed jane.doe@example.com"],
        articles_tried=["KB0001"],
        details={"device": "LT-4471"},
    )

    assert answer.status_code == 200
    note = answer.json()
    assert set(note) == {"summary", "note", "completeness", "is_ready", "questions", "parts"}
    assert note["summary"].startswith("To tier 2 (Technical support): Accounts and sign-in")
    assert "1. `Unlocked it, mailed ‹email›`" in note["note"]
    assert note["parts"]["articles_tried"] == ["KB0001"]
    assert "- Device: `LT-4471`" in note["note"]
    assert "jane" not in answer.text


def test_note_that_lacks_too_much_is_an_answer_with_questions(client: TestClient) -> None:
    answer = post(client, tier="3", category="access", description="Das Konto ist gesperrt, bitte")

    assert answer.status_code == 200
    note = answer.json()
    assert note["is_ready"] is False
    assert note["questions"][0].startswith("What did tier 1 and tier 2 try")
    assert note["questions"][1].startswith("Welcher Benutzername")


def test_desk_sets_how_complete_a_note_must_be(make_client: Callable[..., TestClient]) -> None:
    strict = make_client(handoff_min_completeness=1.0)
    lax = make_client(handoff_min_completeness=0.0)

    assert post(strict, tier="2", category="access").json()["is_ready"] is False
    assert post(lax, tier="2", category="access").json()["is_ready"] is True


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"tier": SECRET}, "/tier"),
        ({"category": SECRET}, "/category"),
        ({"details": {SECRET: "x"}}, "/details"),
    ],
)
def test_label_that_the_desk_does_not_have_is_refused(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    answer = post(client, **body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["errors"] == [{"pointer": pointer, "problem": "unknown"}]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"tier": 2}, {"pointer": "/tier", "problem": "not_text"}),
        ({"tier": "a\x00"}, {"pointer": "/tier", "problem": "bad_characters"}),
        ({"steps_tried": "restart"}, {"pointer": "/steps_tried", "problem": "not_a_list"}),
        ({"steps_tried": ["x"] * 51}, {"pointer": "/steps_tried", "problem": "too_many"}),
        ({"steps_tried": ["x" * 1001]}, {"pointer": "/steps_tried/0", "problem": "too_long"}),
        (
            {"articles_tried": ["../x"]},
            {"pointer": "/articles_tried/0", "problem": "bad_characters"},
        ),
        ({"details": ["x"]}, {"pointer": "/details", "problem": "not_an_object"}),
        ({"details": {"device": 5}}, {"pointer": "/details", "problem": "not_text"}),
        ({"hunter2": []}, {"pointer": "", "problem": "unknown_field"}),
        ({"description": "x" * 20_001}, {"pointer": "/description", "problem": "too_long"}),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_named(
    client: TestClient, body: dict[str, Any], fault: dict[str, str]
) -> None:
    answer = post(client, **body)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [fault]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"subject": "a", "steps_tried": ["\\ud800"]}', 422),
        (b'{"subject": "a", "details": {"\\udfff": "1"}}', 422),
        (b'{"subject": "a", "details": {"device": "\\ud800"}}', 422),
        (b'{"subject": "a", "tier": 1e999}', 422),
        (b'{"subject": "a", "steps_tried": [NaN]}', 400),
        (b'{"subject": "a", "tier": "1", "tier": "2"}', 400),
        (b'{"tier": "1"}', 422),
        (b"[" * 50_000, 400),
    ],
)
def test_odd_body_is_a_clear_refusal(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/v1/handoff", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


TEXTS = st.text(max_size=40) | st.sampled_from(["<script>", "`" * 5, "# x", "[a](javascript:b)"])


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.fixed_dictionaries(
        {"subject": TEXTS},
        optional={
            "description": TEXTS,
            "fields": st.dictionaries(TEXTS, TEXTS, max_size=2),
            "steps_tried": st.lists(TEXTS, max_size=3),
            "details": st.dictionaries(st.sampled_from(["device", "printer"]), TEXTS, max_size=2),
            "tier": st.sampled_from(["1", "2", "3"]) | TEXTS,
        },
    )
)
def test_whatever_is_sent_gets_a_note_or_a_problem(
    client: TestClient, body: dict[str, Any]
) -> None:
    answer = client.post(
        "/v1/handoff",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert "<" not in answer.json()["note"]


def test_examples_are_what_they_are_examples_of(client: TestClient) -> None:
    note = TypeAdapter(Handoff).validate_python(HANDOFF)

    assert note.is_ready
    assert HandoffIn.model_validate(HANDOFF_REQUEST).tier == "2"
    answer = client.post("/v1/handoff", json=HANDOFF_REQUEST).json()
    assert set(HANDOFF["parts"]) <= set(answer["parts"])
    assert answer["summary"] == HANDOFF["summary"]
