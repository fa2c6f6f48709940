"""What a search reads of each station, and imports of stations from a sheet."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
kind = "expand"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Empty until a job fills it: readings take longer than a table may be locked.
    op.add_column("station", sa.Column("folded", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "station_import",
        sa.Column("id", ID, nullable=False),
        sa.Column("node_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint("done BETWEEN 0 AND total", name=op.f("ck_station_import_progress")),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_station_import_node_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_station_import_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_import")),
    )
    op.create_index("ix_station_import_node_id", "station_import", ["node_id"])
    op.create_index("ix_station_import_person_id", "station_import", ["person_id"])


def downgrade() -> None:
    op.drop_table("station_import")
    op.drop_column("station", "folded")
