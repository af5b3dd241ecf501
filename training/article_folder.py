"""A folder of Markdown files, of our form or not, read as records of articles.

Links are not followed, and sizes are bounded before anything is read.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.article_parts import Record, guess_parts
from triage.article import parse_article, read_front_matter
from triage.errors import KnowledgeError
from triage.knowledge import FILE_LIMIT_BYTES, FOLDER_LIMIT_FILES

LIMIT_BYTES = 60_000_000
"""Most that is read of a folder; three times as much as a knowledge base may hold."""


def read_folder(folder: Path) -> Iterator[Record]:
    """Yield a record for each Markdown file of a folder and its sub-folders, in order of names.

    Raises
    ------
    KnowledgeError : the folder holds no Markdown file, or too many
    """
    n_files = size_bytes = 0
    for path in _files(folder):
        n_files += 1
        place = "".join(
            character if character.isprintable() else "?"
            for character in path.relative_to(folder).as_posix()
        )
        if n_files > FOLDER_LIMIT_FILES or size_bytes > LIMIT_BYTES:
            raise KnowledgeError(
                f"{folder.name}: more than {FOLDER_LIMIT_FILES:,} files or "
                f"{LIMIT_BYTES // 1_000_000} MB of them; is it the right folder?"
            )
        try:
            text = _markdown_text(path)
            size_bytes += len(text)
            yield _markdown_record(place, text)
        except KnowledgeError as error:
            yield Record(place, problem=str(error))
    if not n_files:
        raise KnowledgeError(f"{folder.name}: holds no Markdown file (*.md)")


def _files(folder: Path) -> Iterator[Path]:
    """Walk in the order of names, without following links: those to folders are yielded too."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in list(folders):
            if (path := Path(here, name)).is_symlink():
                folders.remove(name)
                yield path
        for name in sorted(files):
            if name.lower().endswith((".md", ".markdown")) and not name.startswith("."):
                yield Path(here, name)


def _markdown_text(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise KnowledgeError("a symbolic link is not followed: put the file itself here")
    if not stat.S_ISREG(mode):
        raise KnowledgeError("not a regular file")
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise KnowledgeError("the file cannot be opened") from error
    if len(content) > FILE_LIMIT_BYTES:
        raise KnowledgeError(f"over {FILE_LIMIT_BYTES // 1024} KiB: split the article")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise KnowledgeError("not UTF-8 text: save it as UTF-8") from None


def _markdown_record(place: str, text: str) -> Record:
    article, _ = parse_article(text, place)
    if article is not None:
        return Record(place, {"id": article.id}, text=text)
    parts: dict[str, Any] = {}
    body = text
    if text.split("\n", 1)[0].rstrip() == "---":
        front, body, _ = read_front_matter(text)
        names = [name for name in front if isinstance(name, str)]
        parts = {part: front[name] for part, name in guess_parts(names).items()}
    lines = body.strip().split("\n")
    if lines[0].startswith("# "):
        parts.setdefault("title", lines[0].strip("# \t"))
        lines.pop(0)
    stem = place.rsplit(".", 1)[0]
    parts.setdefault("title", stem.rsplit("/", 1)[-1].replace("-", " ").replace("_", " "))
    parts.setdefault("id", stem)
    return Record(place, {**parts, "body": "\n".join(lines)})
