"""Articles of other systems turned into a folder of ours, every one of them accounted for."""

import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from training.article_records import LeftOutRecord, RecordReader, RefusedRecord
from training.article_sources import read_source
from triage.errors import KnowledgeError
from triage.knowledge import FOLDER_LIMIT_BYTES, read_articles
from triage.taxonomy import Taxonomy

OnStep = Callable[[str, int, int], None]

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one record. ``id`` is None where it never got one."""

    place: str
    id: str | None
    result: Literal["written", "left out", "refused"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every record of a source: read = written + left out + refused.

    ``unknown_categories`` counts the categories that the taxonomy does not have; they are kept
    as things the article applies to. ``columns`` tells what was taken for what.
    """

    format: str
    columns: Mapping[str, str]
    outcomes: Sequence[Imported]
    unknown_categories: Mapping[str, int] = field(default_factory=dict)

    def count(self, result: str) -> int:
        """Count the records with a result."""
        return sum(outcome.result == result for outcome in self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """Turn the report into plain data."""
        return {
            "format": self.format,
            "columns": dict(self.columns),
            "records": {
                "read": len(self.outcomes),
                "written": self.count("written"),
                "left_out": self.count("left out"),
                "refused": self.count("refused"),
            },
            "unknown_categories": dict(self.unknown_categories),
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    def sentences(self) -> list[str]:
        """Tell it to a person, one line each."""
        told = [
            f"{len(self.outcomes)} records read ({self.format}): {self.count('written')} written, "
            f"{self.count('left out')} left out, {self.count('refused')} refused"
        ]
        if self.columns:
            told.append(", ".join(f"{part} = {name!r}" for part, name in self.columns.items()))
        left_out = Counter(one.reason for one in self.outcomes if one.result == "left out")
        told += [f"left out, {reason}: {count}" for reason, count in left_out.most_common()]
        if self.unknown_categories:
            shown = list(self.unknown_categories.items())[:_SHOWN]
            told.append(
                f"{len(self.unknown_categories)} categories are not in the taxonomy and were kept "
                f"under applies_to: {', '.join(f'{name} ({count})' for name, count in shown)}"
            )
        return told


def import_articles(
    source: Path,
    output: Path,
    taxonomy: Taxonomy,
    *,
    form: str = "auto",
    columns: Mapping[str, str] | None = None,
    replace: bool = False,
    today: date | None = None,
    on_step: OnStep | None = None,
) -> ImportReport:
    """Write each article of a source as a Markdown file of our form, named by its id.

    What is not published is left out. A file that is there already stays as it is: where it has
    other content, the record is refused.

    Parameters
    ----------
    form, columns : see `training.article_sources.read_source`
    replace : whether files that are there may be written anew
    today : the day on which articles may have expired

    Raises
    ------
    KnowledgeError : the source cannot be read, the articles are too many for one knowledge base,
        or the folder cannot be written to
    ConfigurationError : the format or the name of a part does not exist
    """
    read = read_source(source, form, columns)
    reader = RecordReader(read, taxonomy, today or date.today())
    outcomes: list[Imported] = []
    files: list[tuple[int, str]] = []
    for number, record in enumerate(read.records):
        try:
            article_id, text = reader.article(record)
        except LeftOutRecord as left_out:
            outcomes.append(Imported(record.place, None, "left out", str(left_out)))
        except RefusedRecord as refused:
            outcomes.append(Imported(record.place, None, "refused", str(refused)))
        else:
            outcomes.append(Imported(record.place, article_id, "written"))
            files.append((number, text))
        if on_step:
            on_step("reading articles", number + 1, len(read.records))
    if sum(len(text.encode()) for _, text in files) > FOLDER_LIMIT_BYTES:
        raise KnowledgeError(
            f"{source.name}: more than {FOLDER_LIMIT_BYTES // 1_000_000} MB of articles, which is "
            "more than one knowledge base may hold; import it in parts"
        )
    folder = ArticleFolder(output, replace=replace)
    for done, (number, text) in enumerate(files, 1):
        article_id = outcomes[number].id or ""
        if problem := folder.put(article_id, text):
            outcomes[number] = Imported(outcomes[number].place, article_id, "refused", problem)
        if on_step:
            on_step("writing articles", done, len(files))
    return ImportReport(
        read.format, read.columns, outcomes, dict(reader.unknown_categories.most_common())
    )


class ArticleFolder:
    """The folder written to: a file an article, never another one's, never through a link."""

    def __init__(self, path: Path, *, replace: bool) -> None:
        self._path = path
        self._replace = replace
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise KnowledgeError(
                f"--output {path.name}: not a folder that can be written to"
            ) from error
        try:
            self._ids = {article.id.casefold() for article in read_articles(path)[0]}
        except KnowledgeError:  # it holds none yet
            self._ids = set()

    def put(self, article_id: str, text: str) -> str | None:
        """Write an article's file.

        Returns
        -------
        why it was not written, or None: it is there now
        """
        path = self._path / f"{article_id}.md"
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            if article_id.casefold() in self._ids:
                return "the folder has an article with this id in a file of another name"
        else:
            if not stat.S_ISREG(mode):
                return f"{path.name} is there and is no regular file"
            if path.read_bytes() == text.encode():
                return None
            if not self._replace:
                return f"{path.name} is there with other content; --replace writes it anew"
        try:
            # Written beside and moved: nobody reads half an article, and no link is followed.
            beside = self._path / f".{article_id}.new"
            beside.unlink(missing_ok=True)
            with beside.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            beside.replace(path)
        except OSError as error:
            raise KnowledgeError(
                f"{path.name}: cannot be written ({error.strerror}); check the folder --output"
            ) from error
        return None
