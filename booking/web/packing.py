"""A page in pieces as one gzip stream: what is the same for all is compressed once, what is not goes in as it is."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property

_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no name, no time, any system
_LAST = b"\x03\x00"  # RFC 1951: an empty block that says it is the last


class Packed:
    """A skeleton (`web/blanks`: text and blank in turn), ready to be sent."""

    def __init__(self, skeleton: Sequence[str]) -> None:
        self._plain = [part.encode() if n % 2 == 0 else part for n, part in enumerate(skeleton)]

    def plain(self, values: Mapping[str, str]) -> bytes:
        """The page, with `values` in its blanks."""
        return b"".join([part if isinstance(part, bytes) else values[part].encode() for part in self._plain])

    def packed(self, values: Mapping[str, str]) -> bytes:
        """The same, as gzip."""
        body = self.plain(values)
        blocks = [part if isinstance(part, bytes) else _stored(values[part].encode()) for part in self._blocks]
        return b"".join((_HEAD, *blocks, _LAST, struct.pack("<II", zlib.crc32(body), len(body))))

    @cached_property
    def _blocks(self) -> list[bytes | str]:
        return [_compressed(part) if isinstance(part, bytes) else part for part in self._plain]


def _compressed(part: bytes) -> bytes:
    """Blocks that need nothing from before them and end on a whole byte."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(part) + deflate.flush(zlib.Z_FULL_FLUSH)


def _stored(value: bytes) -> bytes:
    """A block of so many bytes as they are."""
    return struct.pack("<BHH", 0, len(value), len(value) ^ 0xFFFF) + value
