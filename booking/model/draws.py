"""Draws: the entries of a draw, the draw itself, its public value, and the hash chains that its secrets come from."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Day, Id, one_of, partial
from booking.model.places import Station
from booking.model.programme import VALUE_KINDS

DRAW_STATES = ("gathering", "frozen", "drawn", "void")
UNDECIDED = DRAW_STATES[:2]
ENTRY_RESULTS = ("seat", "lost", "passed_over")
VALUE_ROLES = ("entrant", "manager")


class DrawChain(Base):
    """Hash chain of a station: each link is the secret of one draw, used from the first on.

    The links are derived from SECRET_KEY and `seed`, so that a copy of the database reveals none; `key_id` tells with
    which SECRET_KEY. `anchor` is public and lies before the first link. `used` is the number of the last link in use. A
    chain that is `ended_at` gives no further links. Draws that wait for a public value have a chain of their own
    (`typed`): a later link tells the earlier ones, and nobody else should wait for them.
    """

    __tablename__ = "draw_chain"
    __table_args__ = (Index(None, "station_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    seed: Mapped[str] = mapped_column(String(40))
    key_id: Mapped[str] = mapped_column(String(8))
    anchor: Mapped[str] = mapped_column(String(64))
    used: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    typed: Mapped[bool] = mapped_column(default=False, server_default=false())


class Draw(Base):
    """抽签: how the seats of a station's day are given out by lot, of all slots that have the same opening.

    People enter from `opens_at` to `closes_at`. `commitment` is the hash of the secret and is published before;
    `list_sha256` the fingerprint of the frozen entries. `secret`, `seed` and `seats` (by slot id) are known once it is
    drawn. Where a public value counts (`value_kind`), it is read where `value_source` says, typed from `value_from` on and
    until `value_until`, and is the `value` of the seed.
    """

    __tablename__ = "draw"
    __table_args__ = (
        one_of("state", DRAW_STATES),
        UniqueConstraint("station_id", "date", "opens_at"),
        UniqueConstraint("chain_id", "link_no"),
        CheckConstraint("opens_at <= closes_at", name="closes"),
        CheckConstraint("(commitment IS NULL) = (link_no IS NULL)", name="commitment"),
        CheckConstraint("state NOT IN ('frozen', 'drawn') OR list_sha256 IS NOT NULL", name="list"),
        CheckConstraint("(state = 'drawn') = (seed IS NOT NULL)", name="seed"),
        CheckConstraint("(state = 'void') = (why_void IS NOT NULL)", name="void"),
        one_of("value_kind", VALUE_KINDS),
        CheckConstraint("(value_kind = 'none') = (value_from IS NULL)", name="value"),
        partial("ix_draw_due", "closes_at", where="state IN ('gathering', 'frozen')"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    date: Mapped[Day]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default="gathering")
    version: Mapped[int]
    chain_id: Mapped[int | None] = mapped_column(ForeignKey("draw_chain.id"))
    link_no: Mapped[int | None]
    commitment: Mapped[str | None] = mapped_column(String(64))
    list_sha256: Mapped[str | None] = mapped_column(String(64))
    frozen_at: Mapped[datetime | None]
    secret: Mapped[str | None] = mapped_column(String(64))
    seed: Mapped[str | None] = mapped_column(String(64))
    seats: Mapped[dict[str, Any]] = mapped_column(default=dict)
    drawn_at: Mapped[datetime | None]
    why_void: Mapped[str | None] = mapped_column(String(24))
    value_kind: Mapped[str] = mapped_column(String(8), default="none", server_default="none")
    value_source: Mapped[str | None] = mapped_column(String(120))
    value_from: Mapped[datetime | None]
    value_until: Mapped[datetime | None]
    value: Mapped[str | None] = mapped_column(String(160))
    station: Mapped[Station] = relationship()


class DrawEntry(Base):
    """报名: a person's entry in a draw, with `wishes`: slot ids, the best first. It is not a booking.

    Two who enter together have an entry each, with the same wishes, and each names the other as `partner_id`. In the list
    they are one of two `people`, with the number of the older entry; only that one has `no` and `balls`. `code` is what
    somebody types to enter together with this person.

    `tag` names it in public, together with `no`, its number in the frozen list; only its person knows which is theirs.
    `no` and `balls` are set when the list is frozen, `rank` and `result` by the draw. `passed_over` is why a wish was
    skipped, by slot id. `person_id` is forgotten with old bookings.
    """

    __tablename__ = "draw_entry"
    __table_args__ = (
        UniqueConstraint("draw_id", "person_id"),
        UniqueConstraint("draw_id", "no"),
        UniqueConstraint("draw_id", "tag"),
        one_of("result", ENTRY_RESULTS),
        CheckConstraint("(rank IS NULL) = (result IS NULL)", name="rank"),
        CheckConstraint("(no IS NULL) = (balls IS NULL)", name="balls"),
        CheckConstraint("no IS NULL OR left_at IS NULL", name="left"),
        CheckConstraint("people IN (1, 2)", name="people"),
        Index(None, "person_id", "draw_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    tag: Mapped[str] = mapped_column(String(5))
    wishes: Mapped[list[int]] = mapped_column(JSON)
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    no: Mapped[int | None]
    balls: Mapped[int | None]
    rank: Mapped[int | None]
    result: Mapped[str | None] = mapped_column(String(12))
    got_slot_id: Mapped[int | None] = mapped_column(Id)
    passed_over: Mapped[dict[str, Any]] = mapped_column(default=dict)
    people: Mapped[int] = mapped_column(default=1, server_default="1")
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("draw_entry.id"))
    code: Mapped[str | None] = mapped_column(String(6))
    draw: Mapped[Draw] = relationship()


class DrawValue(Base):
    """公开的数: one version of a draw's public value, as somebody typed it. A correction is a new version beside it.

    `role` is as what they typed it, which is public; `person_id` is not, and is forgotten with old bookings.
    """

    __tablename__ = "draw_value"
    __table_args__ = (
        UniqueConstraint("draw_id", "version"),
        one_of("role", VALUE_ROLES),
        Index(None, "person_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"))
    version: Mapped[int]
    value: Mapped[str] = mapped_column(String(160))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(8))
    typed_at: Mapped[datetime]
