import base64
import csv
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from training.desk_report import DeskReport, report_events
from triage.errors import ConfigurationError, HistoryError
from triage.figures.figure import CSV_COLUMNS
from triage.taxonomy import Taxonomy

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e'\" {{ 7 * 7 }}"
HEADER = [
    *("number", "sys_updated_at", "assignment_group", "category", "reassignment_count"),
    *("reopen_count", "knowledge", "resolved_at"),
]
VOID = {"meta", "rect", "path", "circle"}


class Page(HTMLParser):
    """The page as a browser would take it apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open.pop() != tag:
            self.unclosed.append(tag)


def events(folder: Path, category: str = "Mail", n: int = 40, group: str = "Desk") -> Path:
    path = folder / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(n):
            day = f"2026-03-{1 + number % 28:02d}"
            row = [f"T{number}", day, group, category, 0, number % 5 == 0, "no", ""]
            writer.writerow(row)
            if number % 3 == 0:
                row[2], row[4] = "Data centre", 1
            writer.writerow([*row[:7], f"{day} 12:00"])
    return path


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    path = tmp_path / "tiers.toml"
    path.write_text('[tiers]\nDesk = "1"\n"Data centre" = "3"\n', "utf-8")
    return path


@pytest.fixture
def report(tmp_path: Path, tiers: Path, taxonomy: Taxonomy) -> DeskReport:
    return report_events(events(tmp_path), tiers, taxonomy)


def page_of(report: DeskReport, folder: Path) -> str:
    [path] = report.write(folder / "page.html")
    return path.read_text("utf-8")


def test_folder_gets_page_data_and_table_of_the_same_figures(
    report: DeskReport, tmp_path: Path
) -> None:
    paths = report.write(tmp_path / "new" / "desk")

    assert [path.suffix for path in paths] == [".html", ".json", ".csv"]
    assert sorted(path.name for path in (tmp_path / "new" / "desk").iterdir()) == sorted(
        path.name for path in paths
    )
    page, data, table = (path.read_text("utf-8") for path in paths)
    told = json.loads(data)
    by_name = {one["name"]: one for one in told["figures"]}
    assert by_name["escalated_from_tier_1"]["numerator"] == 14
    assert by_name["escalated_from_tier_1"]["denominator"] == 40
    assert "14 of 40 tickets" in page
    rows = list(csv.DictReader(table.splitlines()))
    assert tuple(rows[0]) == CSV_COLUMNS
    [row] = [row for row in rows if (row["figure"], row["by"]) == ("escalated_from_tier_1", "")]
    assert (row["numerator"], row["denominator"], float(row["value"])) == ("14", "40", 14 / 40)


def test_every_figure_on_the_page_says_how_it_is_computed_and_from_how_many_tickets(
    report: DeskReport, tmp_path: Path
) -> None:
    page = page_of(report, tmp_path)

    known = [one for one in report.figures.figures if one.count.denominator]
    for one in known[1:]:
        assert one.title in page
        assert one.how.replace("'", "&#39;") in page
    assert page.count('<dd class="how">') >= len(known) - 1
    assert "Satisfaction (CSAT): no ticket tells." in page
    assert "40 tickets: 40 ended" in page


def test_page_asks_for_nothing_runs_nothing_and_is_whole(
    report: DeskReport, tmp_path: Path
) -> None:
    text = page_of(report, tmp_path)

    page = Page(text)
    assert not page.unclosed
    assert {"script", "link", "img", "iframe", "form"}.isdisjoint(page.tags)
    assert not [name for name, _ in page.attributes if name == "style" or name.startswith("on")]
    assert not [value for name, value in page.attributes if name in ("src", "action")]
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert {value[1:] for name, value in page.attributes if name == "href"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    [style] = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text


def test_charts_have_their_numbers_in_tables_with_headers(
    report: DeskReport, tmp_path: Path
) -> None:
    page = Page(page_of(report, tmp_path))

    assert page.tags.count("svg") >= 10
    assert page.tags.count("table") >= 6
    assert page.tags.count("table") == page.tags.count("caption")
    scopes = {value for name, value in page.attributes if name == "scope"}
    assert scopes == {"col", "row"}


def test_hostile_names_stay_text_everywhere(
    tmp_path: Path, tiers: Path, taxonomy: Taxonomy
) -> None:
    log = events(tmp_path, category=HOSTILE, group=HOSTILE)

    report = report_events(log, tiers, taxonomy)
    page = page_of(report, tmp_path)

    assert "<img" not in page
    assert {"script", "img"}.isdisjoint(Page(page).tags)
    assert "{{ 7 * 7 }}" in page
    assert report.account.unmapped_groups == {HOSTILE: 40}


def test_formulas_in_names_are_inert_in_the_table(
    tmp_path: Path, tiers: Path, taxonomy: Taxonomy
) -> None:
    report = report_events(events(tmp_path, category="=cmd|' /C calc'!A0"), tiers, taxonomy)

    [path] = report.write(tmp_path / "figures.csv")

    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    assert any(row[2].startswith("'=cmd") for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_log_without_an_ended_ticket_gives_a_page_that_says_so(
    tmp_path: Path, tiers: Path, taxonomy: Taxonomy
) -> None:
    report = report_events(events(tmp_path, n=0), tiers, taxonomy)

    page = page_of(report, tmp_path)

    assert not Page(page).unclosed
    assert "0 tickets that ended" in page
    assert "First contact resolution" not in page
    assert "svg" not in Page(page).tags


def test_same_log_gives_the_same_files(
    report: DeskReport, tmp_path: Path, tiers: Path, taxonomy: Taxonomy
) -> None:
    again = report_events(tmp_path / "log.csv", tiers, taxonomy)

    one, two = report.write(tmp_path / "one"), again.write(tmp_path / "two")

    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_file_that_cannot_be_written_is_told_and_leaves_the_old_one(
    report: DeskReport, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file", "utf-8")

    with pytest.raises(HistoryError, match="cannot be made"):
        report.write(tmp_path / "taken")
    with pytest.raises(HistoryError, match="cannot be written"):
        report.write(tmp_path / "nowhere" / "page.html")

    assert (tmp_path / "taken").read_text("utf-8") == "a file"
    assert not list(tmp_path.glob(".*.partial"))


def test_tier_that_the_taxonomy_does_not_have_is_refused(
    tmp_path: Path, tiers: Path, taxonomy: Taxonomy
) -> None:
    tiers.write_text('[tiers]\nDesk = "L1"\n', "utf-8")

    with pytest.raises(ConfigurationError, match="'L1'"):
        report_events(events(tmp_path), tiers, taxonomy)
