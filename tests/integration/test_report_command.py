"""`triage report` as people type it."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.store import Outcome, open_store

LOG = """\
number,sys_updated_at,assignment_group,category,reassignment_count,reopen_count,resolved_at
A,2026-03-02 08:00,Desk,mail,0,0,
A,2026-03-02 09:00,Network,mail,1,0,2026-03-02 10:00
B,2026-03-03 08:00,Desk,mail,0,0,2026-03-03 09:00
B,2026-03-03 08:00
"""


@pytest.fixture
def desk_log(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    (tmp_path / "tiers.toml").write_text('[tiers]\nDesk = "1"\nNetwork = "2"\n', "utf-8")
    return tmp_path


def test_figures_of_a_log_are_printed_with_what_they_are_counted_from(
    run: Any, desk_log: Path
) -> None:
    ran = run(*["report", "--events", "log.csv", "--tiers", "tiers.toml"], cwd=desk_log)

    told = " ".join(ran.stdout.split())
    assert ran.returncode == 0
    assert "4 events read: 3 kept, 1 rejected" in told
    assert "line 5 rejected: 2 fields where the header has 7" in told
    assert "First contact resolution │ 50.0% │ 1 of 2 tickets" in told
    assert "Escalated from tier 1 │ 50.0% │ 1 of 2 tickets" in told
    assert "not known from this log: Satisfaction (CSAT)" in told


def test_json_is_printed_and_written_alike(answer: Any, desk_log: Path) -> None:
    told = answer(
        *["report", "--events", "log.csv", "--tiers", "tiers.toml", "--output", "out/figures.json"],
        cwd=_with_folder(desk_log, "out"),
    )
    written = desk_log / "out" / "figures.json"

    assert told["rows"] == {"read": 4, "kept": 3, "rejected": 1}
    assert told["rejected"] == [{"line": 5, "reason": "2 fields where the header has 7"}]
    assert written.read_text("utf-8").startswith('{\n  "rows"')
    assert [path.name for path in written.parent.iterdir()] == ["figures.json"]


def test_report_is_written_as_page_data_and_table(run: Any, desk_log: Path) -> None:
    ran = run(
        *["report", "--events", "log.csv", "--tiers", "tiers.toml", "--output", "desk"],
        cwd=desk_log,
    )

    assert ran.returncode == 0
    assert sorted(path.suffix for path in (desk_log / "desk").iterdir()) == [
        *(".csv", ".html", ".json"),
    ]


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("", "triage.db"),
        ("--tiers tiers.toml", "--events FILE"),
        ("--events log.csv", "--tiers FILE"),
        ("--events log.csv --tiers tiers.toml --since 2026-03-01", "--since"),
        ("--since yesterday", "yesterday"),
        ("--events nowhere.csv --tiers tiers.toml", "nowhere.csv"),
        ("--events log.csv --tiers nowhere.toml", "nowhere.toml"),
        ("--events tiers.toml --tiers tiers.toml", "[columns] id"),
        ("--events log.csv --tiers log.csv", "not valid TOML"),
        ("--events log.csv --tiers tiers.toml --output log.csv/desk", "desk cannot be made"),
        ("--events log.csv --tiers tiers.toml --output none/page.html", "cannot be written"),
    ],
)
def test_user_error_is_told_in_one_line(run: Any, desk_log: Path, typed: str, hint: str) -> None:
    ran = run("report", *typed.split(), "--json", cwd=desk_log)

    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1 and hint in ran.stderr


@pytest.fixture
def desk_store(tmp_path: Path) -> dict[str, str]:
    """A store in which one ticket ended at tier 2, and another one long ago at tier 1."""
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    with closing(open_store(url)) as store:
        key, _ = store.create_key("desk", ["feedback"])
        for ticket, tier, year in (("A", "2", 2026), ("B", "1", 2020)):
            resolved_at = datetime(year, 3, 2, tzinfo=UTC)
            store.outcomes.add(
                Outcome(datetime.now(UTC), ticket, key.id, tier, resolved_at=resolved_at)
            )
    return {"TRIAGE_DATABASE_URL": url}


def test_store_is_reported_before_there_is_a_model(
    run: Any, answer: Any, desk_store: dict[str, str], tmp_path: Path
) -> None:
    ran = run("report", "--output", tmp_path / "out", cwd=tmp_path, **desk_store)
    told = answer("report", "--since", "2026-01-01", cwd=tmp_path, **desk_store)

    shown = " ".join(ran.stdout.split())
    assert ran.returncode == 0
    assert "0 suggestions and 2 ended tickets" in shown
    assert "Resolved at tier 2 │ 50.0% │ 1 of 2 tickets" in shown
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("insights.csv", "insights.html", "insights.json"),
    ]
    assert told["since"] == "2026-01-01T00:00:00+00:00"
    assert told["promise"] is None
    assert told["desk"]["tickets"]["counted"] == 1


def _with_folder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder
