"""A text file in any encoding, compressed or not, as a stream of UTF-8."""

import codecs
import re
from pathlib import Path
from typing import BinaryIO

from recsys_lib.data.compressed import open_bytes
from recsys_lib.errors import DataError, nearest

BLOCK_BYTES = 16 << 20
UNIT_SEPARATOR = "\x1f"  # stands in for '::', which no reader takes as a separator
COMMENT = "#"  # begins a line that says something about the file
LINE_END = re.compile(rb"\r\n|\n|\r")
DOUBLE_COLON = re.compile(rb"::(?!:)")  # in 'Title:::Genre' the separator is the last two
MARKS = {  # a file that begins with one of these says how it is encoded
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def known_encoding(name: str) -> str:
    """Return an encoding's standard name; :class:`DataError` where Python knows none of it."""
    try:
        found = codecs.lookup(name)
        b"".decode(found.name)
    except (LookupError, ValueError):
        common = ("utf-8", "utf-16", "latin-1", "cp1252", "gbk", "gb18030", "big5", "shift_jis")
        raise DataError(
            f"There is no text encoding {name!r}.{nearest(name, common)} "
            f"Some that there are: {', '.join(common)}."
        ) from None
    return found.name


def encoding_of(path: Path) -> str:
    """Return the encoding that a file's first bytes state, else UTF-8."""
    with open_bytes(path) as stream:
        start = stream.read(4)
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")


def utf8_or_latin1(path: Path) -> str:
    """Return ``utf-8`` where the whole file is that, else ``latin-1``.

    For the published formats only: the tables of films of MovieLens 100K and 1M are Latin-1, those
    of later editions UTF-8, and nothing in them says so.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as stream:
        try:
            while block := stream.read(BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return encoding_of(path)


class Utf8Stream:
    """A file in any encoding as a stream of UTF-8.

    Parameters
    ----------
    raw : binary stream
    encoding : str
    name : str
        What to call the file in an error.
    double_colon : bool
        Whether ``::`` is made one character, :data:`UNIT_SEPARATOR`.
    n_blank : int
        So many lines at the beginning are emptied, so that the lines after them keep their numbers.

    Attributes
    ----------
    end : bytes
        The last few bytes so far.
    """

    def __init__(
        self,
        raw: BinaryIO,
        encoding: str,
        name: str,
        double_colon: bool = False,
        n_blank: int = 0,
    ):
        self._raw, self._encoding, self._name = raw, encoding, name
        self._n_blank, self._line_open = n_blank, b""
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._double_colon = double_colon
        self._lines_before = 0
        self._held = b""
        self.end = b""  # the last bytes so far
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        while True:
            block = self._raw.read(size if size > 0 else BLOCK_BYTES)
            text = self._decoded(block)
            if self._n_blank:
                text = self._emptied(text, last=not block)
            if self._double_colon:
                text = self._held + text
                # Colons at the end wait for what follows them.
                whole = len(text.rstrip(b":")) if block else len(text)
                text, self._held = text[:whole], text[whole:]
                text = DOUBLE_COLON.sub(UNIT_SEPARATOR.encode(), text)
            if text:
                self.end = (self.end + text)[-4:]
            if text or not block:
                return text

    def _emptied(self, text: bytes, last: bool) -> bytes:
        """Leave nothing of the lines at the beginning but their ends."""
        text, self._line_open, ends = self._line_open + text, b"", b""
        while self._n_blank:
            end = LINE_END.search(text)
            if end is None or (end.end() == len(text) and not last):  # LF may follow this CR
                self._line_open = b"" if last else text
                return ends
            ends, text = ends + end[0], text[end.end() :]
            self._n_blank -= 1
        return ends + text

    def _decoded(self, block: bytes) -> bytes:
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = self._lines_before + count_lines(self._good_part(error)) + 1
            wrong = error.object[error.start : error.end].hex(" ")
            raise DataError(
                f"{self._name} is not {self._encoding}: the bytes {wrong} on line {line:,} are no "
                "such text. Say how it is encoded: --encoding gbk, latin-1, utf-16 and so on "
                "(from Python: encoding='gbk')."
            ) from None
        except UnicodeError as error:
            raise DataError(f"{self._name} is not {self._encoding}: {error}.") from None
        self._lines_before += count_lines(text)
        return text.encode()

    def _good_part(self, error: UnicodeDecodeError) -> str:
        return error.object[: error.start].decode(self._encoding, errors="replace")

    def close(self) -> None:
        self._raw.close()
        self.closed = True


def count_lines(text: str) -> int:
    """Return how many lines end in a text, which may be cut between CR and LF."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
