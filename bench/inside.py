"""Sends prepared requests to an app within this process, so that its own CPU time can be seen."""

from collections.abc import Iterable
from io import BytesIO
from time import perf_counter, process_time
from typing import Any, NamedTuple

from flask import Flask
from werkzeug.test import EnvironBuilder

Environ = dict[str, Any]


class Answer(NamedTuple):
    """What the app said."""

    code: int
    headers: dict[str, str]
    body: bytes


def environ(request: bytes) -> Environ:
    """A prepared request as a server hands it over."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _version = first.split()
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    builder = EnvironBuilder(path, "http://127.0.0.1", method=method, headers=headers, input_stream=BytesIO(body))
    made: Environ = builder.get_environ()
    made["CONTENT_LENGTH"] = str(len(body))
    return made


def send(app: Flask, request: Environ) -> Answer:
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        said.append((status, headers))

    chunks: Any = app(request, start)
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    status, headers = said[0]
    return Answer(int(status[:3]), dict(headers), body)


def cost(app: Flask, requests: Iterable[Environ]) -> tuple[float, float]:
    """Milliseconds of this process's CPU, and of the clock, for each request."""
    wanted = list(requests)
    cpu, wall = process_time(), perf_counter()
    for request in wanted:
        send(app, request)
    return (process_time() - cpu) / len(wanted) * 1000, (perf_counter() - wall) / len(wanted) * 1000
