"""Page weight: bytes of the demo's day for a browser that has never been there, and the next time, headers and all."""

import re

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.support.everybody import NOON, Everybody

pytestmark = pytest.mark.sqlite
FIRST, NEXT = 60_000, 10_000  # bytes
# What a browser loads by itself; all pictures, though those below the screen are loaded lazily.
LOADED = re.compile(r'(?:src|<use href|<link rel="(?:stylesheet|icon)" href)="(/[^"#]+)')
GZIP = {"Accept-Encoding": "gzip"}


def size(answer: TestResponse) -> int:
    return len(answer.data) + len(str(answer.headers))


def test_a_first_visit_and_the_next_one_are_light(app: Flask, session: Session) -> None:
    with time_machine.travel(NOON, tick=True):
        everybody = Everybody(app, session, "http://localhost")
        everybody.load()
        for who in ("", "worker"):
            client, plain = everybody.signed_in(who), everybody.signed_in(who)
            loaded = set(LOADED.findall(plain.get("/s/cbd").text))
            assert {path.partition("?")[0].rpartition(".")[2] for path in loaded} == {"css", "js", "svg"}
            first = size(client.get("/s/cbd", headers=GZIP)) + sum(size(client.get(p, headers=GZIP)) for p in loaded)
            again = client.get("/s/cbd", headers=GZIP)
            assert "<style" not in plain.get("/s/cbd").text
            assert 20_000 < first <= FIRST, who
            assert 2_000 < size(again) <= NEXT, who
