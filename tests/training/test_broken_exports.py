"""Broken exports: every row is kept, merged or rejected with its line, or one line says why not."""

import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.history import History, ensure_learnable, iter_rows, read_history
from training.mapping import load_mapping
from triage.errors import ConfigurationError, HistoryError

HEADER = "id,subject,category\n"
MEBIBYTE = 2**20


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(**columns: list[Any]) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(columns).to_parquet(stream)
    return stream.getvalue()


def archive(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return stream.getvalue()


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(200) + content[middle + 200 :]


@dataclass(frozen=True)
class Broken:
    """An export with something wrong in it that can still be read."""

    name: str
    content: bytes | str
    kept: list[str]
    rejected: dict[int, str] = field(default_factory=dict)
    merged: int = 0
    file: str = "tickets.csv"

    @property
    def data(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


READABLE = [
    Broken(
        "a stray quote that never closes",
        HEADER + '1,"printer down,hw\n2,vpn,net\n3,mail,net\n',
        kept=["2", "3"],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "a stray quote that closes at the next quote",
        HEADER + '1,"printer down,hw\n2,vpn,net\n3,"mail, again",net\n4,pc,hw\n',
        kept=["2", "3", "4"],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "a stray quote before a sound row of several lines",
        HEADER + '1,"printer down,hw\n2,vpn,net\n3,"mail\nstill, down",net\n4,pc,hw\n',
        kept=["2", "3", "4"],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "a closing quote forgotten where all fields are quoted",
        '"id","subject","category"\n"1","printer","hw\n"2","vpn","net"\n"3","mail","net"\n',
        kept=["2", "3"],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "a stray quote that merges rows into one of the right width",
        HEADER + '1,"printer,hw\n2,a "big" one,hw\n3,c,hw\n',
        kept=["2", "3"],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "two stray quotes that pair up to a row of the right width",
        HEADER + '1,"printer,hw\n2,a,net\n3,b,net\n4,c,net\n5,d,net\n6,mail",net\n7,pc,hw\n',
        kept=["2", "3", "4", "5", "6", "7"],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "two stray quotes that pair up to a row that is too wide",
        HEADER + '1,"printer,hw\n2,vpn,net\n3,mail","net",x\n4,pc,hw\n',
        kept=["2", "4"],
        rejected={2: "a quote opens here", 4: "4 fields where the header has 3"},
    ),
    Broken(
        "a stray quote with a thousand rows behind it",
        HEADER + '0,"printer,hw\n' + "".join(f"{n},vpn,net\n" for n in range(1, 1501)),
        kept=[str(n) for n in range(1, 1501)],
        rejected={2: "a quote opens here"},
    ),
    Broken(
        "an opened quote at the end of a cut-off file",
        HEADER + '1,vpn,net\n2,"mail is',
        kept=["1"],
        rejected={3: "a quote opens here"},
    ),
    Broken(
        "a cut-off row of several lines",
        HEADER + '1,vpn,net\n2,"mail is\ndown, and so on\nsince',
        kept=["1"],
        rejected={3: "a quote opens here"},
    ),
    Broken(
        "a sound row of several lines",
        HEADER + '1,"mail is\r\ndown, ""again""\r\n\r\nsince",net\r\n2,vpn\r\n3,pc,hw\r\n',
        kept=["1", "3"],
        rejected={6: "2 fields where the header has 3"},
    ),
    Broken(
        "a row of several lines with a field too many",
        HEADER + '1,"mail is\ndown",net,x\n2,vpn,net\n',
        kept=["2"],
        rejected={2: "4 fields where the header has 3"},
    ),
    Broken(
        "a row of several lines with a field too many and a line that looks like a row",
        HEADER + '1,"mail is\n9,pc,hw\ndown",net,x\n2,vpn,net\n',
        kept=["9", "2"],
        rejected={2: "a quote opens here", 4: "the end of a row of several lines"},
    ),
    Broken(
        "a row of several lines with a field too few",
        HEADER + '1,"mail is\ndown\nagain"\n2,vpn,net\n',
        kept=["2"],
        rejected={2: "2 fields where the header has 3"},
    ),
    Broken(
        "quotes inside a quoted field",
        HEADER + '"1","he said "no" to me","hw"\n2,5" disk,hw\n3,"mail" ,net\n',
        kept=["1", "2", "3"],
    ),
    Broken(
        "short rows and long rows",
        HEADER + "1,vpn\n2,vpn,net,x\n3\n4,vpn,net\n",
        kept=["4"],
        rejected={2: "2 fields where", 3: "4 fields where the header has 3", 4: "1 field where"},
    ),
    Broken(
        "nothing but quotes",
        HEADER + '""\n"\n"\n1,vpn,net\n',
        kept=["1"],
        rejected={2: "1 field where", 3: "1 field where"},
    ),
    Broken("empty fields too many", HEADER + "1,vpn,net,,\n2,pc,hw, \n", kept=["1", "2"]),
    Broken(
        "a header one name short",
        "subject,category\n1,vpn,net\n2,pc,hw\n",
        kept=[],
        rejected={2: "3 fields where the header has 2", 3: "3 fields where the header has 2"},
    ),
    Broken("blank lines", "\n\n" + HEADER + "\n1,vpn,net\n   \n\n2,pc,hw\n\n", kept=["1", "2"]),
    Broken(
        "the header again",
        HEADER + "1,vpn,net\n" + HEADER + "2,pc,hw\n",
        kept=["1", "2"],
        rejected={3: "the header line again"},
    ),
    Broken(
        "rows without text",
        HEADER + "1,,net\n2,  ,net\n,,\n4,vpn,net\n",
        kept=["4"],
        rejected={2: "no text", 3: "no text", 4: "no text"},
    ),
    Broken(
        "rows without a label",
        HEADER + "1,vpn,\n2,pc, \n3,mail,net\n",
        kept=["3"],
        rejected={2: "no label", 3: "no label"},
    ),
    Broken("only a header", HEADER, kept=[]),
    Broken("no line end at the end", HEADER + "1,vpn,net\n2,pc,hw", kept=["1", "2"]),
    Broken(
        "carriage returns as line ends",
        (HEADER + "1,vpn,net\n2,pc\n3,pc,hw\n").replace("\n", "\r"),
        kept=["1", "3"],
        rejected={3: "2 fields where"},
    ),
    Broken("line ends of all kinds", HEADER + "1,vpn,net\r\n2,pc,hw\r3,a,hw\n", ["1", "2", "3"]),
    Broken("UTF-8 with a byte order mark", (HEADER + "1,Größe,net\n").encode("utf-8-sig"), ["1"]),
    Broken("UTF-16, little-endian", (HEADER + "1,Größe,net\n").encode("utf-16"), kept=["1"]),
    Broken(
        "UTF-16, big-endian, cut off within a character",
        b"\xfe\xff" + (HEADER + "1,Größe,net\n2,pc").encode("utf-16-be")[:-1],
        kept=["1"],
        rejected={3: "2 fields where"},
    ),
    Broken("cp1252", (HEADER + "1,Größe,net\n2,10 €,hw\n").encode("cp1252"), kept=["1", "2"]),
    Broken("bytes that no encoding knows", HEADER.encode() + b"1,\x81\xff\x8d,net\n", kept=["1"]),
    Broken("semicolons", "id;subject;category\n1;a, b, c;net\n2;d, e;hw\n", kept=["1", "2"]),
    Broken("tabs in a .csv", "id\tsubject\tcategory\n1\ta, b\tnet\n", kept=["1"]),
    Broken("bars", "id|subject|category\n1|a, b; c|net\n2|d|hw\n", kept=["1", "2"]),
    Broken("a line that names the separator", "sep=;\nid;subject;category\n1;a, b;net\n", ["1"]),
    Broken(
        "a NUL character",
        HEADER + "1,vpn\0,net\n2,pc,hw\n3,mail,ne\0t\n",
        kept=["2"],
        rejected={2: "NUL", 4: "NUL"},
    ),
    Broken("words for nothing", HEADER + "NA,None,null\nnull,nan,NULL\n", kept=["NA", "null"]),
    Broken("ids with leading zeros", HEADER + "007,vpn,net\n0007,vpn,net\n", ["007", "0007"]),
    Broken("the same row twice", HEADER + "1,vpn,net\n2,pc,hw\n1,vpn,net\n", ["2", "1"], merged=1),
    Broken("an id used again", HEADER + "1,vpn,net\n 1 ,vpn again,net\n", kept=["1"], merged=1),
    Broken("tickets without an id", "subject,category\nvpn,net\nvpn,net\n", kept=["-", "-"]),
    Broken(
        "a field longer than a mebibyte",
        HEADER + f"1,{'x' * MEBIBYTE},net\n2,pc,hw\n3,{'y' * 2 * MEBIBYTE},net\n4,mail,net\n",
        kept=["2", "4"],
        rejected={2: "longer than", 4: "longer than"},
    ),
    Broken(
        "a field over thousands of lines",
        HEADER + '1,"' + "x\n" * 999 + 'x",net\n2,"' + "y\n" * 1000 + 'y",net\n3,pc,hw\n',
        kept=["1", "3"],
        rejected={1002: "longer than 1000 lines"},
    ),
    Broken(
        "column names used twice",
        "id,subject,category,category\n1,vpn,,net\n2,pc,hw,other\n",
        kept=["1", "2"],
    ),
    Broken(
        "columns without a name", ",id,subject,category,\n0,1,vpn,net,\n1,2,pc,hw,\n", ["1", "2"]
    ),
    Broken("spaces around column names", " ID ;Subject ; CATEGORY\n1;vpn;net\n", kept=["1"]),
    Broken("compressed under a plain name", gzip.compress(f"{HEADER}1,vpn,net\n".encode()), ["1"]),
    Broken(
        "JSON lines with damage",
        '{"id": 1, "subject": "vpn", "category": "net"}\n'
        '{"id": 2, "subject": "pc", "categ\n\n[3]\n"4"\n'
        '{"id": 5, "subject": null, "category": "hw"}\n'
        '{"id": 6, "subject": "\\ud800 odd", "category": "hw"}\n'
        '{"id": 7, "subject": "nul \\u0000", "category": "hw"}\n'
        '{"id": ' + "9" * 5000 + "}\n" + "[" * 100_000 + "\n",
        kept=["1", "6"],
        rejected={
            2: "not valid JSON",
            4: "not a JSON object",
            5: "not a JSON object",
            6: "no text",
            8: "NUL",
            9: "not valid JSON",
            10: "not valid JSON",
        },
        file="tickets.jsonl",
    ),
    Broken(
        "a JSON array with strangers in it",
        json.dumps([{"id": 1, "subject": "vpn", "category": "net"}, 7, {"id": 2}, None]),
        kept=["1"],
        rejected={2: "not a JSON object", 3: "no text", 4: "not a JSON object"},
        file="tickets.json",
    ),
    Broken(
        "a JSON object around the array",
        json.dumps({"count": 1, "results": [{"id": 1, "subject": "vpn", "category": "net"}]}),
        kept=["1"],
        file="tickets.json",
    ),
    Broken(
        "a workbook with gaps",
        workbook(
            (None, None),
            ("id", "subject", "category"),
            (1, "vpn", "net"),
            (None, None, None),
            (2.0, "pc", "hw", "stray"),
            ("003", "mail"),
            (4, "=1+1", "hw"),
            (5, "pc", "hw"),
        ),
        kept=["1", "5"],
        rejected={5: "beyond the last column", 6: "no label", 7: "no text"},
        file="tickets.xlsx",
    ),
    Broken(
        "a Parquet file with missing values",
        parquet(id=[1.0, 2.0, 3.0], subject=["vpn", None, "pc"], category=["net", "net", None]),
        kept=["1"],
        rejected={2: "no text", 3: "no label"},
        file="tickets.parquet",
    ),
    Broken(
        "a compressed workbook named as text",
        gzip.compress(workbook(("id", "subject", "category"), (1, "vpn", "net"))),
        kept=["1"],
        file="tickets.txt",
    ),
]


@pytest.mark.parametrize("broken", READABLE, ids=lambda broken: broken.name)
def test_every_row_of_a_broken_export_is_accounted_for(broken: Broken, tmp_path: Path) -> None:
    path = tmp_path / broken.file
    path.write_bytes(broken.data)

    history = read_history([path], load_mapping())

    assert history.frame["id"].fillna("-").tolist() == broken.kept
    assert [row.line for row in history.rejected] == list(broken.rejected)
    for row, reason in zip(history.rejected, broken.rejected.values(), strict=True):
        assert reason in row.reason
        assert row.file == broken.file
    assert history.accounting.merged == broken.merged
    assert_adds_up(history)


@pytest.mark.parametrize("broken", READABLE, ids=lambda broken: broken.name)
def test_a_stream_of_a_broken_export_has_the_same_rows(broken: Broken, tmp_path: Path) -> None:
    path = tmp_path / broken.file
    path.write_bytes(broken.data)

    chunks = list(iter_rows(path, load_mapping()))

    assert sum(len(chunk.frame) for chunk in chunks) == len(broken.kept) + broken.merged
    assert [row.line for chunk in chunks for row in chunk.rejected] == list(broken.rejected)


def assert_adds_up(history: History) -> None:
    account = history.accounting
    assert account.read == account.kept + account.merged + account.rejected
    assert account.kept == len(history.frame)
    assert account.rejected == len(history.rejected)


WHOLE_WORKBOOK = workbook(("id", "subject", "category"), (1, "vpn", "net"))
WHOLE_PARQUET = parquet(id=[1] * 500, subject=["vpn"] * 500, category=["net"] * 500)
WHOLE_GZIP = gzip.compress(random.Random(0).randbytes(50_000).hex().encode())


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table tickets (id)")
        return connection.serialize()


UNREADABLE = {
    "an empty file": (b"", "the file is empty"),
    "an empty compressed file": (gzip.compress(b""), "the file is empty"),
    "only white space": (b" \n\n\t\n", "the file is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf\n\n", "the file is empty"),
    "only separators": (b";;;\n;;\n", "the file is empty"),
    "a sign-in page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML page"),
    "a page with white space before it": (b"\n\n  <HTML><p>no</p></HTML>", "an HTML page"),
    "an HTML table named .xls": (b"<table><tr><td>id</td></tr></table>", "an HTML page"),
    "an XML export": (b"<?xml version='1.0'?><tickets/>", "an XML document"),
    "a PDF": (b"%PDF-1.7\n\x00\x01", "a PDF"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old .xls workbook"),
    "a workbook cut off": (WHOLE_WORKBOOK[:2000], "the workbook is damaged"),
    "a workbook damaged inside": (damaged(WHOLE_WORKBOOK), "the workbook is damaged"),
    "an empty workbook": (workbook(), "the first sheet is empty"),
    "a workbook without a sheet": (
        archive(**{"xl/workbook.xml": "<workbook/>", "[Content_Types].xml": "<Types/>"}),
        "the workbook is damaged",
    ),
    "a zip archive": (archive(**{"tickets.csv": HEADER}), "a zip archive"),
    "an empty zip archive": (archive(), "a zip archive"),
    "a Parquet file cut off": (WHOLE_PARQUET[:-20], "the Parquet file is damaged"),
    "a Parquet file damaged inside": (
        WHOLE_PARQUET[:4] + bytes(120) + WHOLE_PARQUET[124:],
        "the Parquet file is damaged",
    ),
    "a compressed file cut off": (WHOLE_GZIP[:20_000], "the compressed file is damaged"),
    "a compressed file damaged inside": (damaged(WHOLE_GZIP), "the compressed file is damaged"),
    "a file compressed twice": (gzip.compress(gzip.compress(b"id")), "compressed twice"),
    "a bzip2 file": (bz2.compress(b"id"), "compressed with bzip2"),
    "an xz file": (lzma.compress(b"id"), "compressed with xz"),
    "a database": (database(), "a database"),
    "random bytes": (random.Random(1).randbytes(5000), "binary data"),
    "UTF-16 without a mark": (HEADER.encode("utf-16-le"), "UTF-16 without a byte order mark"),
    "a JSON object": (b'{"id": 1,\n "subject": "vpn"}', "JSON without an array"),
    "broken JSON": (b'[{"id": 1}, {"id": 2]', "not valid JSON at line 1"),
    "JSON nested deep": (b'[{"id": ' + b"[" * 200_000, "nested too deep"),
    "a number of thousands of digits": (b'[{"id": ' + b"9" * 5000 + b"}]", "thousands of digits"),
    "an empty JSON array": (b"[]", "no text column"),
    "one endless line": (b"x" * (3 * MEBIBYTE), "no column names"),
    "no text columns": (b"id,category\n1,net\n", "no text column"),
    "no label columns": (b"id,subject\n1,vpn\n", "no label column"),
    "the wrong separator": (b"id^subject^category\n1^vpn^net\n", "'id^subject^category'"),
    "no header": (b"1,vpn is down,net\n2,pc is slow,hw\n", "no text column"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_export_that_cannot_be_read_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    content, reason = UNREADABLE[name]
    path = tmp_path / "tickets.csv"
    path.write_bytes(content)

    with pytest.raises(HistoryError) as refusal:
        read_history([path], load_mapping())

    message = str(refusal.value)
    assert message.startswith("tickets.csv: ")
    assert reason in message
    assert "\n" not in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "a folder, not a file"),
        (lambda path: path.symlink_to("/dev/null"), "not a regular file"),
    ],
)
def test_what_is_no_file_is_refused(
    make: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.csv"
    make(path)

    with pytest.raises(HistoryError, match=f"tickets.csv: {reason}"):
        read_history([path], load_mapping())


def test_long_cells_of_a_file_without_a_header_are_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(f"1,{'my password is hunter2 ' * 10},net\n" * 3)

    with pytest.raises(HistoryError) as refusal:
        read_history([path], load_mapping())

    assert len(str(refusal.value)) < 400


FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

cells = st.text(alphabet="ab1é\n\r\t,;|\"' \u200b<[{", max_size=6)
grids = st.lists(st.lists(cells, max_size=5), max_size=12)


@settings(FUZZ, max_examples=150)
@given(
    grid=grids,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)
def test_any_grid_of_cells_adds_up(
    grid: list[list[str]], delimiter: str, end: str, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "tickets.csv"
    lines = [delimiter.join(("id", "subject", "category")), *map(delimiter.join, grid)]
    path.write_bytes(end.join(lines).encode(encoding, "replace"))

    history = read_history([path], load_mapping())

    assert_adds_up(history)


@settings(FUZZ, max_examples=100)
@given(
    start=st.sampled_from(
        [b"", b"id,subject,category\n", b'{"subject": "a", "category": "b"}\n', b"PK\x03\x04",
         b"PAR1", b"\x1f\x8b", b"\xff\xfe", b"[{", WHOLE_WORKBOOK[:600], WHOLE_PARQUET[:300]]
    ),
    junk=st.binary(max_size=300),
)  # fmt: skip
def test_any_bytes_are_read_or_refused(start: bytes, junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_bytes(start + junk)

    try:
        history = read_history([path], load_mapping())
        assert_adds_up(history)
        ensure_learnable(history)
    except (HistoryError, ConfigurationError) as refusal:
        assert "\n" not in str(refusal)


@settings(FUZZ, max_examples=60)
@given(
    records=st.lists(
        st.dictionaries(
            st.sampled_from(["id", "subject", "category", "created_at", "reopened", "tier"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                lambda inner: (
                    st.lists(inner, max_size=2)
                    | st.dictionaries(st.text(max_size=2), inner, max_size=2)
                ),
                max_leaves=3,
            ),
        ),
        max_size=6,
    )
)
def test_any_json_records_add_up_or_are_refused(records: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "tickets.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records))

    try:
        assert_adds_up(read_history([path], load_mapping()))
    except HistoryError as refusal:
        assert "\n" not in str(refusal)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_a_large_export_with_stray_quotes_loses_few_rows(
    keep: float, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    sound = [f"{n},vpn {chance.random()} is slow,net\n" for n in range(2000)]
    stray = set(chance.sample(range(2000), 20))
    quoted = {n for n in range(2000) if n not in stray and chance.random() > keep}
    lines = list(sound)
    for n in stray:
        lines[n] = lines[n].replace(",vpn", ',"vpn')
    for n in quoted:
        lines[n] = f'{n},"vpn, really\nand truly",net\n'
    path = tmp_path / "tickets.csv"
    path.write_text(HEADER + "".join(lines))

    history = read_history([path], load_mapping())

    kept = set(history.frame["id"])
    assert kept == {str(n) for n in range(2000) if n not in stray}
    assert_adds_up(history)
