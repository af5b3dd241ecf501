import gzip
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from training.history import read_history
from training.mapping import load_mapping
from training.phrases import Phrasebook, load_scenarios
from training.sample import COLUMNS, FIRST_DAY, LAST_DAY, SampleTicket, generate, to_csv
from triage.taxonomy import data_folder, load_taxonomy

HISTORY = data_folder() / "sample" / "history.csv.gz"


@pytest.fixture(scope="module")
def tickets() -> list[SampleTicket]:
    return generate()


def share(tickets: list[SampleTicket], chosen: list[bool]) -> float:
    return sum(chosen) / len(tickets)


def test_same_seed_writes_the_same_bytes_whatever_the_hash_seed(
    tickets: list[SampleTicket],
) -> None:
    code = (
        "import hashlib; from training.sample import generate, to_csv; "
        "print(hashlib.sha256(to_csv(generate()).encode()).hexdigest())"
    )

    other = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert other.stdout.strip() == hashlib.sha256(to_csv(tickets).encode()).hexdigest()


def test_another_seed_writes_another_history(tickets: list[SampleTicket]) -> None:
    assert to_csv(generate(1)) != to_csv(tickets)


def test_committed_history_is_what_the_script_makes(tickets: list[SampleTicket]) -> None:
    committed = gzip.decompress(HISTORY.read_bytes()).decode()

    assert committed == to_csv(tickets), "run python -m training.sample"
    assert HISTORY.stat().st_size < 1_000_000


def test_sample_is_read_whole_with_its_mapping(tickets: list[SampleTicket]) -> None:
    history = read_history([HISTORY], load_mapping("sample"))

    assert list(history.frame["id"]) == [ticket.number for ticket in tickets]
    assert list(history.frame["tier"]) == [ticket.tier for ticket in tickets]
    assert not history.rejected


def test_mapping_names_only_columns_that_exist() -> None:
    mapping = load_mapping("sample")

    named = [
        name for names in (*mapping.columns.values(), *mapping.fields.values()) for name in names
    ]

    assert set(mapping.fields) == {"caller", "channel", "site"}
    assert sorted(named) == sorted(COLUMNS)


def test_tiers_have_the_shares_of_a_usual_desk(tickets: list[SampleTicket]) -> None:
    counts = Counter(ticket.true_tier for ticket in tickets)

    assert 3400 <= len(tickets) <= 3800
    assert sorted(counts) == ["1", "2", "3"]
    assert counts["1"] / len(tickets) == pytest.approx(0.58, abs=0.05)
    assert counts["2"] / len(tickets) == pytest.approx(0.29, abs=0.05)
    assert counts["3"] / len(tickets) == pytest.approx(0.13, abs=0.04)


def test_every_category_of_the_taxonomy_occurs_and_no_other(tickets: list[SampleTicket]) -> None:
    counts = Counter(ticket.category for ticket in tickets)

    assert counts.keys() == load_taxonomy().categories.keys()
    assert min(counts.values()) >= 60


def test_one_ticket_in_nine_is_german(tickets: list[SampleTicket]) -> None:
    assert 0.08 <= share(tickets, [ticket.language == "de" for ticket in tickets]) <= 0.14


def test_some_labels_are_wrong_but_at_most_one_in_twenty(tickets: list[SampleTicket]) -> None:
    wrong = [
        (ticket.tier, ticket.category) != (ticket.true_tier, ticket.true_category)
        for ticket in tickets
    ]

    assert 0.01 <= share(tickets, wrong) <= 0.05


def test_some_tickets_are_sent_twice(tickets: list[SampleTicket]) -> None:
    texts = Counter((ticket.short_description, ticket.description) for ticket in tickets)
    repeated = [ticket for ticket in tickets if ticket.is_duplicate]
    exact = [t for t in repeated if texts[t.short_description, t.description] > 1]

    assert 0.02 <= len(repeated) / len(tickets) <= 0.04
    assert 0 < len(exact) < len(repeated)


def test_tickets_come_in_order_within_two_years(tickets: list[SampleTicket]) -> None:
    opened = [ticket.opened_at for ticket in tickets]

    assert opened == sorted(opened)
    assert FIRST_DAY <= opened[0].date() < opened[-1].date() <= LAST_DAY
    assert all(ticket.resolved_at > ticket.opened_at for ticket in tickets)
    assert len({ticket.number for ticket in tickets}) == len(tickets)


