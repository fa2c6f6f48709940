"""The data export is everything that is stored about a person."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from booking import checkin_sync, people
from booking.model import Booking, Digest, Letter, Person
from booking.model.base import Base
from booking.people.data_export import everything_about
from tests.support.lunch_hour import LunchHour, at
from tests.support.statements import heard

OTHERS = "what they did to somebody is told to that person"
# The references to a person by which nothing is exported, and why.
LEFT_OUT = {
    "event.actor_id": OTHERS,
    "strike.forgiven_by": OTHERS,
    "door_helper.granted_by": OTHERS,
    "manager_invitation.invited_by": OTHERS,
    "staff_transfer.asked_by": OTHERS,
    "station_import.person_id": "the sheet is the network's, and is emptied once it is imported",
}
# The columns of a booking that are not exported, and why.
NOT_OF_A_BOOKING = {
    "id": "a number of ours",
    "slot_id": "its station, activity and times are",
    "station_id": "its name is",
    "person_id": "it is theirs",
    "key": "a number of ours",
    "ticket": "whoever has it can be checked in with it",
}


def test_each_reference_to_a_person_is_exported_or_left_out_for_a_reason(session: Session, engine: Engine) -> None:
    lunch = LunchHour(session)
    with heard(engine) as sent:
        everything_about(session, lunch.people["周明"])
    asked = " ".join(statement.text for statement in sent).replace('"', "")
    references = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.references(Person.__table__) for key in column.foreign_keys)  # type: ignore[arg-type]
    }
    exported = {name for name in references if f"{name} = " in asked}
    assert references - exported == LEFT_OUT.keys()


def test_each_column_of_a_booking_is_exported_or_left_out_for_a_reason(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    (told,) = everything_about(session, lunch.people["周明"])["bookings"]
    assert set(Booking.__table__.columns.keys()) - told.keys() == NOT_OF_A_BOOKING.keys()
    assert (told["seated_at"], told["standby_at"], told["late"]) == (told["created_at"], None, False)


def test_letters_digests_and_the_calendar_are_in_it_without_their_secrets(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.book("李静", "Mon 10:00")
    me = session.get_one(Person, lunch.people["周明"])
    me.email = "zhou@example.com"
    session.commit()
    secret = people.open_feed(session, me.id, at("Mon 11:00"))
    people.ask_for_code(session, me.email, "sign_in", "en", at("Mon 11:05"), "browser", "192.0.2.1")
    session.add(Digest(person_id=me.id, kind="worker", date=at("Mon 11:00").date(), written_at=at("Mon 11:00")))
    session.commit()
    told = everything_about(session, me.id)
    assert [letter["kind"] for letter in told["letters"]] == ["confirmed", "code"]
    assert told["calendar_feed"] == [{"made_at": "2026-11-23T03:00:00+00:00"}]
    assert [(digest["kind"], digest["date"]) for digest in told["digests"]] == [("worker", "2026-11-23")]
    (code,) = session.scalars(select(Letter.details).where(Letter.kind == "code"))
    assert secret not in str(told)
    assert code["code"] not in str(told)


def test_the_check_ins_that_somebody_tapped_are_theirs(session: Session) -> None:
    lunch = LunchHour(session)
    lunch.book("周明", "Mon 10:00")
    lunch.tick("12:10")
    made = checkin_sync.Tap("some-nonce", lunch.latest("周明").id, here=True, at=at("12:11"))
    checkin_sync.apply(session, made, at("12:12"), lunch.manager_id, "")
    assert everything_about(session, lunch.people["周明"])["door_taps"] == []
    (tapped,) = everything_about(session, lunch.manager_id)["door_taps"]
    assert (tapped["at"], tapped["outcome"]) == ("2026-11-24T04:11:00+00:00", "in")
