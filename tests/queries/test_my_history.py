"""My history: the events about one person, page by page."""

from sqlalchemy.orm import Session

from booking.queries import my_history
from tests.support.lunch_hour import LunchHour


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
