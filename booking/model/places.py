"""Places: stations, their zones, and the calendar."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, SmallInteger, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from booking.model.base import Base, Day, Id, partial


class Station(Base):
    """驿站: the place. Its `policy` holds only the numbers that differ from the defaults.

    In a network (`centre_id`) `policy` is what applies there: the station's own numbers (`own_policy`; NULL before it
    joined) over those of the nodes above. `policy_due` until a change above has been applied to it.
    `pinyin` and `initials` are the readings of its name, `folded` its names, address and code, to be searched; empty until
    it is saved or a job fills them.

    `latitude` and `longitude` (degrees) are both known or both NULL. `shows_headline`: whether everybody may see how
    many slots and visits it has had.
    """

    __tablename__ = "station"
    __table_args__ = (
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="position"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="on_earth"),
        partial("ix_station_policy_due", "id", where="policy_due"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    address_en: Mapped[str] = mapped_column(String(300), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    zone_name: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"), index=True)
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    own_policy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    policy_due: Mapped[bool] = mapped_column(default=False, server_default=false())
    pinyin: Mapped[str] = mapped_column(String(400), default="", server_default="")
    initials: Mapped[str] = mapped_column(String(80), default="", server_default="")
    folded: Mapped[str] = mapped_column(Text, default="", server_default="")
    door_secret: Mapped[str] = mapped_column(String(64), default=lambda: secrets.token_hex(20))
    shows_headline: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None]

    @property
    def position(self) -> str:
        """As maps give and take it: `39.9087, 116.4605`."""
        return "" if self.latitude is None else f"{self.latitude}, {self.longitude}"


class Zone(Base):
    """板块: a room or area, with the largest number of people that it holds."""

    __tablename__ = "zone"
    __table_args__ = (
        UniqueConstraint("station_id", "name"),
        CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    name: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(80), default="")
    capacity: Mapped[int]
    closed_at: Mapped[datetime | None]


class Workday(Base):
    """工作日: one date, a workday or a rest day, as announced or as the law has it (see `source`)."""

    __tablename__ = "workday"
    date: Mapped[Day] = mapped_column(primary_key=True)
    works: Mapped[bool]
    name: Mapped[str] = mapped_column(String(40), default="")
    source: Mapped[str] = mapped_column(String(40))


class DayOverride(Base):
    """A manager's override of one date of one station, stronger than the calendar."""

    __tablename__ = "day_override"
    __table_args__ = (CheckConstraint("follows BETWEEN 1 AND 7", name="follows"),)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True)
    date: Mapped[Day] = mapped_column(primary_key=True)
    works: Mapped[bool]
    follows: Mapped[int | None] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(String(80), default="")
