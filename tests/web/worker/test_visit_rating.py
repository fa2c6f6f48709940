"""Rating a visit: by a press on one's own page, by the links of the digest, and what the station and others see of it."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import people, services
from booking.db import transactions
from booking.mail import links
from booking.model import Person, Rating
from tests.support.desk_cast import Cast, Desk, refusal, said
from tests.support.lunch_hour import NAMES, LunchHour, at

pytestmark = pytest.mark.sqlite
NEXT_MORNING = "Wed 08:40"
EVENING = "Tue 18:00"
TOO_LATE = "2026-12-08 13:00"


@pytest.fixture
def lunch(session: Session) -> LunchHour:
    """Everybody was there, but for 吴桐."""
    made = LunchHour(session, capacity=8)
    for who in NAMES:
        made.book(who, "Mon 10:00")
    for who in NAMES[:-1]:
        made.check_in(who, "12:05")
    for clock in ("12:15", "13:00"):
        made.tick(clock)
    return made


@pytest.fixture
def desk(app: Flask, lunch: LunchHour) -> Desk:
    return Desk(app, lunch)


def person(app: Flask, lunch: LunchHour, who: str) -> Desk:
    theirs = Desk(app, lunch, lunch.people[who])
    theirs.root = "/"
    return theirs


def stranger(app: Flask, lunch: LunchHour) -> Desk:
    """A mail program: no cookie at all."""
    theirs = Desk(app, lunch)
    theirs.client, theirs.root = app.test_client(use_cookies=False), "/"
    return theirs


def ratings(lunch: LunchHour) -> list[tuple[str, str]]:
    lunch.session.rollback()
    return [(one.face, one.line) for one in lunch.session.scalars(select(Rating).order_by(Rating.booking_id))]


def link_of(app: Flask, lunch: LunchHour, who: str, whose: str = "") -> str:
    """The path of the link in the digest of `who`."""
    with app.app_context():
        return urlsplit(links.rate(lunch.latest(whose or who).id, lunch.people[who])).path.lstrip("/")


def everybody_rates(lunch: LunchHour, *faces: str, line: str = "") -> None:
    for who, face in zip(NAMES, faces, strict=False):
        services.rate_visit(
            lunch.session, lunch.latest(who).id, lunch.people[who], face, line and f"{line}{who}", at(EVENING)
        )


def test_a_press_on_my_page_and_a_line_afterwards(app: Flask, lunch: LunchHour) -> None:
    phone = person(app, lunch, "周明")
    path = f"bookings/{lunch.latest('周明').id}"
    assert f'action="/{path}/rate"' in phone.get("me", EVENING).text
    told = phone.post(f"{path}/rate", EVENING, face="good")
    assert "谢谢，记下了。" in said(told)
    assert "你说：好" in said(told)
    assert "/rate" not in phone.get("me", EVENING).text
    assert "你说：好" in phone.words("me", EVENING)
    long = phone.post(f"{path}/rating", EVENING, line="长" * 101)
    assert (long.status_code, "长" * 101 in long.text) == (422, True)
    phone.post(f"{path}/rating", EVENING, line="<b>讲得细</b>")
    assert "&lt;b&gt;讲得细&lt;/b&gt;" in phone.get(f"{path}/rating", EVENING).text
    assert ratings(lunch) == [("good", "<b>讲得细</b>")]
    again = phone.post(f"{path}/rate", EVENING, face="poor")
    assert "以第一次的为准" in said(again)
    assert "评价了活动" in phone.words("me/history", EVENING)
    assert ratings(lunch) == [("good", "<b>讲得细</b>")]


def test_a_face_that_there_is_not_asks_again(app: Flask, lunch: LunchHour) -> None:
    phone = person(app, lunch, "周明")
    answer = phone.post(f"bookings/{lunch.latest('周明').id}/rate", EVENING, face="great", line="还行")
    assert (answer.status_code, 'id="face-error"' in answer.text, 'value="还行"' in answer.text) == (422, True, True)
    assert ratings(lunch) == []


def test_the_link_only_asks_and_its_button_rates(app: Flask, lunch: LunchHour) -> None:
    mail_program, path = stranger(app, lunch), link_of(app, lunch, "周明")
    page = mail_program.get(f"{path}?face=poor", NEXT_MORNING)
    assert (page.status_code, ratings(lunch)) == (200, [])
    assert re.search(r'name="face" value="poor" checked', page.text)
    assert "周明" not in page.text
    sent = mail_program.post(path, NEXT_MORNING, face="poor", line="太挤了")
    assert "谢谢，记下了。" in said(sent)
    for again in (mail_program.get(path, NEXT_MORNING), mail_program.post(path, NEXT_MORNING, face="good")):
        assert (again.status_code, refusal(again)) == (409, "already_rated")
        assert "以第一次的为准" in said(again)
    assert ratings(lunch) == [("poor", "太挤了")]


def _wrong_links(app: Flask, lunch: LunchHour) -> Iterator[tuple[str, str, int, str]]:
    good = link_of(app, lunch, "周明")
    with app.app_context():
        other_purpose = urlsplit(links.unfollow(lunch.latest("周明").id, lunch.people["周明"])).path
    yield good[:-2], NEXT_MORNING, 404, "rating_link_wrong"
    yield f"letters/rate/{other_purpose.rsplit('/')[-1]}", NEXT_MORNING, 404, "rating_link_wrong"
    yield link_of(app, lunch, "周明", whose="李静"), NEXT_MORNING, 403, "not_your_visit"
    yield link_of(app, lunch, "吴桐"), NEXT_MORNING, 409, "visit_not_attended"
    yield good, "Tue 12:59", 409, "visit_not_over"


def test_a_wrong_link_says_what_is_wrong(app: Flask, lunch: LunchHour) -> None:
    mail_program = stranger(app, lunch)
    for path, clock, status, reason in _wrong_links(app, lunch):
        for answer in (mail_program.get(path, clock), mail_program.post(path, clock, face="good")):
            assert (answer.status_code, refusal(answer)) == (status, reason)
    assert ratings(lunch) == []


def test_a_link_in_the_hands_of_who_is_signed_in_as_another_is_refused(app: Flask, lunch: LunchHour) -> None:
    other, path = person(app, lunch, "李静"), link_of(app, lunch, "周明")
    for answer in (other.get(path, NEXT_MORNING), other.post(path, NEXT_MORNING, face="poor")):
        assert (answer.status_code, refusal(answer)) == (403, "not_your_visit")
        assert "这是别人的评价链接，不能用。" in said(answer)
    for path in ("rate", "rating"):
        answer = other.post(f"bookings/{lunch.latest('周明').id}/{path}", NEXT_MORNING, face="poor", line="坏")
        assert answer.status_code == 404
    assert ratings(lunch) == []


def test_an_old_link_says_that_it_is_too_late(app: Flask, lunch: LunchHour) -> None:
    old = stranger(app, lunch).get(link_of(app, lunch, "周明"), TOO_LATE)
    assert (old.status_code, refusal(old)) == (409, "visit_rating_late")
    assert "/rate" not in person(app, lunch, "周明").get("me", TOO_LATE).text


def test_in_english(app: Flask, lunch: LunchHour) -> None:
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["周明"]).language = "en"
    mail_program, path = stranger(app, lunch), link_of(app, lunch, "周明")
    page = mail_program.get(path, NEXT_MORNING, headers={"Accept-Language": "en"})
    assert "How was it?" in html.unescape(page.text)
    assert "驿小时" not in page.text


def test_workers_and_managers_see_shares_from_the_fifth_answer_on(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    worker = person(app, lunch, "吴桐")
    activity = f"activities/{lunch.now().activity_id}"
    everybody_rates(lunch, "good", "good", "fine", "poor", line="说一句")
    pages = (f"slots/{lunch.slot_id}", activity, "numbers?from=2026-11-24&until=2026-11-24")
    for page in pages:
        assert "说好（" not in desk.words(page, EVENING)
        assert "说一句" not in desk.get(page, EVENING).text
    assert "说好" not in worker.words(f"slots/{lunch.slot_id}", EVENING)
    everybody_rates_too(lunch)
    for page in pages[:2]:
        assert "60% 说好（5 份评价）" in desk.words(page, EVENING)
        assert "说一句周明" in desk.words(page, EVENING)
    assert "60%" in desk.words(pages[2], EVENING).partition("评价，近 180 天")[2]
    assert "60% 说好（5 份评价）" in worker.words(f"slots/{lunch.slot_id}", EVENING)
    assert "说一句" not in worker.get(f"slots/{lunch.slot_id}", EVENING).text
    table = desk.get("numbers/export?form=csv&from=2026-11-24&until=2026-11-24", EVENING).data.decode("utf-8-sig")
    assert table.splitlines()[0].endswith("评价（份）,说好")
    assert table.rstrip().endswith(",5,60.0%")
    assert "说一句" not in table


def everybody_rates_too(lunch: LunchHour) -> None:
    booking = lunch.latest(NAMES[4])
    services.rate_visit(lunch.session, booking.id, booking.person_id, "good", "", at(EVENING))


def test_neither_host_nor_helper_nor_another_station_gets_at_it(app: Flask, lunch: LunchHour, desk: Desk) -> None:
    everybody_rates(lunch, *["good"] * 5, line="说一句")
    cast = Cast(lunch)
    theirs = Desk(app, lunch, cast.other_manager_id, "west/")
    assert theirs.get(f"slots/{lunch.slot_id}", EVENING).status_code == 404
    assert "说好" not in theirs.words("numbers", EVENING)
    with transactions.transaction(lunch.session) as session:
        session.get_one(Person, lunch.people["吴桐"]).email = "wu@example.com"
    people.grant_door(lunch.session, lunch.station_id, "wu@example.com", at(EVENING), lunch.manager_id)
    helper = Desk(app, lunch, lunch.people["吴桐"]).get(f"slots/{lunch.slot_id}", EVENING)
    assert (helper.status_code, "说好" in helper.text, "说一句" in helper.text) == (200, False, False)
    assert "visit_rated" not in desk.get("history", EVENING).text
    assert "评价了活动" not in desk.words(f"history?slot={lunch.slot_id}", EVENING)
    bookings = desk.get("bookings/export?form=csv&from=2026-11-24&until=2026-11-24", EVENING).data.decode("utf-8-sig")
    roster = desk.get(f"slots/{lunch.slot_id}/export?form=csv", EVENING).data.decode("utf-8-sig")
    assert not [word for word in ("说一句", "评价", "说好") if word in bookings + roster]
