"""Links of slots that can also be watched online, who opened them, and how many on each day of a station."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "watch_link",
        sa.Column("slot_id", ID, autoincrement=False, nullable=False),
        sa.Column("url", sa.String(300), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_watch_link_slot_id")),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_watch_link")),
    )
    op.create_table(
        "watch_open",
        sa.Column("id", ID, nullable=False),
        sa.Column("slot_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("browser", sa.String(32), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("person_id IS NULL OR browser IS NULL", name=op.f("ck_watch_open_who")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_watch_open_slot_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_watch_open_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_open")),
    )
    for column in ("slot_id", "person_id"):
        op.create_index(f"ix_watch_open_{column}", "watch_open", [column])
    for who, column in (("person", "person_id"), ("browser", "browser")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"uq_watch_open_{who}",
            "watch_open",
            ["slot_id", column],
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )
    named = sa.text("person_id IS NOT NULL OR browser IS NOT NULL")
    op.create_index("ix_watch_open_named", "watch_open", ["opened_at"], sqlite_where=named, postgresql_where=named)
    op.add_column("station_day", sa.Column("watched", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("station_day", "watched")
    op.drop_table("watch_open")
    op.drop_table("watch_link")
