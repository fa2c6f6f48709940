"""Day cards: a picture and a title that breaks well; what all cards share is said once, above them."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.db import transactions
from booking.model import Activity, Slot
from booking.web.i18n.formatting import heading
from tests.support.lunch_hour import LunchHour
from tests.support.snapshots import seed_workdays
from tests.support.worker_cast import Phone

pytestmark = pytest.mark.sqlite
OPENS = "周一 10:00 放号"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Three slots on Tuesday, which open on Monday at ten."""
    with transactions.transaction(session):
        seed_workdays(session)
    lunch = LunchHour(session)
    lunch.slot("13:10")
    lunch.slot("14:10")
    return lunch


def test_one_opening_of_all_cards_is_said_once(app: Flask, lunch: LunchHour) -> None:
    page = Phone(app, lunch).day("2026-11-20 15:00")
    assert page.count('data-state="planned"') == 3
    assert page.count("周一 10:00") == 1  # by the banner
    assert '<span class="pill' not in page


def test_an_opening_that_the_banner_does_not_say_stands_above_the_cards(app: Flask, lunch: LunchHour) -> None:
    for starts in ("Wed 12:10", "Wed 13:10"):
        lunch.slot(starts)
    page = Phone(app, lunch).day("2026-11-20 15:00", "2026-11-25")
    assert page.count("周二 10:00 放号") == 1
    assert page.index("周二 10:00 放号") < page.index('class="cards"')


def test_openings_that_differ_stand_on_their_cards(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        slot = session.get_one(Slot, lunch.slot_id)
        session.execute(update(Slot).where(Slot.id == slot.id).values(opens_at=slot.opens_at + timedelta(hours=1)))
    phone = Phone(app, lunch)
    assert "周一 11:00 放号" in phone.card("2026-11-20 15:00").words
    assert phone.day("2026-11-20 15:00").count('<span class="pill line">') == 3


def test_a_lone_card_says_itself_when_it_opens(app: Flask, session: Session) -> None:
    with transactions.transaction(session):
        seed_workdays(session)
    lone = LunchHour(session)
    assert OPENS in Phone(app, lone).card("2026-11-20 15:00", lone.slot_id).words


def test_a_picture_keeps_its_place_and_waits_until_it_is_in_sight(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.execute(update(Activity).values(picture="tea"))
    pictures = re.findall(r"<img [^>]+>", Phone(app, lunch).card("Mon 10:00").html)
    assert len(pictures) == 1
    assert re.search(r'src="/static/pictures/tea\.svg\?v=[0-9a-f]{12}"', pictures[0])
    assert 'alt="" width="48" height="48" loading="lazy"' in pictures[0]


@pytest.mark.parametrize(
    ("title", "html"),
    [
        ("白领瑜伽课堂", "白领瑜伽课堂"),
        ("创意手工 · 植物拓印", "创意手工\u00a0·<wbr> 植物拓印"),
        ("手工·拓印", "手工·<wbr>拓印"),
        ("<b>·</b>", "&lt;b&gt;·<wbr>&lt;/b&gt;"),
    ],
)
def test_a_title_breaks_after_its_dot(title: str, html: str) -> None:
    assert heading(title) == html
