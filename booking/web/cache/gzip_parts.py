"""Compression: a page as one gzip stream: what is shared is compressed once, a reader's own is stored."""

import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from sys import getsizeof
from typing import Any

Headers = list[tuple[str, str]]
OF_THE_BODY = {"content-length", "content-encoding"}
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no name, no time, any system
_LAST = b"\x03\x00"  # RFC 1951: an empty final block


class Packed:
    """Markup split by `cache/placeholders` (text and placeholder in turn), ready to be sent."""

    def __init__(self, template: Sequence[str]) -> None:
        self._names = template[1::2]
        self._plain = [part.encode() for part in template[::2]]

    def plain(self, values: "Values") -> bytes:
        """The page, with `values` in its placeholders."""
        return self._filled(self._plain, values, Packed.plain, str.encode)

    def packed(self, values: "Values") -> bytes:
        """The same, as gzip."""
        body = self.plain(values)
        return b"".join((_HEAD, self._stream(values), _LAST, struct.pack("<II", zlib.crc32(body), len(body))))

    def _stream(self, values: "Values") -> bytes:
        return self._filled(self._blocks, values, Packed._stream, _stored)

    def _filled(
        self,
        parts: Sequence[bytes],
        values: "Values",
        nested: Callable[["Packed", "Values"], bytes],
        text: Callable[[str], bytes],
    ) -> bytes:
        """`parts` with values between them; each value is made once, however often it is used."""
        made = {
            name: nested(value, values) if isinstance(value := values[name], Packed) else text(value)
            for name in {*self._names}
        }
        whole = [b""] * (len(parts) + len(self._names))
        whole[::2] = parts
        whole[1::2] = map(made.__getitem__, self._names)
        return b"".join(whole)

    @cached_property
    def weight(self) -> int:
        """Bytes of both forms."""
        return sum(getsizeof(part) for parts in (self._plain, self._blocks) for part in parts) + 2_000

    @cached_property
    def _blocks(self) -> list[bytes]:
        return _compressed(self._plain)


Values = Mapping[str, str | Packed]  # by the placeholder's name; a part of the page may have placeholders of its own


def entity_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers of an answer without those of its body, with Vary for Accept-Encoding."""
    kept = [(name, value) for name, value in headers if name.lower() not in OF_THE_BODY]
    vary = next((value for name, value in kept if name.lower() == "vary"), None)
    if vary is None or "Encoding" in vary:
        return kept
    return [(name, value) for name, value in kept if name.lower() != "vary"] + [("Vary", f"{vary}, Accept-Encoding")]


def sent(
    headers: Headers, environ: Mapping[str, Any], plain: Callable[[], bytes], packed: Callable[[], bytes]
) -> tuple[Headers, bytes]:
    """The body in the encoding that this browser accepts, and its headers."""
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        body, packing = packed(), [("Content-Encoding", "gzip")]
    else:
        body, packing = plain(), []
    return [*headers, *packing, ("Content-Length", str(len(body)))], body


def _compressed(parts: Sequence[bytes]) -> list[bytes]:
    """Deflate blocks of each part that refer to nothing before them and end on a whole byte."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)  # one for all: making it takes longer than a part
    return [deflate.compress(part) + deflate.flush(zlib.Z_FULL_FLUSH) for part in parts]


def _stored(text: str) -> bytes:
    """A stored deflate block of this text."""
    value = text.encode()
    return struct.pack("<BHH", 0, len(value), len(value) ^ 0xFFFF) + value
