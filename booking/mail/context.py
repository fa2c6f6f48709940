"""Context: what the templates of each kind of letter may name, and whether the letter is still worth sending."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import policy, seats
from booking.db.arrays import in_array
from booking.enqueue import is_invited
from booking.errors import RuleViolation
from booking.mail import digest_context, links, night_draws, reminders, subscriptions, watch_letters
from booking.mail.recipient import Dropped, managed
from booking.mail.wording import plain_name, zone_words
from booking.model import HOLDING, LIVE, Booking, Letter, Person, Slot, StaffTransfer, Station, Strike
from booking.people.codes import GOOD_FOR
from booking.people.invitations import invitation_of
from booking.people.second_factor_policy import second_factor_due
from booking.queries import watch_links
from booking.queries.slot_cards import place_in_line
from booking.sanitise import one_line
from booking.seats import strike_ledger
from booking.slots.moving import PLACE, as_told

# A repeated registration is mentioned no later than this.
REGISTRATION_NEWS_FOR = timedelta(days=1)

Context = dict[str, Any]
Live = dict[int | None, dict[int, str]]  # the state of each live booking, by person and slot


def slot_ids(letter: Letter) -> Iterable[int]:
    """The slots that the letter's context reads, to be loaded for a batch at once."""
    told = letter.details
    wishes = [slot_id for slot_id, _ in told.get("wishes", ())]
    visits = [slot_id for _, slot_id in told.get("visits", ())]
    return [*_own_slots(letter), *visits, *told.get("opens", ()), *told.get("follows", ()), *wishes]


def _own_slots(letter: Letter) -> list[int]:
    """Those on which the reader has a seat or waits, or wanted to in a draw."""
    told = letter.details
    waits = [slot_id for slot_id, _ in told.get("waits", ())]
    draws = [slot_id for _, slot_id, _ in told.get("draws", ())]
    return [*told.get("seats", ()), *waits, *draws, *filter(None, [letter.slot_id])]


def live_bookings(session: Session, letters: Sequence[Letter]) -> Live:
    """What the contexts of `BY_BOOKINGS` read of a batch of letters, in one statement."""
    found: Live = defaultdict(dict)
    read = [letter for letter in letters if letter.kind in BY_BOOKINGS]
    if slots := {slot_id for letter in read for slot_id in _own_slots(letter)}:
        people = {letter.person_id for letter in read if letter.person_id}
        theirs = (Booking.person_id.in_(in_array(people)), Booking.slot_id.in_(in_array(slots)))
        columns = select(Booking.person_id, Booking.slot_id, Booking.state)
        for person_id, slot_id, state in session.execute(columns.where(*theirs, Booking.state.in_(LIVE))):
            found[person_id][slot_id] = state
    return found


def of(session: Session, letter: Letter, reader: Person | None, now: datetime, live: Live | None = None) -> Context:
    """Everything that the templates of this letter may name; raises `Dropped`. `live`: that of the letter's batch."""
    slot = session.get(Slot, letter.slot_id) if letter.slot_id else None
    booking = session.get(Booking, letter.booking_id) if letter.booking_id else None
    told = common(letter.kind, reader, slot) | letter.details
    if letter.kind in BY_BOOKINGS:
        mine = (live_bookings(session, [letter]) if live is None else live).get(letter.person_id, {})
        return told | BY_BOOKINGS[letter.kind](session, letter, slot, mine, now)
    return told | CONTEXTS[letter.kind](session, letter, slot, booking, now)


def common(kind: str, reader: Person | None, slot: Slot | None) -> Context:
    """What the templates of every letter may name."""
    return {
        "kind": kind,
        "name": plain_name(reader.name) if reader else "",
        "link": links.public,
        "one_line": one_line,
        "names": lambda bookings: [plain_name(b.person.name) or "-" for b in bookings],
        "zone_words": zone_words,
        "slot": slot,
        "station": slot.station if slot else None,
        "stop": links.stop(reader.id, kind) if reader and kind in subscriptions.KINDS else None,
    }


