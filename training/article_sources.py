"""Articles as other systems hand them over: their records, with our names for what they hold.

Nothing of a source is trusted: links are not followed, sizes are bounded before anything is
parsed, and what cannot be read is a record with a problem.
"""

import io
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from training.article_folder import read_folder
from training.article_parts import NAMES, Record, guess_parts
from training.guess import column_key
from training.tables.delimited import DelimitedTable
from training.tables.lines import TextLines
from training.tables.rows import text_of
from triage.errors import ConfigurationError, HistoryError, KnowledgeError
from triage.knowledge import FOLDER_LIMIT_BYTES, FOLDER_LIMIT_FILES

Format = Literal["markdown", "csv", "json", "zendesk", "servicenow"]
FORMATS: tuple[str, ...] = ("auto", *get_args(Format))

SOURCE_LIMIT_BYTES = 3 * FOLDER_LIMIT_BYTES
"""Largest export: HTML takes up to three times the room of its Markdown."""

JSON_LIMIT_PARTS = 2_000_000
"""Most lists and objects of a JSON export: as Python objects they take thirty times their size."""

_LISTS = {"zendesk": ("articles",), "servicenow": ("result", "records")}
_KINDS = {
    b"PK": "a workbook or an archive: save its table as CSV",
    b"\x1f\x8b": "compressed: unpack it",
    b"%PDF": "a PDF: export the articles as CSV or JSON",
    b"<": "HTML or XML: export the articles as CSV or JSON",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The articles of a folder or an export; ``columns`` tells what was taken for what."""

    format: Format
    records: list[Record]
    columns: Mapping[str, str] = field(default_factory=dict)


def read_source(path: Path, form: str = "auto", columns: Mapping[str, str] | None = None) -> Source:
    """Read the articles of a folder of Markdown files, or of an export in CSV or JSON.

    Parameters
    ----------
    form : one of ``FORMATS``; "auto" tells them apart by what they hold
    columns : our name of a part -> the export's, where it shall not be guessed

    Raises
    ------
    KnowledgeError : the source cannot be read, is too large, or holds no articles
    ConfigurationError : the format or the name of a part does not exist
    """
    given = dict(columns or {})
    if form not in FORMATS:
        raise ConfigurationError(f"--format {form}: use one of {', '.join(FORMATS)}")
    for name in given:
        if name not in NAMES:
            raise ConfigurationError(f"--column {name}=...: use one of {', '.join(NAMES)}")
    try:
        mode = path.lstat().st_mode
    except OSError:
        raise KnowledgeError(f"{path.name}: there is no such file or folder") from None
    if stat.S_ISLNK(mode):
        raise KnowledgeError(f"{path.name}: a symbolic link is not followed; name what it leads to")
    if stat.S_ISDIR(mode):
        if form not in ("auto", "markdown"):
            raise KnowledgeError(f"{path.name}: a folder; --format {form} is read from a file")
        return Source("markdown", list(read_folder(path)))
    if not stat.S_ISREG(mode):
        raise KnowledgeError(f"{path.name}: neither a regular file nor a folder")
    if form == "markdown" or path.suffix.lower() in (".md", ".markdown"):
        raise KnowledgeError(f"{path.name}: Markdown is read from a folder; name the file's folder")
    content = _content(path)
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    if is_json:
        found, rows = _json_rows(content, path.name)
    elif form in ("json", "zendesk"):
        raise KnowledgeError(f"{path.name}: not JSON, which --format {form} asks for")
    else:
        found, rows = "csv", list(_csv_rows(content, path.name))
    if len(rows) > FOLDER_LIMIT_FILES:
        raise KnowledgeError(f"{path.name}: more than {FOLDER_LIMIT_FILES:,} articles")
    names = list(dict.fromkeys(name for row in rows for name in row.parts))
    return _told_apart(path.name, form, found, rows, names, given)


def _told_apart(
    file: str,
    form: str,
    found: Format,
    rows: list[Record],
    names: Sequence[str],
    given: Mapping[str, str],
) -> Source:
    """Decide on the format, and give each part of each row our name for it."""
    keys = {column_key(name) for name in names}
    if found in ("csv", "json") and "shortdescription" in keys:
        found = "servicenow"
    elif found == "json" and {"htmlurl", "body"} <= keys:
        found = "zendesk"
    kind: Format = found if form == "auto" else form  # type: ignore[assignment]
    columns = _columns(file, names, given)
    records = [
        Record(
            row.place,
            {part: row.parts[name] for part, name in columns.items() if name in row.parts},
            problem=row.problem,
        )
        for row in rows
    ]
    return Source(kind, records, columns)


def _columns(file: str, names: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    for part, name in given.items():
        if name not in names:
            shown = ", ".join(name for name in names[:30] if name.isprintable())
            raise KnowledgeError(
                f"{file}: --column {part}=... names a column that is not there; there are: {shown}"
            )
    columns = {**guess_parts(names), **given}
    if "title" not in columns or not columns.keys() & {"body", "wiki", "steps"}:
        shown = ", ".join(name for name in names[:30] if name.isprintable()) or "none"
        raise KnowledgeError(
            f"{file}: no column for title or for text among: {shown}; "
            "name them with --column title=NAME --column body=NAME"
        )
    return columns


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(SOURCE_LIMIT_BYTES + 1)
    except OSError as error:
        raise KnowledgeError(f"{path.name}: the file cannot be opened") from error
    if len(content) > SOURCE_LIMIT_BYTES:
        raise KnowledgeError(
            f"{path.name}: over {SOURCE_LIMIT_BYTES // 1_000_000} MB; export it in parts"
        )
    if not content.strip():
        raise KnowledgeError(f"{path.name}: the file is empty")
    for start, kind in _KINDS.items():
        if content.lstrip().startswith(start):
            raise KnowledgeError(f"{path.name}: this is {kind}")
    return content


def _csv_rows(content: bytes, name: str) -> Iterator[Record]:
    try:
        table = DelimitedTable(TextLines(io.BytesIO(content)), name)
        columns = list(table.columns)
        for piece in table.chunks(columns):
            for line, cells in zip(piece.lines, zip(*piece.columns, strict=True), strict=True):
                yield Record(f"{name}, line {line}", dict(zip(columns, cells, strict=True)))
            for line, reason in piece.rejected:
                yield Record(f"{name}, line {line}", problem=reason)
    except HistoryError as error:
        raise KnowledgeError(f"{name}: no table with column names in its first line") from error


def _json_rows(content: bytes, name: str) -> tuple[Format, list[Record]]:
    if content.count(b"{") + content.count(b"[") > JSON_LIMIT_PARTS:
        raise KnowledgeError(f"{name}: more than {JSON_LIMIT_PARTS:,} lists and objects in it")
    try:
        loaded = json.loads(content)
    except json.JSONDecodeError as error:
        raise KnowledgeError(f"{name}: not valid JSON at line {error.lineno}") from None
    except (ValueError, RecursionError):
        raise KnowledgeError(f"{name}: JSON nested too deep, or not in UTF-8") from None
    found: Format = "json"
    items = loaded
    if isinstance(loaded, dict):
        held = [
            (kind, loaded[key])
            for kind, keys in _LISTS.items()
            for key in keys
            if isinstance(loaded.get(key), list)
        ]
        if held:
            found, items = held[0]  # type: ignore[assignment]
        else:
            lists = [value for value in loaded.values() if isinstance(value, list)]
            items = lists[0] if len(lists) == 1 else None
    if not isinstance(items, list) or not items:
        raise KnowledgeError(f"{name}: no list of articles in it")
    sections = _section_names(loaded) if found == "zendesk" else {}
    rows = []
    for number, item in enumerate(items, 1):
        place = f"{name}, record {number}"
        if not isinstance(item, dict):
            rows.append(Record(place, problem="not an object with names"))
            continue
        section = sections.get(text_of(item.get("section_id")))
        rows.append(Record(place, {**item, "section": section} if section else item))
    return found, rows


def _section_names(loaded: Mapping[str, Any]) -> dict[str, str]:
    """Find the names of a help centre's sections, where they came along with its articles."""
    sections = loaded.get("sections")
    return {
        text_of(section.get("id")): text_of(section.get("name"))
        for section in (sections if isinstance(sections, list) else ())
        if isinstance(section, dict)
    }
