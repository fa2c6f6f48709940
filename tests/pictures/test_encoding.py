"""Encoding: whatever is uploaded becomes our small picture without anything else of the file, or a refusal."""

import json
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms

from booking import pictures
from booking.errors import RuleViolation
from booking.pictures import encoding, pillow_process
from tests.support.photos import SIZE, file, halves, noise, opened, side

pytestmark = pytest.mark.sqlite
WANTED = json.loads(json.dumps(encoding.WANTED))
GPS = 0x8825
by_pillow = encoding._by_pillow
LEFT, RIGHT, TOP, BOTTOM = (0.1, 0.5), (0.9, 0.5), (0.5, 0.1), (0.5, 0.9)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second faster each; the last test is of the process itself."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(encoding, "_by_pillow", lambda content: pillow_process._encoded(content, WANTED))


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "Li Wen's flat"
    exif.get_ifd(GPS)[1] = "N"
    return file(halves(), exif=exif)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, and has next to no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


TAKEN: dict[str, bytes] = {
    "JPEG": file(halves()),
    "progressive JPEG": file(halves(), progressive=True),
    "JPEG for print": file(halves(mode="CMYK")),
    "JPEG with the colours of a wide screen": file(
        halves(), icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "JPEG with a broken profile": file(halves(), icc_profile=b"no profile"),
    "JPEG with a second picture": file(halves(), "MPO", save_all=True, append_images=[halves((320, 240))]),
    "JPEG with something behind it": file(halves()) + b"<script>alert(1)</script>",
    "PNG": file(halves(), "PNG"),
    "PNG with few colours": file(halves(mode="P"), "PNG"),
    "PNG with transparency": file(halves(mode="RGBA"), "PNG"),
    "WebP": file(halves(), "WEBP", lossless=True),
    "portrait": file(halves((1200, 1600))),
    "large photo": file(halves((8160, 6120))),
    "small photo": file(halves((400, 300))),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_phones_and_programs_send_becomes_ours(name: str) -> None:
    encoded = pictures.encode(TAKEN[name])
    for content, size in ((encoded.large, (1200, 675)), (encoded.card, (640, 360))):
        ours = opened(content)
        assert (ours.format, ours.size, ours.mode) == ("JPEG", size, "RGB")
        assert (side(ours, LEFT), side(ours, RIGHT)) == ("red", "blue")
        assert b"script" not in content


@pytest.mark.parametrize("mode", ["L", "1", "I;16", "LA"])
def test_greys_stay_greys(mode: str) -> None:
    grey = Image.linear_gradient("L").resize(SIZE).convert(mode) if mode != "I;16" else Image.new("I;16", SIZE, 32768)
    ours: Any = opened(pictures.encode(file(grey, "PNG")).large).resize((1, 1)).getpixel((0, 0))
    assert all(abs(value - 128) < 12 for value in ours)


def test_transparent_is_white() -> None:
    ours: Any = opened(pictures.encode(file(Image.new("RGBA", SIZE, (0, 0, 0, 0)), "PNG")).large).getpixel((600, 300))
    assert min(ours) > 250


UPRIGHT = {1: (LEFT, RIGHT), 2: (RIGHT, LEFT), 3: (RIGHT, LEFT), 4: (LEFT, RIGHT)}
UPRIGHT |= {5: (TOP, BOTTOM), 6: (TOP, BOTTOM), 7: (BOTTOM, TOP), 8: (BOTTOM, TOP)}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_it_stands_as_it_was_held_and_says_nothing_of_where_it_was_taken(orientation: int) -> None:
    encoded = pictures.encode(turned(orientation))
    ours = opened(encoded.large)
    assert [side(ours, place) for place in UPRIGHT[orientation]] == ["red", "blue"]
    assert (dict(ours.getexif()), set(ours.info) - {"jfif", "jfif_version", "jfif_density", "jfif_unit"}) == (
        {},
        {"progressive", "progression"},
    )
    assert b"Li Wen" not in encoded.large + encoded.card


def test_200_kb_hold_the_worst_picture() -> None:
    encoded = pictures.encode(file(noise(), quality=95))
    assert len(encoded.large) + len(encoded.card) <= 200_000


def test_the_same_picture_has_the_same_name_and_another_one_another() -> None:
    names = [pictures.encode(file(image)).name for image in (halves(), halves(), noise())]
    assert names[0] == names[1] != names[2]
    assert all(map(pictures.is_uploaded, names))


MOVING = [halves((640, 480)), noise((640, 480))]
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "bad_picture"),
    "text": (b"Not a picture", "bad_picture"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"/>', "bad_picture"),
    "GIF": (file(halves((640, 480)), "GIF"), "bad_picture"),
    "BMP": (file(halves((640, 480)), "BMP"), "bad_picture"),
    "TIFF": (file(halves((640, 480)), "TIFF"), "bad_picture"),
    "AVIF": (file(halves((640, 480)), "AVIF"), "bad_picture"),
    "half of a JPEG": (file(noise())[:60_000], "bad_picture"),
    "half of a PNG": (file(noise(), "PNG")[:60_000], "bad_picture"),
    "page with the first bytes of a JPEG": (b"\xff\xd8\xff\xe0<html>", "bad_picture"),
    "HEIC": (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "picture_heic"),
    "HEIF": (b"\0\0\0\x24ftypmif1\0\0\0\0mif1heic", "picture_heic"),
    "PNG that moves": (file(MOVING[0], "PNG", save_all=True, append_images=MOVING[1:]), "picture_moves"),
    "WebP that moves": (file(MOVING[0], "WEBP", save_all=True, append_images=MOVING[1:]), "picture_moves"),
    "bomb": (png_header(60_000, 60_000), "picture_pixels"),
    "just too many pixels": (png_header(10_001, 5_000), "picture_pixels"),
    "size that no memory holds": (png_header(2**31 - 1, 2**31 - 1), "picture_pixels"),
    "size without its pixels": (png_header(7_000, 7_000), "bad_picture"),
    "icon": (file(halves((64, 64)), "PNG"), "picture_small"),
    "line": (file(halves((3000, 100)), "PNG"), "picture_small"),
    "more than 10 MB": (file(halves()) + bytes(10 * 1024 * 1024), "picture_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_photo_is_refused_with_its_reason(name: str) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(RuleViolation) as no:
        pictures.encode(content)
    assert no.value.reason == reason


def test_a_process_of_its_own_decodes_it_with_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_by_pillow", by_pillow)
    assert opened(pictures.encode(TAKEN["large photo"]).card).size == (640, 360)
    with pytest.raises(RuleViolation, match="picture_pixels"):
        pictures.encode(REFUSED["bomb"][0])
    monkeypatch.setattr(encoding, "SECONDS", 0.01)
    with pytest.raises(RuleViolation, match="bad_picture"):
        pictures.encode(TAKEN["JPEG"])