def _code(_session: Session, letter: Letter, _slot: Slot | None, _booking: Booking | None, now: datetime) -> Context:
    if now >= letter.created_at + GOOD_FOR or "code" not in letter.details:
        raise Dropped("the code is no longer good")
    return {"minutes": int(GOOD_FOR.total_seconds() // 60)}


def _registered(
    _session: Session, letter: Letter, _slot: Slot | None, _booking: Booking | None, now: datetime
) -> Context:
    if now >= letter.created_at + REGISTRATION_NEWS_FOR:
        raise Dropped("asked too long ago")
    return {}


def _invitation(
    session: Session, letter: Letter, _slot: Slot | None, _booking: Booking | None, now: datetime
) -> Context:
    """Only the newest link of an invitation is sent."""
    try:
        invitation = invitation_of(session, letter.details.get("token", ""), now)
    except RuleViolation as no:
        raise Dropped("the invitation is over, or has a newer link") from no
    return {"station": session.get_one(Station, invitation.station_id), "until": invitation.expires_at}


def _second_factor(
    session: Session, letter: Letter, _slot: Slot | None, _booking: Booking | None, _now: datetime
) -> Context:
    """What happened is told however late; what is asked for only while it is still to be done."""
    if letter.details["what"] != "required":
        return {}
    since = second_factor_due(session, letter.person_id) if letter.person_id else None
    if since is None:
        raise Dropped("it is done, or not asked for any more")
    return {"since": since}


def _staff_transfer(
    session: Session, letter: Letter, _slot: Slot | None, _booking: Booking | None, _now: datetime
) -> Context:
    """Whether it is about the reader, and who moves. A plan that was changed since is not told, nor a manager who
    has left both stations."""
    what, transfer = letter.details["what"], session.get(StaffTransfer, letter.details["transfer"])
    if transfer is None or transfer.person.deleted_at:
        raise Dropped("the transfer is gone")
    if what == "planned" and (transfer.withdrawn_at or transfer.done_at):
        raise Dropped("the plan is over")
    if transfer.person_id != letter.person_id:
        managed(session, letter, (transfer.from_station, transfer.to_station))
    about = {"who": transfer.person.name, "day": transfer.on_date, "mine": transfer.person_id == letter.person_id}
    return {**about, "leaves": transfer.leaves, "joins": transfer.joins}


def _cancelled(
    _session: Session, _letter: Letter, slot: Slot | None, _booking: Booking | None, now: datetime
) -> Context:
    """A slot cancelled ahead; or one that did not take place, which is told after its end as well."""
    fell_through = slot is not None and slot.unattended and not slot.cancel_reason
    if slot is None or (now >= slot.ends_at and not fell_through):
        raise Dropped("the slot is over")
    return {"fell_through": fell_through}


def _seat(_session: Session, _letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.ends_at:
        raise Dropped("the slot is over")
    if booking is None or booking.state not in HOLDING:
        raise Dropped("the seat was given up")
    free_time_is_over = booking.seated_at is not None and booking.seated_at > slot.free_until
    promoted = booking.via == "line"
    return {"always_free": free_time_is_over and promoted, "always_late": free_time_is_over and not promoted}


def _draw_result(
    session: Session, letter: Letter, slot: Slot | None, mine: Mapping[int, str], now: datetime
) -> Context:
    if slot is None or not night_draws.is_true(slot, letter.details, mine, now):
        raise Dropped("the slot is over, or is off, or the seat is theirs")
    return night_draws.result(session, slot, letter.details, mine, now)


def _given_up(session: Session, letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.ends_at:
        raise Dropped("the slot is over")
    if booking is None or booking.state in HOLDING:
        raise Dropped("the seat is theirs again")
    if not is_invited(session, booking, letter.id):
        raise Dropped("no invitation was sent")
    return {"waiting": booking.state == "waiting", "late": booking.late}


def _removed(session: Session, _letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.ends_at or slot.state == "cancelled":
        raise Dropped("the slot is over, or is off")
    if booking is None or seats.live_booking(session, slot.id, booking.person_id):
        raise Dropped("on the slot again")
    return {"was_waiting": booking.seated_at is None}


def _moved(_session: Session, letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.starts_at or slot.state == "cancelled":
        raise Dropped("the slot has started, or is off")
    if booking is None or booking.state not in ("booked", "waiting"):
        raise Dropped("no longer on the slot")
    was, told = letter.details["was"], as_told(slot)
    moved = any(was[name] != told[name] for name in PLACE)
    other_host = was.get("host", told["host"]) != told["host"]
    if not moved and not other_host:
        raise Dropped("it is as it was")
    return {
        "was_starts": datetime.fromisoformat(was["starts"]),
        "was": SimpleNamespace(
            name=was["zone"], name_en=was["zone_en"], host=was.get("host"), host_en=was.get("host_en")
        ),
        "moved": moved,
        "other_host": other_host,
        "waiting": booking.state == "waiting",
    }


def _message(_session: Session, _letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.ends_at or slot.state == "cancelled":
        raise Dropped("the slot is over, or is off")
    if booking is None or booking.state not in LIVE:
        raise Dropped("no longer on the slot")
    return {"waiting": booking.state == "waiting"}


def _line(session: Session, _letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.starts_at:
        raise Dropped("the slot has started")
    if booking is None or booking.state != "waiting":
        raise Dropped("no longer waiting")
    return {"place": place_in_line(session, booking)}


def _watch(session: Session, letter: Letter, slot: Slot | None, _booking: Booking | None, now: datetime) -> Context:
    if slot is None or now >= slot.ends_at - watch_letters.LAST_MINUTES or slot.state == "cancelled":
        raise Dropped("the slot is over, or is off")
    if letter.person_id and seats.live_booking(session, slot.id, letter.person_id):
        raise Dropped("in the room after all")
    link = watch_links.link_of(session, slot.id)
    if link is None or not link.url:
        raise Dropped("it cannot be watched any more")
    return {}


def _strike(session: Session, letter: Letter, slot: Slot | None, _booking: Booking | None, now: datetime) -> Context:
    if slot is None or letter.person_id is None:
        raise Dropped("nothing to tell")
    mine = (Strike.person_id == letter.person_id, Strike.slot_id == slot.id, Strike.forgiven_at.is_(None))
    if session.scalar(select(Strike.id).where(*mine).limit(1)) is None:
        raise Dropped("the strike was taken back")
    numbers = policy.read(slot.station.policy)
    counting = select(func.count(Strike.id)).where(
        Strike.person_id == letter.person_id,
        Strike.station_id == slot.station_id,
        Strike.forgiven_at.is_(None),
        Strike.at > now - numbers.strike_window,
    )
    return {
        "numbers": numbers,
        "counting": session.scalar(counting) or 0,
        "paused_until": strike_ledger.paused_until(session, letter.person_id, slot.station_id, numbers, now),
    }


def _attendance(
    session: Session, letter: Letter, slot: Slot | None, _booking: Booking | None, now: datetime
) -> Context:
    if slot is None or not seats.awaits_word(slot, now):
        raise Dropped("the slot does not wait for a word any more")
    managed(session, letter, [slot.station_id])
    return {"until": slot.ends_at + seats.BOOKS_OPEN, "is_over": now >= slot.ends_at}


def _reminder(_session: Session, _letter: Letter, slot: Slot | None, booking: Booking | None, now: datetime) -> Context:
    """A slot that was moved to a later hour had a letter about that, which is enough."""
    if slot is None or now >= slot.starts_at - reminders.LAST_MINUTES or slot.state == "cancelled":
        raise Dropped("the slot begins, or is off")
    if now < slot.starts_at - reminders.BEFORE:
        raise Dropped("the slot was moved")
    if booking is None or booking.state != "booked":
        raise Dropped("checked in, or no seat any more")
    is_free = now <= slot.free_until
    return {"is_free": is_free, "is_late": not is_free and seats.is_late(slot, booking, now)}


CONTEXTS: dict[str, Callable[[Session, Letter, Slot | None, Booking | None, datetime], Context]] = {
    "code": _code,
    "already_registered": _registered,
    "manager_invitation": _invitation,
    "second_factor": _second_factor,
    "staff_transfer": _staff_transfer,
    "confirmed": _seat,
    "promoted": _seat,
    "calendar": _seat,
    "seat_open": _line,
    "watch_link": _watch,
    "moved_down": _line,
    "slot_moved": _moved,
    "slot_message": _message,
    "slot_cancelled": _cancelled,
    "booking_cancelled": _given_up,
    "booking_removed": _removed,
    "strike": _strike,
    "attendance_missing": _attendance,
    "reminder": _reminder,
    "manager_digest": digest_context.manager,
}
# Those that depend on the state of the reader's live booking on each slot, which is read for a batch at once.
BY_BOOKINGS: dict[str, Callable[[Session, Letter, Slot | None, Mapping[int, str], datetime], Context]] = {
    "draw_result": _draw_result,
    "worker_digest": digest_context.worker,
}
