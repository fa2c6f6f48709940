"""Data export: a copy of everything that we store about a person, for that person."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Executable, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from booking.model import (
    Activity,
    ActivityWish,
    AttendanceProof,
    Booking,
    Bounce,
    Consent,
    Digest,
    DoorHelper,
    DoorTap,
    Draw,
    DrawEntry,
    DrawValue,
    Event,
    Feed,
    Follow,
    Letter,
    ManagerInvitation,
    Manages,
    Node,
    Oversees,
    Person,
    Rating,
    SecondFactor,
    ServiceRequest,
    SignIn,
    Slot,
    StaffTransfer,
    Station,
    Strike,
    Suppression,
    Try,
    WatchOpen,
    WishVote,
)

PROFILE = (
    *("email", "name", "phone", "company", "language"),
    *("wants_digest", "wants_manager_digest", "wants_reminder", "created_at"),
)


def everything_about(session: Session, person_id: int) -> dict[str, Any]:
    """Profile, bookings, refused attempts, strikes, follows, draws, ratings, requests, wishes, proofs, links opened, roles,
    check-ins tapped, consents, invitations, sign-ins, calendar, mail, history.

    Ready for JSON; instants are in UTC.
    """
    person = session.get_one(Person, person_id)
    return {
        "profile": {name: _plain(getattr(person, name)) for name in PROFILE},
        "bookings": _rows(session, _bookings(person_id)),
        "tries": _rows(session, _tries(person_id)),
        "strikes": _rows(session, _strikes(person_id)),
        "follows": _rows(session, _follows(person_id)),
        "draws": _rows(session, _draws(person_id)),
        "public_values": _rows(session, _public_values(person_id)),
        "ratings": _rows(session, _ratings(person_id)),
        "requests": _rows(session, _requests(person_id)),
        "wishes": _rows(session, _wishes(person_id)),
        "attendance_proofs": _rows(session, _proofs(person_id)),
        "watched_online": _rows(session, _opens(person_id)),
        "manages": _rows(session, _roles(person_id)),
        "oversees": _rows(session, _oversight(person_id)),
        "transfers": _rows(session, _transfers(person_id)),
        "helps_at_the_door": _rows(session, _door(person_id)),
        "door_taps": _rows(session, _taps(person_id)),
        "consents": _rows(session, _consents(person_id)),
        "invitations": _rows(session, _invitations(person.email)),
        "second_factor": _rows(session, _second_factor(person_id)),
        "sign_ins": _rows(session, _sign_ins(person_id)),
        "calendar_feed": _rows(session, _feed(person_id)),
        "letters": _rows(session, _letters(person)),
        "digests": _rows(session, _digests(person_id)),
        "mail_stopped": _rows(session, _suppression(person_id)),
        "bounces": _rows(session, _bounces(person_id)),
        "history": _rows(session, _history(person_id)),
    }


def _bookings(person_id: int) -> Executable:
    slot = (Station.name.label("station"), Activity.title.label("activity"), Slot.starts_at, Slot.ends_at)
    mine = (Booking.state, Booking.via, Booking.waitlist_position, Booking.created_at, Booking.seated_at)
    then = (Booking.standby_at, Booking.checked_in_at, Booking.ended_at, Booking.end_reason, Booking.late)
    return (
        select(*slot, *mine, *then, Booking.skipped)
        .join_from(Booking, Slot, Booking.slot_id == Slot.id)
        .join(Activity, Slot.activity_id == Activity.id)
        .join(Station, Slot.station_id == Station.id)
        .where(Booking.person_id == person_id)
        .order_by(Booking.id)
    )


def _tries(person_id: int) -> Executable:
    slot = (Station.name.label("station"), Activity.title.label("activity"), Slot.starts_at)
    return (
        select(*slot, Try.at, Try.reason, Try.until, Try.most)
        .join_from(Try, Slot, Try.slot_id == Slot.id)
        .join(Activity, Slot.activity_id == Activity.id)
        .join(Station, Slot.station_id == Station.id)
        .where(Try.person_id == person_id)
        .order_by(Try.at)
    )


def _strikes(person_id: int) -> Executable:
    columns = (Station.name.label("station"), Strike.at, Strike.reason, Strike.forgiven_at, Strike.forgive_reason)
    joined = select(*columns).join_from(Strike, Station, Strike.station_id == Station.id)
    return joined.where(Strike.person_id == person_id).order_by(Strike.id)


def _follows(person_id: int) -> Executable:
    columns = (Station.name.label("station"), Activity.title.label("activity"), Follow.created_at)
    joined = select(*columns).join_from(Follow, Activity, Follow.activity_id == Activity.id)
    mine = joined.join(Station, Activity.station_id == Station.id).where(Follow.person_id == person_id)
    return mine.order_by(Follow.created_at)


def _draws(person_id: int) -> Executable:
    """Of two who entered together, number and balls are those of the older entry, which stands in the list."""
    other = aliased(DrawEntry)
    listed = [func.coalesce(getattr(DrawEntry, name), getattr(other, name)).label(name) for name in ("no", "balls")]
    tag = case((other.no.is_not(None), other.tag), else_=DrawEntry.tag).label("tag")
    together = (DrawEntry.code, DrawEntry.partner_id.is_not(None).label("together"))
    told = (DrawEntry.entered_at, DrawEntry.left_at, DrawEntry.wishes, *together, *listed, tag)
    result = (DrawEntry.rank, DrawEntry.result, DrawEntry.got_slot_id, DrawEntry.passed_over)
    return (
        select(Station.name.label("station"), Draw.opens_at, *told, *result)
        .join_from(DrawEntry, Draw, DrawEntry.draw_id == Draw.id)
        .join(Station, Draw.station_id == Station.id)
        .outerjoin(other, other.id == DrawEntry.partner_id)
        .where(DrawEntry.person_id == person_id)
        .order_by(DrawEntry.id)
    )


def _public_values(person_id: int) -> Executable:
    """The public values that they typed for draws."""
    return (
        select(Station.name.label("station"), Draw.opens_at, DrawValue.value, DrawValue.role, DrawValue.typed_at)
        .join_from(DrawValue, Draw, DrawValue.draw_id == Draw.id)
        .join(Station, Draw.station_id == Station.id)
        .where(DrawValue.person_id == person_id)
        .order_by(DrawValue.id)
    )


def _ratings(person_id: int) -> Executable:
    slot = (Station.name.label("station"), Activity.title.label("activity"), Slot.starts_at)
    return (
        select(*slot, Rating.face, Rating.line, Rating.at)
        .join_from(Rating, Booking, Rating.booking_id == Booking.id)
        .join(Slot, Rating.slot_id == Slot.id)
        .join(Activity, Rating.activity_id == Activity.id)
        .join(Station, Rating.station_id == Station.id)
        .where(Booking.person_id == person_id)
        .order_by(Rating.booking_id)
    )


def _requests(person_id: int) -> Executable:
    table = ServiceRequest
    asked = (Station.name.label("station"), table.kind, table.text, table.created_at, table.state)
    told = (table.answered_at, table.answer, table.passed_to, table.their_no, table.ended_at)
    said = (table.solved, table.satisfied, table.rated_at)
    joined = select(*asked, *told, *said).join_from(table, Station, table.station_id == Station.id)
    return joined.where(table.person_id == person_id).order_by(table.id)


def _wishes(person_id: int) -> Executable:
    """What they want, and which of these wishes they made themselves."""
    wish = ActivityWish
    made = (wish.person_id == person_id).label("made_it")
    told = (Station.name.label("station"), wish.text, wish.kind, wish.weekday, made, WishVote.created_at)
    joined = select(*told, wish.state, wish.answer).join_from(WishVote, wish, WishVote.wish_id == wish.id)
    mine = joined.join(Station, wish.station_id == Station.id).where(WishVote.person_id == person_id)
    return mine.order_by(WishVote.created_at, wish.id)


def _proofs(person_id: int) -> Executable:
    table = AttendanceProof
    columns = (table.code, table.first, table.last, table.created_at)
    return select(*columns).where(table.person_id == person_id).order_by(table.id)


def _opens(person_id: int) -> Executable:
    """The links of slots that they opened to watch online."""
    return (
        select(Station.name.label("station"), Activity.title.label("activity"), Slot.starts_at, WatchOpen.opened_at)
        .join_from(WatchOpen, Slot, WatchOpen.slot_id == Slot.id)
        .join(Activity, Slot.activity_id == Activity.id)
        .join(Station, Slot.station_id == Station.id)
        .where(WatchOpen.person_id == person_id)
        .order_by(WatchOpen.id)
    )


def _roles(person_id: int) -> Executable:
    joined = select(Station.name.label("station"), Manages.since).join_from(Manages, Station)
    return joined.where(Manages.person_id == person_id).order_by(Manages.since)


def _oversight(person_id: int) -> Executable:
    joined = select(Node.name.label("node"), Oversees.role, Oversees.since).join_from(Oversees, Node)
    return joined.where(Oversees.person_id == person_id).order_by(Oversees.since)


def _transfers(person_id: int) -> Executable:
    """Between which stations they were transferred, or are to be."""
    table, other = StaffTransfer, aliased(Station)
    names = (Station.name.label("from_station"), other.name.label("to_station"))
    joined = select(*names, table.on_date, table.asked_at, table.done_at, table.withdrawn_at)
    joined = joined.join_from(table, Station, table.from_station == Station.id).join(
        other, table.to_station == other.id
    )
    return joined.where(table.person_id == person_id).order_by(table.id)


def _door(person_id: int) -> Executable:
    joined = select(Station.name.label("station"), DoorHelper.until).join_from(DoorHelper, Station)
    return joined.where(DoorHelper.person_id == person_id).order_by(DoorHelper.until)


def _taps(person_id: int) -> Executable:
    """The check-ins that they tapped as staff, and codes that they scanned at the door; of whom, these people's bookings
    tell."""
    return (
        select(Station.name.label("station"), Slot.starts_at, DoorTap.at, DoorTap.received_at, DoorTap.outcome)
        .join_from(DoorTap, Booking, DoorTap.booking_id == Booking.id)
        .join(Slot, Booking.slot_id == Slot.id)
        .join(Station, Slot.station_id == Station.id)
        .where(DoorTap.person_id == person_id)
        .order_by(DoorTap.received_at, DoorTap.nonce)
    )


def _consents(person_id: int) -> Executable:
    return select(Consent.version, Consent.at).where(Consent.person_id == person_id).order_by(Consent.at)


def _invitations(email: str | None) -> Executable:
    """To which stations the person's address was invited."""
    table = ManagerInvitation
    columns = (Station.name.label("station"), table.created_at, table.expires_at, table.accepted_at, table.withdrawn_at)
    joined = select(*columns).join_from(table, Station, table.station_id == Station.id)
    return joined.where(table.email == email).order_by(table.id)


