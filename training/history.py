"""Ticket histories: any help desk's export in, canonical tickets and an account of each row out."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from training.accounting import Accounting, FileAccounting, RejectedRow, write_rejected
from training.canonical import completed, is_label, is_spelled, missing_array
from training.export import ExportReader
from training.labels import Resolution, merged_spellings, tidy
from training.mapping import Mapping
from training.tables.opening import open_table
from triage.classifier import MIN_TICKETS as MIN_PER_LABEL
from triage.errors import HistoryError
from triage.ticket import TEXT_COLUMNS

MIN_TICKETS = 10
"""Fewest tickets worth learning from; below, no quality can be measured."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an export: canonical tickets, the line of each, and the rows rejected."""

    frame: pd.DataFrame
    lines: list[int]
    rejected: list[RejectedRow]


@dataclass(frozen=True, slots=True)
class History:
    """A ticket history.

    ``frame`` has one row a ticket, in the order read: the columns of ``HISTORY_COLUMNS``, with
    ``field:NAME`` in the place of fields and ``target:NAME`` in the place of targets. Texts and
    labels are of pandas' ``str`` type and NaN where missing, but ``subject`` and ``description``
    are never missing. Dates are UTC; group_path and article_ids are tuples of text.
    """

    frame: pd.DataFrame
    accounting: Accounting
    rejected: list[RejectedRow]

    def write_rejected(self, path: Path) -> None:
        """Write the rejected rows (file, line, reason) as CSV; it holds no ticket text."""
        write_rejected(self.rejected, path)


@dataclass(slots=True)
class _File:
    """What was read of a file; rows leave it when they are merged into later ones."""

    account: FileAccounting
    frames: list[pd.DataFrame]
    resolutions: list[list[Resolution]]
    rejected: list[RejectedRow]