def test_most_tickets_are_opened_in_working_hours(tickets: list[SampleTicket]) -> None:
    working = [t.opened_at.weekday() < 5 and 7 <= t.opened_at.hour < 18 for t in tickets]

    assert share(tickets, working) > 0.8


def test_lumen_rooms_is_unknown_before_its_day_and_an_eighth_of_the_tickets_later(
    tickets: list[SampleTicket],
) -> None:
    newcomers = {scenario.id for scenario in load_scenarios() if scenario.since > FIRST_DAY}
    lumen = re.compile(r"\blumen\b", re.IGNORECASE)  # and not "Datenvolumen"
    names_it = [bool(lumen.search(f"{t.short_description} {t.description}")) for t in tickets]
    days = [ticket.opened_at.date().isoformat() for ticket in tickets]

    before = [named for named, day in zip(names_it, days, strict=True) if day < "2025-11-10"]
    last_months = [
        t.scenario in newcomers for t, day in zip(tickets, days, strict=True) if day > "2026-05"
    ]

    assert not any(before)
    assert sum(last_months) / len(last_months) == pytest.approx(0.12, abs=0.03)


def test_articles_exist_and_low_tiers_use_them_most(tickets: list[SampleTicket]) -> None:
    known = {path.name.split("-")[0] for path in (data_folder() / "kb").glob("*.md")}
    used = {tier: [t for t in tickets if t.true_tier == tier and t.article_ids] for tier in "123"}
    shares = {
        tier: len(found) / sum(t.true_tier == tier for t in tickets) for tier, found in used.items()
    }

    assert {article for ticket in tickets for article in ticket.article_ids} <= known
    assert shares["1"] > 0.6 > shares["2"] > 0.15 > shares["3"] > 0


def test_group_that_resolved_a_ticket_belongs_to_its_true_tier(tickets: list[SampleTicket]) -> None:
    groups = load_taxonomy().groups

    assert all(groups[ticket.assignment_group] == ticket.true_tier for ticket in tickets)
    assert all(group in groups for ticket in tickets for group in ticket.group_path)
    assert any(ticket.reassignments >= 2 for ticket in tickets)
    assert any(ticket.reopened for ticket in tickets)


def test_alerts_come_from_monitoring_without_a_letter_around_them(
    tickets: list[SampleTicket],
) -> None:
    alerts = [ticket for ticket in tickets if ticket.channel == "Event"]

    assert alerts
    assert {ticket.caller for ticket in alerts} == {"Monitoring"}
    assert not any("regards" in ticket.description.lower() for ticket in alerts)


def test_scenarios_make_sense() -> None:
    scenarios = load_scenarios()
    book = Phrasebook()

    assert len({scenario.id for scenario in scenarios}) == len(scenarios)
    for scenario in scenarios:
        assert scenario.id.startswith(f"{scenario.category}-"), scenario.id
        assert sum(scenario.tiers.values()) == pytest.approx(1), scenario.id
        assert scenario.tiers.keys() == scenario.groups.keys(), scenario.id
        assert scenario.scope in ("one", "many", "any"), scenario.id
        for language in scenario.bodies:
            assert book.phrases(language, f"vague.{scenario.vague}"), scenario.id


def test_no_template_syntax_is_left_in_a_ticket(tickets: list[SampleTicket]) -> None:
    for ticket in tickets:
        text = f"{ticket.short_description}\n{ticket.description}\n{ticket.resolution}"
        assert "{" not in text, ticket.scenario
        assert " // " not in text, ticket.scenario
        assert not ("[" in text and "|" in text.split("[", 1)[1].split("]")[0]), ticket.scenario


def test_a_locked_account_and_an_outage_of_a_whole_site_are_told() -> None:
    scenarios = {scenario.id: scenario for scenario in load_scenarios()}

    def told(phrase: str, scope: str) -> list[str]:
        return [
            s.id
            for s in scenarios.values()
            if s.scope == scope and phrase in " ".join([*s.subjects["en"], *s.bodies["en"]]).lower()
        ]

    assert told("locked", "one")
    assert told("whole site", "many") or told("whole office", "many")


def test_an_outage_is_reported_many_times_at_one_place(tickets: list[SampleTicket]) -> None:
    reports = Counter((t.scenario, t.site, t.opened_at.date()) for t in tickets)

    assert max(reports.values()) >= 6
