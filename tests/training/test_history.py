"""Histories: canonical columns, tiers, labels, dates, and when a history is refused."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training.history import History, ensure_learnable, iter_rows, label_columns, read_history
from training.mapping import Mapping, load_mapping, parse_mapping
from triage.errors import HistoryError
from triage.ticket import HISTORY_COLUMNS

COLUMNS = """
[columns]
id = "id"
subject = "subject"
category = ["category", "-"]
tier = ["tier", "-"]
assignment_group = ["group", "-"]
group_path = ["path", "-"]
"""


def mapping(text: str, *, settings: str = "") -> Mapping:
    return parse_mapping(settings + text, "desk.toml", is_lenient=True)


def write(folder: Path, text: str, name: str = "tickets.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, desk: Mapping | None = None) -> History:
    return read_history([write(folder, text)], desk or load_mapping())


def tickets(count: int, *, subject: str = "vpn {}", category: str = "net{}") -> str:
    rows = [f"{n},{subject.format(n)},{category.format(n % 2)}" for n in range(count)]
    return "\n".join(["id,subject,category", *rows]) + "\n"


def test_frame_has_the_canonical_columns_and_types(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "id,subject,category,Prio,Caller\n7,vpn,net,high,Kim\n",
        mapping(COLUMNS + '[fields]\ncaller = "Caller"\n[targets]\npriority = "Prio"'),
    )

    canonical = [
        {"fields": "field:caller", "targets": "target:priority"}.get(name, name)
        for name in HISTORY_COLUMNS
    ]
    assert list(history.frame.columns) == canonical
    types = history.frame.dtypes
    for column in ("id", "subject", "tier", "category", "field:caller", "target:priority"):
        assert types[column] == "str", column
    assert types["created_at"] == types["resolved_at"] == "datetime64[us, UTC]"
    assert types["reassignments"] == "Int64"
    assert types["reopened"] == types["first_contact"] == "boolean"
    row = history.frame.iloc[0]
    assert (row["description"], row["group_path"], row["article_ids"]) == ("", (), ())
    assert row["field:caller"] == "Kim"
    assert pd.isna(row["tier"])


def test_a_history_without_rows_has_all_columns(tmp_path: Path) -> None:
    history = read(tmp_path, "id,subject,category\n")

    assert history.frame.empty
    assert history.frame.dtypes["created_at"] == "datetime64[us, UTC]"


def test_text_stays_as_it_was_written(tmp_path: Path) -> None:
    text = '  VPN\u200b is  "slow"\n\n-- \nKim  '
    quoted = text.replace('"', '""')

    history = read(tmp_path, f'id,subject,category\n1,"{quoted}",net\n')

    assert history.frame["subject"].tolist() == [text]


TIERS = '[tiers]\nDesk = "1"\nNetwork = "2"\nL3 = "3"\n'


@pytest.mark.parametrize(
    ("settings", "tiers", "cells", "expected"),
    [
        ("", TIERS, {"tier": "1", "path": "Network", "group": "Network"}, "1"),
        ("", TIERS, {"tier": " l3 "}, "3"),
        ("", TIERS, {"tier": "field service", "group": "Network"}, "field service"),
        ("", TIERS, {"path": "Desk > Network", "group": "Desk"}, "2"),
        ("", TIERS, {"path": "Desk > network ", "group": "Desk"}, "2"),
        ('closing_groups = ["desk"]', TIERS, {"path": "Desk > Network > Desk"}, "2"),
        ('closing_groups = ["Desk"]', TIERS, {"path": "Desk", "group": "Network"}, "2"),
        ('closing_groups = ["Desk"]', TIERS, {"path": "Desk", "group": "Desk"}, None),
        ('path_separator = "/"', TIERS, {"path": "Desk/Network"}, "2"),
        ("", TIERS, {"path": "", "group": "Network"}, "2"),
        ("", TIERS, {"group": "Vendor"}, None),
        ("", TIERS + '"*" = "9"', {"group": "Vendor"}, "9"),
        ("", TIERS + '"*" = "9"', {"group": ""}, None),
        ("", TIERS + '"*" = "9"', {"tier": "Vendor"}, "Vendor"),
        ("", "", {"group": "Network"}, None),
    ],
)
def test_tier_is_that_of_the_first_rule_that_applies(
    settings: str, tiers: str, cells: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    names = ("tier", "path", "group")
    line = ",".join(cells.get(name, "") for name in names)

    history = read(
        tmp_path,
        f"id,subject,category,{','.join(names)}\n1,vpn,net,{line}\n",
        mapping(COLUMNS + tiers, settings=settings + "\n"),
    )

    tier = history.frame["tier"].iloc[0]
    assert tier == expected if expected is not None else pd.isna(tier)


def test_assumed_tiers_and_unmapped_groups_are_counted(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "id,subject,category,path,group\n"
        "1,a,net,Desk > Network,Desk\n2,b,net,,Network\n3,c,net,,Desk\n"
        "4,d,net,,Vendor\n5,e,net,Desk > Vendor,Desk\n6,f,net,,Other\n4,again,net,,Vendor\n",
        mapping(COLUMNS + TIERS),
    )

    assert history.accounting.assumed_tiers == 2
    assert history.accounting.unmapped_groups == {"Vendor": 2, "Other": 1}
    told = " ".join(history.accounting.sentences())
    assert "2 tiers were taken from the final assignment group" in told
    assert "Vendor (2), Other (1)" in told


def test_ticket_without_a_tier_stays_when_it_has_another_label(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "id,subject,category,group\n1,a,,Desk\n2,b,net,Vendor\n3,c,,Vendor\n4,d,,\n",
        mapping(COLUMNS + TIERS),
    )

    assert history.frame["id"].tolist() == ["1", "2"]
    assert [row.line for row in history.rejected] == [4, 5]
    assert label_columns(history.frame) == ["tier", "category"]


def test_spellings_of_a_label_are_merged_to_the_most_frequent_one(tmp_path: Path) -> None:
    labels = ["Net work", "net  work", "NET WORK ", "Net work", "Bu\u0308ro", "Büro", "BÜRO", "pc"]
    rows = [f"{n},ticket {n},{label}" for n, label in enumerate(labels)]
    header = "id,subject,category"

    history = read(tmp_path, "\n".join([header, *rows]))
    backwards = read(tmp_path, "\n".join([header, *reversed(rows)]))

    assert history.frame["category"].tolist() == ["Net work"] * 4 + ["Büro"] * 3 + ["pc"]
    assert backwards.frame["category"].tolist() == history.frame["category"].tolist()[::-1]
    assert history.accounting.label_variants == {
        "category": {
            "Net work": {"net  work": 1, "NET WORK ": 1},
            "Büro": {"Bu\u0308ro": 1, "BÜRO": 1},
        }
    }


def test_spellings_of_groups_and_targets_are_merged_too(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "id,subject,Prio,group\n1,a,High,Desk\n2,b,high,DESK\n3,c,High,Desk\n",
        mapping(COLUMNS + '[targets]\npriority = "Prio"'),
    )

    assert set(history.frame["target:priority"]) == {"High"}
    assert set(history.frame["assignment_group"]) == {"Desk"}


def test_the_last_row_of_an_id_stays_across_files(tmp_path: Path) -> None:
    old = write(tmp_path, "id,subject,category\n1,old,net\n2,only,net\n3,twice,net\n", "old.csv")
    new = write(tmp_path, "id,subject,category\n1,new,hw\n4,vpn\n3,twice,net\n", "new.csv")

    history = read_history([old, new], load_mapping())

    assert history.frame["subject"].tolist() == ["only", "new", "twice"]
    first, second = history.accounting.files
    assert (first.read, first.kept, first.merged, first.rejected) == (3, 1, 2, 0)
    assert (second.read, second.kept, second.merged, second.rejected) == (3, 2, 0, 1)
    assert (history.accounting.read, history.accounting.merged) == (6, 2)
    assert history.rejected[0][:2] == ("new.csv", 3)


def test_files_with_different_columns_become_one_history(tmp_path: Path) -> None:
    first = write(tmp_path, "id,subject,category,caller\n1,a,net,Kim\n", "a.csv")
    second = write(tmp_path, "id;body;tier;opened;site\n2;b;1;2024-05-06;Bonn\n", "b.csv")

    frame = read_history([first, second], load_mapping()).frame

    assert frame["subject"].tolist() == ["a", ""]
    assert frame["description"].tolist() == ["", "b"]
    assert frame["field:caller"].fillna("-").tolist() == ["Kim", "-"]
    assert frame["field:site"].fillna("-").tolist() == ["-", "Bonn"]
    assert frame["tier"].fillna("-").tolist() == ["-", "1"]
    assert frame["created_at"].tolist() == [pd.NaT, pd.Timestamp("2024-05-06", tz="UTC")]


def test_bad_dates_leave_the_ticket_without_one(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "id,subject,category,created\n1,a,net,2024-02-30\n2,b,net,soon\n3,c,net,\n4,d,net,2024-02-29\n",
    )

    assert history.frame["created_at"].isna().tolist() == [True, True, True, False]
    assert history.accounting.files[0].unread_values == {"created_at": 2}
    assert "2 values of created_at" in " ".join(history.accounting.sentences())


def test_order_of_day_and_month_is_settled_by_the_whole_file(tmp_path: Path) -> None:
    early = [f"{n},a{n},net,0{n % 9 + 1}/02/2024" for n in range(5000)]
    rows = ["id,subject,category,created", *early, "5000,b,net,25/02/2024"]

    history = read(tmp_path, "\n".join(rows))

    assert set(history.frame["created_at"].dt.month) == {2}
    assert "created_at was read as day/month" in history.accounting.files[0].notes


def test_counts_flags_and_scores_are_read(tmp_path: Path) -> None:
    desk = mapping(
        COLUMNS + 'reassignments = "moves"\nreopened = "again"\nfirst_contact = "fcr"\n'
        'csat = "score"\narticle_ids = "kb"\n'
    )

    history = read(
        tmp_path,
        "id,subject,category,moves,again,fcr,score,kb\n"
        '1,a,net,3,2,yes,4.5,"KB1, KB2;KB3"\n'
        "2,b,net,0.0,0,Nein,5,\n"
        "3,c,net,,,,,\n"
        "4,d,net,-1,maybe,?,nan,KB9\n",
        desk,
    )

    frame = history.frame
    assert frame["reassignments"].tolist() == [3, 0, pd.NA, pd.NA]
    assert frame["reopened"].tolist() == [True, False, pd.NA, pd.NA]
    assert frame["first_contact"].tolist() == [True, False, pd.NA, pd.NA]
    assert frame["csat"].tolist() == [4.5, 5.0, pd.NA, pd.NA]
    assert frame["article_ids"].tolist() == [("KB1", "KB2", "KB3"), (), (), ("KB9",)]
    assert history.accounting.files[0].unread_values == dict.fromkeys(
        ("reassignments", "reopened", "first_contact", "csat"), 1
    )


def test_lists_and_nested_objects_of_json_are_read(tmp_path: Path) -> None:
    record = {
        "id": 7.0,
        "subject": "vpn",
        "category": ["net", "remote"],
        "group": {"name": "Desk"},
        "path": ["Desk > East", "Network"],
        "kb": ["KB1", "KB2"],
        "created": 1714989600,
    }
    path = write(tmp_path, json.dumps(record) + "\n", "tickets.jsonl")
    desk = mapping(
        '[columns]\nid = "id"\nsubject = "subject"\ncategory = "category"\n'
        'assignment_group = "group.name"\ngroup_path = "path"\narticle_ids = "kb"\n'
        'created_at = "created"\n'
    )

    row = read_history([path], desk).frame.iloc[0]

    assert (row["id"], row["category"], row["assignment_group"]) == ("7", "net, remote", "Desk")
    assert row["group_path"] == ("Desk > East", "Network")
    assert row["article_ids"] == ("KB1", "KB2")
    assert row["created_at"] == datetime(2024, 5, 6, 10, tzinfo=UTC)


def test_types_of_a_parquet_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tickets.parquet"
    pd.DataFrame(
        {
            "id": ["007", "8"],
            "subject": ["vpn", "pc"],
            "category": pd.Categorical(["net", "hw"]),
            "tier": [1, 3],
            "Custom.field": [["a", "b"], None],
            "created": [pd.Timestamp("2024-05-06 12:00", tz="Europe/Berlin"), pd.NaT],
            "reopened": [True, False],
        }
    ).to_parquet(path)

    desk = mapping(
        COLUMNS.replace('"-"', '"tier"')
        + 'created_at = "created"\nreopened = "reopened"\n[fields]\ncustom = "Custom.field"'
    )

    frame = read_history([path], desk).frame

    assert frame["id"].tolist() == ["007", "8"]
    assert frame["field:custom"].fillna("-").tolist() == ["a, b", "-"]
    assert frame["tier"].tolist() == ["1", "3"]
    assert frame["category"].tolist() == ["net", "hw"]
    assert frame["created_at"].tolist() == [datetime(2024, 5, 6, 10, tzinfo=UTC), pd.NaT]
    assert frame["reopened"].tolist() == [True, False]


def test_tickets_to_score_all_stay_and_keep_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "id,subject\n1,vpn\n2,\n1,again\nshort\n4,pc\n")

    (chunk,) = iter_rows(path, load_mapping(), require_labels=False)

    assert chunk.frame["id"].tolist() == ["1", "2", "1", "4"]
    assert chunk.lines == [2, 3, 4, 6]
    assert [row.line for row in chunk.rejected] == [5]
    assert set(HISTORY_COLUMNS) - {"fields", "targets"} <= set(chunk.frame.columns)


def test_rows_are_streamed_and_a_late_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv.gz"
    whole = gzip.compress(tickets(60_000, subject="ticket {0} of {0:x}").encode())
    path.write_bytes(whole[: len(whole) - 100])

    rows = iter_rows(path, load_mapping())

    assert len(next(rows).frame) < 10_000
    with pytest.raises(HistoryError, match="the compressed file is damaged or cut off"):
        list(rows)


def test_progress_tells_the_rows_read_so_far(tmp_path: Path) -> None:
    told: list[int] = []
    path = write(tmp_path, tickets(9000))

    history = read_history([path, path], load_mapping(), on_progress=told.append)

    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == history.accounting.read == 18_000


def test_rejected_rows_are_written_inert_and_without_text(tmp_path: Path) -> None:
    path = write(tmp_path, "id,subject,category\n1,secret-word\n2,,net\n", "=cmd.csv")
    history = read_history([path], load_mapping())

    history.write_rejected(tmp_path / "rejected.csv")

    assert (tmp_path / "rejected.csv").read_text("utf-8").splitlines() == [
        "file,line,reason",
        "'=cmd.csv,2,2 fields where the header has 3",
        "'=cmd.csv,3,no text: subject and description are empty",
    ]


def test_accounting_is_plain_data_and_tells_what_was_guessed(tmp_path: Path) -> None:
    history = read(tmp_path, "Ticket ID;Betreff;Kategorie\n1;Größe;net\n2;x\n")

    plain = json.loads(json.dumps(history.accounting.to_dict()))

    assert plain["rows"] == {"read": 2, "kept": 1, "merged": 0, "rejected": 1}
    (file,) = plain["files"]
    assert (file["format"], file["encoding"], file["delimiter"]) == ("csv", "utf-8", ";")
    assert file["columns"] == {"subject": "Betreff", "category": "Kategorie", "id": "Ticket ID"}
    assert file["guessed"] is True
    assert "guessed from column names: subject = 'Betreff'" in " ".join(
        history.accounting.sentences()
    )


@pytest.mark.parametrize(
    ("content", "encoding", "note"),
    [
        ("id,subject,category\n1,Größe,net\n".encode("cp1252"), "cp1252", None),
        ("id,subject,category\n1,Größe,net\n".encode("utf-8-sig"), "utf-8-sig", None),
        ("id,subject,category\n1,Größe,net\n".encode("utf-16"), "utf-16", None),
        (
            "id,subject,category\n1,Größe,net\n2,Maß,net\n".encode() + b"3,gr\xfcn,net\n",
            "utf-8",
            "1 lines held bytes that are not UTF-8, read as cp1252",
        ),
        (b"id,subject,category\n1,\x81,net\n", "latin-1", None),
    ],
)
def test_encoding_found_is_told(
    content: bytes, encoding: str, note: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.csv"
    path.write_bytes(content)

    history = read_history([path], load_mapping())

    assert history.accounting.files[0].encoding == encoding
    assert history.accounting.files[0].notes == ((note,) if note else ())
    assert "�" not in "".join(history.frame["subject"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,subject,category\n", "column names but no rows"),
        ("id,subject,category\n1,vpn\n2,pc\n3,,net\n", "2 is: 2 fields where the header has 3"),
        (tickets(9), "9 of 9 rows are tickets to learn from, at least 10 are needed"),
        (tickets(30, category="net"), "no label to tell tickets apart by"),
        (tickets(12, category="net") + "12,pc,hw\n", "needs two values with 3 tickets each"),
        (tickets(30, subject="vpn"), "all 30 tickets have the same text"),
        (
            "id,subject,category\n" + "".join(f"{n},{'-' * n}.,net{n % 2}\n" for n in range(20)),
            "text without a letter",
        ),
    ],
)
def test_history_that_teaches_nothing_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    history = read(tmp_path, text)

    with pytest.raises(HistoryError) as refusal:
        ensure_learnable(history)

    message = str(refusal.value)
    assert message.startswith("tickets.csv: ")
    assert reason in message
    assert "\n" not in message


def test_history_with_two_classes_is_learnable(tmp_path: Path) -> None:
    ensure_learnable(read(tmp_path, tickets(10)))


def test_no_file_is_no_history() -> None:
    with pytest.raises(HistoryError, match="no history given"):
        read_history([], load_mapping())


def test_reader_leaves_no_trace_of_pandas_guesses(tmp_path: Path) -> None:
    cells: list[Any] = ["NA", "null", "None", "nan", "N/A", "true", "1e5", "007", "-"]
    rows = [f"{cell},{cell},{cell}" for cell in cells]

    frame = read(tmp_path, "\n".join(["id,subject,category", *rows])).frame

    for column in ("id", "subject", "category"):
        assert frame[column].tolist() == cells


def test_category_in_several_columns_becomes_a_path_down_to_its_first_gap(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "subject,tier,Kind,Sub,Item\n"
        "a,1,Access,VPN,Token\n"
        "b,1,Access,,Token\n"
        "c,1,access , vpn,\n"
        "d,1,,VPN,Token\n",
        parse_mapping(
            '[columns]\nsubject = "subject"\ntier = "tier"\ncategory = "Kind > Sub > Item"',
            "desk.toml",
        ),
    )

    labels = history.frame["category"].astype(object).where(history.frame["category"].notna(), None)
    assert labels.tolist() == ["Access > VPN > Token", "Access", "access > vpn", None]


def test_row_with_an_empty_path_and_no_other_label_is_rejected(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "subject,Kind,Sub\na,Access,VPN\nb, ,VPN\n",
        parse_mapping('[columns]\nsubject = "subject"\ncategory = "Kind > Sub"', "desk.toml"),
    )

    assert history.frame["category"].tolist() == ["Access > VPN"]
    assert [row.line for row in history.rejected] == [3]


def test_paths_written_with_another_separator_are_one_label(tmp_path: Path) -> None:
    history = read(
        tmp_path,
        "subject,category\na,Access::VPN\nb,Access :: VPN\nc,Access::VPN\nd,access > vpn\n",
    )

    assert history.frame["category"].tolist() == ["Access::VPN"] * 4


def test_rows_are_streamed_with_labels_in_several_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "subject,Kind,Sub\na,Access,VPN\nb,,\n")
    desk = parse_mapping(
        '[columns]\nsubject = "subject"\ncategory = "Kind > Sub"\n[targets]\nboth = "Kind > Sub"',
        "desk.toml",
    )

    (chunk,) = iter_rows(path, desk, require_labels=False)

    assert chunk.frame["subject"].tolist() == ["a", "b"]
    assert chunk.frame["category"].tolist()[0] == "Access > VPN"
    assert chunk.frame["target:both"].tolist()[0] == "Access > VPN"
    assert chunk.frame["category"].isna().tolist() == [False, True]
