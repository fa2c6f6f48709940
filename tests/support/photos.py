"""Photos as files, drawn by Pillow: what phones and programs send."""

from io import BytesIO
from typing import Any

from PIL import Image

SIZE = (1600, 1200)
RED, BLUE = (200, 30, 30), (20, 40, 200)


def halves(size: tuple[int, int] = SIZE, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def noise(size: tuple[int, int] = (800, 600)) -> Image.Image:
    """What no encoder makes small."""
    return Image.effect_noise(size, 90).convert("RGB")


def file(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    content = BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def opened(content: bytes) -> Image.Image:
    with Image.open(BytesIO(content)) as image:
        image.load()
        return image


def side(image: Image.Image, where: tuple[float, float]) -> str:
    """The colour at a place, each coordinate from 0 to 1."""
    found: Any = image.convert("RGB").getpixel((int(where[0] * (image.width - 1)), int(where[1] * (image.height - 1))))
    return "red" if found[0] > found[2] + 60 else "blue" if found[2] > found[0] + 60 else str(found)
