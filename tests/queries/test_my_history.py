"""My history: the events about one person, page by page."""

from sqlalchemy.orm import Session

from booking.model import Event
from booking.queries import my_history
from tests.support.lunch_hour import SHANGHAI, LunchHour, at


def test_the_pages_hold_every_event_about_the_person_once_and_nobody_elses(session: Session) -> None:
    lunch = LunchHour(session, capacity=1)
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:01")
    lunch.give_up("周明", "Mon 10:30")
    lunch.book("周明", "Mon 10:31")
    lunch.cancel("Mon 11:00")
    for who, kinds in {
        "周明": ["slot_cancelled", "waiting", "given_up", "booked"],
        "李静": ["slot_cancelled", "promoted", "waiting"],
        "王磊": [],
    }.items():
        seen, before = [], None
        for _page in range(9):
            page = my_history.events_about(session, lunch.people[who], before, limit=2)
            assert len(page.events) <= 2
            assert {event.person_id for event in page.events} <= {lunch.people[who]}
            assert all(page.slots[event.slot_id].id == lunch.slot_id for event in page.events if event.slot_id)
            seen += [event.kind for event in page.events]
            before = page.older
            if before is None:
                break
        assert seen == kinds


def test_what_was_written_down_late_stands_at_its_own_time(session: Session) -> None:
    lunch = LunchHour(session)
    who = lunch.people["周明"]
    for clock in ("Mon 12:00", "Mon 09:00", "Mon 10:00", "Mon 10:00", "Mon 11:00"):
        session.add(Event(at=at(clock), kind="signed_in", person_id=who, actor_id=who))
        session.flush()
    seen: list[str] = []
    before = None
    while not seen or before is not None:
        page = my_history.events_about(session, who, before, limit=2)
        seen += [f"{event.at.astimezone(SHANGHAI):%H:%M}" for event in page.events]
        before = page.older
    assert seen == ["12:00", "11:00", "10:00", "10:00", "09:00"]
