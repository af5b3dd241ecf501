import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.examples import SUGGESTION, TICKET
from api.problems import Code, problem
from api.schemas import TicketIn
from triage.suggestion import Suggestion

PROBLEM = "application/problem+json"


@pytest.fixture
def description(client: TestClient) -> dict[str, Any]:
    del client.headers["X-API-Key"]
    content: dict[str, Any] = client.get("/openapi.json").json()
    return content


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_says_what_it_is_for(description: dict[str, Any]) -> None:
    silent = [
        name
        for name, operation in operations(description)
        if not (operation.get("summary") and operation.get("description"))
    ]

    assert silent == []


def test_every_error_is_declared_as_a_problem(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"][PROBLEM]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (name, status)
                assert response["description"], (name, status)


def test_keyed_routes_declare_their_refusals(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        declared = set(operation["responses"])
        if operation.get("security"):
            assert {"401", "403", "503"} <= declared, name
        if "requestBody" in operation:
            assert {"400", "408", "413", "415", "422"} <= declared, name


def test_key_goes_in_a_header(description: dict[str, Any]) -> None:
    scheme = description["components"]["securitySchemes"]["ApiKey"]

    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")


def test_references_lead_somewhere(description: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref":
                    yield value
                else:
                    yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    schemas = description["components"]["schemas"]
    found = {
        reference.removeprefix("#/components/schemas/") for reference in references(description)
    }

    assert found
    assert found <= set(schemas)
    assert "HTTPValidationError" not in schemas


def test_examples_are_what_they_are_examples_of(client: TestClient) -> None:
    suggestion = TypeAdapter(Suggestion).validate_python(SUGGESTION)

    assert suggestion.to_dict() == SUGGESTION
    assert TicketIn.model_validate(TICKET).subject == TICKET["subject"]
    assert client.post("/v1/triage", json=TICKET).status_code == 200


def test_answers_have_the_fields_that_are_declared(
    client: TestClient, description: dict[str, Any]
) -> None:
    _, secret = client.app.state.service.store.create_key("desk", ["predict"])  # type: ignore[attr-defined]

    answer = client.post("/v1/triage", json={"subject": ""}, headers={"X-API-Key": secret})

    declared = description["components"]["schemas"]["Suggestion"]["properties"]
    assert set(answer.json()) == set(declared)


def test_documentation_has_every_route_and_every_problem(description: dict[str, Any]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    headings = set(re.findall(r"^## ([A-Z]+ /\S*)$", text, re.MULTILINE))
    routes = {name for name, _ in operations(description)}
    problems = re.findall(r"^\| `urn:ticket-triage:([a-z-]+)` \| (\d+) \|", text, re.MULTILINE)

    assert headings == routes
    assert [code for code, _ in problems] == list(get_args(Code))
    assert all(problem(code, "").status == int(status) for code, status in problems)
