"""Wishes: activities that people would like at a station, and who wants each of them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Id, one_of, partial
from booking.model.places import Station
from booking.model.programme import KINDS, Slot

OPEN_WISHES = ("open", "planned")
WISH_STATES = (*OPEN_WISHES, "held", "declined", "merged", "withdrawn", "removed", "lapsed")


class ActivityWish(Base):
    """心愿: what people would like to do at a station, and what the station says about it. Everybody may read it.

    `person_id` is who made it and still wants it; nobody is shown who. `weekday` is an ISO number, NULL any day. `text_key`
    is what equal texts have in common. `past_votes` counts those whose persons are not kept any more.
    """

    __tablename__ = "activity_wish"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", WISH_STATES),
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("(ended_at IS NULL) = (state IN ('open', 'planned'))", name="ended"),
        CheckConstraint("(merged_into IS NULL) = (state <> 'merged')", name="merged"),
        CheckConstraint("slot_id IS NULL OR state = 'held'", name="slot"),
        partial("uq_activity_wish_open_text", "station_id", "text_key", where="state = 'open'", unique=True),
        partial("ix_activity_wish_held", "ended_at", where="state = 'held'"),
        partial("ix_activity_wish_named", "ended_at", where="forgotten_at IS NULL"),
        Index(None, "station_id", "state"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    text: Mapped[str] = mapped_column(String(30))
    text_key: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    weekday: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    created_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(String(200), default="")
    answered_at: Mapped[datetime | None]
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id", ondelete="SET NULL"), index=True)
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("activity_wish.id"), index=True)
    ended_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    past_votes: Mapped[int] = mapped_column(default=0, server_default="0")
    station: Mapped[Station] = relationship()
    slot: Mapped[Slot | None] = relationship()

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def is_answerable(self) -> bool:
        """Whether the station may say what becomes of it, the first time or once more."""
        return self.state in (*OPEN_WISHES, "held", "declined") and self.forgotten_at is None


class WishVote(Base):
    """我也想要: one person wants it, whoever made it included."""

    __tablename__ = "wish_vote"
    wish_id: Mapped[int] = mapped_column(ForeignKey("activity_wish.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]
