"""Network: the tree of a city, who oversees it, invitations and transfers of managers, imports of stations, and the numbers
of each station's days.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ColumnElement, ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Day, Id, one_of, partial
from booking.model.people import Person
from booking.model.places import Station

# From the top; a child's level is the next one.
LEVELS = ("city", "district", "centre")
OVERSIGHT = ("organiser", "reader")


class Node(Base):
    """单位: a city, district or centre. Stations belong to centres (`Station.centre_id`).

    `path` has the ids from the root to this node, each with a dot after it: `1.12.345.`, so what is below starts with
    it. `own_policy` holds the numbers that this node sets for all below (see `policy`), `locks` the names of those that
    nothing below may change. `grade` and `category` are words of the city's own.
    """

    __tablename__ = "node"
    __table_args__ = (
        one_of("level", LEVELS),
        CheckConstraint("(parent_id IS NULL) = (level = 'city')", name="root"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"), index=True)
    level: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120), default="")
    path: Mapped[str] = mapped_column(String(64), unique=True)
    own_policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    locks: Mapped[list[str]] = mapped_column(JSON, default=list)
    grade: Mapped[str] = mapped_column(String(20), default="")
    category: Mapped[str] = mapped_column(String(20), default="")
    closed_at: Mapped[datetime | None]
    parent: Mapped["Node | None"] = relationship(remote_side="Node.id")


class Oversees(Base):
    """One person's right over a node and all below: an organiser 统筹 changes it, a reader 查看 sees its numbers."""

    __tablename__ = "oversees"
    __table_args__ = (one_of("role", OVERSIGHT),)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(9))
    since: Mapped[datetime]
    person: Mapped[Person] = relationship()
    node: Mapped[Node] = relationship()


class StaffTransfer(Base):
    """调动: a manager who moves from one station to another on a day, by the clock of the station that they leave.

    `leaves_nobody`: whoever asked knew that the station is then without a manager.
    """

    __tablename__ = "staff_transfer"
    __table_args__ = (
        CheckConstraint("from_station <> to_station", name="moves"),
        CheckConstraint("done_at IS NULL OR withdrawn_at IS NULL", name="ended_once"),
        partial(
            "uq_staff_transfer_open",
            "person_id",
            "from_station",
            where="done_at IS NULL AND withdrawn_at IS NULL",
            unique=True,
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    from_station: Mapped[int] = mapped_column(ForeignKey("station.id"), index=True)
    to_station: Mapped[int] = mapped_column(ForeignKey("station.id"), index=True)
    on_date: Mapped[Day]
    leaves_nobody: Mapped[bool] = mapped_column(default=False)
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    leaves: Mapped[Station] = relationship(foreign_keys=[from_station])
    joins: Mapped[Station] = relationship(foreign_keys=[to_station])


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

    @classmethod
    def letter_key(cls) -> ColumnElement[str]:
        """The key of the letter with the newest link."""
        return "invitation:" + cls.token_hash


class StationImport(Base):
    """导入: stations from a sheet, checked when it is uploaded, imported by a job once it is confirmed.

    `rows` are what was read (`network.station_sheet.SheetRow` as JSON) until it is finished, then empty: they have
    addresses of managers. `results` has, for each row that is `done`, its number in the sheet, its station's code, what
    became of it and the reason of a refusal.
    """

    __tablename__ = "station_import"
    __table_args__ = (CheckConstraint("done BETWEEN 0 AND total", name="progress"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    language: Mapped[str] = mapped_column(String(16))
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    results: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StationDayTotals(Base):
    """One day of one station, counted whenever a slot ends (see `seats.day_totals`), and `final` once the day is over; one
    without slots has a row of zeros then.

    `slots` were held; `seats` are those where attendance was taken, and `expected` the people with one at the start.
    `walk_ins` came without a booking, `late_cancels` gave up too late, `turned_away` are the people who asked for a seat
    and got none, `entries` those who entered a draw, `watched` those who opened the link of a slot to watch it online.
    """

    __tablename__ = "station_day"
    date: Mapped[Day] = mapped_column(primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True)
    slots: Mapped[int]
    seats: Mapped[int]
    visits: Mapped[int]
    expected: Mapped[int]
    no_shows: Mapped[int]
    walk_ins: Mapped[int] = mapped_column(default=0, server_default="0")
    late_cancels: Mapped[int] = mapped_column(default=0, server_default="0")
    turned_away: Mapped[int] = mapped_column(default=0, server_default="0")
    entries: Mapped[int] = mapped_column(default=0, server_default="0")
    watched: Mapped[int] = mapped_column(default=0, server_default="0")
    final: Mapped[bool] = mapped_column(default=False, server_default=false())
