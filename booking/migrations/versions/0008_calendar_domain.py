"""Keep what follows the @ in calendar UIDs, and find what changed the texts of a station's slots."""

import os
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

import config

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
kind = "expand"

CATALOGUE = sa.text("kind IN ('activity_saved', 'station_changed', 'zone_saved')")


def upgrade() -> None:
    op.create_table(
        "calendar_domain",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_calendar_domain_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_domain")),
    )
    op.create_index("ix_event_catalogue", "event", ["station_id"], sqlite_where=CATALOGUE, postgresql_where=CATALOGUE)
    _keep_the_host_in_use()


def downgrade() -> None:
    op.drop_index("ix_event_catalogue", "event")
    op.drop_table("calendar_domain")


def _keep_the_host_in_use() -> None:
    """Until now it was the host of PUBLIC_URL. Where no seat was ever given no UID was sent, and the app draws one."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM booking WHERE seated_at IS NOT NULL LIMIT 1")):
        host = urlsplit(config.public_url(os.environ)).hostname or "localhost"
        op.get_bind().execute(sa.text("INSERT INTO calendar_domain (id, name) VALUES (1, :host)"), {"host": host})
