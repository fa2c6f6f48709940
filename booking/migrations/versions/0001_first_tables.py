"""The first tables, and the guard that no two slots overlap in a zone."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
kind = "expand"

TABLES_FROM_THE_LEAF = (
    "door_tap",
    "digest",
    "strike",
    "try",
    "feed",
    "letter",
    "event",
    "booking",
    "slot",
    "plan_exception",
    "plan",
    "zone",
    "sign_in",
    "manages",
    "day_override",
    "activity",
    "workday",
    "set_aside",
    "station",
    "person",
    "outage",
    "job_run",
    "failure",
    "code",
)
OVERLAPS = """
    SELECT 1 FROM slot
    WHERE zone_id = NEW.zone_id AND id <> NEW.id AND state <> 'cancelled'
    AND starts_at < NEW.ends_at AND NEW.starts_at < ends_at
"""


def upgrade() -> None:
    _code()
    _failure()
    _job_run()
    _outage()
    _person()
    _station()
    _set_aside()
    _workday()
    _activity()
    _day_override()
    _manages()
    _sign_in()
    _zone()
    _plan()
    _plan_exception()
    _slot()
    _booking()
    _event()
    _letter()
    _strike()
    _digest()
    _try()
    _feed()
    _door_tap()
    if op.get_bind().dialect.name == "postgresql":
        _guard_zones_on_postgresql()
    else:
        _guard_zones_on_sqlite()


def downgrade() -> None:
    for table in TABLES_FROM_THE_LEAF:
        op.drop_table(table)


def _guard_zones_on_postgresql() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(
        "ALTER TABLE slot ADD CONSTRAINT zone_overlap EXCLUDE USING gist"
        " (zone_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (state <> 'cancelled')"
    )


def _guard_zones_on_sqlite() -> None:
    """Triggers go when their table is rebuilt: a batch migration of slot must make them again."""
    for name, moment in (
        ("zone_overlap_insert", "INSERT"),
        ("zone_overlap_update", "UPDATE OF zone_id, starts_at, ends_at, state"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {moment} ON slot"
            f" WHEN NEW.state <> 'cancelled' AND EXISTS ({OVERLAPS})"
            " BEGIN SELECT RAISE(ABORT, 'zone_overlap'); END"
        )


def _code() -> None:
    op.create_table(
        "code",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("purpose IN ('register', 'reset', 'sign_in')", name=op.f("ck_code_purpose")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
    )
    op.create_index(op.f("ix_code_email_purpose"), "code", ["email", "purpose"], unique=False)


def _failure() -> None:
    op.create_table(
        "failure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure")),
    )
    op.create_index(op.f("ix_failure_account_at"), "failure", ["account", "at"], unique=False)
    op.create_index(op.f("ix_failure_address_at"), "failure", ["address", "at"], unique=False)


def _job_run() -> None:
    op.create_table(
        "job_run",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("did", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_run")),
    )


def _outage() -> None:
    op.create_table(
        "outage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
    )
    op.create_index(op.f("ix_outage_ended_at"), "outage", ["ended_at"], unique=False)


def _set_aside() -> None:
    op.create_table(
        "set_aside",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_set_aside_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_aside")),
        sa.UniqueConstraint("job", "row_id", name=op.f("uq_set_aside_job_row_id")),
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("company", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("wants_digest", sa.Boolean(), nullable=False),
        sa.Column("wants_manager_digest", sa.Boolean(), nullable=False),
        sa.Column("acts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )


def _station() -> None:
    op.create_table(
        "station",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("address_en", sa.String(length=300), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("zone_name", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("door_secret", sa.String(length=64), nullable=False),
        sa.Column("shows_headline", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_station_position")),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name=op.f("ck_station_on_earth")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("code", name=op.f("uq_station_code")),
    )


def _workday() -> None:
    op.create_table(
        "workday",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_workday")),
    )


def _activity() -> None:
    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("title_en", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("host", sa.String(length=40), nullable=False),
        sa.Column("host_en", sa.String(length=80), nullable=False),
        sa.Column("bring", sa.String(length=120), nullable=False),
        sa.Column("bring_en", sa.String(length=200), nullable=False),
        sa.Column("suits", sa.String(length=120), nullable=False),
        sa.Column("suits_en", sa.String(length=200), nullable=False),
        sa.Column("picture", sa.String(length=40), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('yoga', 'fitness', 'crafts', 'tea', 'flowers', 'talk', 'livestream', 'photo', 'art', 'games', 'reading', 'other')",
            name=op.f("ck_activity_kind"),
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_activity_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    op.create_index(op.f("ix_activity_station_id"), "activity", ["station_id"], unique=False)


def _day_override() -> None:
    op.create_table(
        "day_override",
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("follows", sa.SmallInteger(), nullable=True),
        sa.Column("note", sa.String(length=80), nullable=False),
        sa.CheckConstraint("follows BETWEEN 1 AND 7", name=op.f("ck_day_override_follows")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_day_override_station_id")),
        sa.PrimaryKeyConstraint("station_id", "date", name=op.f("pk_day_override")),
    )


def _manages() -> None:
    op.create_table(
        "manages",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_manages_person_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_manages_station_id")),
        sa.PrimaryKeyConstraint("person_id", "station_id", name=op.f("pk_manages")),
    )
    op.create_index(op.f("ix_manages_station_id"), "manages", ["station_id"], unique=False)


def _sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"], unique=False)


def _zone() -> None:
    op.create_table(
        "zone",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("capacity BETWEEN 1 AND 1000", name=op.f("ck_zone_capacity")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_zone_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone")),
        sa.UniqueConstraint("station_id", "name", name=op.f("uq_zone_station_id_name")),
    )


def _plan() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weekdays", sa.String(length=7), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("on_rest_days", sa.Boolean(), nullable=False),
        sa.Column("opens_workdays_before", sa.Integer(), nullable=True),
        sa.Column("opens_clock", sa.Time(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("weekdays <> ''", name=op.f("ck_plan_weekdays")),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_plan_capacity")),
        sa.CheckConstraint("minutes BETWEEN 10 AND 480", name=op.f("ck_plan_minutes")),
        sa.CheckConstraint("opens_workdays_before BETWEEN 0 AND 10", name=op.f("ck_plan_opens_workdays_before")),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_plan_valid")),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_plan_activity_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_plan_station_id")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_plan_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_station_id"), "plan", ["station_id"], unique=False)


def _plan_exception() -> None:
    op.create_table(
        "plan_exception",
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("skip", sa.Boolean(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("host", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_exception_plan_id")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_plan_exception_zone_id")),
        sa.PrimaryKeyConstraint("plan_id", "date", name=op.f("pk_plan_exception")),
    )


def _slot() -> None:
    op.create_table(
        "slot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("activity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("free_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checkin_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("line_last", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=40), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_held_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'open', 'running', 'done', 'cancelled')", name=op.f("ck_slot_state")),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_slot_capacity")),
        sa.CheckConstraint(
            "checkin_from <= starts_at AND starts_at < release_at AND release_at <= ends_at", name=op.f("ck_slot_after")
        ),
        sa.CheckConstraint(
            "opens_at <= starts_at AND line_until <= starts_at AND free_until <= starts_at", name=op.f("ck_slot_before")
        ),
        sa.CheckConstraint("taken >= 0 AND taken <= capacity", name=op.f("ck_slot_taken")),
        sa.CheckConstraint("waiting >= 0", name=op.f("ck_slot_waiting")),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_slot_activity_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_slot_plan_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_slot_station_id")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_slot_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
    )
    op.create_index(op.f("ix_slot_station_id_date"), "slot", ["station_id", "date"], unique=False)
    op.create_index(
        "ix_slot_to_end",
        "slot",
        ["ends_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('planned', 'open', 'running')"),
        postgresql_where=sa.text("state IN ('planned', 'open', 'running')"),
    )
    op.create_index(
        "ix_slot_to_open",
        "slot",
        ["opens_at"],
        unique=False,
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(op.f("ix_slot_zone_id_starts_at"), "slot", ["zone_id", "starts_at"], unique=False)
    op.create_index(
        "uq_slot_plan_date",
        "slot",
        ["plan_id", "date"],
        unique=True,
        sqlite_where=sa.text("plan_id IS NOT NULL"),
        postgresql_where=sa.text("plan_id IS NOT NULL"),
    )


def _booking() -> None:
    op.create_table(
        "booking",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("via", sa.String(length=8), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("ticket", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("standby_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=40), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("skipped", sa.String(length=24), nullable=True),
        sa.CheckConstraint("(state = 'attended') = (checked_in_at IS NOT NULL)", name=op.f("ck_booking_checked_in")),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'released', 'expired')) = (ended_at IS NOT NULL)", name=op.f("ck_booking_ended")
        ),
        sa.CheckConstraint("state <> 'waiting' OR line_no IS NOT NULL", name=op.f("ck_booking_line")),
        sa.CheckConstraint(
            "state IN ('booked', 'attended', 'waiting', 'cancelled', 'released', 'expired')",
            name=op.f("ck_booking_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('booked', 'attended', 'released') OR seated_at IS NOT NULL", name=op.f("ck_booking_seated")
        ),
        sa.CheckConstraint("via IN ('tap', 'line', 'door')", name=op.f("ck_booking_via")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_booking_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_booking_slot_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_booking_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("ticket", name=op.f("uq_booking_ticket")),
    )
    op.create_index(
        "ix_booking_line",
        "booking",
        ["slot_id", "line_no"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(op.f("ix_booking_person_id_id"), "booking", ["person_id", "id"], unique=False)
    op.create_index(op.f("ix_booking_slot_id_state"), "booking", ["slot_id", "state"], unique=False)
    op.create_index(
        "uq_booking_key",
        "booking",
        ["person_id", "key"],
        unique=True,
        sqlite_where=sa.text("key IS NOT NULL"),
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_index(
        "uq_booking_live",
        "booking",
        ["slot_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('booked', 'attended', 'waiting')"),
        postgresql_where=sa.text("state IN ('booked', 'attended', 'waiting')"),
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_event_booking_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_event_person_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_event_plan_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_event_slot_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_event_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_person_id_id"), "event", ["person_id", "id"], unique=False)
    op.create_index(op.f("ix_event_slot_id_id"), "event", ["slot_id", "id"], unique=False)
    op.create_index(op.f("ix_event_station_id_id"), "event", ["station_id", "id"], unique=False)


def _letter() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to", sa.String(length=254), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed', 'dropped')", name=op.f("ck_letter_state")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_letter_booking_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_letter_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_letter_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("key", name=op.f("uq_letter_key")),
        sa.UniqueConstraint("message_id", name=op.f("uq_letter_message_id")),
    )
    op.create_index(
        "ix_letter_due",
        "letter",
        ["next_try_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_letter_failed",
        "letter",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(op.f("ix_letter_person_id"), "letter", ["person_id"], unique=False)
    op.create_index(
        "ix_letter_sending",
        "letter",
        ["claimed_at"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(op.f("ix_letter_slot_id"), "letter", ["slot_id"], unique=False)


def _strike() -> None:
    op.create_table(
        "strike",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("forgiven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forgiven_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("forgive_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint("reason IN ('no_show', 'late_cancel')", name=op.f("ck_strike_reason")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_strike_booking_id")),
        sa.ForeignKeyConstraint(["forgiven_by"], ["person.id"], name=op.f("fk_strike_forgiven_by")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_strike_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_strike_slot_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_strike_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strike")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_strike_booking_id")),
    )
    op.create_index(
        op.f("ix_strike_person_id_station_id_at"), "strike", ["person_id", "station_id", "at"], unique=False
    )
    op.create_index(op.f("ix_strike_slot_id"), "strike", ["slot_id"], unique=False)


def _try() -> None:
    op.create_table(
        "try",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_try_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_try_slot_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "slot_id", "reason", name=op.f("pk_try")),
    )
    op.create_index(op.f("ix_try_at"), "try", ["at"], unique=False)
    op.create_index(op.f("ix_try_slot_id"), "try", ["slot_id"], unique=False)


def _feed() -> None:
    op.create_table(
        "feed",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_feed_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_feed_token_hash")),
    )


def _digest() -> None:
    op.create_table(
        "digest",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('worker', 'manager')", name=op.f("ck_digest_kind")),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name=op.f("fk_digest_letter_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_digest_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest")),
        sa.UniqueConstraint("person_id", "kind", "date", name=op.f("uq_digest_person_id_kind_date")),
    )


def _door_tap() -> None:
    op.create_table(
        "door_tap",
        sa.Column("nonce", sa.String(length=40), nullable=False),
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_door_tap_booking_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_door_tap_person_id")),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_door_tap")),
    )
    op.create_index(op.f("ix_door_tap_booking_id"), "door_tap", ["booking_id"], unique=False)
