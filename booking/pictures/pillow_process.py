"""Pillow in a process of its own: reads a picture from standard input, writes ours as JSON, or why there is none.

Whatever a file does to a decoder, it gets little memory and time, and only the upload can fail. Nothing of the file but
its pixels reaches the result: no metadata, no second picture behind the first, no bytes appended.
"""

import json
import resource
import sys
from base64 import b64encode
from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps

MEMORY, SECONDS = 768 * 1024 * 1024, 10
FORMATS = ("JPEG", "PNG", "WEBP")
QUALITIES = (85, 75, 65, 55, 45, 35, 25, 15)
TURN = Image.Transpose
# By the EXIF tag: what puts the picture upright.
ORIENTATION = 0x0112
UPRIGHT = {
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_270,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_90,
}
LYING = (5, 6, 7, 8)  # width and height change places


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = None  # refused below, with its own sentence
    json.dump(_encoded(sys.stdin.buffer.read(), json.loads(sys.argv[1])), sys.stdout)


def _encoded(content: bytes, wanted: dict[str, Any]) -> dict[str, str]:
    """`wanted` has the most pixels, the least size, and of each of ours its size and its most bytes."""
    (large, _), *_others = sizes = wanted["sizes"]
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if refusal := _refusal(image, wanted["pixels"], wanted["least"]):
                return {"refused": refusal}
            ours = _upright(image, tuple(large))
    except Exception:  # noqa: BLE001 - decoders raise all sorts of errors
        return {"refused": "unreadable"}
    jpegs = [_jpeg(ours.resize(size, Image.Resampling.LANCZOS), most) for size, most in sizes]
    return {name: b64encode(jpeg).decode() for name, jpeg in zip(("large", "card"), jpegs, strict=True)}


def _refusal(image: Image.Image, most_pixels: int, least: list[int]) -> str | None:
    """What the header says, before anything is decoded. The second picture in a phone's JPEG is no animation."""
    if image.width * image.height > most_pixels:
        return "pixels"
    if max(image.size) < least[0] or min(image.size) < least[1]:
        return "small"
    is_animated = image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1
    return "moves" if is_animated else None


def _upright(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    """The middle of the picture in our shape, as it was held, on white, in the colours of the web."""
    orientation = image.getexif().get(ORIENTATION)
    if orientation in LYING:
        shape = shape[1], shape[0]
    image.draft("RGB", shape)  # a JPEG of four times the size is decoded at a quarter of it
    ours = _flat(_in_srgb(ImageOps.fit(_eight_bits(image), shape, Image.Resampling.LANCZOS), image))
    return ours.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else ours


def _eight_bits(image: Image.Image) -> Image.Image:
    """In a mode whose sizes can be changed."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in ("P", "PA", "LA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _in_srgb(ours: Image.Image, image: Image.Image) -> Image.Image:
    """By the picture's profile. One that is damaged or for another mode is ignored."""
    profile = image.info.get("icc_profile")
    if profile and ours.mode in ("RGB", "CMYK"):
        with suppress(Exception):
            source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(ours, source, target, outputMode="RGB") or ours
    return ours


def _flat(image: Image.Image) -> Image.Image:
    """Without transparency, and new: an image that was not opened has no metadata to be saved."""
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return flat


def _jpeg(image: Image.Image, most: int) -> bytes:
    """In the best quality that is small enough."""
    content = b""
    for quality in QUALITIES:
        file = BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True, progressive=True, exif=b"", icc_profile=None)
        content = file.getvalue()
        if len(content) <= most:
            break
    return content


if __name__ == "__main__":
    main()
