"""Requests of the fuzz as they are sent, the forms that answers offer, and errors by where they come from."""

from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import config


class Request(NamedTuple):
    """One request as it was sent."""

    reader: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def environ(self) -> dict[str, Any]:
        given = {"CONTENT_TYPE", "CONTENT_LENGTH"}
        names = {name: name.upper().replace("-", "_") for name in self.headers}
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "QUERY_STRING": self.query.encode("utf-8", "surrogatepass").decode("latin-1"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "CONTENT_LENGTH": str(len(self.body)) if self.body else "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(self.body),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{name if name in given else f"HTTP_{name}": self.headers[said] for said, name in names.items()},
        }


class _Forms(HTMLParser):
    """The forms of a page: where each goes, and what its fields say."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here, self.forms = here, list[tuple[str, dict[str, str]]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((said.get("action") or said.get("hx-post") or self.here, {}))
        elif tag in ("input", "select", "textarea", "button") and said.get("name") and self.forms:
            self.forms[-1][1].setdefault(said["name"], said.get("value", ""))
        elif tag == "option" and self.forms and self.forms[-1][1]:
            last = list(self.forms[-1][1])[-1]
            self.forms[-1][1][last] = self.forms[-1][1][last] or said.get("value", "")


def forms_of(page: str, here: str) -> list[tuple[str, dict[str, str]]]:
    reading = _Forms(here)
    reading.feed(page)
    return reading.forms


def where(error: Exception) -> str:
    """An error by its name, its words and the last of our lines that it came through: each is told once."""
    frames = list(_frames(error))
    ours = [frame for frame in frames if "/booking/" in frame and "site-packages" not in frame]
    return f"{type(error).__name__}: {str(error)[:160]!r} at {(ours or frames)[-1]} ({frames[-1]})"


def _frames(error: Exception) -> Iterator[str]:
    at_ = error.__traceback__
    while at_:
        yield f"{at_.tb_frame.f_code.co_filename.removeprefix(str(config.ROOT))}:{at_.tb_lineno}"
        at_ = at_.tb_next
