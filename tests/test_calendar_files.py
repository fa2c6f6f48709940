"""Calendar files: one event a seat, kept in step, and never a place in line."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy.orm import Session

from booking import calendar_files
from booking.model import Booking
from booking.queries.calendar_revisions import Revision, is_cancelled, revisions
from tests.support.lunch_hour import LunchHour, at

NOON = at("12:10")
SEAT = calendar_files.CalendarEntry(
    "booking-7@lunch.example",
    Revision(2, at("Mon 10:00")),
    NOON,
    NOON + timedelta(minutes=50),
    "Asia/Shanghai",
    "白领瑜伽, 课;堂",
    "健身区 · 白领驿站",
    "主持：林\r\n请带：垫",
    "https://lunch.example/slots/7",
)


CANCEL = calendar_files.Scheduling(
    "CANCEL", calendar_files.Party("lunch@lunch.example", "午间驿小时"), calendar_files.Party("lin@example.com", "林晓")
)


def read(entry: calendar_files.CalendarEntry, **options: Any) -> Calendar:
    return Calendar.from_ical(calendar_files.calendar([entry], **options))


def test_an_event_reads_back_as_it_was_meant() -> None:
    (event,) = read(SEAT).events
    assert event["UID"] == "booking-7@lunch.example"
    assert event["SEQUENCE"] == 2
    assert (event.start, event.end) == (NOON, NOON + timedelta(minutes=50))
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert (event["SUMMARY"], event["DESCRIPTION"]) == ("白领瑜伽, 课;堂", "主持：林\n请带：垫")
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "OPAQUE")


def test_a_cancelled_seat_stays_as_an_event_that_is_off() -> None:
    (event,) = read(replace(SEAT, cancelled=True), scheduling=CANCEL).events
    assert (event["STATUS"], event["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
    assert event["UID"] == "booking-7@lunch.example"


def test_a_file_is_a_message_only_with_a_sender_and_a_reader() -> None:
    file, message = read(SEAT, name="午间"), read(SEAT, scheduling=CANCEL)
    assert ("METHOD" in file, "ORGANIZER" in file.events[0], "ATTENDEE" in file.events[0]) == (False, False, False)
    (event,) = message.events
    assert (message["METHOD"], event["ORGANIZER"]) == ("CANCEL", "mailto:lunch@lunch.example")
    assert event["ATTENDEE"] == "mailto:lin@example.com"


@pytest.mark.parametrize(
    "name", ["林晓", "王\U00031350", "O'Neil, Ann", 'A "B" C', "x;y:z", "^n", "a\\b", "A\r\nATTENDEE:mailto:b@c.de", ""]
)
def test_a_name_reads_back_whatever_it_holds(name: str) -> None:
    parties = (calendar_files.Party("a@example.com", name), calendar_files.Party("b@example.com", name))
    (event,) = read(SEAT, scheduling=calendar_files.Scheduling("REQUEST", *parties)).events
    for property_name, party in zip(("ORGANIZER", "ATTENDEE"), parties, strict=True):
        assert event[property_name] == f"mailto:{party.address}"
        assert event[property_name].params.get("CN", "") == " ".join(name.split())


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Africa/Casablanca"])
def test_the_file_says_itself_what_its_zones_are(zone: str) -> None:
    read_back = read(replace(SEAT, zone_name=zone))
    assert [str(part["TZID"]) for part in read_back.timezones] == [zone]
    assert read_back.events[0].start == NOON


def test_a_subscription_has_a_name_and_a_pace() -> None:
    text = calendar_files.calendar([SEAT], name="午间").decode()
    assert "\r\nX-WR-CALNAME:午间\r\n" in text
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in text
    assert "NAME" not in calendar_files.calendar([]).decode()


def test_the_same_entries_make_the_same_bytes() -> None:
    assert calendar_files.calendar([SEAT]) == calendar_files.calendar([SEAT])


def test_nothing_typed_adds_a_line() -> None:
    nasty = "瑜伽\r\nATTENDEE:mailto:victim@example.com\x00\u2028END:VEVENT"
    events = read(replace(SEAT, title=nasty, place=nasty, notes=nasty), name=nasty).events
    assert len(events) == 1
    assert "ATTENDEE" not in events[0]


def of(session: Session, booking: Booking) -> tuple[bool, bool, int, datetime]:
    session.rollback()
    told = revisions(session, [booking])[booking.id]
    return calendar_files.has_event(booking), is_cancelled(booking), told.sequence, told.changed_at


def test_the_number_rises_with_every_change_of_the_seat(session: Session) -> None:
    cast = LunchHour(session, capacity=2)
    cast.book("周明", "Mon 10:00")
    cast.book("李静", "Mon 10:00:01")
    newest = cast.latest("李静")
    assert of(session, newest) == (True, False, 1, at("Mon 10:00:01"))
    cast.resize(1, "Mon 11:00", move_newest=True)
    assert cast.state("李静") == "waiting"
    assert of(session, newest) == (True, True, 2, at("Mon 11:00"))
    cast.give_up("周明", "Mon 12:00")
    assert of(session, newest) == (True, False, 3, at("Mon 12:00"))
    cast.cancel("Mon 13:00")
    assert of(session, newest) == (True, True, 4, at("Mon 13:00"))


def test_a_place_in_line_is_no_event(session: Session) -> None:
    cast = LunchHour(session, capacity=1)
    cast.book("周明", "Mon 10:00")
    cast.book("李静", "Mon 10:00:01")
    assert not calendar_files.has_event(cast.latest("李静"))
