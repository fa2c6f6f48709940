"""Invites: the calendar file of a letter, about a seat that its reader has or has no longer."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from flask import Flask
from icalendar import Calendar, Event
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from booking import slots
from booking.db import transactions
from booking.enqueue import CANCELLATIONS, INVITATIONS
from booking.mail import context, invites, rendering
from booking.model import Letter, Person
from tests.support import letter_cast
from tests.support.letter_cast import Letters, tuesday
from tests.support.lunch_hour import at

pytestmark = pytest.mark.one_database

KEEPS, LOSES = (
    ("confirmed", "promoted", "slot_moved"),
    ("moved_down", "slot_cancelled", "booking_cancelled", "booking_removed"),
)


def posted(app: Flask, session: Session, kind: str) -> EmailMessage:
    letter, now = letter_cast.make(session, kind)
    with app.app_context():
        raw = rendering.compose(session, letter, now).mime
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def messages(letter: EmailMessage) -> list[EmailMessage]:
    """The parts that calendars act on by themselves."""
    return [part for part in letter.walk() if part.get_content_type() == "text/calendar"]  # type: ignore[misc]


def files(letter: EmailMessage) -> list[EmailMessage]:
    """The parts to open by hand."""
    return [part for part in letter.walk() if part.get_content_type() == "application/ics"]  # type: ignore[misc]


def event_in(part: EmailMessage) -> Event:
    (event,) = Calendar.from_ical(part.get_content()).events
    return event


@pytest.mark.parametrize("kind", [*KEEPS, *LOSES])
def test_a_letter_about_a_seat_is_a_message_to_the_readers_calendar(app: Flask, session: Session, kind: str) -> None:
    """What Outlook and Google demand: an alternative of the text, whose type names the METHOD of the file, with the
    sender as the organizer and the reader as the one who comes."""
    letter = posted(app, session, kind)
    (part,) = messages(letter)
    method, status = ("REQUEST", "CONFIRMED") if kind in KEEPS else ("CANCEL", "CANCELLED")
    assert dict(part["Content-Type"].params) == {"charset": "utf-8", "method": method, "name": "lunch-hour.ics"}
    assert part["Content-Disposition"] is None
    (alternative,) = (one for one in letter.walk() if one.get_content_type() == "multipart/alternative")
    kinds = [one.get_content_type() for one in alternative.iter_parts()]  # type: ignore[attr-defined]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    calendar = Calendar.from_ical(part.get_content())
    (event,) = calendar.events
    assert (calendar["METHOD"], event["STATUS"]) == (method, status)
    organizer, attendee = event["ORGANIZER"], event["ATTENDEE"]
    assert organizer == f"mailto:{letter['From'].addresses[0].addr_spec}" == "mailto:lunch-hour@localhost"
    assert organizer.params == {"CN": "午间驿小时"}
    assert attendee == f"mailto:{letter['To'].addresses[0].addr_spec}"
    assert attendee.params["CN"] in ("林晓", "周明", "李静", "王磊", "陈晨", "刘洋")
    asked = {name: attendee.params[name] for name in ("ROLE", "PARTSTAT", "RSVP")}
    assert asked == {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    assert event["URL"].startswith("http://localhost/slots/")
    assert {"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND"} <= event.keys()
    assert [str(zone["TZID"]) for zone in calendar.timezones] == ["Asia/Shanghai"]


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", [*KEEPS, "calendar"])
def test_a_file_to_open_by_hand_is_no_invitation(app: Flask, session: Session, kind: str) -> None:
    letter = posted(app, session, kind)
    (file,) = files(letter)
    assert (file.get_content_disposition(), file.get_filename()) == ("attachment", "lunch-hour.ics")
    calendar = Calendar.from_ical(file.get_content())
    (event,) = calendar.events
    assert "METHOD" not in calendar
    assert not {"ORGANIZER", "ATTENDEE"} & event.keys()
    for part in messages(letter):
        told = event_in(part)
        assert all(told[name] == event[name] for name in ("UID", "SEQUENCE", "SUMMARY", "LOCATION"))


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", LOSES)
def test_nobody_adds_a_lost_seat_by_hand(app: Flask, session: Session, kind: str) -> None:
    assert files(posted(app, session, kind)) == []


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", sorted(set(letter_cast.KINDS) - {*KEEPS, *LOSES, "calendar"}))
def test_a_letter_about_no_seat_of_ones_own_carries_none(app: Flask, session: Session, kind: str) -> None:
    letter = posted(app, session, kind)
    assert (messages(letter), files(letter)) == ([], [])


def test_every_kind_of_letter_that_invites_is_known_where_seats_are_given_up() -> None:
    assert set(INVITATIONS) == {kind for kind, method in invites.METHODS.items() if method == "REQUEST"}
    # Everybody on a cancelled slot is told, whatever they have been told before.
    assert {*CANCELLATIONS, "slot_cancelled"} == {k for k, method in invites.METHODS.items() if method == "CANCEL"}


def invited(app: Flask, cast: Letters, kind: str, who: str) -> Event | None:
    letter = cast.letter(kind, who)
    with app.app_context():
        reader = cast.session.get(Person, letter.person_id)
        invite = invites.with_letter(cast.session, letter, "someone@example.com", reader)
    return Calendar.from_ical(invite.message).events[0] if invite else None


def test_the_same_event_is_taken_back_with_a_higher_number(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    first = invited(app, cast, "confirmed", "林晓")
    cast.do(slots.cancel, cast.yoga, "停电", at("Mon 18:00"), cast.manager_id)
    last = invited(app, cast, "slot_cancelled", "林晓")
    assert first is not None
    assert last is not None
    assert first["UID"] == last["UID"]
    assert last["SEQUENCE"] > first["SEQUENCE"]


def test_who_only_waited_has_no_event_to_lose(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    cast.do(slots.cancel, cast.yoga, "停电", at("Mon 18:00"), cast.manager_id)
    assert invited(app, cast, "slot_cancelled", "王磊") is None


def test_a_late_letter_never_brings_a_lost_seat_back(app: Flask, session: Session) -> None:
    cast = tuesday(session)
    cast.do(slots.cancel, cast.yoga, "停电", at("Mon 18:00"), cast.manager_id)
    assert invited(app, cast, "confirmed", "林晓") is None


@pytest.mark.sqlite
@pytest.mark.parametrize(("language", "title"), [("zh_Hans_CN", "白领瑜伽课堂"), ("en", "Yoga at Noon")])
def test_the_event_speaks_the_readers_language(app: Flask, session: Session, language: str, title: str) -> None:
    cast = tuesday(session)
    with transactions.transaction(session):
        session.get_one(Person, cast.people["林晓"]).language = language
    with app.app_context():
        mime = rendering.compose(session, cast.letter("confirmed", "林晓"), at("Mon 10:01")).mime
    message = message_from_bytes(mime, policy=default)
    assert isinstance(message, EmailMessage)
    event = event_in(messages(message)[0])
    assert event["SUMMARY"] == title
    assert "http://localhost/slots/" in event["DESCRIPTION"]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("language", "title"), [("zh_Hans_CN", "已取消：白领瑜伽课堂"), ("en", "Cancelled: Yoga at Noon")]
)
def test_the_title_of_a_lost_seat_says_so(app: Flask, session: Session, language: str, title: str) -> None:
    cast = Letters(session)
    with transactions.transaction(session):
        session.get_one(Person, cast.people["林晓"]).language = language
    letter, now = letter_cast.MAKERS["booking_cancelled"](cast)
    with app.app_context():
        mime = rendering.compose(session, letter, now).mime
    message = message_from_bytes(mime, policy=default)
    assert isinstance(message, EmailMessage)
    event = event_in(messages(message)[0])
    assert event["SUMMARY"] == title
    assert "查看或取消" not in event["DESCRIPTION"]
    assert "View or cancel" not in event["DESCRIPTION"]


def send(cast: Letters, kind: str, **columns: object) -> None:
    with transactions.transaction(cast.session) as session:
        session.execute(update(Letter).where(Letter.kind == kind).values({"state": "sent", **columns}))


def cancels(cast: Letters) -> int:
    cast.session.rollback()
    return cast.session.query(Letter).filter_by(kind="booking_cancelled").count()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"state": "sent"}, 1),
        ({"state": "sending"}, 1),
        ({"state": "queued", "tries": 1}, 1),
        ({"state": "queued"}, 0),
        ({"state": "failed", "tries": 1}, 0),
        ({"state": "dropped"}, 0),
    ],
)
def test_who_was_invited_is_sent_the_cancellation(
    app: Flask, session: Session, columns: dict[str, object], told: int
) -> None:
    cast = Letters(session)
    booking = cast.book("林晓", cast.yoga, "Mon 10:00:01")
    send(cast, "confirmed", **columns)
    for _twice in range(2):
        cast.give_up(booking, "Mon 11:00")
    assert cancels(cast) == told


def test_a_seat_from_the_waiting_list_is_cancelled_like_any_other(app: Flask, session: Session) -> None:
    cast = Letters(session)
    cast.full_tuesday()
    entry = cast.book("林晓", cast.crafts, "Mon 10:01")
    cast.give_up(cast.book("陈晨", cast.crafts, "Mon 10:01"), "Mon 16:00")
    send(cast, "promoted")
    first = invited(app, cast, "promoted", "林晓")
    cast.give_up(entry, "Mon 17:00")
    last = invited(app, cast, "booking_cancelled", "林晓")
    assert first is not None
    assert last is not None
    assert (first["UID"], last["STATUS"]) == (last["UID"], "CANCELLED")
    assert last["SEQUENCE"] > first["SEQUENCE"]


def test_a_place_in_line_is_left_without_a_letter(session: Session) -> None:
    cast = Letters(session)
    cast.full_tuesday()
    send(cast, "confirmed")
    cast.give_up(cast.book("王磊", cast.yoga, "Mon 10:01"), "Mon 11:00")
    assert cancels(cast) == 0


def test_an_undone_press_is_cancelled_in_the_calendar_too(app: Flask, session: Session) -> None:
    """Also for who waits again afterwards, as if there had been no seat: the letter was faster."""
    cast = Letters(session)
    cast.full_tuesday()
    free = cast.book("周明", cast.yoga, "Mon 10:01")
    cast.give_up(free, "11:45")  # from 11:40 on a free seat is for the first tap
    entry = cast.book("王磊", cast.yoga, "11:46")
    send(cast, "confirmed")
    first = invited(app, cast, "confirmed", "王磊")
    cast.give_up(entry, "11:47")
    last = invited(app, cast, "booking_cancelled", "王磊")
    assert first is not None
    assert last is not None
    assert (first["UID"], last["STATUS"]) == (last["UID"], "CANCELLED")
    said = letter_text(app, cast, cast.letter("booking_cancelled", "王磊"))
    assert "你还在候补，位置没有变；这还不是预约。" in said


@pytest.mark.one_database
@pytest.mark.parametrize("moved_down", ["queued", "sent"])
def test_who_was_moved_down_and_leaves_is_told_once(app: Flask, session: Session, moved_down: str) -> None:
    """The letter about the move is not sent to who has left; then the one about the leaving goes to the calendar."""
    cast = Letters(session)
    cast.full_tuesday()
    send(cast, "confirmed")
    cast.do(slots.set_capacity, cast.yoga, 2, at("Mon 17:00"), move_newest=True)
    letter = cast.letter("moved_down")
    who = next(name for name, person_id in cast.people.items() if person_id == letter.person_id)
    send(cast, "moved_down", state=moved_down)
    assert letter.booking_id is not None
    cast.give_up(letter.booking_id, "Mon 17:00:30")
    assert cancels(cast) == (moved_down == "queued")
    if moved_down == "queued":
        last = invited(app, cast, "booking_cancelled", who)
        assert last is not None
        assert last["STATUS"] == "CANCELLED"


def test_a_letter_that_is_tried_again_is_still_true(app: Flask, session: Session) -> None:
    letter, now = letter_cast.make(session, "booking_cancelled")
    with transactions.transaction(session):
        session.execute(update(Letter).where(Letter.id == letter.id).values(state="sending", tries=3))
    with app.app_context():
        assert b'method="CANCEL"' in rendering.compose(session, letter, now).mime


def letter_text(app: Flask, cast: Letters, letter: Letter) -> str:
    with app.app_context():
        reader = cast.session.get(Person, letter.person_id)
        told = context.of(cast.session, letter, reader, letter.created_at)
        return rendering.render(letter.kind, told, "zh_Hans_CN").text


@pytest.mark.one_database
@pytest.mark.parametrize("then", ["never sent", "again theirs", "over"])
def test_a_cancellation_that_is_not_true_any_more_is_dropped(app: Flask, session: Session, then: str) -> None:
    letter, now = letter_cast.make(session, "booking_cancelled")
    with transactions.transaction(session):
        if then == "never sent":
            session.execute(update(Letter).where(Letter.kind == "confirmed").values(state="dropped"))
        if then == "again theirs":
            back = "UPDATE booking SET state = 'booked', ended_at = NULL WHERE id = :id"
            session.execute(text(back), {"id": letter.booking_id})
    with app.app_context(), pytest.raises(context.Dropped):
        rendering.compose(session, letter, at("13:00") if then == "over" else now)
