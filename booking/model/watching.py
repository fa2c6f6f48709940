"""Watching: slots that can also be watched online, and how many people opened their links."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Id, partial
from booking.model.programme import Slot


class WatchLink(Base):
    """线上线下: a slot that has this row can also be watched online, elsewhere; `url` is empty while the link is missing.

    A table of its own, so that whoever books or looks at a day reads nothing of it.
    """

    __tablename__ = "watch_link"
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(String(300), default="", server_default="")
    slot: Mapped[Slot] = relationship()


class WatchOpen(Base):
    """点开在线看: one person, or one browser without an account, opened the link of a slot. No visit, and no booking.

    `browser` is a hash for that slot alone. Once both are forgotten the row still counts.
    """

    __tablename__ = "watch_open"
    __table_args__ = (
        CheckConstraint("person_id IS NULL OR browser IS NULL", name="who"),
        Index(None, "slot_id"),
        partial("uq_watch_open_person", "slot_id", "person_id", where="person_id IS NOT NULL", unique=True),
        partial("uq_watch_open_browser", "slot_id", "browser", where="browser IS NOT NULL", unique=True),
        partial("ix_watch_open_named", "opened_at", where="person_id IS NOT NULL OR browser IS NOT NULL"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    browser: Mapped[str | None] = mapped_column(String(32))
    opened_at: Mapped[datetime]
