"""Pictures: what stations upload, as we encoded it. Built-in ones are files in static/pictures."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from booking.model.base import Base


class Picture(Base):
    """封面: one uploaded picture in two sizes, both JPEG. `name` is a hash of both, so that its address never changes.

    `Activity.picture` is this name, or that of a built-in one. `used_at` is when an activity last took it or left it.
    """

    __tablename__ = "picture"
    __table_args__ = (CheckConstraint("length(name) = 32", name="name"),)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    used_at: Mapped[datetime]
    card: Mapped[bytes] = mapped_column(LargeBinary)
    large: Mapped[bytes] = mapped_column(LargeBinary)
