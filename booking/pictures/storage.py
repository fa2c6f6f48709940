"""Storage: uploaded pictures in the database, where every web host and every backup has them."""

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from booking.db import upsert
from booking.db.transactions import transactional
from booking.errors import RuleViolation
from booking.model import Activity, Picture
from booking.pictures.encoding import NAME_LENGTH, Encoded

UNUSED_FOR = timedelta(days=1)  # a form may be open, and pages that show it may be cached
is_uploaded = re.compile(f"[0-9a-f]{{{NAME_LENGTH}}}").fullmatch  # the names of built-in ones are words


@transactional
def store(session: Session, picture: Encoded, now: datetime) -> str:
    """The name of the picture, new or stored before."""
    row = {"name": picture.name, "used_at": now, "large": picture.large, "card": picture.card}
    added = upsert.insert(session.get_bind(), Picture).values(row)
    session.execute(added.on_conflict_do_update(index_elements=["name"], set_={"used_at": now}))
    return picture.name


def find(session: Session, name: str, size: str) -> bytes | None:
    """The JPEG of that name: `large` or `card`."""
    column = {"large": Picture.large, "card": Picture.card}[size]
    return session.scalar(select(column).where(Picture.name == name))


def is_stored(session: Session, name: str) -> bool:
    return bool(is_uploaded(name)) and bool(session.scalar(select(exists().where(Picture.name == name))))


def keep(session: Session, taken: str, left: str, now: datetime) -> None:
    """Note that an activity takes one picture and leaves another. Within the transaction that saves the activity.

    Locks what is taken, so that it is not forgotten meanwhile. Raises `picture_gone`.
    """
    names = sorted(name for name in {taken, left} if is_uploaded(name))
    noted = update(Picture).where(Picture.name.in_(names)).values(used_at=now).returning(Picture.name)
    found = session.scalars(noted).all() if names else ()
    if is_uploaded(taken) and taken not in found:
        raise RuleViolation("picture_gone")


@transactional
def forget(session: Session, now: datetime) -> int:
    """Delete what no activity has shown for a day. Returns how many."""
    shown = exists().where(Activity.picture == Picture.name)
    unused = delete(Picture).where(Picture.used_at <= now - UNUSED_FOR, ~shown).returning(Picture.name)
    return len(session.scalars(unused).all())
