"""The tree of a city over its stations, who oversees it, and more numbers of each station's days."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
COUNTS = ("walk_ins", "late_cancels", "turned_away", "entries")


def upgrade() -> None:
    _node()
    _oversees()
    # Written as it stands in a new table: Alembic would add the constraint afterwards, which SQLite cannot.
    kind = ID.compile(op.get_bind().dialect)
    op.execute(f"ALTER TABLE station ADD COLUMN centre_id {kind} CONSTRAINT fk_station_centre_id REFERENCES node (id)")
    op.add_column("station", sa.Column("own_policy", sa.JSON(), nullable=True))
    op.add_column("station", sa.Column("policy_due", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("station", sa.Column("pinyin", sa.String(400), nullable=False, server_default=""))
    op.add_column("station", sa.Column("initials", sa.String(80), nullable=False, server_default=""))
    for name in COUNTS:
        op.add_column("station_day", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in COUNTS:
        op.drop_column("station_day", name)
    for name in ("initials", "pinyin", "policy_due", "own_policy", "centre_id"):
        op.drop_column("station", name)
    op.drop_table("oversees")
    op.drop_table("node")


def _node() -> None:
    op.create_table(
        "node",
        sa.Column("id", ID, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("name_en", sa.String(120), nullable=False),
        sa.Column("path", sa.String(64), nullable=False),
        sa.Column("own_policy", sa.JSON(), nullable=False),
        sa.Column("locks", sa.JSON(), nullable=False),
        sa.Column("grade", sa.String(20), nullable=False),
        sa.Column("category", sa.String(20), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("(parent_id IS NULL) = (level = 'city')", name=op.f("ck_node_root")),
        sa.CheckConstraint("level IN ('city', 'district', 'centre')", name=op.f("ck_node_level")),
        sa.ForeignKeyConstraint(["parent_id"], ["node.id"], name=op.f("fk_node_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
        sa.UniqueConstraint("code", name=op.f("uq_node_code")),
        sa.UniqueConstraint("path", name=op.f("uq_node_path")),
    )
    op.create_index("ix_node_parent_id", "node", ["parent_id"])


def _oversees() -> None:
    op.create_table(
        "oversees",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("node_id", ID, nullable=False),
        sa.Column("role", sa.String(9), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('organiser', 'reader')", name=op.f("ck_oversees_role")),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_oversees_node_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_oversees_person_id")),
        sa.PrimaryKeyConstraint("person_id", "node_id", name=op.f("pk_oversees")),
    )
    op.create_index("ix_oversees_node_id", "oversees", ["node_id"])
