"""Parquet files, read in batches of the columns asked for."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from training.tables.rows import CHUNK_ROWS, RawRows, text_of
from triage.errors import HistoryError

_CAST = (
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean),
    *(pa.types.is_timestamp, pa.types.is_date),
)
"""Kinds whose text Arrow makes as wanted, and much faster than Python."""


class ParquetTable:
    """A Parquet file; lines are the numbers of its records.

    Raises
    ------
    HistoryError : a damaged, encrypted or cut-off file
    """

    format = "parquet"
    encoding = None
    delimiter = None
    notes = ()

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._damaged = HistoryError(
            f"{name}: the Parquet file is damaged, cut off or encrypted; export it again"
        )
        try:
            self._file = pq.ParquetFile(stream)
            self.columns = tuple(dict.fromkeys(self._file.schema_arrow.names))
        except Exception as error:
            raise self._damaged from error

    def chunks(self, columns: Sequence[str]) -> Iterator[RawRows]:
        """Read the rows; see :class:`training.tables.rows.Table`."""
        batches = self._file.iter_batches(
            batch_size=CHUNK_ROWS, columns=list(columns), use_threads=False
        )
        line = 1
        while True:
            # pyarrow has errors of its own and passes on those of Python's decoders.
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                cells = [_texts(batch.column(column)) for column in columns]
            except Exception as error:
                raise self._damaged from error
            yield RawRows(list(range(line, line + batch.num_rows)), cells, [])
            line += batch.num_rows


def _texts(values: Any) -> Sequence[str]:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_timestamp(kind):
        # Strings of other zones would need the operating system's time zone tables.
        values = values.cast(pa.timestamp("us", "UTC" if kind.tz else None), safe=False)
    if any(is_kind(kind) for is_kind in _CAST):
        texts: list[str] = pc.fill_null(values.cast(pa.large_string()), "").to_pylist()
        return texts
    return [text_of(value) for value in values.to_pylist()]
