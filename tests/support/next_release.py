"""The app's next releases, made up: copies of this tree with further migrations, and a model that needs the first."""

import shutil
from pathlib import Path

import config
from booking.db.migrating import NEWEST

EXPANDED, INDEXED, CONTRACTED = (f"{int(NEWEST) + n:04}" for n in (1, 2, 3))

HEAD = """
import sqlalchemy as sa
from alembic import op
from booking.db import online_ddl

revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None
"""
EXPAND = """
kind = "expand"

def upgrade():
    for table in ("booking", "slot", "person", "event", "letter"):
        op.add_column(table, sa.Column("made_up", sa.String(40), server_default="", nullable=False))
    op.create_table("remark", sa.Column("id", sa.Integer(), primary_key=True))
"""
INDEX = """
kind = "expand"

def upgrade():
    online_ddl.create_index("ix_booking_made_up", "booking", ["made_up"])
"""
CONTRACT = f"""
kind = "contract"
oldest_revision = "{EXPANDED}"  # which gives every booking a made-up column

def upgrade():
    op.alter_column("booking", "made_up", server_default=None)
"""
NEW_MODEL = """
from sqlalchemy import String
from sqlalchemy.orm import mapped_column

for one in (Booking, Slot, Person, Event, Letter):
    one.made_up = mapped_column(String(40), default="", server_default="")
"""


def expanded(folder: Path) -> Path:
    """A release that expands the schema, and needs that."""
    tree = _copy(folder)
    _add(tree, EXPANDED, NEWEST, EXPAND)
    _add(tree, INDEXED, EXPANDED, INDEX)
    with (tree / "booking/model/__init__.py").open("a") as model:
        model.write(NEW_MODEL)
    return tree


def contracted(folder: Path) -> Path:
    """The one after it, which takes away what only older code needs."""
    tree = expanded(folder)
    _add(tree, CONTRACTED, INDEXED, CONTRACT)
    return tree


def _copy(folder: Path) -> Path:
    folder.mkdir()
    shutil.copytree(config.ROOT / "booking", folder / "booking")
    for name in ("config.py", "wsgi.py"):
        shutil.copy(config.ROOT / name, folder)
    for name in ("templates", "static"):
        (folder / name).symlink_to(config.ROOT / name)
    return folder


def _add(tree: Path, revision: str, before: str, step: str) -> None:
    file = tree / f"booking/migrations/versions/{revision}_made_up.py"
    file.write_text(HEAD.format(revision=revision, before=before) + step)
