"""Network: what the admins keep about its stations: invitations of managers, and the numbers of each station's days."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from booking.model.base import Base, Day, Id, partial


class ManagerInvitation(Base):
    """邀请: an address that may become a manager of a station by the link in a letter, once and until `expires_at`.

    Only the hash of the link's token is stored. One is open until it is accepted or withdrawn; sending it again replaces
    the token.
    """

    __tablename__ = "manager_invitation"
    __table_args__ = (
        CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name="ended_once"),
        partial(
            "uq_manager_invitation_open",
            "station_id",
            "email",
            where="accepted_at IS NULL AND withdrawn_at IS NULL",
            unique=True,
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    email: Mapped[str] = mapped_column(String(254), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class StationDayTotals(Base):
    """One day of one station, counted once it is over; a day without slots has a row of zeros.

    `slots` were held; `seats` are those where attendance was taken, and `expected` the people with one at the start.
    """

    __tablename__ = "station_day"
    date: Mapped[Day] = mapped_column(primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True)
    slots: Mapped[int]
    seats: Mapped[int]
    visits: Mapped[int]
    expected: Mapped[int]
    no_shows: Mapped[int]
