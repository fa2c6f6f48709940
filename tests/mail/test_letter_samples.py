"""Samples: an admin previews every kind of letter in both languages, page and text, styled in spite of the CSP."""

from itertools import product

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.mail import context, samples
from booking.mail.wording import LETTERS
from booking.model import Person, Slot
from tests.support import letter_cast
from tests.support.cookies import carry, lasting
from tests.support.lunch_hour import LunchHour, at

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    return LunchHour(session)


def token_of_an_admin(lunch: LunchHour) -> str:
    with transactions.transaction(lunch.session) as session:
        admin = session.get_one(Person, lunch.manager_id)
        admin.is_admin = True
        return lasting(session, admin, "desk", at("Mon 08:00"))


@pytest.fixture
def admin(app: Flask, lunch: LunchHour) -> FlaskClient:
    client = app.test_client()
    carry(client, token_of_an_admin(lunch), at("Mon 08:00"))
    return client


def test_every_kind_of_letter_has_a_sample_and_a_name() -> None:
    assert set(LETTERS) == set(samples.MORE) == {*context.CONTEXTS, *context.BY_BOOKINGS} == set(letter_cast.KINDS)


@time_machine.travel(at("Mon 09:00"), tick=False)
def test_every_letter_can_be_looked_at(admin: FlaskClient, lunch: LunchHour) -> None:
    overview = admin.get("/admin/letters").text
    for kind, tongue, form in product(LETTERS, ("zh", "en"), ("page", "text")):
        address = f"/admin/letters/{kind}/{tongue}/{form}"
        assert f'href="{address}"' in overview
        answer = admin.get(address)
        assert answer.mimetype == {"page": "text/html", "text": "text/plain"}[form]
        assert "style=" not in answer.text, "the policy would drop it"
        assert "<style" not in answer.text
        assert (form == "page") == ('<link rel="stylesheet" href="/admin/letters/style.css">' in answer.text)
        if tongue == "en":
            assert "驿站" not in answer.text
    style = admin.get("/admin/letters/style.css")
    assert (style.mimetype, "<" in style.text, ".card {" in style.text) == ("text/css", False, True)
    assert lunch.session.scalars(select(Slot.id)).all() == [lunch.slot_id], "a sample was kept"


@time_machine.travel(at("Mon 09:00"), tick=False)
@pytest.mark.parametrize("path", ["nothing/zh/page", "code/fr/page", "code/zh/pdf", "../code/zh/page"])
def test_what_is_no_letter_is_not_found(admin: FlaskClient, path: str) -> None:
    assert admin.get(f"/admin/letters/{path}").status_code == 404