def read_history(
    paths: Sequence[Path],
    mapping: Mapping,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> History:
    """Read one history from one or more exports.

    Rows of the same id are merged: the last one stays. Spellings of a label that differ only in
    case, white space or Unicode form are merged to the most frequent one.

    Parameters
    ----------
    paths : the files, the oldest first
    mapping : see :func:`training.mapping.load_mapping`
    on_progress : called now and then with the number of rows read so far

    Raises
    ------
    HistoryError : a file cannot be read, or has no columns for text or labels
    """
    if not paths:
        raise HistoryError("no history given; name at least one export file")
    files: list[_File] = []
    for path in paths:
        before = sum(file.account.read for file in files)
        files.append(_read_file(path, mapping, before, on_progress))
    _merge_same_ids(files)
    resolutions = Counter(found for file in files for part in file.resolutions for found in part)
    accounting = Accounting(
        files=tuple(file.account for file in files),
        label_variants=_merge_spellings(_frames(files)),
        unmapped_groups=_unmapped_groups(resolutions),
        assumed_tiers=sum(count for found, count in resolutions.items() if found.is_assumed),
    )
    rejected = [row for file in files for row in file.rejected]
    return History(_joined(files), accounting, rejected)


def iter_rows(path: Path, mapping: Mapping, *, require_labels: bool = True) -> Iterator[Chunk]:
    """Read an export in pieces, without ever holding all of it.

    Frames are those of :class:`History`, but nothing is merged across rows: rows of the same id
    all stay, labels keep their spelling but for white space, and the order of day and month is
    settled by the rows read so far. Without ``require_labels``, label columns may be absent and
    every row that can be read stays, even one without text: it is a ticket to be scored.

    Raises
    ------
    HistoryError : the file cannot be read, or has no columns for text or labels
    """
    with open_table(path) as table:
        reader = ExportReader(table, mapping, path.name, require_labels=require_labels)
        for piece in reader.pieces():
            frame = piece.frame
            reader.parse_dates(frame)
            for column in filter(is_spelled, frame.columns.intersection(list(reader.layout))):
                frame[column] = frame[column].map(tidy, na_action="ignore")
            yield Chunk(completed(frame), piece.lines, piece.rejected)


def label_columns(frame: pd.DataFrame) -> list[str]:
    """List what can be learned: tier, category and ``target:NAME``, those with any value."""
    return [column for column in frame.columns if is_label(column) and frame[column].notna().any()]


def ensure_learnable(history: History) -> None:
    """Refuse a history that nothing can be learned from.

    Raises
    ------
    HistoryError : no tickets or too few, no text that says anything, or no label with two
        classes of ``triage.classifier.MIN_TICKETS`` tickets
    """
    frame, account = history.frame, history.accounting
    files = ", ".join(file.name for file in account.files)
    if not account.read:
        raise HistoryError(f"{files}: column names but no rows; export the tickets again")
    if frame.empty:
        reason, count = Counter(row.reason for row in history.rejected).most_common(1)[0]
        raise HistoryError(
            f"{files}: none of the {account.read} rows can be learned from; the reason of {count} "
            f"is: {reason}; check the export and the mapping"
        )
    if len(frame) < MIN_TICKETS:
        raise HistoryError(
            f"{files}: {len(frame)} of {account.read} rows are tickets to learn from, at least "
            f"{MIN_TICKETS} are needed; export a longer period, or look at the rejected rows"
        )
    if not _says_anything(frame):
        raise HistoryError(
            f"{files}: all {len(frame)} tickets have the same text, or text without a letter; "
            "check which columns the mapping takes for subject and description"
        )
    labels = label_columns(frame)
    if not any((frame[label].value_counts() >= MIN_PER_LABEL).sum() >= 2 for label in labels):
        raise HistoryError(
            f"{files}: no label to tell tickets apart by: one of {', '.join(labels)} needs two "
            f"values with {MIN_PER_LABEL} tickets each; check which columns the mapping takes"
        )


def _read_file(
    path: Path, mapping: Mapping, rows_before: int, on_progress: Callable[[int], None] | None
) -> _File:
    frames, resolutions, rejected = [], [], []
    kept = 0
    with open_table(path) as table:
        reader = ExportReader(table, mapping, path.name, require_labels=True)
        for piece in reader.pieces():
            frames.append(piece.frame)
            resolutions.append(piece.resolutions)
            rejected += piece.rejected
            kept += len(piece.lines)
            if on_progress:
                on_progress(rows_before + kept + len(rejected))
        for frame in frames:
            reader.parse_dates(frame)
        return _File(reader.account(kept, len(rejected)), frames, resolutions, rejected)


def _merge_same_ids(files: Sequence[_File]) -> None:
    """Drop every row whose id a later row has too."""
    parts = [frame["id"] for frame in _frames(files)]
    if not parts:
        return
    ids = pd.concat(parts, ignore_index=True)
    # Few ids repeat: hashes find those that may, at a fraction of the memory of all ids.
    hashes = np.concatenate([pd.util.hash_array(part.to_numpy()) for part in parts])
    may_repeat = ids[pd.Series(hashes).duplicated(keep=False).to_numpy()].dropna()
    repeated = may_repeat.index[may_repeat.duplicated(keep="last")]
    if repeated.empty:
        return
    stays = np.ones(len(ids), dtype=bool)
    stays[repeated] = False
    start = 0
    for file in files:
        for place, frame in enumerate(file.frames):
            mask = stays[start : start + len(frame)]
            start += len(frame)
            file.frames[place] = frame[mask]
            file.resolutions[place] = list(compress(file.resolutions[place], mask))
        kept = sum(map(len, file.frames))
        file.account = replace(file.account, kept=kept, merged=file.account.kept - kept)


def _merge_spellings(frames: Sequence[pd.DataFrame]) -> dict[str, dict[str, dict[str, int]]]:
    """Spell each label in one way; return what was merged into what, with counts."""
    merged: dict[str, dict[str, dict[str, int]]] = {}
    for column in sorted({name for frame in frames for name in frame.columns if is_spelled(name)}):
        parts = [frame for frame in frames if column in frame]
        counts: Counter[str] = Counter()
        for frame in parts:
            counts.update(frame[column].dropna().tolist())
        spelled = merged_spellings(counts)
        others = {spelling: label for spelling, label in spelled.items() if spelling != label}
        if not others:
            continue
        for frame in parts:
            frame[column] = frame[column].map(spelled)
        for spelling, label in sorted(others.items()):
            merged.setdefault(column, {}).setdefault(label, {})[spelling] = counts[spelling]
    return merged


def _unmapped_groups(resolutions: Counter[Resolution]) -> dict[str, int]:
    groups: Counter[str] = Counter()
    for found, count in resolutions.items():
        if found.unmapped_group:
            groups[found.unmapped_group] += count
    return dict(groups.most_common())


def _frames(files: Sequence[_File]) -> list[pd.DataFrame]:
    return [frame for file in files for frame in file.frames]


def _joined(files: Sequence[_File]) -> pd.DataFrame:
    """Make one frame of all; it is taken out of the files column by column, to be held once."""
    frames = _frames(files)
    for file in files:
        file.frames.clear()
    joined = {}
    for name in dict.fromkeys(name for frame in frames for name in frame.columns):
        parts = [_take_column(frame, name) for frame in frames]
        joined[name] = pd.concat(parts, ignore_index=True)
    return completed(pd.DataFrame(joined, copy=False))


def _take_column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame.pop(name)
    return pd.Series(missing_array(name, len(frame)))


def _says_anything(frame: pd.DataFrame) -> bool:
    texts = [frame[column] for column in TEXT_COLUMNS]
    is_varied = any((text != text.iloc[0]).any() for text in texts)
    return is_varied and any(any(map(str.isalnum, cell)) for text in texts for cell in text)
