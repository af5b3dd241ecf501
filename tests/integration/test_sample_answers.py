"""What the demonstration's model answers: learned once from the sample history, by the wheel.

Answers are asked for over HTTP, from one process, where `triage suggest` would take two seconds
each; one test makes sure that both say the same.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.knowledge import read_articles
from triage.taxonomy import data_folder

pytestmark = pytest.mark.slow

Suggest = Callable[[str, str], dict[str, Any]]

CONTRACT = {
    "suggestion_id",
    "ticket_id",
    "model_version",
    "decision",
    "reasons",
    "tier",
    "category",
    "targets",
    "next_tier",
    "steps",
    "articles",
    "similar",
    "missing_details",
    "handoff",
    "incident",
    "explanation",
    "warnings",
}
PREDICTION = {"label", "name", "confidence", "set", "alternatives"}

LOCKED_OUT = [
    ("Locked out of my account", "I typed my password wrong three times and now it is locked."),
    ("locked out", "my account is locked"),
    ("Cannot log in", "It says my account has been locked after too many attempts. Please help!"),
    ("can't sign in, says account is locked out", ""),
    ("User locked out", "Windows says the account is locked, and I have a meeting in 10 minutes"),
    ("ich bin ausgesperrt, konto gesperrt", ""),
    ("ich bin ausgesperrt", "konto gesperrt"),
    ("account locked after holidays", "typed the wrong password too often, please unlock"),
    ("Passwort zu oft falsch eingegeben, Konto gesperrt", "Bitte mein Konto entsperren, danke"),
]
SITE_OUTAGE = [
    ("Network down in the whole Hamburg office, nobody can work", ""),
    (
        "Whole site offline",
        "Since 9:00 the entire Leeds office has no network. All users affected.",
    ),
    ("Outage in Dublin", "nobody at the Dublin site can reach anything, the internet is dead"),
    ("kompletter Standort Graz offline", ""),
    ("kompletter Standort Graz offline", "kein Netz, niemand kann arbeiten"),
]
FOREIGN = [
    ("asdf qwer zxcv", ""),
    ("gnarble wib", "wibble wobble quux zork blah, and then flurb the mimsy snork"),
    (
        "The road",
        "Shall I follow where willows lean and swallows stitch the evening green? A lantern "
        "drifts, the moon is thin, the tide goes out, the stars come in.",
    ),
    (
        "Herbst",
        "Die Blätter sinken, müde, golden, der Nebel webt am Waldessaum, die Vögel ziehn, die "
        "bleiben wollten, und Abend fällt in jeden Baum.",
    ),
]


@pytest.fixture(scope="module")
def sample(demo: Path) -> Path:
    """The demonstration's models folder."""
    return demo / "here" / "models" / "demo"


@pytest.fixture(scope="module")
def suggest(sample: Path, serve: Any) -> Suggest:
    client = serve(sample).client

    def ask(subject: str, description: str) -> dict[str, Any]:
        ticket = {"subject": subject, "description": description}
        return dict(client.post("/v1/triage", json=ticket).raise_for_status().json())

    return ask


@pytest.fixture(scope="module")
def tier_of_article() -> dict[str, str | None]:
    articles, _ = read_articles(data_folder() / "kb")
    return {article.id: article.tier for article in articles}


