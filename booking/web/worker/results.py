"""Results of actions: the message shown in place, or after the redirect where there is no JavaScript."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from flask import flash, session
from flask_babel import gettext

from booking import clock, seats
from booking.errors import RuleViolation
from booking.model import HOLDING, Booking
from booking.seats import AnySlot
from booking.web.i18n import formatting

# Why a booking that cannot be cancelled has ended, by its `end_reason`.
ENDED = {"slot_cancelled": "ended_by_station", "withdrawn": "ended_by_booking", "removed": "removed_by_station"}


@dataclass(frozen=True)
class Outcome:
    """The result at one card. `booking_id` is what an undo cancels, or what is cancelled on confirmation where it
    `asks`; `entry_id` is the entry in a draw out of which an undo takes this slot; `reason` is the code of a refusal, about
    what was `typed` into a `field` of the card, where it names one."""

    slot_id: int
    tone: str
    title: str
    text: str = ""
    reason: str = ""
    booking_id: int | None = None
    asks: bool = False
    field: str = ""
    typed: str = ""
    entry_id: int | None = None

    @property
    def undoes(self) -> int | None:
        return self.booking_id or self.entry_id


def keep(outcome: Outcome) -> None:
    """Keep it in the session over the redirect: flashed at the top of the page, and shown at the card."""
    flash(outcome.title, outcome.tone)
    session["outcome"] = asdict(outcome)


def last() -> Outcome | None:
    """The result kept for this page; reading it removes it."""
    kept = session.pop("outcome", None)
    return Outcome(**kept) if kept else None


def refused(slot: AnySlot, no: RuleViolation) -> Outcome:
    return Outcome(slot.id, "no", formatting.reason(no, slot.station), formatting.next_step(no), no.reason)


def of_press(slot: AnySlot, press: seats.BookingResult, place: int) -> Outcome:
    """Of a booking that the rules allowed: a seat, a waiting-list place, or the same as before."""
    booking = press.booking
    if booking.state in ("booked", "attended"):
        return Outcome(slot.id, "good", _seat_title(slot, press), _seat_text(slot, press), booking_id=undoable(press))
    if booking.state == "waiting":
        return Outcome(slot.id, "wait", _wait_title(press, place), _wait_text(slot), booking_id=booking.id)
    return refused(slot, RuleViolation("given_up_before"))


def kind(press: seats.BookingResult) -> str:
    """What became of a press, in a word for the metrics."""
    return "repeated" if press.again else press.booking.state


def undoable(press: seats.BookingResult) -> int | None:
    """The id that an undo would cancel: a booking made a moment ago, or a waiting-list place."""
    booking = press.booking
    can = booking.state == "waiting" or seats.can_undo(booking, clock.now())
    return booking.id if can else None


def of_swap(press: seats.BookingResult, at: str) -> Outcome:
    """Of a seat that was taken instead of the one at `at`. It cannot be undone: that seat may be somebody else's."""
    text = gettext("%(at)s 那一场的预约已经替你取消。想换回去，那一场有空位时再改约一次。", at=at)
    return Outcome(press.slot.id, "good", _seat_title(press.slot, press), "" if press.again else text)


def of_undo(slot: AnySlot, booking: Booking, replaced: Sequence[Booking], place: int) -> Outcome:
    """Of a booking that was reverted, and what became of the waiting-list places that it had replaced."""
    if booking.state == "waiting":
        return Outcome(slot.id, "wait", gettext("已撤销，你还在候补，排在第 %(place)s 位", place=place))
    said = [_restored(entry) for entry in replaced]
    return Outcome(slot.id, "", gettext("已撤销，不记爽约"), " ".join(said))


def _restored(entry: Booking) -> str:
    slot = entry.slot
    at = formatting.clock_time(slot.starts_at, slot.station)
    if entry.state == "waiting":
        return str(gettext("你回到了 %(at)s 那一场的候补，位次照旧。", at=at))
    if entry.state in HOLDING:
        return str(gettext("%(at)s 那一场正好有空位，已经给了你。", at=at))
    state = slot.state_at(clock.now())
    if state == "cancelled":
        return str(gettext("%(at)s 那一场取消了，候补不能恢复。", at=at))
    if state != "open":
        return str(gettext("%(at)s 那一场已经开始，候补不能恢复。", at=at))
    return str(gettext("%(at)s 那一场的候补不能恢复：你另外的预约或候补占了它的位置。", at=at))


