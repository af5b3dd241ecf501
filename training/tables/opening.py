"""Open an export by what is in it, whatever its name says."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from training.tables.delimited import DelimitedTable
from training.tables.jsonrecords import json_table, looks_like_json
from training.tables.lines import TextLines
from training.tables.parquet import ParquetTable
from training.tables.rows import SAMPLE_BYTES, Table
from training.tables.workbook import WorkbookTable
from triage.errors import HistoryError

MAX_CONTROL_SHARE = 0.05
"""Random bytes have 10% control characters, text next to none."""

FORMATS = ".csv, .tsv, .txt, .jsonl, .json, .parquet or .xlsx, also with .gz"

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_REFUSED = {
    b"\xd0\xcf\x11\xe0": "an old .xls workbook or one with a password; "
    "save it as .xlsx without a password, or as CSV",
    b"%PDF": "a PDF, not an export; export the tickets as CSV",
    _GZIP: "compressed twice; unpack it once",
    b"BZh": "compressed with bzip2; unpack it, or use gzip",
    b"\xfd7zXZ": "compressed with xz; unpack it, or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it, or use gzip",
    b"7z\xbc\xaf": "a 7-zip archive; unpack it and name the files in it",
    b"Rar!": "a RAR archive; unpack it and name the files in it",
    b"SQLite format 3": "a database; export the tickets as CSV",
}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a file of tickets for reading.

    Raises
    ------
    HistoryError : the file is missing, a folder, damaged, of no known kind, or turns out to be
        cut off while it is read
    """
    name = path.name
    if path.is_dir():
        raise HistoryError(f"{name}: a folder, not a file; name the files in it")
    if not path.exists():
        raise HistoryError(f"{name}: there is no such file")
    if not path.is_file():
        raise HistoryError(f"{name}: not a regular file; save the export to a file first")
    try:
        with ExitStack() as stack:
            yield _open(path, stack)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise HistoryError(
            f"{name}: the compressed file is damaged or cut off; download or export it again"
        ) from error
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise HistoryError(f"{name}: cannot be read ({problem})") from error


def _open(path: Path, stack: ExitStack) -> Table:
    stream: BinaryIO = stack.enter_context(path.open("rb"))
    if _start(stream).startswith(_GZIP):
        stream = cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=stream)))
    start = _start(stream)
    if not start.strip():
        raise HistoryError(f"{path.name}: the file is empty; export the tickets again")
    if start.startswith(_PARQUET):
        return ParquetTable(_on_disk(stream, stack), path.name)
    if start.startswith(_ZIP):
        return WorkbookTable(_on_disk(stream, stack), path.name)
    for magic, problem in _REFUSED.items():
        if start.startswith(magic):
            raise HistoryError(f"{path.name}: this is {problem}")
    return _open_text(stream, start, path.name)


def _open_text(stream: BinaryIO, start: bytes, name: str) -> Table:
    is_utf16 = start.startswith(_UTF16)
    if not is_utf16 and _control_share(start) > MAX_CONTROL_SHARE:
        raise HistoryError(
            f"{name}: binary data, or UTF-16 without a byte order mark; "
            f"a history is {FORMATS}, text best as UTF-8"
        )
    text = start.decode("utf-16" if is_utf16 else "utf-8-sig", "replace").lstrip()
    if text.startswith("<"):
        is_html = any(mark in text[:2000].lower() for mark in ("<html", "<!doctype html", "<table"))
        kind = "an HTML page" if is_html else "an XML document"
        raise HistoryError(
            f"{name}: this is {kind}, not an export; "
            "sign in to the help desk and export the tickets as CSV"
        )
    if looks_like_json(text):
        return json_table(stream, text, name)
    return DelimitedTable(TextLines(stream), name)


def _start(stream: BinaryIO) -> bytes:
    start = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    return start


def _control_share(start: bytes) -> float:
    return 1 - len(start.translate(None, _CONTROL)) / len(start)


def _on_disk(stream: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Unpack a compressed file that has to be read out of order into an unnamed one."""
    if not isinstance(stream, gzip.GzipFile):
        return stream
    unpacked = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(stream, unpacked)
    unpacked.seek(0)
    return unpacked