def holdouts(sample: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Metrics by target and part, as the champion's manifest has them."""
    champion = (sample / "champion").read_text().strip()
    metrics = json.loads((sample / champion / "manifest.json").read_text("utf-8"))["metrics"]
    return {
        (target, part): values for target in metrics for part, values in metrics[target].items()
    }


def test_demo_prints_one_whole_suggestion(demo: Path, sample: Path) -> None:
    shown = json.loads((demo / "demo.json").read_text("utf-8"))

    assert list(shown) == ["suggestion"]
    suggestion = shown["suggestion"]
    assert set(suggestion) >= CONTRACT
    assert suggestion["decision"] in {"route", "suggest", "review"}
    assert suggestion["model_version"] == (sample / "champion").read_text().strip()
    for target in ("tier", "category"):
        assert set(suggestion[target]) >= PREDICTION
        assert suggestion[target]["set"]
        assert {"label", "confidence"} == set(suggestion[target]["alternatives"][0])
        assert {"term", "weight"} == set(suggestion["explanation"][target][0])
    assert {"code", "message", "next_action"} <= set(suggestion["reasons"][0])
    assert {"text", "article_id", "kind", "record", "solved", "tried"} == set(
        suggestion["steps"][0]
    )
    assert {"id", "title", "url", "score", "terms", "snippet", "is_stale"} == set(
        suggestion["articles"][0]
    )


def test_demo_trains_only_once(demo: Path, sample: Path, answer: Any) -> None:
    before = sorted(sample.iterdir())

    again = answer("demo", "--once", "--output", sample)["suggestion"]

    first = json.loads((demo / "demo.json").read_text("utf-8"))["suggestion"]
    assert sorted(sample.iterdir()) == before
    assert again | {"suggestion_id": ""} == first | {"suggestion_id": ""}


def test_command_and_service_give_the_same_answer(
    sample: Path, suggest: Suggest, answer: Any
) -> None:
    told = answer("suggest", *LOCKED_OUT[0], "--model", sample)

    served = suggest(*LOCKED_OUT[0])
    assert told | {"suggestion_id": ""} == served | {"suggestion_id": ""}


@pytest.mark.parametrize(("subject", "description"), LOCKED_OUT)
def test_locked_out_user_is_helped_by_the_first_tier(
    suggest: Suggest, subject: str, description: str
) -> None:
    suggestion = suggest(subject, description)

    assert suggestion["tier"]["label"] == suggestion["next_tier"] == "1"
    assert suggestion["category"]["label"] == "access"
    assert suggestion["articles"][0]["id"] == "KB0001"
    assert {step["article_id"] for step in suggestion["steps"]} == {"KB0001"}


@pytest.mark.parametrize(("subject", "description"), SITE_OUTAGE)
def test_site_outage_goes_beyond_the_first_tier(
    suggest: Suggest, subject: str, description: str
) -> None:
    suggestion = suggest(subject, description)

    assert suggestion["tier"]["label"] in {"2", "3"}
    assert suggestion["next_tier"] == "2"


@pytest.mark.parametrize(("subject", "description"), SITE_OUTAGE)
def test_site_outage_is_never_met_with_a_routine_article(
    suggest: Suggest, tier_of_article: dict[str, str | None], subject: str, description: str
) -> None:
    suggestion = suggest(subject, description)

    tiers = {hit["id"]: tier_of_article[hit["id"]] for hit in suggestion["articles"]}
    assert "1" not in tiers.values(), tiers


@pytest.mark.parametrize(("subject", "description"), FOREIGN)
def test_text_that_is_no_ticket_is_left_to_a_person(
    suggest: Suggest, subject: str, description: str
) -> None:
    suggestion = suggest(subject, description)

    assert suggestion["decision"] == "review"
    assert suggestion["tier"]["label"] is suggestion["category"]["label"] is None
    assert suggestion["next_tier"] is None


def test_sample_is_neither_too_easy_nor_too_hard(sample: Path) -> None:
    accuracy = {part: values["accuracy"] for part, values in holdouts(sample).items()}

    assert set(accuracy) == {
        (target, part) for target in ("tier", "category") for part in ("out_of_fold", "newest")
    }
    assert all(0.80 <= value <= 0.95 for value in accuracy.values()), accuracy


def test_confidence_on_the_sample_is_honest(sample: Path) -> None:
    error = {
        target: values["ece"]
        for (target, part), values in holdouts(sample).items()
        if part == "out_of_fold"
    }

    assert set(error) == {"tier", "category"}
    assert all(value <= 0.03 for value in error.values()), error
