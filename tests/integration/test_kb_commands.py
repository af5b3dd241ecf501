"""The commands for editors of articles, as a user calls them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from triage.cli import app
from triage.store import ArticleDraft, open_store

ARTICLE = """---
id: KB1
title: The printer reports a paper jam
reviewed: 2020-01-01
---

## Steps

1. Open it.
"""
GAP = {"tickets", "cost", "terms", "category", "tiers", "examples", "typical", "nearest", "offered"}


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "KB1.md").write_text(ARTICLE)
    return folder


@pytest.fixture
def export(tmp_path: Path, rows: list[dict[str, str]], write: Any) -> Path:
    """200 solved tickets; those on printing were solved with an article."""
    solved = [
        row
        | {
            "caller": f"caller {number % 9}",
            "resolution": f"Looked at {row['category']}. Did what was needed.",
            "article_ids": "KB1" if row["category"] == "printing" else "",
        }
        for number, row in enumerate(rows)
    ]
    return Path(write(tmp_path / "history.csv", solved))


def test_stale_articles_are_those_that_the_setting_says(answer: Any, kb: Path) -> None:
    found = {
        days: [
            problem["reason"]
            for problem in answer("kb", "check", kb, TRIAGE_ARTICLE_REVIEW_DAYS=days)["problems"]
        ]
        for days in ("0", "365", "36500")
    }

    assert found == {
        "0": [],
        "365": ["last reviewed on 2020-01-01: review it again"],
        "36500": [],
    }


def test_import_accounts_for_every_record_and_passes_the_check(
    answer: Any, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "export.json").write_text(
        json.dumps(
            {
                "articles": [
                    {"id": 1, "title": "One", "body": "<ol><li>Do</li></ol>", "html_url": "x"},
                    {"id": 2, "title": "Two", "body": "x", "html_url": "x", "draft": True},
                    {"id": 3, "title": "", "body": "x", "html_url": "x"},
                ]
            }
        )
    )
    source, output = tmp_path / "export.json", tmp_path / "articles"

    report = answer("kb", "import", source, "--output", output)
    told = run("kb", "import", source, "--output", output)
    checked = answer("kb", "check", output)

    assert report["format"] == "zendesk"
    assert report["records"] == {"read": 3, "written": 1, "left_out": 1, "refused": 1}
    assert [one["reason"] for one in report["outcomes"]] == [None, "not published", "no title"]
    assert "3 records read (zendesk): 1 written, 1 left out, 1 refused" in told.stdout
    assert "export.json, record 3" in told.stdout
    assert checked["articles"] == 1
    assert {problem["severity"] for problem in checked["problems"]} <= {"warning"}


def test_import_takes_the_columns_that_are_named(answer: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("what,how\nNo sound,Turn it on.\n")

    report = answer(
        *("kb", "import", tmp_path / "a.csv", "--output", tmp_path / "kb"),
        *("--column", "title=what", "--column", "body=how"),
    )

    assert report["columns"] == {"title": "what", "body": "how"}
    assert report["records"]["written"] == 1


def test_gaps_are_found_and_drafted_from(
    answer: Any, run: Any, export: Path, kb: Path, tmp_path: Path
) -> None:
    options = ("--mapping", "sample", "--kb", kb)

    review = answer("kb", "gaps", export, *options)
    told = run("kb", "gaps", export, *options)
    draft = answer("kb", "draft", export, *options, "--gap", 1)

    assert review["rows"] == {"read": 200, "kept": 200, "merged": 0, "rejected": 0}
    assert (review["tickets"], review["without_article"]) == (200, 150)
    assert {gap["category"] for gap in review["gaps"]} == {"access", "email", "vpn"}
    assert all(set(gap) == GAP for gap in review["gaps"])
    assert told.returncode == 0 and "150 of 200 tickets had no article" in told.stdout
    assert draft["id"] == f"DRAFT-{review['gaps'][0]['typical']}"
    assert "Did what was needed." in draft["content"]


def test_a_draft_is_written_once_and_passes_the_check(
    answer: Any, run: Any, export: Path, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    ticket = next(row["number"] for row in rows if row["tier"] == "2")
    arguments = ("kb", "draft", export, "--mapping", "sample", "--ticket", ticket)

    printed = run(*arguments)
    written = answer(*arguments, "--output", tmp_path / "drafts")
    file = Path(written["file"])
    content = file.read_text("utf-8")
    file.write_text(content.replace("HOW THE", "How the"))
    again = run(*arguments, "--output", tmp_path / "drafts")
    checked = answer("kb", "check", tmp_path / "drafts")

    assert printed.stdout.strip() == content.strip()
    assert file.name == f"DRAFT-{ticket}.md"
    assert again.returncode == 2 and "not written" in again.stdout
    assert "How the" in file.read_text("utf-8")
    assert checked["articles"] == 1
    assert any("still a draft" in problem["reason"] for problem in checked["problems"])


def test_drafts_that_came_in_are_listed_and_written(answer: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    store = open_store(url)
    text = "---\nid: DRAFT-7\ntitle: No sound\n---\n\nText.\n"
    store.drafts.add(ArticleDraft("DRAFT-7", "No sound", text, datetime(2026, 1, 2, tzinfo=UTC)))
    store.close()

    (listed,) = answer("kb", "drafts", TRIAGE_DATABASE_URL=url)
    answer("kb", "drafts", "--output", tmp_path / "drafts", TRIAGE_DATABASE_URL=url)

    assert (listed["id"], listed["title"]) == ("DRAFT-7", "No sound")
    assert listed["created_at"] == "2026-01-02T00:00:00+00:00"
    assert (tmp_path / "drafts" / "DRAFT-7.md").read_text() == text


def test_a_small_history_has_no_gaps(answer: Any, run: Any, write: Any, tmp_path: Path) -> None:
    rows = [
        {"number": f"INC{n}", "subject": "No sound", "category": "x", "article_ids": name}
        for n, name in enumerate(("KB1", "", ""))
    ]
    small = write(tmp_path / "small.csv", rows)

    review = answer("kb", "gaps", small)
    draft = run("kb", "draft", small, "--gap", 1)

    assert (review["tickets"], review["without_article"], review["gaps"]) == (3, 2, [])
    assert draft.returncode == 2
    assert "there are 0 gaps" in draft.stderr


USER_ERRORS = {
    "source is missing": ("kb import nowhere --output out", "nowhere"),
    "source holds nothing": ("kb import empty.json --output out", "empty.json"),
    "format is unknown": ("kb import history.csv --output out --format docx", "zendesk"),
    "column has no name": ("kb import history.csv --output out --column title", "title=COLUMN"),
    "column is not there": (
        "kb import history.csv --output out --column title=nix",
        "nix|there are",
    ),
    "output is a file": ("kb import good.json --output history.csv", "--output"),
    "neither ticket nor gap": ("kb draft history.csv --mapping sample", "--gap"),
    "both ticket and gap": ("kb draft history.csv --ticket INC0001 --gap 1", "--gap"),
    "ticket is unknown": ("kb draft history.csv --mapping sample --ticket INC9", "INC9"),
    "ticket's id is no text": (
        "kb draft history.csv --mapping sample --ticket \udcff",
        "not UTF-8 text",
    ),
    "ticket was solved by tier 1": (
        "kb draft history.csv --mapping sample --ticket INC0000",
        "higher tier",
    ),
    "gap is not there": ("kb draft history.csv --mapping sample --gap 99", "there are"),
    "history is missing": ("kb gaps nowhere.csv", "nowhere.csv"),
    "articles are missing": ("kb gaps history.csv --kb nowhere", "nowhere"),
}


@pytest.mark.parametrize(("typed", "hint"), USER_ERRORS.values(), ids=USER_ERRORS)
def test_user_error_is_told_in_one_line(
    export: Path,
    tmp_path: Path,
    typed: str,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty.json").write_text("[]")
    (tmp_path / "good.json").write_text('[{"title": "a", "body": "b"}]')
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as left:
        typer.main.get_command(app).main([*typed.split(), "--json"])

    told = capsys.readouterr().err
    assert left.value.code == 2
    assert len(told.splitlines()) == 1, told
    assert re.search(hint, told)
    assert not re.search(r"(?<![\w./:])/\w", told), told
