"""What an editor is told about articles."""

from datetime import date
from typing import Any

import pytest

from triage.article import Article
from triage.article_check import check
from triage.taxonomy import Taxonomy, parse_taxonomy

TODAY = date(2026, 6, 30)


@pytest.fixture
def taxonomy() -> Taxonomy:
    return parse_taxonomy(
        {
            "tiers": {"1": {"name": "Service desk"}},
            "categories": {"vpn": {"name": "Remote access"}},
            "details": {"error_text": {"name": "Error", "question": {"en": "Which error?"}}},
        }
    )


def article(**parts: Any) -> Article:
    sound: dict[str, Any] = {
        "id": "A",
        "title": "The VPN does not connect",
        "category": "vpn",
        "tier": "1",
        "required_details": ("error_text",),
        "reviewed": date(2026, 1, 1),
        "steps": ("Restart the client.",),
    }
    return Article(**sound | parts)


def test_a_sound_article_has_no_problems(taxonomy: Taxonomy) -> None:
    assert check([article()], taxonomy, today=TODAY) == []


@pytest.mark.parametrize(
    ("parts", "severity", "reason"),
    [
        ({"category": "vnp"}, "error", "category 'vnp'"),
        ({"tier": "9"}, "error", "tier '9'"),
        ({"required_details": ("shoe_size",)}, "error", "required detail 'shoe_size'"),
        ({"steps": ()}, "warning", "no steps"),
        ({"reviewed": None}, "warning", "never reviewed"),
        ({"reviewed": date(2025, 6, 29)}, "warning", "review it again"),
        ({"reviewed": date(2026, 7, 1)}, "warning", "yet to come"),
    ],
)
def test_each_flaw_is_named(
    taxonomy: Taxonomy, parts: dict[str, Any], severity: str, reason: str
) -> None:
    problems = check([article(**parts)], taxonomy, today=TODAY)

    assert [(p.file, p.severity, reason in p.reason) for p in problems] == [("A", severity, True)]


def test_a_review_exactly_a_year_old_still_counts(taxonomy: Taxonomy) -> None:
    assert check([article(reviewed=date(2025, 6, 30))], taxonomy, today=TODAY) == []


@pytest.mark.parametrize(
    "step",
    [
        "Ask the user for their password.",
        "Ask for the current Windows password and sign in.",
        "Request the user's password.",
        "Have them tell you the password.",
        "Do not hang up. Ask for their PIN.",
        "Nach dem Passwort fragen.",
    ],
)
def test_a_step_that_asks_for_a_password_is_an_error(taxonomy: Taxonomy, step: str) -> None:
    problems = check([article(steps=("Greet.", step))], taxonomy, today=TODAY)

    assert [(p.severity, p.reason[:25]) for p in problems] == [
        ("error", "step 2 asks for a passwor")
    ]


@pytest.mark.parametrize(
    "step",
    [
        "Never ask for a password.",
        "Do not ask the user for the password.",
        "Ask the user for the date of the last password change.",
        "Ask them to type the password themselves.",
        "Ask for the password policy that applies.",
    ],
)
def test_steps_that_only_speak_of_passwords_are_fine(taxonomy: Taxonomy, step: str) -> None:
    assert check([article(steps=(step,))], taxonomy, today=TODAY) == []


@pytest.mark.parametrize(
    "command",
    ["format d:", "del /f /q cache", "rm -rf cache", "diskpart", "regedit", "drop table users"],
)
def test_a_risky_command_needs_a_word_of_warning(taxonomy: Taxonomy, command: str) -> None:
    bare = check([article(steps=(f"Run {command}.",))], taxonomy, today=TODAY)
    warned = check(
        [article(steps=(f"Caution, make a backup, then run {command}.",))], taxonomy, today=TODAY
    )

    assert [p.severity for p in bare] == ["warning"]
    assert warned == []


def test_titles_that_say_the_same_are_reported_once(taxonomy: Taxonomy) -> None:
    twins = [
        article(id="A", title="The VPN does not connect"),
        article(id="B", title="VPN not connecting"),
        article(id="C", title="The VPN is slow"),
    ]

    problems = check(twins, taxonomy, today=TODAY)

    assert [(p.file, p.severity, "that of A" in p.reason) for p in problems] == [
        ("B", "warning", True)
    ]
