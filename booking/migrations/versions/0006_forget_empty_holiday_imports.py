"""Forget imported years that announce nothing: the file of a year exists before its notice, and was taken for one."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
kind = "expand"

# Years of which no date is other than it would be without any announcement.
EMPTY = {
    "sqlite": """
        DELETE FROM workday WHERE source LIKE 'import %' AND NOT EXISTS (
          SELECT 1 FROM workday AS other
          WHERE strftime('%Y', other.date) = strftime('%Y', workday.date)
            AND other.works <> (strftime('%w', other.date) NOT IN ('0', '6')))
    """,
    "postgresql": """
        DELETE FROM workday WHERE source LIKE 'import %' AND NOT EXISTS (
          SELECT 1 FROM workday AS other
          WHERE extract(year FROM other.date) = extract(year FROM workday.date)
            AND other.works <> (extract(isodow FROM other.date) < 6))
    """,
}


def upgrade() -> None:
    op.execute(EMPTY[op.get_context().dialect.name])


def downgrade() -> None:
    """Nothing was known of those days."""
