"""Wishes for activities, and who wants them."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
KINDS = (
    "'yoga', 'fitness', 'crafts', 'tea', 'flowers', 'talk', 'livestream', 'photo', 'art', 'games', 'reading', 'other'"
)
STATES = "'open', 'planned', 'held', 'declined', 'merged', 'withdrawn', 'removed', 'lapsed'"


def upgrade() -> None:
    op.create_table(
        "activity_wish",
        sa.Column("id", ID, nullable=False),
        sa.Column("station_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("text", sa.String(30), nullable=False),
        sa.Column("text_key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False, server_default="open"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("answer", sa.String(200), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("slot_id", ID, nullable=True),
        sa.Column("merged_into", ID, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("forgotten_at", MOMENT, nullable=True),
        sa.Column("past_votes", sa.Integer(), nullable=False, server_default="0"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_activity_wish_kind")),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_activity_wish_state")),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_activity_wish_weekday")),
        sa.CheckConstraint("(ended_at IS NULL) = (state IN ('open', 'planned'))", name=op.f("ck_activity_wish_ended")),
        sa.CheckConstraint("(merged_into IS NULL) = (state <> 'merged')", name=op.f("ck_activity_wish_merged")),
        sa.CheckConstraint("slot_id IS NULL OR state = 'held'", name=op.f("ck_activity_wish_slot")),
        sa.ForeignKeyConstraint(["merged_into"], ["activity_wish.id"], name=op.f("fk_activity_wish_merged_into")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_activity_wish_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_activity_wish_slot_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_activity_wish_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_wish")),
    )
    for columns in (["merged_into"], ["person_id"], ["slot_id"], ["station_id", "state"]):
        op.create_index(f"ix_activity_wish_{'_'.join(columns)}", "activity_wish", columns)
    _partial("uq_activity_wish_open_text", ["station_id", "text_key"], "state = 'open'", unique=True)
    _partial("ix_activity_wish_held", ["ended_at"], "state = 'held'")
    _partial("ix_activity_wish_named", ["ended_at"], "forgotten_at IS NULL")
    op.create_table(
        "wish_vote",
        sa.Column("wish_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_wish_vote_person_id")),
        sa.ForeignKeyConstraint(["wish_id"], ["activity_wish.id"], name=op.f("fk_wish_vote_wish_id")),
        sa.PrimaryKeyConstraint("wish_id", "person_id", name=op.f("pk_wish_vote")),
    )
    op.create_index("ix_wish_vote_person_id", "wish_vote", ["person_id"])


def downgrade() -> None:
    op.drop_table("wish_vote")
    op.drop_table("activity_wish")


def _partial(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, "activity_wish", columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
