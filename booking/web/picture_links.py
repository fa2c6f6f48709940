"""Picture links: the addresses of an activity's picture, built in or uploaded, by its name."""

from typing import NamedTuple

from flask import Flask

from booking import pictures
from booking.web import assets


class Shared(NamedTuple):
    """A picture for those who cannot draw an SVG: its path and size."""

    path: str
    width: int
    height: int


def register(app: Flask) -> None:
    for name in (picture_url, shared_picture):
        app.add_template_global(name)


def picture_url(name: str, size: str = "card") -> str:
    """For a page: `size` is `card` or `large`."""
    return f"/pictures/{name}/{size}.jpg" if pictures.is_uploaded(name) else assets.static(f"pictures/{name}.svg")


def shared_picture(name: str) -> Shared:
    """For chats and search engines."""
    if pictures.is_uploaded(name):
        return Shared(picture_url(name, "large"), *pictures.LARGE)
    return Shared(assets.static(f"pictures/{name}.png"), 800, 450)
