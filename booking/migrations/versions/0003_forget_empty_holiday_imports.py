"""Forget imported years that announce nothing: the file of a year exists before its notice, and was taken for one."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Whether a date is what it would be without any announcement, and the year of a date.
PLAIN = {
    "sqlite": "{row}.works = (strftime('%w', {row}.date) NOT IN ('0', '6'))",
    "postgresql": "{row}.works = (extract(isodow FROM {row}.date) < 6)",
}
YEAR = {"sqlite": "strftime('%Y', {row}.date)", "postgresql": "extract(year FROM {row}.date)"}


def upgrade() -> None:
    name = op.get_context().dialect.name
    plain, year = PLAIN[name].format(row="other"), YEAR[name]
    op.execute(
        "DELETE FROM workday WHERE source LIKE 'import %' AND NOT EXISTS (SELECT 1 FROM workday AS other"
        f" WHERE {year.format(row='other')} = {year.format(row='workday')} AND NOT ({plain}))"
    )


def downgrade() -> None:
    """Nothing was known of those days."""
