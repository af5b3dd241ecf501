"""The files of a report: a page, the data and a table, each there whole or not at all."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from triage.errors import HistoryError

KINDS = (".html", ".json", ".csv")
"""What a folder gets; a file gets the kind that its name ends in."""


def write_report(output: Path, name: str, text_of: Callable[[str], str]) -> list[Path]:
    """Write a report and return the paths of its files.

    Parameters
    ----------
    output : a file that ends in one of `KINDS`, or the folder that gets all three
    name : of the files in a folder, without an ending
    text_of : gives the text of a kind

    Raises
    ------
    HistoryError : something cannot be written
    """
    if output.suffix.lower() in KINDS:
        wanted = {output.suffix.lower(): output}
    else:
        wanted = {kind: output / f"{name}{kind}" for kind in KINDS}
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HistoryError(
                f"the folder {output.name} cannot be made: {error.strerror}"
            ) from error
    for kind, path in wanted.items():
        _write_whole(path, text_of(kind))
    return list(wanted.values())


def as_json(content: Any) -> str:
    """Write plain data as people read it."""
    return json.dumps(content, ensure_ascii=False, indent=2)


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_text(text, "utf-8", newline="")
        temporary.replace(path)
    except OSError as error:
        raise HistoryError(f"{path.name} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
