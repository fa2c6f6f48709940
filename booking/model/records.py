"""Records: letters, digests, history, the scheduler's runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from booking.model.base import Base, Day, Id, one_of, partial

# The events that change the texts of a station's slots: names, teachers, addresses. Inline in each statement that asks for
# them, so that every plan may use their index.
CATALOGUE = "kind IN ('activity_saved', 'station_changed', 'zone_saved')"
# The events of a network's nodes, inline likewise: they are few among all.
OF_NODES = (
    "kind IN ('node_added', 'node_changed', 'node_moved', 'node_closed', 'node_reopened', 'node_policy', 'station_joined', "
    "'stations_imported', 'overseer_appointed', 'overseer_ended', 'notice_published', 'notice_changed', 'notice_ended')"
)

# The events of entries of draws that still have a person, inline likewise: they have no slot, and are forgotten by their age.
OF_ENTRIES = "kind IN ('entered', 'left', 'paired', 'parted', 'value_typed') AND person_id IS NOT NULL"


class Letter(Base):
    """邮件: one letter to one person, a row in the outbox. `key` makes the letter unique.

    `held_at` is when a restore found it: it may have been sent after the backup, so it waits until an admin decides.
    """

    __tablename__ = "letter"
    __table_args__ = (
        one_of("state", ("queued", "sending", "sent", "failed", "dropped")),
        partial("ix_letter_due", "next_try_at", where="state = 'queued'"),
        partial("ix_letter_sending", "claimed_at", where="state = 'sending'"),
        partial("ix_letter_failed", "created_at", where="state = 'failed'"),
        partial("ix_letter_held", "held_at", where="state = 'queued' AND held_at IS NOT NULL"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    key: Mapped[str | None] = mapped_column(String(120), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    to: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str | None] = mapped_column(String(16))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"), index=True)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(8), default="queued")
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(300), default="")


class MailPause(Base):
    """Why mail has not been sent since its last success; no row while it is sent.

    `refusals` in a row since the last of `rests`, the last of which ends at `until`. `reply` holds no address.
    """

    __tablename__ = "mail_pause"
    __table_args__ = (one_of("kind", ("setup", "throttled", "unclear", "unreachable")),)
    sender: Mapped[str] = mapped_column(String(8), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    since: Mapped[datetime]
    until: Mapped[datetime]
    refusals: Mapped[int] = mapped_column(default=0)
    rests: Mapped[int] = mapped_column(default=0)
    reply: Mapped[str] = mapped_column(String(300), default="")


class Bounce(Base):
    """退信: a letter that was not delivered. `key` is its Message-ID, so that it counts once.

    `hard`: its person has no such mailbox; `soft`: this letter was not taken; `sender`: the refusal is about us.
    `unmatched` is a report that names no letter of ours, its hash as `key`. `reply` holds no address.
    """

    __tablename__ = "bounce"
    __table_args__ = (
        one_of("kind", ("hard", "soft", "sender", "unmatched")),
        CheckConstraint("(kind = 'unmatched') = (person_id IS NULL)", name="person"),
    )
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(index=True)
    reply: Mapped[str] = mapped_column(String(300), default="")


class Suppression(Base):
    """停发: a person whom mail does not reach. `hard`: only what they ask for is sent; `soft`: no digests are."""

    __tablename__ = "suppression"
    __table_args__ = (one_of("kind", ("hard", "soft")),)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime]
    reply: Mapped[str] = mapped_column(String(300), default="")


class Digest(Base):
    """日报: the daily letter, one for each person, kind and date."""

    __tablename__ = "digest"
    __table_args__ = (
        one_of("kind", ("worker", "manager")),
        UniqueConstraint("person_id", "kind", "date"),
        partial("ix_digest_letter_id", "letter_id", where="letter_id IS NOT NULL"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(8))
    date: Mapped[Day]
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id"))
    written_at: Mapped[datetime]


class DigestRound(Base):
    """The digests of one kind in one time zone: when it was last found that none is missing any more."""

    __tablename__ = "digest_round"
    __table_args__ = (one_of("kind", ("worker", "manager")),)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    zone_name: Mapped[str] = mapped_column(String(64), primary_key=True)
    done_at: Mapped[datetime]


class Event(Base):
    """记录: one event of the history. `actor_id` NULL means a job did it."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "slot_id", "id"),
        Index(None, "station_id", "id"),
        Index(None, "person_id", "id"),
        partial("ix_event_catalogue", "station_id", where=CATALOGUE),
        partial("ix_event_of_nodes", "id", where=OF_NODES),
        partial("ix_event_of_entries", "at", where=OF_ENTRIES),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(24))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id", ondelete="SET NULL"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    before: Mapped[str | None] = mapped_column(String(16))
    after: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class CalendarDomain(Base):
    """What follows the @ in the UIDs of calendar events. One row: a calendar knows an event by its UID for ever."""

    __tablename__ = "calendar_domain"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(255))


class DoorTap(Base):
    """A roster tap that a phone may send twice: `nonce` is the phone's id of it, `outcome` the stored answer."""

    __tablename__ = "door_tap"
    nonce: Mapped[str] = mapped_column(String(40), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(24))


class JobRun(Base):
    """The last run of a scheduler job. `every` is its interval in seconds, `seen_at` its last heartbeat."""

    __tablename__ = "job_run"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    every: Mapped[int] = mapped_column(default=60)
    did: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(300), default="")


class SetAside(Base):
    """One row that a job could not process: tried again at `next_try_at`; waiting for a person when that is NULL."""

    __tablename__ = "set_aside"
    __table_args__ = (UniqueConstraint("job", "row_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int] = mapped_column(Id)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id", name="fk_set_aside_station_id_station"))
    tries: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime]
    next_try_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(300), default="")


class Outage(Base):
    """A time in which no scheduler ran."""

    __tablename__ = "outage"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime] = mapped_column(index=True)
