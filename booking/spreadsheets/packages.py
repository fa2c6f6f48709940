"""Packages: the parts of a zipped spreadsheet, read with limits. Hostile files are refused before any parser sees them."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from xml.parsers import expat

from booking.errors import RuleViolation

# The unpacked size of an honest sheet; a small file that claims more is a zip bomb.
LARGEST = 32 * 1024 * 1024
_ENCRYPTED = 0x1  # the flag bit of a file in a zip
_XML = (".xml", ".rels")

Parts = dict[str, bytes]
Attributes = dict[str, str]


def parts_of(content: bytes) -> Parts:
    """The XML parts by name. Raises `bad_sheet`, and `locked_sheet` for a password."""
    with refusing(), zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        if sum(part.file_size for part in parts) > LARGEST or len({part.filename for part in parts}) < len(parts):
            raise RuleViolation("bad_sheet")
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise RuleViolation("locked_sheet")
        return {part.filename: packed.read(part) for part in parts if part.filename.lower().endswith(_XML)}


def walk(
    content: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] = lambda _: None,
    text: Callable[[str], None] = lambda _: None,
) -> None:
    """Parse a part; elements and attributes by their local names. Any document type is refused: entities expand."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, found: start(_local(name), {_local(key): found[key] for key in found})
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    with refusing():
        parser.Parse(content, True)


@contextmanager
def refusing() -> Iterator[None]:
    """A damaged file makes zipfile, zlib and expat raise all sorts of errors: `bad_sheet`."""
    try:
        yield
    except RuleViolation:
        raise
    except Exception as error:
        raise RuleViolation("bad_sheet") from error


def _refuse(*_: object) -> None:
    raise RuleViolation("bad_sheet")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