def of_give_up(slot: AnySlot, booking: Booking, was: str) -> Outcome:
    """Of a cancellation; `was` is the state before. A booking that had ended is unchanged, and so is a newer one."""
    if booking.end_reason not in ("given_up", "press_undone"):
        return refused(slot, RuleViolation(ENDED.get(booking.end_reason or "", "not_live")))
    if was == "cancelled":
        return Outcome(slot.id, "", gettext("之前已经取消过了，这次什么也没有改变"))
    if was == "waiting":
        return Outcome(slot.id, "", gettext("已退出候补"))
    if booking.late:
        return Outcome(slot.id, "", gettext("已取消"), gettext("这次算临时取消。有人补上就不记爽约。"))
    return Outcome(slot.id, "", gettext("已取消，谢谢你把名额让出来"), gettext("改主意了，有空位就还能再约。"))


def of_standby(slot: AnySlot, booking: Booking, now: datetime) -> Outcome:
    if booking.state == "attended":
        return Outcome(slot.id, "good", gettext("有空位，已经给你签到，请进"))
    # Undo would cancel the entry: not offered to a person who was on the waiting list before arriving.
    own, text = booking.created_at == booking.standby_at, formatting.standby_words(slot, now)
    return Outcome(slot.id, "wait", gettext("已排上现场候补"), text, booking_id=booking.id if own else None)


def unwarned(slot: AnySlot, booking: Booking) -> Outcome:
    """Free cancellation ended between the page and the request: nothing was done, the answer warns and asks."""
    at = formatting.clock_time(slot.free_until, slot.station)
    return Outcome(
        slot.id,
        "no",
        gettext("还没有取消"),
        gettext("已经过了 %(time)s，现在才取消，算临时取消，请再确认一次。", time=at),
        "late",
        booking.id,
        asks=True,
    )


def unwarned_swap(slot: AnySlot, held: Booking) -> Outcome:
    """The same for a swap. The card says it now, and asks by its button."""
    at = formatting.clock_time(held.slot.free_until, held.slot.station)
    text = gettext("已经过了 %(time)s，现在才取消原来那一场，算临时取消。要改就再按一次。", time=at)
    return Outcome(slot.id, "no", gettext("还没有改约"), text, "late")


def too_late_to_undo(slot: AnySlot, booking: Booking) -> Outcome:
    """An undo that would have restored a waiting-list place came too late: nothing was done, the answer asks."""
    text = gettext("已经过了两分钟：现在是取消，换掉的候补不会回来。")
    return Outcome(slot.id, "no", gettext("还没有取消"), text, "too_late_to_undo", booking.id, asks=True)


def _seat_title(slot: AnySlot, press: seats.BookingResult) -> str:
    if press.again:
        return str(gettext("这一场你已经约上了"))
    today = formatting.station_date(clock.now(), slot.station)
    return str(gettext("约上了，%(when)s 见", when=formatting.format_moment(slot.starts_at, slot.station, today)))


def _seat_text(slot: AnySlot, press: seats.BookingResult) -> str:
    if press.withdrawn:
        return str(gettext("和它冲突的候补已经替你退出；两分钟内撤销，位次照旧。"))
    bring = formatting.local(slot.activity, "bring")
    return str(gettext("记得：%(bring)s。", bring=bring)) if bring else ""


def _wait_title(press: seats.BookingResult, place: int) -> str:
    if press.again:
        return str(gettext("你已经在候补了，排在第 %(place)s 位", place=place))
    return str(gettext("你排在第 %(place)s 位", place=place))


def _wait_text(slot: AnySlot) -> str:
    at = formatting.clock_time(slot.waitlist_until, slot.station)
    return str(gettext("%(time)s 前有人取消，就自动给最前面的人，并发邮件。轮到之前不算预约。", time=at))
