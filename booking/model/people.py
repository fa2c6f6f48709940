"""People: accounts, roles, and how they signed in."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, String, and_, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.model.base import Base, Id, one_of, partial
from booking.model.places import Station

LANGUAGES = ("zh_Hans_CN", "en")
REQUIRED_OF = ("nobody", "admins", "staff")


class Person(Base):
    """用户: an account. Everyone can be a worker; a deleted one keeps its row and loses its name.

    `version` is the optimistic lock: it counts how often the row was locked, so while it is unchanged nothing of the
    person's has changed.
    """

    __tablename__ = "person"
    __table_args__ = (partial("ix_person_admin", "id", where="is_admin"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(40), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    company: Mapped[str] = mapped_column(String(80), default="")
    language: Mapped[str] = mapped_column(String(16), default="zh_Hans_CN")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_admin: Mapped[bool] = mapped_column(default=False)
    wants_digest: Mapped[bool] = mapped_column(default=True)
    wants_manager_digest: Mapped[bool] = mapped_column(default=True)
    wants_reminder: Mapped[bool] = mapped_column(default=False, server_default=false())
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    manages: Mapped[list["Manages"]] = relationship(back_populates="person", foreign_keys="Manages.person_id")


class Manages(Base):
    """One person's right to manage one station."""

    __tablename__ = "manages"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True, index=True)
    since: Mapped[datetime]
    person: Mapped[Person] = relationship(back_populates="manages", foreign_keys=[person_id])
    station: Mapped[Station] = relationship()


class DoorHelper(Base):
    """门口助手: who may check people in at a station until `until`, a midnight there. The row outlives its end for a
    month, to be renewed with one tap."""

    __tablename__ = "door_helper"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), primary_key=True, index=True)
    until: Mapped[datetime]
    granted_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    station: Mapped[Station] = relationship()


class SignIn(Base):
    """One browser's sign-in. Only the hash of its token is stored; ending the row signs that browser out."""

    __tablename__ = "sign_in"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()

    @classmethod
    def lets_in(cls, now: Any) -> ColumnElement[bool]:
        """Condition: valid at `now`; its person's row must be joined."""
        lives = and_(cls.ended_at.is_(None), cls.expires_at > now)
        return and_(lives, Person.disabled_at.is_(None), Person.deleted_at.is_(None))


class SignedIn(NamedTuple):
    """What a request needs to know of the person who makes it. `to_renew`: it expires soon unless it is extended."""

    sign_in_id: int
    person_id: int
    language: str
    is_admin: bool
    to_renew: bool = False


SIGNED_IN = (SignIn.id, Person.id, Person.language, Person.is_admin)


class SecondFactor(Base):
    """两步验证: a person's authenticator app; no row while it is off.

    The app's secret is derived from SECRET_KEY and `seed`; `key_id` tells with which SECRET_KEY. `last_step` is the newest
    time step whose code was used: no code counts twice.
    """

    __tablename__ = "second_factor"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    seed: Mapped[str] = mapped_column(String(40))
    key_id: Mapped[str] = mapped_column(String(8))
    last_step: Mapped[int]
    since: Mapped[datetime]


class RecoveryCode(Base):
    """A recovery code of a second factor, hashed. It counts once: using it deletes the row."""

    __tablename__ = "recovery_code"
    person_id: Mapped[int] = mapped_column(ForeignKey("second_factor.person_id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class SecondFactorPolicy(Base):
    """Who must have a second factor, from `since` on. One row for the installation; without it, nobody."""

    __tablename__ = "second_factor_policy"
    __table_args__ = (CheckConstraint("id = 1", name="one"), one_of("required_of", REQUIRED_OF))
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)
    required_of: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime]


class Consent(Base):
    """同意: that a person agreed to a version of the privacy notice, and when."""

    __tablename__ = "consent"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    version: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime]


class Feed(Base):
    """日历订阅: the secret address of one person's calendar. Only its hash is stored; a new one replaces the old."""

    __tablename__ = "feed"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]


class Code(Base):
    """A mailed code for one address and purpose; single use, a few tries, hashed.

    `browser` is the hash of the secret of the asking browser, `address` its network address.
    """

    __tablename__ = "code"
    __table_args__ = (
        one_of("purpose", ("register", "reset", "sign_in")),
        Index(None, "email", "purpose"),
        Index(None, "address", "created_at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    purpose: Mapped[str] = mapped_column(String(16))
    browser: Mapped[str] = mapped_column(String(64), default="", server_default="")
    address: Mapped[str] = mapped_column(String(64), default="", server_default="")
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)


class Failure(Base):
    """One failed sign-in, counted by account and by address."""

    __tablename__ = "failure"
    __table_args__ = (Index(None, "account", "at"), Index(None, "address", "at"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
