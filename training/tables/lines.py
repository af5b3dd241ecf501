"""Lines of a text file whose encoding is found on the way and whose length is bounded."""

import codecs
import io
from typing import BinaryIO

MAX_CHARS = 2**20
"""Longest line and longest row read, in characters. A longer one is no ticket, it is damage."""

_CP1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte))
    for byte in range(0x80, 0x100)
}
"""What a byte that is not UTF-8 was meant to be: cp1252, and latin-1 where cp1252 has a gap."""

_CP1252_GAPS = frozenset("\x81\x8d\x8f\x90\x9d")


class TextLines:
    """Read a byte stream line by line.

    The encoding is the one of the byte order mark, else UTF-8, where each byte that is not UTF-8
    counts as cp1252: a file that is cp1252 throughout and one that is mixed read right alike, and
    no first look at the whole file is needed. Line ends are LF, CRLF or CR. A line longer than
    ``MAX_CHARS`` is cut to one character more than that, so that the caller can tell.
    """

    def __init__(self, stream: BinaryIO) -> None:
        start = stream.read(4)
        stream.seek(0)
        self._name = "utf-8"
        if start.startswith(codecs.BOM_UTF8):
            self._name = "utf-8-sig"
        elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._name = "utf-16"
        self._repairs = self._name != "utf-16"
        self._stream = io.TextIOWrapper(
            stream,
            encoding=self._name,
            errors="surrogateescape" if self._repairs else "replace",
            newline="",
        )
        self._lines_repaired = 0
        self._lines_sound = 0
        self._has_gaps = False

    def readline(self) -> str:
        """Read the next line with its line end; an empty text at the end of the file."""
        line = self._stream.readline(MAX_CHARS + 1)
        if len(line) > MAX_CHARS:
            self._skip_rest(line)
        if self._repairs and not line.isascii():
            line = self._repair(line)
        return line

    @property
    def encoding(self) -> str:
        """Name the encoding by what was read so far."""
        if self._lines_repaired > self._lines_sound:
            return "latin-1" if self._has_gaps else "cp1252"
        return self._name

    @property
    def notes(self) -> list[str]:
        """Say how many lines were repaired in a file that is UTF-8 otherwise."""
        if 0 < self._lines_repaired <= self._lines_sound:
            return [f"{self._lines_repaired} lines held bytes that are not UTF-8, read as cp1252"]
        return []

    def _repair(self, line: str) -> str:
        try:
            line.encode("utf-8")
        except UnicodeEncodeError:
            self._lines_repaired += 1
            line = line.translate(_CP1252)
            self._has_gaps = self._has_gaps or not _CP1252_GAPS.isdisjoint(line)
        else:
            self._lines_sound += 1
        return line

    def _skip_rest(self, line: str) -> None:
        while line and line[-1] not in "\r\n":
            line = self._stream.readline(MAX_CHARS)