def _second_factor(person_id: int) -> Executable:
    """Since when it is on; never what it is made of."""
    return select(SecondFactor.since).where(SecondFactor.person_id == person_id)


def _sign_ins(person_id: int) -> Executable:
    columns = (SignIn.agent, SignIn.created_at, SignIn.expires_at, SignIn.ended_at)
    return select(*columns).where(SignIn.person_id == person_id).order_by(SignIn.id)


def _feed(person_id: int) -> Executable:
    """Since when there is a calendar address; never the address, of which only a hash is stored."""
    return select(Feed.made_at).where(Feed.person_id == person_id)


def _letters(person: Person) -> Executable:
    """Those to the person, and those to their address; without the details, which may be secrets."""
    columns = (Letter.kind, Letter.to, Letter.created_at, Letter.state, Letter.sent_at)
    to_address = and_(Letter.person_id.is_(None), Letter.to == (person.email or ""))
    return select(*columns).where(or_(Letter.person_id == person.id, to_address)).order_by(Letter.id)


def _digests(person_id: int) -> Executable:
    return select(Digest.kind, Digest.date, Digest.written_at).where(Digest.person_id == person_id).order_by(Digest.id)


def _suppression(person_id: int) -> Executable:
    return select(Suppression.kind, Suppression.since, Suppression.reply).where(Suppression.person_id == person_id)


def _bounces(person_id: int) -> Executable:
    return select(Bounce.at, Bounce.kind, Bounce.reply).where(Bounce.person_id == person_id).order_by(Bounce.at)


def _history(person_id: int) -> Executable:
    columns = (Event.at, Event.kind, Event.before, Event.after, Event.reason)
    return select(*columns).where(Event.person_id == person_id).order_by(Event.at, Event.id)


def _rows(session: Session, query: Executable) -> list[dict[str, Any]]:
    found: Iterable[Any] = session.execute(query).mappings()
    return [{name: _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value
